package ledger

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"runtime/debug"
	"slices"
	"time"

	"github.com/united24media/support/internal/giving"
	"github.com/united24media/support/internal/objects"
	"github.com/united24media/support/internal/store"
)

// record applies a batch in one transaction and tells of the counts that moved.
func (l *Ledger) record(batch []*request) error {
	// The callers' contexts do not end it: the others in the batch still wait.
	ctx, cancel := context.WithTimeout(context.Background(), commitTime)
	defer cancel()
	var moved []store.ScopeCount
	err := l.Store.Ledger(ctx, func(tx *store.Tx) error {
		var err error
		moved, err = l.apply(ctx, tx, batch)
		return err
	})
	if err != nil {
		return fmt.Errorf("record: %w", err)
	}
	l.tellContradictions(batch)
	if len(moved) > 0 {
		l.Moved(moved)
	}
	return nil
}

// A projectionError says that what was stored can't be projected: a fault of
// ours, which the next release may mend.
type projectionError struct{ text string }

func (e *projectionError) Error() string { return e.text }

// apply is the one way in: store, join, project, and add the differences.
func (l *Ledger) apply(ctx context.Context, tx *store.Tx, batch []*request) (moved []store.ScopeCount, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = &projectionError{fmt.Sprintf("projection failed: %v", p)}
			l.Log.Error("projection failed", "panic", p, "stack", string(debug.Stack()))
		}
	}()
	g := graph{Graph: objects.NewGraph(), tx: tx, stored: map[objects.Ref]string{}}
	changed, err := g.join(ctx, batch)
	if err != nil {
		return nil, err
	}
	roots, err := g.roots(ctx, changed)
	if err != nil {
		return nil, err
	}
	for _, r := range batch {
		roots = append(roots, r.roots...)
	}
	if err := dropTold(ctx, tx, batch); err != nil {
		return nil, err
	}
	p, err := l.project(ctx, &g, roots)
	if err != nil {
		return nil, err
	}
	if err := g.save(ctx); err != nil {
		return nil, err
	}
	if moved, err = l.book(ctx, tx, p); err != nil {
		return nil, err
	}
	if l.held != nil { // nothing is asked of Stripe, or stored again
		return moved, nil
	}
	if err := tx.PutWishes(ctx, l.Now(), l.wishes(batch, p)); err != nil {
		return nil, err
	}
	if err := l.queueMails(ctx, tx, &g, p); err != nil {
		return nil, err
	}
	return moved, l.keep(ctx, tx, &g, batch, p)
}

// A graph is the registers that a batch touches, as they become.
type graph struct {
	*objects.Graph
	tx     *store.Tx
	stored map[objects.Ref]string // as they were before the batch
	links  []store.Link           // that the batch adds
	dirty  map[string]string      // as they are to be stored, by ref
	left   []objects.Ref          // what may have been named, and is no more, where something was denied
}

// join joins what a batch says into the registers and returns the objects that
// were spoken of.
func (g *graph) join(ctx context.Context, batch []*request) ([]objects.Change, error) {
	var touched, names []objects.Ref // some more than once
	touch := func(ref objects.Ref) {
		touched = append(touched, ref)
		if objects.Personal(ref.Kind()) {
			touched = append(touched, objects.ErasureOf(ref))
		}
	}
	for s := range everySaid(batch) {
		touch(s.Ref)
		names = append(names, s.Ref)
		for _, link := range s.Links {
			touch(link)
			if !hub(link.Kind()) {
				names = append(names, link)
			}
		}
	}
	for _, r := range batch {
		if r.event != nil {
			for _, ref := range r.event.mentions {
				touched = append(touched, objects.ErasureOf(ref))
			}
		}
	}
	if err := g.load(ctx, touched, names); err != nil {
		return nil, err
	}
	if err := g.forget(batch); err != nil {
		return nil, err
	}
	reach := map[objects.Ref]string{}
	said := map[objects.Ref]bool{}
	for _, r := range batch {
		r.denied = nil // it may have been tried before
		for s := range everySaid([]*request{r}) {
			if old, _ := g.Get(s.Ref); old != nil && !said[s.Ref] {
				reach[s.Ref] = old.Reach()
			}
			said[s.Ref] = true
			if g.add(s) {
				r.denied = append(r.denied, s.Ref)
			}
		}
	}
	return g.changes(said, reach), nil
}

// everySaid calls yield for everything that a batch says, in its order.
func everySaid(batch []*request) iter.Seq[objects.Said] {
	return func(yield func(objects.Said) bool) {
		for _, r := range batch {
			for _, f := range r.facts {
				for _, s := range f.said {
					if !yield(s) {
						return
					}
				}
			}
		}
	}
}

// hub reports whether so many objects may name one of a kind that they are
// loaded only when they are needed.
func hub(kind objects.Kind) bool {
	switch kind {
	case objects.KindCustomer, objects.KindPayout, objects.KindSubscription, objects.KindTransaction:
		return true
	}
	return false
}

// add joins one thing said into its register, and reports whether it can't be
// true beside what is known.
func (g *graph) add(s objects.Said) (denied bool) {
	register, _ := g.Get(s.Ref)
	var known []objects.Ref
	if register == nil {
		register = objects.Empty(s.Ref.Kind())
		g.Put(s.Ref, register)
	} else {
		known = register.Links()
	}
	if denied = objects.Contradicts(register, s.Register); denied {
		g.left = append(g.left, register.Links()...)
	}
	register.Join(s.Register)
	for _, link := range s.Links { // all that were ever said, so that their order can't matter
		row := store.Link{To: string(link), From: string(s.Ref)}
		// A balance transaction names its source itself.
		if link.Kind() == objects.KindTransaction || slices.Contains(known, link) || len(known) > 0 && slices.Contains(g.links, row) {
			continue
		}
		g.AddName(link, s.Ref)
		g.links = append(g.links, row)
	}
	return denied
}

// changes returns the objects that were spoken of, and notes which registers
// are no longer as they were stored. Those of which nothing new was said are
// projected again all the same: it is rare, and mends what a fault left.
func (g *graph) changes(said map[objects.Ref]bool, reach map[objects.Ref]string) []objects.Change {
	g.dirty = make(map[string]string, len(said))
	spoken := make([]objects.Change, 0, len(said)+len(g.left))
	for ref := range said {
		register, _ := g.Get(ref)
		if text := objects.Encode(register); text != g.stored[ref] {
			g.dirty[string(ref)] = text
		}
		spoken = append(spoken, objects.Change{Ref: ref, Reach: register.Reach() != reach[ref]})
	}
	for _, ref := range g.left {
		spoken = append(spoken, objects.Change{Ref: ref, Reach: true})
	}
	return spoken
}

// load reads registers, and who names objects, into the graph, but for those
// that are there.
func (g *graph) load(ctx context.Context, registers, names []objects.Ref) error {
	registers = slices.DeleteFunc(registers, func(ref objects.Ref) bool { return !g.PutEmpty(ref) })
	names = slices.DeleteFunc(names, func(ref objects.Ref) bool { return !g.PutUnnamed(ref) })
	var unreadable error
	register := func(ref, state string) {
		r, err := objects.DecodeRegister(objects.Ref(ref).Kind(), state)
		if err != nil {
			unreadable = err
			return
		}
		g.stored[objects.Ref(ref)] = state
		g.Put(objects.Ref(ref), r)
	}
	name := func(ref, by string) { g.PutName(objects.Ref(ref), objects.Ref(by)) }
	return errors.Join(g.tx.Load(ctx, texts(registers), texts(names), register, name), unreadable)
}

// loadMissing loads what a walk missed, and reports whether there was any.
func (g *graph) loadMissing(ctx context.Context) (bool, error) {
	registers, names := g.Missing()
	if len(registers)+len(names) == 0 {
		return false, nil
	}
	return true, g.load(ctx, registers, names)
}

// roots returns what must be projected again.
func (g *graph) roots(ctx context.Context, changed []objects.Change) ([]objects.Ref, error) {
	for {
		roots := g.Roots(changed)
		if more, err := g.loadMissing(ctx); err != nil || !more {
			return roots, err
		}
	}
}

// save stores the registers and links that changed.
func (g *graph) save(ctx context.Context) error {
	if err := g.tx.PutLinks(ctx, g.links); err != nil { // which knows by the registers whose links are new
		return err
	}
	return g.tx.PutRegisters(ctx, g.dirty)
}

// A projection is what roots are, as far as the registers tell.
type projection struct {
	donations   map[string]*giving.Donation   // by key; nil where there is none
	memberships map[string]*giving.Membership // by subscription; nil where there is none
	ours        map[objects.Ref]bool
	needs       []objects.Need

	owed     map[string][]objects.Owed // by subscription
	refunded map[string]int64          // when a donation was refunded last, by key
	changed  map[string][2]*giving.Donation
	members  []member // that changed
}

// project projects roots, loading what that takes.
func (l *Ledger) project(ctx context.Context, g *graph, roots []objects.Ref) (*projection, error) {
	for {
		p := &projection{
			donations: map[string]*giving.Donation{}, memberships: map[string]*giving.Membership{}, ours: map[objects.Ref]bool{},
			owed: map[string][]objects.Owed{}, refunded: map[string]int64{},
		}
		for _, root := range roots {
			l.projectRoot(g, p, root)
		}
		if more, err := g.loadMissing(ctx); err != nil || !more {
			return p, err
		}
	}
}

func (l *Ledger) projectRoot(g *graph, p *projection, root objects.Ref) {
	switch root.Kind() {
	case objects.KindSubscription:
		m := g.Membership(root, l.Now().Unix(), l.Grace)
		p.memberships[root.ID()], p.ours[root] = m, m != nil
	case objects.KindPayout:
		p.ours[root] = true
	default:
		d := g.Donation(root)
		p.donations[root.ID()], p.ours[root] = d, d != nil
	}
	if l.held != nil || !p.ours[root] { // a rebuild asks for nothing and tells nobody
		return
	}
	p.needs = append(p.needs, g.Needs(root)...)
	if m := p.memberships[root.ID()]; m != nil && (m.Status == "past_due" || m.Status == "unpaid") {
		p.owed[root.ID()] = g.Owed(root)
	}
	if d := p.donations[root.ID()]; d != nil && d.Refunded > 0 {
		p.refunded[root.ID()] = g.RefundedAt(root)
	}
}

// settleTime is how long an answer of Stripe's may lag behind its events.
const settleTime = 2 * time.Second

// wishes returns what must be asked of Stripe after a batch.
func (l *Ledger) wishes(batch []*request, p *projection) []store.Wish {
	priorities := map[string]int{}
	for _, n := range p.needs {
		priorities[n.What] = n.Priority
	}
	for _, r := range batch {
		if r.event != nil && r.event.want != "" {
			priorities[string(r.event.want)] = objects.PriorityMembership
		}
		for _, f := range r.facts {
			for _, s := range f.said {
				if a, ok := s.Register.(*objects.Adopted); ok && a.Object != "" {
					priorities[string(a.Object)] = objects.PriorityContact
				}
			}
		}
	}
	due := l.Now().Add(settleTime)
	wishes := make([]store.Wish, 0, len(priorities))
	for what, priority := range priorities {
		wishes = append(wishes, store.Wish{Ref: what, Priority: int64(priority), Due: due})
	}
	return wishes
}

// keep stores the events and snapshots of a batch.
func (l *Ledger) keep(ctx context.Context, tx *store.Tx, g *graph, batch []*request, p *projection) error {
	var events []store.Event
	var times []int64
	var snapshots []store.Snapshot
	at := map[string]int{} // where an event that came twice stands
	for _, r := range batch {
		if e := r.event; e != nil {
			e.State = judge(g, e, p)
			if r.again {
				if err := tx.Judge(ctx, e.ID, e.State, e.Error); err != nil {
					return err
				}
				continue
			}
			if i, twice := at[e.ID]; twice {
				times[i]++
				continue
			}
			at[e.ID] = len(events)
			events, times = append(events, e.Event), append(times, 1)
		}
		for _, f := range r.facts {
			if f.snapshot.ID != "" && g.changedBy(f.said) {
				f.snapshot.Received = l.Now()
				snapshots = append(snapshots, f.snapshot)
			}
		}
	}
	if err := tx.PutEvents(ctx, events, times); err != nil {
		return err
	}
	return tx.PutSnapshots(ctx, snapshots)
}

// changedBy reports whether any of the objects that were spoken of is no longer
// as it was stored. An answer that said nothing new need not be kept.
func (g *graph) changedBy(said []objects.Said) bool {
	return slices.ContainsFunc(said, func(s objects.Said) bool { _, dirty := g.dirty[string(s.Ref)]; return dirty })
}

// judge says whether an applied event is about something of ours.
func judge(g *graph, e *delivered, p *projection) string {
	if e.State != store.Applied || len(e.said) == 0 {
		return e.State
	}
	var changes []objects.Change
	for _, s := range e.said {
		changes = append(changes, objects.Change{Ref: s.Ref, Reach: true})
	}
	roots := g.Roots(changes)
	g.Missing() // what is not loaded was not needed: it can't be among the roots
	for _, root := range roots {
		if p.ours[root] {
			return store.Applied
		}
	}
	if undecided(e.said) {
		return store.Applied
	}
	return store.Foreign
}

// undecided reports whether an event is about our own attempt to be given
// something that has not become a gift.
func undecided(said []objects.Said) bool {
	return slices.ContainsFunc(said, func(s objects.Said) bool { return objects.Marked(s.Register) })
}

func texts(refs []objects.Ref) []string {
	texts := make([]string, len(refs))
	for i, ref := range refs {
		texts[i] = string(ref)
	}
	return texts
}
