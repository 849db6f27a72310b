package ask

import (
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/united24media/support/internal/fault"
	"github.com/united24media/support/internal/policy"
)

// Limits of what a question may hold.
const (
	maxTags    = 50
	maxTagList = 1000 // bytes of all tags together
)

var placements = policy.Placements()

// What the public addresses know. Other parameters (a CDN's, a letter's utm_…,
// one against caches) are passed over: no ask is lost for them.
var (
	askParameters     = []string{"article", "placement", "lang", "section", "tags", "country", "campaign", "sensitivity"}
	scopeParameters   = []string{"article", "campaign"}
	pictureParameters = []string{"article", "campaign", "lang", "theme"}
)

var (
	countryCode = regexp.MustCompile(`^[A-Za-z]{2}$`)
	langTag     = regexp.MustCompile(`^[A-Za-z]{2,8}([-_][A-Za-z0-9]{1,8}){0,5}$`)
)

// A question is what an article page asks for, checked.
type question struct {
	article   string
	placement string // "" for all
	lang      string // a BCP 47 tag as it came, "" if none did
	country   string // upper case, "" where unknown
	campaign  string
	section   string
	tags      []string

	sensitivity string // of the article; "" for none
}

// page returns what staff's rules look at, with the language that is shown.
func (q question) page(lang string) policy.Page {
	return policy.Page{
		Article: q.article, Section: q.section, Tags: q.tags, Lang: lang, Country: q.country, Sensitivity: q.sensitivity,
	}
}

// readQuestion reads the query of GET /v1/ask.
func readQuestion(query string) (question, error) {
	values, err := readQuery(query, askParameters)
	if err != nil {
		return question{}, err
	}
	q := question{
		article: values.Get("article"), placement: values.Get("placement"), lang: values.Get("lang"),
		country: strings.ToUpper(values.Get("country")), campaign: values.Get("campaign"), section: values.Get("section"),
		sensitivity: strings.ToLower(strings.TrimSpace(values.Get("sensitivity"))), // any: what is not known shows nothing
	}
	if tags := values.Get("tags"); tags != "" {
		for tag := range strings.SplitSeq(tags, ",") {
			q.tags = append(q.tags, strings.TrimSpace(tag))
		}
	}
	return q, q.check()
}

func (q question) check() error {
	switch {
	case q.article == "":
		return fault.Field("article", "Give the article's slug, such as article=uk-defense-secretary-troops.")
	case q.placement != "" && !slices.Contains(placements, q.placement):
		return fault.Field("placement", "A placement is mid or end; without one the answer is for both.")
	case q.lang != "" && !langTag.MatchString(q.lang):
		return fault.Field("lang", "A language is a BCP 47 tag, such as en or uk.")
	case q.country != "" && !countryCode.MatchString(q.country):
		return fault.Field("country", "A country is two letters by ISO 3166, such as DE.")
	case len(q.tags) > maxTags || len(strings.Join(q.tags, ",")) > maxTagList:
		return fault.Field("tags", "Give at most %d tags, %d bytes together.", maxTags, maxTagList)
	}
	for _, tag := range q.tags {
		if err := policy.CheckSlug("tags", tag); err != nil {
			return err
		}
	}
	for _, f := range [...][2]string{{"article", q.article}, {"campaign", q.campaign}, {"section", q.section}} {
		if f[1] == "" {
			continue
		}
		if err := policy.CheckSlug(f[0], f[1]); err != nil {
			return err
		}
	}
	return nil
}

// readScope reads the query of the supporters' count or picture, with the
// parameters in known, and returns the scope asked for.
func readScope(query string, known []string) (string, url.Values, error) {
	values, err := readQuery(query, known)
	if err != nil {
		return "", nil, err
	}
	article, campaign := values.Get("article"), values.Get("campaign")
	switch {
	case article != "" && campaign != "":
		return "", nil, fault.Field("campaign", "Ask for an article or for a campaign, not for both.")
	case article != "":
		return "article:" + article, values, policy.CheckSlug("article", article)
	case campaign != "":
		return "campaign:" + campaign, values, policy.CheckSlug("campaign", campaign)
	}
	return "all", values, nil
}

// readQuery parses the known parameters of a query, each given once.
func readQuery(query string, known []string) (url.Values, error) {
	query = only(query, known)
	if len(query) > maxQuery {
		return nil, fault.New(fault.Invalid, "The parameters are longer than %d bytes.", maxQuery)
	}
	values, err := url.ParseQuery(query)
	if err != nil {
		return nil, fault.New(fault.Invalid, "The address has a parameter that is not escaped as addresses need.")
	}
	for name, given := range values {
		if len(given) > 1 {
			return nil, fault.Field(name, "Give this parameter once.")
		}
	}
	return values, nil
}

// only returns a query with the known parameters alone, in their order and as
// they are written.
func only(query string, known []string) string {
	var kept []string
	for part := range strings.SplitSeq(query, "&") {
		name, _, _ := strings.Cut(part, "=")
		if plain, err := url.QueryUnescape(name); err == nil && slices.Contains(known, plain) {
			kept = append(kept, part)
		}
	}
	return strings.Join(kept, "&")
}
