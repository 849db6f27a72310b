package store_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/united24media/support/internal/fault"
	"github.com/united24media/support/internal/giving"
	"github.com/united24media/support/internal/store"
)

// drawn is a small world of donations in which ties and combinations are
// common.
func drawn(n int) []*giving.Donation {
	pick := func(i int, of ...string) string { return of[i%len(of)] }
	var all []*giving.Donation
	for i := range n {
		d := &giving.Donation{
			Key: fmt.Sprintf("pi_%02x%c", i*37%256, 'A'+rune(i%40)), Created: 1_700_000_000 + int64(i*i%61), Currency: pick(i, "EUR", "UAH", "EUR", "JPY"),
			Gross: int64(100 * (i%7 + 1)), Country: pick(i/2, "UA", "DE", ""), Method: pick(i/3, "card", "card", "sepa_debit"),
			Interval: giving.Interval(pick(i, "once", "month", "once", "year", "once")), Source: "stripe",
			Email: pick(i/2, "olena@example.org", "Olena.K@example.org", "taras@example.org", ""), Name: pick(i/4, "Олена Коваленко", "Zoë  Ölmann", ""),
			First: i%5 == 0, Subscription: pick(i, "", "sub_1", "", "sub_2", ""),
			Attribution: giving.Attribution{
				Article: pick(i/5, "troops", "grain", ""), Placement: pick(i, "mid", "end", ""), Campaign: pick(i/6, "", "", "winter"),
				Status: pick(i/7, "signed", "unverified"), Variant: pick(i, "a", "b"),
			},
		}
		d.Supporter = giving.SupporterKey(d.Email, "", d.Key)
		switch i % 6 {
		case 1:
			d.Refunded = d.Gross
		case 2:
			d.Refunded = 50
		case 3:
			d.Disputed = d.Gross
		case 4:
			d.Disputed, d.Lost = d.Gross, d.Gross
		}
		all = append(all, d)
	}
	return all
}

// fits is what a filter means.
func fits(f store.DonationFilter, d *giving.Donation) bool {
	values := map[string]string{
		"article": d.Article, "placement": d.Placement, "campaign": d.Campaign, "country": d.Country, "currency": d.Currency,
		"interval": string(d.Interval), "status": d.Outcome(), "method": d.Method, "attribution": d.Status,
		"subscription": d.Subscription, "supporter": d.Supporter, "variant": d.Variant,
	}
	for name, value := range f.Equal {
		if values[name] != value {
			return false
		}
	}
	if t := f.Text; t != nil {
		person := t.Person != "" && (strings.HasPrefix(giving.Fold(d.Email), t.Person) || strings.HasPrefix(giving.Fold(d.Name), t.Person))
		key := t.Key != "" && strings.HasPrefix(d.Key, t.Key)
		if !person && !key && !slices.Contains(t.Keys, d.Key) {
			return false
		}
	}
	at := time.Unix(d.Created, 0)
	return !at.Before(f.From) && (f.To.IsZero() || at.Before(f.To)) && (!f.First || d.First) &&
		(f.AmountFrom == 0 || d.Gross >= f.AmountFrom) && (f.AmountTo == 0 || d.Gross <= f.AmountTo)
}

func drawFilter(t *rapid.T, all []*giving.Donation) store.DonationFilter {
	f := store.DonationFilter{Equal: map[string]string{}, Limit: rapid.IntRange(1, 9).Draw(t, "limit"), First: rapid.IntRange(0, 5).Draw(t, "first") == 0}
	for name, values := range map[string][]string{
		"article": {"troops", "", "none"}, "placement": {"mid", "end", ""}, "campaign": {"winter", ""}, "country": {"UA", ""},
		"currency": {"EUR", "JPY"}, "interval": {"once", "month"}, "status": giving.Outcomes(), "method": {"card", "sepa_debit"},
		"attribution": {"signed", "unverified"}, "subscription": {"sub_1", ""}, "supporter": {"address:olena@example.org"}, "variant": {"a"},
	} {
		if rapid.IntRange(0, 5).Draw(t, name) == 0 {
			f.Equal[name] = rapid.SampledFrom(values).Draw(t, "value")
		}
	}
	if rapid.IntRange(0, 4).Draw(t, "amounts") == 0 {
		f.Equal["currency"] = "EUR"
		f.AmountFrom, f.AmountTo = rapid.Int64Range(0, 400).Draw(t, "least"), rapid.SampledFrom([]int64{0, 300, 700}).Draw(t, "most")
	}
	if rapid.IntRange(0, 3).Draw(t, "dates") == 0 {
		f.From = time.Unix(1_700_000_000+rapid.Int64Range(0, 60).Draw(t, "from"), 0)
		f.To = f.From.Add(time.Duration(rapid.Int64Range(1, 60).Draw(t, "days")) * time.Second)
	}
	switch rapid.IntRange(0, 3).Draw(t, "text") {
	case 0:
		f.Text = &store.Text{
			Person: rapid.SampledFrom([]string{"", "ol", "olena@example.org", "олена", "zoe olm", "x"}).Draw(t, "person"),
			Key:    rapid.SampledFrom([]string{"", "pi_", "pi_2", all[3].Key}).Draw(t, "key"),
		}
		if rapid.Bool().Draw(t, "keys") {
			f.Text.Keys = []string{all[1].Key, all[len(all)-1].Key, "pi_none"}
		}
	}
	return f
}

// walk reads all pages from one end of the list to the other, and back.
func walk(ctx context.Context, t *rapid.T, read func(store.DonationFilter) (store.DonationPage, error), f store.DonationFilter) []string {
	var keys []string
	for range 500 {
		page, err := read(f)
		if err != nil {
			t.Fatal(err)
		}
		if len(page.Donations) > f.Limit {
			t.Fatalf("a page of %d has %d donations", f.Limit, len(page.Donations))
		}
		part := []string{}
		for _, d := range page.Donations {
			part = append(part, d.Key)
		}
		next := page.Older
		if f.Back {
			next = page.Newer
			slices.Reverse(part)
		}
		keys = append(keys, part...)
		if next == (store.Position{}) {
			if page.Short {
				t.Fatal("a short page leads nowhere")
			}
			return keys
		}
		if len(page.Donations) < f.Limit && !page.Short {
			t.Fatalf("a page has %d of %d donations though the list goes on", len(page.Donations), f.Limit)
		}
		f.At = next
	}
	t.Fatal("the pages have no end")
	return nil
}

// TestPagesAreTheWholeInParts: whatever the filter and the size of a page, the
// pages together are the filtered, sorted whole, from either end.
func TestPagesAreTheWholeInParts(t *testing.T) {
	t.Parallel()
	all := drawn(120)
	onBoth(t, func(t *testing.T, db *store.Store) {
		put(t, db, all...)
		whole, err := db.DonationList(t.Context(), store.DonationFilter{Limit: len(all)})
		if err != nil || len(whole.Donations) != len(all) {
			t.Fatalf("%d donations, %v", len(whole.Donations), err)
		}
		if !slices.IsSortedFunc(whole.Donations, func(a, b *giving.Donation) int { return int(b.Created - a.Created) }) {
			t.Error("the newest do not come first")
		}
		rapid.Check(t, func(rt *rapid.T) {
			f := drawFilter(rt, all)
			want := []string{}
			for _, d := range whole.Donations { // a database sorts keys in its own way
				if fits(f, d) {
					want = append(want, d.Key)
				}
			}
			window, few := rapid.IntRange(1, 40).Draw(rt, "window"), rapid.IntRange(0, 40).Draw(rt, "few")
			read := func(f store.DonationFilter) (store.DonationPage, error) {
				return db.DonationListWithin(t.Context(), f, window, few)
			}
			if got := walk(t.Context(), rt, read, f); !slices.Equal(got, want) {
				rt.Fatalf("%+v, text %+v\npages %q\nwhole %q", f, f.Text, got, want)
			}
			f.Back = true
			slices.Reverse(want)
			if got := walk(t.Context(), rt, read, f); !slices.Equal(got, want) {
				rt.Fatalf("back: %+v, text %+v\npages %q\nwhole %q", f, f.Text, got, want)
			}
		})
	})
}

// A page that somebody has open stays as it is when donations arrive.
func TestPagesStay(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db *store.Store) {
		gift := func(key string, created int64) *giving.Donation {
			return &giving.Donation{Key: key, Created: created, Currency: "EUR"}
		}
		put(t, db, gift("pi_1", 100), gift("pi_2", 200), gift("pi_3", 200), gift("pi_4", 300), gift("pi_5", 400))
		read := func(at store.Position, back bool) store.DonationPage {
			page, err := db.DonationList(t.Context(), store.DonationFilter{Limit: 2, At: at, Back: back})
			if err != nil {
				t.Fatal(err)
			}
			return page
		}
		keys := func(page store.DonationPage) string {
			var all []string
			for _, d := range page.Donations {
				all = append(all, d.Key)
			}
			return strings.Join(all, " ")
		}
		first := read(store.Position{}, false)
		put(t, db, gift("pi_6", 500), gift("pi_7", 600), gift("pi_8", 700))
		second := read(first.Older, false)
		if got := keys(first) + ", " + keys(second); got != "pi_5 pi_4, pi_3 pi_2" {
			t.Errorf("pages %s", got)
		}
		if newer := read(second.Newer, true); keys(newer) != "pi_5 pi_4" || newer.Newer == (store.Position{}) {
			t.Errorf("back: %s, and then %v", keys(newer), newer.Newer)
		}
		if first.Newer != (store.Position{}) || read(second.Older, false).Older != (store.Position{}) {
			t.Error("the list goes on past its ends")
		}
		d, err := db.DonationByKey(t.Context(), "pi_3")
		if err != nil || d.Created != 200 {
			t.Errorf("DonationByKey = %+v, %v", d, err)
		}
		if _, err := db.DonationByKey(t.Context(), "pi_9"); !errors.Is(err, fault.NotFound) {
			t.Errorf("a donation that is not there: %v", err)
		}
	})
}
