// Package campaign is what asks can raise for: what staff say of a campaign as
// one document, how far it has come in words, its picture, and the campaigns
// that run now, in memory.
package campaign

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/united24media/support/internal/i18n"
	"github.com/united24media/support/internal/money"
	"github.com/united24media/support/internal/store"
)

// A Document is all that staff say of a campaign.
type Document struct {
	Names    map[string]string `json:"names"` // by language; English stands in for what is missing
	Goal     Goal              `json:"goal,omitzero"`
	From     string            `json:"from,omitempty"`  // 2026-12-01T08:00 on the clocks of TimeZone
	Until    string            `json:"until,omitempty"` // the first moment at which it no longer runs
	TimeZone string            `json:"time_zone,omitempty"`
	Pages    map[string]Page   `json:"pages,omitempty"`   // of /support, by language
	Picture  string            `json:"picture,omitempty"` // its hash
	Alt      map[string]string `json:"alt,omitempty"`     // what the picture shows, by language
	from     time.Time
	until    time.Time
}

// A Goal is what a campaign raises. The zero value is none.
type Goal struct {
	Kind     string `json:"kind"`               // supporters or money
	Amount   int64  `json:"amount"`             // people, or minor units of Currency
	Currency string `json:"currency,omitempty"` // the settlement currency of a money goal
}

// A Page is what /support says for a campaign. What is empty is as it ships.
type Page struct {
	Title string `json:"title,omitempty"`
	Lead  string `json:"lead,omitempty"`
}

// Limits of a campaign's texts, in characters.
const (
	maxName     = 60
	maxTitle    = 90
	maxLead     = 400
	maxAlt      = 200
	maxDocument = 64 << 10 // bytes
	maxGoal     = 1_000_000_000_000
	wallClock   = "2006-01-02T15:04"
)

var (
	slugs  = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
	hashes = regexp.MustCompile(`^[0-9a-f]{32}$`)
)

// CheckSlug returns an error unless s can name a campaign in addresses.
func CheckSlug(s string) error {
	if len(s) > 80 || !slugs.MatchString(s) {
		return errors.New("slug: use small letters, digits and single hyphens, such as winter-2026")
	}
	return nil
}

// Kind returns the kind of the documents of a campaign.
func Kind(slug string) string { return "campaign:" + slug }

// Parse reads a campaign and checks all of it. The error names the field at
// fault.
func Parse(data []byte) (Document, error) {
	var d Document
	if len(data) > maxDocument {
		return d, fmt.Errorf("the campaign is longer than %d bytes", maxDocument)
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&d); err != nil {
		return Document{}, fmt.Errorf("the campaign is not as it should be: %w", err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return Document{}, errors.New("something follows the campaign")
	}
	return d, d.prepare()
}

// prepare checks d and reads its times.
func (d *Document) prepare() error {
	if strings.TrimSpace(d.Names[i18n.Default]) == "" {
		return errors.New("name, en: give it one in English; it stands in where another is missing")
	}
	for _, texts := range [...]struct {
		field string
		texts map[string]string
		most  int
	}{{"name", d.Names, maxName}, {"picture text", d.Alt, maxAlt}} {
		for _, lang := range slices.Sorted(maps.Keys(texts.texts)) {
			if err := checkText(texts.field, lang, texts.texts[lang], texts.most); err != nil {
				return err
			}
		}
	}
	for _, lang := range slices.Sorted(maps.Keys(d.Pages)) {
		if err := cmp.Or(checkText("title", lang, d.Pages[lang].Title, maxTitle), checkText("lead", lang, d.Pages[lang].Lead, maxLead)); err != nil {
			return err
		}
	}
	if d.Picture != "" && !hashes.MatchString(d.Picture) {
		return errors.New("picture: it is not one of ours; upload it again")
	}
	if d.Picture != "" && strings.TrimSpace(d.Alt[i18n.Default]) == "" {
		return errors.New("picture text, en: say what the picture shows, for readers who can't see it")
	}
	if err := d.Goal.check(); err != nil {
		return err
	}
	return d.readTimes()
}

func (g Goal) check() error {
	switch {
	case g == Goal{}:
		return nil
	case g.Kind != store.GoalSupporters && g.Kind != store.GoalMoney:
		return errors.New("goal: count supporters or money")
	case g.Amount < 1 || g.Amount > maxGoal:
		return errors.New("goal: it is more than nothing and less than all there is")
	case g.Kind == store.GoalSupporters && g.Currency != "":
		return errors.New("goal: people have no currency")
	case g.Kind == store.GoalSupporters:
		return nil
	}
	if c, err := money.Lookup(g.Currency); err != nil || c.Code != g.Currency {
		return fmt.Errorf("goal currency: %q is none that Stripe settles in, such as EUR", g.Currency)
	}
	return nil
}

func (d *Document) readTimes() error {
	zone, err := time.LoadLocation(cmp.Or(d.TimeZone, "UTC"))
	if err != nil {
		return fmt.Errorf("time zone: %q is none, such as Europe/Kyiv", d.TimeZone)
	}
	for _, moment := range [...]struct {
		name, text string
		read       *time.Time
	}{{"from", d.From, &d.from}, {"until", d.Until, &d.until}} {
		if moment.text == "" {
			continue
		}
		if *moment.read, err = time.ParseInLocation(wallClock, moment.text, zone); err != nil {
			return fmt.Errorf("%s: %q is not a time such as 2026-12-01T08:00", moment.name, moment.text)
		}
	}
	if !d.from.IsZero() && !d.until.IsZero() && !d.from.Before(d.until) {
		return errors.New("until: it ends before it begins")
	}
	return nil
}

func checkText(field, lang, text string, most int) error {
	problem := ""
	switch {
	case !slices.Contains(i18n.Languages(), lang):
		return fmt.Errorf("%s: %q is none of our languages", field, lang)
	case utf8.RuneCountInString(text) > most:
		problem = fmt.Sprintf("at most %d characters fit", most)
	case text != strings.TrimSpace(text):
		problem = "take the space around it away"
	case !utf8.ValidString(text) || strings.ContainsFunc(text, unicode.IsControl):
		problem = "write it on one line, without characters that can't be seen"
	default:
		return nil
	}
	return fmt.Errorf("%s, %s: %s", field, lang, problem)
}

// Runs reports whether the campaign runs at a moment.
func (d *Document) Runs(at time.Time) bool {
	return (d.from.IsZero() || !at.Before(d.from)) && (d.until.IsZero() || at.Before(d.until))
}

// Begins returns when the campaign begins; the zero time where that is open.
func (d *Document) Begins() time.Time { return d.from }

// Ends returns the first moment at which it runs no more; the zero time where
// that is open.
func (d *Document) Ends() time.Time { return d.until }

// Row returns the campaign as the database keeps it.
func (d *Document) Row(slug string) (store.Campaign, error) {
	body, err := json.Marshal(d)
	return store.Campaign{
		Slug: slug, Name: d.Names[i18n.Default], GoalKind: d.Goal.Kind, Goal: d.Goal.Amount, GoalCurrency: d.Goal.Currency, Body: string(body),
	}, err
}

// A Campaign is one with how much it settled so far.
type Campaign struct {
	Slug string
	Document
	Settled int64 // net, in minor units of the goal's currency; 0 without a money goal
}

// Of returns the campaign of a row. What only the row says stands where the
// document says nothing: a campaign may have been stored without one.
func Of(row store.Campaign) (Campaign, error) {
	c := Campaign{Slug: row.Slug, Settled: row.Settled}
	if row.Body != "" && row.Body != "{}" {
		var err error
		c.Document, err = Parse([]byte(row.Body))
		return c, err
	}
	c.Names = map[string]string{i18n.Default: row.Name}
	if row.GoalKind != store.GoalNone {
		c.Goal = Goal{row.GoalKind, row.Goal, row.GoalCurrency}
	}
	return c, nil
}

// Name returns what the campaign is called in lang.
func (d *Document) Name(lang string) string { return cmp.Or(d.Names[lang], d.Names[i18n.Default]) }

// AltText returns what the picture shows, in lang.
func (d *Document) AltText(lang string) string { return cmp.Or(d.Alt[lang], d.Alt[i18n.Default]) }
