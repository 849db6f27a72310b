package checkout

import (
	"cmp"
	_ "embed" // for the pages
	"errors"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/gin-gonic/gin"

	"github.com/united24media/support/internal/i18n"
	"github.com/united24media/support/internal/look"
	"github.com/united24media/support/internal/money"
	"github.com/united24media/support/internal/offer"
	"github.com/united24media/support/internal/privacy"
	"github.com/united24media/support/internal/risk"
)

var (
	//go:embed pages/support.html
	supportHTML string
	//go:embed pages/thanks.html
	thanksHTML string
	//go:embed pages/support.js
	scriptJS []byte
)

// funcs are what the pages' templates call.
var funcs = template.FuncMap{
	"t": func(lang, key string) string { return i18n.T(lang, key) },
	"count": func(lang, key string, n int) string {
		return i18n.T(lang, key, i18n.Args{"Count": n})
	},
}

var (
	supportPage = look.MustParse(funcs, supportHTML)
	thanksPage  = look.MustParse(funcs, thanksHTML)
)

// A supportView is what the support page shows.
type supportView struct {
	Lang         string
	Title        string
	Lead         string
	Campaign     *appeal // nil without one that runs
	Trouble      string  // one sentence about the whole; "" if all is well
	Notice       string  // something that changed; "" if nothing
	Errors       []viewError
	Intervals    []option
	Groups       []group // amounts, one group an interval
	Currencies   []option
	Shown        string          // the currency of Groups
	Work         int             // zero bits of the proof that the form has to bring; 0 for none
	Challenge    *risk.Challenge // whose widget the form has as well; nil for none
	Hidden       []hidden
	Name         string
	Message      string
	Public       bool
	Wall         bool // names and messages may be shown publicly
	Show         bool // the message too
	Discreet     bool
	DiscreetDays int  // after which who is kept out of sight is forgotten
	More         bool // whether name and message are unfolded
	Closed       bool // no gift is taken: there is no form
	NameMax      int
	MessageMax   int
}

// A viewError is what is wrong with one field, by the id of its control.
type viewError struct{ Target, Field, Text string }

// Error returns what is wrong with a field, or "".
func (v supportView) Error(field string) string {
	for _, e := range v.Errors {
		if e.Field == field {
			return e.Text
		}
	}
	return ""
}

// An option is one of several to choose from.
type option struct {
	Value  string
	Text   string
	Chosen bool
	Tier   string // that an amount reaches; "" if none
}

// A group is the amounts of one interval.
type group struct {
	Interval string
	Legend   string
	Per      string // "a month"; "" once
	Amounts  []option
	Long     bool   // the amounts are long words
	Own      bool   // an own amount is chosen
	OwnText  string // as it was typed
	OwnLabel string
	OwnHint  string
	Symbol   string
	Error    string
	Tiers    []tier // empty for single gifts
}

// A tier is a level of membership.
type tier struct {
	Name  string
	From  string // the least it costs
	Perks []string
}

type hidden struct{ Name, Value string }

// SupportPage handles GET /support.
func (s *Service) SupportPage(c *gin.Context) error {
	f := s.formOf(c, c.Request.URL.Query())
	// A referrer's own address is a good way back, where the site shows it.
	if referrer := c.GetHeader("Referer"); f.get("return_url") == "" && !strings.HasPrefix(referrer, s.PublicURL+"/support") {
		f.values.Set("return_url", s.returnable(referrer))
	}
	f.preset()
	if s.closed() {
		return s.showClosed(c, f)
	}
	return s.showSupport(c, http.StatusOK, f, supportView{})
}

// showSupport renders the support page with what f holds.
func (s *Service) showSupport(c *gin.Context, status int, f form, v supportView) error {
	v.Lang, v.Shown = f.lang, f.currency
	v.Title, v.Lead = i18n.T(f.lang, "support.h1"), i18n.T(f.lang, "support.lead")
	if v.Campaign = s.appeal(f.get("campaign"), f.lang); v.Campaign != nil {
		v.Title, v.Lead = cmp.Or(v.Campaign.Title, v.Title), cmp.Or(v.Campaign.Lead, v.Lead)
	}
	for _, interval := range offer.Intervals() {
		v.Intervals = append(v.Intervals, option{Value: interval, Text: i18n.T(f.lang, "interval."+interval), Chosen: interval == f.interval})
		g := f.group(interval)
		if interval == f.interval {
			g.Error = v.Error("amount")
		}
		v.Groups = append(v.Groups, g)
	}
	for _, code := range offer.Currencies() {
		text := code
		if symbol := i18n.Symbol(f.lang, code); symbol != code {
			text += " (" + symbol + ")"
		}
		v.Currencies = append(v.Currencies, option{Value: code, Text: text, Chosen: code == f.currency})
	}
	if s.Guard != nil {
		if v.Work = s.Guard.Zeros(); v.Work > 0 {
			v.Challenge = s.Guard.Challenge
		}
	}
	v.Hidden = f.hidden()
	v.Name, v.Message, v.Public = f.get("name"), f.get("message"), f.get("public") != ""
	v.Wall, v.Show = s.Wall != nil && s.Wall(), f.get("show_message") != ""
	v.Discreet, v.DiscreetDays = f.get("discreet") != "", int(privacy.KeepDiscreet/(24*time.Hour))
	v.More = v.Name != "" || v.Message != ""
	v.NameMax, v.MessageMax = maxName, maxMessage
	page := s.page(f.lang, "support.title")
	page.Description = v.Lead
	page.Langs = f.languages()
	page.Scripts = []string{s.script.Path}
	page.Body = v
	// Not no-store: the Back button must bring back the same form, whose
	// attempt is the same gift.
	c.Header("Cache-Control", "private, no-cache")
	return supportPage.Render(c.Writer, status, page)
}

// page returns the frame of a page in lang.
func (s *Service) page(lang, title string) look.Page {
	p := look.Page{
		Lang: lang, Title: i18n.T(lang, title), Brand: i18n.T(lang, "frame.brand"), BrandURL: s.home(),
		Skip: i18n.T(lang, "frame.skip"), LangsLabel: i18n.T(lang, "frame.languages"), Note: i18n.T(lang, "frame.note"),
	}
	if s.Sandbox {
		p.Sandbox = i18n.T(lang, "frame.sandbox")
	}
	return p
}

// home returns the news site's first page.
func (s *Service) home() string {
	if len(s.SiteOrigins) == 0 {
		return s.PublicURL + "/"
	}
	return s.SiteOrigins[0] + "/"
}

// A form is what the support page holds: chosen by the reader, by the address,
// or by us. Its values are checked only when it is sent.
type form struct {
	values   url.Values
	lang     string
	currency string // one that is offered
	interval string // once, month or year
	amounts  offer.Suggestions
}

// maxField bounds a value that is shown again, in bytes.
const maxField = 4000

// passed are the fields that go through the form unseen.
var passed = [...]string{"article", "placement", "campaign", "variant", "tier", "token", "return_url"}

// formOf returns the form of a request's values, filled up with what suits the
// reader. What came with a link and is broken is dropped.
func (s *Service) formOf(c *gin.Context, values url.Values) form {
	f := form{values: url.Values{}}
	if s.Amounts != nil {
		f.amounts = s.Amounts()
	}
	for name := range values {
		if value := strings.ToValidUTF8(values.Get(name), ""); len(value) <= maxField {
			f.values.Set(name, value)
		}
	}
	for _, name := range [...]string{"article", "campaign", "variant", "tier"} {
		f.values.Set(name, slugOrNone(f.get(name)))
	}
	if !isPlacement(f.get("placement")) {
		f.values.Del("placement")
	}
	f.values.Set("return_url", s.returnable(f.get("return_url")))
	f.lang = i18n.Negotiate(f.get("lang"), c.GetHeader("Accept-Language"))
	f.interval = offer.Once
	if f.get("tier") != "" { // members' tiers are monthly unless they say otherwise
		f.interval = offer.Month
	}
	if slices.Contains(offer.Intervals(), f.get("interval")) {
		f.interval = f.get("interval")
	}
	f.currency = offer.CurrencyFor(s.country(c), f.lang, s.Currency)
	if o, ok := offer.Get(f.get("currency"), f.interval); ok {
		f.currency = o.Currency
	}
	if attempt := f.get("attempt"); attempt == "" || len(attempt) > maxAttempt || strings.Trim(attempt, attemptChars) != "" {
		f.values.Set("attempt", s.ticket())
	}
	return f
}

// ticket returns a new id for an attempt.
func (s *Service) ticket() string {
	if s.Guard == nil {
		return newID("")
	}
	return s.Guard.Ticket()
}

// attemptChars are those of the attempts that we make.
const attemptChars = "abcdefghijklmnopqrstuvwxyz0123456789."

func (f form) get(name string) string { return f.values.Get(name) }

// ownAmount is the choice of an amount that is not suggested.
const ownAmount = "own"

// preset chooses the amount that the address asks for, as a person writes it.
func (f form) preset() {
	text := f.get("amount")
	if text == "" {
		return
	}
	o, _ := f.amounts.Get(f.currency, f.interval)
	a, err := money.Parse(text, f.currency)
	if err == nil && slices.Contains(o.Amounts, a.Minor) {
		f.values.Set("amount_"+f.interval, strconv.FormatInt(a.Minor, 10))
		return
	}
	f.values.Set("amount_"+f.interval, ownAmount)
	if err == nil {
		f.values.Set("own_"+f.interval, i18n.Decimal(f.lang, a))
	}
}

// longAmount is how many characters of an amount fit when four stand in a row.
const longAmount = 8

// group returns the amounts of an interval.
func (f form) group(interval string) group {
	o, _ := f.amounts.Get(f.currency, interval)
	g := group{
		Interval: interval, Legend: i18n.T(f.lang, "support.amount."+interval), Symbol: i18n.Symbol(f.lang, f.currency),
		OwnText:  f.get("own_" + interval),
		OwnLabel: i18n.T(f.lang, "support.own.label", i18n.Args{"Currency": f.currency}),
		OwnHint: i18n.T(f.lang, "support.own.hint", i18n.Args{
			"Min": i18n.Money(f.lang, money.Amount{Minor: o.Min, Currency: f.currency}),
			"Max": i18n.Money(f.lang, money.Amount{Minor: o.Max, Currency: f.currency}),
		}),
	}
	if interval != offer.Once {
		g.Per = i18n.T(f.lang, "support.per."+interval)
	}
	chosen := f.get("amount_" + interval)
	g.Own = chosen == ownAmount
	if minor, err := strconv.ParseInt(chosen, 10, 64); !g.Own && (err != nil || !slices.Contains(o.Amounts, minor)) {
		chosen = strconv.FormatInt(o.Default, 10)
	}
	for _, minor := range o.Amounts {
		value := strconv.FormatInt(minor, 10)
		text := i18n.Money(f.lang, money.Amount{Minor: minor, Currency: f.currency})
		tier, _ := offer.TierFor(f.currency, interval, minor)
		g.Amounts = append(g.Amounts, option{value, text, value == chosen, tier.Name(f.lang)})
		g.Long = g.Long || utf8.RuneCountInString(text) > longAmount
	}
	g.Tiers = f.tiers(interval)
	return g
}

// tiers returns the levels of membership, as an interval costs.
func (f form) tiers(interval string) []tier {
	var all []tier
	var perks []string // each has those of the ones below it
	for _, t := range offer.Tiers() {
		least, sold := t.Amount(f.currency, interval)
		if !sold {
			return nil
		}
		perks = append(slices.Clip(perks), t.Perks(f.lang)...)
		cost := i18n.T(f.lang, "account.every."+interval, i18n.Args{"Amount": i18n.Money(f.lang, money.Amount{Minor: least, Currency: f.currency})})
		all = append(all, tier{t.Name(f.lang), i18n.T(f.lang, "support.tiers.from", i18n.Args{"Amount": cost}), perks})
	}
	return all
}

// hidden returns what goes through the form unseen.
func (f form) hidden() []hidden {
	list := []hidden{{"attempt", f.get("attempt")}, {"lang", f.lang}, {"shown", f.currency}}
	for _, name := range passed {
		if value := f.get(name); value != "" {
			list = append(list, hidden{name, value})
		}
	}
	for name := range f.values {
		if isUTM(name) && len(list) < len(passed)+3+maxUTMs {
			list = append(list, hidden{name, f.get(name)})
		}
	}
	slices.SortFunc(list, func(a, b hidden) int { return strings.Compare(a.Name, b.Name) })
	return list
}

// languages returns the links to the page in our other languages.
func (f form) languages() []look.Link {
	var links []look.Link
	for _, lang := range i18n.Languages() {
		q := url.Values{"lang": {lang}, "interval": {f.interval}, "currency": {f.currency}}
		for _, h := range f.hidden() {
			if h.Name != "attempt" && h.Name != "shown" && h.Name != "lang" {
				q.Set(h.Name, h.Value)
			}
		}
		links = append(links, look.Link{Text: i18n.Name(lang), URL: "/support?" + q.Encode(), Lang: lang, Current: lang == f.lang})
	}
	return links
}

// amount returns what was chosen, in the form's currency. The error is one of
// money's, or errNoAmount.
func (f form) amount() (int64, error) {
	text := f.get("own_" + f.interval)
	switch chosen := f.get("amount_" + f.interval); chosen {
	case ownAmount:
	case "":
		text = f.get("amount") // a form that is not ours may say it plainly
	default:
		minor, err := strconv.ParseInt(chosen, 10, 64)
		if err != nil {
			return 0, errNoAmount
		}
		return minor, nil
	}
	if strings.TrimSpace(text) == "" {
		return 0, errNoAmount
	}
	a, err := i18n.ParseMoney(text, f.currency)
	return a.Minor, err
}

var errNoAmount = errors.New("no amount was chosen")
