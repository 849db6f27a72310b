package reportpages_test

import (
	"cmp"
	"context"
	"encoding/csv"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/united24media/support/internal/ledger"
	"github.com/united24media/support/internal/look"
	"github.com/united24media/support/internal/objects"
	"github.com/united24media/support/internal/reports"
	"github.com/united24media/support/internal/signin"
	"github.com/united24media/support/internal/staff"
	"github.com/united24media/support/internal/staff/articles"
	"github.com/united24media/support/internal/staff/desk"
	"github.com/united24media/support/internal/staff/figure"
	"github.com/united24media/support/internal/staff/overview"
	"github.com/united24media/support/internal/staff/reportpages"
	"github.com/united24media/support/internal/store"
	"github.com/united24media/support/internal/world"
)

// A newsroom is the screens over a ledger that was told a world.
type newsroom struct {
	*httptest.Server
	world   *world.World
	store   *store.Store
	book    *ledger.Ledger
	answers *reports.Service
	cookies map[desk.Role]string
}

// closed is a month that is.
var closed = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)

// policy is the one that the staff pages are served with.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

func newNewsroom(t *testing.T) *newsroom {
	t.Helper()
	gin.SetMode(gin.ReleaseMode)
	tapes := make([]world.Tape, 60)
	for i := range tapes {
		tapes[i] = world.Seeded(uint64(i)+7, 200)
	}
	n := &newsroom{world: world.Many(tapes, world.Seeded(3, 200), world.Options{Name: "w"}), cookies: map[desk.Role]string{}}
	kyiv, err := time.LoadLocation("Europe/Kyiv")
	ok(t, err)
	db, err := store.Open("sqlite:" + filepath.Join(t.TempDir(), "support.db"))
	ok(t, err)
	t.Cleanup(func() { db.Close() })
	_, err = db.Migrate(t.Context())
	ok(t, err)
	n.store = db
	now := func() time.Time { return time.Unix(world.End, 0) }
	n.book = ledger.New(ledger.Options{Store: db, Now: now, Timezone: kyiv, Grace: world.Grace})
	ctx, cancel := context.WithCancel(context.Background())
	stopped := make(chan error, 1)
	go func() { stopped <- n.book.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-stopped })
	n.tell(t, n.world)
	n.answers = reports.New(reports.Options{Store: db, Timezone: kyiv, Now: now})
	_, err = n.answers.CloseMonth(t.Context(), closed, "admin@example.org")
	ok(t, err)
	d := desk.New(desk.Options{Store: db, Keys: signin.New([][]byte{[]byte("0123456789abcdef0123456789abcdef")}), PublicURL: "http://staff.test", Sandbox: true, Zone: kyiv, Now: now})
	pages := staff.New(d, overview.New(overview.Options{Desk: d, Reports: n.answers}), reportpages.New(reportpages.Options{Desk: d, Reports: n.answers}),
		articles.New(articles.Options{Desk: d}))
	e := gin.New()
	for _, r := range pages.Routes {
		e.Handle(r.Method, r.Path, func(c *gin.Context) {
			c.Header("Content-Security-Policy", policy)
			if err := r.Handle(c); err != nil {
				c.String(http.StatusInternalServerError, "%v", err)
			}
		})
	}
	assets := look.NewAssets(look.Style, look.StaffStyle, look.Icon, overview.Script)
	e.GET(look.AssetPrefix+"*path", gin.WrapH(assets))
	n.Server = httptest.NewServer(e)
	t.Cleanup(n.Close)
	for _, role := range desk.Roles() {
		who := store.Staff{ID: "stf_" + string(role), Email: string(role) + "@example.org", Role: string(role), Created: now()}
		ok(t, db.AddStaff(t.Context(), who, store.Entry{At: now(), Who: "test", Action: "staff.add"}))
		n.cookies[role] = desk.Token()
		session := store.StaffSession{ID: "ses_" + string(role), Staff: who, Method: "link", Created: now(), Proved: now(), Used: now()}
		ok(t, db.AddStaffSession(t.Context(), session, desk.Hash(n.cookies[role]), "", now().Add(-desk.Idle), store.Entry{At: now(), Who: who.Email, Action: "staff.sign-in"}))
	}
	return n
}

// tell gives the ledger everything of a world.
func (n *newsroom) tell(t *testing.T, w *world.World) {
	t.Helper()
	var calls sync.WaitGroup
	for _, body := range world.Bodies(w.Events) {
		calls.Go(func() {
			if err := n.book.Deliver(context.Background(), body); err != nil {
				t.Error(err)
			}
		})
	}
	calls.Wait()
	for _, page := range w.Sweep() {
		var answers []ledger.Answer
		for i, object := range page.Objects {
			answers = append(answers, ledger.Answer{Object: object, At: time.Unix(page.AsOf, 0)})
			if strings.HasPrefix(page.Of, "po_") {
				answers = append(answers, fact(page, objects.NewRef(objects.KindTransaction, page.IDs[i]), &objects.Transaction{Payout: page.Of}))
			}
		}
		if strings.HasPrefix(page.Of, "po_") {
			answers = append(answers, fact(page, objects.NewRef(objects.KindPayout, page.Of), &objects.Payout{Listed: page.AsOf}))
		}
		ok(t, n.book.Apply(context.Background(), answers...))
	}
}

func fact(page world.Answer, about objects.Ref, r objects.Register) ledger.Answer {
	return ledger.Answer{Object: objects.Fact(about, r), At: time.Unix(page.AsOf, 0)}
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (n *newsroom) get(t *testing.T, role desk.Role, address string) string {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, n.URL+address, nil)
	ok(t, err)
	r.Header.Set("Accept", "text/html")
	r.AddCookie(&http.Cookie{Name: "support_staff", Value: n.cookies[role]})
	answer, err := http.DefaultTransport.RoundTrip(r)
	ok(t, err)
	defer answer.Body.Close()
	out, err := io.ReadAll(answer.Body)
	ok(t, err)
	if answer.StatusCode != http.StatusOK {
		t.Fatalf("%s: %d %s", address, answer.StatusCode, out)
	}
	return string(out)
}

// always is the period that holds all of a world.
const always = "from=2024-01-01&through=2026-07-01&compare=none"

// rowsOf are the rows of the sums' table: names without markup, then numbers.
var (
	rowsOf  = regexp.MustCompile(`(?s)<tr><th scope="row">(.*?)</tr>`)
	cellsOf = regexp.MustCompile(`(?s)<td[^>]*>(.*?)</td>`)
	markup  = regexp.MustCompile(`<[^>]*>`)
)

func shown(page string) map[string][]string {
	rows := map[string][]string{}
	for _, row := range rowsOf.FindAllStringSubmatch(page, -1) {
		name, rest, _ := strings.Cut(row[1], "</th>")
		name = html.UnescapeString(markup.ReplaceAllString(name, ""))
		for _, c := range cellsOf.FindAllStringSubmatch(rest, -1) {
			rows[name] = append(rows[name], markup.ReplaceAllString(c[1], ""))
		}
	}
	return rows
}

// TestTheNumbersAreTheBooks compares every sum that the reports show with the
// book that the world kept of itself.
func TestTheNumbersAreTheBooks(t *testing.T) {
	t.Parallel()
	n := newNewsroom(t)
	const in = "EUR"
	for _, by := range []string{"article", "placement", "campaign", "variant", "country", "interval", "tier"} {
		want := map[string]world.Sums{}
		for row, sums := range n.world.AfterFetches.Daily {
			if row.Dimension != by {
				continue
			}
			name := figure.Key(by, row.Value)
			sum := want[name]
			sum.Donations += sums.Donations
			sum.NewSupporters += sums.NewSupporters
			if row.Settlement == in {
				sum.Fee += sums.Fee
				sum.Net += sums.Net
			}
			want[name] = sum
		}
		got := shown(n.get(t, desk.Viewer, "/staff/reports?in="+in+"&by="+by+"&"+always))
		delete(got, "All")
		if len(got) != len(want) || len(want) == 0 {
			t.Errorf("by %s: %d rows, the book has %d", by, len(got), len(want))
		}
		for name, sum := range want {
			cells := []string{
				figure.Count(sum.Donations), figure.Count(sum.NewSupporters), figure.Amount(sum.Net+sum.Fee, in),
				figure.Amount(sum.Fee, in), figure.Amount(sum.Net, in),
			}
			if fmt.Sprint(got[name]) != fmt.Sprint(cells) {
				t.Errorf("by %s, %s: %v, the book says %v", by, name, got[name], cells)
			}
		}
	}
}

// screens are all of them, over days that hold something and over none.
func screens(n *newsroom) []string {
	all := []string{"/staff", "/staff?period=today", "/staff?chart=donations&" + always, "/staff/reports/months", "/staff/reports/months/2026-03"}
	for _, by := range reports.Dimensions() {
		all = append(all, "/staff/reports?by="+by+"&"+always, "/staff/reports?period=today&by="+by, "/staff/reports?show=currencies&by="+by+"&"+always)
		for _, across := range reports.Across(by) {
			all = append(all, "/staff/reports?by="+by+"&across="+across+"&"+always)
		}
	}
	for _, screen := range []string{"articles", "experiments", "members", "recovered", "payouts"} {
		all = append(all, "/staff/reports/"+screen+"?"+always, "/staff/reports/"+screen+"?period=today")
	}
	for _, screen := range []string{"", "/reports", "/reports/articles", "/reports/experiments", "/reports/members", "/reports/recovered", "/reports/payouts"} {
		all = append(all, "/staff"+screen+"?from=2026-01-01&through=2026-04-02") // the longest that is shown by day
	}
	for id := range n.world.AfterFetches.Payouts {
		all = append(all, "/staff/reports/payouts/"+id)
	}
	return all
}

var inline = regexp.MustCompile(`(?i) style=|<style| on[a-z]+=|<script>|javascript:`)

func TestEveryScreen(t *testing.T) {
	t.Parallel()
	n := newNewsroom(t)
	const most = 100 << 10 // bytes
	for _, address := range screens(n) {
		for _, role := range []desk.Role{desk.Viewer, desk.Admin} {
			page := n.get(t, role, address)
			if len(page) > most {
				t.Errorf("%s has %d bytes", address, len(page))
			}
			if found := inline.FindString(page); found != "" {
				t.Errorf("%s has inline %q, which the policy refuses", address, found)
			}
			if role == desk.Viewer && (strings.Contains(page, ".w@example.org") || strings.Contains(page, "Jenny")) {
				t.Errorf("%s tells a viewer who gave", address)
			}
		}
	}
}

// TestMonthsThatChanged: the list of closed months says of which one something
// changed since, so that nobody opens each of them.
func TestMonthsThatChanged(t *testing.T) {
	t.Parallel()
	n := newNewsroom(t)
	const changed = ">changed</span>"
	if page := n.get(t, desk.Viewer, "/staff/reports/months"); strings.Contains(page, changed) || !strings.Contains(page, "as it was") {
		t.Error("a month has changed in which nothing came about")
	}
	gift := objects.OfflineGift{Received: closed.AddDate(0, 0, 9).Unix(), Currency: "EUR", Amount: 5000, Method: "cash"}
	said := &objects.Offline{Gift: objects.Latest[objects.OfflineGift]{Stamp: objects.Stamp{At: gift.Received}, Value: gift}}
	ok(t, n.book.Apply(t.Context(), ledger.Answer{Object: objects.Fact(objects.NewRef(objects.KindOffline, "late"), said), At: closed.AddDate(0, 0, 9)}))
	if _, moved, err := n.answers.Adjustments(t.Context(), closed); err != nil || len(moved) == 0 {
		t.Fatalf("nothing was added to the month (%v)", err)
	}
	if page := n.get(t, desk.Viewer, "/staff/reports/months"); !strings.Contains(page, changed) {
		t.Error("a month is said to be as it was, and it changed")
	}
}

// TestMovementsByWeek: a quarter's movements are shown by week, and come to the
// same.
func TestMovementsByWeek(t *testing.T) {
	t.Parallel()
	n := newNewsroom(t)
	page := n.get(t, desk.Viewer, "/staff/reports/members?from=2026-01-01&through=2026-04-02&compare=none")
	if !strings.Contains(page, "Week from 1 Jan 2026") || strings.Contains(page, "Monday 5 January 2026") {
		t.Error("91 days are not shown by week")
	}
	report, err := n.answers.Memberships(t.Context(), reports.Query{
		From: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), To: time.Date(2026, 4, 1, 0, 0, 0, 0, time.UTC), By: "month",
	})
	ok(t, err)
	most := slices.MaxFunc(report.Totals, func(a, b reports.Flow) int { return cmp.Compare(a.New.Members, b.New.Members) })
	joined := func(address string) (sum int) {
		for _, row := range regexp.MustCompile(`class="nowrap">[^<]*</th><td class="number">(\d+)</td><td class="number">[−\d]`).FindAllStringSubmatch(n.get(t, desk.Viewer, address+"&in="+most.Currency), -1) {
			count, err := strconv.Atoi(row[1])
			ok(t, err)
			sum += count
		}
		return sum
	}
	week := joined("/staff/reports/members?from=2026-01-01&through=2026-03-31&compare=none")
	day := joined("/staff/reports/members?from=2026-01-01&through=2026-01-31") + joined("/staff/reports/members?from=2026-02-01&through=2026-02-28") +
		joined("/staff/reports/members?from=2026-03-01&through=2026-03-31")
	if week != day || week == 0 || int64(week) != most.New.Members {
		t.Errorf("by week %d joined, by day %d", week, day)
	}
}

// TestCSV reads each file back.
func TestCSV(t *testing.T) {
	t.Parallel()
	n := newNewsroom(t)
	for _, address := range []string{
		".csv?by=article", ".csv?by=placement&across=month", "/articles.csv?", "/experiments.csv?", "/members.csv?", "/cohorts.csv?", "/payouts.csv?",
		"/months/2026-03.csv?", "/months.csv?",
	} {
		rows, err := csv.NewReader(strings.NewReader(n.get(t, desk.Viewer, "/staff/reports"+address+"&"+always))).ReadAll()
		ok(t, err)
		if len(rows) < 2 && !strings.Contains(address, "experiments") {
			t.Errorf("%s has no row: %v", address, rows)
		}
	}
}

// TestArticlesGoByTheirTitles looks for a title with the slug wherever articles
// are listed, on the screens and in files.
func TestArticlesGoByTheirTitles(t *testing.T) {
	t.Parallel()
	n := newNewsroom(t)
	var named []store.Article
	for row := range n.world.AfterFetches.Daily {
		if row.Dimension == "article" && row.Value != "" {
			named = append(named, store.Article{Slug: row.Value, Title: "On <" + row.Value + ">", Address: "https://news.example/" + row.Value})
		}
	}
	slug := named[0].Slug
	ok(t, n.store.AddArticles(t.Context(), named))
	for _, address := range []string{
		"/staff?" + always, "/staff/reports?by=article&" + always, "/staff/reports?by=placement&across=article&" + always,
		"/staff/reports/articles?" + always,
	} {
		want := `<a href="https://news.example/` + slug + `" rel="noreferrer">On &lt;` + slug + `&gt;</a> <small class="slug">` + slug + `</small>`
		if page := n.get(t, desk.Viewer, address); !strings.Contains(page, want) {
			t.Errorf("%s has no %s", address, want)
		}
	}
	for _, address := range []string{".csv?by=article&", ".csv?by=article&across=month&", ".csv?by=placement&across=article&", "/articles.csv?"} {
		rows, err := csv.NewReader(strings.NewReader(n.get(t, desk.Viewer, "/staff/reports"+address+always))).ReadAll()
		ok(t, err)
		found := false
		for _, row := range rows {
			found = found || slices.Contains(row, slug) && slices.Contains(row, "On <"+slug+">") && slices.Contains(row, "https://news.example/"+slug)
		}
		if !found {
			t.Errorf("%s has no row with the slug, the title and the address: %v", address, rows[:2])
		}
	}
	if page := n.get(t, desk.Finance, "/staff/reports/articles?"+always); !strings.Contains(page, "/staff/articles/edit?article="+slug) {
		t.Error("the list of articles does not lead to where they are corrected")
	}
}
