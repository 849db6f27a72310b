package ask

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/united24media/support/internal/i18n"
	"github.com/united24media/support/internal/money"
	"github.com/united24media/support/internal/offer"
	"github.com/united24media/support/internal/policy"
)

// words is what the ask says in one language and what it offers, made once.
type words struct {
	lang   string
	placed map[string]placed
	ending *ending // of every ask: its [offered], after what an [answer] has
}

// offered is the part of the answer that is the same for every article.
type offered struct {
	Lang       string                             `json:"lang"`
	Dir        string                             `json:"dir"` // ltr or rtl
	SupportURL string                             `json:"support_url"`
	Interval   string                             `json:"interval"` // to ask for at first
	Intervals  []intervalWords                    `json:"intervals"`
	Currencies []currencyWords                    `json:"currencies"`
	Amounts    map[string]map[string][]suggestion `json:"amounts"` // by currency and interval
	Preset     map[string]map[string]int          `json:"preset"`  // index of the suggestion chosen at first
	Labels     map[string]string                  `json:"labels"`
	Tiers      map[string]string                  `json:"tiers"` // what each is called
}

type intervalWords struct {
	Interval string `json:"interval"`
	Text     string `json:"text"`
	Give     string `json:"give"` // the button, with {amount} in it
}

type currencyWords struct {
	Code   string `json:"code"`
	Name   string `json:"name"`
	Symbol string `json:"symbol"`
	Digits int    `json:"digits"` // decimals that an own amount may have
}

type suggestion struct {
	AmountMinor int64  `json:"amount_minor"`
	Amount      string `json:"amount"` // in major units, as /support takes it
	Text        string `json:"text"`   // as the reader's language writes it
	Tier        string `json:"tier,omitempty"`
}

// labels are the short texts of the ask, by the message they come from.
var labels = map[string]string{
	"region": "ask.region", "interval": "ask.interval", "amount": "ask.amount", "own": "ask.own", "invalid": "ask.invalid",
	"hide": "ask.hide", "hidden": "ask.hidden", "undo": "ask.undo", "other": "support.own", "currency": "support.currency",
}

// A vocabulary is what asks say and suggest under one policy, by language.
type vocabulary struct {
	under *policy.State
	words map[string]*words
}

// newVocabulary returns what asks say in these languages where staff decided this.
func (s *Service) newVocabulary(under *policy.State, langs ...string) (*vocabulary, error) {
	v := &vocabulary{under, map[string]*words{}}
	for _, lang := range langs {
		w, err := s.newWords(lang, under.Texts[lang], under.Policy.Amounts)
		if err != nil {
			return nil, fmt.Errorf("texts of the ask in %s: %w", lang, err)
		}
		v.words[lang] = w
	}
	return v, nil
}

// say returns what asks say in lang under the policy in force. It is made once
// a policy.
func (s *Service) say(under *policy.State, lang string) (*words, error) {
	if v := s.said.Load(); v.under == under {
		return v.words[lang], nil
	}
	s.saying.Lock()
	defer s.saying.Unlock()
	if v := s.said.Load(); v.under == under {
		return v.words[lang], nil
	}
	v, err := s.newVocabulary(under, i18n.Languages()...)
	if err != nil {
		return nil, err
	}
	s.said.Store(v)
	return v.words[lang], nil
}

// newWords returns what asks say in lang, with staff's own texts and amounts
// where they have some.
func (s *Service) newWords(lang string, own policy.Texts, amounts offer.Suggestions) (*words, error) {
	w := &words{lang: lang, placed: map[string]placed{}}
	for _, placement := range placements {
		text, ships := own[placement], Shipped(lang, placement)
		lead := cmp.Or(text.Lead, ships.Lead)
		w.placed[placement] = placed{
			Lead: lead, Text: lead + " " + cmp.Or(text.Rest, ships.Rest), Action: cmp.Or(text.Action, ships.Action),
		}
	}
	o := offered{
		Lang: lang, Dir: "ltr", SupportURL: s.base + "/support", Interval: offer.Once, // none of our languages runs the other way
		Amounts: map[string]map[string][]suggestion{}, Preset: map[string]map[string]int{}, Labels: map[string]string{}, Tiers: map[string]string{},
	}
	for label, key := range labels {
		o.Labels[label] = i18n.T(lang, key)
	}
	for _, tier := range offer.Tiers() {
		o.Tiers[tier.ID] = tier.Name(lang)
	}
	for _, interval := range offer.Intervals() {
		o.Intervals = append(o.Intervals, intervalWords{
			interval, i18n.T(lang, "interval."+interval), i18n.T(lang, "ask.give."+interval, i18n.Args{"Amount": "{amount}"}),
		})
	}
	for _, code := range offer.Currencies() {
		if err := o.add(lang, code, amounts); err != nil {
			return nil, err
		}
	}
	static, err := json.Marshal(o)
	if err != nil {
		return nil, err
	}
	static[0] = ',' // it goes on in the object of the answer
	w.ending = newEnding(static)
	return w, nil
}

// add adds what can be given in one currency.
func (o *offered) add(lang, code string, amounts offer.Suggestions) error {
	c, err := money.Lookup(code)
	if err != nil {
		return err
	}
	symbol := i18n.Symbol(lang, code)
	name := code
	if symbol != code {
		name += " " + symbol
	}
	decimals := c.Digits
	if c.Step > 1 {
		decimals = max(0, c.Digits-len(fmt.Sprint(c.Step))+1)
	}
	o.Currencies = append(o.Currencies, currencyWords{code, name, symbol, decimals})
	o.Amounts[code], o.Preset[code] = map[string][]suggestion{}, map[string]int{}
	for _, interval := range offer.Intervals() {
		asked, ok := amounts.Get(code, interval)
		if !ok {
			return fmt.Errorf("%s has nothing to give %s", code, interval)
		}
		for _, minor := range asked.Amounts {
			a := money.Amount{Minor: minor, Currency: code}
			tier, _ := offer.TierFor(code, interval, minor)
			o.Amounts[code][interval] = append(o.Amounts[code][interval], suggestion{minor, plain(a), i18n.Money(lang, a), tier.ID})
		}
		o.Preset[code][interval] = slices.Index(asked.Amounts, asked.Default)
	}
	return nil
}

// plain returns a in major units without a fraction that is zero.
func plain(a money.Amount) string {
	whole, fraction, _ := strings.Cut(a.Decimal(), ".")
	if strings.Trim(fraction, "0") == "" {
		return whole
	}
	return whole + "." + fraction
}

// currencyFor returns the currency to ask in at first.
func (s *Service) currencyFor(country, lang string) string {
	return offer.CurrencyFor(country, lang, s.currency)
}

// counts returns the line about supporters: "1,234 supporters, 12 because of
// this article". It is "" while nobody knows how many there are.
func (w *words) counts(all, article figures) string {
	if !all.known {
		return ""
	}
	if all.supporters == 0 {
		return i18n.T(w.lang, "ask.count.none")
	}
	text := w.people(all)
	if article.known && article.supporters > 0 {
		text = i18n.T(w.lang, "ask.count.both", i18n.Args{"All": text, "Article": i18n.Number(w.lang, article.supporters)})
	}
	if all.stale {
		text = i18n.T(w.lang, "ask.count.stale", i18n.Args{"Text": text})
	}
	return text
}

// people returns "1,234 supporters".
func (w *words) people(f figures) string {
	return i18n.T(w.lang, "ask.count", i18n.Args{"Count": f.supporters})
}

// language returns the language of ours for a tag; English if there is none.
func language(tag string) string {
	if lang, ok := i18n.Match(tag); ok {
		return lang
	}
	return i18n.Default
}

// Shipped returns the text of an ask that ships, in one of our languages.
func Shipped(lang, placement string) policy.Text {
	return policy.Text{
		Lead: i18n.T(lang, "ask."+placement+".lead"), Rest: i18n.T(lang, "ask."+placement+".rest"), Action: i18n.T(lang, "ask.action"),
	}
}
