package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/united24media/support/internal/giving"
	"github.com/united24media/support/internal/store"
)

// patience is how long a test waits for what happens by itself.
const patience = 20 * time.Second

// A running is a service that was started as main starts it.
type running struct {
	url    string // of the public listener
	lookup func(string) (string, bool)
	stop   context.CancelFunc // what SIGTERM does
	exit   chan int
	stdout *output
	stderr *output
}

// An output can be read while it is written.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

var supportPage = regexp.MustCompile(`Support page +(\S+)/support\n`)

// start runs `support serve` on free ports and waits until it says where.
func start(t *testing.T, lookup func(string) (string, bool)) *running {
	t.Helper()
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	r := &running{lookup: lookup, stop: stop, exit: make(chan int, 1), stdout: &output{}, stderr: &output{}}
	go func() { r.exit <- run(ctx, nil, lookup, r.stdout, r.stderr) }()
	t.Cleanup(func() {
		stop()
		if t.Failed() {
			t.Logf("its log:\n%s", r.stderr)
		}
	})
	eventually(t, "the service says where it is", func() bool {
		if found := supportPage.FindStringSubmatch(r.stdout.String()); found != nil {
			r.url = found[1]
		}
		return r.url != ""
	})
	return r
}

// end stops the service and returns its exit code.
func (r *running) end(t *testing.T) int {
	t.Helper()
	r.stop()
	select {
	case code := <-r.exit:
		return code
	case <-time.After(patience):
		t.Fatal("the service does not end")
		return 0
	}
}

// eventually waits until something is so.
func eventually(t *testing.T, what string, so func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !so(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("never: %s", what)
		}
	}
}

// browser follows no redirect, so that a test sees each.
var browser = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}

// call returns the answer to a request; body is sent as JSON, or as a form if
// it is url.Values.
func call(t *testing.T, method, address string, body any, headers ...string) (status int, header http.Header, text string) {
	t.Helper()
	kind, content := "application/json", ""
	switch b := body.(type) {
	case nil:
	case url.Values:
		kind, content = "application/x-www-form-urlencoded", b.Encode()
	default:
		encoded, err := json.Marshal(b)
		if err != nil {
			t.Fatal(err)
		}
		content = string(encoded)
	}
	request, err := http.NewRequestWithContext(t.Context(), method, address, strings.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	if body != nil {
		request.Header.Set("Content-Type", kind)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	answer, err := browser.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	all, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, answer.Header, string(all)
}

// supporters returns the public count of an article, -1 while it is not known.
func (r *running) supporters(t *testing.T, article string) int {
	t.Helper()
	_, _, text := call(t, "GET", r.url+"/v1/supporters?article="+article, nil)
	var answer struct{ Supporters *int }
	if err := json.Unmarshal([]byte(text), &answer); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	if answer.Supporters == nil {
		return -1
	}
	return *answer.Supporters
}

// give walks through a gift as a reader's browser would, and returns where it
// ends.
func (r *running) give(t *testing.T, wish map[string]any, email string) (thanks string) {
	t.Helper()
	status, _, text := call(t, "POST", r.url+"/v1/checkouts", wish)
	var opened struct{ ID, URL string }
	if err := json.Unmarshal([]byte(text), &opened); err != nil || status != http.StatusCreated {
		t.Fatalf("opening a checkout: %d %s", status, text)
	}
	status, header, text := call(t, "POST", opened.URL, url.Values{"email": {email}, "outcome": {"paid"}})
	if status != http.StatusSeeOther || !strings.HasPrefix(header.Get("Location"), r.url+"/thanks?") {
		t.Fatalf("paying: %d to %q: %s", status, header.Get("Location"), text)
	}
	return header.Get("Location")
}

// TestReaderGives is the whole flow over HTTP: the ask, a gift once and a
// monthly one, the count, the thanks, the report.
func TestReaderGives(t *testing.T) {
	t.Parallel()
	r := start(t, environment(t, map[string]string{"SUPPORT_TIMEZONE": "UTC"}))
	const article = "uk-defense-secretary-troops"
	eventually(t, "the count is known", func() bool { return r.supporters(t, article) == 0 })

	_, _, text := call(t, "GET", r.url+"/v1/ask?article="+article+"&placement=end", nil)
	var ask struct {
		Show  bool
		Token string
	}
	if err := json.Unmarshal([]byte(text), &ask); err != nil || !ask.Show || ask.Token == "" {
		t.Fatalf("ask: %v: %s", err, text)
	}
	wish := map[string]any{"amount_minor": 1500, "currency": "eur", "interval": "once", "article": article, "placement": "end", "token": ask.Token}
	thanks := r.give(t, wish, "ann@example.org")
	eventually(t, "the count goes up", func() bool { return r.supporters(t, article) == 1 })
	if status, _, page := call(t, "GET", thanks, nil); status != 200 || strings.Contains(page, "ann@example.org") {
		t.Errorf("thanks: %d, or it tells who gave:\n%s", status, page)
	}

	wish["interval"] = "month"
	r.give(t, wish, "bob@example.org")
	eventually(t, "the count goes up again", func() bool { return r.supporters(t, article) == 2 })

	_, token, _ := runCommand(t, r.lookup, "token", "create", "desk")
	today := time.Now().UTC()
	query := fmt.Sprintf("?by=interval&from=%s&to=%s", today.AddDate(0, 0, -1).Format(time.DateOnly), today.AddDate(0, 0, 2).Format(time.DateOnly))
	status, _, text := call(t, "GET", r.url+"/v1/reports/donations"+query, nil, "Authorization", "Bearer "+strings.TrimSpace(token))
	var report struct {
		Rows []struct {
			Key, Currency string
			Donations     int
			Gross         int `json:"gross_minor"`
			New           int `json:"new_supporters"`
		}
	}
	if err := json.Unmarshal([]byte(text), &report); err != nil || status != 200 {
		t.Fatalf("report: %d %v: %s", status, err, text)
	}
	gross := map[string]int{}
	for _, row := range report.Rows {
		gross[row.Key+" "+row.Currency] += row.Gross
	}
	if len(gross) != 2 || gross["once EUR"] != 1500 || gross["month EUR"] != 1500 {
		t.Errorf("report: %s", text)
	}
	code, table, _ := runCommand(t, r.lookup, "report", "--by", "article", "--from", "2020-01-01", "--to", "2120-01-01")
	if code != exitOK || !strings.Contains(table, article) || !strings.Contains(table, "30.00") {
		t.Errorf("support report beside serve: exit %d\n%s", code, table)
	}
	if code, drifts, stderr := runCommand(t, r.lookup, "verify"); code != exitOK || drifts != "" {
		t.Errorf("verify: exit %d, %s%s", code, drifts, stderr)
	}
	code, hashes, stderr := runCommand(t, r.lookup, "rebuild")
	if lines := strings.Fields(hashes); code != exitOK || len(lines) != 4 || lines[1] != lines[3] {
		t.Errorf("rebuild: exit %d, %s%s", code, hashes, stderr)
	}
	if code, told, _ := runCommand(t, r.lookup, "replay", "--parked"); code != exitOK || !strings.HasPrefix(told, "0 parked") {
		t.Errorf("replay: exit %d, %s", code, told)
	}
	if code, _, stderr := runCommand(t, r.lookup, "replay", "evt_none", "evt_none"); code != exitFailed || !strings.Contains(stderr, "1 of the 1 events are not stored") {
		t.Errorf("replay of an event that is not there: exit %d, %s", code, stderr)
	}
	if code := r.end(t); code != exitOK {
		t.Errorf("ended with %d", code)
	}
	if log := r.stderr.String(); strings.Contains(log, "@example.org") || strings.Contains(log, `"level":"ERROR"`) {
		t.Errorf("log: %s", log)
	}
}

func TestPages(t *testing.T) {
	t.Parallel()
	r := start(t, environment(t, nil))
	for _, path := range []string{"/", "/support", "/thanks?session_id=cs_test_nobody", "/nowhere"} {
		status, header, text := call(t, "GET", r.url+path, nil, "Accept", "text/html")
		if !strings.Contains(text, "Sandbox: no money moves") {
			t.Errorf("%s: %d does not say that no money moves", path, status)
		}
		if policy := header.Get("Content-Security-Policy"); !strings.Contains(policy, "default-src 'none'") || !strings.Contains(policy, "frame-ancestors 'none'") || strings.Contains(policy, "unsafe") {
			t.Errorf("%s: policy %q", path, policy)
		}
	}
	for path, want := range map[string]int{"/healthz": 200, "/readyz": 200, "/metrics": 404, "/v1/openapi.json": 200, "/v1/embed": 200, "/webhooks/stripe": 405} {
		if status, _, _ := call(t, "GET", r.url+path, nil); status != want {
			t.Errorf("%s: %d; want %d", path, status, want)
		}
	}
	if status, _, _ := call(t, "POST", r.url+"/webhooks/stripe", map[string]any{"id": "evt_1"}); status != 400 {
		t.Errorf("an unsigned webhook: %d", status)
	}
}

func TestSecondServeOnOneFileIsRefused(t *testing.T) {
	t.Parallel()
	r := start(t, environment(t, nil))
	code, _, stderr := runCommand(t, r.lookup, "serve")
	if code != exitFailed || !strings.Contains(stderr, "served by another process") {
		t.Errorf("exit %d, %q", code, stderr)
	}
	if code := r.end(t); code != exitOK {
		t.Errorf("the first ended with %d", code)
	}
	again := start(t, r.lookup) // what it held is given back
	if code := again.end(t); code != exitOK {
		t.Errorf("started again, it ended with %d", code)
	}
}

// TestServeWaitsForItsDatabase starts without one: the service lives, is not
// ready, shows no count, and takes no event.
func TestServeWaitsForItsDatabase(t *testing.T) {
	t.Parallel()
	addr := freeAddr(t)
	lookup := environment(t, map[string]string{
		"DATABASE_URL": "postgres://127.0.0.1:1/none?connect_timeout=1", "SUPPORT_SECRET": strings.Repeat("s", 32), "SUPPORT_ADDR": addr,
		"STRIPE_SECRET_KEY": "sk_test_x", "STRIPE_WEBHOOK_SECRET": "whsec_0123456789abcdef0123456789abcdef",
	})
	r := &running{url: "http://" + addr, exit: make(chan int, 1), stdout: &output{}, stderr: &output{}}
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	r.stop = stop
	go func() { r.exit <- run(ctx, nil, lookup, r.stdout, r.stderr) }()
	eventually(t, "it answers", func() bool {
		answer, err := http.Get(r.url + "/healthz")
		if err == nil {
			answer.Body.Close()
		}
		return err == nil
	})
	if status, _, _ := call(t, "GET", r.url+"/readyz", nil); status != 503 {
		t.Errorf("ready without a database: %d", status)
	}
	if count := r.supporters(t, "x"); count != -1 {
		t.Errorf("%d supporters; nobody can know", count)
	}
	if status, _, text := call(t, "GET", r.url+"/v1/ask?article=x", nil); status != 200 || !strings.Contains(text, `"show":true`) {
		t.Errorf("ask: %d %s", status, text)
	}
	if code := r.end(t); code != exitOK {
		t.Errorf("ended with %d", code)
	}
}

// freeAddr returns an address that nothing listens on.
func freeAddr(t *testing.T) string {
	t.Helper()
	ln, err := listen(t.Context(), "test", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return ln.Addr().String()
}

func TestChangedTimezoneIsTold(t *testing.T) {
	t.Parallel()
	database := map[string]string{"DATABASE_URL": "sqlite:" + filepath.Join(t.TempDir(), "support.db"), "SUPPORT_TIMEZONE": "Europe/Kyiv"}
	for zone, told := range map[string]bool{"Europe/Kyiv": false, "Asia/Tokyo": true} {
		first := start(t, environment(t, database))
		first.end(t)
		changed := maps.Clone(database)
		changed["SUPPORT_TIMEZONE"] = zone
		second := start(t, environment(t, changed))
		second.end(t)
		if got := strings.Contains(second.stderr.String(), "support rebuild"); got != told {
			t.Errorf("from Europe/Kyiv to %s: told %v", zone, got)
		}
	}
}

func TestVerifyNamesADrift(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "support.db")
	lookup := environment(t, map[string]string{"DATABASE_URL": "sqlite:" + path})
	runCommand(t, lookup, "migrate")
	db, err := store.Open("sqlite:" + path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	stray := giving.Cells{{Dimension: "all", Period: 202601, Currency: "EUR"}: {Donations: 1, Gross: 100}}
	if err := db.Ledger(t.Context(), func(tx *store.Tx) error { return tx.MoveSums(t.Context(), stray) }); err != nil {
		t.Fatal(err)
	}
	code, drifts, _ := runCommand(t, lookup, "verify")
	if code != exitFailed || strings.Count(drifts, "\n") != 1 || !strings.Contains(drifts, "202601") {
		t.Errorf("exit %d, %q", code, drifts)
	}
}

func TestListenerThatIsTaken(t *testing.T) {
	t.Parallel()
	r := start(t, environment(t, nil))
	taken := strings.TrimPrefix(r.url, "http://")
	for _, setting := range []string{"SUPPORT_ADDR", "SUPPORT_ADMIN_ADDR"} {
		code, _, stderr := runCommand(t, environment(t, map[string]string{setting: taken}), "serve")
		if code != exitFailed || !strings.Contains(stderr, setting) {
			t.Errorf("%s: exit %d, %q", setting, code, stderr)
		}
	}
}

// TestUsualAdminListenerThatIsTaken starts two services that were told nothing
// of the second listener, as replicas on one machine are.
func TestUsualAdminListenerThatIsTaken(t *testing.T) {
	t.Parallel()
	for range 2 {
		start(t, environment(t, map[string]string{"SUPPORT_ADMIN_ADDR": ""}))
	}
}
