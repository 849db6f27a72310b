package ledger_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/united24media/support/internal/ledger"
	"github.com/united24media/support/internal/objects"
	"github.com/united24media/support/internal/store"
)

// TestWhatIsUnusualIsStored: whatever Stripe signs is stored and answered 200.
// What it becomes, whether it is booked and what is asked of Stripe then is
// here, case by case.
func TestWhatIsUnusualIsStored(t *testing.T) {
	t.Parallel()
	gift := charge("ch_1", "pi_1", marked, 1000, 0)
	foreign := charge("ch_1", "pi_1", `{}`, 1000, 0)
	const nobodys = `{"id":"re_1","object":"refund","created":1769850000,"amount":500,"currency":"eur","status":"succeeded","charge":null,"payment_intent":null}`
	event := func(kind, version, livemode, object string) string {
		return fmt.Sprintf(`{"id":"evt_1","object":"event","type":%q,"api_version":%s,"livemode":%s,"created":1769850000,"brand_new":[1],
			"data":{"object":%s,"previous_attributes":null}}`, kind, version, livemode, object)
	}
	const ours, test = `"2023-10-16"`, "false"
	tests := map[string]struct {
		body  string
		state string
		says  string // of the reason
		gifts int
		asked string // of Stripe
		both  bool   // on both databases
	}{
		"a gift":                 {event("charge.succeeded", ours, test, gift), store.Applied, "", 1, "transactions/1769850000", true},
		"unknown fields":         {event("charge.succeeded", ours, test, strings.Replace(gift, `"customer":null`, `"customer":null,"brand_new":{"a":[1]}`, 1)), store.Applied, "", 1, "transactions/1769850000", false},
		"an unknown status":      {event("charge.succeeded", ours, test, strings.Replace(gift, `"succeeded"`, `"reviewing"`, 1)), store.Applied, "", 0, "", false},
		"an unknown type of it":  {event("charge.glorified", ours, test, gift), store.Applied, "", 1, "transactions/1769850000", false},
		"an unknown object":      {event("gift.received", ours, test, `{"id":"gift_1","object":"gift"}`), store.Ignored, "nothing is kept of a gift", 0, "", false},
		"a foreign charge":       {event("charge.succeeded", ours, test, foreign), store.Foreign, "", 0, "", false},
		"another mark":           {event("charge.succeeded", ours, test, strings.Replace(gift, `"support_v":"1"`, `"support_v":"2"`, 1)), store.Foreign, "", 0, "", false},
		"of the other livemode":  {event("charge.succeeded", ours, "true", gift), store.Ignored, "livemode is true", 0, "", false},
		"of a later version":     {event("charge.succeeded", `"2024-10-28.acacia"`, test, gift), store.Ignored, "2024-10-28.acacia", 0, "charge/ch_1", false},
		"of an earlier version":  {event("charge.succeeded", `"2020-08-27"`, test, gift), store.Ignored, "2020-08-27", 0, "charge/ch_1", false},
		"of no version":          {event("charge.succeeded", "null", test, gift), store.Ignored, "2023-10-16", 0, "charge/ch_1", false},
		"without data":           {`{"id":"evt_1","object":"event","api_version":"2023-10-16","data":null}`, store.Parked, "no data.object", 0, "", false},
		"without an object":      {`{"id":"evt_1","object":"event","api_version":"2023-10-16","data":{}}`, store.Parked, "no data.object", 0, "", false},
		"an object of null":      {event("charge.succeeded", ours, test, "null"), store.Ignored, "no id", 0, "", false},
		"an object without name": {event("invoice.upcoming", ours, test, `{"object":"invoice","amount_due":5}`), store.Ignored, "no id", 0, "", false},
		"an amount as text":      {event("charge.succeeded", ours, test, strings.Replace(gift, `"amount_captured":1000`, `"amount_captured":"1000"`, 1)), store.Parked, "charge", 0, "", false},
		"a NUL in a name":        {event("charge.succeeded", ours, test, strings.Replace(gift, `"Olena"`, `"O\u0000lena"`, 1)), store.Applied, "", 1, "transactions/1769850000", true},
		"a name said twice":      {event("charge.succeeded", ours, test, strings.Replace(gift, `"currency":"eur"`, `"currency":"usd","currency":"eur"`, 1)), store.Applied, "", 1, "transactions/1769850000", false},
		"a thin event":           {`{"id":"evt_1","object":"v2.core.event","type":"v1.billing.meter","related_object":{"id":"m_1"}}`, store.Parked, "not an event", 0, "", false},
		"a refund of nothing":    {event("refund.created", ours, test, nobodys), store.Parked, "neither a charge nor a PaymentIntent", 0, "", true},
		"one of a later version": {event("refund.created", `"2024-10-28.acacia"`, test, nobodys), store.Parked, "neither a charge nor a PaymentIntent", 0, "refund/re_1", true},
		"a refund of a version":  {event("refund.created", `"2024-10-28.acacia"`, test, strings.Replace(nobodys, "null", `"ch_1"`, 1)), store.Ignored, "2024-10-28.acacia", 0, "refund/re_1", false},
		"no JSON":                {"hello", store.Parked, "not an event", 0, "", true},
		"nothing":                {"", store.Parked, "not an event", 0, "", false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			check := func(t *testing.T, b *book) {
				for range 2 { // Stripe sends it again
					if err := b.Deliver(t.Context(), []byte(tt.body)); err != nil {
						t.Fatal(err)
					}
				}
				id := "evt_1"
				if strings.HasPrefix(tt.says, "not an event") {
					sum := sha256.Sum256([]byte(tt.body))
					id = "unreadable_" + hex.EncodeToString(sum[:16])
				}
				var stored []store.Event
				err := b.store.Look(t.Context(), func(tx *store.Tx) (err error) {
					stored, err = tx.EventsByID(t.Context(), []string{id})
					return err
				})
				if err != nil || len(stored) != 1 {
					t.Fatalf("%d events are stored, %v; want one", len(stored), err)
				}
				if e := stored[0]; e.State != tt.state || !strings.Contains(e.Error, tt.says) || tt.says == "" && e.Error != "" {
					t.Errorf("stored as %s, %q; want %s, with %q", e.State, e.Error, tt.state, tt.says)
				}
				if body, err := ledger.Unpack(stored[0].Body); err != nil || string(body) != tt.body {
					t.Errorf("stored is %q, %v", body, err)
				}
				found := b.donations(t)
				if len(found) != tt.gifts || tt.gifts == 1 && (found["pi_1"] == nil || found["pi_1"].Gross != 1000 || found["pi_1"].Currency != "EUR") {
					t.Errorf("donations: %+v", found)
				}
				wishes, err := b.store.TakeFetches(t.Context(), b.now.Add(time.Hour), time.Minute, 10)
				var asked []string
				for _, w := range wishes {
					asked = append(asked, w.Ref)
				}
				if err != nil || strings.Join(asked, " ") != tt.asked {
					t.Errorf("asked of Stripe is %v, %v; want %q", asked, err, tt.asked)
				}
				assertClean(t, b)
			}
			if tt.both {
				onBoth(t, check)
				return
			}
			check(t, newBook(t, "sqlite:"+filepath.Join(t.TempDir(), "support.db")))
		})
	}
}

// TestAForeignEventIsJudgedAgain: a link that comes later makes ours what was
// another's, and its amount is what Stripe says then.
func TestAForeignEventIsJudgedAgain(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, b *book) {
		b.deliver(t, "charge.succeeded", charge("ch_1", "pi_1", `{}`, 1000, 0))
		b.deliver(t, "charge.refunded", charge("ch_1", "pi_1", `{}`, 1000, 300))
		if n := len(b.donations(t)); n != 0 {
			t.Fatalf("%d donations of another's charge", n)
		}
		adopted := objects.Fact("adopted/pi_1", &objects.Adopted{Object: "payment_intent/pi_1"})
		if err := b.Apply(t.Context(), ledger.Answer{Object: adopted, At: b.now}); err != nil {
			t.Fatal(err)
		}
		if d := b.donations(t)["pi_1"]; d == nil || d.Gross != 1000 || d.Refunded != 300 {
			t.Errorf("taken over it is %+v", d)
		}
		assertClean(t, b)
	})
}

// A gift and a membership from which somebody took our mark in Stripe's
// dashboard are ours no more, as if they never had been; given back, they are.
func TestAMarkIsTakenAway(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, b *book) {
		say := func(metadata string) {
			b.deliver(t, "charge.updated", charge("ch_1", "pi_1", metadata, 1000, 0))
			b.deliver(t, "customer.subscription.updated", `{"id":"sub_1","object":"subscription","created":1769850000,"customer":"cus_1",
				"status":"active","metadata":`+metadata+`,"currency":"eur","items":{"data":[{"quantity":1,
				"price":{"unit_amount":500,"recurring":{"interval":"month","interval_count":1}}}]}}`)
		}
		for _, tt := range []struct {
			metadata string
			gifts    int
			want     [2]int64 // supporters, members
		}{{marked, 1, [2]int64{1, 1}}, {`{}`, 0, [2]int64{}}, {marked, 1, [2]int64{1, 1}}} {
			say(tt.metadata)
			counts := b.scopes(t)
			if n := len(b.donations(t)); n != tt.gifts || counts["all"] != tt.want || counts["article:troops"] != tt.want {
				t.Errorf("with metadata %s: %d gifts, counts %v; want %d, %v", tt.metadata, n, counts, tt.gifts, tt.want)
			}
			var members int
			err := b.store.Look(t.Context(), func(tx *store.Tx) error {
				found, err := tx.Memberships(t.Context(), []string{"sub_1"})
				members = len(found)
				return err
			})
			if err != nil || int64(members) != tt.want[1] {
				t.Errorf("with metadata %s: %d memberships, %v; want %d", tt.metadata, members, err, tt.want[1])
			}
			assertClean(t, b)
		}
	})
}
