package wall

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gin-gonic/gin"
	"pgregory.net/rapid"

	"github.com/united24media/support/internal/giving"
	"github.com/united24media/support/internal/objects"
	"github.com/united24media/support/internal/store"
)

var began = time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)

// A town is a wall with the gifts behind it.
type town struct {
	testing.TB
	*Wall
	pages *gin.Engine
}

func newTown(t *testing.T) *town {
	t.Helper()
	gin.SetMode(gin.ReleaseMode)
	db, err := store.Open("sqlite:" + filepath.Join(t.TempDir(), "support.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	if _, err := db.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	w := &town{TB: t, pages: gin.New(), Wall: New(Options{
		Store: db, PublicURL: "https://support.example", SiteURL: "https://news.example/", Now: func() time.Time { return began }, Log: slog.New(slog.DiscardHandler),
	})}
	for path, handle := range map[string]func(*gin.Context) error{"/v1/wall": w.JSON, Path: w.Page} {
		w.pages.GET(path, func(c *gin.Context) {
			if err := handle(c); err != nil {
				c.String(http.StatusNotFound, "%v", err)
			}
		})
	}
	return w
}

func (w *town) ok(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// A gift is one, with what its giver said.
type gift struct {
	id, email, name, message string
	anonymous, show          bool
	minor, refunded          int64
	at                       time.Time
}

func (g *gift) donation() *giving.Donation {
	return &giving.Donation{
		Key: "pi_" + g.id, Attribution: giving.Attribution{Checkout: "co_" + g.id}, Source: "stripe", Email: g.email, Supporter: giving.SupporterKey(g.email, "", "pi_"+g.id),
		Created: g.at.Unix(), Gross: g.minor, Refunded: g.refunded, Currency: "EUR", Interval: giving.Once,
	}
}

// give records gifts, and has the wall find them.
func (w *town) give(gifts ...gift) {
	w.Helper()
	ctx := w.Context()
	var checkouts []store.Checkout
	var donations []*giving.Donation
	states := map[string]string{}
	for _, g := range gifts {
		checkouts = append(checkouts, store.Checkout{
			ID: "co_" + g.id, Attempt: g.id, Status: store.CheckoutOpen, Session: "cs_" + g.id, Currency: "EUR", AmountMinor: g.minor, Interval: "once",
			Locale: "uk", UTM: "{}", Name: g.name, Anonymous: g.anonymous, Message: g.message, ShowMessage: g.show, CreatedAt: g.at, ExpiresAt: g.at,
		})
		donations = append(donations, g.donation())
		states["checkout.session/cs_"+g.id] = objects.Encode(&objects.Session{Status: "complete", PaymentStatus: "paid", Intent: "pi_" + g.id})
	}
	w.ok(w.Store.AddCheckouts(ctx, checkouts))
	w.ok(w.Store.Ledger(ctx, func(tx *store.Tx) error {
		if err := tx.PutRegisters(ctx, states); err != nil {
			return err
		}
		return tx.PutDonations(ctx, donations)
	}))
	w.ok(w.Collect(ctx))
}

// readers returns gifts of so many people who may be thanked.
func readers(n int) []gift {
	var all []gift
	for i := range n {
		id := fmt.Sprintf("r%d", i)
		all = append(all, gift{id: id, email: id + "@example.org", name: "Reader " + id, message: "Hello from " + id, show: true, minor: 1000, at: began.Add(-time.Hour)})
	}
	return all
}

func (w *town) turn(on bool) {
	w.Helper()
	w.ok(w.Switch(w.Context(), on, store.Entry{Who: "test", Action: "wall.on", At: began}))
}

func (w *town) waiting() []store.WallEntry {
	w.Helper()
	found, err := w.Store.Wall(w.Context(), store.WallWaiting, 1000)
	w.ok(err)
	return found
}

// decide accepts or rejects entries as they read now.
func (w *town) decide(accept bool, entries ...store.WallEntry) int {
	w.Helper()
	var all []store.WallDecision
	for _, e := range entries {
		all = append(all, store.WallDecision{Checkout: e.Checkout, Words: e.Words(), Accept: accept})
	}
	shown, err := w.Decide(w.Context(), all, store.Entry{Who: "ann", Action: "wall.accept", At: began})
	w.ok(err)
	return shown
}

func (w *town) get(path string, header ...string) *httptest.ResponseRecorder {
	w.Helper()
	r := httptest.NewRequest(http.MethodGet, path, nil)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	answer := httptest.NewRecorder()
	w.pages.ServeHTTP(answer, r)
	return answer
}

// names returns who is on the wall.
func (w *town) names() []string {
	w.Helper()
	var answer struct{ Supporters []Thanks }
	w.ok(json.Unmarshal(w.get("/v1/wall").Body.Bytes(), &answer))
	var names []string
	for _, s := range answer.Supporters {
		names = append(names, s.Name)
	}
	return names
}

func TestOff(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	w.give(readers(Least)...)
	w.decide(true, w.waiting()...)
	for range 2 {
		if got := w.get("/v1/wall").Body.String(); got != `{"show":false,"supporters":[]}` {
			t.Errorf("while it is off: %s", got)
		}
		if got := w.get(Path); got.Code != http.StatusNotFound {
			t.Errorf("its page answers %d", got.Code)
		}
		w.turn(true)
		if got := w.names(); len(got) != Least {
			t.Errorf("turned on, it thanks %v", got)
		}
		w.turn(false)
	}
}

// Who may be named, and with which words.
func TestConsent(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	w.turn(true)
	w.ok(w.Store.PutChoices(t.Context(), store.Choices{Address: "quiet@example.org"}, began))
	w.ok(w.Store.PutChoices(t.Context(), store.Choices{Address: "later@example.org", Public: true, Name: "Later"}, began))
	w.give(append(readers(Least-1),
		gift{id: "private", email: "private@example.org", name: "Private", message: "For you alone", minor: 100, at: began},
		gift{id: "anonymous", email: "anonymous@example.org", name: "Anonymous", anonymous: true, minor: 100, at: began},
		gift{id: "quiet", email: "Quiet@example.org", name: "Quiet", minor: 100, at: began},
		gift{id: "later", email: "Later@example.org", anonymous: true, message: "Not public", minor: 100, at: began},
		gift{id: "refunded", email: "refunded@example.org", name: "Refunded", minor: 100, refunded: 100, at: began},
		gift{id: "nameless", email: "nameless@example.org", minor: 100, at: began},
	)...)
	w.decide(true, w.waiting()...)
	got := strings.Join(w.names(), ",")
	for name, want := range map[string]bool{"Private": true, "Later": true, "Reader r0": true, "Anonymous": false, "Quiet": false, "Refunded": false} {
		if strings.Contains(got, name) != want {
			t.Errorf("%s is on the wall: %v; want %v: %s", name, !want, want, got)
		}
	}
	for _, never := range []string{"For you alone", "Not public"} {
		if text := w.get("/v1/wall").Body.String() + w.get(Path).Body.String(); strings.Contains(text, never) {
			t.Errorf("the wall shows %q", never)
		}
	}
}

// Whoever leaves is gone at once, and other words than staff read are not shown.
func TestLeaving(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	w.turn(true)
	all := readers(Least + 4)
	w.give(all...)
	w.decide(false, w.waiting()[0])
	w.decide(true, w.waiting()...)
	if len(w.names()) != Least+3 {
		t.Fatalf("shown: %v", w.names())
	}
	choose := func(c store.Choices) { w.ok(w.Store.PutChoices(t.Context(), c, began)) }
	choose(store.Choices{Address: "r1@example.org"})
	choose(store.Choices{Address: "r2@example.org", Public: true, Name: "Something else"})
	all[3].refunded = all[3].minor
	w.ok(w.Store.Ledger(t.Context(), func(tx *store.Tx) error {
		if err := tx.PutDonations(t.Context(), []*giving.Donation{all[3].donation()}); err != nil {
			return err
		}
		_, err := tx.Forget(t.Context(), store.Person{Checkouts: []string{"co_r4"}, Addresses: []string{"r4@example.org"}, Gifts: []string{"pi_r4"}}, began)
		return err
	}))
	shown, err := w.Store.Wall(t.Context(), store.WallShown, 100)
	w.ok(err)
	for _, e := range shown {
		if e.Checkout == "co_r5" {
			w.decide(false, e)
		}
	}
	w.ok(w.Refresh(t.Context()))
	got := fmt.Sprint(w.names())
	for _, gone := range []string{"r0]", "r0 ", "r1", "r2", "Something", "r3", "r4", "r5"} {
		if strings.Contains(got, gone) {
			t.Errorf("%s is still there: %s", gone, got)
		}
	}
	if len(w.names()) != Least+4-6 {
		t.Errorf("left: %s", got)
	}
	w.ok(w.Collect(t.Context()))
	if again := w.waiting(); len(again) != 1 || again[0].Name != "Something else" {
		t.Errorf("waiting for the new words: %+v", again)
	}
	// Words that change between reading and pressing are not accepted by it.
	stale := w.waiting()[0]
	choose(store.Choices{Address: "r2@example.org", Public: true, Name: "Worse"})
	w.give(gift{id: "n1", email: "n1@example.org", name: "N1", minor: 1, at: began}, gift{id: "n2", email: "n2@example.org", name: "N2", minor: 1, at: began},
		gift{id: "n3", email: "n3@example.org", name: "N3", minor: 1, at: began}, gift{id: "n4", email: "n4@example.org", name: "N4", minor: 1, at: began})
	others := w.waiting()
	for i, e := range others {
		if e.Checkout == stale.Checkout {
			others[i] = stale
		}
	}
	w.decide(true, others...)
	if got := fmt.Sprint(w.names()); strings.Contains(got, "Worse") || strings.Contains(got, "N1") {
		t.Errorf("words that nobody read: %s", got)
	}
}

func TestAnswers(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	w.turn(true)
	all := readers(Least)
	all[0].name, all[0].message = `<script>alert("x")</script>`, "a < b & c"
	w.give(all...)
	w.decide(true, w.waiting()...)
	program := w.get("/v1/wall")
	if text := program.Body.String(); strings.Contains(text, "<") || !strings.Contains(text, `\u003cscript`) {
		t.Errorf("the answer is not escaped: %s", text)
	}
	page := w.get(Path + "?lang=uk")
	if text := page.Body.String(); strings.Contains(text, "<script>") || !strings.Contains(text, "&lt;script&gt;") || !strings.Contains(text, "a &lt; b &amp; c") ||
		!strings.Contains(text, `<html lang="uk"`) {
		t.Errorf("the page: %s", text)
	}
	for path, answer := range map[string]*httptest.ResponseRecorder{"/v1/wall": program, Path + "?lang=uk": page} {
		etag := answer.Header().Get("ETag")
		if answer.Header().Get("Cache-Control") != caching || etag == "" || answer.Header().Get("Vary") != "" || answer.Header().Get("Set-Cookie") != "" {
			t.Errorf("%s: %v", path, answer.Header())
		}
		again := w.get(path, "If-None-Match", etag, "Cookie", "x=y", "Accept-Language", "de", "User-Agent", "another")
		if again.Code != http.StatusNotModified || again.Body.Len() != 0 {
			t.Errorf("%s again answers %d", path, again.Code)
		}
		if other := w.get(path, "Accept-Language", "de", "Cookie", "x=y"); other.Body.String() != answer.Body.String() {
			t.Errorf("%s is not the same for everybody", path)
		}
	}
	if page := w.get(Path, "Accept-Language", "de"); page.Header().Get("Vary") != "Accept-Language" || !strings.Contains(page.Body.String(), `<html lang="de"`) {
		t.Errorf("without a language: %v", page.Header())
	}
}

// TestNoGiftCanBeReadOff watches two towns in which the same people say the same
// and staff decide the same, but everybody gives another amount at another time.
// Whoever asks, however often, gets the same bytes from both: so no amount and
// no instant can follow from them. And nobody appears alone: whom an answer is
// the first to name, it names with four others at least.
func TestNoGiftCanBeReadOff(t *testing.T) {
	t.Parallel()
	one, other := newTown(t), newTown(t)
	towns := []*town{one, other}
	for _, w := range towns {
		w.turn(true)
	}
	seen, count := map[string]bool{}, 0
	appeared := 0
	rapid.Check(t, func(r *rapid.T) {
		switch rapid.SampledFrom([]string{"give", "give", "decide", "decide", "decide", "hide", "refund"}).Draw(r, "what") {
		case "give":
			n := rapid.IntRange(1, 4).Draw(r, "gifts")
			people := make([]int, n)
			for i := range people {
				people[i] = rapid.IntRange(0, 40).Draw(r, "person")
			}
			for _, w := range towns {
				var gifts []gift
				for i, person := range people {
					gifts = append(gifts, gift{
						id: fmt.Sprint(count + i), email: fmt.Sprintf("p%d@example.org", person), name: fmt.Sprintf("P%d", person), show: true,
						message: fmt.Sprintf("Gift %d", count+i), minor: rapid.Int64Range(2, 100_000).Draw(r, "minor"),
						at: began.Add(-time.Duration(rapid.IntRange(0, 14*24*3600).Draw(r, "ago")) * time.Second),
					})
				}
				w.give(gifts...)
			}
			count += n
		case "decide":
			accept, chance := rapid.IntRange(0, 9).Draw(r, "accept") > 0, rapid.IntRange(1, 3).Draw(r, "chance")
			waiting := [][]store.WallEntry{one.waiting(), other.waiting()}
			if len(waiting[0]) != len(waiting[1]) {
				r.Fatalf("%d and %d wait", len(waiting[0]), len(waiting[1]))
			}
			for i, w := range towns {
				var picked []store.WallEntry
				for j, e := range waiting[i] {
					if j%chance == 0 {
						picked = append(picked, e)
					}
				}
				w.decide(accept, picked...)
			}
		case "hide":
			person, public := rapid.IntRange(0, 40).Draw(r, "person"), rapid.Bool().Draw(r, "public")
			for _, w := range towns {
				w.ok(w.Store.PutChoices(w.Context(), store.Choices{Address: fmt.Sprintf("p%d@example.org", person), Public: public}, began))
			}
		case "refund":
			if count == 0 {
				return
			}
			key := fmt.Sprintf("pi_%d", rapid.IntRange(0, count-1).Draw(r, "gift"))
			for _, w := range towns {
				d, err := w.Store.DonationByKey(w.Context(), key)
				w.ok(err)
				d.Refunded = d.Gross
				w.ok(w.Store.Ledger(w.Context(), func(tx *store.Tx) error { return tx.PutDonations(w.Context(), []*giving.Donation{d}) }))
			}
		}
		var bodies []string
		for _, w := range towns {
			w.ok(w.Refresh(w.Context()))
			bodies = append(bodies, w.get("/v1/wall").Body.String()+w.get(Path+"?lang=en").Body.String())
		}
		if bodies[0] != bodies[1] {
			r.Fatalf("other amounts and times give another answer:\n%s\n%s", bodies[0], bodies[1])
		}
		var answer struct{ Supporters []Thanks }
		one.ok(json.Unmarshal(one.get("/v1/wall").Body.Bytes(), &answer))
		people := map[string]bool{}
		for _, s := range answer.Supporters {
			if !seen[s.Message] {
				people[s.Name] = true
				appeared++
			}
			seen[s.Message] = true
		}
		if len(people) > 0 && len(people) < Least {
			r.Fatalf("%d people appear at once: %v", len(people), people)
		}
	})
	if appeared == 0 {
		t.Error("nobody ever appeared")
	}
}
