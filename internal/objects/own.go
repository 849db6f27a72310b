package objects

import (
	"fmt"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/united24media/support/internal/giving"
)

// kindFact is the `object` of a fact of our own, kept where snapshots are: a
// register that has seen one thing, and the object it is about.
const kindFact Kind = "fact"

// Fact returns the stored form of a fact about an object: an import, or what
// an answer of Stripe's says beyond the objects in it (that a list was whole,
// which payout a transaction belongs to). [Decode] reads it.
func Fact(about Ref, r Register) []byte {
	return encode(struct {
		Object   Kind     `json:"object"`
		About    Ref      `json:"id"`
		Register Register `json:"register"`
	}{kindFact, about, r})
}

func decodeFact(fact []byte) ([]Said, error) {
	var f struct {
		About    Ref            `json:"id"`
		Register jsontext.Value `json:"register"`
	}
	if err := json.Unmarshal(fact, &f); err != nil {
		return nil, fmt.Errorf("read a fact: %w", err)
	}
	r, err := DecodeRegister(f.About.Kind(), string(f.Register))
	if err != nil {
		return nil, err
	}
	return []Said{say(f.About, r)}, nil
}

// An Offline gift reached us outside Stripe: by bank transfer or in cash. It is
// a fact of our own, said once by an import.
type Offline struct {
	Gift Latest[OfflineGift] `json:"gift,omitzero"`
}

// An OfflineGift is one imported row.
type OfflineGift struct {
	Received int64              `json:"received"` // seconds since 1970
	Currency string             `json:"currency"` // upper case
	Amount   int64              `json:"amount"`   // minor units
	Refunded int64              `json:"refunded,omitzero"`
	Email    string             `json:"email,omitzero"`
	Name     string             `json:"name,omitzero"`
	Country  string             `json:"country,omitzero"`
	Method   string             `json:"method,omitzero"`
	Interval giving.Interval    `json:"interval,omitzero"`
	Won      giving.Attribution `json:"won,omitzero"`
}

// Join implements [Register].
func (o *Offline) Join(other Register) { o.Gift.join(other.(*Offline).Gift) }

// Links implements [Register].
func (o *Offline) Links() []Ref { return nil }

// Reach implements [Register].
func (o *Offline) Reach() string { return "" }

// An Adopted mark makes a Stripe object of an earlier system ours, with the
// attribution that is known of it.
type Adopted struct {
	Object Ref                        `json:"object"`
	Won    Latest[giving.Attribution] `json:"won,omitzero"`
}

// Join implements [Register].
func (a *Adopted) Join(other Register) {
	o := other.(*Adopted)
	a.Object = max(a.Object, o.Object)
	a.Won.join(o.Won)
}

// Links implements [Register].
func (a *Adopted) Links() []Ref { return refs(a.Object) }

// Reach implements [Register].
func (a *Adopted) Reach() string { return "" }

// A Correction is what staff say won a gift or a membership, whatever its
// metadata says. One of a subscription holds for all its gifts that have none
// of their own.
type Correction struct {
	Object Ref               `json:"object"` // a PaymentIntent, charge, invoice, subscription or offline gift
	Won    Latest[Corrected] `json:"won,omitzero"`
}

// Corrected is where a gift was won; "" is nowhere known.
type Corrected struct {
	Article   string `json:"article,omitzero"`
	Placement string `json:"placement,omitzero"`
	Campaign  string `json:"campaign,omitzero"`
}

// Correct returns the stored form of a correction. Of two the later one holds,
// to the microsecond.
func Correct(object Ref, to Corrected, at time.Time) []byte {
	return Fact(NewRef(KindCorrection, string(object)), &Correction{
		Object: object, Won: Latest[Corrected]{Stamp{At: at.UnixMicro()}, to},
	})
}

// Join implements [Register].
func (c *Correction) Join(other Register) {
	o := other.(*Correction)
	c.Object = max(c.Object, o.Object)
	c.Won.join(o.Won)
}

// Links implements [Register].
func (c *Correction) Links() []Ref { return refs(c.Object) }

// Reach implements [Register].
func (c *Correction) Reach() string { return "" }

// corrected replaces what staff corrected of a gift or membership, by the first
// of several objects that has a correction.
func (g *Graph) corrected(won giving.Attribution, places ...Ref) giving.Attribution {
	for _, ref := range places {
		for _, id := range g.naming(ref, KindCorrection) {
			if c := find[*Correction](g, KindCorrection, id); c != nil {
				to := c.Won.Value
				won.Article, won.Placement, won.Campaign = to.Article, to.Placement, to.Campaign
				return won
			}
		}
	}
	return won
}
