package ledger

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/united24media/support/internal/fault"
	"github.com/united24media/support/internal/giving"
	"github.com/united24media/support/internal/objects"
	"github.com/united24media/support/internal/store"
)

// eraseTime is for one erasure; below overlap, as an import's.
const eraseTime = 5 * time.Minute

// Erased says how much was erased of somebody.
type Erased struct {
	Donations   int              `json:"donations"`
	Memberships int              `json:"memberships"`
	Running     int              `json:"running"` // memberships that are not canceled
	Objects     int              `json:"objects"` // of Stripe's, of which we keep what they say of money
	Bodies      int              `json:"bodies"`  // stored events and answers, replaced by scrubbed ones
	Rows        map[string]int64 `json:"rows"`    // changed or removed elsewhere, by table
	Customers   int              `json:"customers"`
}

// Erase removes from everything that is stored who stands behind an address: a
// fact that holds for what Stripe says later too. Donations and memberships
// stay, as those of a random supporter, so that no sum and no count moves.
// Whoever else is tied to the address by a customer at Stripe is the same
// person. entry is written into the audit log with it. It returns a
// [fault.NotFound] where nothing is known of the address.
func (l *Ledger) Erase(ctx context.Context, address string, entry store.Entry) (Erased, error) {
	return l.EraseSupporter(ctx, store.ByAddress(address), entry)
}

// EraseSupporter is [Ledger.Erase] of a supporter by their key: somebody whose
// gifts came without an address has one too. It returns a [fault.NotFound]
// also for who was erased before.
func (l *Ledger) EraseSupporter(ctx context.Context, supporter string, entry store.Entry) (Erased, error) {
	ctx, cancel := context.WithTimeout(ctx, eraseTime)
	defer cancel()
	e := eraser{
		l: l, supporter: supporter, folded: giving.AddressOf(supporter), refs: map[objects.Ref]objects.Register{},
		near: map[objects.Ref]objects.Register{}, supporters: map[string]string{}, addresses: map[string]bool{}, names: map[string]bool{},
	}
	var seeds []string
	if e.folded != "" {
		e.addresses[e.folded] = true
		var err error
		if seeds, err = l.Saying(ctx, e.folded); err != nil {
			return Erased{}, err
		}
	}
	var moved []store.ScopeCount
	err := l.Store.Ledger(ctx, func(tx *store.Tx) (err error) {
		e.tx = tx
		moved, err = e.erase(ctx, seeds)
		if err != nil {
			return err
		}
		return tx.Audit(ctx, entry)
	})
	if err != nil {
		return Erased{}, fmt.Errorf("erase: %w", err)
	}
	if len(moved) > 0 {
		l.Moved(moved)
	}
	return e.done, nil
}

// Saying returns the objects that say an address, whatever its case. All
// registers are read, and so outside the ledger's turn: what arrives meanwhile
// belongs to what is found or is news.
func (l *Ledger) Saying(ctx context.Context, address string) ([]string, error) {
	folded := store.FoldEmail(address)
	return l.Store.Saying(ctx, folded, func(ref, state string) bool {
		r, err := objects.DecodeRegister(objects.Ref(ref).Kind(), state)
		if err != nil {
			return false
		}
		emails, _ := objects.Known(r)
		return slices.ContainsFunc(emails, func(email string) bool { return store.FoldEmail(email) == folded })
	})
}

// An eraser collects what belongs to one person.
type eraser struct {
	l           *Ledger
	tx          *store.Tx
	supporter   string                           // the key
	folded      string                           // the key's address; "" if it has none
	refs        map[objects.Ref]objects.Register // of the person; a register may be nil
	near        map[objects.Ref]objects.Register // of somebody else, some of which say the address
	marked      map[objects.Ref]bool             // of those, which say it
	donations   []*giving.Donation
	memberships []*giving.Membership
	supporters  map[string]string // who stands for each supporter key from now on
	addresses   map[string]bool   // without case
	names       map[string]bool
	done        Erased
}

func (e *eraser) erase(ctx context.Context, seeds []string) ([]store.ScopeCount, error) {
	if err := e.collect(ctx, seeds); err != nil {
		return nil, err
	}
	known := false
	if e.folded != "" {
		var err error
		if known, err = e.tx.KnowsAddress(ctx, e.folded); err != nil {
			return nil, err
		}
	}
	if len(e.refs)+len(e.near) == 0 && !known || giving.Erased(e.supporter) {
		return nil, fault.New(fault.NotFound, "Nobody with this address is known.")
	}
	if err := e.rewrite(ctx); err != nil {
		return nil, err
	}
	var err error
	if e.done.Rows, err = e.tx.Forget(ctx, e.person(), e.l.Now()); err != nil {
		return nil, err
	}
	facts, err := e.facts()
	if err != nil || len(facts) == 0 {
		return nil, err
	}
	return e.l.apply(ctx, e.tx, []*request{{facts: facts}})
}

// collect finds all objects of the person: the customers and gifts of the
// address, and whatever is tied to these, until there is no more. Others that
// say the address belong to somebody else, who once paid with it, and stay
// theirs.
func (e *eraser) collect(ctx context.Context, seeds []string) error {
	next := map[objects.Ref]bool{}
	for _, ref := range seeds {
		if objects.Ref(ref).Kind() == objects.KindCustomer {
			next[objects.Ref(ref)] = true
		}
	}
	supporters := []string{e.supporter}
	for len(next) > 0 || len(supporters) > 0 {
		if err := e.addGifts(ctx, supporters, next); err != nil {
			return err
		}
		found, err := e.addObjects(ctx, next)
		if err != nil {
			return err
		}
		next = found
		if supporters, err = e.newSupporters(ctx); err != nil {
			return err
		}
	}
	if err := e.dropOthers(ctx); err != nil {
		return err
	}
	for _, ref := range seeds {
		next[objects.Ref(ref)] = true
	}
	for len(next) > 0 {
		var err error
		if next, err = e.addNear(ctx, next); err != nil {
			return err
		}
	}
	return nil
}

// dropOthers drops the addresses that have gifts of their own: somebody else's
// card, say.
func (e *eraser) dropOthers(ctx context.Context) error {
	for address := range e.addresses {
		key := giving.SupporterKey(address, "", "")
		if e.supporters[key] != "" {
			continue
		}
		donations, err := e.tx.DonationsOf(ctx, []string{key})
		if err != nil {
			return err
		}
		memberships, err := e.tx.MembershipsBy(ctx, []string{key})
		if err != nil {
			return err
		}
		if len(donations)+len(memberships) > 0 {
			delete(e.addresses, address)
		}
	}
	return nil
}

// addGifts adds what belongs to supporters, and to next the objects it is tied
// to.
func (e *eraser) addGifts(ctx context.Context, supporters []string, next map[objects.Ref]bool) error {
	if len(supporters) == 0 {
		return nil
	}
	for _, key := range supporters {
		if e.supporters[key] = giving.ErasedKey(rand.Text()); giving.Erased(key) {
			e.supporters[key] = key
		}
	}
	donations, err := e.tx.DonationsOf(ctx, supporters)
	if err != nil {
		return err
	}
	memberships, err := e.tx.MembershipsBy(ctx, supporters)
	if err != nil {
		return err
	}
	e.donations, e.memberships = append(e.donations, donations...), append(e.memberships, memberships...)
	for _, d := range donations {
		for _, ref := range append(rootsOf(d), objects.NewRef(objects.KindCharge, d.Charge), objects.NewRef(objects.KindInvoice, d.Invoice),
			objects.NewRef(objects.KindSubscription, d.Subscription), objects.NewRef(objects.KindCustomer, d.Customer)) {
			next[ref] = true
		}
		e.note(d.Email, d.Name)
	}
	for _, m := range memberships {
		next[objects.NewRef(objects.KindSubscription, m.Subscription)] = true
		next[objects.NewRef(objects.KindCustomer, m.Customer)] = true
		e.note(m.Email, "")
	}
	delete(next, "")
	return nil
}

// rootsOf returns what a donation may be projected from: its key does not say
// of which kind it is.
func rootsOf(d *giving.Donation) []objects.Ref {
	switch {
	case d.Source == "offline":
		return []objects.Ref{objects.NewRef(objects.KindOffline, d.Key)}
	case d.Key == d.Charge:
		return []objects.Ref{objects.NewRef(objects.KindCharge, d.Key)}
	case d.Key == d.Invoice:
		return []objects.Ref{objects.NewRef(objects.KindInvoice, d.Key)}
	}
	return []objects.Ref{objects.NewRef(objects.KindIntent, d.Key)}
}

func (e *eraser) note(email, name string) {
	if email = store.FoldEmail(email); email != "" {
		e.addresses[email] = true
	}
	if name = strings.TrimSpace(name); name != "" {
		e.names[name] = true
	}
}

// addObjects adds objects with what is known of them, and returns those that
// name them or that they name.
func (e *eraser) addObjects(ctx context.Context, refs map[objects.Ref]bool) (map[objects.Ref]bool, error) {
	next, err := e.walk(ctx, refs, e.refs)
	for ref := range refs {
		if e.refs[ref] == nil {
			continue
		}
		emails, names := objects.Known(e.refs[ref])
		for _, email := range emails {
			e.note(email, "")
		}
		for _, name := range names {
			e.note("", name)
		}
	}
	return next, err
}

func (e *eraser) addNear(ctx context.Context, refs map[objects.Ref]bool) (map[objects.Ref]bool, error) {
	maps.DeleteFunc(refs, func(ref objects.Ref, _ bool) bool { _, ours := e.refs[ref]; return ours })
	return e.walk(ctx, refs, e.near)
}

// walk loads objects into found and returns those that name them or that they
// name; refs keeps those that were not found before.
func (e *eraser) walk(ctx context.Context, refs map[objects.Ref]bool, found map[objects.Ref]objects.Register) (map[objects.Ref]bool, error) {
	maps.DeleteFunc(refs, func(ref objects.Ref, _ bool) bool {
		_, known := found[ref]
		return known || !objects.Personal(ref.Kind())
	})
	next := map[objects.Ref]bool{}
	if len(refs) == 0 {
		return next, nil
	}
	var unreadable error
	for ref := range refs {
		found[ref] = nil
	}
	list := texts(slices.Collect(maps.Keys(refs)))
	err := e.tx.Registers(ctx, list, func(ref, state string) {
		r, err := objects.DecodeRegister(objects.Ref(ref).Kind(), state)
		if err != nil {
			unreadable = err
			return
		}
		found[objects.Ref(ref)] = r
		for _, link := range r.Links() {
			next[link] = true
		}
	})
	if err := errors.Join(err, unreadable); err != nil {
		return nil, err
	}
	return next, e.tx.Namers(ctx, list, func(from string) { next[objects.Ref(from)] = true })
}

// newSupporters returns the supporters of the gifts that the objects belong to
// and who were not among the found ones.
func (e *eraser) newSupporters(ctx context.Context) ([]string, error) {
	var keys, subscriptions []string
	for ref := range e.refs {
		switch ref.Kind() {
		case objects.KindSubscription:
			subscriptions = append(subscriptions, ref.ID())
		case objects.KindIntent, objects.KindCharge, objects.KindInvoice, objects.KindOffline:
			keys = append(keys, ref.ID())
		}
	}
	donations, err := e.tx.DonationsByKey(ctx, keys)
	if err != nil {
		return nil, err
	}
	memberships, err := e.tx.Memberships(ctx, subscriptions)
	if err != nil {
		return nil, err
	}
	found := map[string]bool{}
	for _, d := range donations {
		found[d.Supporter] = true
	}
	for _, m := range memberships {
		found[m.Supporter] = true
	}
	maps.DeleteFunc(found, func(key string, _ bool) bool { return e.supporters[key] != "" })
	return slices.Collect(maps.Keys(found)), nil
}

// facts returns the erasures of all that was found. The gifts of each supporter
// keep one supporter; everything else leads to the one of the address.
func (e *eraser) facts() ([]fact, error) {
	all := map[objects.Ref]string{}
	for ref := range e.marked {
		all[ref] = "" // nobody's, but nothing of it is kept that says who
	}
	for ref := range e.refs {
		all[ref] = e.supporters[e.supporter]
	}
	for _, d := range e.donations {
		if customer := objects.NewRef(objects.KindCustomer, d.Customer); customer != "" {
			all[customer] = e.supporters[d.Supporter]
		}
	}
	for _, m := range e.memberships {
		all[objects.NewRef(objects.KindSubscription, m.Subscription)] = e.supporters[m.Supporter]
	}
	for _, d := range e.donations {
		for _, root := range rootsOf(d) {
			all[root] = e.supporters[d.Supporter]
		}
	}
	at := e.l.Now()
	var facts []fact
	for ref, supporter := range all {
		a := Answer{objects.Erase(ref, supporter), at}
		said, err := objects.Decode(a.Object, objects.Source{At: at.Unix()})
		if err != nil {
			return nil, err
		}
		facts = append(facts, fact{said, snapshotOf(said, a)})
	}
	return facts, nil
}

// person returns what leads to the person's other rows.
func (e *eraser) person() store.Person {
	p := store.Person{Addresses: slices.Collect(maps.Keys(e.addresses)), Names: slices.Collect(maps.Keys(e.names))}
	checkouts := map[string]bool{}
	for _, d := range e.donations {
		p.Gifts = append(p.Gifts, d.Key)
		checkouts[d.Checkout] = true
	}
	for _, m := range e.memberships {
		p.Gifts = append(p.Gifts, m.Subscription)
		checkouts[m.Checkout] = true
		if !m.Over() {
			e.done.Running++
		}
	}
	for ref := range e.marked {
		p.Objects = append(p.Objects, ref.ID())
	}
	for ref, r := range e.refs {
		p.Objects = append(p.Objects, ref.ID())
		if s, ok := r.(*objects.Session); ok {
			checkouts[s.Reference], checkouts[s.Metadata.Value["checkout"]] = true, true
		}
		if ref.Kind() == objects.KindCustomer {
			p.Customers = append(p.Customers, ref.ID())
		}
	}
	delete(checkouts, "")
	p.Checkouts = slices.Collect(maps.Keys(checkouts))
	e.done.Donations, e.done.Memberships, e.done.Customers = len(e.donations), len(e.memberships), len(p.Customers)
	return p
}
