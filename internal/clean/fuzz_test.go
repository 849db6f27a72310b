package clean

import (
	"net/url"
	"strings"
	"testing"
	"unicode"
)

// FuzzText: whatever somebody types, what is kept has no control characters,
// changes no more when it is cleaned again, and can be cut anywhere.
func FuzzText(f *testing.F) {
	for _, s := range []string{"Olena", "  two  words ", "a\x00b\r\nBcc: x", "\u202eright to left", "e\u0301", "A\x06\u0308\u0301", "\xff\xfe", "👩‍👩‍👧", "{\"level\":\"fatal\"}\n"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		text := Text(s)
		if Text(text) != text {
			t.Errorf("%q becomes %q, and that %q", s, text, Text(text))
		}
		for _, r := range text {
			if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) {
				t.Errorf("%q keeps %U", s, r)
			}
		}
		if cut := Cut(text, 10); !strings.HasPrefix(text, cut) || len([]rune(cut)) > 10 {
			t.Errorf("%q is cut to %q", text, cut)
		}
	})
}

// FuzzOrigin: what is taken for an origin is one to a browser as well.
func FuzzOrigin(f *testing.F) {
	for _, s := range []string{
		"https://news.example", "HTTP://News.example:80/a", "https://u@h", "//evil.example", `https:/\evil.example`, "https://[::1]:443/", "javascript:alert(1)",
		"https://news.example\t.evil.example", "http://a:0080", "https:///evil.example", "HTTP://:80",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		origin := Origin(s)
		if origin == "" {
			return
		}
		u, err := url.Parse(origin)
		if err != nil || u.Path != "" || u.RawQuery != "" || u.User != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || Origin(origin) != origin {
			t.Errorf("%q has the origin %q", s, origin)
		}
	})
}
