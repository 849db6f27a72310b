package account_test

import (
	"math"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/united24media/support/internal/signin"
)

func TestSignInByLinkAndByCode(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	const ann = "ann@example.org"
	w.give(t, ann, "once", 2500)
	b := w.browser(t)
	got := b.post("/account/sign-in", "address", " "+ann+" ")
	if got.status != http.StatusSeeOther || got.location != "/account/code" {
		t.Fatalf("asking answers %d to %q", got.status, got.location)
	}
	cookie := got.header.Get("Set-Cookie")
	for _, want := range []string{"support_browser=", "HttpOnly", "SameSite=Lax", "Path=/"} {
		if !strings.Contains(cookie, want) {
			t.Errorf("the cookie has no %s: %s", want, cookie)
		}
	}
	id := w.mailed(t, ann)
	link := signin.AccountPath + "?token=" + w.keys.Token(signin.Account, id)

	// A scanner opens the link, and presses the button.
	scanner := w.browser(t)
	for range 3 {
		for _, method := range []string{http.MethodHead, http.MethodGet} {
			if got := scanner.send(method, link, nil); got.status != http.StatusOK || len(got.header.Values("Set-Cookie")) > 0 {
				t.Errorf("%s of the link by a scanner: %d, %v", method, got.status, got.header)
			}
		}
		got := scanner.post(signin.AccountPath, "token", w.keys.Token(signin.Account, id))
		if got.status != http.StatusUnprocessableEntity || !strings.Contains(got.text, `name="code"`) || strings.Contains(got.text, ann) {
			t.Errorf("a scanner's press answers %d: %s", got.status, got.text)
		}
	}
	if got := b.get(link); got.status != http.StatusOK || !strings.Contains(got.text, ann) {
		t.Errorf("the link in the browser that asked: %d", got.status)
	}
	got = b.post(signin.AccountPath, "token", w.keys.Token(signin.Account, id))
	if got.status != http.StatusSeeOther || got.location != "/account" || !strings.Contains(strings.Join(got.header.Values("Set-Cookie"), "\n"), "support_account=") {
		t.Fatalf("the press answers %d to %q", got.status, got.location)
	}
	if got := b.get("/account"); !strings.Contains(got.text, "€25") {
		t.Errorf("the first page does not show the gift: %s", got.text)
	}
	if got := b.post(signin.AccountPath, "token", w.keys.Token(signin.Account, id)); got.status != http.StatusNotFound {
		t.Errorf("a link opens twice: %d", got.status)
	}

	// The code on the page where one asked, and the code with the link elsewhere.
	b = w.browser(t)
	b.post("/account/sign-in", "address", ann)
	second := w.mailed(t, ann, id)
	if got := b.post("/account/code", "code", w.keys.Code(signin.Account, second)); got.status != http.StatusSeeOther {
		t.Errorf("the code in the browser that asked: %d", got.status)
	}
	b.post("/account/sign-out")
	if got := b.get("/account"); !strings.Contains(got.text, `name="address"`) {
		t.Error("signed out, and still in")
	}
	b.post("/account/sign-in", "address", ann)
	third := w.mailed(t, ann, id, second)
	phone := w.browser(t)
	code := w.keys.Code(signin.Account, third)
	if got := phone.post(signin.AccountPath, "token", w.keys.Token(signin.Account, third), "code", code[:3]+" "+code[3:]); got.status != http.StatusSeeOther {
		t.Errorf("the link and the code in another browser: %d", got.status)
	}
	if got := w.browser(t).post("/account/code", "code", code); got.status != http.StatusUnprocessableEntity {
		t.Errorf("the code alone: %d", got.status)
	}
}

func TestWhatDoesNotOpen(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	const ann = "ann@example.org"
	w.give(t, ann, "once", 2500)
	b := w.browser(t)
	b.post("/account/sign-in", "address", ann)
	id := w.mailed(t, ann)
	token, code := w.keys.Token(signin.Account, id), w.keys.Code(signin.Account, id)
	wrong := "000000"
	if code == wrong {
		wrong = "111111"
	}
	for i := range 3 {
		if got := b.post("/account/code", "code", wrong); got.status != http.StatusUnprocessableEntity {
			t.Errorf("wrong code %d: %d", i, got.status)
		}
	}
	if got := b.post("/account/code", "code", code); got.status != http.StatusUnprocessableEntity {
		t.Errorf("the right code after three wrong ones: %d", got.status)
	}
	for name, token := range map[string]string{
		"staff's": w.keys.Token(signin.Staff, id), "none's": w.keys.Token(signin.Account, "none"), "garbage": "x", "nothing": "",
	} {
		if got := b.post(signin.AccountPath, "token", token); got.status != http.StatusNotFound {
			t.Errorf("%s token: %d", name, got.status)
		}
	}
	w.later(10 * time.Minute)
	if got := b.post(signin.AccountPath, "token", token); got.status != http.StatusNotFound {
		t.Errorf("after ten minutes: %d", got.status)
	}
	if got := b.get(signin.AccountPath + "?token=" + token); got.status != http.StatusNotFound {
		t.Errorf("the page after ten minutes: %d", got.status)
	}
	for _, address := range []string{"", "ann", "ann@", "@example.org", "ann@example", "ann@example.org, bob@example.org", "Ann <ann@example.org>", "a\r\nBcc: b@example.org", strings.Repeat("a", 300) + "@example.org"} {
		if got := b.post("/account/sign-in", "address", address); got.status != http.StatusUnprocessableEntity || !strings.Contains(got.text, `href="#address"`) {
			t.Errorf("the address %q: %d", address, got.status)
		}
	}
}

// Of any number of presses at once, one opens.
func TestALinkOpensOnce(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	w.give(t, "ann@example.org", "once", 2500)
	b := w.browser(t)
	b.post("/account/sign-in", "address", "ann@example.org")
	token := w.keys.Token(signin.Account, w.mailed(t, "ann@example.org"))
	var opened atomic.Int32
	var all sync.WaitGroup
	for range 16 {
		all.Go(func() {
			if got := b.post(signin.AccountPath, "token", token); got.status == http.StatusSeeOther {
				opened.Add(1)
			}
		})
	}
	all.Wait()
	if opened.Load() != 1 {
		t.Errorf("%d of 16 presses opened", opened.Load())
	}
}

func TestSessionsEnd(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	const ann = "ann@example.org"
	w.give(t, ann, "once", 2500)
	in := func(b *browser) bool { return strings.Contains(b.get("/account").text, "€25") }
	a := w.signIn(t, ann)
	b := w.browser(t)
	b.post("/account/sign-in", "address", ann)
	b.post(signin.AccountPath, "token", w.keys.Token(signin.Account, w.mailed(t, ann, w.used...)))
	if !in(a) || !in(b) {
		t.Fatal("two browsers are not in")
	}
	if got := a.post("/account/sign-out-everywhere"); got.location != "/account?done=out" || in(a) || in(b) {
		t.Errorf("signed out everywhere, and still in: %q, %v, %v", got.location, in(a), in(b))
	}
	idle := w.signIn(t, ann)
	w.later(13 * 24 * time.Hour)
	if !in(idle) {
		t.Error("after 13 days nobody is in any more")
	}
	for range 5 { // it is used
		w.later(10 * 24 * time.Hour)
		in(idle)
	}
	if in(idle) {
		t.Error("a session outlives 60 days")
	}
	idle = w.signIn(t, ann)
	w.later(15 * 24 * time.Hour)
	if in(idle) {
		t.Error("a session outlives 15 days without use")
	}
}

// The answer to an address with gifts and to one without is the same, and
// takes as long. Both run the same code until the answer is written: only
// later, behind it, somebody looks whether there are gifts.
func TestTheAnswerTellsNothing(t *testing.T) {
	w := newTown(t)
	const known, unknown = "known@example.org", "nobody@example.org"
	w.give(t, known, "month", 1000)
	const tries = 1000 // of both together
	times := map[string][]time.Duration{}
	texts := map[string]map[string]bool{known: {}, unknown: {}}
	b := w.browser(t)
	for i := range tries {
		address := known
		if i%2 == 1 { // taking turns, so that both meet the same machine
			address = unknown
		}
		begin := time.Now()
		got := b.post("/account/sign-in", "address", address)
		times[address] = append(times[address], time.Since(begin))
		b.Jar.SetCookies(must(url.Parse(w.URL)), []*http.Cookie{{Name: "support_browser", MaxAge: -1}})
		got.header.Del("Date")
		got.header.Del("X-Request-Id")
		for _, cookie := range got.header.Values("Set-Cookie") {
			_, rest, _ := strings.Cut(cookie, ";")
			texts[address][rest] = true
		}
		got.header.Del("Set-Cookie")
		var lines []string
		for name, values := range got.header {
			lines = append(lines, name+": "+strings.Join(values, ","))
		}
		slices.Sort(lines)
		texts[address][http.StatusText(got.status)+strings.Join(lines, "\n")+got.text] = true
	}
	if len(texts[known]) != len(texts[unknown]) {
		t.Errorf("%d answers to one, %d to the other", len(texts[known]), len(texts[unknown]))
	}
	for text := range texts[known] {
		if !texts[unknown][text] {
			t.Errorf("only an address with gifts is answered %q", text)
		}
	}
	// Mann and Whitney's test asks whether one of two samples tends to be
	// larger; a few slow answers of a busy machine don't move it.
	z := rankTest(times[known], times[unknown])
	t.Logf("median %v with gifts, %v without; z = %.2f", median(times[known]), median(times[unknown]), z)
	if math.Abs(z) > 4.5 { // by chance once in 150,000 runs
		t.Errorf("the time tells the two apart: z = %.2f", z)
	}
	// And the known one was mailed all the same, the other never.
	w.mailed(t, known)
	mails, err := w.Store.MailBefore(t.Context(), "", time.Time{}, "", tries)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range mails {
		if m.To == unknown {
			t.Error("somebody without gifts is mailed")
		}
	}
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

func median(of []time.Duration) time.Duration {
	sorted := slices.Sorted(slices.Values(of))
	return sorted[len(sorted)/2]
}

// rankTest returns the normal score of Mann and Whitney's U for two samples.
func rankTest(a, b []time.Duration) float64 {
	type value struct {
		d    time.Duration
		ours bool
	}
	var all []value
	for _, d := range a {
		all = append(all, value{d, true})
	}
	for _, d := range b {
		all = append(all, value{d, false})
	}
	slices.SortFunc(all, func(x, y value) int { return int(x.d - y.d) })
	sum := 0.0
	for i, v := range all {
		if v.ours {
			sum += float64(i + 1)
		}
	}
	n, m := float64(len(a)), float64(len(b))
	u := sum - n*(n+1)/2
	return (u - n*m/2) / math.Sqrt(n*m*(n+m+1)/12)
}

func TestDestinations(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	w.give(t, "ann@example.org", "month", 1000)
	for to, want := range map[string]string{
		"/account/choices": "/account/choices", site + "/a?b": "/account/connect?return_url=https%3A%2F%2Fnews.example%2Fa%3Fb",
		"https://evil.example/": "/account", "//evil.example/": "/account", "/account/\\evil": "/account", "/staff": "/account",
		"javascript:alert(1)": "/account", "/account/../staff\r\nX: y": "/account",
	} {
		b := w.browser(t)
		b.post("/account/sign-in", "address", "ann@example.org", "to", to)
		var got answer
		for end := time.Now().Add(20 * time.Second); time.Now().Before(end) && got.status != http.StatusSeeOther; {
			got = b.post(signin.AccountPath, "token", w.keys.Token(signin.Account, w.mailed(t, "ann@example.org")))
		}
		if got.location != want {
			t.Errorf("with the wish to go to %q one comes to %q", to, got.location)
		}
	}
	b := w.browser(t)
	if got := b.get("/account/choices"); got.location != "/account?to=%2Faccount%2Fchoices" {
		t.Errorf("before the sign-in one is led to %q", got.location)
	}
	if got := b.post("/account/choices", "name", "x"); got.location != "/account" {
		t.Errorf("a form before the sign-in leads to %q", got.location)
	}
}

// A form of another site changes nothing, also with the cookies that a browser
// might send along.
func TestFormsOfOtherSites(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	w.give(t, "ann@example.org", "month", 1000)
	b := w.signIn(t, "ann@example.org")
	for _, r := range w.Routes() {
		if r.Method != http.MethodPost {
			continue
		}
		path := strings.Replace(r.Path, ":id", w.member(t, "ann@example.org"), 1)
		request := must(http.NewRequestWithContext(t.Context(), http.MethodPost, w.URL+path, strings.NewReader("when=now&months=1")))
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		request.Header.Set("Origin", "https://evil.example")
		got := must(b.Do(request))
		_ = got.Body.Close()
		if got.StatusCode != http.StatusForbidden {
			t.Errorf("POST %s from another site: %d", path, got.StatusCode)
		}
	}
}
