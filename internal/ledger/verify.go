package ledger

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/united24media/support/internal/giving"
	"github.com/united24media/support/internal/store"
)

// A Drift is one place where the stored state differs from what the stored
// events, answers and facts come to.
type Drift struct {
	What   string // such as donation pi_1
	Stored string // as JSON; "nothing" if it is not there
	Should string
}

func (d Drift) String() string {
	return fmt.Sprintf("%s: stored %s, should be %s", d.What, d.Stored, d.Should)
}

// maxDrifts ends a comparison that finds no end of differences.
const maxDrifts = 1000

// Verify recomputes the derived state in a place of its own and returns where
// the stored one differs; it writes nothing to the database. What is recorded
// while it runs is waited for.
func (l *Ledger) Verify(ctx context.Context) (drifts []Drift, err error) {
	scratch, err := store.ScratchFile(ctx)
	if err != nil {
		return nil, err
	}
	defer closing(&err, scratch)
	now, err := l.settledNow(ctx)
	if err != nil {
		return nil, err
	}
	again := l.on(scratch, func() time.Time { return now })
	err = l.Store.Look(ctx, func(tx *store.Tx) error { // one state of the database throughout
		if err := again.replay(ctx, tx, time.Time{}, func(int) {}); err != nil {
			return err
		}
		if err := scratch.AddUp(ctx); err != nil {
			return err
		}
		return scratch.Look(ctx, func(should *store.Tx) error {
			v := verifier{stored: tx, should: should}
			err := v.compare(ctx)
			drifts = v.drifts
			return err
		})
	})
	return drifts, err
}

// settledNow returns the instant for which the stored memberships hold: a grace
// that ended in the last moments may not have been noticed yet.
func (l *Ledger) settledNow(ctx context.Context) (time.Time, error) {
	now := l.Now()
	over, err := l.Store.GraceOver(ctx, now.Add(-graceLag), 1)
	if err != nil || len(over) > 0 {
		return now, err
	}
	if over, err = l.Store.GraceOver(ctx, now, 1); len(over) > 0 {
		return now.Add(-graceLag), err
	}
	return now, err
}

type verifier struct {
	stored, should *store.Tx
	drifts         []Drift
}

func (v *verifier) differ(what string, stored, should any) {
	if len(v.drifts) < maxDrifts {
		v.drifts = append(v.drifts, Drift{what, text(stored), text(should)})
	}
}

func text(v any) string {
	if v == nil {
		return "nothing"
	}
	b, err := json.Marshal(v, json.Deterministic(true))
	if err != nil {
		return err.Error()
	}
	return string(b)
}

// compare compares every derived table. The big ones go by chunks of keys,
// once from each side; the rest by sums of hashes and, where these differ, by
// row.
func (v *verifier) compare(ctx context.Context) error {
	for _, step := range []func(context.Context) error{
		v.donations, v.memberships, v.sums, v.rankings, v.movements, v.scopes, v.presence,
	} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (v *verifier) donations(ctx context.Context) error {
	err := eachDonation(ctx, v.stored, func(chunk []*giving.Donation) error {
		others, err := byKey(ctx, v.should, chunk)
		if err != nil {
			return err
		}
		for _, d := range chunk {
			if other := others[d.Key]; other == nil {
				v.differ("donation "+d.Key, d, nil)
			} else if !same(d, other) {
				v.differ("donation "+d.Key, d, other)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return eachDonation(ctx, v.should, func(chunk []*giving.Donation) error {
		others, err := byKey(ctx, v.stored, chunk)
		for _, d := range chunk {
			if others[d.Key] == nil && err == nil {
				v.differ("donation "+d.Key, nil, d)
			}
		}
		return err
	})
}

func eachDonation(ctx context.Context, tx *store.Tx, f func([]*giving.Donation) error) error {
	for key := ""; ; {
		chunk, err := tx.DonationsAfter(ctx, key, replayBatch)
		if err != nil || len(chunk) == 0 {
			return err
		}
		if err := f(chunk); err != nil {
			return err
		}
		key = chunk[len(chunk)-1].Key
	}
}

func byKey(ctx context.Context, tx *store.Tx, chunk []*giving.Donation) (map[string]*giving.Donation, error) {
	keys := make([]string, len(chunk))
	for i, d := range chunk {
		keys[i] = d.Key
	}
	found, err := tx.DonationsByKey(ctx, keys)
	by := make(map[string]*giving.Donation, len(found))
	for _, d := range found {
		by[d.Key] = d
	}
	return by, err
}

func (v *verifier) memberships(ctx context.Context) error {
	read := func(tx *store.Tx) (map[string]giving.Membership, error) {
		all := map[string]giving.Membership{}
		err := eachMembership(ctx, tx, func(m *giving.Membership) { all[m.Subscription] = *m })
		return all, err
	}
	return compareAll(v, "membership", read)
}

func eachMembership(ctx context.Context, tx *store.Tx, f func(*giving.Membership)) error {
	for id := ""; ; {
		chunk, err := tx.MembershipsAfter(ctx, id, replayBatch)
		if err != nil || len(chunk) == 0 {
			return err
		}
		for _, m := range chunk {
			f(m)
		}
		id = chunk[len(chunk)-1].Subscription
	}
}

func (v *verifier) sums(ctx context.Context) error {
	return compareAll(v, "sum", func(tx *store.Tx) (map[giving.Cell]giving.Figures, error) {
		all := map[giving.Cell]giving.Figures{}
		err := tx.Sums(ctx, func(c giving.Cell, f giving.Figures) { all[c] = f })
		return all, err
	})
}

// MendRankings has the rankings follow from the sums again and returns how many
// did not: while an older release records beside this one, it moves sums alone.
func (l *Ledger) MendRankings(ctx context.Context) (mended int, err error) {
	wrong := false
	err = l.Store.Look(ctx, func(tx *store.Tx) error { // nobody waits for it
		return tx.RankingDrifts(ctx, func(store.RankingDrift) { wrong = true })
	})
	if err == nil && wrong {
		err = l.Store.Ledger(ctx, func(tx *store.Tx) (err error) {
			mended, err = tx.MendRankings(ctx)
			return err
		})
	}
	if err != nil {
		return mended, fmt.Errorf("mend the rankings: %w", err)
	}
	return mended, nil
}

// rankings follow from the sums, so that they are compared with those.
func (v *verifier) rankings(ctx context.Context) error {
	return v.stored.RankingDrifts(ctx, func(d store.RankingDrift) {
		v.differ(fmt.Sprintf("ranking of %d by %s: %q", d.Period, d.Ranking, d.Article), d.Is, d.Should)
	})
}

// periods is after every day and month.
const periods = 1 << 40

func (v *verifier) movements(ctx context.Context) error {
	return compareAll(v, "movement", func(tx *store.Tx) (map[giving.MovementCell]giving.Moved, error) {
		all := map[giving.MovementCell]giving.Moved{}
		err := tx.Movements(ctx, 0, periods, func(c giving.MovementCell, by giving.Moved) { all[c] = by })
		return all, err
	})
}

func (v *verifier) scopes(ctx context.Context) error {
	return compareAll(v, "count", func(tx *store.Tx) (map[string][2]int64, error) {
		all := map[string][2]int64{}
		err := tx.Scopes(ctx, func(c store.ScopeCount) {
			if c.Supporters != 0 || c.Members != 0 {
				all[c.Scope] = [2]int64{c.Supporters, c.Members}
			}
		})
		return all, err
	})
}

func (v *verifier) presence(ctx context.Context) error {
	return compareAll(v, "presence", func(tx *store.Tx) (map[store.Place]store.Presence, error) {
		all := map[store.Place]store.Presence{}
		err := tx.Presences(ctx, func(p store.Place, has store.Presence) { all[p] = has })
		return all, err
	})
}

// compareAll compares a table that fits in memory.
func compareAll[K comparable, V comparable](v *verifier, what string, read func(*store.Tx) (map[K]V, error)) error {
	stored, err := read(v.stored)
	if err != nil {
		return err
	}
	should, err := read(v.should)
	if err != nil {
		return err
	}
	for key, is := range stored {
		if want, there := should[key]; !there {
			v.differ(what+" "+text(key), is, nil)
		} else if is != want {
			v.differ(what+" "+text(key), is, want)
		}
	}
	for key, want := range should {
		if _, there := stored[key]; !there {
			v.differ(what+" "+text(key), nil, want)
		}
	}
	return nil
}

// Hash returns a hash of the derived state in a database. It depends on what is
// there alone: not on the order of rows, on random ids or on when a row was
// written.
func (l *Ledger) Hash(ctx context.Context, s *store.Store) (text string, err error) {
	err = s.Look(ctx, func(tx *store.Tx) error {
		text, err = hash(ctx, tx)
		return err
	})
	return text, err
}

// hash is [Ledger.Hash] within a transaction.
func hash(ctx context.Context, tx *store.Tx) (string, error) {
	var sum [sha256.Size]byte
	err := tx.Lines(ctx, func(line []byte) {
		hash, carry := sha256.Sum256(line), 0
		for i, b := range slices.Backward(hash[:]) { // the sum of all lines' hashes has no order
			carry += int(sum[i]) + int(b)
			sum[i] = byte(carry)
			carry >>= 8
		}
	})
	if err != nil {
		return "", fmt.Errorf("hash the derived state: %w", err)
	}
	return hex.EncodeToString(sum[:]), nil
}

// parallel calls f for each of n on all processors, with room for what each of
// these needs; the first error is returned.
func parallel(n int, f func(i int, room *[]byte) error) error {
	var next atomic.Int64
	var group sync.WaitGroup
	errs := make([]error, runtime.GOMAXPROCS(0))
	for w := range errs {
		group.Go(func() {
			var room []byte
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				if errs[w] = f(i, &room); errs[w] != nil {
					return
				}
			}
		})
	}
	group.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
