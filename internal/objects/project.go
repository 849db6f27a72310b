package objects

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/united24media/support/internal/giving"
	"github.com/united24media/support/internal/money"
)

// The keys of our metadata on Stripe's objects. [MarkKey] makes one ours.
const (
	MarkKey   = "support_v"
	MarkValue = "1"
)

// attribution reads our metadata; ours is false where it is not marked.
func attribution(metadata Words) (won giving.Attribution, ours bool) {
	if metadata[MarkKey] != MarkValue {
		return giving.Attribution{}, false
	}
	return giving.Attribution{
		Checkout: metadata["checkout"], Article: metadata["article"], Placement: metadata["placement"],
		Campaign: metadata["campaign"], Variant: metadata["variant"], Locale: metadata["locale"],
		Tier: metadata["tier"], Status: metadata["attribution"],
		UTMSource: metadata["utm_source"], UTMMedium: metadata["utm_medium"], UTMCampaign: metadata["utm_campaign"],
	}, true
}

// Marked reports whether an object carries our mark itself.
func Marked(r Register) bool {
	metadata := Words(nil)
	switch r := r.(type) {
	case *Charge:
		metadata = r.Metadata.Value
	case *Intent:
		metadata = r.Metadata.Value
	case *Session:
		metadata = r.Metadata.Value
	case *Subscription:
		metadata = r.Metadata.Value
	case *Invoice:
		_, ours := attribution(r.Inherited.Value)
		return ours
	}
	_, ours := attribution(metadata)
	return ours
}

// Donation returns the donation that a root of [Graph.Roots] is, or nil if it
// is none: no money was received, it is not ours, or another root is its key.
// It is right once nothing is missing.
func (g *Graph) Donation(root Ref) *giving.Donation {
	switch root.Kind() {
	case KindOffline:
		return g.offline(root)
	case KindIntent:
		return g.payment(root, g.chargesOf(root.ID()))
	case KindCharge:
		c := find[*Charge](g, KindCharge, root.ID())
		if c == nil || c.Intent != "" { // then its intent is the key
			return nil
		}
		return g.payment(root, map[string]*Charge{root.ID(): c})
	case KindInvoice:
		return g.outOfBand(root)
	}
	return nil
}

// chargesOf returns the charges of a PaymentIntent by id. A link alone makes
// none: it may have been denied since.
func (g *Graph) chargesOf(intent string) map[string]*Charge {
	charges := map[string]*Charge{}
	for _, id := range g.naming(NewRef(KindIntent, intent), KindCharge) {
		if c := find[*Charge](g, KindCharge, id); c != nil && c.Intent == intent {
			charges[id] = c
		}
	}
	return charges
}

// received reports whether a charge took money.
func (c *Charge) received() bool { return c.Status == "succeeded" && c.Captured > 0 }

// payment projects the charges under one key. Failed attempts among them give
// their links but no money.
func (g *Graph) payment(root Ref, charges map[string]*Charge) *giving.Donation {
	paid := slices.DeleteFunc(slices.Sorted(maps.Keys(charges)), func(id string) bool { return !charges[id].received() })
	if len(paid) == 0 {
		return nil
	}
	slices.SortStableFunc(paid, func(a, b string) int { return cmp.Compare(charges[a].Created, charges[b].Created) })
	first := charges[paid[0]]
	o := g.origin(paid, first)
	won, ours := o.attribution()
	if !ours {
		return nil
	}
	payer := first.Payer.Value
	d := &giving.Donation{
		Key: root.ID(), Charge: paid[0], Invoice: o.invoiceID, Subscription: o.subscriptionID(), Customer: o.customer(),
		Email: cmp.Or(o.email(), payer.Email), Name: cmp.Or(payer.Name, o.name()),
		Country: upper(cmp.Or(payer.Country, payer.CardCountry)), Method: payer.Method, Source: "stripe",
		Created: first.Created, Interval: o.interval(), Currency: upper(first.Currency), Attribution: won,
		Renewal: o.renews(), Turned: first.Created,
	}
	g.setSupporter(root, d)
	for i, id := range paid {
		if i > 0 {
			root = "" // what names no charge belongs to the first
		}
		g.addMoney(d, root, id, charges[id])
	}
	return d
}

// setSupporter says who gave: one who was erased has nothing else.
func (g *Graph) setSupporter(root Ref, d *giving.Donation) {
	erased := g.erased(root, NewRef(KindSubscription, d.Subscription), NewRef(KindCustomer, d.Customer))
	if erased != "" {
		d.Supporter, d.Email, d.Name = erased, "", ""
		return
	}
	d.Supporter = giving.SupporterKey(d.Email, d.Customer, d.Key)
}

// addMoney adds one charge with its refunds, disputes and balance transactions.
func (g *Graph) addMoney(d *giving.Donation, root Ref, id string, c *Charge) {
	b := newBooks(g)
	charged := b.charged(id, c)
	refunded := int64(0)
	for _, r := range g.refunds(root, id) {
		if r.Counts() {
			refunded += r.Amount
			d.Turned = max(d.Turned, r.Created)
		}
		b.add(r.Transaction)
		b.add(r.FailureTransaction)
	}
	// Until the refunds were listed after the charge was last seen there may be
	// some that we have not heard of.
	if c.RefundsListed < c.RefundedAt && c.Refunded > refunded {
		refunded = c.Refunded
		d.Turned = max(d.Turned, c.RefundedAt)
	}
	d.Gross += c.Captured
	d.Refunded += refunded
	for dispute, p := range g.disputes(root, id) {
		d.Turned = max(d.Turned, p.Created)
		for t := range p.Transactions {
			b.add(t)
		}
		b.addSource(NewRef(KindDispute, dispute))
		if p.Takes() {
			amount := g.taken(p, c, charged)
			d.Disputed += amount
			if p.State.Value.Status == "lost" {
				d.Lost += amount
			}
		}
	}
	if charged != nil {
		b.settle(d, upper(charged.Currency))
	}
}

// refunds returns the refunds of a charge; one that names no charge belongs to
// its PaymentIntent's.
func (g *Graph) refunds(root Ref, charge string) []*Refund {
	var found []*Refund
	for _, ref := range []Ref{NewRef(KindCharge, charge), root} {
		for _, id := range g.naming(ref, KindRefund) {
			r := find[*Refund](g, KindRefund, id)
			if r != nil && (r.Charge == charge || r.Charge == "") && !slices.Contains(found, r) {
				found = append(found, r)
			}
		}
	}
	return found
}

func (g *Graph) disputes(root Ref, charge string) map[string]*Dispute {
	var found map[string]*Dispute
	for _, ref := range []Ref{NewRef(KindCharge, charge), root} {
		for _, id := range g.naming(ref, KindDispute) {
			p := find[*Dispute](g, KindDispute, id)
			if p != nil && (p.Charge == charge || p.Charge == "") {
				if found == nil {
					found = map[string]*Dispute{}
				}
				found[id] = p
			}
		}
	}
	return found
}

// taken returns what a dispute holds back, in the charge's currency. A dispute
// in another currency takes the share of the gross that its withdrawal is of
// the charge's own balance transaction; all of it while that can't be told.
func (g *Graph) taken(p *Dispute, c *Charge, charged *Transaction) int64 {
	if p.Currency == c.Currency {
		return p.Amount
	}
	for _, id := range slices.Sorted(maps.Keys(p.Transactions)) {
		t := find[*Transaction](g, KindTransaction, id)
		if t != nil && charged != nil && t.Amount < 0 && t.Currency == charged.Currency {
			return money.Share(c.Captured, -t.Amount, charged.Amount)
		}
	}
	return c.Captured
}

// books sums balance transactions, each once.
type books struct {
	g    *Graph
	seen map[string]bool
	sums map[string]giving.Balance // by currency
}

func newBooks(g *Graph) *books { return &books{g, map[string]bool{}, map[string]giving.Balance{}} }

func (b *books) add(id string) *Transaction {
	t := find[*Transaction](b.g, KindTransaction, id)
	if t == nil || t.Created == 0 || b.seen[id] {
		return t
	}
	b.seen[id] = true
	sum := b.sums[upper(t.Currency)]
	b.sums[upper(t.Currency)] = giving.Balance{Fee: sum.Fee + t.Fee, Net: sum.Net + t.Net}
	return t
}

// addSource adds the transactions that say they come from an object.
func (b *books) addSource(source Ref) {
	for _, id := range b.g.naming(source, KindTransaction) {
		b.add(id)
	}
}

// charged adds a charge's own balance transaction and returns it, or nil while
// it is not known. The charge may name it late: then the transaction names the
// charge.
func (b *books) charged(id string, c *Charge) *Transaction {
	if t := b.add(c.Transaction); t != nil && t.Created != 0 {
		return t
	}
	for _, name := range b.g.naming(NewRef(KindCharge, id), KindTransaction) {
		t := find[*Transaction](b.g, KindTransaction, name)
		if t != nil && (t.Type == "charge" || t.Type == "payment") {
			return b.add(name)
		}
	}
	return nil
}

// settle adds the sums to a donation that settles in a currency.
func (b *books) settle(d *giving.Donation, currency string) {
	if d.Settled.Currency == "" {
		d.Settled.Currency = currency
	}
	for _, code := range slices.Sorted(maps.Keys(b.sums)) {
		sum := b.sums[code]
		if code == d.Settled.Currency {
			d.Settled.Fee += sum.Fee
			d.Settled.Net += sum.Net
			continue
		}
		at, found := slices.BinarySearchFunc(d.Elsewhere, code, func(e giving.Balance, code string) int { return cmp.Compare(e.Currency, code) })
		if !found {
			d.Elsewhere = slices.Insert(d.Elsewhere, at, giving.Balance{Currency: code})
		}
		d.Elsewhere[at].Fee += sum.Fee
		d.Elsewhere[at].Net += sum.Net
	}
}

// outOfBand projects an invoice that was paid outside Stripe. Money that
// Stripe took for it is another root's.
func (g *Graph) outOfBand(root Ref) *giving.Donation {
	i := find[*Invoice](g, KindInvoice, root.ID())
	if i == nil || !i.OutOfBand || i.Status != "paid" || i.Paid == 0 {
		return nil
	}
	charges := g.chargesOf(i.Intent)
	for _, id := range append(g.naming(root, KindCharge), i.Charge) {
		if c := find[*Charge](g, KindCharge, id); c != nil && (c.Invoice == root.ID() || id == i.Charge) {
			charges[id] = c
		}
	}
	for _, c := range charges {
		if c.received() {
			return nil
		}
	}
	o := g.originOfInvoice(root.ID())
	won, ours := o.attribution()
	if !ours {
		return nil
	}
	d := &giving.Donation{
		Key: root.ID(), Invoice: root.ID(), Subscription: o.subscriptionID(), Customer: o.customer(), Email: o.email(),
		Name: o.name(), Method: "out_of_band", Source: "stripe", Created: cmp.Or(i.PaidAt, i.Created),
		Interval: o.interval(), Currency: upper(i.Currency), Gross: i.Paid, Attribution: won, Renewal: o.renews(),
	}
	d.Turned = d.Created
	g.setSupporter(root, d)
	return d
}

func (g *Graph) offline(root Ref) *giving.Donation {
	o := find[*Offline](g, KindOffline, root.ID())
	if o == nil || o.Gift.Value.Amount <= 0 {
		return nil
	}
	gift := o.Gift.Value
	d := &giving.Donation{
		Key: root.ID(), Email: gift.Email, Name: gift.Name, Country: upper(gift.Country), Method: gift.Method,
		Source: "offline", Created: gift.Received, Interval: cmp.Or(gift.Interval, giving.Once), Currency: upper(gift.Currency),
		Gross: gift.Amount, Refunded: gift.Refunded, Attribution: g.corrected(gift.Won, root), Turned: gift.Received,
	}
	g.setSupporter(root, d)
	return d
}

// Membership returns the membership that a subscription is at an instant
// (seconds since 1970), or nil if it is not ours. grace is how long a past-due
// one counts. It is right once nothing is missing.
func (g *Graph) Membership(root Ref, now int64, grace time.Duration) *giving.Membership {
	s := find[*Subscription](g, KindSubscription, root.ID())
	if s == nil || s.Created == 0 {
		return nil
	}
	o := g.originOfSubscription(root.ID())
	won, ours := o.attribution()
	if !ours {
		return nil
	}
	state := s.State.Value
	m := &giving.Membership{
		Subscription: root.ID(), Customer: o.customer(), Email: o.email(), Status: state.Status, Created: s.Created,
		Ended: state.Ended, PeriodEnd: state.PeriodEnd, CancelAtEnd: state.CancelAtEnd, Currency: upper(state.Currency),
		Amount: state.Amount, Interval: giving.Interval(state.Interval), Attribution: won,
	}
	if erased := g.erased(root, NewRef(KindCustomer, m.Customer)); erased != "" {
		m.Supporter, m.Email = erased, ""
	} else {
		m.Supporter = giving.SupporterKey(m.Email, m.Customer, m.Subscription)
	}
	switch state.being() {
	case counts:
		m.Live = true
	case owing:
		m.LiveUntil = g.owedSince(root, s) + int64(grace/time.Second)
		m.Live = now < m.LiveUntil
	}
	m.Steps = s.steps(int64(grace/time.Second), m.LiveUntil)
	return m
}

// owedSince returns when a past-due subscription's oldest open invoice was
// created, or when it was said to be past due if none is known.
func (g *Graph) owedSince(root Ref, s *Subscription) int64 {
	since := int64(0)
	for _, id := range g.naming(root, KindInvoice) {
		i := find[*Invoice](g, KindInvoice, id)
		if i != nil && i.Subscription == root.ID() && i.Status == "open" && (since == 0 || i.Created < since) {
			since = i.Created
		}
	}
	return cmp.Or(since, s.State.At)
}

// RootOf returns the object that a donation is projected from.
func RootOf(d *giving.Donation) Ref {
	switch d.Key {
	case d.Charge:
		return NewRef(KindCharge, d.Key)
	case d.Invoice:
		return NewRef(KindInvoice, d.Key)
	}
	if d.Source == "offline" {
		return NewRef(KindOffline, d.Key)
	}
	return NewRef(KindIntent, d.Key)
}
