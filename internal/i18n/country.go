package i18n

import (
	"golang.org/x/text/language"
	"golang.org/x/text/language/display"
)

// Country returns what English calls the country of an ISO 3166 alpha-2 code,
// or the code if it is none.
func Country(code string) string {
	region, err := language.ParseRegion(code)
	if err != nil {
		return code
	}
	if name := display.English.Regions().Name(region); name != "" {
		return name
	}
	return code
}
