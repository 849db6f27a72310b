package ledger_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/united24media/support/internal/store"
	"github.com/united24media/support/internal/testenv"
)

// TestOneEventAtTheSameMoment: however many callers deliver it to whichever
// replica, one event is one donation, and every delivery is counted.
func TestOneEventAtTheSameMoment(t *testing.T) {
	t.Parallel()
	address := testenv.Postgres(t)
	replicas := [2]*book{newBook(t, address), newBook(t, address)}
	const callers = 16
	var group sync.WaitGroup
	for n := range callers {
		group.Go(func() {
			b := replicas[n%2]
			body := eventBody("evt_once", "charge.succeeded", 1769850000, charge("ch_1", "pi_1", marked, 1000, 0))
			if err := b.Deliver(t.Context(), []byte(body)); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if d := replicas[0].donations(t); len(d) != 1 || d["pi_1"].Gross != 1000 {
		t.Errorf("recorded %v", d)
	}
	if got, want := replicas[1].scopes(t)["all"], [2]int64{1, 0}; got != want {
		t.Errorf("supporters and members: %v, want %v", got, want)
	}
	assertClean(t, replicas[0])
}

// TestReplicasTakeTurns: a charge and the session that says what won it arrive
// at two replicas at once. Without the ledger's turn each would project without
// the other.
func TestReplicasTakeTurns(t *testing.T) {
	t.Parallel()
	address := testenv.Postgres(t)
	replicas := [2]*book{newBook(t, address), newBook(t, address)}
	const gifts = 100
	for n := range gifts {
		intent := fmt.Sprintf("pi_%d", n)
		bodies := [2]string{
			eventBody("evt_a"+intent, "charge.succeeded", 1769850000, charge("ch"+intent, intent, `{}`, 1000, 0)),
			eventBody("evt_b"+intent, "checkout.session.completed", 1769850000, fmt.Sprintf(`{"id":"cs_%d",
				"object":"checkout.session","payment_intent":%q,"metadata":%s}`, n, intent, marked)),
		}
		var group sync.WaitGroup
		for i, body := range bodies {
			group.Go(func() {
				if err := replicas[i].Deliver(t.Context(), []byte(body)); err != nil {
					t.Error(err)
				}
			})
		}
		group.Wait()
	}
	for key, d := range replicas[0].donations(t) {
		if d.Article != "troops" {
			t.Errorf("%s lost its article: %+v", key, d)
		}
	}
	if n := len(replicas[0].donations(t)); n != gifts {
		t.Errorf("%d donations, want %d", n, gifts)
	}
}

func TestGraceEndsByItself(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, b *book) {
		subscription := func(status string) string {
			return `{"id":"sub_1","object":"subscription","created":1769850000,"customer":"cus_1","status":"` + status + `","metadata":` +
				marked + `,"currency":"eur","items":{"data":[{"quantity":1,"price":{"unit_amount":500,"recurring":{"interval":"month"}}}]}}`
		}
		b.deliver(t, "customer.subscription.created", subscription("active"))
		b.deliver(t, "customer.subscription.updated", subscription("past_due"))
		if got, want := b.scopes(t)["all"], [2]int64{0, 1}; got != want {
			t.Fatalf("within its grace the count is %v, want %v", got, want)
		}
		b.now = b.now.Add(15 * 24 * time.Hour)
		if over, err := b.store.GraceOver(t.Context(), b.now, 10); err != nil || len(over) != 1 {
			t.Fatalf("memberships past their grace: %v, %v", over, err)
		}
		b.EndGrace(t.Context())
		if got, want := b.scopes(t)["all"], [2]int64{0, 0}; got != want {
			t.Errorf("after its grace the count is %v, want %v", got, want)
		}
		assertClean(t, b)
	})
}

// TestABadEventHoldsUpNoOther: one that the database refuses is parked, and
// those that came with it are recorded.
func TestABadEventHoldsUpNoOther(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, b *book) {
		var group sync.WaitGroup
		for n := range 20 {
			group.Go(func() {
				object := charge(fmt.Sprintf("ch_%d", n), fmt.Sprintf("pi_%d", n), marked, 1000, 0)
				if n == 7 { // more than a BIGINT holds
					object = strings.Replace(object, `"amount":1000`, `"amount_captured":99999999999999999999`, 1)
				}
				if n == 8 { // PostgreSQL has no text with a NUL in it
					object = strings.Replace(object, "Olena@", `\u0000@`, 1)
				}
				if err := b.Deliver(t.Context(), []byte(eventBody(fmt.Sprintf("evt_%d", n), "charge.succeeded", 1769850000, object))); err != nil {
					t.Errorf("event %d: %v", n, err)
				}
			})
		}
		group.Wait()
		if n := len(b.donations(t)); n != 19 {
			t.Errorf("%d donations of 20, one of them unreadable", n)
		}
		assertClean(t, b)
	})
}

func eventBody(id, kind string, created int64, object string) string {
	return fmt.Sprintf(`{"id":%q,"object":"event","type":%q,"api_version":"2023-10-16","livemode":false,
		"created":%d,"data":{"object":%s}}`, id, kind, created, object)
}

// TestWhatIsKeptAndNotBooked: an event that is not for us to book is stored with
// the reason, and moves nothing.
func TestWhatIsKeptAndNotBooked(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, b *book) {
		gift := eventBody("evt", "charge.succeeded", 1769850000, charge("ch_1", "pi_1", marked, 1000, 0))
		tests := map[string]struct{ old, instead, state, reason string }{
			"of the other mode":        {`"livemode":false`, `"livemode":true`, store.Ignored, "of the other mode: livemode is true"},
			"of another API version":   {`"2023-10-16"`, `"2024-06-20"`, store.Ignored, `of API version "2024-06-20"; the object is fetched at 2023-10-16`},
			"of a kind nobody knows":   {`"object":"charge"`, `"object":"starship"`, store.Ignored, "nothing is kept of a starship"},
			"about nothing":            {`"data":{"object":`, `"date":{"object":`, store.Parked, "the event has no data.object"},
			"with an amount too large": {`"amount":1000`, `"amount_captured":99999999999999999999`, store.Parked, ""},
		}
		for name, tt := range tests {
			id := "evt_" + strings.ReplaceAll(name, " ", "_")
			body := strings.Replace(strings.Replace(gift, `"evt"`, `"`+id+`"`, 1), tt.old, tt.instead, 1)
			if err := b.Deliver(t.Context(), []byte(body)); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			err := b.Store.Look(t.Context(), func(tx *store.Tx) error {
				events, err := tx.EventsByID(t.Context(), []string{id})
				if len(events) != 1 || events[0].State != tt.state || tt.reason != "" && events[0].Error != tt.reason {
					t.Errorf("%s: stored as %+v", name, events)
				}
				return err
			})
			if err != nil {
				t.Error(err)
			}
		}
		if d := b.donations(t); len(d) != 0 {
			t.Errorf("booked %v", d)
		}
		_, wishes, err := b.Store.OldestFetch(t.Context())
		if err != nil || wishes != 1 { // the object of the other API version
			t.Errorf("%d wishes, %v; want 1", wishes, err)
		}
		assertClean(t, b)
	})
}
