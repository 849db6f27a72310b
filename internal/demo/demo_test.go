package demo

import (
	"context"
	"crypto/sha256"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"
	_ "time/tzdata" // Kyiv's days on every machine

	"github.com/united24media/support/internal/ledger"
	"github.com/united24media/support/internal/notice"
	"github.com/united24media/support/internal/reports"
	"github.com/united24media/support/internal/store"
)

// options are of a story that ends at a fixed moment.
func options(t *testing.T, seed uint64) Options {
	t.Helper()
	kyiv, err := time.LoadLocation("Europe/Kyiv")
	if err != nil {
		t.Fatal(err)
	}
	return Options{Seed: seed, End: time.Date(2026, 11, 26, 15, 4, 5, 0, time.UTC), Zone: kyiv, Years: 1}
}

func TestTheSameSeedTellsTheSameStory(t *testing.T) {
	t.Parallel()
	hash := func(seed uint64) string {
		h := sha256.New()
		s := Tell(options(t, seed))
		for _, a := range s.Answers {
			fmt.Fprintf(h, "%d %s\n", a.At.Unix(), a.Object)
		}
		fmt.Fprint(h, s.Signals, s.Checkouts, s.Articles)
		return fmt.Sprintf("%x", h.Sum(nil))
	}
	first := hash(1)
	if again := hash(1); first != again {
		t.Error("the same seed tells two stories")
	}
	if first == hash(2) {
		t.Error("another seed tells the same story")
	}
}

var address = regexp.MustCompile(`"(customer_)?email":"([^"]*)"`)

func TestWhatIsToldIsInvented(t *testing.T) {
	t.Parallel()
	s := Tell(options(t, 1))
	seen := 0
	for _, a := range s.Answers {
		if a.At.Before(s.Begin) || a.At.After(s.End.Add(time.Minute)) {
			t.Fatalf("told at %s, outside of the story: %s", a.At, a.Object)
		}
		for _, found := range address.FindAllStringSubmatch(string(a.Object), -1) {
			seen++
			if !strings.HasSuffix(found[2], "@example.org") {
				t.Errorf("%s could be somebody's", found[2])
			}
		}
	}
	if seen == 0 {
		t.Error("nobody has an address")
	}
}

func TestWholeAmounts(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		minor    int64
		currency string
		want     int64
	}{{1250, "EUR", 1200}, {99, "EUR", 0}, {750, "JPY", 750}, {12345, "BHD", 12000}} {
		if got := whole(tt.minor, tt.currency); got != tt.want {
			t.Errorf("whole(%d, %s) = %d, want %d", tt.minor, tt.currency, got, tt.want)
		}
	}
}

func TestTheLedgerUnderstandsTheStory(t *testing.T) {
	t.Parallel()
	o := options(t, 7)
	s := Tell(o)
	db, err := store.Open("sqlite:" + t.TempDir() + "/support.db")
	ok(t, err)
	t.Cleanup(func() { db.Close() })
	ctx, stop := context.WithCancel(context.Background())
	t.Cleanup(stop)
	_, err = db.Migrate(ctx)
	ok(t, err)
	var clock Clock
	clock.Set(s.Begin)
	now := func() time.Time { return s.End }
	book := ledger.New(ledger.Options{Store: db, Now: clock.Now, Timezone: o.Zone, Grace: 14 * 24 * time.Hour})
	stopped := make(chan error, 1)
	go func() { stopped <- book.Run(ctx) }()
	defer func() { stop(); <-stopped }()

	told := 0
	ok(t, s.Record(ctx, book, &clock, func(_ time.Time, done int) error { told = done; return nil }))
	ok(t, s.Store(ctx, db))
	if told != len(s.Answers) {
		t.Errorf("progress ends at %d of %d", told, len(s.Answers))
	}
	before, err := book.Hash(ctx, db)
	ok(t, err)
	signals, err := db.Signals(ctx, 0, 99999999)
	ok(t, err)

	ok(t, s.Record(ctx, book, &clock, func(time.Time, int) error { return nil }))
	ok(t, s.Store(ctx, db))
	after, err := book.Hash(ctx, db)
	ok(t, err)
	again, err := db.Signals(ctx, 0, 99999999)
	ok(t, err)
	if before != after || fmt.Sprint(signals) != fmt.Sprint(again) {
		t.Error("the story told twice is not the story told once")
	}
	if _, waiting, err := db.OldestFetch(ctx); err != nil || waiting > 0 {
		t.Errorf("%d things are to be asked of Stripe, which knows none of them (%v)", waiting, err)
	}

	answers := reports.New(reports.Options{Store: db, Timezone: o.Zone, Now: now})
	tomorrow := s.End.Truncate(24*time.Hour).AddDate(0, 0, 1)
	report, err := answers.Report(ctx, reports.Query{From: tomorrow.AddDate(-2, 0, 0), To: tomorrow, By: "interval"})
	ok(t, err)
	gifts, intervals := int64(0), map[string]bool{}
	for _, row := range report.Rows {
		gifts += row.Donations
		intervals[row.Key] = true
		if row.SettlementCurrency == nil {
			t.Errorf("%d gifts in %s are not settled", row.Donations, row.Currency)
		}
	}
	if gifts != int64(s.Gifts) || len(intervals) != 3 {
		t.Errorf("%d gifts of %d intervals are recorded; %d were told", gifts, len(intervals), s.Gifts)
	}
	failed, err := db.FailingMails(ctx, notice.RenewalFailed, s.Begin, s.End.AddDate(0, 0, 1))
	if err != nil || len(failed) > 0 { // nobody composed them
		t.Errorf("%d mails were sent (%v)", len(failed), err)
	}
	doubled, err := db.CountDoubled(ctx)
	ok(t, err)
	warned, err := db.RegistersTold(ctx, "radar.early_fraud_warning.created", s.End.AddDate(0, 0, -3), s.End, 10)
	ok(t, err)
	wished, err := db.WallCandidates(ctx, s.Begin, 1000)
	ok(t, err)
	if doubled == 0 || len(warned) == 0 || len(wished) == 0 || s.Attack.Ended.IsZero() {
		t.Errorf("%d with two memberships, %d warnings, %d for the wall", doubled, len(warned), len(wished))
	}
	payouts, err := answers.PayoutReport(ctx, s.Begin, tomorrow.AddDate(0, 0, 7))
	ok(t, err)
	statuses := map[string]int{}
	for _, p := range payouts.Payouts {
		statuses[p.Status]++
		if p.State != reports.PayoutComplete {
			t.Errorf("payout %s is %s: %s", p.ID, p.State, p.Note)
		}
	}
	if statuses["paid"] < 40 || statuses["failed"] != 1 {
		t.Errorf("payouts: %v", statuses)
	}
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
