package recovery

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gin-gonic/gin"

	"github.com/united24media/support/internal/fault"
	"github.com/united24media/support/internal/giving"
	"github.com/united24media/support/internal/signin"
	"github.com/united24media/support/internal/store"
	"github.com/united24media/support/internal/stripeapi"
)

// A link opens a page that changes nothing; its one button leads to where the
// payment can be made. A link that is not ours leads nowhere.
func TestRecovery(t *testing.T) {
	t.Parallel()
	db, err := store.Open("sqlite:" + filepath.Join(t.TempDir(), "support.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	if _, err := db.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	member := func(id, status string) *giving.Membership {
		return &giving.Membership{
			Subscription: id, Customer: "cus_1", Email: "reader@example.org", Status: status, Amount: 1000, Currency: "EUR",
			Interval: giving.Month, Attribution: giving.Attribution{Locale: "en"},
		}
	}
	err = db.Ledger(t.Context(), func(tx *store.Tx) error {
		return tx.PutMemberships(t.Context(), []*giving.Membership{member("sub_late", "past_due"), member("sub_well", "active"), member("sub_over", "canceled")})
	})
	if err != nil {
		t.Fatal(err)
	}
	asked := 0
	stripe := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked++
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"id":"sub_late","object":"subscription","status":"past_due","latest_invoice":
			{"id":"in_1","object":"invoice","status":"open","hosted_invoice_url":"https://invoice.stripe.com/i/1"}}`)
	}))
	t.Cleanup(stripe.Close)
	keys := signin.New([][]byte{bytes.Repeat([]byte("k"), 32)})
	r := New(Options{
		Store: db, Keys: keys, PublicURL: "https://support.example",
		Stripe: stripeapi.New(stripeapi.Options{Key: "sk_test_1", BaseURL: stripe.URL, Log: slog.New(slog.DiscardHandler)}),
	})
	ask := func(method, token string) (*httptest.ResponseRecorder, error) {
		w := httptest.NewRecorder()
		c, _ := gin.CreateTestContext(w)
		values := url.Values{"token": {token}}.Encode()
		if method == http.MethodGet {
			c.Request = httptest.NewRequest(method, signin.RecoverPath+"?"+values, nil)
			return w, r.Show(c)
		}
		c.Request = httptest.NewRequest(method, signin.RecoverPath, strings.NewReader(values))
		c.Request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		err := r.Open(c)
		c.Writer.WriteHeaderNow()
		return w, err
	}
	for name, tt := range map[string]struct {
		token  string
		status int
		shows  string
	}{
		"late":               {keys.Token(signin.Recover, "sub_late"), 200, "Your payment of €10 is open"},
		"paid":               {keys.Token(signin.Recover, "sub_well"), 200, "nothing is owed"},
		"over":               {keys.Token(signin.Recover, "sub_over"), 200, "This support has ended"},
		"a link to sign in":  {keys.Token(signin.Account, "sub_late"), 404, "leads nowhere"},
		"nobody's":           {keys.Token(signin.Recover, "sub_gone"), 404, "leads nowhere"},
		"no link of ours":    {"AAAA", 404, "leads nowhere"},
		"a link without end": {"", 404, "leads nowhere"},
	} {
		w, err := ask(http.MethodGet, tt.token)
		if err != nil || w.Code != tt.status || !strings.Contains(w.Body.String(), tt.shows) {
			t.Errorf("%s: %d, %v, %s", name, w.Code, err, w.Body)
		}
		if strings.Contains(w.Body.String(), "reader@example.org") {
			t.Errorf("%s: the page tells whose it is", name)
		}
	}
	if asked > 0 {
		t.Error("opening the page asks Stripe")
	}
	if w, err := ask(http.MethodPost, keys.Token(signin.Recover, "sub_late")); err != nil || w.Code != 303 || w.Header().Get("Location") != "https://invoice.stripe.com/i/1" {
		t.Errorf("the button leads to %d %s, %v", w.Code, w.Header().Get("Location"), err)
	}
	if _, err := ask(http.MethodPost, keys.Token(signin.Account, "sub_late")); !errors.Is(err, fault.NotFound) {
		t.Errorf("another door's token: %v", err)
	}
}
