package store

import (
	"context"
	"fmt"
	"time"
)

// What a person may ask to see: the rows about them beside gifts, memberships
// and what staff did. A list of any length is read in pieces of atATime.

// atATime is how many refs, subjects or ids one statement looks for.
const atATime = 500

// inPieces calls f with a list, a piece at a time.
func inPieces(all []string, f func([]string) error) error {
	for len(all) > 0 {
		n := min(len(all), atATime)
		if err := f(all[:n]); err != nil {
			return err
		}
		all = all[n:]
	}
	return nil
}

// EventsKept calls f with each event about several objects, without its body.
func (s *Store) EventsKept(ctx context.Context, refs []string, f func(Delivered)) error {
	err := s.Look(ctx, func(tx *Tx) error {
		return inPieces(refs, func(refs []string) error {
			return tx.query(ctx, `SELECT id, type, ref, created_at, received_at, deliveries, state, error FROM events WHERE `+tx.any("ref", 1),
				[]any{tx.list(refs)}, func(r row) error {
					var d Delivered
					var created, received int64
					err := r.Scan(&d.ID, &d.Type, &d.Ref, &created, &received, &d.Deliveries, &d.State, &d.Error)
					d.Created, d.Received = Time(created), Time(received)
					f(d)
					return err
				})
		})
	})
	if err != nil {
		return fmt.Errorf("read which events are kept: %w", err)
	}
	return nil
}

// SnapshotsKept calls f with each answer and fact about several objects,
// without its body.
func (s *Store) SnapshotsKept(ctx context.Context, refs []string, f func(ref string, asOf, received time.Time)) error {
	err := s.Look(ctx, func(tx *Tx) error {
		return inPieces(refs, func(refs []string) error {
			return tx.query(ctx, `SELECT ref, as_of, received_at FROM snapshots WHERE `+tx.any("ref", 1), []any{tx.list(refs)}, func(r row) error {
				var ref string
				var asOf, received int64
				err := r.Scan(&ref, &asOf, &received)
				f(ref, Time(asOf), Time(received))
				return err
			})
		})
	})
	if err != nil {
		return fmt.Errorf("read which answers are kept: %w", err)
	}
	return nil
}

// CheckoutsOf returns the checkouts with one of several ids or sessions, oldest
// first.
func (s *Store) CheckoutsOf(ctx context.Context, ids, sessions []string) ([]Checkout, error) {
	var found []Checkout
	read := func(tx *Tx, column string, values []string) error {
		return inPieces(values, func(values []string) error {
			return tx.query(ctx, `SELECT `+checkoutColumns+` FROM checkouts WHERE `+tx.any(column, 1)+` ORDER BY created_at, id`,
				[]any{tx.list(values)}, func(r row) error {
					c, err := scanCheckout(r)
					found = append(found, c)
					return err
				})
		})
	}
	err := s.Look(ctx, func(tx *Tx) error {
		if err := read(tx, "id", ids); err != nil {
			return err
		}
		return read(tx, "session", sessions)
	})
	if err != nil {
		return nil, fmt.Errorf("read checkouts: %w", err)
	}
	return found, nil
}

// MailsTo returns the mails to an address, whatever its case, in the order in
// which they were due. It reads the whole outbox.
func (s *Store) MailsTo(ctx context.Context, address string) ([]QueuedMail, error) {
	var found []QueuedMail
	err := s.Look(ctx, func(tx *Tx) error {
		return tx.query(ctx, `SELECT `+mailColumns+` FROM outbox WHERE lower(address) = $1 ORDER BY queued_at, id`, []any{fold(address)}, func(r row) error {
			m, err := scanMail(r)
			found = append(found, m)
			return err
		})
	})
	if err != nil {
		return nil, fmt.Errorf("read the mails to an address: %w", err)
	}
	return found, nil
}

// AccountSessionsOf returns the browsers in which an address is signed in,
// oldest first.
func (s *Store) AccountSessionsOf(ctx context.Context, address string) ([]AccountSession, error) {
	var found []AccountSession
	err := s.Look(ctx, func(tx *Tx) error {
		return tx.query(ctx, `SELECT hash, address, created_at, used_at FROM account_sessions WHERE address = $1 ORDER BY created_at, hash`,
			[]any{fold(address)}, func(r row) error {
				var n AccountSession
				var created, used int64
				err := r.Scan(&n.Hash, &n.Address, &created, &used)
				n.Created, n.Used = Time(created), Time(used)
				found = append(found, n)
				return err
			})
	})
	if err != nil {
		return nil, fmt.Errorf("read the sessions of an address: %w", err)
	}
	return found, nil
}

// SignInsOf returns the wishes to sign in of an address, oldest first.
func (s *Store) SignInsOf(ctx context.Context, address string) ([]SignIn, error) {
	return s.signIns(ctx, `folded = $1 ORDER BY created_at, id`, fold(address))
}

// AuditAbout returns the entries of the audit log about several gifts and
// memberships, oldest first. It reads the whole log.
func (s *Store) AuditAbout(ctx context.Context, subjects []string) ([]Entry, error) {
	var found []Entry
	err := s.Look(ctx, func(tx *Tx) error {
		return inPieces(subjects, func(subjects []string) error {
			entries, err := tx.auditEntries(ctx, tx.any("subject", 1)+` ORDER BY number`, []any{tx.list(subjects)})
			found = append(found, entries...)
			return err
		})
	})
	return found, err
}

// OutOfSight returns up to limit supporters, in their order from the one after
// one, who chose to be kept out of sight, and whose last gift and the end of
// whose last membership are before an instant.
func (s *Store) OutOfSight(ctx context.Context, before time.Time, after string, limit int) ([]string, error) {
	var found []string
	err := s.Look(ctx, func(tx *Tx) error {
		return tx.query(ctx, `
			SELECT supporter FROM (
				SELECT 'address:' || address AS supporter, updated_at AS at FROM supporter_choices WHERE discreet
				UNION ALL SELECT donations.supporter, donations.created_at FROM checkouts JOIN donations ON donations.checkout = checkouts.id WHERE discreet
				UNION ALL SELECT memberships.supporter, memberships.created_at FROM checkouts JOIN memberships ON memberships.checkout = checkouts.id WHERE discreet
			) AS chose
			WHERE supporter > $2 AND supporter NOT LIKE 'erased:%'
				AND NOT EXISTS (SELECT 1 FROM donations WHERE donations.supporter = chose.supporter AND created_at >= $1)
				AND NOT EXISTS (SELECT 1 FROM memberships WHERE memberships.supporter = chose.supporter
					AND (status NOT IN ('canceled', 'incomplete_expired') OR ended_at >= $1))
			GROUP BY supporter HAVING MAX(at) < $1 ORDER BY supporter LIMIT $3`,
			[]any{Micros(before), after, limit}, func(r row) error {
				var supporter string
				err := r.Scan(&supporter)
				found = append(found, supporter)
				return err
			})
	})
	if err != nil {
		return nil, fmt.Errorf("look for those kept out of sight: %w", err)
	}
	return found, nil
}
