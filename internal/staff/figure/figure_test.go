package figure

import (
	"strings"
	"testing"
)

func TestMoney(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		minor           int64
		currency        string
		long, short, in string
	}{
		{123450, "EUR", "€1,234.50", "€1.2K", "1,234.50"},
		{100, "EUR", "€1.00", "€1", "1.00"},
		{5, "EUR", "€0.05", "€0.0", "0.05"},
		{-123450, "USD", "−$1,234.50", "−$1.2K", "−1,234.50"},
		{1234567, "JPY", "¥1,234,567", "¥1.2M", "1,234,567"},
		{1234500, "KWD", "KWD\u00a01,234.500", "KWD\u00a01.2K", "1,234.500"},
		{100000000000, "GBP", "£1,000,000,000.00", "£1B", "1,000,000,000.00"},
	} {
		if got := Money(tt.minor, tt.currency); got != tt.long {
			t.Errorf("Money: %q, want %q", got, tt.long)
		}
		if got := Brief(tt.minor, tt.currency); got != tt.short {
			t.Errorf("Brief: %q, want %q", got, tt.short)
		}
		if got := Amount(tt.minor, tt.currency); got != tt.in {
			t.Errorf("Amount: %q, want %q", got, tt.in)
		}
	}
}

func TestDelta(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		now, before int64
		sense       Sense
		want        string // class|shown|said; "" for nothing
	}{
		{112, 100, Better, " up|↑ 12%|up 12% on May"},
		{112, 100, Worse, " down|↑ 12%|up 12% on May"},
		{112, 100, Neither, "|↑ 12%|up 12% on May"},
		{985, 1000, Better, " down|↓ 1.5%|down 1.5% on May"},
		{5, 5, Better, "|±0%|unchanged against May"},
		{1_000_001, 1_000_000, Better, "|±0%|nearly unchanged against May"},
		{5, 0, Better, " up|new|there was none in May"},
		{0, 5, Better, " down|↓ 100%|down 100% on May"},
		{0, 0, Better, ""},
		{-5, 0, Better, ""},
		{1_000_000, 1, Better, " up|↑ over 9,999%|up over 9,999% on May"},
	} {
		want := tt.want
		if want != "" {
			parts := strings.Split(want, "|")
			want = `<span class="delta` + parts[0] + `"><span aria-hidden="true">` + parts[1] + `</span><span class="visually-hidden">` + parts[2] + `</span></span>`
		}
		if got := string(Delta(tt.now, tt.before, "May", tt.sense)); got != want {
			t.Errorf("%d after %d: %s, want %s", tt.now, tt.before, got, want)
		}
	}
}

func TestPercent(t *testing.T) {
	t.Parallel()
	for want, of := range map[string][2]int64{"50%": {1, 2}, "0.1%": {1, 1000}, "–": {1, 0}, "12%": {123, 1000}, "−5%": {-1, 20}, "100%": {7, 7}} {
		if got := Percent(of[0], of[1]); got != want {
			t.Errorf("%d of %d is %q, want %q", of[0], of[1], got, want)
		}
	}
}
