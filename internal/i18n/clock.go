package i18n

import "time"

// Clock writes a time of some zone's clocks, such as 2026-12-01T08:00, as the
// staff pages write times. What is no such time stays as it is.
func Clock(text string) string {
	t, err := time.Parse("2006-01-02T15:04", text)
	if err != nil {
		return text
	}
	return t.Format("2 Jan 2006, 15:04")
}
