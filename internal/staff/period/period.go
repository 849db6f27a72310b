// Package period reads and writes which days a screen shows: a preset or days
// of one's own, and what they are compared with. All of it stands in the
// address, so that a page can be kept and passed on.
package period

import (
	"net/url"
	"time"

	"github.com/united24media/support/internal/fault"
)

// What a period can be compared with.
const (
	Before = "before" // the days before it, or the same days of the month or year before
	Year   = "year"   // the same days a year before
	None   = "none"
)

// Custom is the preset of days of one's own.
const Custom = "custom"

// usual is the preset of an address that names none.
const usual = "30d"

// A Preset is a period that has a name.
type Preset struct{ Key, Name string }

// Presets returns them in the order in which they are offered.
func Presets() []Preset {
	return []Preset{
		{"today", "Today"}, {"yesterday", "Yesterday"}, {"7d", "Last 7 days"}, {"30d", "Last 30 days"}, {"90d", "Last 90 days"},
		{"month", "This month"}, {"last-month", "Last month"}, {"12m", "Last 12 months"}, {"year", "This year"}, {"last-year", "Last year"},
	}
}

// A Period is some days, and those they are compared with. Days are midnights
// UTC, whatever time zone they are counted in.
type Period struct {
	Preset     string // a key of [Presets], or [Custom]
	From, To   time.Time
	Compare    string // Before, Year or None
	BeforeFrom time.Time
	BeforeTo   time.Time // not after From
	Today      time.Time

	usual string // the preset of an address that names none
}

// Parse reads period, from, through and compare of an address. today is the
// present day. It returns a [fault.Invalid] that names what can't be read.
func Parse(values url.Values, today time.Time) (Period, error) { return ParseOr(values, today, usual) }

// ParseOr is [Parse] for a screen that shows another preset than most do where
// its address names none.
func ParseOr(values url.Values, today time.Time, preset string) (Period, error) {
	p := Period{Preset: values.Get("period"), Compare: values.Get("compare"), Today: today, usual: preset}
	if p.Preset == "" {
		p.Preset = preset
		if values.Get("from") != "" || values.Get("through") != "" {
			p.Preset = Custom
		}
	}
	if p.Compare == "" {
		p.Compare = Before
	}
	if p.Compare != Before && p.Compare != Year && p.Compare != None {
		return Period{}, fault.Field("compare", "Compare with before, year or none.")
	}
	tomorrow := today.AddDate(0, 0, 1)
	month := today.AddDate(0, 0, 1-today.Day())
	year := time.Date(today.Year(), 1, 1, 0, 0, 0, 0, time.UTC)
	switch p.Preset {
	case "today":
		p.From, p.To = today, tomorrow
	case "yesterday":
		p.From, p.To = today.AddDate(0, 0, -1), today
	case "7d":
		p.From, p.To = today.AddDate(0, 0, -6), tomorrow
	case "30d":
		p.From, p.To = today.AddDate(0, 0, -29), tomorrow
	case "90d":
		p.From, p.To = today.AddDate(0, 0, -89), tomorrow
	case "month":
		p.From, p.To = month, tomorrow
	case "last-month":
		p.From, p.To = month.AddDate(0, -1, 0), month
	case "12m":
		p.From, p.To = month.AddDate(-1, 1, 0), tomorrow
	case "year":
		p.From, p.To = year, tomorrow
	case "last-year":
		p.From, p.To = year.AddDate(-1, 0, 0), year
	case Custom:
		if err := p.custom(values); err != nil {
			return Period{}, err
		}
	default:
		return Period{}, fault.Field("period", "There is no period %q.", p.Preset)
	}
	p.before()
	return p, nil
}

// mostDays is the longest period.
const mostDays = 20 * 366

func (p *Period) custom(values url.Values) (err error) {
	if p.From, err = day("from", values.Get("from")); err != nil {
		return err
	}
	through, err := day("through", values.Get("through"))
	if err != nil {
		return err
	}
	p.To = through.AddDate(0, 0, 1)
	switch {
	case through.Before(p.From):
		return fault.Field("through", "The last day is before the first; choose %s or a later one.", values.Get("from"))
	case p.Days() > mostDays:
		return fault.Field("from", "A period has twenty years at most.")
	}
	return nil
}

func day(field, text string) (time.Time, error) {
	d, err := time.Parse(time.DateOnly, text)
	if err != nil || d.Year() < 1000 {
		return d, fault.Field(field, "Give a day such as 2026-01-31.")
	}
	return d, nil
}

// before finds what the period is compared with. Part of a month or year is
// compared with the same part of the one before, so that a month that is not
// over does not look poor.
func (p *Period) before() {
	back := func(years, months int) {
		p.BeforeFrom = p.From.AddDate(-years, -months, 0)
		p.BeforeTo = sameDay(p.To, years, months)
		if p.BeforeTo.After(p.From) {
			p.BeforeTo = p.From
		}
	}
	switch {
	case p.Compare == None:
	case p.Compare == Year, p.Preset == "year", p.Preset == "last-year", p.Preset == "12m":
		back(1, 0)
	case p.Preset == "month", p.Preset == "last-month":
		back(0, 1)
	case p.From.Day() == 1 && p.To.Day() == 1:
		back(0, (p.To.Year()-p.From.Year())*12+int(p.To.Month()-p.From.Month()))
	default:
		p.BeforeFrom, p.BeforeTo = p.From.Add(-p.To.Sub(p.From)), p.From
	}
}

// sameDay is the day so many years and months before; the end of a longer month
// becomes the end of the shorter one.
func sameDay(d time.Time, years, months int) time.Time {
	first := time.Date(d.Year()-years, d.Month()-time.Month(months), 1, 0, 0, 0, 0, time.UTC)
	last := first.AddDate(0, 1, -1)
	return first.AddDate(0, 0, min(d.Day(), last.Day())-1)
}

// Days is how many days the period has.
func (p Period) Days() int { return int(p.To.Sub(p.From) / (24 * time.Hour)) }

// Compared reports whether it is compared with another.
func (p Period) Compared() bool { return p.Compare != None }

// Before returns the days it is compared with, as a period of their own.
func (p Period) Before() Period {
	return Period{Preset: Custom, From: p.BeforeFrom, To: p.BeforeTo, Compare: None, Today: p.Today}
}

// Through is the last day.
func (p Period) Through() time.Time { return p.To.AddDate(0, 0, -1) }

// FromText and ThroughText are the first and last day as forms have them.
func (p Period) FromText() string { return p.From.Format(time.DateOnly) }

// ThroughText is the last day as forms have it.
func (p Period) ThroughText() string { return p.Through().Format(time.DateOnly) }

// Open reports whether the period has days that are not over.
func (p Period) Open() bool { return p.To.After(p.Today) }

// Name says which days these are: "28 Oct – 26 Nov 2026".
func (p Period) Name() string { return span(p.From, p.Through()) }

// BeforeName says which days they are compared with; "" where with none.
func (p Period) BeforeName() string {
	if !p.Compared() {
		return ""
	}
	return span(p.BeforeFrom, p.BeforeTo.AddDate(0, 0, -1))
}

func span(from, through time.Time) string {
	end := through.Format("2 Jan 2006")
	switch {
	case from.Equal(through):
		return end
	case from.Year() != through.Year():
		return from.Format("2 Jan 2006") + " – " + end
	case from.Month() != through.Month():
		return from.Format("2 Jan") + " – " + end
	}
	return from.Format("2") + " – " + end
}

// Put writes the period into an address; what is usual is left out.
func (p Period) Put(values url.Values) {
	for _, name := range []string{"period", "from", "through", "compare"} {
		values.Del(name)
	}
	switch p.Preset {
	case p.usual:
	case Custom:
		values.Set("from", p.FromText())
		values.Set("through", p.ThroughText())
	default:
		values.Set("period", p.Preset)
	}
	if p.Compare != Before {
		values.Set("compare", p.Compare)
	}
}

// A Grain is how long the points of a chart are.
type Grain int

// The grains.
const (
	ByDay Grain = iota
	ByWeek
	ByMonth
)

// Grain returns how a chart of the period is divided, so that it has some
// dozen points and rarely more than a hundred.
func (p Period) Grain() Grain {
	switch days := p.Days(); {
	case days <= 92:
		return ByDay
	case days <= 400:
		return ByWeek
	}
	return ByMonth
}

// Start is the first day of the point that a day is in; weeks begin where the
// period does.
func (p Period) Start(d time.Time, g Grain) time.Time {
	switch g {
	case ByWeek:
		return p.From.AddDate(0, 0, int(d.Sub(p.From)/(7*24*time.Hour))*7)
	case ByMonth:
		return d.AddDate(0, 0, 1-d.Day())
	}
	return d
}

// Points returns the starts of all points of the period.
func (p Period) Points(g Grain) []time.Time {
	var all []time.Time
	for d := p.Start(p.From, g); d.Before(p.To); {
		all = append(all, d)
		switch g {
		case ByWeek:
			d = d.AddDate(0, 0, 7)
		case ByMonth:
			d = d.AddDate(0, 1, 0)
		default:
			d = d.AddDate(0, 0, 1)
		}
	}
	return all
}

// Label names a point.
func Label(start time.Time, g Grain) string {
	switch g {
	case ByWeek:
		return "Week from " + start.Format("2 Jan 2006")
	case ByMonth:
		return start.Format("January 2006")
	}
	return start.Format("Monday 2 January 2006")
}

// Short names a point on an axis.
func Short(start time.Time, g Grain) string {
	if g == ByMonth {
		return start.Format("Jan 06")
	}
	return start.Format("2 Jan")
}
