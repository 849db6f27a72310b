package policy

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/united24media/support/internal/i18n"
)

// Texts are what an ask says at each placement.
type Texts map[string]Text

// A Text is an ask's own words. What is empty stays as it ships.
type Text struct {
	Lead   string `json:"lead,omitempty"` // set strongly
	Rest   string `json:"rest,omitempty"`
	Action string `json:"action,omitempty"` // the button
}

// Limits of texts, in characters. A page reserves an ask's height before it
// knows the text: see the line of CSS that sites are given.
const (
	MaxText   = 160 // of a lead, and of the rest
	MaxAction = 40  // of a button
)

// checkTexts returns an error that names the first text that can't be shown.
func checkTexts(all map[string]Texts) error {
	for _, lang := range slices.Sorted(maps.Keys(all)) {
		if !slices.Contains(i18n.Languages(), lang) {
			return fmt.Errorf("texts: %q is none of our languages", lang)
		}
		for _, placement := range slices.Sorted(maps.Keys(all[lang])) {
			if err := checkPlacements([]string{placement}); err != nil {
				return fmt.Errorf("texts, %s, %w", lang, err)
			}
			text := all[lang][placement]
			for _, part := range [...]struct {
				name, text string
				most       int
			}{{"lead", text.Lead, MaxText}, {"rest", text.Rest, MaxText}, {"action", text.Action, MaxAction}} {
				if problem := badText(part.text, part.most); problem != "" {
					return fmt.Errorf("texts, %s, %s, %s: %s", lang, placement, part.name, problem)
				}
			}
		}
	}
	return nil
}

// badText says what is wrong with a text of one line, or "".
func badText(text string, most int) string {
	switch {
	case utf8.RuneCountInString(text) > most:
		return fmt.Sprintf("at most %d characters fit", most)
	case text != strings.TrimSpace(text):
		return "take the space around it away"
	case !utf8.ValidString(text) || strings.ContainsFunc(text, unicode.IsControl):
		return "write it on one line, without characters that can't be seen"
	}
	return ""
}
