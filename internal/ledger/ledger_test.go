package ledger_test

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/united24media/support/internal/giving"
	"github.com/united24media/support/internal/ledger"
	"github.com/united24media/support/internal/store"
	"github.com/united24media/support/internal/testenv"
)

// book is a ledger on a database of its own.
type book struct {
	*ledger.Ledger
	store   *store.Store
	address string
	now     time.Time
}

// onBoth runs a test on SQLite and on PostgreSQL.
func onBoth(t *testing.T, test func(t *testing.T, b *book)) {
	t.Run("SQLite", func(t *testing.T) {
		t.Parallel()
		test(t, newBook(t, "sqlite:"+filepath.Join(t.TempDir(), "support.db")))
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		t.Parallel()
		test(t, newBook(t, testenv.Postgres(t)))
	})
}

func newBook(t testing.TB, address string) *book {
	t.Helper()
	s, err := store.Open(address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	if _, err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	zone, err := time.LoadLocation("Europe/Kyiv")
	if err != nil {
		t.Fatal(err)
	}
	b := &book{store: s, address: address, now: time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)}
	b.Ledger = ledger.New(ledger.Options{
		Store: s, Now: func() time.Time { return b.now }, Timezone: zone, Grace: 14 * 24 * time.Hour,
	})
	ctx, cancel := context.WithCancel(t.Context())
	stopped := make(chan error)
	go func() { stopped <- b.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-stopped })
	return b
}

// deliver delivers an event about an object, one second after the last.
func (b *book) deliver(t testing.TB, kind, object string) {
	t.Helper()
	b.now = b.now.Add(time.Second)
	b.deliverAs(t, fmt.Sprintf("evt_%d", b.now.Unix()), kind, object)
}

func (b *book) deliverAs(t testing.TB, id, kind, object string) {
	t.Helper()
	body := eventBody(id, kind, b.now.Unix(), object)
	if err := b.Deliver(t.Context(), []byte(body)); err != nil {
		t.Fatal(err)
	}
}

func (b *book) donations(t testing.TB) map[string]*giving.Donation {
	t.Helper()
	found := map[string]*giving.Donation{}
	err := b.store.Look(t.Context(), func(tx *store.Tx) error {
		all, err := tx.DonationsAfter(t.Context(), "", 1000)
		for _, d := range all {
			found[d.Key] = d
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func (b *book) scopes(t testing.TB) map[string][2]int64 {
	t.Helper()
	all, err := b.store.ScopesSince(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string][2]int64{}
	for _, c := range all {
		found[c.Scope] = [2]int64{c.Supporters, c.Members}
	}
	return found
}

const marked = `{"support_v":"1","checkout":"co_1","article":"troops","placement":"mid","attribution":"signed"}`

func charge(id, intent, metadata string, amount, refunded int64) string {
	return fmt.Sprintf(`{"id":%q,"object":"charge","created":1769850000,"payment_intent":%q,"currency":"eur",
		"status":"succeeded","amount":%d,"amount_captured":%d,"amount_refunded":%d,"customer":null,"invoice":null,
		"balance_transaction":"txn_%s","metadata":%s,"billing_details":{"email":"Olena@Example.org","name":"Olena",
		"address":{"country":"ua"}},"payment_method_details":{"type":"card","card":{"country":"DE"}}}`,
		id, intent, amount, amount, refunded, id, metadata)
}

func TestAGiftIsRecorded(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, b *book) {
		b.deliver(t, "charge.succeeded", charge("ch_1", "pi_1", marked, 1000, 0))
		b.deliver(t, "charge.succeeded", charge("ch_2", "pi_2", `{}`, 700, 0))
		d := b.donations(t)["pi_1"]
		if d == nil || d.Gross != 1000 || d.Article != "troops" || d.Country != "UA" || d.Currency != "EUR" || !d.First ||
			d.Interval != giving.Once || d.Supporter != "address:olena@example.org" {
			t.Fatalf("pi_1 is recorded as %+v", d)
		}
		if n := len(b.donations(t)); n != 1 {
			t.Errorf("%d donations; the unmarked charge must not be one", n)
		}
		if got, want := b.scopes(t)["article:troops"], [2]int64{1, 0}; got != want {
			t.Errorf("supporters and members of the article: %v, want %v", got, want)
		}
		b.deliver(t, "charge.refunded", charge("ch_1", "pi_1", marked, 1000, 1000))
		if got, want := b.scopes(t)["all"], [2]int64{0, 0}; got != want {
			t.Errorf("after the refund the count is %v, want %v", got, want)
		}
		// The session of the unmarked charge arrives late and says that it is ours.
		b.deliver(t, "checkout.session.completed", `{"id":"cs_2","object":"checkout.session","created":1769850000,
			"payment_intent":"pi_2","metadata":`+marked+`,"customer_details":{"email":"petro@example.org"}}`)
		if d := b.donations(t)["pi_2"]; d == nil || d.Email != "petro@example.org" || d.Article != "troops" {
			t.Errorf("pi_2 is recorded as %+v", d)
		}
	})
}

// exec changes the database behind the ledger's back.
func (b *book) exec(t testing.TB, statement string) {
	t.Helper()
	if _, err := b.open(t).ExecContext(t.Context(), statement); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

// open opens the ledger's database once more.
func (b *book) open(t testing.TB) *sql.DB {
	t.Helper()
	driver, address := "pgx", b.address
	if file, lite := strings.CutPrefix(address, "sqlite:"); lite {
		driver, address = "sqlite", file
	}
	db, err := sql.Open(driver, address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// Whose first gift becomes somebody else's, is none any more or turns out to be
// later has another first one, and the report counts one new supporter each.
func TestAnotherFirstGift(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, b *book) {
		gift := func(n int, who, created, metadata string) {
			object := charge(fmt.Sprint("ch_", n), fmt.Sprint("pi_", n), metadata, 1000, 0)
			b.deliver(t, "charge.updated", strings.NewReplacer("Olena@", who+"@", "1769850000", created).Replace(object))
		}
		for i, step := range []struct {
			give func()
			want string // the first gifts
		}{
			{func() {
				gift(1, "olena", "1769850000", marked)
				gift(2, "olena", "1769850100", marked)
				gift(3, "ivan", "1769850050", marked)
			}, "pi_1 pi_3"},
			{func() { gift(1, "ivan", "1769850000", marked) }, "pi_1 pi_2"},
			{func() { gift(1, "olena", "1769850000", marked) }, "pi_1 pi_3"},
			{func() { gift(1, "olena", "1769850000", `{}`) }, "pi_2 pi_3"},
			{func() { gift(1, "olena", "1769850000", marked) }, "pi_1 pi_3"},
			{func() { gift(1, "olena", "1769850200", marked) }, "pi_2 pi_3"}, // the later time holds
		} {
			step.give()
			var first []string
			for key, d := range b.donations(t) {
				if d.First {
					first = append(first, key)
				}
			}
			slices.Sort(first)
			if got := strings.Join(first, " "); got != step.want || b.scopes(t)["all"] != [2]int64{2, 0} {
				t.Errorf("step %d: the first gifts are %s, counts %v; want %s and 2 supporters", i+1, got, b.scopes(t), step.want)
			}
			assertClean(t, b)
		}
	})
}
