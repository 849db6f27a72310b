package ledger

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/go-json-experiment/json"

	"github.com/united24media/support/internal/giving"
	"github.com/united24media/support/internal/objects"
	"github.com/united24media/support/internal/store"
)

// An Outcome is what applying something would come to.
type Outcome struct {
	Changes []Change
	News    []int // which of the answers say more than is known, apart from when it was said
}

// A Change is one donation, membership, payout or attempt of ours that would
// become another one. Of each pair the first is as stored, the second as it
// would be; nil is none. Only the pair of the object's own kind is set; neither
// is for what nothing was known of: a charge or session of ours, a refund that
// names nothing that was paid.
type Change struct {
	Ref        objects.Ref // donation/pi_1, membership/sub_1, payout/po_1, charge/ch_1, checkout.session/cs_1, refund/re_1
	By         []objects.Ref
	Donation   [2]*giving.Donation
	Membership [2]*giving.Membership
	Payout     [2]*objects.Payout
}

// The kinds that only a [Change] has.
const (
	KindDonation   objects.Kind = "donation"
	KindMembership objects.Kind = "membership"
)

// Would returns what [Ledger.Apply] would change. It writes nothing and takes
// no turn, so that others may record meanwhile.
func (l *Ledger) Would(ctx context.Context, answers ...Answer) (Outcome, error) {
	r := &request{}
	var index []int // of the answers that are kept
	for i, a := range answers {
		said, err := objects.Decode(a.Object, objects.Source{At: a.At.Unix()})
		if errors.Is(err, objects.ErrKind) {
			continue
		}
		if err != nil {
			return Outcome{}, fmt.Errorf("read an answer of Stripe's API: %w", err)
		}
		r.facts, index = append(r.facts, fact{said: said}), append(index, i)
	}
	o, err := l.would(ctx, r)
	for i, n := range o.News {
		o.News[i] = index[n]
	}
	return o, err
}

// WouldDeliver returns what [Ledger.Deliver] would change.
func (l *Ledger) WouldDeliver(ctx context.Context, body []byte) (Outcome, error) {
	return l.would(ctx, &request{facts: []fact{{said: l.read(body).said}}})
}

func (l *Ledger) would(ctx context.Context, r *request) (o Outcome, err error) {
	if len(r.facts) == 0 {
		return Outcome{}, nil
	}
	defer func() {
		if p := recover(); p != nil {
			err = &projectionError{fmt.Sprintf("projection failed: %v", p)}
		}
	}()
	err = l.Store.Look(ctx, func(tx *store.Tx) error {
		if err := tx.ByIndexes(ctx); err != nil {
			return err
		}
		g := graph{Graph: objects.NewGraph(), tx: tx, stored: map[objects.Ref]string{}}
		spoken, err := g.join(ctx, []*request{r})
		if err != nil {
			return err
		}
		roots, err := g.roots(ctx, spoken)
		if err != nil {
			return err
		}
		p, err := l.project(ctx, &g, roots)
		if err != nil {
			return err
		}
		c := comparison{graph: &g, by: map[objects.Ref][]objects.Ref{}}
		o.News = c.news(r.facts, spoken)
		o.Changes, err = c.changes(ctx, tx, p)
		return err
	})
	if err != nil {
		return Outcome{}, fmt.Errorf("see what would change: %w", err)
	}
	return o, nil
}

// A comparison finds what of a graph is not as it was stored.
type comparison struct {
	*graph
	fresh map[objects.Ref]bool
	by    map[objects.Ref][]objects.Ref // the fresh objects that lead to a root
}

// fresh returns the objects of which more is known than was stored, apart from
// when it was said.
func (g *graph) fresh() map[objects.Ref]bool {
	fresh := map[objects.Ref]bool{}
	for dirty, text := range g.dirty {
		ref := objects.Ref(dirty)
		stored, known := g.stored[ref]
		if !known || timeless(stored) != timeless(text) {
			fresh[ref] = true
		}
	}
	return fresh
}

// about returns which facts are about any of several objects.
func about(facts []fact, which map[objects.Ref]bool) []int {
	var found []int
	for i, f := range facts {
		if slices.ContainsFunc(f.said, func(s objects.Said) bool { return which[s.Ref] }) {
			found = append(found, i)
		}
	}
	return found
}

// news returns which facts say more than was stored, and fills the comparison.
func (c *comparison) news(facts []fact, spoken []objects.Change) []int {
	c.fresh = c.graph.fresh()
	for _, change := range spoken {
		if !c.fresh[change.Ref] {
			continue
		}
		for _, root := range c.Roots([]objects.Change{change}) {
			c.by[root] = append(c.by[root], change.Ref)
		}
	}
	c.Missing() // all that leads to a root of these was loaded
	return about(facts, c.fresh)
}

// timeless returns a register's text without the times at which its parts were
// said.
func timeless(register string) string {
	var v any
	if err := json.Unmarshal([]byte(register), &v); err != nil {
		return register
	}
	strip(v)
	return text(v)
}

func strip(v any) {
	switch v := v.(type) {
	case map[string]any:
		for _, name := range [...]string{"at", "event", "refunded_at", "refunds_listed", "listed"} {
			delete(v, name)
		}
		for _, inner := range v {
			strip(inner)
		}
	case []any:
		for _, inner := range v {
			strip(inner)
		}
	}
}

// changes compares what was projected with what is stored.
func (c *comparison) changes(ctx context.Context, tx *store.Tx, p *projection) ([]Change, error) {
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
	var changes []Change
	for _, key := range slices.Sorted(maps.Keys(b.now)) {
		changes = append(changes, Change{
			Ref: objects.NewRef(KindDonation, key), By: c.ledTo(key), Donation: [2]*giving.Donation{b.old[key], b.now[key]},
		})
	}
	for _, m := range members {
		id := ""
		for _, side := range [...]*giving.Membership{m.old, m.now} {
			if side != nil {
				id = side.Subscription
			}
		}
		changes = append(changes, Change{
			Ref: objects.NewRef(KindMembership, id), By: c.ledTo(id), Membership: [2]*giving.Membership{m.old, m.now},
		})
	}
	return append(changes, c.others()...), nil
}

// ledTo returns the fresh objects that lead to the root with an id.
func (c *comparison) ledTo(id string) []objects.Ref {
	for root, by := range c.by {
		if root.ID() == id {
			return by
		}
	}
	return nil
}

// others returns the payouts that would change, and the attempts of ours and
// the refunds of nobody knows what that nothing was known of.
func (c *comparison) others() []Change {
	var changes []Change
	for _, ref := range slices.Sorted(maps.Keys(c.fresh)) {
		register, _ := c.Get(ref)
		change := Change{Ref: ref, By: []objects.Ref{ref}}
		stored, known := c.stored[ref]
		switch r := register.(type) {
		case *objects.Payout:
			change.Payout[1] = r
			if known {
				before, err := objects.DecodeRegister(ref.Kind(), stored)
				if err != nil {
					continue // it was read a moment ago
				}
				change.Payout[0] = before.(*objects.Payout)
			}
		case *objects.Charge:
			if known || r.Status == "succeeded" || !objects.Marked(r) { // a succeeded one is a donation
				continue
			}
		case *objects.Session:
			if known || r.Status == "open" || !objects.Marked(r) {
				continue
			}
		case *objects.Refund:
			if known || !r.Orphan() {
				continue
			}
		default:
			continue
		}
		changes = append(changes, change)
	}
	return changes
}
