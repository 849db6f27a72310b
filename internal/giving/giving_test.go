package giving

import (
	"reflect"
	"testing"
	"time"
	_ "time/tzdata"

	"pgregory.net/rapid"
)

func TestSupporterKey(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ email, customer, want string }{
		"an address":          {"olena@example.org", "cus_1", "address:olena@example.org"},
		"written another way": {" Olena@Example.ORG ", "cus_2", "address:olena@example.org"},
		"no address":          {"", "cus_1", "customer:cus_1"},
		"nobody":              {"", "", "gift:pi_1"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := SupporterKey(tt.email, tt.customer, "pi_1"); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestDay(t *testing.T) {
	t.Parallel()
	kyiv, err := time.LoadLocation("Europe/Kyiv")
	if err != nil {
		t.Fatal(err)
	}
	tests := map[string]struct {
		at   string
		want int64
	}{
		"noon":                      {"2026-01-31T12:00:00Z", 20260131},
		"late in winter":            {"2026-01-31T23:30:00Z", 20260201},
		"before midnight in winter": {"2026-01-31T21:59:59Z", 20260131},
		"midnight in summer":        {"2026-06-30T21:00:00Z", 20260701},
		"the hour that is skipped":  {"2026-03-29T01:00:00Z", 20260329},
		"the hour that is doubled":  {"2026-10-25T00:30:00Z", 20261025},
		"New Year":                  {"2026-12-31T22:00:00Z", 20270101},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			at, err := time.Parse(time.RFC3339, tt.at)
			if err != nil {
				t.Fatal(err)
			}
			if got := Day(at.Unix(), kyiv); got != tt.want {
				t.Errorf("%s is on %d, want %d", tt.at, got, tt.want)
			}
			if date := Date(tt.want); Day(date.Unix(), time.UTC) != tt.want || !date.Equal(date.Truncate(24*time.Hour)) {
				t.Errorf("%d is %s", tt.want, date)
			}
		})
	}
}

func TestLive(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		d    Donation
		want bool
	}{
		"whole":                     {Donation{Gross: 10}, true},
		"partly refunded":           {Donation{Gross: 10, Refunded: 9}, true},
		"refunded":                  {Donation{Gross: 10, Refunded: 10}, false},
		"an open dispute":           {Donation{Gross: 10, Disputed: 10}, true},
		"a lost one":                {Donation{Gross: 10, Disputed: 10, Lost: 10}, false},
		"refunded and lost in part": {Donation{Gross: 10, Refunded: 4, Lost: 6}, false},
		"more went back than came":  {Donation{Gross: 10, Refunded: 10, Lost: 10}, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := tt.d.Live(); got != tt.want {
				t.Errorf("got %t, want %t", got, tt.want)
			}
		})
	}
}

func TestScopes(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		won  Attribution
		want []string
	}{
		"nothing known": {Attribution{}, []string{"all"}},
		"an article":    {Attribution{Article: "troops"}, []string{"all", "article:troops"}},
		"both":          {Attribution{Article: "troops", Campaign: "winter"}, []string{"all", "article:troops", "campaign:winter"}},
	}
	for name, tt := range tests {
		if got := tt.won.Scopes(); !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s: got %v, want %v", name, got, tt.want)
		}
	}
}

func TestAddTo(t *testing.T) {
	t.Parallel()
	d := Donation{
		Created: 1769850000, Currency: "USD", Gross: 1000, Refunded: 300, Disputed: 200, First: true, Interval: Once,
		Settled: Balance{"EUR", 57, 863}, Elsewhere: []Balance{{"GBP", 15, -15}}, Attribution: Attribution{Article: "troops"},
	}
	cells := Cells{}
	d.AddTo(cells, 1, time.UTC)
	own := Figures{Donations: 1, NewSupporters: 1, Won: 1, Kept: 1, Gross: 1000, Refunded: 300, Disputed: 200, Fee: 57, Net: 863}
	tests := map[Cell]Figures{
		{DimensionAll, 20260131, "", "USD", "EUR"}:                                        own,
		{DimensionAll, 202601, "", "USD", "EUR"}:                                          own,
		{"article", 20260131, "troops", "USD", "EUR"}:                                     own,
		{"campaign", 202601, "", "USD", "EUR"}:                                            own,
		{"interval", 202601, "once", "USD", "EUR"}:                                        own,
		{PairName("article", "placement"), 202601, PairValue("troops", ""), "USD", "EUR"}: own,
		{DimensionAll, 202601, "", "USD", "GBP"}:                                          {Fee: 15, Net: -15}, // no second donation
	}
	for cell, want := range tests {
		if got := cells[cell]; got == nil || *got != want {
			t.Errorf("%+v holds %+v, want %+v", cell, got, want)
		}
	}
	if n := len(cells); n != 2*2*len(Dimensions()) {
		t.Errorf("%d cells", n)
	}
}

// TestEachDimensionHasItsValue: which cell of a dimension a donation is in.
func TestEachDimensionHasItsValue(t *testing.T) {
	t.Parallel()
	d := Donation{
		Created: 1769850000, Currency: "EUR", Gross: 10, Country: "UA", Interval: Month,
		Attribution: Attribution{Article: "a", Placement: "p", Campaign: "c", Variant: "v", Tier: "t"},
	}
	want := map[string]string{
		DimensionAll: "", "article": "a", "placement": "p", "campaign": "c", "variant": "v", "country": "UA", "interval": "month", "tier": "t",
		"article/placement": PairValue("a", "p"), "campaign/placement": PairValue("c", "p"), "placement/variant": PairValue("p", "v"),
	}
	cells := Cells{}
	d.AddTo(cells, 1, time.UTC)
	for dimension, value := range want {
		if f := cells[Cell{dimension, 20260131, value, "EUR", ""}]; f == nil || f.Gross != 10 {
			t.Errorf("in the dimension %s it has another value than %q", dimension, value)
		}
	}
	if len(Dimensions()) != len(want) {
		t.Errorf("there are the dimensions %v", Dimensions())
	}
}

// TestWhatAsksWonAndKept: renewals were won by no ask, and what is gone is kept
// by none.
func TestWhatAsksWonAndKept(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		d                Donation
		first, won, kept int64
	}{
		"a first gift":              {Donation{Gross: 10, First: true}, 1, 1, 1},
		"a later one":               {Donation{Gross: 10}, 0, 1, 1},
		"a renewal":                 {Donation{Gross: 10, Renewal: true}, 0, 0, 0},
		"one that was given back":   {Donation{Gross: 10, Refunded: 10}, 0, 1, 0},
		"one that a bank took back": {Donation{Gross: 10, Disputed: 10, Lost: 10}, 0, 1, 0},
	}
	for name, tt := range tests {
		cells := Cells{}
		tt.d.AddTo(cells, 1, time.UTC)
		if f := cells[Cell{DimensionAll, 19700101, "", "", ""}]; f.Donations != 1 || f.NewSupporters != tt.first || f.Won != tt.won || f.Kept != tt.kept {
			t.Errorf("%s counts as %+v", name, f)
		}
	}
}

// TestADonationLeavesAsItCame: what a donation adds to the sums is just what
// taking it away removes.
func TestADonationLeavesAsItCame(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		minor, word := rapid.Int64Range(-5, 5), rapid.SampledFrom([]string{"", "a", "b"})
		d := Donation{
			Created: rapid.Int64Range(0, 1<<32).Draw(t, "created"), Currency: word.Draw(t, "currency"), First: rapid.Bool().Draw(t, "first"),
			Gross: minor.Draw(t, "gross"), Refunded: minor.Draw(t, "refunded"), Disputed: minor.Draw(t, "disputed"),
			Settled:   Balance{word.Draw(t, "settled"), minor.Draw(t, "fee"), minor.Draw(t, "net")},
			Elsewhere: []Balance{{word.Draw(t, "elsewhere"), minor.Draw(t, "fee"), minor.Draw(t, "net")}},
			Country:   word.Draw(t, "country"), Attribution: Attribution{Article: word.Draw(t, "article"), Tier: word.Draw(t, "tier")},
		}
		cells := Cells{}
		d.AddTo(cells, 1, time.UTC)
		d.AddTo(cells, -1, time.UTC)
		for cell, left := range cells {
			if *left != (Figures{}) {
				t.Fatalf("%+v is left in %+v", left, cell)
			}
		}
	})
}

func TestBefore(t *testing.T) {
	t.Parallel()
	first := &Donation{Key: "b", Created: 5}
	for name, later := range map[string]*Donation{"by time": {Key: "a", Created: 6}, "by key": {Key: "c", Created: 5}} {
		if !first.Before(later) || later.Before(first) {
			t.Errorf("%s: %+v is not before %+v", name, first, later)
		}
	}
	if first.Before(first) {
		t.Error("a donation is before itself")
	}
}

func TestWhatAMembershipWillDo(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ over, recurs bool }{
		"active": {false, true}, "trialing": {false, true}, "past_due": {false, true}, "unpaid": {false, true},
		"incomplete": {false, false}, "incomplete_expired": {true, false}, "canceled": {true, false}, "paused": {false, false},
	}
	for status, want := range tests {
		m := Membership{Status: status}
		if m.Over() != want.over || m.Recurs() != want.recurs {
			t.Errorf("%s: over %t, recurs %t", status, m.Over(), m.Recurs())
		}
		if m.CancelAtEnd = true; m.Recurs() {
			t.Errorf("%s, canceled at its end, recurs", status)
		}
	}
}

func TestWhoASupporterIs(t *testing.T) {
	t.Parallel()
	if key := ErasedKey("x"); key != "erased:x" || !Erased(key) || AddressOf(key) != "" {
		t.Errorf("somebody erased is %q", key)
	}
	if key := SupporterKey("A@example.org", "", ""); Erased(key) || AddressOf(key) != "a@example.org" {
		t.Errorf("%q is the address %q", key, AddressOf(key))
	}
}

func TestPairValues(t *testing.T) {
	t.Parallel()
	for _, pair := range [][2]string{{"a", "b"}, {"", "b"}, {"a", ""}, {"a", "b" + pairSeparator + "c"}} {
		if a, b := PairValues(PairValue(pair[0], pair[1])); a != pair[0] || b != pair[1] {
			t.Errorf("%q reads back as %q, %q", pair, a, b)
		}
	}
	if a, b := PairValues(PairValue("a"+pairSeparator+"x", "b")); a != "a x" || b != "b" {
		t.Errorf("a separator inside: %q, %q", a, b)
	}
}
