package reports_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/united24media/support/internal/giving"
	"github.com/united24media/support/internal/reports"
	"github.com/united24media/support/internal/sandbox"
	"github.com/united24media/support/internal/store"
	"github.com/united24media/support/internal/stripeapi"
)

// TestAttention lets each kind of thing happen that needs a hand, one after the
// other, and each time something like it that does not.
func TestAttention(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, o *office) {
		look := func() reports.Attention {
			t.Helper()
			a, err := o.Attention(t.Context())
			ok(t, err)
			return a
		}
		if a := look(); !a.Nothing() {
			t.Errorf("before anything: %+v", a)
		}
		var keys, charges []string
		for range 4 {
			key, charge := o.give(1000, "EUR")
			keys, charges = append(keys, key), append(charges, charge)
			o.advance(time.Minute)
		}
		if a := look(); !a.Nothing() {
			t.Errorf("after gifts: %+v", a)
		}

		// Disputes: open ones and inquiries, of ours, the most urgent first.
		open, err := o.box.Dispute(charges[1], sandbox.Complaint{Reason: "fraudulent"})
		ok(t, err)
		lost, err := o.box.Dispute(charges[2], sandbox.Complaint{})
		ok(t, err)
		o.advance(time.Hour)
		inquiry, err := o.box.Dispute(charges[3], sandbox.Complaint{Inquiry: true})
		ok(t, err)
		ok(t, o.box.CloseDispute(lost, "lost", false))
		foreign, err := o.box.ForeignCharge(5000, "eur", "shop@example.org")
		ok(t, err)
		_, err = o.box.Dispute(foreign, sandbox.Complaint{})
		ok(t, err)
		o.box.DeliverAll(t.Context())
		a := look()
		if len(a.Disputes) != 2 || a.Disputes[0].ID != open || a.Disputes[1].ID != inquiry {
			t.Fatalf("disputes: %+v", a.Disputes)
		}
		if d := a.Disputes[0]; d.Donation != keys[1] || d.Amount != 1000 || d.Currency != "EUR" || d.Reason != "fraudulent" || !d.DueBy.After(d.Created) {
			t.Errorf("%+v", d)
		}
		ok(t, o.box.CloseDispute(open, "won", false))
		o.box.DeliverAll(t.Context())
		if a := look(); len(a.Disputes) != 1 || a.Disputes[0].ID != inquiry {
			t.Errorf("after one was won: %+v", a.Disputes)
		}

		// Payouts: that failed, and not long ago.
		o.give(50_000, "EUR") // or there is nothing to pay out
		o.advance(10 * day)
		payout := o.all(stripeapi.PathPayouts, nil)[0]["id"].(string)
		if a := look(); len(a.Payouts) != 0 {
			t.Errorf("a payout that arrived: %+v", a.Payouts)
		}
		ok(t, o.box.FailPayout(payout))
		o.box.DeliverAll(t.Context())
		if a := look(); len(a.Payouts) != 1 || a.Payouts[0].ID != payout || a.Payouts[0].Currency != "EUR" || a.Payouts[0].Amount <= 0 {
			t.Errorf("a payout that failed: %+v", a.Payouts)
		}

		// Memberships whose payment fails, the oldest first.
		var memberships []*giving.Membership
		for i, status := range []string{"active", "past_due", "unpaid", "canceled", "past_due"} {
			memberships = append(memberships, &giving.Membership{
				Subscription: fmt.Sprint("sub_", i), Status: status, Currency: "EUR", Amount: 500, Interval: giving.Month, Created: o.box.Now().Unix() + int64(i),
			})
		}
		ok(t, o.store.Ledger(t.Context(), func(tx *store.Tx) error { return tx.PutMemberships(t.Context(), memberships) }))
		if a := look(); a.Failing != 3 || len(a.Oldest) != 3 || a.Oldest[0].Subscription != "sub_1" {
			t.Errorf("failing memberships: %d, %+v", a.Failing, a.Oldest)
		}

		// Events that can't be understood.
		ok(t, o.book.Deliver(t.Context(), []byte(`{"id":"evt_odd","object":"event","api_version":"2023-10-16","created":1767787200,"livemode":false,
			"type":"charge.succeeded","data":{"object":{"id":"ch_odd","object":"charge","amount":1000,"created":"soon","metadata":{"support_v":"1"}}}}`)))
		if a := look(); a.Parked != 1 {
			t.Errorf("%d parked events, want 1", a.Parked)
		}

		// Differences that stay, found in the last month.
		now := o.box.Now()
		ok(t, o.store.PutDifferences(t.Context(), []store.Difference{
			{ID: "a", Ref: "donation/pi_1", Found: now.Add(-time.Hour)}, {ID: "b", Ref: "donation/pi_2", Found: now.Add(-time.Hour), Repaired: true},
			{ID: "c", Ref: "donation/pi_3", Found: now.Add(-32 * day)},
		}))
		if a := look(); a.Differences != 1 {
			t.Errorf("%d differences, want 1", a.Differences)
		}

		// Silence.
		health, err := json.Marshal(map[string]any{"silent": true, "newest_event": now})
		ok(t, err)
		ok(t, o.store.PutFact(t.Context(), "health", string(health)))
		if a := look(); !a.Silent || !a.NewestEvent.Equal(now) {
			t.Errorf("silent is %v since %s", a.Silent, a.NewestEvent)
		}

		// A payout that failed long ago was seen to.
		o.advance(61 * day)
		if a := look(); len(a.Payouts) != 0 || a.Differences != 0 {
			t.Errorf("two months later: %+v, %d differences", a.Payouts, a.Differences)
		}
	})
}

// TestFunnelSignals compares what became of articles' and variants' readers
// with what was counted, over days, months and both.
func TestFunnelSignals(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, o *office) {
		type signal struct {
			day                        string
			article, placement, varied string
			kind                       string
			times                      int64
		}
		signals := []signal{
			{"2026-01-31", "troops", "mid", "control", "seen", 100}, {"2026-01-31", "troops", "mid", "stand", "seen", 90},
			{"2026-01-31", "troops", "mid", "stand", "clicked", 9}, {"2026-01-31", "troops", "mid", "stand", "closed", 1},
			{"2026-02-01", "troops", "end", "control", "seen", 40}, {"2026-02-28", "troops", "mid", "control", "seen", 30},
			{"2026-02-28", "troops", "mid", "control", "checkout", 3}, {"2026-02-28", "choir", "mid", "stand", "seen", 500},
			{"2026-03-01", "troops", "mid", "stand", "seen", 7}, {"2026-03-01", "troops", "mid", "stand", "clicked", 2},
		}
		var rows []store.Signal
		for _, s := range signals {
			at, err := time.Parse(time.DateOnly, s.day)
			ok(t, err)
			rows = append(rows, store.Signal{Day: giving.Day(at.Unix(), time.UTC), Article: s.article, Placement: s.placement, Variant: s.varied, Kind: s.kind, Times: s.times})
		}
		ok(t, o.store.AddSignals(t.Context(), rows))
		gift := &giving.Donation{Key: "pi_1", Created: time.Date(2026, 2, 14, 12, 0, 0, 0, time.UTC).Unix(), Currency: "EUR", Gross: 1000, Interval: giving.Once,
			First: true, Attribution: giving.Attribution{Article: "troops", Placement: "mid", Variant: "control"}}
		cells := giving.Cells{}
		gift.AddTo(cells, 1, time.UTC)
		ok(t, o.store.Ledger(t.Context(), func(tx *store.Tx) error { return tx.MoveSums(t.Context(), cells) }))

		periods := [][2]string{{"2026-01-31", "2026-03-02"}, {"2026-02-01", "2026-03-01"}, {"2026-01-01", "2026-04-01"}, {"2026-02-28", "2026-03-02"}, {"2026-02-02", "2026-02-28"}}
		for _, days := range periods {
			from, err := time.Parse(time.DateOnly, days[0])
			ok(t, err)
			to, err := time.Parse(time.DateOnly, days[1])
			ok(t, err)
			counted := func(fits func(signal) bool) map[string]int64 {
				sum := map[string]int64{}
				for _, s := range signals {
					if s.day >= days[0] && s.day < days[1] && fits(s) {
						sum[s.kind] += s.times
					}
				}
				return sum
			}
			compare := func(f reports.Funnel, want map[string]int64, paid bool) {
				t.Helper()
				won := int64(0)
				if paid && days[0] <= "2026-02-14" && "2026-02-14" < days[1] {
					won = 1
				}
				if f.Seen != want["seen"] || f.Clicked != want["clicked"] || f.Checkouts != want["checkout"] || f.Paid != won || f.Kept != won {
					t.Errorf("%s from %s to %s: %+v; counted were %v and %d paid", f.Key, days[0], days[1], f, want, won)
				}
			}
			for _, article := range []string{"troops", "choir", "nobody's"} {
				f, err := o.Article(t.Context(), article, from, to)
				ok(t, err)
				compare(f, counted(func(s signal) bool { return s.article == article }), article == "troops")
			}
			ranked, _, err := o.Articles(t.Context(), reports.ArticleQuery{From: from, To: to, By: "seen"})
			ok(t, err)
			for i, f := range ranked {
				compare(f, counted(func(s signal) bool { return s.article == f.Key }), f.Key == "troops")
				if i > 0 && ranked[i-1].Seen < f.Seen {
					t.Errorf("%s is ranked before %s", ranked[i-1].Key, f.Key)
				}
			}
			for _, placement := range []string{"", "mid", "end"} {
				out, err := o.Experiment(t.Context(), reports.ExperimentQuery{Variants: []string{"control", "stand"}, Placement: placement, From: from, To: to})
				ok(t, err)
				for _, v := range out.Variants {
					compare(v.Funnel, counted(func(s signal) bool { return s.varied == v.Key && (placement == "" || s.placement == placement) }),
						v.Key == "control" && placement != "end")
				}
			}
		}
	})
}
