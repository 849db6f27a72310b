package account

import (
	_ "embed" // for the pages
	"html/template"
	"net/http"
	"net/url"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/united24media/support/internal/i18n"
	"github.com/united24media/support/internal/look"
	"github.com/united24media/support/internal/money"
	"github.com/united24media/support/internal/privacy"
	"github.com/united24media/support/internal/signin"
)

var (
	//go:embed pages/door.html
	doorHTML string
	//go:embed pages/home.html
	homeHTML string
	//go:embed pages/membership.html
	membershipHTML string
	//go:embed pages/cancel.html
	cancelHTML string
	//go:embed pages/gift.html
	giftHTML string
	//go:embed pages/statement.html
	statementHTML string
	//go:embed pages/choices.html
	choicesHTML string
	//go:embed pages/data.html
	dataHTML string
	//go:embed pages/erase.html
	eraseHTML string
	//go:embed pages/leave.html
	leaveHTML string
)

// funcs are what the pages' templates call.
var funcs = template.FuncMap{
	"t": func(lang, key string) string { return i18n.T(lang, key) },
	"count": func(lang, key string, n int) string {
		return i18n.T(lang, key, i18n.Args{"Count": n})
	},
	"say": func(lang, key, name, value string) string { return i18n.T(lang, key, i18n.Args{name: value}) },
}

var (
	doorPage       = look.MustParse(funcs, doorHTML)
	homePage       = look.MustParse(funcs, homeHTML)
	membershipPage = look.MustParse(funcs, membershipHTML)
	cancelPage     = look.MustParse(funcs, cancelHTML)
	giftPage       = look.MustParse(funcs, giftHTML)
	statementPage  = look.MustParse(funcs, statementHTML)
	choicesPage    = look.MustParse(funcs, choicesHTML)
	dataPage       = look.MustParse(funcs, privacy.TablesHTML, dataHTML)
	erasePage      = look.MustParse(funcs, eraseHTML)
	leavePage      = look.MustParse(funcs, leaveHTML)
)

// render answers with a page, whose title is a message.
func (s *Service) render(c *gin.Context, t *look.Template, status int, lang, title string, body any) error {
	p := look.Page{
		Lang: lang, Title: i18n.T(lang, title), Brand: i18n.T(lang, "frame.brand"), BrandURL: s.site(), Private: true,
		Skip: i18n.T(lang, "frame.skip"), LangsLabel: i18n.T(lang, "frame.languages"), Note: i18n.T(lang, "frame.note"),
		Langs: languages(c, lang), Body: body,
	}
	if s.Sandbox {
		p.Sandbox = i18n.T(lang, "frame.sandbox")
	}
	c.Header("Cache-Control", "no-store")
	return t.Render(c.Writer, status, p)
}

// site returns the news site's first page.
func (s *Service) site() string {
	if len(s.SiteOrigins) == 0 {
		return s.PublicURL + "/"
	}
	return s.SiteOrigins[0] + "/"
}

// languages returns the links to a page in our other languages. A form that
// came back wrong is no page of its own: its links lead to where it stands.
func languages(c *gin.Context, lang string) []look.Link {
	path, query := c.Request.URL.Path, url.Values{}
	if c.Request.Method == http.MethodGet {
		for _, name := range [...]string{"token", "to"} {
			if value := c.Query(name); value != "" {
				query.Set(name, value)
			}
		}
	} else if path != "/account/code" && path != signin.AccountPath {
		path = "/account"
	}
	var links []look.Link
	for _, code := range i18n.Languages() {
		query.Set("lang", code)
		links = append(links, look.Link{Text: i18n.Name(code), URL: path + "?" + query.Encode(), Lang: code, Current: code == lang})
	}
	return links
}

// A row is one line of facts.
type row struct{ Name, Value string }

// write returns an amount as the visitor's language writes it.
func (v *visit) write(minor int64, currency string) string {
	return i18n.Money(v.lang, money.Amount{Minor: minor, Currency: currency})
}

// every returns an amount with how often it is given: "€10 a month".
func (v *visit) every(minor int64, currency, interval string) string {
	text := v.write(minor, currency)
	switch interval {
	case "month", "year":
		return i18n.T(v.lang, "account.every."+interval, i18n.Args{"Amount": text})
	}
	return text
}

// date returns the day of an instant, seconds since 1970.
func (s *Service) date(v *visit, seconds int64) string {
	return i18n.Date(v.lang, time.Unix(seconds, 0).In(s.Zone))
}

func (v *visit) say(key string, args ...i18n.Args) string { return i18n.T(v.lang, key, args...) }
