package recovery

import (
	"fmt"
	"net/http/httptest"
	"path/filepath"
	"testing"

	"github.com/gin-gonic/gin"

	"github.com/united24media/support/internal/giving"
	"github.com/united24media/support/internal/i18n"
	"github.com/united24media/support/internal/look"
	"github.com/united24media/support/internal/signin"
	"github.com/united24media/support/internal/store"
	"github.com/united24media/support/internal/testenv/chromium"
)

// TestInABrowser looks at the page in each state and language, on a phone in the
// light or a desk in the dark: nothing wider than the screen, and nothing that
// keeps people out.
func TestInABrowser(t *testing.T) {
	t.Parallel()
	db, err := store.Open("sqlite:" + filepath.Join(t.TempDir(), "support.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	if _, err := db.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	var members []*giving.Membership
	member := func(lang, status string) {
		members = append(members, &giving.Membership{
			Subscription: "sub_" + status + lang, Customer: "cus_1", Email: "reader@example.org", Status: status, Amount: 123456, Currency: "EUR",
			Interval: giving.Month, Attribution: giving.Attribution{Locale: lang},
		})
	}
	for _, lang := range i18n.Languages() {
		member(lang, "past_due")
	}
	member("en", "active")
	member("de", "canceled")
	if err := db.Ledger(t.Context(), func(tx *store.Tx) error { return tx.PutMemberships(t.Context(), members) }); err != nil {
		t.Fatal(err)
	}
	keys := signin.New([][]byte{[]byte("0123456789abcdef0123456789abcdef")})
	gin.SetMode(gin.ReleaseMode)
	e := gin.New()
	server := httptest.NewServer(e)
	t.Cleanup(server.Close)
	r := New(Options{Store: db, Keys: keys, PublicURL: server.URL, Sandbox: true})
	e.GET(signin.RecoverPath, func(c *gin.Context) {
		if err := r.Show(c); err != nil {
			t.Error(err)
		}
	})
	e.GET(look.AssetPrefix+"*path", gin.WrapH(look.NewAssets(look.Style, look.Icon)))

	b := chromium.New(t, 320, 800)
	for i, m := range members {
		width, scheme := int64(320), "light"
		if i%2 == 1 {
			width, scheme = 1280, "dark"
		}
		b.Scheme(scheme)
		b.Size(width, 800)
		b.Open(server.URL+signin.RecoverPath+"?token="+keys.Token(signin.Recover, m.Subscription), `document.documentElement.lang === '`+m.Locale+`'`)
		name := fmt.Sprintf("recover-%s-%d", m.Subscription, width)
		b.Picture(name)
		for _, wrong := range append(b.Barriers(), b.TooWide()...) {
			t.Errorf("%s: %s", name, wrong)
		}
	}
}
