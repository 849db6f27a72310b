package objects

import "slices"

// A Graph is the part of the registers that a change can touch. It is loaded
// as it is walked: what a walk asks for and is not there is noted as missing,
// and the walk is made again once it was loaded.
type Graph struct {
	registers map[Ref]Register // nil where nothing was ever said
	named     map[Ref][]Ref    // who names an object
	added     map[Ref][]Ref    // who came to name it since
	noRef     map[Ref]bool     // registers that a walk missed
	noNames   map[Ref]bool     // names that a walk missed
}

// NewGraph returns a graph with nothing in it.
func NewGraph() *Graph {
	return &Graph{map[Ref]Register{}, map[Ref][]Ref{}, map[Ref][]Ref{}, map[Ref]bool{}, map[Ref]bool{}}
}

// Put sets what is known of an object; r is nil if nothing was ever said.
func (g *Graph) Put(ref Ref, r Register) { g.registers[ref] = r }

// PutName adds one to the objects that name ref, besides those that
// [Graph.AddName] added or adds.
func (g *Graph) PutName(ref, by Ref) { g.named[ref] = append(g.named[ref], by) }

// AddName notes that by has come to name ref.
func (g *Graph) AddName(ref, by Ref) { g.added[ref] = append(g.added[ref], by) }

// Get returns what is known of an object, and whether it is loaded.
func (g *Graph) Get(ref Ref) (r Register, loaded bool) {
	r, loaded = g.registers[ref]
	return r, loaded
}

// PutEmpty sets that nothing is known of an object, unless it is loaded, and
// reports whether it was not.
func (g *Graph) PutEmpty(ref Ref) bool {
	_, loaded := g.registers[ref]
	if !loaded {
		g.registers[ref] = nil
	}
	return !loaded
}

// PutUnnamed sets that nothing names an object, unless its names are loaded,
// and reports whether they were not.
func (g *Graph) PutUnnamed(ref Ref) bool {
	_, loaded := g.named[ref]
	if !loaded {
		g.named[ref] = nil
	}
	return !loaded
}

// Missing returns what walks asked for in vain since the last call.
func (g *Graph) Missing() (registers, names []Ref) {
	for ref := range g.noRef {
		registers = append(registers, ref)
	}
	for ref := range g.noNames {
		names = append(names, ref)
	}
	clear(g.noRef)
	clear(g.noNames)
	return registers, names
}

// find returns the register of an object, or nil.
func find[T Register](g *Graph, kind Kind, id string) (found T) {
	if id == "" {
		return found
	}
	var room [96]byte
	name := append(append(append(room[:0], kind...), '/'), id...)
	r, loaded := g.registers[Ref(name)] // which makes no string of it
	if !loaded {
		g.noRef[Ref(name)] = true
	}
	found, _ = r.(T)
	return found
}

// naming returns the ids of the objects of a kind that name ref, sorted.
func (g *Graph) naming(ref Ref, kind Kind) []string {
	if ref == "" {
		return nil
	}
	names, loaded := g.named[ref]
	if !loaded {
		g.noNames[ref] = true
	}
	var ids []string
	for _, several := range [...][]Ref{names, g.added[ref]} {
		for _, by := range several {
			if by.Kind() == kind {
				ids = append(ids, by.ID())
			}
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// A Change is an object of which more is known than before.
type Change struct {
	Ref   Ref
	Reach bool // what matters to objects it does not name has changed too
}

// Roots returns what must be projected again after changes: the PaymentIntents,
// charges, invoices and offline gifts that may be donations, and the
// subscriptions. It is right once nothing is missing.
func (g *Graph) Roots(changes []Change) []Ref {
	w := walk{g, map[Ref]bool{}}
	for _, c := range changes {
		w.affect(c.Ref, c.Reach)
	}
	roots := make([]Ref, 0, len(w.roots))
	for ref := range w.roots {
		roots = append(roots, ref)
	}
	slices.Sort(roots)
	return roots
}

type walk struct {
	*Graph
	roots map[Ref]bool
}

func (w *walk) root(kind Kind, id string) {
	if id != "" {
		w.roots[NewRef(kind, id)] = true
	}
}

// affect walks from an object to what is projected from it. It ends, since no
// way leads back: from a fact or a customer to what a person has, from there to
// bills and memberships, from those to charges, and from them to PaymentIntents.
func (w *walk) affect(ref Ref, reach bool) {
	switch ref.Kind() {
	case KindIntent, KindOffline, KindPayout:
		w.roots[ref] = true
	case KindCharge:
		w.roots[ref] = true
		if c := find[*Charge](w.Graph, KindCharge, ref.ID()); c != nil {
			w.root(KindIntent, c.Intent)
		}
	case KindRefund:
		if r := find[*Refund](w.Graph, KindRefund, ref.ID()); r != nil {
			w.affect(NewRef(KindCharge, r.Charge), false)
			w.root(KindIntent, r.Intent)
		}
	case KindDispute:
		if d := find[*Dispute](w.Graph, KindDispute, ref.ID()); d != nil {
			w.affect(NewRef(KindCharge, d.Charge), false)
			w.root(KindIntent, d.Intent)
		}
	case KindTransaction:
		if t := find[*Transaction](w.Graph, KindTransaction, ref.ID()); t != nil {
			w.affect(sourceRef(t.Source), false)
		}
	case KindInvoice:
		w.affectInvoice(ref)
	case KindSession:
		w.affectSession(ref, reach)
	case KindSubscription:
		w.roots[ref] = true
		if reach {
			w.affectAll(ref, KindInvoice)
		}
	case KindCustomer:
		if reach {
			w.affectAll(ref, KindCharge, KindIntent, KindInvoice, KindSubscription, KindSession)
		}
	case KindAdopted:
		if a := find[*Adopted](w.Graph, KindAdopted, ref.ID()); a != nil {
			w.affect(a.Object, true)
		}
	case KindCorrection:
		if c := find[*Correction](w.Graph, KindCorrection, ref.ID()); c != nil {
			w.affect(c.Object, true)
		}
	case KindErasure:
		if e := find[*Erasure](w.Graph, KindErasure, ref.ID()); e != nil {
			w.affect(e.Object, true)
		}
	}
}

func (w *walk) affectAll(ref Ref, kinds ...Kind) {
	for _, kind := range kinds {
		for _, id := range w.naming(ref, kind) {
			w.affect(NewRef(kind, id), false)
		}
	}
}

func (w *walk) affectInvoice(ref Ref) {
	w.roots[ref] = true
	w.affectAll(ref, KindCharge, KindIntent)
	if i := find[*Invoice](w.Graph, KindInvoice, ref.ID()); i != nil {
		w.affect(NewRef(KindCharge, i.Charge), false)
		w.root(KindIntent, i.Intent)
		w.root(KindSubscription, i.Subscription)
	}
}

func (w *walk) affectSession(ref Ref, reach bool) {
	s := find[*Session](w.Graph, KindSession, ref.ID())
	if s == nil {
		return
	}
	w.root(KindIntent, s.Intent)
	w.affect(NewRef(KindInvoice, s.Invoice), false)
	w.affect(NewRef(KindSubscription, s.Subscription), reach)
}
