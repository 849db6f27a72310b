package reports_test

import (
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/united24media/support/internal/giving"
	"github.com/united24media/support/internal/reports"
	"github.com/united24media/support/internal/world"
)

// TestEveryNumberEqualsTheBook asks for everything that staff's screens show and
// compares it with what a world kept of itself.
func TestEveryNumberEqualsTheBook(t *testing.T) {
	t.Parallel()
	w := world.Many(tapesOf(3, 60), world.Seeded(3, 200), world.Options{Name: "w"})
	told := newTelling(t)
	for _, body := range world.Bodies(w.Events) {
		ok(t, told.book.Deliver(t.Context(), body))
	}
	for _, page := range w.Sweep() {
		ok(t, told.book.Apply(t.Context(), answersOf(page)...))
	}
	t.Run("overview", func(t *testing.T) { compareOverview(t, told, w.AfterFetches) })
	t.Run("crossed", func(t *testing.T) { compareCrossed(t, told, w.AfterFetches) })
	t.Run("memberships", func(t *testing.T) { compareMemberships(t, told, w.AfterFetches) })
	t.Run("cohorts", func(t *testing.T) { compareCohorts(t, told, w.AfterFetches) })
	t.Run("articles", func(t *testing.T) { compareArticles(t, told, w.AfterFetches) })
	t.Run("attention", func(t *testing.T) {
		_, err := told.Attention(t.Context())
		ok(t, err)
	})
}

func compareOverview(t *testing.T, told telling, book world.Book) {
	q := reports.Query{From: time.Date(2026, 4, 1, 0, 0, 0, 0, time.UTC), To: time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC)}
	overview, err := told.Overview(t.Context(), q)
	ok(t, err)
	if from := overview.Before.From.Format(time.DateOnly); from != "2026-01-01" || !overview.Before.To.Equal(q.From) {
		t.Errorf("the period before is from %s to %s", from, overview.Before.To)
	}
	for _, standing := range []reports.Standing{overview.Now, overview.Before} {
		want, days := map[string]world.Sums{}, map[string]int64{}
		var all world.Sums
		from, to := standing.From.Format(time.DateOnly), standing.To.Format(time.DateOnly)
		for row, sums := range book.Daily {
			if row.Dimension == "all" && row.Day >= from && row.Day < to {
				want[row.Currency] = want[row.Currency].Plus(sums)
				days[row.Day] += sums.Donations
				all = all.Plus(sums)
			}
		}
		if standing.Donations != all.Donations || standing.NewSupporters != all.NewSupporters || all.Donations == 0 {
			t.Errorf("from %s: %d donations, %d new supporters; the book has %+v", from, standing.Donations, standing.NewSupporters, all)
		}
		for _, m := range standing.Money {
			w := want[m.Currency]
			if m.Gross != w.Gross || m.Received != w.Gross-w.Refunded-w.Disputed || m.Donations != w.Donations {
				t.Errorf("from %s: %+v, the book has %+v", from, m, w)
			}
			if twice := 2*m.Gross - 2*m.Average*m.Donations; twice >= m.Donations || twice < -m.Donations {
				t.Errorf("the average of %+v is more than half a unit off", m)
			}
		}
		for _, d := range standing.Days {
			if d.Donations != days[d.Day] {
				t.Errorf("%s: %d donations, the book has %d", d.Day, d.Donations, days[d.Day])
			}
			delete(days, d.Day)
		}
		if len(days) > 0 {
			t.Errorf("days without a row: %v", days)
		}
		lost := int64(0)
		for move, by := range book.Moves {
			if move.Cohort == "" && move.Kind == "churned" && move.Period >= from && move.Period < to {
				lost -= by.Members
			}
		}
		if standing.LostMembers != lost || lost == 0 {
			t.Errorf("from %s: %d memberships lost, the book has %d", from, standing.LostMembers, lost)
		}
	}
}

func compareCrossed(t *testing.T, told telling, book world.Book) {
	for _, pair := range [][2]string{{"article", "placement"}, {"placement", "article"}, {"placement", "variant"}, {"campaign", "placement"}, {"country", "day"}, {"article", "month"}} {
		cross, err := told.Cross(t.Context(), years(t, pair[0]), pair[1])
		ok(t, err)
		type place struct{ a, b, currency, settlement string }
		want := map[place]world.Sums{}
		for row, sums := range book.Daily {
			a, b, _ := strings.Cut(row.Value, "\x1f")
			at := place{a, b, row.Currency, row.Settlement}
			switch row.Dimension {
			case pair[0] + "/" + pair[1]:
			case pair[1] + "/" + pair[0]:
				at.a, at.b = b, a
			case pair[0]:
				if at.b = row.Day; pair[1] == "month" {
					at.b = row.Day[:7]
				}
				if pair[1] != "day" && pair[1] != "month" {
					continue
				}
			default:
				continue
			}
			want[at] = want[at].Plus(sums)
		}
		maps.DeleteFunc(want, func(_ place, s world.Sums) bool { return s == world.Sums{} })
		for _, c := range cross.Cells {
			at := place{c.Key, c.Across, c.Currency, ""}
			if c.SettlementCurrency != nil {
				at.settlement = *c.SettlementCurrency
			}
			if got := want[at]; got.Donations != c.Donations || got.Gross-got.Refunded-got.Disputed != c.Received {
				t.Errorf("%v: %+v is %+v, the book has %+v", pair, at, c.Figures, got)
			}
			delete(want, at)
		}
		for at, sums := range want {
			t.Errorf("%v: no cell for %+v: %+v", pair, at, sums)
		}
		if len(cross.Cells) == 0 || len(cross.Rows) == 0 {
			t.Errorf("%v is empty", pair)
		}
	}
}

// compareMemberships: what moved is what the book has, and what it comes to is
// what the memberships that count are worth now.
func compareMemberships(t *testing.T, told telling, book world.Book) {
	got, err := told.Memberships(t.Context(), years(t, "month"))
	ok(t, err)
	want := map[string]world.Moved{}
	for move, by := range book.Moves {
		if move.Cohort == "" && move.Period <= world.Day(world.End) {
			at := move.Period[:7] + move.Kind + move.Currency
			want[at] = world.Moved{Members: want[at].Members + by.Members, Monthly: want[at].Monthly + by.Monthly}
		}
	}
	for _, f := range got.Flows {
		for kind, m := range map[string]giving.Moved{
			"new": f.New, "expansion": f.Expansion, "contraction": f.Contraction, "churned": f.Churned, "reactivated": f.Reactivated,
		} {
			if at := f.Period + kind + f.Currency; want[at] != (world.Moved{Members: m.Members, Monthly: m.Monthly}) {
				t.Errorf("%s: %+v, the book has %+v", at, m, want[at])
			}
		}
	}
	worth := map[string]world.Moved{}
	for _, m := range book.Memberships {
		if m.Member {
			monthly := m.Amount
			if m.Interval == "year" {
				monthly = (monthly + 6) / 12
			}
			worth[m.Currency] = world.Moved{Members: worth[m.Currency].Members + 1, Monthly: worth[m.Currency].Monthly + monthly}
		}
	}
	for _, r := range got.End {
		if worth[r.Currency] != (world.Moved{Members: r.Members, Monthly: r.Monthly}) {
			t.Errorf("now %+v, the book has %+v", r, worth[r.Currency])
		}
		delete(worth, r.Currency)
	}
	if len(worth) > 0 || len(got.End) == 0 {
		t.Errorf("nothing is said of %v", worth)
	}
}

func compareCohorts(t *testing.T, told telling, book world.Book) {
	cohorts, err := told.Cohorts(t.Context(), time.Date(2023, 12, 1, 0, 0, 0, 0, time.UTC), time.Date(2026, 8, 1, 0, 0, 0, 0, time.UTC))
	ok(t, err)
	if len(cohorts) == 0 {
		t.Fatal("there are none")
	}
	for _, c := range cohorts {
		began, left := int64(0), int64(0)
		for move, by := range book.Moves {
			if move.Cohort == c.Month && move.Kind == "new" {
				began += by.Members
			}
			if move.Cohort == c.Month && move.Period <= "2026-07" {
				left += by.Members
			}
		}
		if c.Began != began || c.Kept[len(c.Kept)-1] != left || c.Kept[0] > c.Began {
			t.Errorf("%+v: the book has %d, of which %d are left", c, began, left)
		}
	}
}

func compareArticles(t *testing.T, told telling, book world.Book) {
	q := years(t, "article")
	found, more, err := told.Articles(t.Context(), reports.ArticleQuery{From: q.From, To: q.To})
	ok(t, err)
	if more || len(found) < 2 {
		t.Fatalf("%d articles, more %t", len(found), more)
	}
	want := map[string]world.Sums{}
	for row, sums := range book.Daily {
		if row.Dimension == "article" {
			want[row.Value] = want[row.Value].Plus(sums)
		}
	}
	last := int64(1 << 40)
	for _, f := range found {
		sums := want[f.Key]
		if f.Paid != sums.Won || f.Kept != sums.Kept || f.Renewals != sums.Donations-sums.Won {
			t.Errorf("%+v: the book has %+v", f, sums)
		}
		if sums.Donations > last {
			t.Errorf("%s stands below one with fewer donations", f.Key)
		}
		last = sums.Donations
		delete(want, f.Key)
	}
	if len(want) > 0 {
		t.Errorf("not in the table: %v", want)
	}
}
