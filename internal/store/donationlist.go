package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/united24media/support/internal/fault"
	"github.com/united24media/support/internal/giving"
)

// A Position is a place in the list of donations.
type Position struct {
	Created int64 // seconds since 1970
	Key     string
}

// A DonationFilter chooses donations. Its zero value chooses all.
type DonationFilter struct {
	From, To   time.Time         // To is exclusive; zero means no bound
	Equal      map[string]string // by names that [FilterableDonationField] knows
	AmountFrom int64             // gross, in minor units, as AmountTo; 0 means no bound. Both want a currency among Equal
	AmountTo   int64
	Text       *Text    // nil means any
	First      bool     // only the first gift of each supporter
	At         Position // the page begins after it; zero is the list's end that Back turns to
	Back       bool     // the page before At instead of the one after
	Limit      int      // rows at most, 1 or more
}

// A Text is what a search looks for. A donation that any part of it fits is
// found.
type Text struct {
	Person string   // the beginning of a folded address or name; "" fits none
	Key    string   // the beginning of a donation's key; "" fits none
	Keys   []string // whole keys
}

// A DonationPage is one page of the list, newest first.
type DonationPage struct {
	Donations    []*giving.Donation
	Older, Newer Position // where the next page begins, and with Back the one before; zero where the list ends
	Short        bool     // the search went no further, though the list goes on
}

// Limits of one page's search. Where no index leads to a combination of
// filters, its page may be short: then the next one goes on.
const (
	maxScan   = 8_000 // rows that are looked at in one go
	maxSorted = 2_000 // rows that are sorted rather than searched for by time
)

// goes are how much of maxScan is looked at in each go: most pages are full
// after few rows, which is not known before.
var goes = [...]int{16, 4, 1}

// listLimits are maxScan and maxSorted, or what a test has in their place.
type listLimits struct{ window, few int }

// A field is a column that a list can be filtered by.
type field struct {
	column string
	common string // with an index: the value it leaves out
	index  bool   // an index leads to its values by time
}

// donationFields holds what a list can be filtered by, by the name a caller
// gives it. migrations/00007_gifts.sql has the indexes.
var donationFields = map[string]field{
	"article":             {"article", anyValue, true},
	"placement":           {"placement", "mid", true},
	"campaign":            {"campaign", "", true},
	"country":             {"country", anyValue, true},
	"currency":            {"currency", anyValue, true},
	"interval":            {"gift_interval", "once", true},
	"status":              {"status", giving.Received, true},
	"method":              {"method", "card", true},
	"attribution":         {"attribution", "signed", true},
	"subscription":        {"subscription", "", true},
	"supporter":           {"supporter", anyValue, true},
	"variant":             {column: "variant"},
	"tier":                {column: "tier"},
	"source":              {column: "source"},
	"settlement_currency": {column: "settlement_currency"},
}

// anyValue stands for no value that an index leaves out.
const anyValue = "\x00"

// FilterableDonationField reports whether lists can be filtered by a name.
func FilterableDonationField(name string) bool { return donationFields[name].column != "" }

// DonationList returns a page of donations. Pages stay as they are when newer
// donations arrive.
func (s *Store) DonationList(ctx context.Context, f DonationFilter) (DonationPage, error) {
	return s.donationList(ctx, f, listLimits{window: maxScan, few: maxSorted})
}

func (s *Store) donationList(ctx context.Context, f DonationFilter, limits listLimits) (page DonationPage, err error) {
	err = s.Look(ctx, func(tx *Tx) error {
		if err := tx.alone(ctx); err != nil {
			return err
		}
		l := lister{tx: tx, DonationFilter: f, limits: limits}
		page, err = l.page(ctx)
		return err
	})
	if err != nil {
		return DonationPage{}, fmt.Errorf("list donations: %w", err)
	}
	return page, nil
}

// A lister reads one page.
type lister struct {
	tx *Tx
	DonationFilter
	limits listLimits
	keys   []string // of the few donations it can be, once they are known; nil otherwise
}

func (l *lister) page(ctx context.Context) (DonationPage, error) {
	if err := l.narrow(ctx); err != nil {
		return DonationPage{}, err
	}
	found, end, err := l.search(ctx)
	if err != nil {
		return DonationPage{}, err
	}
	page := DonationPage{Donations: found, Short: end != Position{}}
	if len(found) > l.Limit {
		page.Donations, page.Short = found[:l.Limit], false
		end = place(found[l.Limit-1])
	}
	var first Position // where the list goes on in the other direction
	switch {
	case l.At == Position{}:
	case len(page.Donations) > 0:
		first = place(page.Donations[0])
	case l.Back: // what is at the same second is shown again
		first = Position{l.At.Created + 1, ""}
	default:
		first = Position{l.At.Created - 1, lastKey}
	}
	page.Older, page.Newer = end, first
	if l.Back {
		slices.Reverse(page.Donations)
		page.Older, page.Newer = first, end
	}
	return page, nil
}

func place(d *giving.Donation) Position { return Position{d.Created, d.Key} }

// search returns the page's donations, one more where the list goes on, and
// where it stopped looking; zero if that is the end of the list.
func (l *lister) search(ctx context.Context) (found []*giving.Donation, end Position, err error) {
	leads, rest := l.split()
	lead, err := l.best(ctx, leads)
	if err != nil {
		return nil, Position{}, err
	}
	all := append(slices.DeleteFunc(leads, func(c condition) bool { return c.text == lead.text }), rest...)
	if len(all) == 0 {
		found, err = l.read(ctx, l.At, lead, nil, l.Limit+1)
		return found, Position{}, err
	}
	at := l.At
	for _, part := range goes {
		until, err := l.reach(ctx, at, lead, part)
		if err != nil {
			return nil, Position{}, err
		}
		window := lead
		if until != nil {
			window = condition{lead.text + " AND created_at " + l.than() + " ?", append(slices.Clone(lead.args), *until)}
		}
		more, err := l.read(ctx, at, window, all, l.Limit+1-len(found))
		if err != nil {
			return nil, Position{}, err
		}
		found = append(found, more...)
		if len(found) > l.Limit || until == nil {
			return found, Position{}, nil
		}
		at = Position{*until / microsPerSecond, ""}
		if l.Back {
			at.Key = lastKey
		}
	}
	return found, at, nil
}

// than returns the comparison that leads back against the way a page is read.
func (l *lister) than() string {
	if l.Back {
		return "<="
	}
	return ">="
}

// split returns the conditions that an index leads to by time, and the others.
func (l *lister) split() (leads, rest []condition) {
	if l.keys != nil {
		return []condition{l.tx.oneOf(l.keys)}, l.others()
	}
	if l.First {
		leads = append(leads, condition{text: "is_first"})
	}
	for _, c := range l.equal() {
		if c.leads {
			leads = append(leads, c.condition)
		} else {
			rest = append(rest, c.condition)
		}
	}
	return leads, append(append(rest, l.amount()...), l.text()...)
}

// others returns what a filter asks for besides the donations it is known to
// choose from.
func (l *lister) others() (rest []condition) {
	for _, c := range l.equal() {
		rest = append(rest, c.condition)
	}
	if l.First {
		rest = append(rest, condition{text: "is_first"})
	}
	if l.Text != nil { // the text chose them
		rest = append(rest, l.amount()...)
	}
	return rest
}

type equality struct {
	condition
	leads bool // an index leads to it by time
}

func (l *lister) equal() (all []equality) {
	for _, name := range slices.Sorted(maps.Keys(l.Equal)) { // sorted, so that one filter is one prepared statement
		f, value := donationFields[name], l.Equal[name]
		if f.column == "" {
			continue
		}
		c := equality{condition{f.column + " = ?", []any{value}}, f.index && value != f.common}
		if c.leads && f.common != anyValue { // or the database can't know that the index holds it
			c.text += " AND " + f.column + " <> '" + f.common + "'"
		}
		all = append(all, c)
	}
	return all
}

// best returns the condition whose index leads furthest in the first go, which
// is the one that fits the fewest donations there.
func (l *lister) best(ctx context.Context, leads []condition) (condition, error) {
	switch len(leads) {
	case 0:
		return condition{text: "TRUE"}, nil
	case 1:
		return leads[0], nil
	}
	var best condition
	var furthest int64
	for i, c := range leads {
		until, err := l.reach(ctx, l.At, c, goes[0])
		if err != nil || until == nil { // one go looks at all
			return c, err
		}
		if i == 0 || (*until < furthest) != l.Back {
			best, furthest = c, *until
		}
	}
	return best, nil
}

// reach returns the second, in the database's time, to which a go leads from a
// place: it looks at all donations until then that fit a condition. It is nil
// where that is the end of the list.
func (l *lister) reach(ctx context.Context, at Position, lead condition, part int) (until *int64, err error) {
	var q query
	q.add("SELECT created_at FROM donations WHERE ") // nothing else: the index alone answers
	q.where(append(l.bounds(at), lead)...)
	q.add(" ORDER BY created_at"+l.direction()+" LIMIT 1 OFFSET ?", max(l.limits.window/part, 1)-1)
	err = l.tx.query(ctx, q.text.String(), q.args, func(r row) error {
		until = new(int64)
		return r.Scan(until)
	})
	return until, err
}

// read returns donations after a place: up to limit, of those that the lead
// condition chooses and, looked at one by one, the rest.
func (l *lister) read(ctx context.Context, at Position, lead condition, rest []condition, limit int) (found []*giving.Donation, err error) {
	var q query
	q.add("SELECT " + donationColumns + " FROM ")
	if len(rest) > 0 {
		q.add("(SELECT " + donationColumns + ", " + searchColumns + " FROM ")
	}
	q.add("donations WHERE ")
	q.where(append(l.bounds(at), lead)...)
	q.add(l.order())
	if len(rest) > 0 {
		// The limit is none, but keeps the database from looking for the rest by
		// another index: each of those leads through more rows. It stands in the
		// text, since PostgreSQL takes one that it does not know for a small one,
		// and then walks the index of time, however far the lead's rows are.
		q.add(fmt.Sprintf(" LIMIT %d) AS looked_at WHERE ", math.MaxInt32))
		q.where(rest...)
		q.add(l.order())
	}
	q.add(" LIMIT ?", limit)
	err = l.tx.query(ctx, q.text.String(), q.args, func(r row) error {
		d, err := scanDonation(r)
		found = append(found, d)
		return err
	})
	return found, err
}

// bounds returns the conditions of time.
func (l *lister) bounds(at Position) (all []condition) {
	if !l.From.IsZero() {
		all = append(all, condition{"created_at >= ?", []any{Micros(l.From)}})
	}
	if !l.To.IsZero() {
		all = append(all, condition{"created_at < ?", []any{Micros(l.To)}})
	}
	if at != (Position{}) {
		than := "<"
		if l.Back {
			than = ">"
		}
		all = append(all, condition{"created_at " + than + "= ? AND (created_at, key) " + than + " (?, ?)",
			[]any{at.Created * microsPerSecond, at.Created * microsPerSecond, at.Key}})
	}
	return all
}

func (l *lister) order() string {
	return " ORDER BY created_at" + l.direction() + ", key" + l.direction()
}

func (l *lister) direction() string {
	if l.Back {
		return ""
	}
	return " DESC"
}

// DonationByKey returns one donation, or a [fault.NotFound].
func (s *Store) DonationByKey(ctx context.Context, key string) (*giving.Donation, error) {
	d, err := scanDonation(s.read.QueryRowContext(ctx, `SELECT `+donationColumns+` FROM donations WHERE key = $1`, key))
	if errors.Is(err, sql.ErrNoRows) {
		return nil, fault.New(fault.NotFound, "There is no such donation.")
	}
	if err != nil {
		return nil, fmt.Errorf("read donation %s: %w", key, err)
	}
	return d, nil
}
