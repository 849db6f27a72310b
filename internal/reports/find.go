package reports

import (
	"context"
	"strings"
	"unicode/utf8"

	"github.com/united24media/support/internal/fault"
	"github.com/united24media/support/internal/giving"
	"github.com/united24media/support/internal/objects"
	"github.com/united24media/support/internal/store"
)

// maxText is the most characters that a search has.
const maxText = 200

// maxNamed is the most objects at Stripe that the beginning of an id may name.
const maxNamed = 100

// Find returns what a search looks for: gifts whose id begins with text, and,
// for who may see who gave, whose folded address or name begins with it, or
// that an object at Stripe leads to whose id begins with it: a charge, an
// invoice, a refund, a dispute, a customer. It returns a [fault.Invalid] that
// names text.
func (s *Service) Find(ctx context.Context, text string, persons bool) (*store.Text, error) {
	text = strings.TrimSpace(text)
	switch {
	case !utf8.ValidString(text) || strings.ContainsRune(text, 0):
		return nil, fault.Field("text", "The text has characters that can't be read.")
	case utf8.RuneCountInString(text) > maxText:
		return nil, fault.Field("text", "A search has %d characters at most.", maxText)
	case text == "":
		return nil, nil
	}
	found := &store.Text{Key: text}
	if !persons {
		return found, nil
	}
	found.Person = giving.Fold(text)
	kinds := kindsOf(text)
	if len(kinds) == 0 {
		return found, nil
	}
	var changes []objects.Change
	for _, kind := range kinds {
		refs, err := s.store.RefsFrom(ctx, string(objects.NewRef(kind, text)), maxNamed)
		if err != nil {
			return nil, err
		}
		for _, ref := range refs {
			changes = append(changes, objects.Change{Ref: objects.Ref(ref), Reach: true})
		}
	}
	roots, err := s.roots(ctx, changes)
	for _, root := range roots {
		if root.Kind() != objects.KindSubscription && root.Kind() != objects.KindPayout {
			found.Keys = append(found.Keys, root.ID())
		}
	}
	return found, err
}

// kindsOf returns which objects at Stripe may have ids that begin with text.
func kindsOf(text string) []objects.Kind {
	prefix, _, ok := strings.Cut(text, "_")
	if !ok {
		return nil
	}
	return map[string][]objects.Kind{
		"ch": {objects.KindCharge}, "py": {objects.KindCharge}, "in": {objects.KindInvoice}, "sub": {objects.KindSubscription},
		"cs": {objects.KindSession}, "cus": {objects.KindCustomer}, "re": {objects.KindRefund}, "pyr": {objects.KindRefund},
		"dp": {objects.KindDispute}, "du": {objects.KindDispute}, "txn": {objects.KindTransaction},
	}[prefix]
}

// roots returns the gifts and memberships that objects lead to.
func (s *Service) roots(ctx context.Context, changes []objects.Change) (roots []objects.Ref, err error) {
	if len(changes) == 0 {
		return nil, nil
	}
	err = s.walk(ctx, func(g *objects.Graph) { roots = g.Roots(changes) }, nil)
	return roots, err
}

// walk calls f on a graph until nothing it asked for is missing: what it did
// last is right. loaded, if there is one, is called with each object found.
func (s *Service) walk(ctx context.Context, f func(*objects.Graph), loaded func(objects.Ref, objects.Register)) error {
	g := objects.NewGraph()
	return s.store.Look(ctx, func(tx *store.Tx) error {
		for {
			f(g)
			registers, names := g.Missing()
			if len(registers)+len(names) == 0 {
				return nil
			}
			for _, ref := range registers {
				g.PutEmpty(ref)
			}
			for _, ref := range names {
				g.PutUnnamed(ref)
			}
			var unreadable error
			err := tx.Load(ctx, texts(registers), texts(names), func(ref, state string) {
				register, err := objects.DecodeRegister(objects.Ref(ref).Kind(), state)
				if err != nil {
					unreadable = err
					return
				}
				g.Put(objects.Ref(ref), register)
				if loaded != nil {
					loaded(objects.Ref(ref), register)
				}
			}, func(to, by string) { g.PutName(objects.Ref(to), objects.Ref(by)) })
			if err != nil {
				return err
			}
			if unreadable != nil {
				return unreadable
			}
		}
	})
}

func texts(refs []objects.Ref) []string {
	all := make([]string, len(refs))
	for i, ref := range refs {
		all[i] = string(ref)
	}
	return all
}
