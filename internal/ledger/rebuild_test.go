package ledger_test

import (
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/united24media/support/internal/ledger"
	"github.com/united24media/support/internal/objects"
	"github.com/united24media/support/internal/store"
)

// fill records gifts, a refund, a membership and something foreign.
func fill(t testing.TB, b *book) {
	t.Helper()
	b.deliver(t, "charge.succeeded", charge("ch_1", "pi_1", marked, 1000, 0))
	b.deliver(t, "charge.succeeded", charge("ch_2", "pi_2", marked, 2500, 0))
	b.deliver(t, "charge.succeeded", charge("ch_3", "pi_3", `{}`, 700, 0))
	b.deliver(t, "charge.refunded", charge("ch_2", "pi_2", marked, 2500, 500))
	b.deliver(t, "customer.subscription.created", `{"id":"sub_1","object":"subscription","created":1769850000,
		"customer":"cus_1","status":"active","metadata":`+marked+`,"currency":"eur","items":{"data":[{"quantity":1,
		"price":{"unit_amount":500,"recurring":{"interval":"month","interval_count":1}}}]}}`)
	correct(t, b, "payment_intent/pi_2", objects.Corrected{Article: "front", Placement: "end"})
}

// correct records what staff say won a gift.
func correct(t testing.TB, b *book, object objects.Ref, to objects.Corrected) {
	t.Helper()
	if err := b.Apply(t.Context(), ledger.Answer{Object: objects.Correct(object, to, time.Now()), At: time.Now()}); err != nil {
		t.Fatal(err)
	}
}

// A correction holds whatever comes after it, and before its gift too.
func TestACorrectedGift(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, b *book) {
		correct(t, b, "payment_intent/pi_2", objects.Corrected{Campaign: "winter"})
		b.deliver(t, "charge.succeeded", charge("ch_1", "pi_1", marked, 1000, 0))
		b.deliver(t, "charge.succeeded", charge("ch_2", "pi_2", marked, 2500, 0))
		correct(t, b, "payment_intent/pi_1", objects.Corrected{Article: "front", Placement: "end"})
		b.deliver(t, "charge.refunded", charge("ch_1", "pi_1", marked, 1000, 200))
		won := b.donations(t)["pi_1"]
		if won.Article != "front" || won.Placement != "end" || won.Campaign != "" || won.Refunded != 200 || won.Checkout == "" {
			t.Errorf("corrected: %+v", won)
		}
		if late := b.donations(t)["pi_2"]; late.Article != "" || late.Campaign != "winter" {
			t.Errorf("corrected before it came: %+v", late)
		}
		if got := b.scopes(t); got["article:front"][0] != 1 || got["campaign:winter"][0] != 1 || got["article:troops"][0] != 0 {
			t.Errorf("counts: %v", got)
		}
		assertClean(t, b)
	})
}

func TestRebuildChangesNothing(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, b *book) {
		fill(t, b)
		donations, scopes := b.donations(t), b.scopes(t)
		before, after, err := b.Rebuild(t.Context(), func(int) {})
		if err != nil {
			t.Fatal(err)
		}
		if before != after || len(before) != 64 {
			t.Errorf("hash before %s, after %s", before, after)
		}
		if len(b.donations(t)) != len(donations) || b.scopes(t)["all"] != scopes["all"] {
			t.Errorf("after the rebuild %v %v, before %v %v", b.donations(t), b.scopes(t), donations, scopes)
		}
		// It goes on where it was.
		b.deliver(t, "charge.refunded", charge("ch_1", "pi_1", marked, 1000, 1000))
		if got, want := b.scopes(t)["all"], [2]int64{1, 1}; got != want {
			t.Errorf("after a refund the count is %v, want %v", got, want)
		}
		assertClean(t, b)
	})
}

// While rebuilds come one after the other each gift is counted when it is
// recorded, and no count is ever another.
func TestNoCountIsWrongDuringARebuild(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, b *book) {
		given := int64(0)
		give := func() error {
			given++
			gift := strings.Replace(charge(fmt.Sprint("ch_", given), fmt.Sprint("pi_", given), marked, 1000, 0), "Olena@", fmt.Sprint(given, "@"), 1)
			return b.Deliver(t.Context(), []byte(eventBody(fmt.Sprint("evt_", given), "charge.succeeded", b.now.Unix(), gift)))
		}
		for range 100 {
			if err := give(); err != nil {
				t.Fatal(err)
			}
		}
		var rebuilt atomic.Bool
		var beside errgroup.Group
		beside.Go(func() error {
			for !rebuilt.Load() {
				if err := give(); err != nil {
					return err
				}
				counts, err := b.store.ScopesSince(t.Context(), 0)
				if err != nil {
					return err
				}
				for _, scope := range []string{"all", "article:troops"} {
					if !slices.ContainsFunc(counts, func(c store.ScopeCount) bool { return c.Scope == scope && c.Supporters == given }) {
						return fmt.Errorf("after %d gifts the counts are %+v", given, counts)
					}
				}
			}
			return nil
		})
		for range 3 {
			if before, after, err := b.Rebuild(t.Context(), func(int) {}); err != nil || before != after {
				t.Errorf("a rebuild of the same gifts: %v, %s before, %s after", err, before, after)
			}
		}
		rebuilt.Store(true)
		if err := beside.Wait(); err != nil || given == 100 {
			t.Errorf("%d gifts: %v", given, err)
		}
		assertClean(t, b)
	})
}

// What came while a rebuild was under way, and was counted otherwise then, as
// by an older release at fault, is counted, and the journal says so.
func TestWhatCameDuringARebuildIsCounted(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, b *book) {
		fill(t, b)
		came := false
		before, after, err := b.Rebuild(t.Context(), func(int) {
			if came {
				return
			}
			came = true
			b.deliver(t, "charge.succeeded", strings.NewReplacer(`"eur"`, `"usd"`, "1769850000", "1769950000", "Olena@", "Ivan@").
				Replace(charge("ch_9", "pi_9", marked, 900, 0)))
			b.exec(t, `DELETE FROM sums WHERE currency = 'USD'`)
			b.exec(t, `DELETE FROM journal WHERE moved_at = (SELECT MAX(moved_at) FROM journal)`)
		})
		if err != nil || !came || before != after {
			t.Fatalf("%v, %s before, %s after", err, before, after)
		}
		if err := b.store.Look(t.Context(), ledger.JournalHolds); err != nil {
			t.Error(err)
		}
		assertClean(t, b)
	})
}

// The tables that a rebuild puts in place have the indexes and options that
// migrations gave them.
func TestRebuildKeepsTheIndexes(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, b *book) {
		fill(t, b)
		before := b.made(t)
		if _, _, err := b.Rebuild(t.Context(), func(int) {}); err != nil {
			t.Fatal(err)
		}
		if after := b.made(t); len(before) < 20 || !slices.Equal(after, before) {
			t.Errorf("after the rebuild there is:\n%s\nbefore:\n%s", strings.Join(after, "\n"), strings.Join(before, "\n"))
		}
	})
}

// made returns each index and each option of a table.
func (b *book) made(t testing.TB) (found []string) {
	t.Helper()
	query := `SELECT indexdef FROM pg_indexes WHERE schemaname = current_schema()
		UNION SELECT relname || ' with ' || unnest(reloptions) FROM pg_class WHERE relnamespace = current_schema()::regnamespace ORDER BY 1`
	if strings.HasPrefix(b.address, "sqlite:") {
		query = `SELECT name FROM sqlite_master WHERE type = 'index' ORDER BY name`
	}
	db := b.open(t)
	rows, err := db.QueryContext(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var definition string
		if err := rows.Scan(&definition); err != nil {
			t.Fatal(err)
		}
		found = append(found, definition)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return found
}

func TestRebuildMendsDerivedTables(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, b *book) {
		fill(t, b)
		right := b.scopes(t)
		for _, damage := range []string{
			`UPDATE donations SET gross_minor = 1 WHERE key = 'pi_1'`,
			`UPDATE scopes SET supporters = 77, revision = revision + 1`,
			`INSERT INTO scopes VALUES ('article:nowhere', 3, 0, 999)`,
			`DELETE FROM sums`,
			`UPDATE rankings SET n = n + 1`,
			`UPDATE registers SET state = '{}' WHERE ref = 'charge/ch_2'`,
		} {
			b.exec(t, damage)
		}
		drifts, err := b.Verify(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, what := range []string{"donation pi_1", `count "all"`, `count "article:nowhere"`, "sum ", "ranking of "} {
			found := false
			for _, d := range drifts {
				found = found || strings.HasPrefix(d.What, what)
			}
			if !found {
				t.Errorf("verify does not name the drift of %s", what)
			}
		}
		if _, _, err := b.Rebuild(t.Context(), func(int) {}); err != nil {
			t.Fatal(err)
		}
		assertClean(t, b)
		counts := b.scopes(t)
		if counts["all"] != right["all"] || counts["article:nowhere"] != [2]int64{} {
			t.Errorf("counts after the rebuild: %v, want %v", counts, right)
		}
	})
}

// What an older release recorded beside this one, which moves sums alone, is
// ranked afterwards.
func TestRankingsAreMended(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, b *book) {
		fill(t, b)
		for _, damage := range []string{
			`UPDATE rankings SET n = n + 5 WHERE ranking = 'donations' AND period < 1000000`,
			`DELETE FROM rankings WHERE ranking = 'donations' AND period > 1000000`,
			`INSERT INTO rankings VALUES (20260101, 'net EUR', 'nowhere', 7)`,
		} {
			b.exec(t, damage)
		}
		for _, many := range []bool{true, false} {
			mended, err := b.MendRankings(t.Context())
			if err != nil || (mended > 2) != many || !many && mended > 0 {
				t.Fatalf("%d were mended (%v)", mended, err)
			}
			assertClean(t, b)
		}
	})
}

// The hash of the derived state depends on each figure of it, and on nothing
// else: not on the order of rows, nor on sums and counts that come to nothing.
func TestHash(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, b *book) {
		fill(t, b)
		hash := func() string {
			text, err := b.Hash(t.Context(), b.store)
			if err != nil {
				t.Fatal(err)
			}
			return text
		}
		last := hash()
		for _, damage := range []string{
			`UPDATE donations SET gross_minor = 1 WHERE key = 'pi_1'`,
			`UPDATE donations SET name = 'x' || name WHERE key = 'pi_1'`,
			`UPDATE donations SET is_first = NOT is_first WHERE key = 'pi_1'`,
			`UPDATE memberships SET live = NOT live`,
			`UPDATE scopes SET supporters = 77 WHERE scope = 'all'`,
			`UPDATE sums SET net_minor = net_minor + 1 WHERE dimension = 'all'`,
			`UPDATE membership_sums SET members = members + 1`,
			`DELETE FROM donations WHERE key = 'pi_2'`,
		} {
			b.exec(t, damage)
			if now := hash(); now == last {
				t.Errorf("%s: the hash is what it was", damage)
			} else {
				last = now
			}
		}
		for _, same := range []string{
			`INSERT INTO scopes VALUES ('article:nowhere', 0, 0, 999)`,
			`UPDATE scopes SET revision = revision + 1`,
			`INSERT INTO sums (dimension, period, value, currency, settlement_currency, donations, new_supporters, won, kept,
				gross_minor, refunded_minor, disputed_minor, fee_minor, net_minor)
				VALUES ('all', 202001, '', 'EUR', '', 0, 0, 0, 0, 0, 0, 0, 0, 0)`,
		} {
			b.exec(t, same)
			if hash() != last {
				t.Errorf("%s: another hash", same)
			}
		}
	})
}

func assertClean(t testing.TB, b *book) {
	t.Helper()
	drifts, err := b.Verify(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range drifts {
		t.Errorf("drift: %s", d)
	}
}

func TestParkedEventsAreTriedAgain(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, b *book) {
		b.deliverAs(t, "evt_bad", "charge.succeeded", strings.Replace(charge("ch_1", "pi_1", marked, 1000, 0), "1769850000", `"soon"`, 1))
		if n := len(b.donations(t)); n != 0 {
			t.Fatalf("%d donations from an event that can't be read", n)
		}
		if tried, left, err := b.ReplayParked(t.Context()); tried != 1 || left != 1 || err != nil {
			t.Errorf("replay of parked events: %d tried, %d left, %v; want 1, 1", tried, left, err)
		}
		assertClean(t, b)
	})
}
