package ledger

import (
	"context"
	"maps"
	"reflect"
	"slices"

	"github.com/united24media/support/internal/giving"
	"github.com/united24media/support/internal/store"
)

// book replaces the stored donations and memberships by the projected ones and
// adds the differences to sums and counts. It returns the counts that moved.
func (l *Ledger) book(ctx context.Context, tx *store.Tx, p *projection) ([]store.ScopeCount, error) {
	b := booking{
		tx: tx, old: map[string]*giving.Donation{}, now: map[string]*giving.Donation{}, first: map[string]*giving.Donation{},
	}
	if err := b.compare(ctx, p.donations); err != nil {
		return nil, err
	}
	members, err := b.compareMembers(ctx, p.memberships)
	if err != nil {
		return nil, err
	}
	if err := b.save(ctx); err != nil {
		return nil, err
	}
	cells, moves := giving.Cells{}, map[store.Place]store.Presence{}
	if l.held != nil {
		cells = l.held.cells
	}
	for key, now := range b.now {
		if old := b.old[key]; old != nil {
			old.AddTo(cells, -1, l.Timezone)
			if old.Live() {
				present(moves, &old.Attribution, old.Supporter, store.Presence{Donations: -1})
			}
		}
		if now != nil {
			now.AddTo(cells, 1, l.Timezone)
			if now.Live() {
				present(moves, &now.Attribution, now.Supporter, store.Presence{Donations: 1})
			}
		}
	}
	movements := map[giving.MovementCell]giving.Moved{}
	for _, m := range members {
		if m.old != nil {
			m.old.AddMovements(movements, -1, l.Timezone)
		}
		if m.now != nil {
			m.now.AddMovements(movements, 1, l.Timezone)
		}
		if m.old != nil && m.old.Live {
			present(moves, &m.old.Attribution, m.old.Supporter, store.Presence{Memberships: -1})
		}
		if m.now != nil && m.now.Live {
			present(moves, &m.now.Attribution, m.now.Supporter, store.Presence{Memberships: 1})
		}
	}
	scopes, err := movePresence(ctx, tx, moves)
	if err != nil {
		return nil, err
	}
	if l.held != nil {
		return nil, l.held.add(ctx, tx, movements, scopes)
	}
	p.changed, p.members = b.changed(), members
	if err := tx.MoveMovements(ctx, movements); err != nil {
		return nil, err
	}
	if err := l.journal(ctx, &b); err != nil {
		return nil, err
	}
	if err := tx.MoveSums(ctx, cells); err != nil {
		return nil, err
	}
	return tx.MoveScopes(ctx, scopes)
}

// held are sums and counts that a rebuild has not written yet: it comes back
// to the same few rows again and again.
type held struct {
	cells     giving.Cells
	movements map[giving.MovementCell]giving.Moved
	scopes    map[string]store.ScopeCount
	days      *store.Days // that the cells were of, where that is asked
}

// maxHeld is how many rows are held at the most, some 30 MiB.
const maxHeld = 100_000

// add adds to what is held; to cells the caller did.
func (h *held) add(ctx context.Context, tx *store.Tx,
	movements map[giving.MovementCell]giving.Moved, scopes map[string]store.ScopeCount) error {
	for cell, by := range movements {
		sum := h.movements[cell]
		h.movements[cell] = giving.Moved{Members: sum.Members + by.Members, Monthly: sum.Monthly + by.Monthly}
	}
	for scope, by := range scopes {
		sum := h.scopes[scope]
		h.scopes[scope] = store.ScopeCount{Supporters: sum.Supporters + by.Supporters, Members: sum.Members + by.Members}
	}
	if len(h.cells)+len(h.movements)+len(h.scopes) < maxHeld {
		return nil
	}
	return h.write(ctx, tx)
}

func (h *held) write(ctx context.Context, tx *store.Tx) error {
	for cell := range h.cells {
		if h.days != nil && cell.OfDay() {
			h.days.Add(cell.Period, cell.Period)
		}
	}
	if err := tx.MoveSums(ctx, h.cells); err != nil {
		return err
	}
	if err := tx.MoveMovements(ctx, h.movements); err != nil {
		return err
	}
	if _, err := tx.MoveScopes(ctx, h.scopes); err != nil {
		return err
	}
	clear(h.cells)
	clear(h.movements)
	clear(h.scopes)
	return nil
}

// flush writes what is held.
func (l *Ledger) flush(ctx context.Context) error {
	return l.Store.Ledger(ctx, func(tx *store.Tx) error { return l.held.write(ctx, tx) })
}

// present adds to what a supporter has in each scope of a gift.
func present(moves map[store.Place]store.Presence, won *giving.Attribution, supporter string, by store.Presence) {
	for _, scope := range won.Scopes() {
		place := store.Place{Scope: scope, Supporter: supporter}
		sum := moves[place]
		moves[place] = store.Presence{Donations: sum.Donations + by.Donations, Memberships: sum.Memberships + by.Memberships}
	}
}

// movePresence adds to what supporters have in scopes, and returns by how much
// that moves the scopes' counts: where it made somebody appear or vanish.
func movePresence(ctx context.Context, tx *store.Tx, moves map[store.Place]store.Presence) (map[string]store.ScopeCount, error) {
	maps.DeleteFunc(moves, func(_ store.Place, by store.Presence) bool { return by == store.Presence{} })
	scopes := map[string]store.ScopeCount{}
	var absent []store.Place
	err := tx.MovePresence(ctx, moves, func(place store.Place, has store.Presence) {
		by := moves[place]
		move := scopes[place.Scope]
		move.Supporters += appears(has.Donations-by.Donations, has.Donations)
		move.Members += appears(has.Memberships-by.Memberships, has.Memberships)
		scopes[place.Scope] = move
		if has == (store.Presence{}) {
			absent = append(absent, place)
		}
	})
	if err != nil {
		return nil, err
	}
	if err := tx.DropAbsent(ctx, absent); err != nil {
		return nil, err
	}
	maps.DeleteFunc(scopes, func(_ string, c store.ScopeCount) bool { return c == store.ScopeCount{} })
	return scopes, nil
}

// appears returns 1 where a number rises above zero, -1 where it falls to it.
func appears(before, after int64) int64 {
	switch {
	case before <= 0 && after > 0:
		return 1
	case before > 0 && after <= 0:
		return -1
	}
	return 0
}

// A booking is the donations that a projection changes, as they were and as
// they are now; nil where there is none.
type booking struct {
	tx      *store.Tx
	old     map[string]*giving.Donation
	now     map[string]*giving.Donation
	first   map[string]*giving.Donation // as stored, by supporter
	members []*giving.Membership        // to be stored
	ended   []string                    // subscriptions that are no memberships any more
}

// compare fills the booking with the donations that differ from the stored
// ones, the first donation of each supporter among them set anew.
func (b *booking) compare(ctx context.Context, projected map[string]*giving.Donation) error {
	if len(projected) == 0 {
		return nil
	}
	supporters := map[string]bool{}
	for _, d := range projected {
		if d != nil {
			supporters[d.Supporter] = true
		}
	}
	if err := b.load(ctx, projected, supporters); err != nil {
		return err
	}
	// Whoever loses a donation may have another first one. If that was the first,
	// it is among those that are loaded.
	for key := range projected {
		if old := b.old[key]; old != nil {
			supporters[old.Supporter] = true
		}
	}
	for key, d := range projected {
		b.now[key] = d
	}
	if err := b.setFirsts(ctx, supporters); err != nil {
		return err
	}
	maps.DeleteFunc(b.now, func(key string, d *giving.Donation) bool { return same(b.old[key], d) })
	return nil
}

// changed returns the donations that changed, as they were and as they are.
func (b *booking) changed() map[string][2]*giving.Donation {
	changed := make(map[string][2]*giving.Donation, len(b.now))
	for key, now := range b.now {
		changed[key] = [2]*giving.Donation{b.old[key], now}
	}
	return changed
}

func same(a, b *giving.Donation) bool {
	return a == nil && b == nil || a != nil && b != nil && reflect.DeepEqual(a, b)
}

// load reads stored donations by key, and the first ones of supporters.
func (b *booking) load(ctx context.Context, projected map[string]*giving.Donation, supporters map[string]bool) error {
	stored, err := b.tx.Donations(ctx, slices.Collect(maps.Keys(projected)), slices.Collect(maps.Keys(supporters)))
	if err != nil {
		return err
	}
	for _, d := range stored {
		b.old[d.Key] = d
		if d.First {
			b.first[d.Supporter] = d
		}
	}
	return nil
}

// setFirsts marks the earliest donation of each supporter, and unmarks the one
// that was it.
func (b *booking) setFirsts(ctx context.Context, supporters map[string]bool) error {
	best := map[string]*giving.Donation{}
	var search []string
	for supporter := range supporters {
		was := b.first[supporter]
		if was == nil {
			continue
		}
		if now, changed := b.now[was.Key]; !changed {
			best[supporter] = was
		} else if now == nil || now.Supporter != supporter || now.Created > was.Created {
			search = append(search, supporter)
		}
	}
	if len(search) > 0 {
		all, err := b.tx.DonationsOf(ctx, search)
		if err != nil {
			return err
		}
		for _, d := range all {
			if _, changed := b.now[d.Key]; !changed && (best[d.Supporter] == nil || d.Before(best[d.Supporter])) {
				b.old[d.Key], best[d.Supporter] = d, d
			}
		}
	}
	for _, d := range b.now {
		if d != nil && (best[d.Supporter] == nil || d.Before(best[d.Supporter])) {
			best[d.Supporter] = d
		}
	}
	for supporter := range supporters {
		if was := b.first[supporter]; was != nil && best[supporter] != was {
			b.mark(was, false)
		}
		if d := best[supporter]; d != nil {
			b.mark(d, true)
		}
	}
	return nil
}

// mark sets whether a donation is its supporter's first. One that did not
// change otherwise joins the booking as a copy, since it is also the old one.
func (b *booking) mark(d *giving.Donation, first bool) {
	now, changed := b.now[d.Key]
	switch {
	case !changed:
		copied := *d
		copied.First = first
		b.now[d.Key] = &copied
	case now == d:
		d.First = first
	}
}

type member struct{ old, now *giving.Membership }

// compareMembers returns the memberships that differ from the stored ones.
func (b *booking) compareMembers(ctx context.Context, projected map[string]*giving.Membership) ([]member, error) {
	stored, err := b.tx.Memberships(ctx, slices.Collect(maps.Keys(projected)))
	if err != nil {
		return nil, err
	}
	old := map[string]*giving.Membership{}
	for _, m := range stored {
		old[m.Subscription] = m
	}
	var changed []member
	for id, now := range projected {
		was := old[id]
		switch {
		case now == nil && was == nil, now != nil && was != nil && *now == *was:
			continue
		case now == nil:
			b.ended = append(b.ended, id)
		default:
			b.members = append(b.members, now)
		}
		changed = append(changed, member{was, now})
	}
	return changed, nil
}

// save writes the donations and memberships that changed.
func (b *booking) save(ctx context.Context) error {
	var put []*giving.Donation
	var dropped []string
	for key, d := range b.now {
		if d == nil {
			dropped = append(dropped, key)
		} else {
			put = append(put, d)
		}
	}
	if err := b.tx.DropDonations(ctx, dropped); err != nil {
		return err
	}
	if err := b.tx.PutDonations(ctx, put); err != nil {
		return err
	}
	if err := b.tx.DropMemberships(ctx, b.ended); err != nil {
		return err
	}
	return b.tx.PutMemberships(ctx, b.members)
}
