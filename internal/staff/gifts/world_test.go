package gifts

import (
	"context"
	"encoding/csv"
	"fmt"
	"html"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/united24media/support/internal/giving"
	"github.com/united24media/support/internal/ledger"
	"github.com/united24media/support/internal/staff/desk"
	"github.com/united24media/support/internal/world"
)

// hear tells the newsroom a world, and returns the book that it kept of itself.
func (n *newsroom) hear(seed uint64, stories int) world.Book {
	n.t.Helper()
	tapes := make([]world.Tape, stories)
	for i := range tapes {
		tapes[i] = world.Seeded(seed<<16+uint64(i)+1, 200)
	}
	w := world.Many(tapes, world.Seeded(seed, 200), world.Options{Name: "w"})
	var calls sync.WaitGroup
	for _, body := range world.Bodies(w.Events) {
		calls.Go(func() {
			if err := n.ledger.Deliver(context.Background(), body); err != nil {
				n.t.Error(err)
			}
		})
	}
	calls.Wait()
	for _, page := range w.Sweep() {
		var answers []ledger.Answer
		for _, object := range page.Objects {
			answers = append(answers, ledger.Answer{Object: object, At: time.Unix(page.AsOf, 0)})
		}
		ok(n.t, n.ledger.Apply(context.Background(), answers...))
	}
	return w.AfterFetches
}

var (
	bodyRow = regexp.MustCompile(`(?s)<tr>\s*(<th scope="row">.*?)</tr>`)
	cell    = regexp.MustCompile(`(?s)<t[dh][^>]*>(.*?)</t[dh]>`)
	tag     = regexp.MustCompile(`<[^>]*>`)
	spaces  = regexp.MustCompile(`[ \n]+`)
	older   = regexp.MustCompile(`<a href="([^"]*)" rel="next"`)
	keyOf   = regexp.MustCompile(`/staff/donations/([A-Za-z0-9_.-]+)"`)
)

// rowsOn returns the cells of a page's tables, as they are read.
func rowsOn(page string) (rows [][]string) {
	for _, r := range bodyRow.FindAllStringSubmatch(page, -1) {
		var cells []string
		for _, c := range cell.FindAllStringSubmatch(r[1], -1) {
			text := html.UnescapeString(tag.ReplaceAllString(c[1], " "))
			cells = append(cells, strings.TrimSpace(spaces.ReplaceAllString(text, " "))) // amounts have no-break spaces
		}
		if key := keyOf.FindStringSubmatch(r[1]); key != nil {
			cells = append([]string{key[1]}, cells...)
		}
		rows = append(rows, cells)
	}
	return rows
}

// TestEveryNumberIsTheBooks pages through the list, opens what it leads to, and
// reads the CSV: every number is the one that the world kept of itself.
func TestEveryNumberIsTheBooks(t *testing.T) {
	t.Parallel()
	n := newNewsroom(t)
	book := n.hear(5, 70)
	page := func(address string) string {
		w := n.ask(desk.Finance, address, nil)
		if w.Code != http.StatusOK {
			t.Fatalf("%s answers %d: %s", address, w.Code, w.Body)
		}
		return w.Body.String()
	}
	shown := map[string]bool{}
	byPerson := map[string]map[string]giving.Figures{}
	aGift := map[string]string{}
	for address := giftsPath; address != ""; {
		text := page(address)
		for _, r := range rowsOn(text) {
			key := r[0]
			want, known := book.Donations[key]
			if !known || shown[key] {
				t.Errorf("%s is shown, and not in the book or shown before", key)
				continue
			}
			shown[key] = true
			d := giving.Donation{Gross: want.Gross, Refunded: want.Refunded, Disputed: want.Disputed, Lost: want.Lost}
			sum := amount(want.Gross, want.Currency)
			if left := want.Gross - want.Refunded - want.Disputed; left != want.Gross {
				sum += " " + amount(left, want.Currency) + " kept"
			}
			if r[2] != sum || r[3] != outcomes[d.Outcome()].Text {
				t.Errorf("%s is shown as %q, %q; want %q, %q", key, r[2], r[3], sum, outcomes[d.Outcome()].Text)
			}
			if byPerson[want.Supporter] == nil {
				byPerson[want.Supporter] = map[string]giving.Figures{}
				aGift[want.Supporter] = key
			}
			byPerson[want.Supporter][want.Currency] = byPerson[want.Supporter][want.Currency].Plus(
				giving.Figures{Donations: 1, Gross: want.Gross, Refunded: want.Refunded, Disputed: want.Disputed}, 1)
		}
		next := older.FindStringSubmatch(text)
		if address = ""; next != nil {
			address = html.UnescapeString(next[1])
		}
	}
	if len(shown) != len(book.Donations) || len(shown) < pageSize {
		t.Errorf("%d donations are shown; the book has %d", len(shown), len(book.Donations))
	}

	for person, sums := range byPerson {
		text := page(supportersPath + "/" + aGift[person])
		_, table, _ := strings.Cut(text, "<h2>In all</h2>")
		table, _, _ = strings.Cut(table, "</table>")
		found := rowsOn(table)
		if len(found) != len(sums) {
			t.Errorf("%s gave in %d currencies; the book has %d", person, len(found), len(sums))
		}
		for _, r := range found {
			f, c := sums[r[0]], r[0]
			want := []string{c, fmt.Sprint(f.Donations), amount(f.Gross, c), amount(f.Refunded, c), amount(f.Disputed, c), amount(f.Gross-f.Refunded-f.Disputed, c)}
			if fmt.Sprint(r) != fmt.Sprint(want) {
				t.Errorf("%s: %v; want %v", person, r, want)
			}
		}
	}

	rows, err := csv.NewReader(strings.NewReader(page(giftsPath + ".csv"))).ReadAll()
	ok(t, err)
	if len(rows) != len(book.Donations)+1 {
		t.Fatalf("%d lines of CSV for %d donations", len(rows), len(book.Donations))
	}
	for _, line := range rows[1:] {
		got := map[string]string{}
		for i, name := range rows[0] {
			got[name] = line[i]
		}
		d := book.Donations[got["id"]]
		want := map[string]string{
			"gross_minor": fmt.Sprint(d.Gross), "refunded_minor": fmt.Sprint(d.Refunded), "disputed_minor": fmt.Sprint(d.Disputed),
			"received_minor": fmt.Sprint(d.Gross - d.Refunded - d.Disputed), "currency": d.Currency, "settlement_currency": d.Settlement,
			"article": d.Article, "placement": d.Placement, "campaign": d.Campaign, "variant": d.Variant, "country": d.Country, "interval": d.Interval, "tier": d.Tier,
			"attribution": d.Attribution, "created_at": time.Unix(d.Created, 0).UTC().Format(time.RFC3339),
		}
		if d.Settlement != "" {
			want["fee_minor"], want["net_minor"] = fmt.Sprint(d.Fee), fmt.Sprint(d.Net)
		}
		for name, value := range want {
			if got[name] != value {
				t.Errorf("%s in CSV: %s is %q, want %q", got["id"], name, got[name], value)
			}
		}
	}
}
