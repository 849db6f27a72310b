package world

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// Grace is how long a past-due member still counts, from the oldest open
// invoice: the product's default.
const Grace = 336 * time.Hour

// A Book is what a ledger must hold. Amounts are minor units, currencies upper
// case, days those of Europe/Kyiv.
type Book struct {
	Donations   map[string]Donation // by key
	Memberships map[string]Membership
	Scopes      map[string]Scope  // those that are not empty: "all", "article:X", "campaign:Y"
	Daily       map[Row]Sums      // rows that are not all zero
	Payouts     map[string]Payout // nil after events alone, which do not tell the lines
	Moves       map[Move]Moved    // rows that are not zero; promised only of a calm world whose events all came
}

// A Donation is money received.
type Donation struct {
	Gross, Refunded, Disputed, Lost int64
	Currency                        string
	Settlement                      string // empty while not settled
	Fee, Net                        int64  // in Settlement; 0 while not settled
	Other                           string // fee and net in yet another currency, as "USD 1500/-6500", sorted, joined by spaces
	Day                             string // such as 2026-01-31
	Created                         int64  // Unix seconds
	Article, Placement, Campaign    string
	Variant, Country, Interval      string
	Tier, Attribution               string
	Supporter                       string // a person's key; only whether two are equal has a meaning
}

// A Membership is a subscription of ours, ended or not.
type Membership struct {
	Status   string // Stripe's
	Member   bool   // at End
	Interval string
	Amount   int64
	Currency string
	Article  string
	Campaign string
	Person   string // as a donation's Supporter
}

// A Scope is the public count of one.
type Scope struct{ Supporters, Members int }

// A Row names daily sums.
type Row struct {
	Dimension, Value     string
	Day                  string
	Currency, Settlement string
}

// Sums are what a row adds up.
type Sums struct {
	Donations, NewSupporters  int64
	Won, Kept                 int64 // no renewals, and those of which something is left
	Gross, Refunded, Disputed int64
	Fee, Net                  int64
}

// A Payout is one deposit. Lines of a manual one are unknown.
type Payout struct {
	Status, Currency string
	Amount           int64
	Automatic        bool
	Lines            map[string]Line // by balance transaction
}

// A Line is one balance transaction of a payout. Kind is donation, refund,
// dispute, fee or foreign.
type Line struct {
	Kind     string
	Donation string // its key, or empty
	Net      int64  // minor units of the payout's currency
}

// Dimensions are what daily sums are kept by, besides the day alone, which is
// the dimension "all" with an empty value.
var dimensions = []string{
	"all", "article", "placement", "campaign", "variant", "country", "interval", "tier",
	"article/placement", "campaign/placement", "placement/variant",
}

// Pair is the value of a pair of dimensions.
func Pair(a, b string) string { return a + "\x1f" + b }

// book adds up the facts: those that events gave away, or all of them.
func (a *account) book(eventsOnly bool) Book {
	b := Book{
		Donations: map[string]Donation{}, Memberships: map[string]Membership{}, Scopes: map[string]Scope{},
		Daily: map[Row]Sums{}, Payouts: map[string]Payout{},
	}
	for _, g := range a.gifts {
		b.Donations[g.key] = g.donation(eventsOnly)
	}
	for _, m := range a.members {
		b.Memberships[m.id] = m.membership(eventsOnly)
	}
	b.Moves = moves(a.members)
	b.count()
	b.addUp(a.gifts, eventsOnly)
	if eventsOnly {
		b.Payouts = nil
		return b
	}
	for _, p := range a.payouts {
		b.Payouts[p.object.id] = p.payout()
	}
	return b
}

// donation is g as the book has it.
func (g *gift) donation(eventsOnly bool) Donation {
	d := Donation{
		Gross: g.price.amount, Currency: strings.ToUpper(g.price.currency), Created: g.created,
		Day: Day(g.created), Article: g.origin.article, Placement: g.origin.placement,
		Campaign: g.origin.campaign, Variant: g.origin.variant, Tier: g.origin.tier,
		Attribution: g.origin.attribution, Country: g.country, Interval: g.interval,
		Supporter: cmp.Or(g.donor.address(eventsOnly), g.key),
		Refunded:  g.refunded(eventsOnly),
	}
	for _, dispute := range g.disputes {
		if takes(dispute.status) {
			d.Disputed += dispute.taken
		}
		if dispute.status == "lost" {
			d.Lost += dispute.taken
		}
	}
	sums := g.feesAndNets(eventsOnly)
	if sums != nil {
		d.Settlement = strings.ToUpper(g.settled.currency)
		d.Fee, d.Net = sums[d.Settlement].Fee, sums[d.Settlement].Net
	}
	d.Other = others(sums, d.Settlement)
	return d
}

// refunded is what the refunds of g take. Who was told of it by events alone,
// and never saw the list of its refunds, takes the larger of the refunds they
// know and the charge's newest amount_refunded.
func (g *gift) refunded(eventsOnly bool) int64 {
	if !eventsOnly {
		return g.outstanding()
	}
	told := int64(0)
	for _, r := range g.refunds {
		if stands(r.toldStatus) {
			told += r.amount
		}
	}
	return max(told, g.toldRefunded)
}

// feesAndNets sums the transactions of g by currency in upper case. While its
// charge is not settled g stands whole under no settlement currency: nil. No
// event tells that a charge is.
func (g *gift) feesAndNets(eventsOnly bool) map[string]Sums {
	if g.settled == nil || eventsOnly {
		return nil
	}
	sums := map[string]Sums{}
	add := func(t *transaction) {
		sum := sums[strings.ToUpper(t.currency)]
		sum.Fee += t.fee
		sum.Net += t.net
		sums[strings.ToUpper(t.currency)] = sum
	}
	add(g.settled)
	for _, r := range g.refunds {
		for _, t := range r.transactions {
			add(t)
		}
	}
	for _, d := range g.disputes {
		for _, t := range d.transactions {
			add(t)
		}
	}
	return sums
}

// address is the person's key: the customer's newest known e-mail address,
// else the session's, else the card's, without case; else the customer; else
// empty.
func (d donor) address(eventsOnly bool) string {
	address := cmp.Or(d.customer.mail(eventsOnly), d.email, d.card)
	if address == "" && d.customer != nil {
		return d.customer.object.id
	}
	return strings.ToLower(address)
}

// mail is the newest address known of c, if any. Lists do not tell that of a
// deleted customer.
func (c *customer) mail(eventsOnly bool) string {
	if c == nil {
		return ""
	}
	for _, m := range slices.Backward(c.mails) {
		if m.told || (!eventsOnly && !c.deleted) {
			return m.address
		}
	}
	return ""
}

func (m *member) membership(eventsOnly bool) Membership {
	oldest := End
	for _, created := range m.open {
		oldest = min(oldest, created)
	}
	member := m.status == "active" || m.status == "trialing" ||
		(m.status == "past_due" && End < oldest+int64(Grace/time.Second))
	return Membership{
		Status: m.status, Member: member && !m.paused, Interval: m.interval,
		Amount: m.price.amount, Currency: strings.ToUpper(m.price.currency),
		Article: m.origin.article, Campaign: m.origin.campaign, Person: m.donor.address(eventsOnly),
	}
}

// scopes returns where a gift or membership with that origin counts.
func scopes(article, campaign string) []string {
	names := []string{"all"}
	if article != "" {
		names = append(names, "article:"+article)
	}
	if campaign != "" {
		names = append(names, "campaign:"+campaign)
	}
	return names
}

// count counts people: supporters with a donation that is live, and members.
func (b *Book) count() {
	type seen struct{ scope, person string }
	supporters, members := map[seen]bool{}, map[seen]bool{}
	for _, d := range b.Donations {
		for _, scope := range scopes(d.Article, d.Campaign) {
			if d.Gross-d.Refunded-d.Lost > 0 {
				supporters[seen{scope, d.Supporter}] = true
			}
		}
	}
	for _, m := range b.Memberships {
		for _, scope := range scopes(m.Article, m.Campaign) {
			if m.Member {
				members[seen{scope, m.Person}] = true
			}
		}
	}
	for s := range supporters {
		b.Scopes[s.scope] = Scope{b.Scopes[s.scope].Supporters + 1, b.Scopes[s.scope].Members}
	}
	for s := range members {
		b.Scopes[s.scope] = Scope{b.Scopes[s.scope].Supporters, b.Scopes[s.scope].Members + 1}
	}
}

// addUp fills the daily rows of every dimension.
func (b *Book) addUp(gifts []*gift, eventsOnly bool) {
	first := b.firsts()
	for _, g := range gifts {
		d := b.Donations[g.key]
		sums := Sums{
			Donations: 1, Gross: d.Gross, Refunded: d.Refunded, Disputed: d.Disputed, Fee: d.Fee, Net: d.Net,
		}
		if first[d.Supporter] == g.key {
			sums.NewSupporters = 1
		}
		if !g.renewal {
			sums.Won = 1
			if d.Gross-d.Refunded-d.Lost > 0 {
				sums.Kept = 1
			}
		}
		b.add(d, d.Settlement, sums)
		for currency, other := range g.feesAndNets(eventsOnly) {
			if currency != d.Settlement {
				b.add(d, currency, other)
			}
		}
	}
	for row, sums := range b.Daily {
		if sums == (Sums{}) {
			delete(b.Daily, row)
		}
	}
}

// firsts returns the key of each person's first donation.
func (b *Book) firsts() map[string]string {
	first := map[string]string{}
	for key, d := range b.Donations {
		known, any := first[d.Supporter]
		if !any || d.Created < b.Donations[known].Created || (d.Created == b.Donations[known].Created && key < known) {
			first[d.Supporter] = key
		}
	}
	return first
}

func (b *Book) add(d Donation, settlement string, add Sums) {
	values := []string{"", d.Article, d.Placement, d.Campaign, d.Variant, d.Country, d.Interval, d.Tier,
		Pair(d.Article, d.Placement), Pair(d.Campaign, d.Placement), Pair(d.Placement, d.Variant)}
	for i, dimension := range dimensions {
		row := Row{dimension, values[i], d.Day, d.Currency, settlement}
		b.Daily[row] = b.Daily[row].Plus(add)
	}
}

// Plus returns s and other added up.
func (s Sums) Plus(other Sums) Sums {
	return Sums{
		s.Donations + other.Donations, s.NewSupporters + other.NewSupporters, s.Won + other.Won, s.Kept + other.Kept, s.Gross + other.Gross,
		s.Refunded + other.Refunded, s.Disputed + other.Disputed, s.Fee + other.Fee, s.Net + other.Net,
	}
}

func (p *payout) payout() Payout {
	automatic, _ := p.object.fields["automatic"].(bool)
	out := Payout{
		Status: p.status, Currency: strings.ToUpper(p.currency()), Amount: p.amount, Automatic: automatic,
		Lines: map[string]Line{},
	}
	for _, t := range p.lines {
		line := Line{Kind: t.kind, Net: t.net}
		if t.gift != nil {
			line.Donation = t.gift.key
		}
		out.Lines[t.object.id] = line
	}
	return out
}

// kyiv is the time zone of the product's days.
var kyiv = func() *time.Location {
	zone, err := time.LoadLocation("Europe/Kyiv")
	if err != nil {
		panic(err) // it is embedded
	}
	return zone
}()

// Day returns the day in Kyiv of a moment in Unix seconds, such as 2026-01-31.
func Day(at int64) string { return time.Unix(at, 0).In(kyiv).Format(time.DateOnly) }
