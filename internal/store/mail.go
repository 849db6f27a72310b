package store

import (
	"cmp"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/united24media/support/internal/fault"
)

// A Mail is one to be sent. Of a kind and a subject there is only ever one.
type Mail struct {
	Kind    string // which mail it is
	Subject string // what it is about, such as a donation's key
	To      string // an address
	Locale  string
	Data    []byte    // JSON, by kind; nil is {}
	Due     time.Time // not before; the zero time is at once
}

// MailID returns what stands for a kind and subject: the outbox's key, and the
// local part of the Message-ID.
func MailID(kind, subject string) string {
	sum := sha256.Sum256([]byte(kind + "\x00" + subject))
	return hex.EncodeToString(sum[:16])
}

// Each returns a mail for each of several addresses: what is unique of it is
// then its subject and the address's hash.
func (m *Mail) Each(addresses []string) []Mail {
	mails := make([]Mail, 0, len(addresses))
	for _, address := range addresses {
		one := *m
		one.To, one.Subject = address, m.Subject+"/"+MailID("to", FoldEmail(address))[:8]
		mails = append(mails, one)
	}
	return mails
}

// staffToTell are those who answer for money.
const staffToTell = `SELECT email FROM staff WHERE role IN ('finance', 'admin') ORDER BY email`

// StaffAddresses returns the addresses of the staff who answer for money.
func (t *Tx) StaffAddresses(ctx context.Context) ([]string, error) {
	addresses := []string{}
	err := t.query(ctx, staffToTell, nil, func(r row) error {
		var address string
		err := r.Scan(&address)
		addresses = append(addresses, address)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read staff's addresses: %w", err)
	}
	return addresses, nil
}

// QueueStaffMail queues a mail to each of the staff who answer for money.
func (s *Store) QueueStaffMail(ctx context.Context, m Mail) error {
	var addresses []string
	err := scanAll(s.read.QueryContext(ctx, staffToTell))(func(r *sql.Rows) error {
		var address string
		err := r.Scan(&address)
		addresses = append(addresses, address)
		return err
	})
	if err != nil {
		return fmt.Errorf("read staff's addresses: %w", err)
	}
	return s.QueueMail(ctx, m.Each(addresses)...)
}

// States of a mail.
const (
	MailQueued  = "queued"
	MailSent    = "sent"    // a server took it
	MailKept    = "kept"    // it would have been sent; no server is set
	MailDropped = "dropped" // what it was about is no longer so
	MailRefused = "refused" // no server will take it
)

var mailRows = bulk{
	"outbox",
	[]column{
		{"id", "TEXT"}, {"kind", "TEXT"}, {"subject", "TEXT"}, {"address", "TEXT"}, {"locale", "TEXT"}, {"data", "TEXT"},
		{"state", "TEXT"}, {"queued_at", "BIGINT"}, {"due_at", "BIGINT"}, {"locked_until", "BIGINT"}, {"attempts", "BIGINT"},
		{"done_at", "BIGINT"}, {"error", "TEXT"},
	},
	`ON CONFLICT (id) DO NOTHING`,
}

// row returns what is written of a mail.
func (m *Mail) row() []any {
	due, data := m.Due, string(m.Data)
	if due.IsZero() {
		due = time.Now()
	}
	if data == "" {
		data = "{}"
	}
	return []any{
		MailID(m.Kind, m.Subject), m.Kind, m.Subject, m.To, m.Locale, data, MailQueued, Micros(due), Micros(due),
		int64(0), int64(0), int64(0), "",
	}
}

// PutMails queues mails; one whose kind and subject were queued before stays
// as it is.
func (t *Tx) PutMails(ctx context.Context, mails []Mail) error {
	r := mailRows.rows(len(mails))
	for _, m := range mails {
		r.add(m.row()...)
	}
	return t.write(ctx, r, nil)
}

// QueueMail queues mails; one whose kind and subject were queued before stays
// as it is.
func (s *Store) QueueMail(ctx context.Context, mails ...Mail) error {
	return s.inTx(ctx, func(tx *sql.Tx) error { return queueMail(ctx, tx, mails) })
}

func queueMail(ctx context.Context, tx *sql.Tx, mails []Mail) error {
	for _, m := range mails {
		_, err := tx.ExecContext(ctx, `
			INSERT INTO outbox (`+mailRows.names()+`)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) ON CONFLICT (id) DO NOTHING`, m.row()...)
		if err != nil {
			return fmt.Errorf("queue a mail of kind %s: %w", m.Kind, err)
		}
	}
	return nil
}

// A QueuedMail is one of the outbox.
type QueuedMail struct {
	Mail            // its Due is the next time it is tried
	ID       string // see [MailID]
	State    string
	Queued   time.Time // when it was due first
	Done     time.Time // zero while it is queued
	Attempts int64     // the one under way counts
	Error    string    // why it was put off, refused or dropped
}

const mailColumns = `id, kind, subject, address, locale, data, state, queued_at, due_at, done_at, attempts, error`

func scanMail(r row) (QueuedMail, error) {
	var m QueuedMail
	var queued, due, done int64
	err := r.Scan(&m.ID, &m.Kind, &m.Subject, &m.To, &m.Locale, &m.Data, &m.State, &queued, &due, &done, &m.Attempts, &m.Error)
	m.Queued, m.Due, m.Done = Time(queued), Time(due), Time(done)
	return m, err
}

// TakeMail takes up to limit mails that are due, the longest due first. Nobody
// else takes them until the lease ends.
func (s *Store) TakeMail(ctx context.Context, now time.Time, lease time.Duration, limit int) ([]QueuedMail, error) {
	// The lease is tested twice, as for fetches.
	var taken []QueuedMail
	err := scanAll(s.write.QueryContext(ctx, `
		UPDATE outbox SET locked_until = $2, attempts = attempts + 1
		WHERE state = 'queued' AND locked_until <= $1 AND due_at <= $1 AND id IN (
			SELECT id FROM outbox WHERE state = 'queued' AND locked_until <= $1 AND due_at <= $1
			ORDER BY due_at, id LIMIT $3)
		RETURNING `+mailColumns, Micros(now), Micros(now.Add(lease)), limit))(func(r *sql.Rows) error {
		m, err := scanMail(r)
		taken = append(taken, m)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("take mails: %w", err)
	}
	return taken, nil
}

// EndMail notes what became of a mail that was taken: a state other than
// [MailQueued], and why. It does nothing if somebody else has taken it since.
func (s *Store) EndMail(ctx context.Context, m QueuedMail, state, reason string, now time.Time) error {
	_, err := s.write.ExecContext(ctx, `
		UPDATE outbox SET state = $3, error = $4, done_at = $5, locked_until = 0
		WHERE id = $1 AND attempts = $2 AND state = 'queued'`, m.ID, m.Attempts, state, reason, Micros(now))
	if err != nil {
		return fmt.Errorf("end mail %s: %w", m.ID, err)
	}
	return nil
}

// DeferMail puts a mail that was taken off to a later time, and notes why.
func (s *Store) DeferMail(ctx context.Context, m QueuedMail, due time.Time, reason string) error {
	_, err := s.write.ExecContext(ctx, `
		UPDATE outbox SET due_at = $3, error = $4, locked_until = 0
		WHERE id = $1 AND attempts = $2 AND state = 'queued'`, m.ID, m.Attempts, Micros(due), reason)
	if err != nil {
		return fmt.Errorf("put off mail %s: %w", m.ID, err)
	}
	return nil
}

// RetryMail queues a mail again that was refused, or makes one that waits due
// at once. It returns a [fault.NotFound] where there is none such.
func (s *Store) RetryMail(ctx context.Context, id string, now time.Time) error {
	result, err := s.write.ExecContext(ctx, `
		UPDATE outbox SET state = 'queued', due_at = $2, done_at = 0, locked_until = 0
		WHERE id = $1 AND state IN ('refused', 'queued') AND locked_until <= $2 AND address <> ''`, id, Micros(now))
	if err != nil {
		return fmt.Errorf("retry mail %s: %w", id, err)
	}
	if n, err := result.RowsAffected(); err != nil || n == 0 {
		return errors.Join(fault.New(fault.NotFound, "This mail is not waiting to be sent again."), err)
	}
	return nil
}

// MailCameBack notes that a mail which a server took could not be delivered.
func (s *Store) MailCameBack(ctx context.Context, id, reason string, now time.Time) error {
	_, err := s.write.ExecContext(ctx, `
		UPDATE outbox SET state = 'refused', error = $2, done_at = $3 WHERE id = $1 AND state = 'sent'`, id, reason, Micros(now))
	if err != nil {
		return fmt.Errorf("note that mail %s came back: %w", id, err)
	}
	return nil
}

// ForgetMail empties the addresses and data of up to limit mails that were
// done before an instant, and returns of how many. What was mailed about what
// stays known.
func (s *Store) ForgetMail(ctx context.Context, before time.Time, limit int) (int64, error) {
	result, err := s.write.ExecContext(ctx, `
		UPDATE outbox SET address = '', data = '{}', error = '' WHERE id IN (
			SELECT id FROM outbox WHERE state <> 'queued' AND address <> '' AND queued_at < $1 AND done_at < $1
			ORDER BY queued_at LIMIT $2)`, Micros(before), limit)
	if err != nil {
		return 0, fmt.Errorf("forget mails: %w", err)
	}
	return result.RowsAffected()
}

// MailByID returns one mail, or a [fault.NotFound].
func (s *Store) MailByID(ctx context.Context, id string) (QueuedMail, error) {
	m, err := scanMail(s.read.QueryRowContext(ctx, `SELECT `+mailColumns+` FROM outbox WHERE id = $1`, id))
	if errors.Is(err, sql.ErrNoRows) {
		return QueuedMail{}, fault.New(fault.NotFound, "There is no such mail.")
	}
	if err != nil {
		return QueuedMail{}, fmt.Errorf("look a mail up: %w", err)
	}
	return m, nil
}

// MailBefore returns up to limit mails in a state ("" is any), the latest
// queued first, from the one before an instant and id; the zero time begins.
func (s *Store) MailBefore(ctx context.Context, state string, queued time.Time, id string, limit int) ([]QueuedMail, error) {
	before := int64(1) << 62
	if !queued.IsZero() {
		before = Micros(queued)
	}
	var found []QueuedMail
	err := scanAll(s.read.QueryContext(ctx, `
		SELECT `+mailColumns+` FROM outbox
		WHERE (queued_at < $1 OR queued_at = $1 AND id < $2) AND (state = $3 OR CAST($3 AS TEXT) = '')
		ORDER BY queued_at DESC, id DESC LIMIT $4`, before, id, state, limit))(func(r *sql.Rows) error {
		m, err := scanMail(r)
		found = append(found, m)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list mails: %w", err)
	}
	return found, nil
}

// OpenMail is what of the outbox somebody may have to look at.
type OpenMail struct {
	Queued  int64
	Refused int64
	Oldest  time.Time // when the queued one was due that is due longest; zero if none is
}

// OpenMail counts the mails that are queued or were refused.
func (s *Store) OpenMail(ctx context.Context) (OpenMail, error) {
	var open OpenMail
	err := scanAll(s.read.QueryContext(ctx, `
		SELECT state, COUNT(*), MIN(due_at) FROM outbox WHERE state IN ('queued', 'refused') GROUP BY state`))(func(r *sql.Rows) error {
		var state string
		var count, due int64
		err := r.Scan(&state, &count, &due)
		if state == MailQueued {
			open.Queued, open.Oldest = count, Time(due)
		} else {
			open.Refused = count
		}
		return err
	})
	if err != nil {
		return OpenMail{}, fmt.Errorf("count open mails: %w", err)
	}
	return open, nil
}

// MailsAbout returns the mails whose subject is one of several, or begins with
// one and a slash, in the order in which they were due.
func (s *Store) MailsAbout(ctx context.Context, subjects []string) ([]QueuedMail, error) {
	var found []QueuedMail
	err := s.Look(ctx, func(tx *Tx) error {
		for _, subject := range subjects {
			err := tx.later(ctx, `
				SELECT `+mailColumns+` FROM outbox
				WHERE subject >= $1 AND subject <= $2 AND (subject = $1 OR substr(subject, 1, CAST($3 AS INTEGER)) = $4)`,
				[]any{subject, subject + "/" + lastKey, len(subject) + 1, subject + "/"}, func(r row) error {
					m, err := scanMail(r)
					found = append(found, m)
					return err
				})
			if err != nil {
				return err
			}
		}
		return tx.flush(ctx)
	})
	if err != nil {
		return nil, fmt.Errorf("read mails: %w", err)
	}
	slices.SortFunc(found, func(a, b QueuedMail) int { return cmp.Or(a.Queued.Compare(b.Queued), cmp.Compare(a.ID, b.ID)) })
	return found, nil
}
