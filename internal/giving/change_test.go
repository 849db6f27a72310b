package giving

import (
	"maps"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// drawDonation draws from so small a domain that two often agree.
func drawDonation(t *rapid.T) *Donation {
	minor, word := rapid.Int64Range(0, 3), rapid.SampledFrom([]string{"", "a", "b"})
	d := &Donation{
		Key: "pi_1", Created: rapid.SampledFrom([]int64{1, 86_400, 31 * 86_400}).Draw(t, "created"), Turned: rapid.Int64Range(1, 9).Draw(t, "turned"),
		Currency: word.Draw(t, "currency"), First: rapid.Bool().Draw(t, "first"), Renewal: rapid.Bool().Draw(t, "renewal"),
		Gross: minor.Draw(t, "gross"), Refunded: minor.Draw(t, "refunded"), Disputed: minor.Draw(t, "disputed"), Lost: minor.Draw(t, "lost"),
		Settled: Balance{word.Draw(t, "settled"), minor.Draw(t, "fee"), minor.Draw(t, "net")},
		Country: word.Draw(t, "country"), Interval: Interval(word.Draw(t, "interval")),
		Attribution: Attribution{
			Article: word.Draw(t, "article"), Placement: word.Draw(t, "placement"), Campaign: word.Draw(t, "campaign"),
			Variant: word.Draw(t, "variant"), Tier: word.Draw(t, "tier"),
		},
	}
	for _, code := range rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"x", "y"}), 0, 2, rapid.ID).Draw(t, "elsewhere") {
		d.Elsewhere = append(d.Elsewhere, Balance{code, minor.Draw(t, "fee"), minor.Draw(t, "net")})
	}
	return d
}

// TestChangesAreWhatTheSumsMoveBy: added up in each dimension, changes are what
// taking the old donation off and adding the new one does to the days' cells.
func TestChangesAreWhatTheSumsMoveBy(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var old, now *Donation
		cells := Cells{}
		if rapid.Bool().Draw(t, "was there") {
			old = drawDonation(t)
			old.AddTo(cells, -1, time.UTC)
		}
		if rapid.Bool().Draw(t, "is there") {
			now = drawDonation(t)
			now.AddTo(cells, 1, time.UTC)
		}
		maps.DeleteFunc(cells, func(c Cell, f *Figures) bool { return !c.OfDay() || *f == Figures{} })
		turned := int64(0)
		if old != nil {
			turned = old.Turned
		}
		if now != nil {
			turned = now.Turned
		}
		got := map[Cell]Figures{}
		for _, c := range Changes(old, now, time.UTC) {
			if c.Key != "pi_1" || c.Turned != turned || c.Figures == (Figures{}) {
				t.Fatalf("a change is %+v; it turned at %d", c, turned)
			}
			for _, dimension := range Dimensions() {
				cell, ok := c.Cell(dimension)
				if !ok {
					t.Fatalf("%+v has no cell of %s", c, dimension)
				}
				got[cell] = got[cell].Plus(c.Figures, 1)
			}
		}
		maps.DeleteFunc(got, func(_ Cell, f Figures) bool { return f == Figures{} })
		if !maps.EqualFunc(got, cells, func(f Figures, by *Figures) bool { return f == *by }) {
			t.Fatalf("changes come to %+v, the cells move by %+v", got, cells)
		}
	})
}

// TestACellThatARebuildCountsOtherwise is of its own dimension alone.
func TestACellThatARebuildCountsOtherwise(t *testing.T) {
	t.Parallel()
	c := Change{Day: 20260131, Currency: "EUR", Settlement: "USD", Dimension: "article", Value: "troops"}
	if cell, ok := c.Cell("article"); !ok || cell != (Cell{"article", 20260131, "troops", "EUR", "USD"}) {
		t.Errorf("its cell is %+v, %t", cell, ok)
	}
	if cell, ok := c.Cell("campaign"); ok {
		t.Errorf("it has a cell of another dimension: %+v", cell)
	}
	if cell, ok := (&Change{}).Cell("weather"); ok {
		t.Errorf("there is a dimension of weather: %+v", cell)
	}
}

func TestFiguresAreWrittenAndReadBack(t *testing.T) {
	t.Parallel()
	f := Figures{2, 3, 4, 5, 6, 7, 8, 9, 10}
	if got := FiguresOf(f.Numbers()); got != f {
		t.Errorf("read back as %+v", got)
	}
	if got, want := f.Plus(f, 2), (Figures{6, 9, 12, 15, 18, 21, 24, 27, 30}); got != want {
		t.Errorf("added twice: %+v, want %+v", got, want)
	}
	if got := f.Plus(f, -1); got != (Figures{}) {
		t.Errorf("taken off itself: %+v", got)
	}
}
