package look

import (
	"cmp"
	"strings"
)

// A token is one named decision of the design, a CSS custom property.
type token struct {
	name  string // without the prefix
	light string
	dark  string // "" where it does not depend on the scheme
}

// prefix starts the name of every custom property.
const prefix = "--u24-"

// tokens are all decisions about colour, type and space. Text colours keep
// 4.5:1 and the edges of controls 3:1 on paper and card in both schemes; the
// test computes it.
var tokens = []token{
	// Colour. One accent; yellow is for small marks only.
	{"ink", "#14161a", "#f3f0e8"},
	{"muted", "#55575c", "#b9b6ad"},
	{"paper", "#faf8f3", "#121418"},
	{"card", "#ffffff", "#1c1f26"},
	{"line", "#dcd8cc", "#363a44"},
	{"edge", "#7c7a72", "#868b97"},
	{"accent", "#0b4a9c", "#8fbcff"},
	{"accent-strong", "#083774", "#b4d2ff"},
	{"on-accent", "#ffffff", "#0d1524"},
	{"tint", "#eaf1fb", "#1a2a45"},
	{"bad", "#a8071a", "#ff9aa2"},
	{"bad-tint", "#fdeeee", "#3a1b20"},
	{"good", "#0a6238", "#7fd9a6"},
	{"band", "#0d1a33", "#0d1a33"},
	{"on-band", "#ffffff", "#f3f0e8"},
	{"sun", "#ffd500", "#ffd500"},
	{"on-sun", "#14161a", "#14161a"},

	// Series of charts, each told from its neighbours in light and dark.
	{"hue-1", "#2f6fcb", "#7fb0ff"},
	{"hue-2", "#b26a00", "#f0b44a"},
	{"hue-3", "#0f7f74", "#5fd0c2"},
	{"hue-4", "#8d4a9c", "#d79be6"},
	{"hue-5", "#6a6d75", "#a3a7b2"},
	{"hue-6", "#b0413e", "#f08f88"},

	// Type.
	{"serif", `Georgia,"Noto Serif","Times New Roman",serif`, ""},
	{"sans", `system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans","Helvetica Neue",Arial,sans-serif`, ""},
	{"text-s", ".875rem", ""},
	{"text-m", "1.0625rem", ""},
	{"text-l", "1.3125rem", ""},
	{"text-xl", "1.625rem", ""},
	{"text-xxl", "clamp(2rem,1.35rem + 3vw,3.25rem)", ""},
	{"leading", "1.55", ""},

	// Space and shape.
	{"space-1", ".25rem", ""},
	{"space-2", ".5rem", ""},
	{"space-3", ".75rem", ""},
	{"space-4", "1rem", ""},
	{"space-5", "1.5rem", ""},
	{"space-6", "2.5rem", ""},
	{"space-7", "4rem", ""},
	{"radius", "6px", ""},
	{"target", "3rem", ""}, // the least height of what is pressed
}

// TokensCSS returns the tokens as CSS custom properties of selector, such as
// ":root" or, inside a shadow tree, ":host". Colours follow the selector's
// color-scheme through light-dark(), and are the light ones in a browser that
// does not know it.
func TokensCSS(selector string) string {
	var plain, schemed strings.Builder
	for _, t := range tokens {
		plain.WriteString(prefix + t.name + ":" + t.light + ";")
		if t.dark != "" && t.dark != t.light {
			schemed.WriteString(prefix + t.name + ":light-dark(" + t.light + "," + t.dark + ");")
		}
	}
	return selector + "{" + plain.String() + "}\n" +
		"@supports (color:light-dark(#000,#fff)){" + selector + "{" + schemed.String() + "}}\n"
}

// Light returns the light value of a token, for mails, whose readers know no
// custom properties: Light("accent") is "#0b4a9c". It panics for a name that
// is not a token.
func Light(name string) string {
	for _, t := range tokens {
		if t.name == name {
			return t.light
		}
	}
	panic("look: no token " + name)
}

// Dark returns the dark value of a token, as [Light] does the light one.
func Dark(name string) string {
	for _, t := range tokens {
		if t.name == name {
			return cmp.Or(t.dark, t.light)
		}
	}
	panic("look: no token " + name)
}
