package giving

import "time"

// A Change is by how much something moved the sums at one moment: a donation's
// figures on its own day, under the values it has in each dimension; or, with a
// Dimension, one cell that a rebuild counts otherwise.
type Change struct {
	Key        string  `json:"k,omitzero"` // the donation's; "" for a rebuild's
	Turned     int64   `json:"t,omitzero"` // seconds since 1970: of what moved it, see [Donation]
	Day        int64   `json:"d"`          // 20260131
	Currency   string  `json:"c,omitzero"`
	Settlement string  `json:"s,omitzero"`
	Article    string  `json:"a,omitzero"`
	Placement  string  `json:"p,omitzero"`
	Campaign   string  `json:"m,omitzero"`
	Variant    string  `json:"v,omitzero"`
	Country    string  `json:"n,omitzero"`
	Interval   string  `json:"i,omitzero"`
	Tier       string  `json:"r,omitzero"`
	Dimension  string  `json:"x,omitzero"`
	Value      string  `json:"y,omitzero"`
	Figures    Figures `json:"-"`
}

// Changes returns by what the sums move when a donation that was old is now;
// either is nil where there is none. Taken off and added again, each cell of
// [Donation.AddTo] moves by just as much.
func Changes(old, now *Donation, zone *time.Location) []Change {
	moved := map[Change]Figures{}
	turned := int64(0)
	for _, one := range [...]struct {
		*Donation
		sign int64
	}{{old, -1}, {now, 1}} {
		if one.Donation == nil {
			continue
		}
		turned = one.Turned // the later one's, where there is one
		c := one.change(zone)
		moved[c] = moved[c].Plus(one.figures(), one.sign)
		for _, b := range one.Elsewhere {
			c.Settlement = b.Currency
			moved[c] = moved[c].Plus(Figures{Fee: b.Fee, Net: b.Net}, one.sign)
		}
	}
	var all []Change
	for c, by := range moved {
		if by != (Figures{}) {
			c.Turned, c.Figures = turned, by
			all = append(all, c)
		}
	}
	return all
}

func (d *Donation) change(zone *time.Location) Change {
	return Change{
		Key: d.Key, Day: Day(d.Created, zone), Currency: d.Currency, Settlement: d.Settled.Currency,
		Article: d.Article, Placement: d.Placement, Campaign: d.Campaign, Variant: d.Variant, Country: d.Country,
		Interval: string(d.Interval), Tier: d.Tier,
	}
}

// Cell returns the cell of a dimension that the change moves, by the day; ok is
// false where it moves none of that dimension.
func (c *Change) Cell(dimension string) (cell Cell, ok bool) {
	cell = Cell{dimension, c.Day, c.Value, c.Currency, c.Settlement}
	if c.Dimension != "" {
		return cell, c.Dimension == dimension
	}
	d := Donation{Country: c.Country, Interval: Interval(c.Interval), Attribution: Attribution{
		Article: c.Article, Placement: c.Placement, Campaign: c.Campaign, Variant: c.Variant, Tier: c.Tier,
	}}
	for _, v := range d.values() {
		if v[0] == dimension {
			cell.Value = v[1]
			return cell, true
		}
	}
	return cell, false
}
