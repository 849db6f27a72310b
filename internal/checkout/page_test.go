package checkout

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/united24media/support/internal/attribution"
	"github.com/united24media/support/internal/i18n"
)

// A page is a parsed answer.
type page struct {
	*html.Node
	text string
}

func parsePage(t *testing.T, w *httptest.ResponseRecorder) page {
	t.Helper()
	node, err := html.Parse(strings.NewReader(w.Body.String()))
	if err != nil {
		t.Fatal(err)
	}
	return page{node, w.Body.String()}
}

func attr(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

func has(n *html.Node, name string) bool {
	return slices.ContainsFunc(n.Attr, func(a html.Attribute) bool { return a.Key == name })
}

// each returns the elements with a name.
func (p page) each(name string) []*html.Node {
	var found []*html.Node
	for n := range p.Descendants() {
		if n.Type == html.ElementNode && n.Data == name {
			found = append(found, n)
		}
	}
	return found
}

// form returns what a browser would send for the page's form, with the button
// "continue".
func (p page) form() url.Values {
	v := url.Values{}
	for _, n := range p.each("input") {
		kind := attr(n, "type")
		if (kind == "radio" || kind == "checkbox") && !has(n, "checked") {
			continue
		}
		v.Add(attr(n, "name"), attr(n, "value"))
	}
	for _, n := range p.each("option") {
		if has(n, "selected") {
			v.Add("currency", attr(n, "value"))
		}
	}
	for _, n := range p.each("textarea") {
		text := ""
		for c := range n.ChildNodes() {
			text += c.Data
		}
		v.Add(attr(n, "name"), text)
	}
	return v
}

func (b *bench) view(t *testing.T, query string, header ...string) page {
	t.Helper()
	w := b.do(http.MethodGet, "/support?"+query, "", "", header...)
	if w.Code != http.StatusOK {
		t.Fatalf("/support?%s: %d", query, w.Code)
	}
	return parsePage(t, w)
}

func TestSupportPresets(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.CountryHeader = "CF-IPCountry"
	tests := map[string]struct {
		query  string
		header []string
		want   url.Values
	}{
		"nothing asked": {"", nil, url.Values{
			"interval": {"once"}, "currency": {"EUR"}, "shown": {"EUR"}, "lang": {"en"}, "amount_once": {"2500"}, "amount_month": {"1000"},
		}},
		"from a link": {"article=troops&placement=mid&campaign=spring&interval=month&currency=gbp&amount=20&utm_source=x", nil, url.Values{
			"interval": {"month"}, "currency": {"GBP"}, "amount_month": {"2000"}, "article": {"troops"}, "placement": {"mid"},
			"campaign": {"spring"}, "utm_source": {"x"},
		}},
		"an amount of their own": {"amount=12.50&lang=de", nil, url.Values{
			"amount_once": {"own"}, "own_once": {"12,50"}, "currency": {"EUR"}, "lang": {"de"},
		}},
		"an amount that is none": {"amount=%3Cb%3E", nil, url.Values{"amount_once": {"own"}, "own_once": {""}}},
		"broken by somebody": {"article=%3Cb%3E&interval=week&currency=RUB&lang=ru&return_url=https://evil.example/", nil, url.Values{
			"interval": {"once"}, "currency": {"EUR"}, "lang": {"en"}, "article": nil, "return_url": nil,
		}},
		"a member's tier is monthly":      {"tier=friend", nil, url.Values{"interval": {"month"}, "tier": {"friend"}}},
		"by language":                     {"", []string{"Accept-Language", "uk-UA,uk;q=0.9,ru;q=0.5"}, url.Values{"lang": {"uk"}, "currency": {"UAH"}}},
		"by a country nobody vouches for": {"", []string{"CF-IPCountry", "PL"}, url.Values{"currency": {"EUR"}}},
		"back to where they came from":    {"", []string{"Referer", site + "/troops"}, url.Values{"return_url": {site + "/troops"}}},
		"from elsewhere":                  {"", []string{"Referer", "https://evil.example/"}, url.Values{"return_url": nil}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := b.view(t, tt.query, tt.header...).form()
			for key, want := range tt.want {
				if !slices.Equal(got[key], want) {
					t.Errorf("%s = %q, want %q", key, got[key], want)
				}
			}
			if len(got.Get("attempt")) != 26 {
				t.Errorf("the attempt is %q", got.Get("attempt"))
			}
		})
	}
}

// Every page in every language stands under a strict policy, labels what can
// be filled in, and points only at ids that are there.
func TestSupportMarkup(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for _, lang := range i18n.Languages() {
		t.Run(lang, func(t *testing.T) {
			t.Parallel()
			p := b.view(t, "lang="+lang)
			if got := attr(p.each("html")[0], "lang"); got != lang {
				t.Errorf("the page's language is %q", got)
			}
			if found := regexp.MustCompile(`(?i) style=|<style| on[a-z]+=|<script>|support\.[a-z]+\.[a-z]|error\.[a-z]`).FindString(p.text); found != "" {
				t.Errorf("the page has %q", found)
			}
			if !strings.Contains(p.text, "Sandbox: no money moves") {
				t.Error("the page does not say that it is the sandbox")
			}
			ids, named := map[string]bool{}, map[string]bool{}
			for n := range p.Descendants() {
				if id := attr(n, "id"); id != "" {
					if ids[id] {
						t.Errorf("two have the id %s", id)
					}
					ids[id] = true
				}
			}
			for _, n := range p.each("label") {
				named[attr(n, "for")] = true
			}
			for n := range p.Descendants() {
				for id := range strings.FieldsSeq(attr(n, "aria-describedby")) {
					if !ids[id] {
						t.Errorf("%s is described by %s, which is not there", n.Data, id)
					}
				}
				control := n.Data == "select" || n.Data == "textarea" || n.Data == "input" && attr(n, "type") != "hidden"
				if control && !named[attr(n, "id")] && n.Parent.Data != "label" {
					t.Errorf("%s %s has no label", n.Data, attr(n, "name"))
				}
			}
		})
	}
}

func TestFormLeadsToStripe(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	token := b.Signer.Sign(attribution.Claim{Article: "troops", Placement: "end", Hour: attribution.Hour(b.clock)})
	p := b.view(t, "lang=uk&interval=month&currency=UAH&token="+token+"&return_url="+url.QueryEscape(site+"/troops"))
	form := p.form()
	form.Set("name", "Оля")
	form.Set("public", "1")
	form.Set("message", "Тримайтеся\r\n<b>")
	w := b.send(form)
	if w.Code != http.StatusSeeOther || w.Header().Get("Location") != "https://checkout.stripe.com/c/pay/cs_test_1" {
		t.Fatalf("%d to %q: %s", w.Code, w.Header().Get("Location"), w.Body)
	}
	row := b.row(t, "cs_test_1")
	if row.ShowMessage {
		t.Error("the message may be shown, of which nothing was said")
	}
	if row.AmountMinor != 20000 || row.Currency != "UAH" || row.Interval != "month" || row.Article != "troops" || row.Placement != "end" ||
		row.Attribution != "signed" || row.Locale != "uk" || row.Name != "Оля" || row.Anonymous || row.Message != "Тримайтеся <b>" ||
		row.ReturnURL != site+"/troops" {
		t.Errorf("the row is %+v", row)
	}
	// A double press, and coming back by the browser's own button.
	if again := b.send(form); again.Header().Get("Location") != w.Header().Get("Location") || b.stripe.calls() != 1 {
		t.Errorf("again: %d to %q, %d calls", again.Code, again.Header().Get("Location"), b.stripe.calls())
	}
}

// Who wants to be kept out of sight leaves neither name nor message, and does
// not lose the choice on the way back. The API has no such field.
func TestFormDiscreet(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	form := b.view(t, "").form()
	if form.Has("discreet") {
		t.Error("it is chosen already")
	}
	for name, value := range map[string]string{"name": "Annabella Secret", "message": "From Annabella", "public": "1", "discreet": "1"} {
		form.Set(name, value)
	}
	if w := b.send(form); w.Code != http.StatusSeeOther {
		t.Fatalf("%d: %s", w.Code, w.Body)
	}
	row := b.row(t, "cs_test_1")
	if !row.Discreet || !row.Anonymous || row.Name != "" || row.Message != "" {
		t.Errorf("the row is %+v", row)
	}
	if sent := b.stripe.last().Encode(); strings.Contains(sent, "Annabella") {
		t.Errorf("Stripe is told %s", sent)
	}
	cancel, err := url.Parse(b.stripe.last().Get("cancel_url"))
	if err != nil || !b.view(t, cancel.RawQuery).form().Has("discreet") {
		t.Errorf("coming back by %s it is lost: %v", cancel, err)
	}
	body := `{"amount_minor":1500,"currency":"eur","interval":"once","article":"troops","discreet":true}`
	if w := b.post(body); w.Code != http.StatusBadRequest && w.Code != http.StatusUnprocessableEntity || !strings.Contains(w.Body.String(), "discreet") {
		t.Errorf("the API answers %d: %s", w.Code, w.Body)
	}
}

// Whoever comes back from Stripe's page by its link finds what they chose, and
// goes on to the same session.
func TestFormAfterCancel(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	token := b.Signer.Sign(attribution.Claim{Article: "troops", Placement: "end", Variant: "b", Hour: attribution.Hour(b.clock)})
	form := b.view(t, "utm_source=x&token="+token).form()
	form.Set("amount_once", "own")
	form.Set("own_once", "12,5 €")
	first := b.send(form)
	cancel, err := url.Parse(b.stripe.last().Get("cancel_url"))
	if first.Code != http.StatusSeeOther || err != nil {
		t.Fatalf("%d %v", first.Code, err)
	}
	b.clock = b.clock.Add(2 * time.Hour)
	again := b.send(b.view(t, cancel.RawQuery).form())
	if again.Header().Get("Location") != first.Header().Get("Location") || b.stripe.calls() != 1 {
		t.Errorf("again: %d to %q, %d calls: %s", again.Code, again.Header().Get("Location"), b.stripe.calls(), cancel)
	}
}

// A changed form is another gift, and the one before can't be paid any more.
func TestFormChanged(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	form := b.view(t, "").form()
	first := b.send(form)
	form.Set("amount_once", "5000")
	second, again := b.send(form), b.send(form)
	if second.Code != http.StatusSeeOther || second.Header().Get("Location") == first.Header().Get("Location") {
		t.Errorf("%d to %q", second.Code, second.Header().Get("Location"))
	}
	if again.Header().Get("Location") != second.Header().Get("Location") || b.stripe.calls() != 2 {
		t.Errorf("again to %q, %d calls", again.Header().Get("Location"), b.stripe.calls())
	}
	if !slices.Equal(b.stripe.expired, []string{"cs_test_1"}) {
		t.Errorf("expired %q", b.stripe.expired)
	}
	// Changed back: the closed session is not the way.
	form.Set("amount_once", "2500")
	if back := b.send(form); back.Header().Get("Location") != "https://checkout.stripe.com/c/pay/cs_test_3" {
		t.Errorf("changed back: %d to %q", back.Code, back.Header().Get("Location"))
	}
}

// Who pays, goes back and presses again has given, and is told so.
func TestFormPaidAlready(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	form := b.view(t, "").form()
	b.send(form)
	b.stripe.status["cs_test_1"] = "complete paid"
	if w := b.send(form); w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/thanks?session_id=cs_test_1" || b.stripe.calls() != 1 {
		t.Errorf("%d to %q, %d calls", w.Code, w.Header().Get("Location"), b.stripe.calls())
	}
	b.stripe.Close()
	if w := b.send(form); w.Header().Get("Location") != "https://checkout.stripe.com/c/pay/cs_test_1" {
		t.Errorf("without Stripe: %d to %q", w.Code, w.Header().Get("Location"))
	}
}

func TestFormErrors(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	tests := map[string]struct {
		set    url.Values
		target string
		text   string
	}{
		"nothing typed":       {url.Values{"amount_once": {"own"}}, "own-once", "Choose an amount"},
		"words":               {url.Values{"amount_once": {"own"}, "own_once": {"ten"}}, "own-once", "in figures, such as 25."},
		"NaN":                 {url.Values{"amount_once": {"own"}, "own_once": {"NaN"}}, "own-once", "in figures"},
		"an exponent":         {url.Values{"amount_once": {"own"}, "own_once": {"1e18"}}, "own-once", "in figures"},
		"less than nothing":   {url.Values{"amount_once": {"own"}, "own_once": {"-1"}}, "own-once", "in figures"},
		"too little":          {url.Values{"amount_once": {"own"}, "own_once": {"0.5"}}, "own-once", "Enter at least €1."},
		"too much":            {url.Values{"amount_once": {"own"}, "own_once": {"10000.01"}}, "own-once", "Enter at most €10,000."},
		"more than fits":      {url.Values{"amount_once": {"own"}, "own_once": {strings.Repeat("9", 30)}}, "own-once", "Enter at most"},
		"half a yen":          {url.Values{"currency": {"JPY"}, "shown": {"JPY"}, "amount_once": {"own"}, "own_once": {"1500.5"}}, "own-once", "in figures"},
		"half a króna":        {url.Values{"currency": {"ISK"}, "shown": {"ISK"}, "amount_once": {"own"}, "own_once": {"1500.5"}}, "own-once", "without fractions"},
		"a card of a forger":  {url.Values{"amount_once": {"1"}}, "amount-once-0", "Enter at least €1."},
		"a card that is none": {url.Values{"amount_once": {"x"}}, "amount-once-0", "Choose an amount"},
		"a long name":         {url.Values{"name": {strings.Repeat("я", 101)}}, "name", "Shorten the name: it may have 100 characters."},
		"a long message":      {url.Values{"message": {strings.Repeat("я", 256)}}, "message", "Shorten the message"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			form := b.view(t, "article=troops").form()
			form.Set("message", `<script>alert("x")</script>`)
			for key, value := range tt.set {
				form[key] = value
			}
			w := b.send(form)
			p := parsePage(t, w)
			if w.Code != http.StatusUnprocessableEntity || !strings.Contains(p.text, `<a href="#`+tt.target+`">`) || !strings.Contains(p.text, tt.text) {
				t.Errorf("%d, without %q at %s: %s", w.Code, tt.text, tt.target, regexp.MustCompile(`(?s)<div class="summary.*?</div>`).FindString(p.text))
			}
			if strings.Contains(p.text, "<script>alert") {
				t.Error("what was typed is not escaped")
			}
			again := p.form()
			for key := range form {
				if kept := !strings.HasPrefix(key, "amount_") && key != "own_once"; kept && again.Get(key) != form.Get(key) {
					t.Errorf("%s was %q and is %q", key, form.Get(key), again.Get(key))
				}
			}
			ids := 0
			for n := range p.Descendants() {
				if attr(n, "id") == tt.target {
					ids++
				}
			}
			if ids != 1 {
				t.Errorf("the summary leads to %s, which is there %d times", tt.target, ids)
			}
		})
	}
	t.Cleanup(func() {
		if b.stripe.calls() > 0 {
			t.Error("Stripe was asked")
		}
	})
}

func TestFormOfAnotherCurrency(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	form := b.view(t, "").form()
	form.Set("currency", "JPY") // and the cards still in euros
	w := b.send(form)
	p := parsePage(t, w)
	if w.Code != http.StatusOK || p.form().Get("shown") != "JPY" || !strings.Contains(p.text, "The amounts are now in JPY") || b.stripe.calls() > 0 {
		t.Errorf("%d, shown %q, %d calls", w.Code, p.form().Get("shown"), b.stripe.calls())
	}
	form.Set("show", "1")
	form.Set("name", "Оля")
	p = parsePage(t, b.send(form))
	if got := p.form(); got.Get("shown") != "JPY" || got.Get("name") != "Оля" || got.Get("attempt") != form.Get("attempt") {
		t.Errorf("with the button: %v", got)
	}
}

func TestFormTrouble(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		make func(b *bench)
		code int
		text string
	}{
		"Stripe down": {func(b *bench) { b.stripe.Close() }, 503, "reach our payment provider"},
		"Stripe refuses": {func(b *bench) {
			b.stripe.answer = func(w http.ResponseWriter, _ string, _ url.Values) bool {
				refuse(w, 400, "invalid_request_error", "", "currency", "no")
				return true
			}
		}, 502, "would not open the payment page"},
		"too many":      {func(b *bench) { b.limit.left = 0 }, 429, "in 2 minutes"},
		"database down": {func(b *bench) { _ = b.Store.Close() }, 503, "take gifts for a moment"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			form := b.view(t, "article=troops&interval=year").form()
			tt.make(b)
			w := b.send(form)
			p := parsePage(t, w)
			if w.Code != tt.code || !strings.Contains(p.text, tt.text) || !strings.Contains(p.text, "Nothing was charged") || w.Header().Get("Location") != "" {
				t.Errorf("%d: %s", w.Code, regexp.MustCompile(`(?s)<div class="summary.*?</div>`).FindString(p.text))
			}
			if got := p.form(); got.Get("attempt") != form.Get("attempt") || got.Get("interval") != "year" {
				t.Errorf("the form came back as %v", got)
			}
		})
	}
}

func TestFormTooLong(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	if w := b.send(url.Values{"message": {strings.Repeat("x", maxBody)}}); w.Code != http.StatusRequestEntityTooLarge || b.stripe.calls() > 0 {
		t.Errorf("%d", w.Code)
	}
}

// A form of somebody else's, without a script and without our radios.
func TestPlainForm(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	w := b.send(url.Values{"amount": {"15"}, "currency": {"eur"}, "interval": {"year"}, "article": {"troops"}})
	if w.Code != http.StatusSeeOther {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	if row := b.row(t, "cs_test_1"); row.AmountMinor != 1500 || row.Interval != "year" || row.Article != "troops" {
		t.Errorf("the row is %+v", row)
	}
}

// A country counts from a proxy of ours alone.
func TestCountry(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.CountryHeader = "CF-IPCountry"
	for network, want := range map[string]string{"203.0.113.0/24": "PLN", "198.51.100.0/24": "EUR"} {
		b.TrustedProxies = []netip.Prefix{netip.MustParsePrefix(network)}
		if got := b.view(t, "", "CF-IPCountry", "pl").form().Get("currency"); got != want {
			t.Errorf("with %s trusted the currency is %s, want %s", network, got, want)
		}
	}
}
