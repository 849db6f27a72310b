package health

import (
	"fmt"
	"time"

	"github.com/united24media/support/internal/staff/desk"
)

// count returns a number of things in words: "1 event", "2 events".
func count(n int64, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// orNone returns a number of things that something is said of, or none.
func orNone(n int64, none, thing, said string) string {
	if n == 0 {
		return none
	}
	return count(n, thing) + " " + said
}

// waiting returns how many things wait, and since when.
func waiting(n int64, thing string, now, oldest time.Time) string {
	if n == 0 {
		return "none waits"
	}
	return fmt.Sprintf("%s waiting, the oldest queued %s", count(n, thing), desk.Ago(now, oldest))
}

// short returns a duration to two figures.
func short(d time.Duration) string {
	switch {
	case d < 0:
		return "0 s" // Stripe's clock is ahead of ours
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case d < time.Minute:
		return fmt.Sprintf("%.1f s", d.Seconds())
	case d < time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	}
	return fmt.Sprintf("%d h", int(d.Hours()))
}
