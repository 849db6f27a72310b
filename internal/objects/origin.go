package objects

import (
	"cmp"
	"slices"

	"github.com/united24media/support/internal/giving"
)

// An origin is where a payment came from: every object that may say whose it
// is and what won it, nearest first.
type origin struct {
	g         *Graph
	payment   []Ref // its PaymentIntent and charges
	intentID  string
	invoiceID string
	charge    *Charge
	intent    *Intent
	invoice   *Invoice
	sub       *Subscription
	subID     string
	sessions  []*Session
	adopted   []*Adopted
}

// origin collects what leads to a payment.
func (g *Graph) origin(charges []string, first *Charge) *origin {
	o := &origin{g: g, charge: first, intentID: first.Intent}
	o.intent = find[*Intent](g, KindIntent, o.intentID)
	o.invoiceID = first.Invoice
	if o.invoiceID == "" && o.intent != nil {
		o.invoiceID = o.intent.Invoice
	}
	if o.invoiceID == "" {
		o.invoiceID = g.firstNaming(KindInvoice, append(chargeRefs(charges), NewRef(KindIntent, o.intentID)))
	}
	o.addInvoice()
	o.addSessions(NewRef(KindIntent, o.intentID))
	o.payment = append(chargeRefs(charges), NewRef(KindIntent, o.intentID))
	o.addAdopted(o.payment...)
	return o
}

func (g *Graph) originOfInvoice(id string) *origin {
	o := &origin{g: g, invoiceID: id}
	o.addInvoice()
	return o
}

func (g *Graph) originOfSubscription(id string) *origin {
	o := &origin{g: g, subID: id}
	o.addSubscription()
	return o
}

func chargeRefs(ids []string) []Ref {
	var found []Ref
	for _, id := range ids {
		found = append(found, NewRef(KindCharge, id))
	}
	return found
}

// firstNaming returns the id of an object of a kind that names one of several.
func (g *Graph) firstNaming(kind Kind, of []Ref) string {
	for _, ref := range of {
		if ids := g.naming(ref, kind); len(ids) > 0 {
			return ids[0]
		}
	}
	return ""
}

func (o *origin) addInvoice() {
	ref := NewRef(KindInvoice, o.invoiceID)
	o.invoice = find[*Invoice](o.g, KindInvoice, o.invoiceID)
	o.addSessions(ref)
	o.addAdopted(ref)
	if o.invoice != nil {
		o.subID = o.invoice.Subscription
		o.addSubscription()
	}
}

func (o *origin) addSubscription() {
	ref := NewRef(KindSubscription, o.subID)
	o.sub = find[*Subscription](o.g, KindSubscription, o.subID)
	o.addSessions(ref)
	o.addAdopted(ref)
}

// addSessions adds the sessions that lead to an object, earliest first.
func (o *origin) addSessions(ref Ref) {
	for _, id := range o.g.naming(ref, KindSession) {
		s := find[*Session](o.g, KindSession, id)
		if s != nil && s.leadsTo(ref.ID()) {
			o.sessions = append(o.sessions, s)
			o.addAdopted(NewRef(KindSession, id))
		}
	}
	slices.SortStableFunc(o.sessions, func(a, b *Session) int { return cmp.Compare(a.Created, b.Created) })
}

// leadsTo reports whether a session is what an object was paid or begun by.
func (s *Session) leadsTo(id string) bool {
	return s.Intent == id || s.Invoice == id || s.Subscription == id
}

func (o *origin) addAdopted(of ...Ref) {
	for _, ref := range of {
		for _, id := range o.g.naming(ref, KindAdopted) {
			if a := find[*Adopted](o.g, KindAdopted, id); a != nil {
				o.adopted = append(o.adopted, a)
			}
		}
	}
}

// attribution returns what won the gift: what staff corrected, and else what
// the nearest marked object says. ours is false where none is marked or
// adopted.
func (o *origin) attribution() (won giving.Attribution, ours bool) {
	if won, ours = o.said(); !ours {
		return won, false
	}
	places := append(slices.Clone(o.payment), NewRef(KindInvoice, o.invoiceID), NewRef(KindSubscription, o.subID))
	return o.g.corrected(won, places...), true
}

func (o *origin) said() (won giving.Attribution, ours bool) {
	for _, metadata := range o.metadata() {
		if won, ours := attribution(metadata); ours {
			return won, true
		}
	}
	for _, a := range o.adopted {
		return a.Won.Value, true
	}
	return giving.Attribution{}, false
}

func (o *origin) metadata() []Words {
	var said []Words
	if o.charge != nil {
		said = append(said, o.charge.Metadata.Value)
	}
	if o.intent != nil {
		said = append(said, o.intent.Metadata.Value)
	}
	if o.invoice != nil {
		said = append(said, o.invoice.Inherited.Value, o.invoice.Metadata.Value)
	}
	if o.sub != nil {
		said = append(said, o.sub.Metadata.Value)
	}
	for _, s := range o.sessions {
		said = append(said, s.Metadata.Value)
	}
	return said
}

func (o *origin) subscriptionID() string { return o.subID }

// customer returns the Stripe customer, as the nearest object names it.
func (o *origin) customer() string {
	id := ""
	if o.charge != nil {
		id = o.charge.Customer
	}
	if o.intent != nil {
		id = cmp.Or(id, o.intent.Customer)
	}
	if o.invoice != nil {
		id = cmp.Or(id, o.invoice.Customer)
	}
	if o.sub != nil {
		id = cmp.Or(id, o.sub.Customer)
	}
	for _, s := range o.sessions {
		id = cmp.Or(id, s.Customer)
	}
	return id
}

// email returns the customer's newest known address, else the session's.
func (o *origin) email() string {
	if c := find[*Customer](o.g, KindCustomer, o.customer()); c != nil && c.Contact.Value.Email != "" {
		return c.Contact.Value.Email
	}
	for _, s := range o.sessions {
		if s.Donor.Value.Email != "" {
			return s.Donor.Value.Email
		}
	}
	return ""
}

func (o *origin) name() string {
	for _, s := range o.sessions {
		if s.Donor.Value.Name != "" {
			return s.Donor.Value.Name
		}
	}
	if c := find[*Customer](o.g, KindCustomer, o.customer()); c != nil {
		return c.Contact.Value.Name
	}
	return ""
}

// renews reports whether the payment is a later one of a membership: its bill
// was made neither with the subscription nor by hand.
func (o *origin) renews() bool {
	return o.invoice != nil && o.invoice.Subscription != "" &&
		o.invoice.Reason != "subscription_create" && o.invoice.Reason != "manual" && o.invoice.Reason != ""
}

// interval returns how often the gift repeats: as its invoice was billed, else
// as its subscription is now. While the invoice is unknown so is the interval.
func (o *origin) interval() giving.Interval {
	switch {
	case o.invoiceID == "":
		return giving.Once
	case o.invoice == nil:
		return ""
	case o.invoice.Subscription == "":
		return giving.Once
	case o.invoice.Interval != "":
		return giving.Interval(o.invoice.Interval)
	case o.sub != nil:
		return giving.Interval(o.sub.State.Value.Interval)
	}
	return ""
}
