package ask

import (
	"bytes"
	"slices"
	"text/template"
	"unicode"

	"github.com/gin-gonic/gin"

	"github.com/united24media/support/internal/fault"
	"github.com/united24media/support/internal/i18n"
)

// Picture handles GET /v1/supporters.svg: the count as a picture, for
// newsletters and pages without scripts.
func (s *Service) Picture(c *gin.Context) error {
	return s.pictures.answer(c.Writer, c.Request)
}

// A theme is the colours of a picture. A mail or an img element can't tell
// the page's own scheme, so auto follows the reader's system.
type theme struct{ Paper, Ink, Line string }

var (
	light = theme{"#ffffff", "#14161a", "#dcd8cc"}
	dark  = theme{"#1c1f26", "#f3f0e8", "#363a44"}
)

var themes = []string{"auto", "light", "dark"}

// What a picture is wide, in its own units: its text, by the average letter of
// a script at this size, and the space at its sides. The text is then made to
// fit, since nobody knows the reader's fonts.
const (
	letterWidth         = 9
	cyrillicLetterWidth = 10
	pictureSides        = 44
)

var pictureXML = template.Must(template.New("picture").Parse(
	`<svg xmlns="http://www.w3.org/2000/svg" width="{{.Width}}" height="40" viewBox="0 0 {{.Width}} 40" role="img" aria-labelledby="t" lang="{{.Lang}}">` +
		`<title id="t">{{html .Text}}</title>` +
		`<style>.p{fill:{{.Theme.Paper}};stroke:{{.Theme.Line}}}.i{fill:{{.Theme.Ink}}}` +
		`{{with .Night}}@media(prefers-color-scheme:dark){.p{fill:{{.Paper}};stroke:{{.Line}}}.i{fill:{{.Ink}}}}{{end}}</style>` +
		`<rect class="p" x=".5" y=".5" width="{{.Inner}}" height="39" rx="6"/><rect x="14" y="13" width="4" height="14" fill="#ffd500"/>` +
		`<text class="i" x="28" y="25.5" font-family="system-ui,-apple-system,'Segoe UI',Roboto,'Noto Sans',sans-serif" font-size="16" font-weight="600"` +
		` textLength="{{.TextWidth}}" lengthAdjust="spacingAndGlyphs">{{html .Text}}</text></svg>`))

func (s *Service) buildPicture(query string, last *made) (*made, error) {
	scope, values, err := readScope(query, pictureParameters)
	if err != nil {
		return nil, err
	}
	chosen := values.Get("theme")
	if chosen == "" {
		chosen = themes[0]
	}
	lang := values.Get("lang")
	switch {
	case !slices.Contains(themes, chosen):
		return nil, fault.Field("theme", "A theme is auto, light or dark.")
	case lang != "" && !langTag.MatchString(lang):
		return nil, fault.Field("lang", "A language is a BCP 47 tag, such as en or uk.")
	}
	from := inputs{all: figuresOf(s.counts.Snapshot().Count(scope))}
	if last != nil && last.from == from {
		return &made{ready: last.ready, from: from}, nil
	}
	w := s.words[language(lang)]
	text := i18n.T(w.lang, "ask.picture.none")
	if from.all.known && from.all.supporters > 0 {
		text = w.counts(from.all, figures{})
	}
	body, err := picture(w.lang, text, chosen)
	if err != nil {
		return nil, err
	}
	return &made{ready: newReady(svgType, living, body, nil), from: from}, nil
}

// picture draws text in a theme.
func picture(lang, text, chosen string) ([]byte, error) {
	width := pictureSides
	for _, letter := range text {
		if unicode.Is(unicode.Cyrillic, letter) {
			width += cyrillicLetterWidth
		} else {
			width += letterWidth
		}
	}
	data := struct {
		Width, Inner, TextWidth int
		Lang, Text              string
		Theme                   theme
		Night                   *theme
	}{Width: width, Inner: width - 1, TextWidth: width - pictureSides, Lang: lang, Text: text, Theme: light}
	switch chosen {
	case "dark":
		data.Theme = dark
	case "auto":
		data.Night = &dark
	}
	var out bytes.Buffer
	if err := pictureXML.Execute(&out, data); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}
