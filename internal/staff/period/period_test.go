package period

import (
	"net/url"
	"testing"
	"time"
)

func TestParse(t *testing.T) {
	t.Parallel()
	today := time.Date(2026, 3, 31, 0, 0, 0, 0, time.UTC)
	tests := map[string]struct{ query, now, before string }{
		"nothing":                   {"", "2 – 31 Mar 2026", "31 Jan – 1 Mar 2026"},
		"today":                     {"period=today", "31 Mar 2026", "30 Mar 2026"},
		"yesterday":                 {"period=yesterday", "30 Mar 2026", "29 Mar 2026"},
		"a week":                    {"period=7d", "25 – 31 Mar 2026", "18 – 24 Mar 2026"},
		"the month so far":          {"period=month", "1 – 31 Mar 2026", "1 – 28 Feb 2026"},
		"last month":                {"period=last-month", "1 – 28 Feb 2026", "1 – 31 Jan 2026"},
		"twelve months":             {"period=12m", "1 Apr 2025 – 31 Mar 2026", "1 Apr 2024 – 31 Mar 2025"},
		"the year so far":           {"period=year", "1 Jan – 31 Mar 2026", "1 Jan – 31 Mar 2025"},
		"last year":                 {"period=last-year", "1 Jan – 31 Dec 2025", "1 Jan – 31 Dec 2024"},
		"days of one's own":         {"from=2026-02-10&through=2026-02-12", "10 – 12 Feb 2026", "7 – 9 Feb 2026"},
		"whole months of one's own": {"from=2026-01-01&through=2026-02-28", "1 Jan – 28 Feb 2026", "1 Nov – 31 Dec 2025"},
		"a year before":             {"period=7d&compare=year", "25 – 31 Mar 2026", "25 – 31 Mar 2025"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			values, err := url.ParseQuery(tt.query)
			if err != nil {
				t.Fatal(err)
			}
			p, err := Parse(values, today)
			if err != nil {
				t.Fatal(err)
			}
			if p.Name() != tt.now || p.BeforeName() != tt.before {
				t.Errorf("%s against %s, want %s against %s", p.Name(), p.BeforeName(), tt.now, tt.before)
			}
			again := url.Values{}
			p.Put(again)
			if q, err := Parse(again, today); err != nil || q != p {
				t.Errorf("%q is read back as %+v (%v)", again.Encode(), q, err)
			}
		})
	}
}

// Every preset can be chosen on a screen, whatever it shows by itself.
func TestEveryPresetCanBeChosen(t *testing.T) {
	t.Parallel()
	today := time.Date(2026, 3, 31, 0, 0, 0, 0, time.UTC)
	for _, usual := range []string{"30d", "12m"} {
		p, err := ParseOr(nil, today, usual)
		if err != nil || p.Preset != usual {
			t.Fatalf("a screen that shows %s by itself shows %s (%v)", usual, p.Preset, err)
		}
		for i, choice := range NewPicker(p, "/staff", nil, "UTC").Presets {
			at, err := url.Parse(choice.URL)
			if err != nil {
				t.Fatal(err)
			}
			chosen, err := ParseOr(at.Query(), today, usual)
			if want := Presets()[i].Key; err != nil || chosen.Preset != want {
				t.Errorf("where %s is usual, %s leads to %s (%v), want %s", usual, choice.URL, chosen.Preset, err, want)
			}
		}
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	for _, query := range []string{
		"period=fortnight", "from=2026-02-30&through=2026-03-01", "from=2026-03-01", "through=2026-03-01", "period=custom",
		"from=2026-03-02&through=2026-03-01", "from=1900-01-01&through=2026-03-01", "compare=better", "from=0026-01-01&through=2026-01-01",
	} {
		values, err := url.ParseQuery(query)
		if err != nil {
			t.Fatal(err)
		}
		if p, err := Parse(values, time.Date(2026, 3, 31, 0, 0, 0, 0, time.UTC)); err == nil {
			t.Errorf("%s is %+v", query, p)
		}
	}
}

// Every day of a period is in one of its points, and no point is empty.
func TestPoints(t *testing.T) {
	t.Parallel()
	from := time.Date(2024, 1, 31, 0, 0, 0, 0, time.UTC)
	for _, days := range []int{1, 2, 7, 8, 31, 92, 93, 366, 400, 401, 1100} {
		p := Period{From: from, To: from.AddDate(0, 0, days)}
		g := p.Grain()
		points := p.Points(g)
		if len(points) > 100 {
			t.Errorf("%d days make %d points", days, len(points))
		}
		filled := map[time.Time]bool{}
		for d := p.From; d.Before(p.To); d = d.AddDate(0, 0, 1) {
			filled[p.Start(d, g)] = true
		}
		if len(filled) != len(points) {
			t.Errorf("%d days: %d points, %d are filled", days, len(points), len(filled))
		}
		for _, at := range points {
			if !filled[at] {
				t.Errorf("%d days: nothing is in the point of %s", days, at)
			}
		}
	}
}
