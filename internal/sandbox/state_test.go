package sandbox

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"
)

var noon = time.Date(2024, time.March, 1, 12, 0, 0, 0, time.UTC)

func open(t *testing.T, edit ...func(*Options)) *Sandbox {
	t.Helper()
	opts := Options{BaseURL: "http://sandbox.example", Seed: 3, Now: func() time.Time { return noon }}
	for _, e := range edit {
		e(&opts)
	}
	s, err := New(opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	tests := map[string]struct {
		opts Options
		says string
	}{
		"no address":              {Options{}, "BaseURL"},
		"no such settlement":      {Options{BaseURL: "http://a.example", Settlement: "xts"}, "xts"},
		"the folder is no folder": {Options{BaseURL: "http://a.example", Folder: file}, "folder"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := New(tt.opts); err == nil || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("New: %v, want it to name %q", err, tt.says)
			}
		})
	}
}

func TestJournalOfACrash(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	keep := func(o *Options) { o.Folder = folder }
	first := open(t, keep)
	if _, err := first.ManualPayout(100); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(filepath.Join(folder, journalName))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := first.ManualPayout(200); err != nil {
		t.Fatal(err)
	}
	// The machine stopped in the middle of the second write.
	torn, err := os.ReadFile(filepath.Join(folder, journalName))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, journalName), torn[:len(whole)+20], 0o600); err != nil {
		t.Fatal(err)
	}
	again := open(t, keep)
	if got := len(again.st.table(kindPayout).ids); got != 1 {
		t.Errorf("%d payouts after the crash, want the completed one", got)
	}
	t.Run("a line that is damaged is an error, not a loss", func(t *testing.T) {
		if err := os.WriteFile(filepath.Join(folder, journalName), append([]byte("frob\n"), whole...), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := New(Options{BaseURL: "http://a.example", Folder: folder}); err == nil {
			t.Error("the sandbox starts on a damaged file")
		}
	})
}

func TestJournalKeepsEverything(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	keep := func(o *Options) { o.Folder = folder }
	s := open(t, keep)
	charge, err := s.ForeignCharge(12345, "usd", "a@example.org") // its exchange rate is a decimal
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Dispute(charge, Complaint{}); err != nil {
		t.Fatal(err)
	}
	if err := s.Advance(100 * 24 * time.Hour); err != nil {
		t.Fatal(err)
	}
	again := open(t, keep)
	for k, table := range s.st.tables {
		if !reflect.DeepEqual(again.st.table(k).ids, table.ids) || !reflect.DeepEqual(again.st.table(k).byID, table.byID) {
			t.Errorf("%s: read back %v, want %v", k, again.st.table(k).byID, table.byID)
		}
	}
}

func TestSeedRepeatsIDs(t *testing.T) {
	t.Parallel()
	id := func(seed uint64) string {
		got, err := open(t, func(o *Options) { o.Seed = seed }).ManualPayout(100)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	five, fiveAgain, six, free, freeAgain := id(5), id(5), id(6), id(0), id(0)
	if five != fiveAgain || five == six || free == freeAgain {
		t.Errorf("seed 5 gives %s and %s, 6 gives %s, none gives %s and %s", five, fiveAgain, six, free, freeAgain)
	}
}

func TestRollback(t *testing.T) {
	t.Parallel()
	s := open(t)
	payout, err := s.ManualPayout(100)
	if err != nil {
		t.Fatal(err)
	}
	before := s.st.get(kindPayout, payout)
	refusal := errors.New("refused")
	err = s.do(func() error {
		s.st.change(kindPayout, payout, func(o Object) { o["status"] = "frob" })
		s.st.change(kindPayout, payout, func(o Object) { o["created"] = int64(1) })
		s.st.remove(kindPayout, payout)
		s.newCustomer(nil)
		return refusal
	})
	if !errors.Is(err, refusal) || !reflect.DeepEqual(s.st.get(kindPayout, payout), before) || len(s.st.table(kindCustomer).ids) != 0 {
		t.Errorf("err %v; left %v and %d customers", err, s.st.get(kindPayout, payout), len(s.st.table(kindCustomer).ids))
	}
}

func TestPrevious(t *testing.T) {
	t.Parallel()
	before := Object{"same": "x", "text": "a", "was": "b", "group": Object{"kept": int64(1), "moved": int64(1)}}
	after := Object{"same": "x", "text": "b", "new": "c", "group": Object{"kept": int64(1), "moved": int64(2)}}
	want := Object{"text": "a", "was": "b", "new": nil, "group": Object{"moved": int64(1)}}
	if got := previous(before, after); !reflect.DeepEqual(got, want) {
		t.Errorf("previous = %v, want %v", got, want)
	}
}

func TestPeriodEnd(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		anchor, start, interval string
		count                   int64
		want                    string
	}{
		"a month":                             {"2024-01-15", "2024-01-15", "month", 1, "2024-02-15"},
		"a month that lacks the day":          {"2023-01-31", "2023-01-31", "month", 1, "2023-02-28"},
		"the anchor's day comes back":         {"2023-01-31", "2023-02-28", "month", 1, "2023-03-31"},
		"a leap year":                         {"2024-02-29", "2024-02-29", "year", 1, "2025-02-28"},
		"the leap day comes back":             {"2024-02-29", "2027-02-28", "year", 1, "2028-02-29"},
		"three months":                        {"2024-11-30", "2024-11-30", "month", 3, "2025-02-28"},
		"two weeks":                           {"2024-02-20", "2024-02-20", "week", 2, "2024-03-05"},
		"a day":                               {"2024-02-28", "2024-02-28", "day", 1, "2024-02-29"},
		"an anchor long ago, from mid-period": {"2020-01-31", "2024-05-10", "month", 1, "2024-05-31"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			unix := func(day string) int64 {
				at, err := time.Parse(time.DateOnly, day)
				if err != nil {
					t.Fatal(err)
				}
				return at.Unix()
			}
			price := Object{"recurring": Object{"interval": tt.interval, "interval_count": tt.count}}
			if got := periodEnd(unix(tt.anchor), unix(tt.start), price); got != unix(tt.want) {
				t.Errorf("ends on %s, want %s", time.Unix(got, 0).UTC().Format(time.DateOnly), tt.want)
			}
		})
	}
}

// TestManyAtOnce is for the race detector, and for money that must add up
// whoever comes first.
func TestManyAtOnce(t *testing.T) {
	t.Parallel()
	s := open(t, func(o *Options) { o.WebhookURL = "http://127.0.0.1:1" })
	charge, err := s.ForeignCharge(1000, "eur", "a@example.org")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	running := make(chan error, 1)
	go func() { running <- s.Run(ctx) }()
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			s.Refund(charge, 100) // ten fit, the others are refused
			s.Now()
		})
	}
	all.Wait()
	cancel()
	if err := <-running; err != nil {
		t.Errorf("Run: %v", err)
	}
	if c := s.st.get(kindCharge, charge); c.int("amount_refunded") != 1000 || len(s.st.table(kindRefund).ids) != 10 {
		t.Errorf("%d refunded by %d refunds", c.int("amount_refunded"), len(s.st.table(kindRefund).ids))
	}
}
