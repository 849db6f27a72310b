package objects

import (
	"reflect"
	"testing"

	"pgregory.net/rapid"
)

var kinds = []Kind{
	KindCharge, KindIntent, KindInvoice, KindSubscription, KindSession, KindCustomer, KindRefund, KindDispute,
	KindTransaction, KindPayout, KindWarning, KindOffline, KindAdopted, KindCorrection,
}

// The words that statuses and other texts are drawn from: every rank's, some
// that none knows, and none.
var words = func() []string {
	all := []string{"", "", "a", "b", "unheard_of", "won", "lost"}
	for _, r := range []rank{chargeRank, refundRank, intentRank, invoiceRank, sessionRank, paymentRank, payoutRank} {
		all = append(all, r...)
	}
	return all
}()

// draw fills v with values from so small a domain that ties are common.
func draw(t *rapid.T, v reflect.Value) {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			draw(t, v.Field(i))
		}
	case reflect.String:
		if v.Type() == reflect.TypeFor[History]() {
			v.SetString(string(drawHistory(t)))
			return
		}
		v.SetString(rapid.SampledFrom(words).Draw(t, "text"))
	case reflect.Int64, reflect.Int8:
		v.SetInt(rapid.Int64Range(-2, 3).Draw(t, "number"))
	case reflect.Bool:
		v.SetBool(rapid.Bool().Draw(t, "truth"))
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		for range rapid.IntRange(0, 2).Draw(t, "entries") {
			value := reflect.New(v.Type().Elem()).Elem()
			if draw(t, value); value.Kind() == reflect.Bool {
				value.SetBool(true)
			}
			v.SetMapIndex(reflect.ValueOf(rapid.SampledFrom([]string{"x", "y"}).Draw(t, "key")), value)
		}
	default:
		t.Fatalf("a register has a field of kind %s", v.Kind())
	}
}

// drawHistory joins a few sights, of two months, to a history.
func drawHistory(t *rapid.T) (h History) {
	for range rapid.IntRange(0, 3).Draw(t, "sights") {
		at := Stamp{At: rapid.SampledFrom([]int64{1, 2, 3, 40 * 86400}).Draw(t, "at"), By: By(rapid.IntRange(1, 3).Draw(t, "by"))}
		h.join(historyOf([]sight{sightOf(at, &SubState{
			Status: rapid.SampledFrom([]string{"active", "past_due", "canceled"}).Draw(t, "status"), Amount: rapid.Int64Range(1, 2).Draw(t, "amount"),
		})}))
	}
	return h
}

func joined(t *rapid.T, kind Kind, registers ...Register) string {
	sum := Empty(kind)
	for _, r := range registers {
		copied, err := DecodeRegister(kind, Encode(r)) // a join must not share with what it joined
		if err != nil {
			t.Fatal(err)
		}
		sum.Join(copied)
	}
	return Encode(sum)
}

// TestJoinIsASemilattice is why the order and number of deliveries can't
// matter.
func TestJoinIsASemilattice(t *testing.T) {
	t.Parallel()
	for _, kind := range kinds {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			rapid.Check(t, func(t *rapid.T) {
				var r [3]Register
				for i := range r {
					r[i] = Empty(kind)
					draw(t, reflect.ValueOf(r[i]).Elem())
				}
				forth := joined(t, kind, r[0], r[1], r[2])
				for _, other := range [][]Register{{r[2], r[1], r[0]}, {r[1], r[0], r[2]}, {r[0], r[1], r[2], r[1], r[0]}} {
					if got := joined(t, kind, other...); got != forth {
						t.Fatalf("in another order or twice:\n%s\nwant\n%s", got, forth)
					}
				}
				half := Empty(kind)
				half.Join(r[1])
				half.Join(r[2])
				if got := joined(t, kind, r[0], half); got != forth {
					t.Fatalf("with the last two joined first:\n%s\nwant\n%s", got, forth)
				}
			})
		})
	}
}

// TestRanks has each status above those before it, and all above what is not
// known yet.
func TestRanks(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		r      rank
		rising []string
	}{
		"charge":         {chargeRank, []string{"", "reviewing", "pending", "failed", "succeeded"}},
		"refund":         {refundRank, []string{"", "reviewing", "requires_action", "pending", "succeeded", "canceled", "failed"}},
		"PaymentIntent":  {intentRank, []string{"", "processing", "requires_action", "canceled", "succeeded"}},
		"invoice":        {invoiceRank, []string{"", "reviewing", "draft", "open", "uncollectible", "void", "paid"}},
		"session":        {sessionRank, []string{"", "reviewing", "open", "expired", "complete"}},
		"payment status": {paymentRank, []string{"", "waiting", "unpaid", "no_payment_required", "paid"}},
		"payout":         {payoutRank, []string{"", "reviewing", "pending", "in_transit", "paid", "canceled", "failed"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for i, low := range tt.rising {
				for _, high := range tt.rising[i:] {
					if a, b := tt.r.higher(low, high), tt.r.higher(high, low); a != high || b != high {
						t.Errorf("between %q and %q: %q and %q, want %q", low, high, a, b, high)
					}
				}
			}
		})
	}
}

func TestLatestIsTheLastSaid(t *testing.T) {
	t.Parallel()
	at := func(at int64, by By, final bool, value string) Latest[ChargeOutcome] {
		return Latest[ChargeOutcome]{Stamp{Final: final, At: at, By: by}, ChargeOutcome{value}}
	}
	tests := map[string]struct{ earlier, later Latest[ChargeOutcome] }{
		"by time":                            {at(5, ByEvent, false, "z"), at(6, ByCreation, false, "a")},
		"an event over an answer, same time": {at(5, ByAnswer, false, "z"), at(5, ByEvent, false, "a")},
		"creation first, at the same time":   {at(5, ByCreation, false, "incomplete"), at(5, ByEvent, false, "active")},
		"creation before an answer":          {at(5, ByCreation, false, "z"), at(5, ByAnswer, false, "a")},
		"a final state over a later one":     {at(9, ByEvent, false, "z"), at(5, ByAnswer, true, "a")},
		"two of one second, by value":        {at(5, ByEvent, false, "a"), at(5, ByEvent, false, "b")},
		"anything over nothing":              {Latest[ChargeOutcome]{}, at(1, ByCreation, false, "")},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, pair := range [][2]Latest[ChargeOutcome]{{tt.earlier, tt.later}, {tt.later, tt.earlier}} {
				if pair[0].join(&pair[1]); pair[0] != tt.later {
					t.Errorf("got %+v, want %+v", pair[0], tt.later)
				}
			}
		})
	}
}

// TestAPaymentThatSucceededWasNotCanceled: whichever of the two is heard first.
func TestAPaymentThatSucceededWasNotCanceled(t *testing.T) {
	t.Parallel()
	for _, order := range [][2]string{{"canceled", "succeeded"}, {"succeeded", "canceled"}} {
		i := &Intent{Status: order[0]}
		if i.Join(&Intent{Status: order[1]}); i.Status != "succeeded" {
			t.Errorf("%v comes to %s", order, i.Status)
		}
	}
}
