// Package i18n says things in the seven languages we speak: messages with
// their plural forms, money, numbers and dates as CLDR has them.
//
// Messages are in messages/LANGUAGE.json, one line each, sorted by key; the
// part of a key before its first dot names who shows it (ask, support, mail).
// A value with {{.Name}} takes arguments. A value that depends on a number is
// an object with the forms that the language has, such as "one" and "other";
// in it {{.N}} is that number, written as the language writes it.
package i18n

import (
	"embed"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/nicksnyder/go-i18n/v2/i18n"
	"golang.org/x/text/language"
)

// Default is the language of readers who ask for none of ours.
const Default = "en"

// names are the languages in the order they are listed, each in its own words.
var names = [...][2]string{
	{"en", "English"}, {"uk", "Українська"}, {"de", "Deutsch"}, {"fr", "Français"},
	{"es", "Español"}, {"it", "Italiano"}, {"pl", "Polski"},
}

// Languages returns the codes of the languages we speak, in the order they are
// listed.
func Languages() []string {
	codes := make([]string, len(names))
	for i, name := range names {
		codes[i] = name[0]
	}
	return codes
}

// Name returns what speakers of lang call it: "Українська" for "uk".
func Name(lang string) string {
	for _, name := range names {
		if name[0] == lang {
			return name[1]
		}
	}
	return lang
}

// Args are the values of a message's {{.Name}}. "Count", an int or int64,
// chooses the plural form.
type Args = map[string]any

//go:embed messages/*.json
var files embed.FS

// load reads all messages once. They are embedded, so an error is a broken
// build, which the tests would have shown.
var load = sync.OnceValue(func() map[string]*i18n.Localizer {
	bundle := i18n.NewBundle(language.Make(Default))
	bundle.RegisterUnmarshalFunc("json", json.Unmarshal)
	speakers := map[string]*i18n.Localizer{}
	for _, lang := range Languages() {
		if _, err := bundle.LoadMessageFileFS(files, "messages/"+lang+".json"); err != nil {
			panic(fmt.Sprintf("i18n: %s: %v", lang, err))
		}
		speakers[lang] = i18n.NewLocalizer(bundle, lang)
	}
	return speakers
})

// T returns the message of key in lang, or in English if lang is none of ours.
// A key that does not exist comes back itself, which a test of its user shows.
func T(lang, key string, args ...Args) string {
	speaker, ok := load()[lang]
	if !ok {
		lang = Default
		speaker = load()[Default]
	}
	config := &i18n.LocalizeConfig{MessageID: key}
	if len(args) > 0 {
		config.TemplateData = args[0]
		if count, ok := args[0]["Count"]; ok {
			config.PluralCount = count
			config.TemplateData = withNumber(lang, args[0], count)
		}
	}
	text, err := speaker.Localize(config)
	if err != nil && text == "" {
		return key
	}
	return text
}

// withNumber adds {{.N}}, the count as lang writes it.
func withNumber(lang string, args Args, count any) Args {
	all := Args{"N": fmt.Sprint(count)}
	switch n := count.(type) {
	case int:
		all["N"] = Number(lang, int64(n))
	case int64:
		all["N"] = Number(lang, n)
	}
	for name, value := range args {
		all[name] = value
	}
	return all
}

// Match returns our language for a BCP 47 tag such as "uk-UA"; ok is false if
// we do not speak it.
func Match(tag string) (lang string, ok bool) {
	t, err := language.Parse(strings.TrimSpace(tag))
	if err != nil {
		return "", false
	}
	return match(t)
}

func match(t language.Tag) (string, bool) {
	base, _ := t.Base()
	if slices.Contains(Languages(), base.String()) {
		return base.String(), true
	}
	// A browser set to another language in Ukraine still has a reader there.
	if region, confidence := t.Region(); region.String() == "UA" && confidence == language.Exact {
		return "uk", true
	}
	return "", false
}

// Negotiate returns the language to answer in: the one asked for by the
// address, else the best of the Accept-Language header, else English.
func Negotiate(asked, acceptLanguage string) string {
	if lang, ok := Match(asked); ok {
		return lang
	}
	// An unreadable header says nothing. Tags come sorted by weight.
	tags, weights, err := language.ParseAcceptLanguage(acceptLanguage)
	if err != nil {
		return Default
	}
	for i, tag := range tags {
		if lang, ok := match(tag); ok && weights[i] > 0 {
			return lang
		}
	}
	return Default
}
