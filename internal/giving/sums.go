package giving

import "time"

// A Cell is one row of the sums that reports read: a value of a dimension, in
// a day (20260131) or a month (202601), in a pair of currencies.
type Cell struct {
	Dimension  string
	Period     int64
	Value      string // "" where unknown
	Currency   string
	Settlement string // "" while not settled
}

// Figures are what a cell holds. Gross, Refunded and Disputed are in the
// cell's currency, Fee and Net in its settlement currency, in minor units.
type Figures struct {
	Donations     int64
	NewSupporters int64
	Gross         int64
	Refunded      int64
	Disputed      int64
	Fee           int64
	Net           int64
}

// Plus returns f + sign × g.
func (f Figures) Plus(g Figures, sign int64) Figures {
	return Figures{
		f.Donations + sign*g.Donations, f.NewSupporters + sign*g.NewSupporters,
		f.Gross + sign*g.Gross, f.Refunded + sign*g.Refunded, f.Disputed + sign*g.Disputed,
		f.Fee + sign*g.Fee, f.Net + sign*g.Net,
	}
}

// Dimensions are the names of the sums' dimensions. DimensionAll has the one
// value "".
const DimensionAll = "all"

// values returns each dimension with the donation's value in it.
func (d *Donation) values() [8][2]string {
	return [...][2]string{
		{DimensionAll, ""}, {"article", d.Article}, {"placement", d.Placement}, {"campaign", d.Campaign},
		{"variant", d.Variant}, {"country", d.Country}, {"interval", string(d.Interval)}, {"tier", d.Tier},
	}
}

// Dimensions returns the names of all dimensions.
func Dimensions() []string {
	var names []string
	for _, v := range new(Donation).values() {
		names = append(names, v[0])
	}
	return names
}

// AddTo adds sign × the donation to every cell it belongs to: on its own day,
// whenever a refund came.
func (d *Donation) AddTo(cells map[Cell]Figures, sign int64, zone *time.Location) {
	day := Day(d.Created, zone)
	own := Figures{
		Donations: 1, Gross: d.Gross, Refunded: d.Refunded, Disputed: d.Disputed,
		Fee: d.Settled.Fee, Net: d.Settled.Net,
	}
	if d.First {
		own.NewSupporters = 1
	}
	for _, v := range d.values() {
		for _, period := range [...]int64{day, day / 100} {
			cell := Cell{v[0], period, v[1], d.Currency, d.Settled.Currency}
			cells[cell] = cells[cell].Plus(own, sign)
			for _, b := range d.Elsewhere {
				cell.Settlement = b.Currency
				cells[cell] = cells[cell].Plus(Figures{Fee: b.Fee, Net: b.Net}, sign)
			}
		}
	}
}
