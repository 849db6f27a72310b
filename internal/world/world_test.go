package world

import (
	"encoding/json"
	"errors"
	"fmt"
	"go/parser"
	"go/token"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/stripe/stripe-go/v76"

	"github.com/united24media/support/internal/testenv"
)

// many plays n stories from seed.
func many(seed uint64, n int, o Options) *World {
	tapes := make([]Tape, n)
	for i := range tapes {
		tapes[i] = Seeded(seed<<16+uint64(i), 200)
	}
	return Many(tapes, Seeded(seed, 100), o)
}

func TestImportsNothingOfTheProduct(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("*.go")
	if err != nil || len(files) == 0 {
		t.Fatalf("no files: %v", err)
	}
	for _, name := range files {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		for _, spec := range file.Imports {
			if strings.Contains(spec.Path.Value, "united24media/support/internal/") &&
				!strings.HasSuffix(spec.Path.Value, `/testenv"`) {
				t.Errorf("%s imports %s: the book must be kept without the product", name, spec.Path.Value)
			}
		}
	}
}

func TestEmptyTapeIsTheSimplestGift(t *testing.T) {
	t.Parallel()
	w := OneGift(nil, Options{})
	want := Donation{
		Gross: 100, Currency: "EUR", Settlement: "EUR", Fee: 27, Net: 73, Day: "2024-01-01",
		Created: Begin + 12*hour + minute, Article: "frontline", Placement: "mid", Country: "UA",
		Interval: "once", Attribution: "signed", Supporter: "ann.@example.org",
	}
	for _, got := range w.AfterFetches.Donations {
		if got != want {
			t.Errorf("donation:%s", members(want, got))
		}
	}
	if len(w.AfterFetches.Donations) != 1 {
		t.Errorf("%d donations, want 1", len(w.AfterFetches.Donations))
	}
	var types []string
	for _, e := range w.Events {
		types = append(types, e.Type)
	}
	if want := []string{"charge.succeeded", "checkout.session.completed"}; !slices.Equal(types, want) {
		t.Errorf("events %v, want %v", types, want)
	}
}

func TestOneSeedIsOneWorld(t *testing.T) {
	t.Parallel()
	a, b := many(7, 30, Options{Murky: true}), many(7, 30, Options{Murky: true})
	if !reflect.DeepEqual(a.Events, b.Events) || !reflect.DeepEqual(a.AfterFetches, b.AfterFetches) {
		t.Error("two plays of the same tapes differ")
	}
	if !reflect.DeepEqual(a.Sweep(), b.Sweep()) {
		t.Error("two sweeps of the same world differ")
	}
}

// TestDecodes reads every event and answer with Stripe's own library.
func TestDecodes(t *testing.T) {
	t.Parallel()
	for seed := range uint64(20) {
		w := many(seed, 30, Options{Murky: true})
		for _, e := range w.Events {
			var event stripe.Event
			if err := json.Unmarshal(e.Body, &event); err != nil {
				t.Fatalf("%s: %v", e.Body, err)
			}
			if event.APIVersion != stripe.APIVersion || event.ID != e.ID || string(event.Type) != e.Type ||
				event.Created != e.Created || event.Livemode {
				t.Fatalf("envelope of %s does not say what Event says", e.Body)
			}
			decodeObject(t, event.Data.Raw)
		}
		for _, answer := range w.Sweep() {
			for _, object := range answer.Objects {
				decodeObject(t, object)
			}
		}
	}
}

func decodeObject(t *testing.T, raw json.RawMessage) {
	t.Helper()
	var head struct{ Object string }
	if err := json.Unmarshal(raw, &head); err != nil {
		t.Fatalf("%s: %v", raw, err)
	}
	into := map[string]any{
		"charge": &stripe.Charge{}, "payment_intent": &stripe.PaymentIntent{}, "refund": &stripe.Refund{},
		"checkout.session": &stripe.CheckoutSession{}, "invoice": &stripe.Invoice{},
		"subscription": &stripe.Subscription{}, "dispute": &stripe.Dispute{}, "customer": &stripe.Customer{},
		"balance_transaction": &stripe.BalanceTransaction{}, "payout": &stripe.Payout{},
		"radar.early_fraud_warning": &stripe.RadarEarlyFraudWarning{},
	}[head.Object]
	if into == nil {
		t.Fatalf("object %q is not known", head.Object)
	}
	if err := json.Unmarshal(raw, into); err != nil {
		t.Fatalf("%s: %v", raw, err)
	}
}

// TestEveryCaseOccurs counts what a few thousand stories contain.
func TestEveryCaseOccurs(t *testing.T) {
	t.Parallel()
	seen := map[string]int{}
	for seed := range uint64(60) {
		look(many(seed, 40, Options{Murky: true}), seen)
	}
	for _, want := range strings.Fields(`
		checkout.session.completed checkout.session.async_payment_succeeded checkout.session.expired
		checkout.session.async_payment_failed charge.succeeded charge.failed charge.pending charge.updated
		charge.captured charge.expired charge.refunded charge.refund.updated refund.created refund.updated
		payment_intent.payment_failed charge.dispute.created charge.dispute.updated charge.dispute.closed
		charge.dispute.funds_withdrawn charge.dispute.funds_reinstated invoice.paid invoice.payment_failed
		invoice.finalized invoice.voided invoice.marked_uncollectible customer.subscription.created
		customer.subscription.updated customer.subscription.deleted customer.subscription.paused
		customer.subscription.resumed customer.updated customer.deleted payout.created payout.paid
		payout.failed payout.canceled radar.early_fraud_warning.created
		subscription=incomplete subscription=incomplete_expired subscription=trialing subscription=active
		subscription=past_due subscription=unpaid subscription=canceled subscription=paused
		refund=pending refund=succeeded refund=failed refund=canceled
		dispute=needs_response dispute=under_review dispute=won dispute=lost dispute=warning_closed
		dispute=warning_needs_response dispute-in-another-currency
		unsettled another-currency-besides refunded disputed overdrawn out-of-band yearly zero-decimal
		day-is-not-UTC's paused-collection past-due-member past-due-too-long two-gifts-by-one-person
		person-without-address payout-line=donation payout-line=refund payout-line=dispute payout-line=fee
		payout-line=foreign foreign-charge two-events-for-one-change unknown-member same-second`) {
		if seen[want] == 0 {
			t.Errorf("%s never occurs", want)
		}
	}
	if testing.Verbose() {
		for _, name := range slices.Sorted(maps.Keys(seen)) {
			t.Logf("%6d %s", seen[name], name)
		}
	}
}

// look counts the cases w contains.
func look(w *World, seen map[string]int) {
	bodies, seconds := map[string]bool{}, map[int64]string{}
	for _, e := range w.Events {
		seen[e.Type]++
		body := strings.ReplaceAll(string(e.Body), e.ID, "")
		if bodies[body] {
			seen["two-events-for-one-change"]++
		}
		bodies[body] = true
		if strings.Contains(body, "brand_new_member") {
			seen["unknown-member"]++
		}
		if other, found := seconds[e.Created]; found && other != e.Object {
			seen["same-second"]++
		}
		seconds[e.Created] = e.Object
	}
	for _, o := range w.account.objects {
		if status, ok := o.fields["status"].(string); ok {
			seen[o.kind+"="+status]++
		}
		key, _ := o.fields["payment_intent"].(string)
		if o.kind == "charge" && o.fields["status"] == "succeeded" && w.AfterFetches.Donations[key].Gross == 0 {
			seen["foreign-charge"]++
		}
	}
	lookAtGifts(w, seen)
	for _, m := range w.AfterFetches.Memberships {
		count(seen, "past-due-member", m.Status == "past_due" && m.Member)
		count(seen, "past-due-too-long", m.Status == "past_due" && !m.Member)
		count(seen, "yearly", m.Interval == "year")
	}
	for _, m := range w.account.members {
		count(seen, "paused-collection", m.paused)
	}
	for _, p := range w.AfterFetches.Payouts {
		for _, line := range p.Lines {
			seen["payout-line="+line.Kind]++
		}
	}
}

func lookAtGifts(w *World, seen map[string]int) {
	people := map[string]bool{}
	for key, d := range w.AfterFetches.Donations {
		count(seen, "unsettled", d.Settlement == "")
		count(seen, "another-currency-besides", d.Settlement != "" && d.Other != "")
		count(seen, "refunded", d.Refunded > 0)
		count(seen, "disputed", d.Disputed > 0)
		count(seen, "overdrawn", d.Gross-d.Refunded-d.Disputed < 0)
		count(seen, "out-of-band", strings.HasPrefix(key, "in_"))
		count(seen, "zero-decimal", d.Currency == "JPY")
		count(seen, "day-is-not-UTC's", d.Created/day != (d.Created+2*hour)/day)
		count(seen, "two-gifts-by-one-person", people[d.Supporter])
		count(seen, "person-without-address", !strings.Contains(d.Supporter, "@"))
		people[d.Supporter] = true
	}
	for _, g := range w.account.gifts {
		for _, dispute := range g.disputes {
			for _, t := range dispute.transactions {
				o := t.object.fields["source"]
				count(seen, "dispute-in-another-currency", inAnotherCurrency(w, o, g))
			}
		}
	}
}

func inAnotherCurrency(w *World, dispute any, g *gift) bool {
	for _, o := range w.account.objects {
		if o.id == dispute {
			return o.fields["currency"] != g.price.currency
		}
	}
	return false
}

func count(seen map[string]int, name string, is bool) {
	if is {
		seen[name]++
	}
}

// TestBookAddsUp checks the book against itself: each dimension's rows add up
// to the donations, and payouts to their lines.
func TestBookAddsUp(t *testing.T) {
	t.Parallel()
	for seed := range uint64(30) {
		w := many(seed, 40, Options{})
		for name, book := range map[string]Book{"events": w.AfterEvents, "fetches": w.AfterFetches} {
			t.Run(fmt.Sprint(seed, " ", name), func(t *testing.T) {
				t.Parallel()
				addsUp(t, book)
			})
		}
	}
}

func addsUp(t *testing.T, b Book) {
	byDimension := map[string]map[string]Sums{}
	for row, sums := range b.Daily {
		if byDimension[row.Dimension] == nil {
			byDimension[row.Dimension] = map[string]Sums{}
		}
		pair := row.Currency + " " + row.Settlement
		byDimension[row.Dimension][pair] = byDimension[row.Dimension][pair].Plus(sums)
	}
	for _, dimension := range dimensions {
		if !reflect.DeepEqual(byDimension[dimension], byDimension["all"]) {
			t.Errorf("%s adds up to %v, all to %v", dimension, byDimension[dimension], byDimension["all"])
		}
	}
	people, donations, firsts := map[string]bool{}, int64(0), int64(0)
	for _, d := range b.Donations {
		people[d.Supporter] = true
	}
	for _, sums := range byDimension["all"] {
		donations, firsts = donations+sums.Donations, firsts+sums.NewSupporters
	}
	if donations != int64(len(b.Donations)) || firsts != int64(len(people)) {
		t.Errorf("%d donations, %d new supporters in the sums; want %d, %d", donations, firsts, len(b.Donations), len(people))
	}
	for id, p := range b.Payouts {
		sum := int64(0)
		for _, line := range p.Lines {
			sum += line.Net
		}
		if p.Automatic && sum != p.Amount {
			t.Errorf("payout %s: lines add up to %d of %d", id, sum, p.Amount)
		}
	}
}

func TestDiff(t *testing.T) {
	t.Parallel()
	w := many(3, 20, Options{})
	if lines := w.AfterFetches.Diff(w.AfterFetches); lines != nil {
		t.Errorf("a book differs from itself: %v", lines)
	}
	if lines := w.AfterFetches.Diff(w.AfterEvents); lines == nil {
		t.Error("an unsettled book does not differ from a settled one")
	}
	other := w.AfterFetches
	other.Donations = maps.Clone(other.Donations)
	for key, d := range other.Donations {
		d.Supporter = "same people under other names: " + d.Supporter
		other.Donations[key] = d
	}
	other.Memberships = maps.Clone(other.Memberships)
	for id, m := range other.Memberships {
		m.Person = "same people under other names: " + m.Person
		other.Memberships[id] = m
	}
	if lines := w.AfterFetches.Diff(other); lines != nil {
		t.Errorf("renaming people is a difference: %v", lines)
	}
	for key, d := range other.Donations {
		d.Gross++
		other.Donations[key] = d
		break
	}
	if lines := w.AfterFetches.Diff(other); len(lines) != 1 || !strings.Contains(lines[0], "Gross got") {
		t.Errorf("one donation's gross differs, got %v", lines)
	}
}

func TestDeliveries(t *testing.T) {
	t.Parallel()
	w, r := many(5, 40, Options{}), rand.New(rand.NewPCG(1, 2))
	if n := len(Shuffled(w.Events, r)); n <= len(w.Events) {
		t.Errorf("%d deliveries of %d events: none is repeated", n, len(w.Events))
	}
	left := w.Lose(1./3, r)
	if lost := len(w.Events) - len(left); lost < len(w.Events)/4 || lost > len(w.Events)/2 {
		t.Errorf("%d of %d events are lost, want about a third", lost, len(w.Events))
	}
	of := map[string]int{}
	for _, answer := range w.Sweep() {
		if len(answer.Objects) == 0 || answer.AsOf <= End {
			t.Errorf("answer %s of %q as of %d has %d objects", answer.Type, answer.Of, answer.AsOf, len(answer.Objects))
		}
		of[answer.Type] += len(answer.Objects)
	}
	if of["charge"] == 0 || of["subscription"] == 0 || of["balance_transaction"] == 0 {
		t.Errorf("the sweep found %v", of)
	}
	if early := w.Glimpse(Begin + 100*day); len(early) == 0 || len(early) >= len(w.Sweep()) {
		t.Errorf("a glimpse of the first days has %d answers", len(early))
	}
}

// TestShapes compares what each kind of object has at the top with Stripe's own
// example of it: present, absent, and of which JSON type.
func TestShapes(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(testenv.StripeObjects(t), "stripe-openapi", "v938", "objects")
	// What Stripe's examples lack or have by being made up, and an event does
	// not: a charge's refunds are not told at this version, an unknown member
	// is ours, the failure of a refund is absent until it fails.
	excused := map[string]bool{
		"charge.refunds": true, "charge.balance_transaction": true, "refund.failure_balance_transaction": true, "refund.failure_reason": true,
	}
	seen := map[string]bool{}
	for seed := range uint64(10) {
		for _, answer := range many(seed, 30, Options{}).Sweep() {
			for _, object := range answer.Objects {
				seen[answer.Type] = true
				for _, line := range unlike(t, filepath.Join(folder, answer.Type+".json"), answer.Type, object) {
					if name, _, _ := strings.Cut(line, ":"); !excused[name] {
						t.Fatalf("%s\n%s", line, object)
					}
				}
			}
		}
	}
	if len(seen) < 11 {
		t.Errorf("only %v were compared", seen)
	}
}

// unlike names the members of object that Stripe's example has otherwise.
func unlike(t *testing.T, example, kind string, object json.RawMessage) []string {
	t.Helper()
	var want, got map[string]any
	text, err := os.ReadFile(example)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(json.Unmarshal(text, &want), json.Unmarshal(object, &got)); err != nil {
		t.Fatal(err)
	}
	if got["deleted"] == true {
		return nil
	}
	delete(got, "brand_new_member")
	var lines []string
	for name, value := range got {
		other, found := want[name]
		switch {
		case !found:
			lines = append(lines, kind+"."+name+": Stripe's example has none")
		case value != nil && other != nil && reflect.TypeOf(value) != reflect.TypeOf(other):
			lines = append(lines, fmt.Sprintf("%s.%s: is a %T, in Stripe's example a %T", kind, name, value, other))
		}
	}
	for name := range want {
		if _, found := got[name]; !found {
			lines = append(lines, kind+"."+name+": is missing")
		}
	}
	return lines
}

func BenchmarkMany(b *testing.B) {
	seed := uint64(0)
	for b.Loop() {
		many(seed, 20, Options{})
		seed++
	}
}
