package ask

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/united24media/support/internal/policy"
	"github.com/united24media/support/internal/store"
	"github.com/united24media/support/internal/testenv/chromium"
)

const (
	mid = `document.querySelector('u24-support[placement=mid]')`
	end = `document.querySelector('u24-support[placement=end]')`
)

// shown waits in a page for its first ask.
const shown = mid + `?.shadowRoot?.querySelector('.give')`

// fixture is a page of another site: a strict policy, one style sheet with the
// line that sites are given, and whatever else.
func fixture(f **site, policy, css, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Content-Security-Policy", strings.ReplaceAll(policy, "BASE", (*f).URL))
		fmt.Fprintf(w, `<!doctype html><html lang=en><title>A page</title><link rel=icon href=data:,><link rel=stylesheet href=/site.css?%s><body>%s
			<script async src="%s/v1/support.js"></script>`, css, body, (*f).URL)
	}
}

// styles serves the reserved height with more CSS of a site.
func styles(more map[string]string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/css")
		fmt.Fprint(w, ReserveCSS, more[r.URL.RawQuery])
	}
}

const strictPolicy = "default-src 'none'; style-src 'self'; script-src BASE; connect-src BASE; img-src data:"

// filler is some of an article, higher than a screen.
var filler = strings.Repeat("<p>"+strings.Repeat("Text of an article. ", 60)+"</p>", 6)

// asked is a page's body with the two asks and text between them.
func asked(attributes string) string {
	one := func(placement string) string {
		return `<u24-support article="troops" placement="` + placement + `" ` + attributes + `><a href="/support?article=troops&placement=` + placement + `">Donate</a></u24-support>`
	}
	return filler + one(policy.Mid) + filler + filler + one(policy.End) + filler
}

func TestEmbedInAStrictPage(t *testing.T) {
	t.Parallel()
	var f *site
	f = serveSite(t, map[string]http.HandlerFunc{
		"/page":     fixture(&f, strictPolicy, "", asked("")),
		"/site.css": styles(nil),
	}, counted("all", 1234, 5, 1), counted("article:troops", 12, 1, 1))
	b := chromium.New(t, 390, 800)
	b.Open(f.URL+"/page", shown)
	b.Await(end + `.shadowRoot.querySelector('.give')`)

	if text := chromium.Eval[string](b, mid+`.shadowRoot.querySelector('[part=text]').textContent`); text != "We bring you stories from the ground. Your support keeps our team in the field." {
		t.Errorf("the text of mid is %q", text)
	}
	if text := chromium.Eval[string](b, end+`.shadowRoot.querySelector('[part=count]').textContent`); text != "1,234 supporters, 12 because of this article" {
		t.Errorf("the count is %q", text)
	}
	if f.asks != 1 {
		t.Errorf("%d requests of data for two asks, want 1", f.asks)
	}
	if cookies := chromium.Eval[string](b, `document.cookie + Object.keys(localStorage)`); cookies != "" {
		t.Errorf("the page was made to keep %q", cookies)
	}
	if others := chromium.Eval[[]string](b, `performance.getEntriesByType('resource').map(e => e.name).filter(n => !n.startsWith(location.origin) && !n.startsWith('data:'))`); len(others) > 0 {
		t.Errorf("the page asked others: %q", others)
	}
}

func TestLinkSurvives(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		policy string
		fails  bool
		script bool
	}{
		"without scripts":             {strictPolicy, false, false},
		"when the script is kept out": {"default-src 'none'; style-src 'self'; img-src data:", false, true},
		"when the service is down":    {strictPolicy, true, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var f *site
			f = serveSite(t, map[string]http.HandlerFunc{"/page": fixture(&f, tt.policy, "", asked("")), "/site.css": styles(nil)})
			f.fails = tt.fails
			b := chromium.New(t, 390, 800)
			if !tt.script {
				b.Scripts(false)
			}
			b.Open(f.URL + "/page")
			if tt.fails {
				b.Await(`performance.getEntriesByType("resource").some((e) => e.name.includes("/v1/ask"))`)
			}
			b.Do(chromedp.Click(chromedp.CSS("u24-support[placement=mid] a")))
			b.Await(`location.pathname + location.search === '/support?article=troops&placement=mid'`)
			if said := b.Complaints(); len(said) > 1 || len(said) == 1 && !tt.script { // that it was refused
				t.Errorf("the console says %q", said)
			}
		})
	}
}

func TestChoicesReachTheSupportPage(t *testing.T) {
	t.Parallel()
	var f *site
	f = serveSite(t, map[string]http.HandlerFunc{"/page": fixture(&f, strictPolicy, "", asked(`campaign="winter"`)), "/site.css": styles(nil)})
	b := chromium.New(t, 390, 800)
	b.Open(f.URL+"/page?utm_source=letter&utm_term=x", shown)
	give := func(script string) map[string]string {
		return chromium.Eval[map[string]string](b, `(() => {
			const root = `+mid+`.shadowRoot, pick = (name, i) => root.querySelectorAll('input[name=' + name + ']')[i].click()
			`+script+`
			return {...Object.fromEntries(new URL(root.querySelector('.give').href).searchParams), button: root.querySelector('.give').textContent}
		})()`)
	}
	first := give("")
	claim, err := f.signer.Verify(first["token"], time.Now())
	if err != nil || claim.Article != "troops" || claim.Placement != policy.Mid || claim.Campaign != "winter" {
		t.Errorf("the token says %+v, %v", claim, err)
	}
	const toYen = "const s = root.querySelector('select'); s.value = 'JPY'; s.dispatchEvent(new Event('change'))"
	const ownEuros = "const s = root.querySelector('select'); s.value = 'EUR'; s.dispatchEvent(new Event('change')); pick('amount', 4); " +
		"const i = root.querySelector('.own input'); i.value = '1 234,50'; i.dispatchEvent(new Event('input'))"
	for _, tt := range []struct {
		name, script string
		want         map[string]string
	}{
		{"at first", "", map[string]string{"amount": "25", "interval": "once", "currency": "EUR", "button": "Donate €25", "article": "troops",
			"placement": "mid", "campaign": "winter", "lang": "en", "utm_source": "letter", "utm_term": "x",
			"return_url": f.URL + "/page?utm_source=letter&utm_term=x#u24-support-thanks"}},
		{"monthly", "pick('interval', 1)", map[string]string{"amount": "10", "interval": "month", "button": "Donate €10 monthly"}},
		{"another amount", "pick('interval', 0); pick('amount', 3)", map[string]string{"amount": "100", "interval": "once"}},
		{"another currency", toYen, map[string]string{"currency": "JPY", "interval": "once"}},
		{"an own amount", ownEuros, map[string]string{"amount": "1234.50", "currency": "EUR", "button": "Donate now"}},
	} {
		got := give(tt.script)
		for key, want := range tt.want {
			if got[key] != want {
				t.Errorf("%s: %s is %q, want %q", tt.name, key, got[key], want)
			}
		}
	}
}

func TestOwnAmountThatIsNone(t *testing.T) {
	t.Parallel()
	var f *site
	f = serveSite(t, map[string]http.HandlerFunc{"/page": fixture(&f, strictPolicy, "", asked("")), "/site.css": styles(nil)})
	b := chromium.New(t, 390, 800)
	b.Open(f.URL+"/page", shown)
	for _, typed := range []string{"", "0", "ten", "1.234", "-5", "1e3", "0,00"} {
		said := chromium.Eval[string](b, `(() => {
			const root = `+mid+`.shadowRoot, input = root.querySelector('.own input')
			root.querySelectorAll('input[name=amount]')[4].click()
			input.value = '`+typed+`'
			input.dispatchEvent(new Event('input'))
			root.querySelector('.give').click()
			return location.pathname + ' ' + root.querySelector('.problem').textContent + ' ' + (root.activeElement === input)
		})()`)
		if said != "/page Enter an amount in figures, such as 25. true" {
			t.Errorf("%q: %s", typed, said)
		}
	}
}

func TestByKeyboard(t *testing.T) {
	t.Parallel()
	var f *site
	f = serveSite(t, map[string]http.HandlerFunc{"/page": fixture(&f, strictPolicy, "", asked("")), "/site.css": styles(nil)})
	b := chromium.New(t, 390, 800)
	b.Open(f.URL+"/page", shown)
	if on := chromium.Eval[string](b, `document.activeElement.tagName`); on != "BODY" {
		t.Errorf("the ask took the focus to %s", on)
	}
	const focused = `(() => { const e = ` + mid + `.shadowRoot.activeElement; return e ? e.tagName + ' ' + (e.name || e.className) + ' ' + (e.checked || '') : '' })()`
	var walked []string
	for range 5 {
		b.Do(chromedp.KeyEvent("\t"))
		walked = append(walked, strings.TrimSpace(chromium.Eval[string](b, focused)))
	}
	if want := "INPUT interval true, INPUT amount true, A give, SELECT, BUTTON close"; strings.Join(walked, ", ") != want {
		t.Errorf("Tab goes to %s, want %s", strings.Join(walked, ", "), want)
	}
	b.Do(chromedp.KeyEvent("\r"))
	if left := chromium.Eval[string](b, mid+`.shadowRoot.activeElement.className + ' ' + localStorage.length`); left != "undo 1" {
		t.Errorf("after hiding, focus and storage are %q", left)
	}
	b.Do(chromedp.KeyEvent("\r"))
	if back := chromium.Eval[string](b, mid+`.shadowRoot.activeElement.className + ' ' + localStorage.length`); back != "give 0" {
		t.Errorf("after undoing it, focus and storage are %q", back)
	}
}

func TestSecondAskIsQuiet(t *testing.T) {
	t.Parallel()
	var f *site
	f = serveSite(t, map[string]http.HandlerFunc{"/page": fixture(&f, strictPolicy, "", asked("")), "/site.css": styles(nil)})
	b := chromium.New(t, 390, 800)
	b.Open(f.URL+"/page", shown)
	chromium.Eval[bool](b, `(window.told = [], ['shown', 'clicked', 'closed'].forEach(n => addEventListener('u24-support:' + n, e => told.push(n + ' ' + e.detail.placement + ' ' + e.detail.quiet))), true)`)
	b.Await(end + `.shadowRoot.querySelector('.give')`)
	if loud := chromium.Eval[bool](b, end+`.hasAttribute('quiet')`); loud {
		t.Error("end is quiet before mid was seen")
	}
	chromium.Eval[bool](b, `(`+mid+`.scrollIntoView({block: 'center'}), true)`)
	b.Await(`told.includes('shown mid false')`)
	b.Await(end + `.hasAttribute('quiet') && !` + end + `.shadowRoot.querySelector('fieldset')`)
	chromium.Eval[bool](b, `(`+end+`.scrollIntoView({block: 'center'}), true)`)
	b.Await(`told.includes('shown end true')`)
	if told := chromium.Eval[[]string](b, `told`); len(told) != 2 {
		t.Errorf("the page was told %q, want each ask once", told)
	}
	chromium.Eval[bool](b, `(`+end+`.shadowRoot.querySelector('.give').addEventListener('click', e => e.preventDefault()), `+end+`.shadowRoot.querySelector('.give').click(), true)`)
	f.await(t, "mid seen", "end seen", "end clicked")
}

func TestGoalBar(t *testing.T) {
	t.Parallel()
	var f *site
	f = serveSite(t, map[string]http.HandlerFunc{"/page": fixture(&f, strictPolicy, "", asked(`campaign="winter"`)), "/site.css": styles(nil)})
	f.campaigns = []store.Campaign{{Slug: "winter", Name: "Winter", GoalKind: store.GoalSupporters, Goal: 1000}}
	if err := f.running.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	b := chromium.New(t, 390, 800)
	b.Open(f.URL+"/page", shown)
	for i, tt := range []struct {
		supporters int64
		now, text  string
		width      float64
	}{{0, "0", "0 of 1,000 supporters", 0}, {10, "1", "10 of 1,000 supporters", 1}, {999, "99", "999 of 1,000 supporters", 99}, {1000, "100", "1,000 of 1,000 supporters", 100}, {2500, "100", "2,500 of 1,000 supporters", 100}} {
		// The counts look at their database every 5 s, which does not know of this
		// move and takes it back: on a busy machine it may be between.
		var bar map[string]any
		for try := range 3 {
			at := 3*i + try
			f.counts.Moved([]store.ScopeCount{counted("campaign:winter", tt.supporters, 0, int64(at)+1)})
			article := fmt.Sprint("article-", at) // makes the element ask again
			chromium.Eval[bool](b, `(`+mid+`.setAttribute('article', '`+article+`'), true)`)
			b.Await(mid + `.shadowRoot.querySelector('.give')?.href.includes('` + article + `')`)
			bar = chromium.Eval[map[string]any](b, `(() => { const bar = `+mid+`.shadowRoot.querySelector('[role=progressbar]')
				return {now: bar.ariaValueNow, text: bar.ariaValueText, width: Math.round(100 * bar.firstChild.offsetWidth / bar.clientWidth)} })()`)
			if bar["now"] == tt.now && bar["text"] == tt.text && bar["width"] == tt.width {
				break
			}
		}
		if bar["now"] != tt.now || bar["text"] != tt.text || bar["width"] != tt.width {
			t.Errorf("%d: the bar says %v", tt.supporters, bar)
		}
	}
}

func TestElementComesAndGoes(t *testing.T) {
	t.Parallel()
	var f *site
	f = serveSite(t, map[string]http.HandlerFunc{"/page": fixture(&f, strictPolicy, "", asked("")), "/site.css": styles(nil)})
	b := chromium.New(t, 390, 800)
	b.Open(f.URL+"/page", shown)
	chromium.Eval[bool](b, `(() => { const e = `+mid+`; e.remove(); e.setAttribute('article', 'another'); document.body.prepend(e); return true })()`)
	b.Await(`new URL(` + mid + `.shadowRoot.querySelector('.give')?.href).searchParams.get('article') === 'another'`)
	chromium.Eval[bool](b, `(`+mid+`.setAttribute('lang', 'de'), true)`)
	b.Await(mid + `.shadowRoot.querySelector('[role=group][lang=de]')`)
}

func TestStaffsWordReachesThePage(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ fact, value, attributes, want string }{
		"turned off":        {policy.KindSwitch, policy.Off, "", "nothing"},
		"a funeral":         {"", "", `sensitivity="funeral"`, "nothing"},
		"a quiet section":   {policy.KindAsks, `{"rules":[{"name":"a","show":"quiet","sections":{"include":["war"]}}]}`, `section="war"`, "quiet"},
		"another section":   {policy.KindAsks, `{"rules":[{"name":"a","show":"quiet","sections":{"include":["war"]}}]}`, `section="film"`, "normal"},
		"over since":        {policy.KindAsks, `{"rules":[{"name":"a","show":"none","until":"2020-01-01T00:00"}]}`, "", "normal"},
		"since long":        {policy.KindAsks, `{"rules":[{"name":"a","show":"quiet","from":"2020-01-01T00:00"}]}`, "", "quiet"},
		"mid alone is left": {policy.KindAsks, `{"rules":[{"name":"a","show":"none","placements":["end"]}]}`, "", "normal"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var f *site
			f = serveSite(t, map[string]http.HandlerFunc{"/page": fixture(&f, strictPolicy, "", asked(tt.attributes)), "/site.css": styles(nil)})
			f.facts[tt.fact] = tt.value
			if err := f.policies.Refresh(t.Context()); err != nil {
				t.Fatal(err)
			}
			b := chromium.New(t, 390, 800)
			b.Open(f.URL+"/page", mid+`?.shadowRoot && !`+mid+`.shadowRoot.querySelector('slot')`)
			got := chromium.Eval[string](b, `(r => r.querySelector('fieldset') ? 'normal' : r.querySelector('.give') ? 'quiet' : 'nothing')(`+mid+`.shadowRoot)`)
			if got != tt.want {
				t.Errorf("the page shows %s, want %s", got, tt.want)
			}
		})
	}
}

func TestAnswerOfACacheInOurPlaceIsQuiet(t *testing.T) {
	t.Parallel()
	var f *site
	f = serveSite(t, map[string]http.HandlerFunc{"/page": fixture(&f, strictPolicy, "", asked("")), "/site.css": styles(nil)})
	f.age = "3600"
	b := chromium.New(t, 390, 800)
	b.Open(f.URL+"/page", shown)
	if chromium.Eval[bool](b, `!!`+mid+`.shadowRoot.querySelector('fieldset')`) {
		t.Error("an answer of an hour ago is shown as if it were new")
	}
}

func TestDeviceKeepsWhatTheReaderAllowed(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		attributes string
		want       string // of eight visits: the first five, one from the thanks page, and two later
		kept       string
	}{
		"without consent": {"", "loud loud loud loud loud quiet loud loud", ""},
		"with consent":    {`storage="allowed"`, "loud loud loud loud quiet quiet quiet quiet", "u24-support:gave u24-support:seen"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var f *site
			f = serveSite(t, map[string]http.HandlerFunc{"/page": fixture(&f, strictPolicy, "", asked(tt.attributes)), "/site.css": styles(nil)})
			b := chromium.New(t, 390, 800)
			var visits []string
			for i, hash := range []string{"", "", "", "", "", "#u24-support-thanks", "", ""} {
				b.Open(fmt.Sprint(f.URL, "/page?", i, hash), shown)
				chromium.Eval[bool](b, `(addEventListener('u24-support:shown', () => window.told = true), `+mid+`.scrollIntoView({block: 'center'}), true)`)
				b.Await(`window.told`)
				visits = append(visits, chromium.Eval[string](b, mid+`.hasAttribute('quiet') ? 'quiet' : 'loud'`))
			}
			if got := strings.Join(visits, " "); got != tt.want {
				t.Errorf("the asks were %s, want %s", got, tt.want)
			}
			if kept := chromium.Eval[string](b, `Object.keys(localStorage).sort().join(' ')`); kept != tt.kept {
				t.Errorf("the device keeps %q, want %q", kept, tt.kept)
			}
			// What somebody else wrote there does no harm.
			chromium.Eval[bool](b, `(Object.assign(localStorage, {'u24-support:hidden': '5', 'u24-support:seen': 'x', 'u24-support:gave': '{}'}), true)`)
			b.Open(f.URL+"/page?again", shown)
		})
	}
}

// hostile is what themes do to everything on a page.
const hostile = `html{font-size:62.5%}
body{line-height:3;letter-spacing:.5em;text-transform:uppercase;color:#a00;font-style:italic;text-align:right;visibility:visible}
*{box-sizing:content-box!important;margin:11px!important}
div{float:left;display:inline}p{font-size:40px!important}
a,button,input,select,label,fieldset{display:none!important;appearance:none;width:5px!important;background:lime!important}`

func TestPagesStyleStaysOutside(t *testing.T) {
	t.Parallel()
	var f *site
	f = serveSite(t, map[string]http.HandlerFunc{"/page": fixture(&f, strictPolicy, "hostile", asked("")), "/site.css": styles(map[string]string{"hostile": hostile})})
	b := chromium.New(t, 320, 800)
	b.Open(f.URL+"/page", shown)
	got := chromium.Eval[[]string](b, `(() => { const root = `+mid+`.shadowRoot, ask = getComputedStyle(root.querySelector('.ask')), give = getComputedStyle(root.querySelector('.give'))
		return [ask.fontSize, ask.textTransform, ask.letterSpacing, ask.fontStyle, ask.textAlign, ask.boxSizing, give.display, String(root.querySelector('.give').offsetWidth > 200), String(document.documentElement.scrollWidth <= innerWidth)] })()`)
	if want := "16px none normal normal start border-box grid true true"; strings.Join(got, " ") != want {
		t.Errorf("the ask's style is %s, want %s", strings.Join(got, " "), want)
	}
}
