package checkout

import (
	"strings"
	"testing"

	"github.com/united24media/support/internal/objects"
	"github.com/united24media/support/internal/store"
)

// TestAnExpiredSessionIsOpenedAnew: somebody closed a session before its time.
// The same attempt must not lead to a page where nobody can pay.
func TestAnExpiredSessionIsOpenedAnew(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	const body = `{"amount_minor":1000,"currency":"EUR","interval":"once","attempt":"x"}`
	first := answer(t, b.post(body))
	row, _, err := b.Store.CheckoutByAttempt(t.Context(), fromAPI+"x")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		status string
		anew   bool
	}{{"open", false}, {"complete", false}, {"expired", true}} {
		state := map[string]string{
			string(objects.NewRef(objects.KindSession, row.Session)): objects.Encode(&objects.Session{Status: tt.status}),
		}
		err := b.Store.Ledger(t.Context(), func(tx *store.Tx) error { return tx.PutRegisters(t.Context(), state) })
		if err != nil {
			t.Fatal(err)
		}
		w := b.post(body)
		if again := answer(t, w); w.Code != 200 || again.ID != first.ID || (again.URL != first.URL) != tt.anew {
			t.Errorf("%s: %d %+v after %+v", tt.status, w.Code, again, first)
		}
	}
}

func TestWhatIsNoBody(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for body, want := range map[string]string{
		`{"currency":"EUR","interval":"once","amount_minor":1000,"amount_minor":9000}`: "amount_minor",
		`{"currency":"EUR","currency":"EUR"}`:                                          "currency",
	} {
		w := b.do("POST", "/v1/checkouts", "application/json", body)
		if got := w.Body.String(); w.Code != 400 || !strings.Contains(got, "stands twice") || !strings.Contains(got, want) {
			t.Errorf("%s: %d %s", body, w.Code, got)
		}
	}
	for _, body := range []string{`null`, `[]`, `{}{}`, `{"a"}`, `{"a":}`, `{"currency":"EUR"`, `{"currency":"EUR",}`, ``} {
		if w := b.do("POST", "/v1/checkouts", "application/json", body); w.Code != 400 || !strings.Contains(w.Body.String(), "one JSON object") {
			t.Errorf("%q: %d %s", body, w.Code, w.Body)
		}
	}
	for _, kind := range []string{"application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "Application/X-WWW-Form-Urlencoded; charset=utf-8"} {
		if w := b.do("POST", "/v1/checkouts", kind, "amount_minor=1000"); w.Code != 415 {
			t.Errorf("%s: %d %s", kind, w.Code, w.Body)
		}
	}
}
