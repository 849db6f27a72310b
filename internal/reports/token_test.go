package reports

import (
	"errors"
	"maps"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/united24media/support/internal/fault"
	"github.com/united24media/support/internal/store"
)

// What a token reads is in the audit log: a line an hour for each address,
// however often and on however many replicas it asks.
func TestTokenReadsAreAudited(t *testing.T) {
	t.Parallel()
	now := at("2026-04-01 12:10:00")
	var mu sync.Mutex
	clock := func() time.Time { mu.Lock(); defer mu.Unlock(); return time.Unix(now, 0) }
	later := func(d time.Duration) { mu.Lock(); defer mu.Unlock(); now += int64(d.Seconds()) }
	first := service(t, gifts()...)
	first.now = clock
	second := New(Options{Store: first.store, Timezone: kyiv, Now: clock})
	text, err := first.CreateToken(t.Context(), "sheet", RoleFinance, store.Entry{})
	if err != nil {
		t.Fatal(err)
	}
	engine := func(s *Service) *gin.Engine {
		e := gin.New()
		for path, h := range map[string]func(*gin.Context) error{"/v1/reports/donations": s.Donations, "/v1/donations/:id": s.Donation} {
			e.GET(path, func(c *gin.Context) {
				if err := h(c); err != nil {
					c.String(http.StatusUnauthorized, "%v", err)
				}
			})
		}
		return e
	}
	replicas := []*gin.Engine{engine(first), engine(second)}
	askAll := func() {
		t.Helper()
		var all sync.WaitGroup
		places := make(chan struct{}, maxAtOnce)
		for i := range 8 {
			for _, path := range []string{"/v1/reports/donations?from=2026-01-01&to=2026-02-01&by=day", "/v1/donations/pi_1", "/v1/donations/pi_2"} {
				places <- struct{}{}
				all.Go(func() {
					defer func() { <-places }()
					r := httptest.NewRequest(http.MethodGet, path, nil)
					r.Header.Set("Authorization", "Bearer "+text)
					w := httptest.NewRecorder()
					replicas[i%2].ServeHTTP(w, r)
					if w.Code != http.StatusOK {
						t.Errorf("%s: %d %s", path, w.Code, w.Body)
					}
				})
			}
		}
		all.Wait()
	}
	askAll()
	later(40 * time.Minute)
	askAll()
	later(10 * time.Minute) // the next hour of the clock
	askAll()
	entries, err := first.store.AuditAfter(t.Context(), store.AuditFilter{Action: "token.read"}, 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]int{}
	for _, e := range entries {
		got[e.Who+" "+e.Subject+" "+e.At.In(kyiv).Format("15:04")]++
	}
	want := map[string]int{
		"token sheet /v1/reports/donations 12:10": 1, "token sheet /v1/donations/:id 12:10": 1,
		"token sheet /v1/reports/donations 13:00": 1, "token sheet /v1/donations/:id 13:00": 1,
	}
	if !maps.Equal(got, want) {
		t.Errorf("the audit log has %v; want %v", got, want)
	}
	if tokens, err := first.store.Tokens(t.Context()); err != nil || tokens[0].Used.Unix() != now {
		t.Errorf("last used %v, %v", tokens, err)
	}
	if state, err := first.store.CheckAudit(t.Context()); err != nil || state.Broken != "" {
		t.Errorf("%+v, %v", state, err)
	}
}

// TestATokenHasNotAllPlaces: with as many requests of one token under way as may
// be, one more is told to come back, and another token is answered.
func TestATokenHasNotAllPlaces(t *testing.T) {
	t.Parallel()
	s := service(t, gifts()...)
	tokens := map[string]string{}
	for _, name := range []string{"sheet", "desk"} {
		text, err := s.CreateToken(t.Context(), name, RoleViewer, store.Entry{})
		if err != nil {
			t.Fatal(err)
		}
		tokens[name] = "Bearer " + text
	}
	var leave []func()
	for range maxAtOnce {
		left, ok := s.atOnce.Enter("sheet")
		if !ok {
			t.Fatal("the first are kept out")
		}
		leave = append(leave, left)
	}
	for name, h := range map[string]func(*gin.Context) error{"report": s.Donations, "list": s.List, "gift": s.Donation, "payouts": s.Payouts, "payout": s.PayoutByID} {
		_, err := ask(h, "/?from=2026-01-01&to=2026-02-01&by=day", tokens["sheet"], "", nil)
		if known, ok := errors.AsType[*fault.Error](err); !ok || known.Kind != fault.Limited || known.RetryAfter == 0 {
			t.Errorf("%s beside as many as may be: %v", name, err)
		}
	}
	for name, token := range tokens {
		if name == "sheet" {
			leave[0]()
		}
		for range 2 * maxAtOnce { // what was answered has left
			if _, err := ask(s.Donations, "/?from=2026-01-01&to=2026-02-01&by=day", token, "", nil); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}
