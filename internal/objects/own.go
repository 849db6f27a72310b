package objects

import (
	"bytes"
	"fmt"
	"time"

	"github.com/united24media/support/internal/giving"
)

// kindFact is the `object` of a fact of our own, kept where snapshots are: a
// register that has seen one thing, and the object it is about.
const kindFact Kind = "fact"

// A fact is the stored form of one.
type fact struct {
	about    Ref
	register string // its JSON
}

func (x *fact) fields(f *form) {
	object := string(kindFact)
	f.always().text("object", &object)
	f.always().text("id", (*string)(&x.about))
	f.json("register", &x.register)
}

// Fact returns the stored form of a fact about an object: an import, or what
// an answer of Stripe's says beyond the objects in it (that a list was whole,
// which payout a transaction belongs to). [Decode] reads it.
func Fact(about Ref, r Register) []byte {
	f := write(&fact{about, Encode(r)})
	defer forms.Put(f)
	return bytes.Clone(f.out)
}

func decodeFact(body []byte) ([]Said, error) {
	var said fact
	if err := read(string(body), &said); err != nil {
		return nil, fmt.Errorf("read a fact: %w", err)
	}
	r, err := DecodeRegister(said.about.Kind(), said.register)
	if err != nil {
		return nil, err
	}
	return []Said{say(said.about, r)}, nil
}

// An Offline gift reached us outside Stripe: by bank transfer or in cash. It is
// a fact of our own, said once by an import.
type Offline struct {
	Gift Latest[OfflineGift]
}

func (o *Offline) fields(f *form) {
	f.object("gift", &o.Gift)
}

// An OfflineGift is one imported row.
type OfflineGift struct {
	Received int64  // seconds since 1970
	Currency string // upper case
	Amount   int64  // minor units
	Refunded int64
	Email    string
	Name     string
	Country  string
	Method   string
	Interval giving.Interval
	Won      giving.Attribution
}

func (o *OfflineGift) fields(f *form) {
	f.always().number("received", &o.Received)
	f.always().text("currency", &o.Currency)
	f.always().number("amount", &o.Amount)
	f.number("refunded", &o.Refunded)
	f.text("email", &o.Email)
	f.text("name", &o.Name)
	f.text("country", &o.Country)
	f.text("method", &o.Method)
	f.text("interval", (*string)(&o.Interval))
	f.object("won", (*attributed)(&o.Won))
}

// Join implements [Register].
func (o *Offline) Join(other Register) { o.Gift.join(&other.(*Offline).Gift) }

// Links implements [Register].
func (o *Offline) Links() []Ref { return nil }

// Reach implements [Register].
func (o *Offline) Reach() string { return "" }

// attributed is an attribution in a register.
type attributed giving.Attribution

func (a *attributed) fields(f *form) {
	f.text("checkout", &a.Checkout)
	f.text("article", &a.Article)
	f.text("placement", &a.Placement)
	f.text("campaign", &a.Campaign)
	f.text("variant", &a.Variant)
	f.text("locale", &a.Locale)
	f.text("tier", &a.Tier)
	f.text("attribution", &a.Status)
	f.text("utm_source", &a.UTMSource)
	f.text("utm_medium", &a.UTMMedium)
	f.text("utm_campaign", &a.UTMCampaign)
}

// An Adopted mark makes a Stripe object of an earlier system ours, with the
// attribution that is known of it.
type Adopted struct {
	Object Ref
	Won    Latest[giving.Attribution]
}

func (a *Adopted) fields(f *form) {
	f.always().text("object", (*string)(&a.Object))
	f.object("won", &a.Won)
}

// Join implements [Register].
func (a *Adopted) Join(other Register) {
	o := other.(*Adopted)
	a.Object = max(a.Object, o.Object)
	a.Won.join(&o.Won)
}

// Links implements [Register].
func (a *Adopted) Links() []Ref { return refs(a.Object) }

// Reach implements [Register].
func (a *Adopted) Reach() string { return "" }

// A Correction is what staff say won a gift or a membership, whatever its
// metadata says. One of a subscription holds for all its gifts that have none
// of their own.
type Correction struct {
	Object Ref // a PaymentIntent, charge, invoice, subscription or offline gift
	Won    Latest[Corrected]
}

func (c *Correction) fields(f *form) {
	f.always().text("object", (*string)(&c.Object))
	f.object("won", &c.Won)
}

// Corrected is where a gift was won; "" is nowhere known.
type Corrected struct {
	Article   string
	Placement string
	Campaign  string
}

func (c *Corrected) fields(f *form) {
	f.text("article", &c.Article)
	f.text("placement", &c.Placement)
	f.text("campaign", &c.Campaign)
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
	c.Won.join(&o.Won)
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
