package demo

import (
	"fmt"
	"strings"
	"time"

	"github.com/united24media/support/internal/giving"
	"github.com/united24media/support/internal/ledger"
	"github.com/united24media/support/internal/money"
	"github.com/united24media/support/internal/objects"
	"github.com/united24media/support/internal/offer"
	"github.com/united24media/support/internal/store"
)

// A teller tells the story day by day.
type teller struct {
	dice
	zone       *time.Location
	begin, end time.Time

	articles  []article
	people    []*person
	booked    []*transaction // lines of the balance
	told      []told
	signals   map[store.Signal]int64 // without Times
	checkouts []store.Checkout
	warnings  []Warning
	joined    []*person // who are members at the end
	contested bool      // a dispute is open at the end
	gifts     int
	members   int
}

// A told is one object as Stripe answered for it.
type told struct {
	at     int64 // Unix seconds
	object fields
	paid   []*transaction // what is inside it, or it alone: each is part of a payout
	failed bool           // a renewal could not be collected
}

// answers returns what the ledger is given: of each balance transaction in which
// payout it left, and then the object, so that nothing is left to be asked
// wherever the answers are divided.
func (o *told) answers() []Answer {
	at := time.Unix(o.at, 0).UTC()
	var all []Answer
	fact := func(kind objects.Kind, id string, r objects.Register) {
		all = append(all, Answer{Answer: ledger.Answer{Object: objects.Fact(objects.NewRef(kind, id), r), At: at}})
	}
	for _, t := range o.paid {
		if t.payout != "" {
			fact(objects.KindTransaction, t.id, &objects.Transaction{Payout: t.payout})
		}
	}
	if id, _ := o.object["id"].(string); o.object["object"] == "payout" { // all its lines are told
		fact(objects.KindPayout, id, &objects.Payout{Listed: o.at})
	}
	return append(all, Answer{ledger.Answer{Object: o.object.encode(), At: at}, o.failed})
}

// tell takes down how Stripe answers for an object at an instant.
func (t *teller) tell(at time.Time, object fields, paid ...*transaction) {
	t.told = append(t.told, told{at.Unix(), object, paid, false})
}

// fail takes down how Stripe answers for what is part of a renewal that could
// not be collected.
func (t *teller) fail(at time.Time, object fields) {
	t.told = append(t.told, told{at.Unix(), object, nil, true})
}

// What of a hundred readers does what, on an ordinary day.
const (
	seenPerPull   = 430.0 // times an ask is seen under an ordinary article on its first day
	clickedOfSeen = .011
	closedOfSeen  = .004
	openedOfClick = .52 // checkouts
	paidOfOpened  = .55
	withoutAsk    = .9 // gifts a day that no article won
	joinsTwice    = .006
)

// day plays a day: readers see asks, press them, open checkouts and pay.
func (t *teller) day(day time.Time) {
	season := t.season(day)
	for i := range t.articles {
		if seen := seenPerPull * season * t.articles[i].interest(day); seen > 1 {
			t.read(day, &t.articles[i], seen)
		}
	}
	for range t.times(withoutAsk * season) {
		w := giving.Attribution{
			Campaign: t.campaign(day), Status: "unverified",
			UTMSource: pick(t.dice, []weighted[string]{{"newsletter", 6}, {"instagram", 2}, {"x", 1}, {"", 3}}),
		}
		if w.UTMSource != "" {
			w.UTMMedium = map[string]string{"newsletter": "email"}[w.UTMSource]
			w.UTMCampaign = "weekly-" + day.Format("2006-01")
		}
		t.wish(day, w)
	}
}

// season is how a day compares with an ordinary one of the middle of the story:
// the outlet grows, weekends are quiet, late November and December give more.
func (t *teller) season(day time.Time) float64 {
	grown := .62 + .9*day.Sub(t.begin).Hours()/t.end.Sub(t.begin).Hours()
	switch day.Weekday() {
	case time.Saturday, time.Sunday:
		grown *= .74
	case time.Tuesday, time.Wednesday:
		grown *= 1.08
	}
	switch {
	case day.Month() == time.December || day.Month() == time.November && day.Day() >= 24:
		grown *= 1.45
	case day.Month() == time.February && day.Day() >= 22 && day.Day() <= 26:
		grown *= 2.1
	case day.Month() == time.July || day.Month() == time.August:
		grown *= .85
	}
	return grown
}

// trial is how long ago the experiment began.
const trial = 75 * 24 * time.Hour

// The variants of the experiment.
const (
	Control = "control"
	Variant = "stand"
)

// read plays an article's day.
func (t *teller) read(day time.Time, a *article, seen float64) {
	for _, placement := range []string{"mid", "end"} {
		// Fewer come to the end; those who do give more readily.
		share, click := 1.0, clickedOfSeen
		if placement == "end" {
			share, click = .42, 2.1*clickedOfSeen
		}
		if t.end.Sub(day) > trial {
			t.ask(day, giving.Attribution{Article: a.Slug, Placement: placement}, seen*share, click)
			continue
		}
		t.ask(day, giving.Attribution{Article: a.Slug, Placement: placement, Variant: Control}, seen*share/2, click)
		t.ask(day, giving.Attribution{Article: a.Slug, Placement: placement, Variant: Variant}, seen*share/2, 1.17*click)
	}
}

// ask plays one ask of a day.
func (t *teller) ask(day time.Time, won giving.Attribution, expected, click float64) {
	seen := t.times(expected)
	clicked := min(seen, t.times(expected*click))
	for kind, times := range map[string]int64{"seen": seen, "clicked": clicked, "closed": min(seen, t.share(seen, closedOfSeen))} {
		if times > 0 {
			t.signals[store.Signal{
				Day: giving.Day(day.Add(12*time.Hour).Unix(), t.zone), Article: won.Article, Placement: won.Placement, Variant: won.Variant, Kind: kind,
			}] += times
		}
	}
	won.Campaign, won.Status = t.campaign(day), "signed"
	for range clicked {
		if t.chance(openedOfClick) {
			t.wish(day, won)
		}
	}
}

// share is about how many of n that is; it throws no dice, since the order of
// a map must not decide a story.
func (t *teller) share(n int64, of float64) int64 { return int64(float64(n)*of + .5) }

// wish plays somebody who opens a checkout: now and then they pay.
func (t *teller) wish(day time.Time, won giving.Attribution) {
	at := day.Add(t.hour())
	p := t.someone()
	interval := pick(t.dice, []weighted[giving.Interval]{{giving.Once, 79}, {giving.Month, 17}, {giving.Year, 4}})
	if interval != giving.Once && len(t.joined) > 0 && t.chance(joinsTwice) {
		p = one(t.dice, t.joined)
	}
	amount := t.amount(p.currency, interval)
	won.Checkout, won.Locale = strings.ToLower(t.id("c")), p.lang
	pays := t.chance(paidOfOpened)
	if at.After(t.end.Add(-2 * time.Minute)) {
		return
	}
	c := store.Checkout{
		ID: won.Checkout, Attempt: "demo-" + won.Checkout, Digest: "demo", IdempotencyKey: "demo-" + won.Checkout,
		Status: store.CheckoutOpen, Session: t.id("cs_test"), URL: "https://checkout.stripe.com/c/pay/demo",
		Currency: p.currency, AmountMinor: amount, Interval: string(interval), Article: won.Article, Placement: won.Placement,
		Campaign: won.Campaign, Variant: won.Variant, Locale: won.Locale, Attribution: won.Status, UTM: "{}",
		CreatedAt: at, ExpiresAt: at.Add(24 * time.Hour), Day: giving.Day(at.Unix(), t.zone),
	}
	t.words(&c, p)
	t.checkouts = append(t.checkouts, c)
	if !pays {
		return
	}
	at = at.Add(time.Duration(t.between(40, 110)) * time.Second)
	if interval == giving.Once {
		t.visited(&c, at, p, won, t.once(at, p, won, amount))
		return
	}
	t.visited(&c, at, p, won, t.join(at, p, won, interval, amount))
}

// hour is a time of day: readers sleep.
func (t *teller) hour() time.Duration {
	h := pick(t.dice, []weighted[int64]{
		{0, 2}, {2, 1}, {6, 3}, {8, 7}, {10, 8}, {12, 9}, {14, 8}, {16, 9}, {18, 11}, {20, 12}, {22, 7},
	})
	return time.Duration(h)*time.Hour + time.Duration(t.between(0, 7199))*time.Second
}

// amount is what somebody gives, mostly one of what they are asked for.
func (t *teller) amount(currency string, interval giving.Interval) int64 {
	o, ok := offer.Get(currency, string(interval))
	if !ok {
		panic(fmt.Sprintf("demo: nothing is asked for in %s", currency))
	}
	if t.chance(.12) { // one of their own
		return max(o.Min, whole(o.Amounts[0]*t.between(1, 9)/2, currency))
	}
	return pick(t.dice, []weighted[int64]{
		{o.Amounts[0], 34}, {o.Default, 40}, {o.Amounts[1], 8}, {o.Amounts[2], 14}, {o.Amounts[len(o.Amounts)-1], 5},
	})
}

// unit is one euro, one yen: what a currency's amounts are whole numbers of, in
// minor units.
func unit(currency string) int64 {
	c, err := money.Lookup(currency)
	if err != nil {
		panic(fmt.Sprintf("demo: %v", err))
	}
	minor := int64(1)
	for range c.Digits {
		minor *= 10
	}
	return minor
}

// whole is an amount without what is less than a unit of its currency.
func whole(minor int64, currency string) int64 { return minor / unit(currency) * unit(currency) }

// someone is who gives: one in six has given before.
func (t *teller) someone() *person {
	if n := len(t.people); n > 50 && t.chance(.17) {
		if p := t.people[t.r.IntN(n)]; p.customer == "" {
			return p
		}
	}
	p := &person{country: pick(t.dice, countries)}
	first, last := one(t.dice, given[p.lang]), one(t.dice, family[p.lang])
	p.name = first + " " + last
	p.email = fmt.Sprintf("%s.%s.%d@example.org", plain(first), plain(last), len(t.people)+1)
	t.people = append(t.people, p)
	return p
}

// plain is a name as it stands in an address.
func plain(name string) string {
	return strings.NewReplacer("í", "i", "è", "e", "é", "e", "ł", "l", "ó", "o").Replace(strings.ToLower(name))
}
