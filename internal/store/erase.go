package store

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/united24media/support/internal/giving"
)

// Saying returns the objects whose register holds an address, whatever its
// case. It reads all registers.
func (s *Store) Saying(ctx context.Context, address string, holds func(ref, state string) bool) ([]string, error) {
	var found []string
	err := scanAll(s.read.QueryContext(ctx, `SELECT ref, state FROM registers WHERE lower(state) LIKE $1 ESCAPE '\'`,
		"%"+likely(address)+"%"))(func(r *sql.Rows) error {
		var ref, state string
		err := r.Scan(&ref, &state)
		if err == nil && holds(ref, state) {
			found = append(found, ref)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("look for an address in what Stripe said: %w", err)
	}
	return found, nil
}

// likely returns a pattern that matches the lower case of a text. Databases
// disagree about the case of letters beyond ASCII, and JSON escapes a few
// characters: those match anything.
func likely(text string) string {
	var pattern strings.Builder
	for _, r := range strings.ToLower(text) {
		switch {
		case r == '%' || r == '_':
			pattern.WriteString(`\` + string(r))
		case r < 0x20 || r > 0x7e || r == '"' || r == '\\':
			pattern.WriteByte('%')
		default:
			pattern.WriteRune(r)
		}
	}
	return pattern.String()
}

// Namers returns the objects that name others, and the others.
func (t *Tx) Namers(ctx context.Context, of []string, found func(from string)) error {
	err := t.query(ctx, `SELECT from_ref FROM links WHERE `+t.any("to_ref", 1), []any{t.list(of)}, func(r row) error {
		var from string
		err := r.Scan(&from)
		found(from)
		return err
	})
	if err != nil {
		return fmt.Errorf("read links: %w", err)
	}
	return nil
}

// Registers calls f with what is stored of objects.
func (t *Tx) Registers(ctx context.Context, refs []string, f func(ref, state string)) error {
	return t.Load(ctx, refs, nil, f, func(string, string) {})
}

// MembershipsBy returns the memberships of supporters.
func (t *Tx) MembershipsBy(ctx context.Context, supporters []string) ([]*giving.Membership, error) {
	return t.memberships(ctx, t.any("supporter", 1), t.list(supporters))
}

// EventsOf returns the events about objects, with their bodies.
func (t *Tx) EventsOf(ctx context.Context, refs []string) ([]Event, error) {
	return t.events(ctx, t.any("ref", 1), t.list(refs))
}

// EventsApart calls f with each event that is in no register.
func (t *Tx) EventsApart(ctx context.Context, f func(Event)) error {
	for id := ""; ; {
		events, err := t.events(ctx, `id > $1 AND state IN ('ignored', 'parked') ORDER BY id LIMIT $2`, id, 1000)
		if err != nil || len(events) == 0 {
			return err
		}
		for _, e := range events {
			f(e)
		}
		id = events[len(events)-1].ID
	}
}

// SnapshotsAbout returns the snapshots of objects.
func (t *Tx) SnapshotsAbout(ctx context.Context, refs []string) ([]Snapshot, error) {
	var found []Snapshot
	err := t.query(ctx, `SELECT id, ref, as_of, received_at, body FROM snapshots WHERE `+t.any("ref", 1), []any{t.list(refs)}, func(r row) error {
		var s Snapshot
		var asOf, received int64
		err := r.Scan(&s.ID, &s.Ref, &asOf, &received, &s.Body)
		s.AsOf, s.Received = Time(asOf), Time(received)
		found = append(found, s)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read snapshots: %w", err)
	}
	return found, nil
}

// Rewrite replaces the body of a stored event, and why it is parked.
func (t *Tx) Rewrite(ctx context.Context, e Event) error {
	return t.later(ctx, `UPDATE events SET body = $2, error = $3 WHERE id = $1`, []any{e.ID, e.Body, e.Error}, nil)
}

// Exchange puts snapshots in the place of others.
func (t *Tx) Exchange(ctx context.Context, old []string, now []Snapshot) error {
	if err := t.later(ctx, `DELETE FROM snapshots WHERE `+t.any("id", 1), []any{t.list(old)}, nil); err != nil {
		return fmt.Errorf("replace snapshots: %w", err)
	}
	return t.PutSnapshots(ctx, now)
}

// A Person is what leads to the rows about somebody, beside the ledger's own.
type Person struct {
	Addresses []string // without case
	Names     []string
	Gifts     []string // keys of donations, and subscriptions
	Objects   []string // Stripe's ids of any kind
	Checkouts []string
	Customers []string
}

// Forget removes who somebody is from the rows that are not the ledger's, and
// returns how many rows of which table it changed or removed. The customers
// are noted to be deleted at Stripe.
func (t *Tx) Forget(ctx context.Context, p Person, now time.Time) (map[string]int64, error) {
	changed := map[string]int64{}
	for _, step := range t.forgetting(p) {
		err := t.query(ctx, step.query+` RETURNING 1`, step.args, func(row) error { changed[step.table]++; return nil })
		if err != nil {
			return nil, fmt.Errorf("forget in %s: %w", step.table, err)
		}
	}
	for _, customer := range p.Customers {
		err := t.later(ctx, `INSERT INTO erased_customers (customer, erased_at, deleted_at, error) VALUES ($1, $2, 0, '') ON CONFLICT (customer) DO NOTHING`,
			[]any{customer, Micros(now)}, nil)
		if err != nil {
			return nil, fmt.Errorf("note a customer to delete: %w", err)
		}
	}
	return changed, t.flush(ctx)
}

// A forgetting is one statement that removes who somebody is.
type forgetting struct {
	table, query string
	args         []any
}

func (t *Tx) forgetting(p Person) []forgetting {
	addresses, gifts := t.list(p.Addresses), t.list(p.Gifts)
	steps := []forgetting{
		{"wall", `DELETE FROM wall WHERE ` + t.any("checkout", 1) + ` OR ` + t.any("donation", 2), []any{t.list(p.Checkouts), gifts}},
		{"sign_ins", `DELETE FROM sign_ins WHERE ` + t.any("folded", 1), []any{addresses}},
		{"account_sessions", `DELETE FROM account_sessions WHERE ` + t.any("address", 1), []any{addresses}},
		{"supporter_choices", `DELETE FROM supporter_choices WHERE ` + t.any("address", 1), []any{addresses}},
		{"checkouts", `UPDATE checkouts SET name = '', message = '', return_url = '', url = '', utm = '{}', error = '', discreet = FALSE
			WHERE (` + t.any("id", 1) + ` OR session <> '' AND ` + t.any("session", 2) + `)
				AND (name <> '' OR message <> '' OR return_url <> '' OR url <> '' OR discreet)`, []any{t.list(p.Checkouts), t.list(p.Objects)}},
		{"actions", `UPDATE actions SET reason = '', outcome = '', detail = CASE WHEN kind IN ('receipt', 'note') THEN '{}' ELSE detail END
			WHERE ` + t.any("subject", 1) + ` AND (reason <> '' OR outcome <> '')`, []any{gifts}},
	}
	outbox := `UPDATE outbox SET address = '', data = '{}', error = '', state = CASE state WHEN 'queued' THEN 'dropped' ELSE state END WHERE `
	for _, address := range p.Addresses {
		steps = append(steps, forgetting{"outbox", outbox + `(lower(address) LIKE $1 ESCAPE '\' OR lower(data) LIKE $2 ESCAPE '\' OR lower(error) LIKE $2 ESCAPE '\')`,
			[]any{likely(address), "%" + likely(address) + "%"}})
	}
	for _, text := range p.Addresses {
		for _, form := range []string{text, url.QueryEscape(text)} {
			pattern := "%" + likely(form) + "%"
			steps = append(steps,
				forgetting{"saved_views", `DELETE FROM saved_views WHERE lower(filters) LIKE $1 ESCAPE '\' OR lower(name) LIKE $1 ESCAPE '\'`, []any{pattern}},
				forgetting{"differences", `UPDATE differences SET detail = '' WHERE lower(detail) LIKE $1 ESCAPE '\'`, []any{pattern}},
				forgetting{"fetches", `UPDATE fetches SET error = '' WHERE lower(error) LIKE $1 ESCAPE '\'`, []any{pattern}})
		}
	}
	for _, name := range p.Names { // many people may have it: a view that somebody saved under a name of its own stays
		steps = append(steps, forgetting{"saved_views", `DELETE FROM saved_views WHERE name = '' AND lower(filters) LIKE $1 ESCAPE '\'`,
			[]any{"%" + likely(url.QueryEscape(name)) + "%"}})
	}
	return steps
}

// KnowsAddress reports whether an address stands in what supporters left
// beside gifts: wishes to sign in, choices, mails.
func (t *Tx) KnowsAddress(ctx context.Context, address string) (known bool, err error) {
	err = t.query(ctx, `
		SELECT EXISTS (SELECT 1 FROM sign_ins WHERE folded = $1) OR EXISTS (SELECT 1 FROM account_sessions WHERE address = $1)
			OR EXISTS (SELECT 1 FROM supporter_choices WHERE address = $1) OR EXISTS (SELECT 1 FROM outbox WHERE lower(address) = $1)`,
		[]any{fold(address)}, func(r row) error { return r.Scan(&known) })
	if err != nil {
		return false, fmt.Errorf("look an address up: %w", err)
	}
	return known, nil
}

// ErasedCustomers returns up to limit customers of erased people who are not
// deleted at Stripe yet and have no membership that runs, from the one after.
func (s *Store) ErasedCustomers(ctx context.Context, after string, limit int) ([]string, error) {
	var found []string
	err := scanAll(s.read.QueryContext(ctx, `
		SELECT customer FROM erased_customers
		WHERE deleted_at = 0 AND customer > $1 AND NOT EXISTS (
			SELECT 1 FROM memberships WHERE memberships.customer = erased_customers.customer AND status NOT IN ('canceled', 'incomplete_expired'))
		ORDER BY customer LIMIT $2`, after, limit))(func(r *sql.Rows) error {
		var customer string
		err := r.Scan(&customer)
		found = append(found, customer)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read customers to delete: %w", err)
	}
	return found, nil
}

// CustomerDeleted notes that a customer is no more at Stripe, or why they still
// are.
func (s *Store) CustomerDeleted(ctx context.Context, customer string, at time.Time, reason string) error {
	_, err := s.write.ExecContext(ctx, `UPDATE erased_customers SET deleted_at = $2, error = $3 WHERE customer = $1`, customer, Micros(at), reason)
	if err != nil {
		return fmt.Errorf("note a deleted customer: %w", err)
	}
	return nil
}

// DropCheckouts removes up to limit attempts to give that began between two
// instants and were not paid, and returns the instant up to which it looked.
func (s *Store) DropCheckouts(ctx context.Context, from, to time.Time, limit int) (until time.Time, dropped int64, err error) {
	var last int64
	err = s.read.QueryRowContext(ctx, `
		SELECT COALESCE(MAX(created_at), 0) FROM (
			SELECT created_at FROM checkouts WHERE created_at >= $1 AND created_at < $2 ORDER BY created_at LIMIT $3) AS looked`,
		Micros(from), Micros(to), limit).Scan(&last)
	if err != nil || last == 0 {
		return to, 0, err
	}
	result, err := s.write.ExecContext(ctx, `
		DELETE FROM checkouts WHERE created_at >= $1 AND created_at <= $2 AND NOT EXISTS (
			SELECT 1 FROM registers WHERE ref = 'checkout.session/' || checkouts.session AND state LIKE '%"status":"complete"%')`,
		Micros(from), last)
	if err != nil {
		return from, 0, fmt.Errorf("drop old checkouts: %w", err)
	}
	dropped, err = result.RowsAffected()
	return Time(last + 1), dropped, err
}
