package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

// An Entry is a line of the audit log: who did what to what, and why. It holds
// no secret and, of supporters, nothing but ids.
type Entry struct {
	Number  int64 // from 1, without gaps; given when it is written
	At      time.Time
	Who     string // a member's address, or what stood in for one: "command line"
	Action  string // "staff.add"
	Subject string // what was acted on; "" if nothing in particular
	Reason  string // as it was given; "" if none was asked for
	Detail  string // what changed
	Hash    string // of this and, through the hash before, of all earlier ones
}

// TheSupporter stands in an entry for a supporter who did something on their own
// pages.
const TheSupporter = "the supporter"

// hashOf returns the hash of e after the one whose hash is before: SHA-256, in
// hexadecimal, over the netstrings of before, number, microseconds since 1970,
// who, action, subject, reason and detail.
func (e Entry) hashOf(before string) string {
	sum := sha256.New()
	for _, field := range []string{
		before, strconv.FormatInt(e.Number, 10), strconv.FormatInt(Micros(e.At), 10), e.Who, e.Action, e.Subject, e.Reason, e.Detail,
	} {
		io.WriteString(sum, strconv.Itoa(len(field))+":"+field+",") //nolint:errcheck // a hash never fails
	}
	return hex.EncodeToString(sum.Sum(nil))
}

// storable returns e as both databases can keep it: its time in microseconds,
// its texts valid and without NUL, which PostgreSQL refuses.
func (e Entry) storable() Entry {
	e.At = Time(Micros(e.At))
	for _, text := range []*string{&e.Who, &e.Action, &e.Subject, &e.Reason, &e.Detail} {
		*text = strings.ReplaceAll(strings.ToValidUTF8(*text, "\uFFFD"), "\x00", "\uFFFD")
	}
	return e
}

// auditLock is the key of the advisory lock that every audited transaction
// holds, so that whoever comes next, on whatever replica, follows its entry:
// "audit" in ASCII. The head's row would do, but many who wait for one row each
// wake whenever it changes.
const auditLock = 0x6175646974

// The audit log's statements.
const (
	auditTurn = `SELECT pg_advisory_xact_lock($1)`
	auditHead = `SELECT number + 1, hash FROM audit_head WHERE id = 1`
	auditAdd  = `INSERT INTO audit (number, at, who, action, subject, reason, detail, hash) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`
	auditEnd  = `UPDATE audit_head SET number = $1, hash = $2 WHERE id = 1`
)

func (e Entry) values() []any {
	return []any{e.Number, Micros(e.At), e.Who, e.Action, e.Subject, e.Reason, e.Detail, e.Hash}
}

// Audit writes an entry by itself. What the store does for somebody it audits
// in the transaction that does it: see [Store.audited] and [Tx.Audit].
func (s *Store) Audit(ctx context.Context, e Entry) error {
	return s.audited(ctx, e, func(*sql.Tx) error { return nil })
}

// audited runs f in a transaction that also writes an entry: both or neither.
// The entry comes first, so that audited transactions take turns: what one has
// read is still true when it commits.
func (s *Store) audited(ctx context.Context, e Entry, f func(*sql.Tx) error) error {
	return s.inTx(ctx, func(tx *sql.Tx) error {
		if err := s.auditIn(ctx, tx, e.storable()); err != nil {
			return fmt.Errorf("audit %s: %w", e.Action, err)
		}
		return f(tx)
	})
}

func (s *Store) auditIn(ctx context.Context, tx *sql.Tx, e Entry) error {
	if s.postgres {
		if _, err := tx.ExecContext(ctx, auditTurn, int64(auditLock)); err != nil {
			return err
		}
	}
	var before string
	if err := tx.QueryRowContext(ctx, auditHead).Scan(&e.Number, &before); err != nil {
		return err
	}
	e.Hash = e.hashOf(before)
	if _, err := tx.ExecContext(ctx, auditAdd, e.values()...); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, auditEnd, e.Number, e.Hash)
	return err
}

// Audit writes an entry in a transaction of the ledger.
func (t *Tx) Audit(ctx context.Context, e Entry) error {
	e = e.storable()
	var before string
	var err error
	if t.pg != nil { // its answer is void, and read as nothing
		err = t.later(ctx, auditTurn, []any{int64(auditLock)}, func(row) error { return nil })
	}
	if err == nil {
		err = t.query(ctx, auditHead, nil, func(r row) error { return r.Scan(&e.Number, &before) })
	}
	if err == nil {
		e.Hash = e.hashOf(before)
		err = errors.Join(t.later(ctx, auditAdd, e.values(), nil), t.later(ctx, auditEnd, []any{e.Number, e.Hash}, nil))
	}
	if err != nil {
		return fmt.Errorf("audit %s: %w", e.Action, err)
	}
	return nil
}
