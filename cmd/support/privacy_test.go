package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/united24media/support/internal/config"
	"github.com/united24media/support/internal/ledger"
	"github.com/united24media/support/internal/privacy"
	"github.com/united24media/support/internal/redisdb"
	"github.com/united24media/support/internal/sandbox"
	"github.com/united24media/support/internal/signin"
	"github.com/united24media/support/internal/store"
	"github.com/united24media/support/internal/stripeapi"
	"github.com/united24media/support/internal/testenv"
)

// everywhere runs a test against the whole service on each database, with
// Redis.
func everywhere(t *testing.T, f func(*testing.T, *running)) {
	for _, kind := range []string{"SQLite", "PostgreSQL"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			stripe, deliverTo := besides(t)
			settings := map[string]string{
				"REDIS_URL": testenv.Redis(t), "SUPPORT_SECRET": privacySecret, "STRIPE_WEBHOOK_SECRET": hookSecret, "SUPPORT_TIMEZONE": "UTC",
				"STRIPE_SECRET_KEY": "sk_test_privacy", "STRIPE_API_URL": stripe, "DATABASE_URL": "sqlite:" + filepath.Join(t.TempDir(), "support.db"),
			}
			if kind == "PostgreSQL" {
				settings["DATABASE_URL"] = testenv.Postgres(t)
			}
			r := start(t, environment(t, settings))
			deliverTo(r.url)
			eventually(t, "the count is known", func() bool { return r.supporters(t, privacyArticle) == 0 })
			f(t, r)
		})
	}
}

// besides starts Stripe's stand-in beside the service: the built-in one keeps
// its state in the data folder, which PostgreSQL has no use for.
func besides(t *testing.T) (api string, deliverTo func(string)) {
	t.Helper()
	var to atomic.Value
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	box, err := sandbox.New(sandbox.Options{
		BaseURL: server.URL + "/sandbox", WebhookURL: server.URL + "/webhooks/stripe", WebhookSecret: hookSecret, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { box.Close() })
	mux.Handle("/sandbox/", http.StripPrefix("/sandbox", box.Handler()))
	mux.HandleFunc("/webhooks/stripe", func(w http.ResponseWriter, r *http.Request) {
		address, ok := to.Load().(string)
		if !ok {
			http.Error(w, "not yet", http.StatusServiceUnavailable)
			return
		}
		forward, err := url.Parse(address)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		httputil.NewSingleHostReverseProxy(forward).ServeHTTP(w, r)
	})
	for _, product := range stripeapi.Products() {
		if _, err := box.Call(t.Context(), http.MethodPost, "/v1/products", url.Values{"id": {product[0]}, "name": {product[1]}}); err != nil {
			t.Fatal(err)
		}
	}
	ctx, end := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { defer close(ended); _ = box.Run(ctx) }()
	t.Cleanup(func() { end(); <-ended })
	return server.URL + "/sandbox", func(address string) { to.Store(address) }
}

const (
	privacySecret  = "0123456789abcdef0123456789abcdef"
	privacyArticle = "uk-defense-secretary-troops"
)

// nowhere fails where one of several texts stands in the database, in Redis or
// in the log, whatever its case.
func (r *running) nowhere(t *testing.T, when string, texts ...string) {
	t.Helper()
	for place, all := range map[string]string{"the database": stored(t, r), "Redis": r.cached(t), "the log": r.stdout.String() + r.stderr.String()} {
		for _, text := range texts {
			if i := strings.Index(strings.ToLower(all), strings.ToLower(text)); i >= 0 {
				t.Errorf("%s %s has %q: …%.400s", when, place, text, all[max(0, i-200):])
			}
		}
	}
}

// cached returns every key of the service's Redis and what is in it.
func (r *running) cached(t *testing.T) string {
	t.Helper()
	var all strings.Builder
	r.keys(t, func(client redis.UniversalClient, key string) {
		raw, err := client.Dump(t.Context(), key).Result()
		if err != nil && !errors.Is(err, redis.Nil) { // it ended meanwhile
			t.Fatal(err)
		}
		values, _ := client.HGetAll(t.Context(), key).Result() // an error where it is no hash
		text, _ := client.Get(t.Context(), key).Result()       // an error where it is no text
		fmt.Fprintln(&all, key, raw, values, text)
	})
	return all.String()
}

func (r *running) keys(t *testing.T, f func(redis.UniversalClient, string)) {
	t.Helper()
	address, _ := r.lookup("REDIS_URL")
	client, err := redisdb.Open(address)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	keys := client.Scan(t.Context(), 0, "*", 1000).Iterator()
	n := 0
	for ; keys.Next(t.Context()); n++ {
		f(client, keys.Val())
	}
	if err := keys.Err(); err != nil || n == 0 {
		t.Fatalf("%d keys in Redis, %v", n, err)
	}
}

// open opens the service's database beside it.
func (r *running) open(t *testing.T) *store.Store {
	t.Helper()
	address, _ := r.lookup("DATABASE_URL")
	db, err := store.Open(address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// A reader is a browser of somebody's, with cookies.
type reader struct {
	*http.Client
	url string
}

func (r *running) reader(t *testing.T) reader {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return reader{&http.Client{Jar: jar, CheckRedirect: browser.CheckRedirect}, r.url}
}

// send sends a request, with a form if there is one.
func (b reader) send(t *testing.T, path string, form url.Values) (status int, location, text string) {
	t.Helper()
	method, body := http.MethodGet, ""
	if form != nil {
		method, body = http.MethodPost, form.Encode()
	}
	if !strings.HasPrefix(path, "http") {
		path = b.url + path
	}
	request, err := http.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Accept", "text/html")
	if form != nil {
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		request.Header.Set("Origin", b.url)
	}
	answer, err := b.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	all, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, answer.Header.Get("Location"), string(all)
}

// signIn signs a reader in by the code that is mailed.
func (r *running) signIn(t *testing.T, db *store.Store, address string) reader {
	t.Helper()
	b := r.reader(t)
	b.send(t, "/account/sign-in", url.Values{"address": {address}})
	keys, code := signin.New([][]byte{[]byte(privacySecret)}), ""
	eventually(t, "the code is mailed", func() bool {
		mails, err := db.MailsTo(t.Context(), address)
		for _, m := range mails {
			if m.Kind == "sign_in" {
				code = keys.Code(signin.Account, m.Subject)
			}
		}
		return err == nil && code != ""
	})
	if status, to, text := b.send(t, "/account/code", url.Values{"code": {code}}); status != http.StatusSeeOther || to != "/account" {
		t.Fatalf("signing in: %d to %q: %s", status, to, text)
	}
	return b
}

// TestErasedEverywhere erases a reader by their own hand, in the whole service:
// afterwards no column, no key in Redis and no line of the log has a text of
// theirs, and what Stripe says later of the same customer brings none back.
func TestErasedEverywhere(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, r *running) {
		db := r.open(t)
		wish := map[string]any{
			"amount_minor": 1500, "currency": "eur", "interval": "once", "article": privacyArticle, "name": "Annabella Secret", "message": "Greetings from Zhmerynka",
			"return_url": r.url + "/",
		}
		r.give(t, wish, "Ann.Secret@example.org")
		wish["interval"] = "month"
		r.give(t, wish, "ann.secret@example.org")
		wish["name"], wish["message"] = "Bob", "From Bob"
		r.give(t, wish, "bob@example.org")
		eventually(t, "both are counted", func() bool { return r.supporters(t, privacyArticle) == 2 })
		eventually(t, "both gifts of hers are there", func() bool {
			gifts, err := db.GiftsOf(t.Context(), "ann.secret@example.org")
			members, failed := db.MembershipsOf(t.Context(), "ann.secret@example.org")
			return err == nil && failed == nil && len(gifts) == 2 && len(members) == 1
		})
		members, err := db.MembershipsOf(t.Context(), "ann.secret@example.org")
		if err != nil {
			t.Fatal(err)
		}
		b := r.signIn(t, db, "ann.secret@example.org")
		b.send(t, "/account/choices", url.Values{"public": {"1"}, "name": {"Annabella S."}})
		var record privacy.Record
		_, _, file := b.send(t, "/account/data.json", nil)
		if err := json.Unmarshal([]byte(file), &record); err != nil || len(record.Donations) != 2 || len(record.Checkouts) != 2 || !strings.Contains(file, "Zhmerynka") || strings.Contains(file, "bob@") {
			t.Errorf("her file: %v\n%.2000s", err, file)
		}
		if status, to, text := b.send(t, "/account/erase", url.Values{"sure": {"1"}}); status != http.StatusSeeOther || to != "/account?done=erased" {
			t.Fatalf("erasing: %d to %q: %s", status, to, text)
		}
		eventually(t, "the customer is deleted at Stripe", func() bool {
			left, err := db.ErasedCustomers(context.Background(), "", 10)
			return err == nil && len(left) == 0
		})
		hers := []string{"ann.secret@example.org", "Annabella", "Zhmerynka"}
		r.nowhere(t, "after the erasure", hers...)

		// What Stripe says afterwards, of the customer and of a payment of theirs.
		now := time.Now().Unix()
		for i, object := range []string{
			`{"id":"` + members[0].Customer + `","object":"customer","email":"ann.secret@example.org","name":"Annabella Secret","metadata":{}}`,
			`{"id":"ch_late","object":"charge","created":` + fmt.Sprint(now) + `,"amount_captured":1500,"currency":"eur","status":"succeeded","customer":"` + members[0].Customer +
				`","billing_details":{"email":"ann.secret@example.org","name":"Annabella Secret"},"metadata":{"support_v":"1"}}`,
		} {
			kind := []string{"customer.updated", "charge.succeeded"}[i]
			event := fmt.Sprintf(`{"id":"evt_late%d","object":"event","type":%q,"api_version":"2023-10-16","created":%d,"livemode":false,"data":{"object":%s}}`, i, kind, now, object)
			if !deliver(t, r.url, hookSecret, event) {
				t.Fatalf("the late event %d is not taken", i)
			}
		}
		eventually(t, "what Stripe says later is recorded", func() bool {
			_, err := db.DonationByKey(t.Context(), "ch_late")
			return err == nil
		})
		r.nowhere(t, "after late events", hers...)
		if text := stored(t, r); !strings.Contains(text, "bob@example.org") || !strings.Contains(text, "From Bob") {
			t.Error("the other reader is gone too")
		}
		if got := r.supporters(t, privacyArticle); got != 2 {
			t.Errorf("%d supporters after it", got)
		}
		if code, drifts, stderr := runCommand(t, r.lookup, "verify"); code != exitOK {
			t.Errorf("verify: exit %d\n%s%s", code, drifts, stderr)
		}
	})
}

var (
	inputTag  = regexp.MustCompile(`<input ([^>]*)>`)
	attribute = regexp.MustCompile(`(\w+)="([^"]*)"`)
)

// TestKeptOutOfSight gives as somebody whom it would endanger to be known: the
// name that was typed is nowhere from the first moment on, and the address is
// nowhere once the stated time has passed.
func TestKeptOutOfSight(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, r *running) {
		db := r.open(t)
		b := r.reader(t)
		_, _, page := b.send(t, "/support?article="+privacyArticle, nil)
		form := url.Values{"name": {"Annabella Secret"}, "message": {"From Annabella"}, "public": {"1"}, "discreet": {"1"}, "currency": {"EUR"}}
		for _, tag := range inputTag.FindAllString(page, -1) {
			fields := map[string]string{}
			for _, pair := range attribute.FindAllStringSubmatch(tag, -1) {
				fields[pair[1]] = pair[2]
			}
			if fields["type"] == "hidden" || fields["type"] == "radio" && strings.Contains(tag, " checked") {
				form.Set(fields["name"], fields["value"])
			}
		}
		status, pay, text := b.send(t, "/support", form)
		if status != http.StatusSeeOther {
			t.Fatalf("the form: %d %s", status, text)
		}
		if status, _, text := b.send(t, pay, url.Values{"email": {"ann.secret@example.org"}, "outcome": {"paid"}}); status != http.StatusSeeOther {
			t.Fatalf("paying: %d %s", status, text)
		}
		eventually(t, "the gift counts", func() bool { return r.supporters(t, privacyArticle) == 1 })
		r.nowhere(t, "at once", "Annabella")
		if chosen, _, err := db.ChoicesOf(t.Context(), "ann.secret@example.org"); err != nil || !chosen.Discreet || chosen.Public {
			t.Errorf("the choices are %+v, %v", chosen, err)
		}

		settings, err := config.Load(r.lookup)
		if err != nil {
			t.Fatal(err)
		}
		timer := newPrivacy(settings, r.url, db, newBook(settings, db), slog.New(slog.DiscardHandler))
		for _, round := range []struct {
			after time.Duration
			known bool
		}{{privacy.KeepDiscreet - time.Hour, true}, {privacy.KeepDiscreet + time.Hour, false}} {
			timer.Now = func() time.Time { return time.Now().Add(round.after) }
			if err := timer.EraseDiscreet(t.Context()); err != nil {
				t.Fatal(err)
			}
			if is, err := db.KnownAddress(t.Context(), "ann.secret@example.org"); err != nil || is != round.known {
				t.Errorf("after %s known: %v, %v", round.after, is, err)
			}
		}
		r.nowhere(t, "after the stated time", "ann.secret@example.org", "Annabella")
		if got := r.supporters(t, privacyArticle); got != 1 {
			t.Errorf("%d supporters after it", got)
		}
		if code, before, stderr := runCommand(t, r.lookup, "verify"); code != exitOK {
			t.Errorf("verify: exit %d\n%s%s", code, before, stderr)
		}
	})
}

// TestNetworksAreForgotten: an address of the network stands nowhere, and what
// is counted under a hash of it ends within days.
func TestNetworksAreForgotten(t *testing.T) {
	t.Parallel()
	r := start(t, environment(t, map[string]string{
		"REDIS_URL": testenv.Redis(t), "SUPPORT_TRUSTED_PROXIES": "127.0.0.0/8", "SUPPORT_TIMEZONE": "UTC",
	}))
	eventually(t, "the count is known", func() bool { return r.supporters(t, privacyArticle) == 0 })
	const network = "203.0.113.77"
	wish := map[string]any{"amount_minor": 1500, "currency": "eur", "interval": "once", "article": privacyArticle}
	if status, _, text := call(t, "POST", r.url+"/v1/checkouts", wish, "X-Forwarded-For", network); status != http.StatusCreated {
		t.Fatalf("a checkout: %d %s", status, text)
	}
	call(t, "POST", r.url+"/account/sign-in", url.Values{"address": {"ann@example.org"}}, "X-Forwarded-For", network, "Origin", r.url)
	r.nowhere(t, "after a checkout and a sign-in", network)
	counted := 0
	r.keys(t, func(client redis.UniversalClient, key string) {
		if !strings.Contains(key, "limits") && !strings.Contains(key, "risk") {
			return
		}
		counted++
		if left, err := client.TTL(t.Context(), key).Result(); err != nil || left <= 0 || left > 48*time.Hour {
			t.Errorf("%s is kept for %s, %v", key, left, err)
		}
	})
	if counted == 0 {
		t.Error("nothing is counted in Redis")
	}
}

// stored returns everything in a service's database as text, bodies unpacked.
func stored(t *testing.T, r *running) string {
	t.Helper()
	address, _ := r.lookup("DATABASE_URL")
	driver, list := "pgx", `SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' AND table_type = 'BASE TABLE'`
	if file, ok := strings.CutPrefix(address, "sqlite:"); ok {
		driver, address, list = "sqlite", file, `SELECT name FROM sqlite_master WHERE type = 'table'`
	}
	db, err := sql.Open(driver, address)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var all strings.Builder
	tables := column(t, db, list)
	if len(tables) < 20 {
		t.Fatalf("only %d tables are searched", len(tables))
	}
	for _, table := range tables {
		eachRow(t, db, table, func(row []any) {
			for _, value := range row {
				if raw, ok := value.([]byte); ok {
					if body, err := ledger.Unpack(raw); err == nil {
						raw = body
					}
					value = string(raw)
				}
				fmt.Fprint(&all, value, " ")
			}
			all.WriteByte('\n')
		})
	}
	return all.String()
}

// eachRow calls f with each row of a table.
func eachRow(t *testing.T, db *sql.DB, table string, f func(row []any)) {
	t.Helper()
	rows, err := db.Query(`SELECT * FROM "` + table + `"`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	for rows.Next() {
		row, into := make([]any, len(columns)), make([]any, len(columns))
		for i := range row {
			into[i] = &row[i]
		}
		if err := rows.Scan(into...); err != nil {
			t.Fatal(err)
		}
		f(row)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
}

// column returns the one column of a query, sorted.
func column(t *testing.T, db *sql.DB, query string) (values []string) {
	t.Helper()
	rows, err := db.Query(query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var value string
		if err := rows.Scan(&value); err != nil {
			t.Fatal(err)
		}
		values = append(values, value)
	}
	slices.Sort(values)
	return values
}
