package ledger

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/united24media/support/internal/objects"
	"github.com/united24media/support/internal/store"
)

// rewrite replaces the stored bodies that tell of the person by scrubbed ones,
// and the registers by the join of what is stored then.
func (e *eraser) rewrite(ctx context.Context) error {
	refs := texts(append(slices.Collect(maps.Keys(e.refs)), slices.Collect(maps.Keys(e.near))...))
	joined := map[objects.Ref]objects.Register{}
	e.marked = map[objects.Ref]bool{}
	if err := e.rewriteEvents(ctx, refs, joined); err != nil {
		return err
	}
	if err := e.rewriteSnapshots(ctx, refs, joined); err != nil {
		return err
	}
	return e.saveRegisters(ctx, joined)
}

// says reports whether a body has the person's address in it.
func (e *eraser) says(body []byte) bool {
	return e.folded != "" && strings.Contains(strings.ToLower(string(body)), e.folded)
}

// concerns reports whether a body about an object is to be scrubbed.
func (e *eraser) concerns(ref objects.Ref, body []byte) bool {
	if _, ours := e.refs[ref]; ours {
		return true
	}
	if !e.says(body) {
		return false
	}
	switch ref.Kind() {
	case objects.KindCharge, objects.KindSession, objects.KindInvoice:
		e.marked[ref] = true
	}
	return true
}

func (e *eraser) rewriteEvents(ctx context.Context, refs []string, joined map[objects.Ref]objects.Register) error {
	events, err := e.tx.EventsOf(ctx, refs)
	if err != nil {
		return err
	}
	apart, err := e.apart(ctx)
	if err != nil {
		return err
	}
	for _, event := range append(events, apart...) {
		body, err := Unpack(event.Body)
		if err != nil {
			return fmt.Errorf("event %s: %w", event.ID, err)
		}
		kept := event.State == store.Applied || event.State == store.Foreign
		if !kept || e.concerns(objects.Ref(event.Ref), body) {
			event.Body = Pack(objects.Scrub(body))
			if event.State == store.Parked {
				event.Error = scrubbedError
			}
			if err := e.tx.Rewrite(ctx, event); err != nil {
				return err
			}
			e.done.Bodies++
		}
		if kept {
			said, err := saidByEvent(event, new([]byte))
			if err != nil {
				return err
			}
			e.join(joined, said)
		}
	}
	return nil
}

func (e *eraser) rewriteSnapshots(ctx context.Context, refs []string, joined map[objects.Ref]objects.Register) error {
	snapshots, err := e.tx.SnapshotsAbout(ctx, refs)
	if err != nil {
		return err
	}
	var old []string
	var now []store.Snapshot
	for _, s := range snapshots {
		body, err := Unpack(s.Body)
		if err != nil {
			return fmt.Errorf("snapshot %s: %w", s.ID, err)
		}
		scrubs := e.concerns(objects.Ref(s.Ref), body)
		if scrubs {
			body = objects.Scrub(body)
		}
		said, err := objects.Decode(body, objects.Source{At: s.AsOf.Unix()})
		if err != nil {
			return fmt.Errorf("snapshot %s: %w", s.ID, err)
		}
		e.join(joined, said)
		if scrubs {
			old = append(old, s.ID)
			scrubbed := snapshotOf(said, Answer{body, s.AsOf})
			scrubbed.Received = s.Received
			now = append(now, scrubbed)
		}
	}
	e.done.Bodies += len(now)
	return e.tx.Exchange(ctx, old, now)
}

func (e *eraser) join(joined map[objects.Ref]objects.Register, said []objects.Said) {
	for _, s := range said {
		_, ours := e.refs[s.Ref]
		if _, near := e.near[s.Ref]; !ours && !near {
			continue
		}
		if joined[s.Ref] == nil {
			joined[s.Ref] = objects.Empty(s.Ref.Kind())
		}
		joined[s.Ref].Join(s.Register)
	}
}

func (e *eraser) saveRegisters(ctx context.Context, joined map[objects.Ref]objects.Register) error {
	states := map[string]string{}
	for ref, register := range joined {
		states[string(ref)] = objects.Encode(register)
	}
	for ref, known := range e.refs {
		if joined[ref] == nil && known != nil { // told by a body about something else
			objects.Forget(known)
			states[string(ref)] = objects.Encode(known)
		}
	}
	e.done.Objects = len(e.refs) + len(e.marked)
	return e.tx.PutRegisters(ctx, states)
}

// apart returns the events that are in no register and tell of the person.
func (e *eraser) apart(ctx context.Context) (found []store.Event, err error) {
	err = e.tx.EventsApart(ctx, func(event store.Event) {
		if body, err := Unpack(event.Body); err == nil && e.tells(body) {
			found = append(found, event)
		}
	})
	return found, err
}

// tells reports whether a body tells of the person.
func (e *eraser) tells(body []byte) bool {
	return e.says(body) || slices.ContainsFunc(objects.Mentions(body), func(ref objects.Ref) bool { _, ours := e.refs[ref]; return ours })
}

// scrubbedError stands where an event is parked of which only the scrubbed body
// is kept.
const scrubbedError = "it told of a supporter who was erased"

// forget scrubs what a batch says of people who were erased, before anything
// of it is joined or stored.
func (g *graph) forget(batch []*request) error {
	for _, r := range batch {
		for i := range r.facts {
			if err := g.forgetFact(r, &r.facts[i]); err != nil {
				return err
			}
		}
		if r.event != nil && slices.ContainsFunc(r.event.mentions, g.scrubs) {
			if err := r.event.scrub(); err != nil {
				return err
			}
		}
	}
	return nil
}

func (g *graph) forgetFact(r *request, f *fact) error {
	if !slices.ContainsFunc(f.said, func(s objects.Said) bool {
		return g.scrubs(s.Ref) || slices.ContainsFunc(s.Links, g.erased)
	}) {
		return nil
	}
	switch {
	case f.snapshot.ID != "":
		body, err := Unpack(f.snapshot.Body)
		if err != nil {
			return err
		}
		a := Answer{objects.Scrub(body), f.snapshot.AsOf}
		if f.said, err = objects.Decode(a.Object, objects.Source{At: a.At.Unix()}); err != nil {
			return &projectionError{err.Error()}
		}
		f.snapshot = snapshotOf(f.said, a)
	case r.event != nil:
		if err := r.event.scrub(); err != nil {
			return err
		}
		var err error
		if f.said, err = saidByEvent(r.event.Event, new([]byte)); err != nil {
			return &projectionError{err.Error()}
		}
		r.event.said = f.said
	}
	return nil // else it is read back, and was scrubbed when it was stored
}

func (d *delivered) scrub() error {
	body, err := Unpack(d.Body)
	if err != nil {
		return err
	}
	d.Body = Pack(objects.Scrub(body))
	if d.State == store.Parked {
		d.Error = scrubbedError
	}
	return nil
}

// erased reports whether an object belongs to somebody who was erased; whether
// it does is loaded.
func (g *graph) erased(ref objects.Ref) bool {
	r, _ := g.Get(objects.ErasureOf(ref))
	e, ok := r.(*objects.Erasure)
	return ok && e.Supporter != ""
}

// scrubs reports whether nothing may be kept of what an object says of people.
func (g *graph) scrubs(ref objects.Ref) bool {
	r, _ := g.Get(objects.ErasureOf(ref))
	return r != nil
}
