package ask

import (
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/url"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/united24media/support/internal/ask/embed"
)

// ReserveCSS is the lines a site puts into its own style sheet, so that nothing
// moves when an ask appears: its height at 320 pixels and at a column's width,
// more where the language runs longer than English and where a campaign's goal
// is shown. Without scripts there is nothing to reserve for.
const ReserveCSS = `u24-support{display:grid;min-height:calc((31 + var(--u24-l,0) + var(--u24-c,0))*max(1rem,16px))}` +
	`u24-support:not(:lang(en)){--u24-l:6}u24-support:lang(uk){--u24-l:10}u24-support[campaign]{--u24-c:6}` +
	`@media(min-width:42rem){u24-support{min-height:calc((21.5 + var(--u24-l,0)*.4 + var(--u24-c,0)*.6)*max(1rem,16px))}}` +
	`@media(scripting:none){u24-support{min-height:0}}`

// shortCache is for the script's plain address: a new release reaches every
// page within minutes, and an hour's outage of ours is not noticed.
var shortCache = []string{"public, max-age=300, s-maxage=300, stale-while-revalidate=3600, stale-if-error=604800"}

// A script is the embed in the forms it is served and described in.
type script struct {
	latest    *ready // at /v1/support.js
	pinned    *ready // at /v1/support.HASH.js
	hash      string
	integrity string // what a page's integrity attribute says
}

func newScript() script {
	sum, short := sha512.Sum384(embed.Script), sha256.Sum256(embed.Script)
	return script{
		latest:    newReady(scriptType, shortCache, embed.Script, nil),
		pinned:    newReady(scriptType, immutable, embed.Script, nil),
		hash:      hex.EncodeToString(short[:8]),
		integrity: "sha384-" + base64.StdEncoding.EncodeToString(sum[:]),
	}
}

// Script handles GET /v1/support.js, the embed's newest version.
func (s *Service) Script(c *gin.Context) error {
	s.script.latest.write(c.Writer, c.Request)
	return nil
}

// PinnedScript handles GET [Service.PinnedPath]: the same bytes, for ever.
// The copy of another release is not found; a page that pins says with its
// integrity attribute which bytes it wants, and would refuse ours.
func (s *Service) PinnedScript(c *gin.Context) error {
	s.script.pinned.write(c.Writer, c.Request)
	return nil
}

// PinnedPath is the address of the script's immutable copy, for the routes.
func (s *Service) PinnedPath() string { return "/v1/support." + s.script.hash + ".js" }

// A guide is the answer of GET /v1/embed: all a site's developer needs.
type guide struct {
	Element    string            `json:"element"`
	Snippet    map[string]string `json:"snippet"`
	Pinned     map[string]string `json:"pinned_snippet"`
	Script     guideScript       `json:"script"`
	CSP        map[string]string `json:"csp"`
	CSS        string            `json:"css"`
	Attributes []described       `json:"attributes"`
	Events     []described       `json:"events"`
	Properties []described       `json:"css_properties"`
	Parts      []described       `json:"css_parts"`
}

type guideScript struct {
	URL         string `json:"url"`
	PinnedURL   string `json:"pinned_url"`
	Integrity   string `json:"integrity"`
	Bytes       int    `json:"bytes"`
	GzipBytes   int    `json:"gzip_bytes"`
	CrossOrigin string `json:"crossorigin"`
}

type described struct {
	Name    string `json:"name"`
	Meaning string `json:"meaning"`
}

// exampleArticle is the slug of the article at / and in the snippets.
const exampleArticle = "uk-defense-secretary-troops"

// newGuide returns what GET /v1/embed answers.
func (s *Service) newGuide() guide {
	g := guide{
		Element: "u24-support",
		Snippet: map[string]string{}, Pinned: map[string]string{},
		Script: guideScript{
			URL: s.scriptURL(), PinnedURL: s.base + s.PinnedPath(), Integrity: s.script.integrity,
			Bytes: len(embed.Script), GzipBytes: len(zip(embed.Script)), CrossOrigin: "anonymous",
		},
		CSP:        map[string]string{"script-src": origin(s.base), "connect-src": origin(s.base)},
		CSS:        ReserveCSS,
		Attributes: attributes, Events: events, Properties: properties, Parts: parts,
	}
	pinned := `<script async src="` + g.Script.PinnedURL + `" integrity="` + s.script.integrity + `" crossorigin="anonymous"></script>`
	for _, placement := range placements {
		element := s.element(element{Article: exampleArticle, Placement: placement})
		g.Snippet[placement] = element + "\n" + s.scriptTag()
		g.Pinned[placement] = element + "\n" + pinned
	}
	return g
}

// Embed handles GET /v1/embed.
func (s *Service) Embed(c *gin.Context) error {
	s.guide.write(c.Writer, c.Request)
	return nil
}

func (s *Service) scriptURL() string { return s.base + "/v1/support.js" }

func (s *Service) scriptTag() string {
	return `<script async src="` + s.scriptURL() + `"></script>`
}

// origin returns the origin of an address, as a policy names it.
func origin(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return address
	}
	return u.Scheme + "://" + u.Host
}

var attributes = []described{
	{"article", "The article's slug. Required; it is the same slug in counts and reports."},
	{"placement", "Where the ask stands: mid or end. Required."},
	{"lang", "The ask's language as a BCP 47 tag; else that of the nearest element with lang. Languages we do not have are English."},
	{"country", "The reader's country by ISO 3166, such as DE, set by the site or its CDN's edge: the currency follows it."},
	{"campaign", "The campaign's slug; its goal is shown."},
	{"section", "The article's section, for rules that staff made."},
	{"tags", "The article's tags, separated by commas, for the same."},
	{"sensitivity", "What is delicate about the article, such as casualties: a type that asks quietly or not at all."},
	{"storage", "allowed, once the reader agreed that the site keeps data on their device: then an ask is quiet after 4 in 30 days, and for 90 days after giving. Without it nothing is kept but that the reader hid an ask."},
	{"theme", "light or dark; without it the ask follows the color-scheme of the page around it."},
}

var events = []described{
	{"u24-support:shown", "Half of the ask was in view for 250 ms. Once an ask and page view."},
	{"u24-support:clicked", "The reader pressed the button. detail has amount, interval and currency if they were chosen."},
	{"u24-support:closed", "The reader hid the ask."},
}

var properties = []described{
	{"--u24-support-accent", "The button, what is chosen, the goal's bar."},
	{"--u24-support-accent-text", "Text on the button."},
	{"--u24-support-background", "The ask's ground."},
	{"--u24-support-text", "The ask's text."},
	{"--u24-support-mark", "The line above the ask."},
	{"--u24-support-font", "Font family of the choices."},
	{"--u24-support-heading-font", "Font family of the text."},
	{"--u24-support-radius", "Roundness of the corners."},
}

var parts = []described{
	{"card", "The whole ask."},
	{"text", "Its text."},
	{"goal", "The campaign's goal, with goal-bar and goal-fill in it."},
	{"intervals", "How often, with an interval for each choice."},
	{"amounts", "How much, with an amount for each choice and own for the field."},
	{"currency", "The list of currencies."},
	{"button", "The button."},
	{"count", "The line with the supporters."},
	{"close", "The button that hides the ask."},
}

// marshal returns v as JSON that keeps markup readable: it is not for a page.
func marshal(v any) ([]byte, error) {
	var out strings.Builder
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return []byte(out.String()), err
}
