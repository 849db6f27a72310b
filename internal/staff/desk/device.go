package desk

import "strings"

// browsers and systems are found by the first of these words in what a browser
// calls itself. The order matters: most of them claim to be others too.
var (
	browsers = [][2]string{
		{"Edg", "Edge"}, {"OPR/", "Opera"}, {"SamsungBrowser", "Samsung Internet"}, {"Firefox", "Firefox"}, {"FxiOS", "Firefox"},
		{"Chrome", "Chrome"}, {"CriOS", "Chrome"}, {"Safari", "Safari"},
	}
	systems = [][2]string{
		{"iPhone", "iPhone"}, {"iPad", "iPad"}, {"Android", "Android"}, {"Windows", "Windows"}, {"CrOS", "ChromeOS"},
		{"Mac OS X", "a Mac"}, {"Linux", "Linux"},
	}
)

// Device returns in words what a browser calls itself: "Firefox on Windows".
func Device(agent string) string {
	browser, system := firstOf(browsers, agent), firstOf(systems, agent)
	switch {
	case browser == "" && system == "":
		return "An unknown browser"
	case browser == "":
		return "A browser on " + system
	case system == "":
		return browser
	}
	return browser + " on " + system
}

func firstOf(words [][2]string, text string) string {
	for _, w := range words {
		if strings.Contains(text, w[0]) {
			return w[1]
		}
	}
	return ""
}
