package reconcile_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/united24media/support/internal/reconcile"
	"github.com/united24media/support/internal/store"
)

// TestARefundOfNothingIsADifference: one that Stripe's list alone tells of, and
// that names nothing that was paid, is told once.
func TestARefundOfNothingIsADifference(t *testing.T) {
	t.Parallel()
	_, level := sweeper(t, "sqlite:"+t.TempDir()+"/support.db", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		data := ""
		if r.URL.Path == "/v1/refunds" {
			data = `{"id":"re_1","object":"refund","created":1769850100,"amount":300,"currency":"eur","status":"succeeded","charge":null,"payment_intent":null}`
		}
		_, _ = w.Write([]byte(`{"object":"list","data":[` + data + `],"has_more":false}`)) // the client tells
	}))
	for _, want := range []int{1, 0} {
		var found []store.Difference
		_, err := level.SweepNow(t.Context(), reconcile.Sweep{Since: 96 * time.Hour, Found: func(d store.Difference) { found = append(found, d) }})
		if err != nil || len(found) != want {
			t.Errorf("%d differences, want %d: %+v, %v", len(found), want, found, err)
		}
		for _, d := range found {
			if d.Ref != "refund/re_1" || !strings.Contains(d.Detail, "neither a charge nor a PaymentIntent") {
				t.Errorf("found %+v", d)
			}
		}
	}
}
