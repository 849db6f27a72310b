package privacy

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/united24media/support/internal/fault"
	"github.com/united24media/support/internal/giving"
	"github.com/united24media/support/internal/ledger"
	"github.com/united24media/support/internal/objects"
	"github.com/united24media/support/internal/store"
)

// Record returns everything that is kept about a supporter, by their key. It
// reads every register, as an erasure does, and so takes seconds where there
// are millions. It returns a [fault.Conflict] for more than 10,000 gifts.
func (s *Service) Record(ctx context.Context, supporter string) (*Record, error) {
	donations, memberships, err := s.Store.GivenBy(ctx, supporter)
	if errors.Is(err, store.ErrTooMany) {
		return nil, fault.New(fault.Conflict, "This supporter gave more than 10,000 times, which is too much for one page; export the donations instead.")
	}
	if err != nil {
		return nil, err
	}
	c := collector{s: s, supporter: supporter, address: giving.AddressOf(supporter), objects: map[objects.Ref]objects.Register{}, told: map[string]Event{}}
	c.r = &Record{
		MadeAt: s.Now().UTC().Truncate(time.Second), Donations: []Donation{}, Refunds: []Refund{}, Disputes: []Refund{}, Memberships: []Membership{}, Checkouts: []Checkout{},
		Mails: []Mail{}, SignIns: []SignIn{}, Sessions: []Session{}, Acts: []Act{}, Objects: []Object{}, Events: []Event{}, Answers: []Answer{},
		Addresses: []string{}, Names: []string{}, Countries: []string{},
	}
	slices.Reverse(donations) // the oldest first, as accounts are kept
	slices.Reverse(memberships)
	for _, d := range donations {
		c.donation(d)
	}
	for _, m := range memberships {
		c.membership(m)
	}
	for _, step := range []func(context.Context) error{c.find, c.checkouts, c.kept, c.mails, c.account, c.acts} {
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	for _, list := range []*[]string{&c.r.Addresses, &c.r.Names, &c.r.Countries} {
		slices.Sort(*list)
		*list = slices.Compact(*list)
	}
	return c.r, nil
}

// A collector fills a record.
type collector struct {
	s         *Service
	r         *Record
	supporter string
	address   string // without case; "" where none is known
	subjects  []string
	sessions  []string // Stripe's
	attempts  []string // ids of checkouts
	objects   map[objects.Ref]objects.Register
	told      map[string]Event
}

func (c *collector) who(email, name, country string) {
	for text, list := range map[*string]*[]string{&email: &c.r.Addresses, &name: &c.r.Names, &country: &c.r.Countries} {
		if *text != "" {
			*list = append(*list, *text)
		}
	}
}

func (c *collector) donation(d *giving.Donation) {
	c.r.Donations = append(c.r.Donations, Donation{
		ID: d.Key, At: instant(d.Created), Currency: d.Currency, Gross: d.Gross, Refunded: d.Refunded, Disputed: d.Disputed,
		Interval: string(d.Interval), Method: d.Method, Country: d.Country, Name: d.Name, Email: d.Email, Source: d.Source,
		Charge: d.Charge, Invoice: d.Invoice, Member: d.Subscription, Customer: d.Customer, Won: wonBy(d.Attribution),
	})
	c.who(d.Email, d.Name, d.Country)
	c.subjects, c.attempts = append(c.subjects, d.Key), append(c.attempts, d.Checkout)
	c.want(objects.RootOf(d), objects.NewRef(objects.KindCharge, d.Charge), objects.NewRef(objects.KindInvoice, d.Invoice),
		objects.NewRef(objects.KindSubscription, d.Subscription), objects.NewRef(objects.KindCustomer, d.Customer))
}

func (c *collector) membership(m *giving.Membership) {
	c.r.Memberships = append(c.r.Memberships, Membership{
		ID: m.Subscription, At: instant(m.Created), Ended: passed(m.Ended), PaidUntil: instant(m.PeriodEnd), Status: m.Status, Ending: m.CancelAtEnd,
		Currency: m.Currency, Amount: m.Amount, Interval: string(m.Interval), Email: m.Email, Customer: m.Customer, Won: wonBy(m.Attribution),
	})
	c.who(m.Email, "", "")
	c.subjects, c.attempts = append(c.subjects, m.Subscription), append(c.attempts, m.Checkout)
	c.want(objects.NewRef(objects.KindSubscription, m.Subscription), objects.NewRef(objects.KindCustomer, m.Customer))
}

// want notes objects to be looked at.
func (c *collector) want(refs ...objects.Ref) {
	for _, ref := range refs {
		if ref != "" && c.objects[ref] == nil {
			c.objects[ref] = nil
		}
	}
}

// find reads the objects of the gifts and memberships, and those that lead to
// them or say the address and are nobody else's.
func (c *collector) find(ctx context.Context) error {
	if c.address != "" {
		said, err := c.s.Ledger.Saying(ctx, c.address)
		if err != nil {
			return err
		}
		if err := c.unclaimed(ctx, said); err != nil {
			return err
		}
	}
	for next := slices.Collect(maps.Keys(c.objects)); len(next) > 0; {
		stored, err := c.read(ctx, next)
		if err != nil {
			return err
		}
		var from []string // who names these is looked for
		found := map[objects.Ref]bool{}
		for ref, r := range stored {
			c.objects[ref] = r
			if customer, ok := r.(*objects.Customer); ok && store.FoldEmail(customer.Contact.Value.Email) != c.address {
				continue // what else is theirs may have another's address
			}
			from = append(from, string(ref))
			for _, link := range r.Links() {
				found[link] = link.Kind() != objects.KindCustomer
			}
		}
		names, err := c.s.Store.Naming(ctx, from)
		if err != nil {
			return err
		}
		for _, name := range names {
			found[objects.Ref(name)] = true
		}
		next = nil
		for ref, follow := range found {
			if _, seen := c.objects[ref]; !seen && follow && objects.Personal(ref.Kind()) {
				c.objects[ref] = nil
				next = append(next, ref)
			}
		}
	}
	for _, ref := range slices.Sorted(maps.Keys(c.objects)) {
		if r := c.objects[ref]; r != nil {
			c.object(ref, r)
		}
	}
	return nil
}

// read returns what is known of objects, of which any number may be asked for.
func (c *collector) read(ctx context.Context, refs []objects.Ref) (map[objects.Ref]objects.Register, error) {
	all := map[objects.Ref]objects.Register{}
	for piece := range slices.Chunk(refs, piece) {
		states, err := c.s.Store.Registers(ctx, texts(piece))
		if err != nil {
			return nil, err
		}
		for ref, state := range states {
			if state == "" {
				continue
			}
			r, err := objects.DecodeRegister(objects.Ref(ref).Kind(), state)
			if err != nil {
				return nil, err
			}
			all[objects.Ref(ref)] = r
		}
	}
	return all, nil
}

// unclaimed wants those of several objects that belong to no gift or membership
// of somebody else.
func (c *collector) unclaimed(ctx context.Context, said []string) error {
	for piece := range slices.Chunk(said, piece) {
		states, err := c.s.Store.Registers(ctx, piece)
		if err != nil {
			return err
		}
		ids := map[objects.Ref][]string{}
		var keys []string
		for ref, state := range states {
			r, err := objects.DecodeRegister(objects.Ref(ref).Kind(), state)
			if err != nil {
				return err
			}
			own := []string{objects.Ref(ref).ID()}
			for _, link := range r.Links() {
				own = append(own, link.ID())
			}
			ids[objects.Ref(ref)], keys = own, append(keys, own...)
		}
		others, err := c.others(ctx, keys)
		if err != nil {
			return err
		}
		for ref, own := range ids {
			if !slices.ContainsFunc(own, func(id string) bool { return others[id] }) {
				c.want(ref)
			}
		}
	}
	return nil
}

// others returns which of several ids are gifts or memberships of other people.
func (c *collector) others(ctx context.Context, ids []string) (map[string]bool, error) {
	found := map[string]bool{}
	donations, err := c.s.Store.DonationsByKeys(ctx, ids)
	if err != nil {
		return nil, err
	}
	for _, d := range donations {
		found[d.Key] = d.Supporter != c.supporter
	}
	err = c.s.Store.Look(ctx, func(tx *store.Tx) error {
		memberships, err := tx.Memberships(ctx, ids)
		for _, m := range memberships {
			found[m.Subscription] = m.Supporter != c.supporter
		}
		return err
	})
	return found, err
}

// object adds what one object says.
func (c *collector) object(ref objects.Ref, r objects.Register) {
	c.r.Objects = append(c.r.Objects, Object{string(ref), json.RawMessage(objects.Encode(r))})
	if emails, names := objects.Known(r); ref.Kind() != objects.KindCustomer || slices.ContainsFunc(emails, func(e string) bool { return store.FoldEmail(e) == c.address }) {
		c.r.Addresses, c.r.Names = append(c.r.Addresses, emails...), append(c.r.Names, names...)
	}
	switch o := r.(type) {
	case *objects.Session:
		c.sessions, c.attempts = append(c.sessions, ref.ID()), append(c.attempts, o.Reference)
	case *objects.Refund:
		c.r.Refunds = append(c.r.Refunds, Refund{ref.ID(), instant(o.Created), o.Charge, strings.ToUpper(o.Currency), o.Amount, o.Status, o.Reason})
	case *objects.Dispute:
		c.r.Disputes = append(c.r.Disputes, Refund{
			ref.ID(), instant(o.Created), o.Charge, strings.ToUpper(o.Currency), o.Amount, o.State.Value.Status, o.State.Value.Reason,
		})
	}
}

func (c *collector) checkouts(ctx context.Context) error {
	ids := slices.DeleteFunc(c.attempts, func(id string) bool { return id == "" })
	slices.Sort(ids)
	found, err := c.s.Store.CheckoutsOf(ctx, slices.Compact(ids), c.sessions)
	if err != nil {
		return err
	}
	slices.SortFunc(found, func(a, b store.Checkout) int {
		return cmp.Or(a.CreatedAt.Compare(b.CreatedAt), cmp.Compare(a.ID, b.ID))
	})
	for _, k := range slices.CompactFunc(found, func(a, b store.Checkout) bool { return a.ID == b.ID }) {
		c.who("", k.Name, "")
		c.r.Checkouts = append(c.r.Checkouts, Checkout{
			ID: k.ID, At: k.CreatedAt.UTC(), Status: k.Status, Currency: k.Currency, Amount: k.AmountMinor, Interval: k.Interval, Name: k.Name,
			Anonymous: k.Anonymous, Message: k.Message, Discreet: k.Discreet, ReturnURL: k.ReturnURL, Article: k.Article, Placement: k.Placement,
			Campaign: k.Campaign, Variant: k.Variant, Tier: k.Tier, Locale: k.Locale, Attribution: k.Attribution,
			UTM: json.RawMessage(cmp.Or(k.UTM, "{}")), Session: k.Session,
		})
	}
	return nil
}

// kept adds which events and answers are kept.
func (c *collector) kept(ctx context.Context) error {
	refs := texts(slices.Sorted(maps.Keys(c.objects)))
	add := func(d store.Delivered) {
		c.told[d.ID] = Event{ID: d.ID, Type: d.Type, Ref: d.Ref, At: d.Created.UTC(), Received: d.Received.UTC(), State: d.State}
	}
	if err := c.s.Store.EventsKept(ctx, refs, add); err != nil {
		return err
	}
	if err := c.apart(ctx, add); err != nil {
		return err
	}
	c.r.Events = slices.SortedFunc(maps.Values(c.told), func(a, b Event) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.ID, b.ID)) })
	if c.r.Events == nil {
		c.r.Events = []Event{}
	}
	err := c.s.Store.SnapshotsKept(ctx, refs, func(ref string, asOf, received time.Time) {
		c.r.Answers = append(c.r.Answers, Answer{ref, asOf.UTC(), received.UTC()})
	})
	slices.SortFunc(c.r.Answers, func(a, b Answer) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Ref, b.Ref)) })
	return err
}

// apart adds the events that are in no register and say the address or name an
// object of the person's.
func (c *collector) apart(ctx context.Context, add func(store.Delivered)) error {
	return c.s.Store.Look(ctx, func(tx *store.Tx) error {
		return tx.EventsApart(ctx, func(e store.Event) {
			body, err := ledger.Unpack(e.Body)
			if err != nil {
				return
			}
			says := c.address != "" && strings.Contains(strings.ToLower(string(body)), c.address)
			if says || slices.ContainsFunc(objects.Mentions(body), func(ref objects.Ref) bool { return c.objects[ref] != nil }) {
				add(store.Delivered{ID: e.ID, Type: e.Type, Ref: e.Ref, Created: e.Created, Received: e.Received, State: e.State})
			}
		})
	})
}

func (c *collector) mails(ctx context.Context) error {
	subjects := append(slices.Clone(c.subjects), c.sessions...)
	for ref := range c.objects {
		if ref.Kind() == objects.KindInvoice {
			subjects = append(subjects, ref.ID())
		}
	}
	found, err := c.s.Store.MailsAbout(ctx, subjects)
	if err != nil {
		return err
	}
	// What went to staff about a gift is not the person's.
	found = slices.DeleteFunc(found, func(m store.QueuedMail) bool { return strings.HasPrefix(m.Kind, "staff_") })
	if c.address != "" {
		sent, err := c.s.Store.MailsTo(ctx, c.address)
		if err != nil {
			return err
		}
		found = append(found, sent...)
	}
	slices.SortFunc(found, func(a, b store.QueuedMail) int { return cmp.Or(a.Queued.Compare(b.Queued), cmp.Compare(a.ID, b.ID)) })
	for _, m := range slices.CompactFunc(found, func(a, b store.QueuedMail) bool { return a.ID == b.ID }) {
		c.r.Mails = append(c.r.Mails, Mail{m.Kind, m.Subject, m.To, m.Locale, m.State, m.Queued.UTC(), when(m.Done), m.Error})
	}
	return nil
}

// account adds what the person's own pages keep.
func (c *collector) account(ctx context.Context) error {
	if c.address == "" {
		return nil
	}
	wishes, err := c.s.Store.SignInsOf(ctx, c.address)
	if err != nil {
		return err
	}
	for _, w := range wishes {
		c.r.SignIns = append(c.r.SignIns, SignIn{w.Created.UTC(), w.Address, w.Locale, w.ReturnURL, when(w.Used)})
	}
	sessions, err := c.s.Store.AccountSessionsOf(ctx, c.address)
	if err != nil {
		return err
	}
	for _, n := range sessions {
		c.r.Sessions = append(c.r.Sessions, Session{n.Created.UTC(), n.Used.UTC()})
	}
	chosen, made, err := c.s.Store.ChoicesOf(ctx, c.address)
	if err != nil || !made {
		return err
	}
	c.who("", chosen.Name, "")
	c.r.Choices = &Choices{chosen.Locale, chosen.Public, chosen.Name, chosen.Renewals, chosen.Statement, chosen.Reminders, chosen.Discreet}
	return nil
}

// acts adds what staff and the person did. Staff's acts are in both tables; of
// those only the one is taken that also has the notes.
func (c *collector) acts(ctx context.Context) error {
	for piece := range slices.Chunk(c.subjects, piece) {
		actions, err := c.s.Store.ActionsAbout(ctx, piece)
		if err != nil {
			return err
		}
		for _, a := range actions {
			c.r.Acts = append(c.r.Acts, Act{a.Created.UTC(), ByStaff, a.Kind, a.Subject, a.Reason, a.Detail, a.Outcome})
		}
	}
	entries, err := c.s.Store.AuditAbout(ctx, c.subjects)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.Who == store.TheSupporter {
			c.r.Acts = append(c.r.Acts, Act{e.At.UTC(), BySupporter, e.Action, e.Subject, e.Reason, e.Detail, ""})
		}
	}
	slices.SortStableFunc(c.r.Acts, func(a, b Act) int { return a.At.Compare(b.At) })
	return nil
}

// piece is how many refs or keys are looked up at once.
const piece = 500

func texts(refs []objects.Ref) []string {
	all := make([]string, 0, len(refs))
	for _, ref := range refs {
		all = append(all, string(ref))
	}
	return all
}

func instant(seconds int64) time.Time { return time.Unix(seconds, 0).UTC() }

// passed returns an instant, or nil for 0.
func passed(seconds int64) *time.Time {
	if seconds == 0 {
		return nil
	}
	return when(instant(seconds))
}

// when returns an instant, or nil for none.
func when(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}
