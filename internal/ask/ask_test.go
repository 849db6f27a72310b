package ask

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/united24media/support/internal/attribution"
	"github.com/united24media/support/internal/campaign"
	"github.com/united24media/support/internal/counts"
	"github.com/united24media/support/internal/fault"
	"github.com/united24media/support/internal/i18n"
	"github.com/united24media/support/internal/offer"
	"github.com/united24media/support/internal/policy"
	"github.com/united24media/support/internal/store"
)

// A bench is a service with what it depends on in the test's hand.
type bench struct {
	*Service
	counts    *counts.Counts
	running   *campaign.Live
	policies  *policy.Live
	facts     map[string]string
	campaigns []store.Campaign
	signer    *attribution.Signer
	clock     atomic.Int64 // seconds since 1970
}

var start = time.Date(2026, 11, 23, 9, 30, 0, 0, time.UTC)

// newBench returns a service whose database holds these counts and no others.
func newBench(t testing.TB, rows ...store.ScopeCount) *bench {
	t.Helper()
	b := benchOn(t, source(rows))
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		b.counts.Run(ctx) //nolint:errcheck // nil, once ctx is done
	}()
	t.Cleanup(func() { cancel(); <-done })
	for b.counts.Snapshot().Stale() {
		runtime.Gosched()
	}
	return b
}

// benchOn returns a service that has asked its database for nothing yet.
func benchOn(t testing.TB, from counts.Source) *bench {
	t.Helper()
	b := &bench{
		counts: counts.New(counts.Options{Source: from, Log: slog.New(slog.DiscardHandler)}),
		signer: attribution.NewSigner([][]byte{[]byte("a secret of thirty-two characters")}),
	}
	b.clock.Store(start.Unix())
	b.running = campaign.NewLive(func(context.Context) ([]store.Campaign, error) { return b.campaigns, nil }, func() time.Time { return time.Unix(b.clock.Load(), 0) }, slog.New(slog.DiscardHandler))
	b.facts = map[string]string{}
	b.policies = policy.NewLive(func(_ context.Context, name string) (string, error) { return b.facts[name], nil }, slog.New(slog.DiscardHandler))
	var err error
	b.Service, err = New(Options{
		PublicURL: "https://support.example", Currency: "EUR", Counts: b.counts, Campaigns: b.running, Policies: b.policies, Signer: b.signer,
		Now: func() time.Time { return time.Unix(b.clock.Load(), 0) },
	})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// A source is the counts of a database.
type source []store.ScopeCount

func (s source) ScopesSince(_ context.Context, revision int64) ([]store.ScopeCount, error) {
	return slices.DeleteFunc(slices.Clone(s), func(c store.ScopeCount) bool { return c.Revision <= revision }), nil
}

// get answers one request and fails the test if the handler does.
func get(t testing.TB, handler func(*gin.Context) error, address string, headers ...string) *httptest.ResponseRecorder {
	t.Helper()
	w, err := try(handler, address, headers...)
	if err != nil {
		t.Fatalf("GET %s: %v", address, err)
	}
	return w
}

func try(handler func(*gin.Context) error, address string, headers ...string) (*httptest.ResponseRecorder, error) {
	w := httptest.NewRecorder()
	c, _ := gin.CreateTestContext(w)
	c.Request = httptest.NewRequest(http.MethodGet, address, nil)
	for i := 0; i < len(headers); i += 2 {
		c.Request.Header.Set(headers[i], headers[i+1])
	}
	err := handler(c)
	c.Writer.WriteHeaderNow()
	return w, err
}

// decode returns the body of an answer as JSON without a type.
func decode(t testing.TB, w *httptest.ResponseRecorder) map[string]any {
	t.Helper()
	var v map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &v); err != nil {
		t.Fatalf("%v in %s", err, w.Body)
	}
	return v
}

// dig follows names through objects: dig(v, "counts", "all").
func dig(v any, path ...string) any {
	for _, name := range path {
		v, _ = v.(map[string]any)[name], false
		if v == nil {
			return nil
		}
	}
	return v
}

func counted(scope string, supporters, members, revision int64) store.ScopeCount {
	return store.ScopeCount{Scope: scope, Supporters: supporters, Members: members, Revision: revision}
}

func TestAskForBothPlacements(t *testing.T) {
	t.Parallel()
	b := newBench(t, counted("all", 1234, 56, 1), counted("article:troops", 12, 3, 2))
	v := decode(t, get(t, b.Ask, "/v1/ask?article=troops&lang=en"))
	for path, want := range map[string]any{
		"show": true, "article": "troops", "lang": "en", "currency": "EUR", "goal": nil, "token": nil,
		"support_url":               "https://support.example/support",
		"counts.all.supporters":     1234.0,
		"counts.all.members":        56.0,
		"counts.article.scope":      "article:troops",
		"counts.article.supporters": 12.0,
		"counts.text":               "1,234 supporters, 12 because of this article",
		"placements.mid.text":       "We bring you stories from the ground. Your support keeps our team in the field.",
		"placements.mid.action":     "Donate now",
		"placements.end.text":       "Support UNITED24 Media Team. Your donation powers frontline reporting from Ukraine. United, we tell the war as it is.",
	} {
		if got := dig(v, strings.Split(path, ".")...); got != want {
			t.Errorf("%s = %v, want %v", path, got, want)
		}
	}
	for _, placement := range placements {
		token, _ := dig(v, "placements", placement, "token").(string)
		claim, err := b.signer.Verify(token, start)
		want := attribution.Claim{Article: "troops", Placement: placement, Lang: "en", Hour: attribution.Hour(start)}
		if err != nil || claim != want {
			t.Errorf("the token of %s says %+v, %v; want %+v", placement, claim, err, want)
		}
	}
}

func TestAskForOnePlacement(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	v := decode(t, get(t, b.Ask, "/v1/ask?article=troops&placement=end&campaign=winter"))
	token, _ := v["token"].(string)
	claim, err := b.signer.Verify(token, start)
	if err != nil || claim.Placement != "end" || claim.Campaign != "winter" {
		t.Errorf("the token says %+v, %v", claim, err)
	}
	if v["placements"] != nil {
		t.Error("one placement's answer has placements")
	}
}

func TestAskHidesWhatNobodyKnows(t *testing.T) {
	t.Parallel()
	v := decode(t, get(t, benchOn(t, source{}).Ask, "/v1/ask?article=troops"))
	for _, scope := range []string{"all", "article"} {
		if dig(v, "counts", scope, "supporters") != nil || dig(v, "counts", scope, "stale") != true {
			t.Errorf("%s is %v, want null and stale", scope, dig(v, "counts", scope))
		}
	}
	if text := dig(v, "counts", "text"); text != "" {
		t.Errorf("the line is %q, want none", text)
	}
}

func TestAskOffersEveryCurrency(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for _, lang := range i18n.Languages() {
		v := decode(t, get(t, b.Ask, "/v1/ask?article=troops&lang="+lang))
		for _, currency := range offer.Currencies() {
			for _, interval := range offer.Intervals() {
				list, _ := dig(v, "amounts", currency, interval).([]any)
				preset, _ := dig(v, "preset", currency, interval).(float64)
				if len(list) == 0 || int(preset) < 0 || int(preset) >= len(list) {
					t.Errorf("%s %s %s: %d suggestions, preset %v", lang, currency, interval, len(list), preset)
				}
			}
		}
	}
	v := decode(t, get(t, b.Ask, "/v1/ask?article=troops&lang=de"))
	first := dig(v, "amounts", "EUR", "once").([]any)[0]
	if first.(map[string]any)["text"] != "10\u00a0€" || first.(map[string]any)["amount"] != "10" || first.(map[string]any)["amount_minor"] != 1000.0 {
		t.Errorf("the first suggestion is %v", first)
	}
}

func TestAskCurrencyAndLanguage(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	tests := map[string]struct{ query, lang, currency string }{
		"the country decides":          {"lang=en&country=ch", "en", "CHF"},
		"else the language":            {"lang=uk-UA", "uk", "UAH"},
		"else the setting":             {"lang=en", "en", "EUR"},
		"Russian gets English":         {"lang=ru", "en", "EUR"},
		"a language we do not have":    {"lang=ar-EG", "en", "EUR"},
		"a country without an own one": {"country=IN&lang=de", "de", "EUR"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := decode(t, get(t, b.Ask, "/v1/ask?article=a&"+tt.query))
			if v["lang"] != tt.lang || v["currency"] != tt.currency {
				t.Errorf("%s: %v and %v, want %s and %s", tt.query, v["lang"], v["currency"], tt.lang, tt.currency)
			}
		})
	}
}

func TestRefusedQueries(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	tests := map[string]struct {
		handler func(*gin.Context) error
		query   string
		field   string
	}{
		"no article":              {b.Ask, "", "article"},
		"an empty article":        {b.Ask, "article=", "article"},
		"an article with a space": {b.Ask, "article=a+b", "article"},
		"too long a slug":         {b.Ask, "article=" + strings.Repeat("a", 201), "article"},
		"not UTF-8":               {b.Ask, "article=%ff", "article"},
		"an unknown placement":    {b.Ask, "article=a&placement=top", "placement"},
		"one given twice":         {b.Ask, "article=a&article=b", "article"},
		"a country in words":      {b.Ask, "article=a&country=France", "country"},
		"no language":             {b.Ask, "article=a&lang=%3Cscript%3E", "lang"},
		"an empty tag":            {b.Ask, "article=a&tags=x,,y", "tags"},
		"badly escaped":           {b.Ask, "article=%zz", ""},
		"too long":                {b.Ask, "article=a&tags=" + strings.Repeat("a", 3000), ""},
		"two scopes":              {b.Supporters, "article=a&campaign=b", "campaign"},
		"an unknown theme":        {b.Picture, "theme=pink", "theme"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, err := try(tt.handler, "/?"+tt.query)
			refused, ok := errors.AsType[*fault.Error](err)
			if !ok || refused.Kind != fault.Invalid || refused.Field != tt.field {
				t.Fatalf("got %v, want one about %q", err, tt.field)
			}
			if w.Body.Len() > 0 {
				t.Errorf("something was written before the error: %s", w.Body)
			}
		})
	}
}

// A CDN's parameter, or one against caches, must not turn the ask off, nor fill
// the memory of answers.
func TestUnknownParametersArePassedOver(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for name, tt := range map[string]struct {
		handler func(*gin.Context) error
		known   string
		table   *table
	}{
		"asks":     {b.Ask, "article=a&lang=uk", b.asks},
		"counts":   {b.Supporters, "article=a", b.scopes},
		"all":      {b.Supporters, "", b.scopes},
		"pictures": {b.Picture, "theme=dark&campaign=a", b.pictures},
	} {
		want, err := try(tt.handler, "/?"+tt.known)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		before := tt.table.held()
		for _, more := range []string{"utm_source=x&utm_source=y", "_=1", "_=2", "fbclid", "x=%zz&&", "%zz=1", "a;b"} {
			w, err := try(tt.handler, "/?"+more+"&"+tt.known)
			if err != nil || w.Body.String() != want.Body.String() {
				t.Errorf("%s with %s: %v %s", name, more, err, w.Body)
			}
		}
		if after := tt.table.held(); after != before {
			t.Errorf("%s: unknown parameters left %d answers in memory", name, after-before)
		}
	}
}

// held returns how many answers t keeps.
func (t *table) held() int {
	n := 0
	for i := range t.shards {
		n += len(t.shards[i].young) + len(t.shards[i].old)
	}
	return n
}

func TestAnswersFollowTheirSources(t *testing.T) {
	t.Parallel()
	b := newBench(t, counted("all", 1, 0, 1), counted("campaign:winter", 1, 0, 1))
	ask := func() map[string]any {
		return decode(t, get(t, b.Ask, "/v1/ask?article=troops&campaign=winter&placement=mid"))
	}
	first := ask()
	if got := dig(first, "counts", "text"); got != "1 supporter" {
		t.Errorf("at first: %q", got)
	}
	b.counts.Moved([]store.ScopeCount{counted("all", 2, 0, 2), counted("campaign:winter", 2, 0, 2), counted("article:troops", 1, 0, 2)})
	if got := dig(ask(), "counts", "text"); got != "2 supporters, 1 because of this article" {
		t.Errorf("after a gift: %q", got)
	}
	b.campaigns = []store.Campaign{{Slug: "winter", Name: "Winter", GoalKind: store.GoalSupporters, Goal: 10}}
	if err := b.running.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := dig(ask(), "goal", "text"); got != "2 of 10 supporters" {
		t.Errorf("with a goal: %v", got)
	}
	b.clock.Add(3600)
	if ask()["token"] == first["token"] {
		t.Error("the token is the same an hour later")
	}
}

func TestAnswerIsKeptWhileItsInputsAre(t *testing.T) {
	t.Parallel()
	b := newBench(t, counted("all", 1, 0, 1))
	get(t, b.Ask, "/v1/ask?article=troops")
	before := b.asks.find("article=troops").current.Load()
	b.counts.Moved([]store.ScopeCount{counted("article:another", 1, 0, 2)})
	get(t, b.Ask, "/v1/ask?article=troops")
	after := b.asks.find("article=troops").current.Load()
	if after.ready != before.ready || after.stamp == before.stamp {
		t.Error("another article's gift made this one's answer again, or it was not looked at")
	}
}

func TestAskMarksWhatMayBeOld(t *testing.T) {
	t.Parallel()
	b := benchOn(t, source{})
	b.counts.Moved([]store.ScopeCount{counted("all", 7, 0, 1)}) // known, and never confirmed by the database
	v := decode(t, get(t, b.Ask, "/v1/ask?article=troops"))
	if got := dig(v, "counts", "text"); got != "7 supporters (last known)" || dig(v, "counts", "all", "stale") != true {
		t.Errorf("the line is %q in %v", got, v["counts"])
	}
}

func TestSupportersToTheLetter(t *testing.T) {
	t.Parallel()
	b := newBench(t, counted("all", 1234, 56, 1), counted("article:troops", 12, 3, 1))
	asOf := b.counts.Snapshot().AsOf().UTC().Truncate(time.Second).Format(time.RFC3339)
	for query, want := range map[string]string{
		"":                `{"scope":"all","supporters":1234,"members":56,"as_of":"` + asOf + `","stale":false}`,
		"?article=troops": `{"scope":"article:troops","supporters":12,"members":3,"as_of":"` + asOf + `","stale":false}`,
		"?campaign=none":  `{"scope":"campaign:none","supporters":0,"members":0,"as_of":"` + asOf + `","stale":false}`,
	} {
		if got := get(t, b.Supporters, "/v1/supporters"+query).Body.String(); got != want {
			t.Errorf("%q: %s, want %s", query, got, want)
		}
	}
	unknown := get(t, benchOn(t, source{}).Supporters, "/v1/supporters?article=troops").Body.String()
	if want := `{"scope":"article:troops","supporters":null,"members":null,"as_of":null,"stale":true}`; unknown != want {
		t.Errorf("nobody knows: %s, want %s", unknown, want)
	}
}

func TestHeaders(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	plain := get(t, b.Ask, "/v1/ask?article=troops")
	zipped := get(t, b.Ask, "/v1/ask?article=troops", "Accept-Encoding", "br, gzip;q=0.8")
	for name, want := range map[string]string{
		"Content-Type": "application/json; charset=utf-8", "Vary": "Accept-Encoding",
		"Cache-Control": livingCache, "Set-Cookie": "", "Content-Encoding": "",
	} {
		if got := plain.Header().Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	r, err := gzip.NewReader(zipped.Body)
	if err != nil || zipped.Header().Get("Content-Encoding") != "gzip" {
		t.Fatal("not gzip: ", err)
	}
	if body, err := io.ReadAll(r); err != nil || !bytes.Equal(body, plain.Body.Bytes()) {
		t.Errorf("gzip says something else: %v", err)
	}
	if plain.Header().Get("ETag") == zipped.Header().Get("ETag") {
		t.Error("two encodings share a strong ETag")
	}
}

func TestNotModified(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	etag := get(t, b.Ask, "/v1/ask?article=a").Header().Get("ETag")
	for name, tt := range map[string]struct {
		header string
		status int
	}{
		"the same":          {etag, http.StatusNotModified},
		"weakened by a CDN": {"W/" + etag, http.StatusNotModified},
		"one of several":    {`"x", ` + etag, http.StatusNotModified},
		"any":               {"*", http.StatusNotModified},
		"another":           {`"x"`, http.StatusOK},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := get(t, b.Ask, "/v1/ask?article=a", "If-None-Match", tt.header)
			if w.Code != tt.status || (w.Code == http.StatusNotModified) != (w.Body.Len() == 0) {
				t.Errorf("status %d with %d bytes, want %d", w.Code, w.Body.Len(), tt.status)
			}
			if w.Header().Get("ETag") != etag || w.Header().Get("Cache-Control") != livingCache {
				t.Error("the answer lost its ETag or how long it may be kept")
			}
		})
	}
}

func TestTakesGzip(t *testing.T) {
	t.Parallel()
	for header, want := range map[string]bool{
		"gzip": true, "gzip, deflate, br, zstd": true, "br;q=1.0, gzip;q=0.5": true, "*": true,
		"": false, "br": false, "gzip;q=0": false, "gzip; q=0.000": false, "x-gzip2": false,
	} {
		if got := takesGzip(header); got != want {
			t.Errorf("takesGzip(%q) = %v", header, got)
		}
	}
}

func TestTableIsBounded(t *testing.T) {
	t.Parallel()
	b := newBench(t, counted("all", 1, 0, 1))
	body := make([]byte, 20_000)
	for i := range 20_000 { // 400 MB, were all of them kept
		m := &made{ready: &ready{plain: variant{parts: [][]byte{body}}, zipped: variant{parts: [][]byte{nil}}}}
		b.asks.keep(url.QueryEscape(strings.Repeat("a", i%7)+string(rune('a'+i%26))+time.Duration(i).String()), m)
	}
	held := 0
	for i := range b.asks.shards {
		s := &b.asks.shards[i]
		for _, half := range []map[string]*entry{s.young, s.old} {
			for _, e := range half {
				held += e.current.Load().size()
			}
		}
	}
	if limit := askBytes + tableShards*2*21_000; held > limit || held < askBytes/4 {
		t.Errorf("the table holds %d bytes, want at most %d", held, limit)
	}
}

func TestEveryLanguageHasItsOwnWords(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for lang, w := range b.words {
		var o offered
		if err := json.Unmarshal(append([]byte("{"), w.ending.plain[1:]...), &o); err != nil {
			t.Fatal(err)
		}
		texts := []string{w.placed[policy.Mid].Text, w.placed[policy.End].Text, w.placed[policy.Mid].Action}
		for _, text := range o.Labels {
			texts = append(texts, text)
		}
		for _, i := range o.Intervals {
			texts = append(texts, i.Text)
			if !strings.Contains(i.Give, "{amount}") {
				t.Errorf("%s: the button %q has no place for the amount", lang, i.Give)
			}
		}
		if slices.ContainsFunc(texts, func(text string) bool { return text == "" || strings.HasPrefix(text, "ask.") }) {
			t.Errorf("%s lacks a text: %q", lang, texts)
		}
	}
}
