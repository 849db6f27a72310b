package giving

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestMonthly(t *testing.T) {
	t.Parallel()
	tests := []struct {
		amount   int64
		interval Interval
		want     int64
	}{
		{600, Month, 600}, {1200, Year, 100}, {1206, Year, 101}, {1205, Year, 100}, {5, Year, 0}, {6, Year, 1},
		{1200, "week", 5200}, {12, "day", 365}, {1200, Once, 0}, {1200, "", 0},
	}
	for _, tt := range tests {
		if got := Monthly(tt.amount, tt.interval); got != tt.want {
			t.Errorf("%d a %s is %d a month, want %d", tt.amount, tt.interval, got, tt.want)
		}
	}
}

func TestSteps(t *testing.T) {
	t.Parallel()
	live := func(at int64, currency string, monthly int64) Step { return Step{at, true, currency, monthly} }
	tests := map[string]struct {
		steps []Step
		want  Steps
	}{
		"none":                     {nil, ""},
		"a beginning":              {[]Step{live(5, "EUR", 600)}, "5:EUR:600"},
		"more":                     {[]Step{live(5, "EUR", 600), live(6, "EUR", 700)}, "5:EUR:600 6:EUR:700"},
		"another currency":         {[]Step{live(5, "EUR", 600), live(6, "USD", 600)}, "5:EUR:600 6:USD:600"},
		"the same again":           {[]Step{live(5, "EUR", 600), live(6, "EUR", 600), live(7, "EUR", 600)}, "5:EUR:600"},
		"an end":                   {[]Step{live(5, "EUR", 600), {At: 6}}, "5:EUR:600 6"},
		"an end with leftovers":    {[]Step{live(5, "EUR", 600), {6, false, "EUR", 600}, {7, false, "USD", 1}}, "5:EUR:600 6"},
		"not before the beginning": {[]Step{{At: 4}, live(5, "EUR", 600)}, "5:EUR:600"},
		"again":                    {[]Step{live(5, "EUR", 600), {At: 6}, live(8, "EUR", 600)}, "5:EUR:600 6 8:EUR:600"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := StepsOf(tt.steps)
			if got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			if again := StepsOf(got.All()); again != got {
				t.Errorf("%q reads back as %q", got, again)
			}
		})
	}
	if got := Steps("5:EUR:600 16").All(); !slices.Equal(got, []Step{live(5, "EUR", 600), {At: 16}}) {
		t.Errorf("read as %+v", got)
	}
}

// TestMovements has each way in which recurring revenue moves.
func TestMovements(t *testing.T) {
	t.Parallel()
	day := func(n int64) int64 { return n * 86_400 } // of January 1970
	tests := map[string]struct {
		steps []Step
		want  string // by day and by cohort: period, cohort, movement, currency, members and worth
	}{
		"a member for the first time": {
			[]Step{{day(0), true, "EUR", 600}}, "19700101 0 new EUR 1 600; 197001 197001 new EUR 1 600",
		},
		"more and less": {
			[]Step{{day(0), true, "EUR", 600}, {day(1), true, "EUR", 700}, {day(40), true, "EUR", 500}},
			"19700101 0 new EUR 1 600; 19700102 0 expansion EUR 0 100; 19700210 0 contraction EUR 0 -200; " +
				"197001 197001 expansion EUR 0 100; 197001 197001 new EUR 1 600; 197002 197001 contraction EUR 0 -200",
		},
		"gone and come back": {
			[]Step{{day(0), true, "EUR", 600}, {At: day(1)}, {day(40), true, "EUR", 500}},
			"19700101 0 new EUR 1 600; 19700102 0 churned EUR -1 -600; 19700210 0 reactivated EUR 1 500; " +
				"197001 197001 churned EUR -1 -600; 197001 197001 new EUR 1 600; 197002 197001 reactivated EUR 1 500",
		},
		"into another currency": {
			[]Step{{day(0), true, "EUR", 600}, {day(1), true, "USD", 700}},
			"19700101 0 new EUR 1 600; 19700102 0 contraction EUR -1 -600; 19700102 0 expansion USD 1 700; " +
				"197001 197001 contraction EUR -1 -600; 197001 197001 expansion USD 1 700; 197001 197001 new EUR 1 600",
		},
		"never one": {nil, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := Membership{Steps: StepsOf(tt.steps)}
			cells := map[MovementCell]Moved{}
			m.AddMovements(cells, 1, time.UTC)
			var got []string
			for c, by := range cells {
				got = append(got, fmt.Sprint(c.Period, c.Cohort, " ", c.Movement, " ", c.Currency, " ", by.Members, by.Monthly))
			}
			slices.Sort(got)
			want := strings.Split(tt.want, "; ")
			if slices.Sort(want); strings.Join(got, "; ") != strings.Join(want, "; ") {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
			m.AddMovements(cells, -1, time.UTC)
			maps.DeleteFunc(cells, func(_ MovementCell, by Moved) bool { return by == Moved{} })
			if len(cells) > 0 {
				t.Errorf("taken off again, there is left %+v", cells)
			}
		})
	}
}
