package main

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/united24media/support/internal/testenv"
	"github.com/united24media/support/internal/world"
)

// How much is played over HTTP; the ledger's own tests play much more.
const (
	worldSeeds   = 2
	worldStories = 24
	worldCallers = 8
	tapeLength   = 200
)

// TestWorldsOverHTTP delivers random histories, in any order and some twice,
// to the running program, and compares what it answers with the book that each
// world kept of itself: every gift, every sum, every count. On PostgreSQL two
// replicas take the deliveries.
func TestWorldsOverHTTP(t *testing.T) {
	t.Parallel()
	for name, replicas := range map[string]int{"SQLite": 1, "PostgreSQL": 2} {
		for seed := range uint64(worldSeeds) {
			t.Run(fmt.Sprint(name, " ", seed), func(t *testing.T) {
				t.Parallel()
				settings := map[string]string{
					"DATABASE_URL": "sqlite:" + filepath.Join(t.TempDir(), "support.db"), "STRIPE_WEBHOOK_SECRET": hookSecret,
					"SUPPORT_SECRET": strings.Repeat("s", 32),
					// A Stripe that is never reached: the book is of events alone.
					"STRIPE_SECRET_KEY": "sk_test_x", "STRIPE_API_URL": "http://127.0.0.1:1",
				}
				if replicas > 1 {
					settings["DATABASE_URL"] = testenv.Postgres(t)
				}
				var running []*running
				for range replicas {
					running = append(running, start(t, environment(t, settings)))
				}
				tapes := make([]world.Tape, worldStories)
				for i := range tapes {
					tapes[i] = world.Seeded(seed<<16+uint64(i)+1, tapeLength)
				}
				w := world.Many(tapes, world.Seeded(seed, tapeLength), world.Options{Name: "w"})
				random := rand.New(rand.NewPCG(seed, 1))
				deliverAll(t, running, world.Shuffled(w.Events, random), random)
				compare(t, running[0], w.AfterEvents)
				if code, drifts, stderr := runCommand(t, running[0].lookup, "verify"); code != exitOK {
					t.Errorf("verify: exit %d\n%s%s", code, drifts, stderr)
				}
			})
		}
	}
}

// deliverAll delivers bodies from several callers, each to any replica.
func deliverAll(t *testing.T, replicas []*running, bodies [][]byte, random *rand.Rand) {
	t.Helper()
	type delivery struct{ address, body string }
	next := make(chan delivery)
	var callers sync.WaitGroup
	for range worldCallers {
		callers.Go(func() {
			for d := range next {
				if !deliver(t, d.address, hookSecret, d.body) {
					t.Error("a delivery was not answered 200")
				}
			}
		})
	}
	for _, body := range bodies {
		next <- delivery{replicas[random.IntN(len(replicas))].url, string(body)}
	}
	close(next)
	callers.Wait()
}

// compare compares what r answers with a book.
func compare(t *testing.T, r *running, book world.Book) {
	t.Helper()
	_, text, _ := runCommand(t, r.lookup, "token", "create", "test")
	token := strings.TrimSpace(text)
	if got := listed(t, r, token, book); len(got) != len(book.Donations) {
		t.Errorf("%d donations are listed; want %d", len(got), len(book.Donations))
	}
	for _, by := range []string{"day", "article", "placement", "campaign", "variant", "country", "interval", "tier"} {
		compareReport(t, r, token, by, book)
	}
	members := membersNow(book)
	for scope, want := range book.Scopes {
		query := url.Values{}
		if kind, slug, ok := strings.Cut(scope, ":"); ok {
			query.Set(kind, slug)
		}
		want.Members = members[scope]
		eventually(t, fmt.Sprintf("%s has %+v", scope, want), func() bool {
			_, _, text := call(t, "GET", r.url+"/v1/supporters?"+query.Encode(), nil)
			var got struct{ Supporters, Members *int }
			err := json.Unmarshal([]byte(text), &got)
			return err == nil && got.Supporters != nil && got.Members != nil && want == world.Scope{Supporters: *got.Supporters, Members: *got.Members}
		})
	}
}

// membersNow returns how many members each scope has by the service's clock,
// which is past the end of the world and of every grace that ran then.
func membersNow(book world.Book) map[string]int {
	people := map[string]map[string]bool{}
	for _, m := range book.Memberships {
		if !m.Member || m.Status == "past_due" {
			continue
		}
		for scope, in := range map[string]bool{"all": true, "article:" + m.Article: m.Article != "", "campaign:" + m.Campaign: m.Campaign != ""} {
			if in && people[scope] == nil {
				people[scope] = map[string]bool{}
			}
			if in {
				people[scope][m.Person] = true
			}
		}
	}
	counts := map[string]int{}
	for scope, of := range people {
		counts[scope] = len(of)
	}
	return counts
}

// listed pages through all donations, and compares each with the book.
func listed(t *testing.T, r *running, token string, book world.Book) map[string]bool {
	t.Helper()
	found := map[string]bool{}
	for query := "limit=7"; ; {
		_, _, text := call(t, "GET", r.url+"/v1/donations?"+query, nil, "Authorization", "Bearer "+token)
		var page struct {
			Donations []struct {
				ID, Currency, Article, Placement, Campaign, Country, Interval, Tier, Attribution string
				Gross                                                                            int64 `json:"gross_minor"`
				Refunded                                                                         int64 `json:"refunded_minor"`
				Disputed                                                                         int64 `json:"disputed_minor"`
			}
			Next *string `json:"next_cursor"`
		}
		if err := json.Unmarshal([]byte(text), &page); err != nil {
			t.Fatalf("%v: %s", err, text)
		}
		for _, d := range page.Donations {
			want, ok := book.Donations[d.ID]
			got := world.Donation{
				Gross: d.Gross, Refunded: d.Refunded, Disputed: d.Disputed, Currency: d.Currency, Article: d.Article, Placement: d.Placement,
				Campaign: d.Campaign, Country: d.Country, Interval: d.Interval, Tier: d.Tier, Attribution: d.Attribution,
				// What the API leaves out, or tells in the reports.
				Lost: want.Lost, Settlement: want.Settlement, Fee: want.Fee, Net: want.Net, Other: want.Other, Day: want.Day, Created: want.Created,
				Variant: want.Variant, Supporter: want.Supporter,
			}
			if !ok || got != want || found[d.ID] {
				t.Errorf("donation %s: got %+v; want %+v", d.ID, got, want)
			}
			found[d.ID] = true
		}
		if page.Next == nil {
			return found
		}
		query = "limit=7&cursor=" + url.QueryEscape(*page.Next)
	}
}

// compareReport compares a report over all years with the book's daily sums.
func compareReport(t *testing.T, r *running, token, by string, book world.Book) {
	t.Helper()
	want := map[world.Row]world.Sums{}
	for row, sums := range book.Daily {
		key := world.Row{Value: row.Value, Currency: row.Currency, Settlement: row.Settlement}
		if by == "day" {
			key.Value = row.Day
		}
		if row.Dimension == by || by == "day" && row.Dimension == "all" {
			sums.Won, sums.Kept = 0, 0 // which reports by one dimension don't tell
			want[key] = want[key].Plus(sums)
		}
	}
	_, _, text := call(t, "GET", r.url+"/v1/reports/donations?from=2023-12-15&to=2026-08-15&by="+by, nil, "Authorization", "Bearer "+token)
	var report struct {
		Rows []struct {
			Key, Currency string
			Settlement    *string `json:"settlement_currency"`
			Donations     int64
			NewSupporters int64  `json:"new_supporters"`
			Gross         int64  `json:"gross_minor"`
			Refunded      int64  `json:"refunded_minor"`
			Disputed      int64  `json:"disputed_minor"`
			Fee           *int64 `json:"fee_minor"`
			Net           *int64 `json:"net_minor"`
		}
	}
	if err := json.Unmarshal([]byte(text), &report); err != nil || len(report.Rows) == 0 {
		t.Fatalf("by %s: %v: %s", by, err, text)
	}
	for _, row := range report.Rows {
		key := world.Row{Value: row.Key, Currency: row.Currency}
		got := world.Sums{Donations: row.Donations, NewSupporters: row.NewSupporters, Gross: row.Gross, Refunded: row.Refunded, Disputed: row.Disputed}
		if row.Settlement != nil {
			key.Settlement, got.Fee, got.Net = *row.Settlement, *row.Fee, *row.Net
		}
		if got != want[key] {
			t.Errorf("by %s, %+v: got %+v; want %+v", by, key, got, want[key])
		}
		delete(want, key)
	}
	for key, sums := range want {
		if sums != (world.Sums{}) {
			t.Errorf("by %s: no row for %+v: %+v", by, key, sums)
		}
	}
}
