package clean

import "testing"

func TestOrigin(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"https://News.example/a?b#c":           "https://news.example",
		"https://news.example:443/":            "https://news.example",
		"http://news.example:80":               "http://news.example",
		"http://127.0.0.1:8080/x":              "http://127.0.0.1:8080",
		"//news.example/":                      "",
		"/account":                             "",
		"javascript:alert(1)":                  "",
		"https://news.example\\@evil.example/": "",
		"https://me@news.example/":             "",
		"https://news.example/ x":              "",
		"":                                     "",
	} {
		if got := Origin(address); got != want {
			t.Errorf("Origin(%q) = %q, want %q", address, got, want)
		}
	}
}

func TestText(t *testing.T) {
	t.Parallel()
	for typed, want := range map[string]string{
		"  Оля \n\t Шевченко ": "Оля Шевченко", "a\u202eb": "ab", "e\u0301": "é", "a\x00b\xffc": "abc", "\u200b": "",
	} {
		if got := Text(typed); got != want {
			t.Errorf("Text(%q) = %q, want %q", typed, got, want)
		}
	}
	if got := Cut("Шевченко", 3); got != "Шев" {
		t.Errorf("Cut = %q", got)
	}
}
