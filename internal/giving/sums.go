package giving

import (
	"strings"
	"time"
)

// A Cell is one row of the sums that reports read: a value of a dimension, in
// a day (20260131) or a month (202601), in a pair of currencies.
type Cell struct {
	Dimension  string
	Period     int64
	Value      string // "" where unknown
	Currency   string
	Settlement string // "" while not settled
}

// FirstDay is above every month and below every day, as periods number them.
const FirstDay = 1_000_000

// OfDay reports whether the cell is of a day, not of a month.
func (c Cell) OfDay() bool { return c.Period >= FirstDay }

// Figures are what a cell holds. Gross, Refunded and Disputed are in the
// cell's currency, Fee and Net in its settlement currency, in minor units.
type Figures struct {
	Donations     int64
	NewSupporters int64
	Won           int64 // donations that an ask won: all but renewals
	Kept          int64 // of those, the ones of which something is left
	Gross         int64
	Refunded      int64
	Disputed      int64
	Fee           int64
	Net           int64
}

// Plus returns f + sign × g.
func (f Figures) Plus(g Figures, sign int64) Figures {
	return Figures{
		f.Donations + sign*g.Donations, f.NewSupporters + sign*g.NewSupporters, f.Won + sign*g.Won, f.Kept + sign*g.Kept,
		f.Gross + sign*g.Gross, f.Refunded + sign*g.Refunded, f.Disputed + sign*g.Disputed,
		f.Fee + sign*g.Fee, f.Net + sign*g.Net,
	}
}

// Numbers returns the figures in their order, to be written down.
func (f Figures) Numbers() [9]int64 {
	return [...]int64{f.Donations, f.NewSupporters, f.Won, f.Kept, f.Gross, f.Refunded, f.Disputed, f.Fee, f.Net}
}

// FiguresOf returns the figures of [Figures.Numbers].
func FiguresOf(n [9]int64) Figures {
	return Figures{n[0], n[1], n[2], n[3], n[4], n[5], n[6], n[7], n[8]}
}

// Cells are figures by cell. They are pointers, since each gift adds to many.
type Cells map[Cell]*Figures

// add adds sign × some figures to those of a cell.
func (c Cells) add(cell Cell, by *Figures, sign int64) {
	sum := c[cell]
	if sum == nil {
		sum = new(Figures)
		c[cell] = sum
	}
	*sum = sum.Plus(*by, sign)
}

// Dimensions are the names of the sums' dimensions. DimensionAll has the one
// value "".
const DimensionAll = "all"

// values returns each dimension with the donation's value in it. Two dimensions
// together are one with the names joined, for the pairs that staff ask for:
// each costs two more cells a donation. A currency or a day needs no pair.
func (d *Donation) values() [11][2]string {
	return [...][2]string{
		{DimensionAll, ""}, {"article", d.Article}, {"placement", d.Placement}, {"campaign", d.Campaign},
		{"variant", d.Variant}, {"country", d.Country}, {"interval", string(d.Interval)}, {"tier", d.Tier},
		{articlePlacement, PairValue(d.Article, d.Placement)},
		{campaignPlacement, PairValue(d.Campaign, d.Placement)},
		{placementVariant, PairValue(d.Placement, d.Variant)},
	}
}

var (
	articlePlacement  = PairName("article", "placement")
	campaignPlacement = PairName("campaign", "placement")
	placementVariant  = PairName("placement", "variant")
)

// PairName returns the name of two dimensions together.
func PairName(a, b string) string { return a + "/" + b }

// pairSeparator stands between the two values of a pair.
const pairSeparator = "\x1f"

// PairValue returns the value of two dimensions together.
func PairValue(a, b string) string {
	return strings.ReplaceAll(a, pairSeparator, " ") + pairSeparator + b
}

// PairValues returns the two values that [PairValue] joined.
func PairValues(pair string) (a, b string) {
	a, b, _ = strings.Cut(pair, pairSeparator)
	return a, b
}

// Dimensions returns the names of all dimensions.
func Dimensions() []string {
	var names []string
	for _, v := range new(Donation).values() {
		names = append(names, v[0])
	}
	return names
}

// figures returns what a donation adds to its own cell.
func (d *Donation) figures() Figures {
	own := Figures{
		Donations: 1, Gross: d.Gross, Refunded: d.Refunded, Disputed: d.Disputed,
		Fee: d.Settled.Fee, Net: d.Settled.Net,
	}
	if d.First {
		own.NewSupporters = 1
	}
	if !d.Renewal {
		own.Won = 1
		if d.Live() {
			own.Kept = 1
		}
	}
	return own
}

// AddTo adds sign × the donation to every cell it belongs to: on its own day,
// whenever a refund came.
func (d *Donation) AddTo(cells Cells, sign int64, zone *time.Location) {
	day, own := Day(d.Created, zone), d.figures()
	for _, v := range d.values() {
		for _, period := range [...]int64{day, day / 100} {
			cell := Cell{v[0], period, v[1], d.Currency, d.Settled.Currency}
			cells.add(cell, &own, sign)
			for _, b := range d.Elsewhere {
				cell.Settlement = b.Currency
				cells.add(cell, &Figures{Fee: b.Fee, Net: b.Net}, sign)
			}
		}
	}
}
