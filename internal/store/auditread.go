package store

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// An AuditFilter narrows the audit log down; its zero value leaves all of it.
type AuditFilter struct {
	Who      string    // exactly
	Action   string    // it, or all that begin with it and a dot: "staff"
	Subject  string    // exactly
	From, To time.Time // To is exclusive
}

// where returns what the filter asks of a row.
func (f AuditFilter) where() (clause string, args []any) {
	clause = `TRUE`
	add := func(condition string, values ...any) {
		for _, value := range values {
			args = append(args, value)
			condition = strings.Replace(condition, "?", "$"+strconv.Itoa(len(args)), 1)
		}
		clause += ` AND ` + condition
	}
	if f.Who != "" {
		add(`who = ?`, f.Who)
	}
	if f.Action != "" {
		add(`(action = ? OR action LIKE ?)`, f.Action, f.Action+".%")
	}
	if f.Subject != "" {
		add(`subject = ?`, f.Subject)
	}
	if !f.From.IsZero() {
		add(`at >= ?`, Micros(f.From))
	}
	if !f.To.IsZero() {
		add(`at < ?`, Micros(f.To))
	}
	return clause, args
}

const auditColumns = `number, at, who, action, subject, reason, detail, hash`

// AuditBefore returns up to limit entries with lower numbers than before,
// newest first; 0 begins with the newest.
func (s *Store) AuditBefore(ctx context.Context, f AuditFilter, before int64, limit int) ([]Entry, error) {
	clause, args := f.where()
	if before > 0 {
		args = append(args, before)
		clause += ` AND number < $` + strconv.Itoa(len(args))
	}
	args = append(args, limit)
	return s.auditEntries(ctx, clause+` ORDER BY number DESC LIMIT $`+strconv.Itoa(len(args)), args)
}

// AuditAfter returns up to limit entries with higher numbers than after, oldest
// first.
func (s *Store) AuditAfter(ctx context.Context, f AuditFilter, after int64, limit int) ([]Entry, error) {
	clause, args := f.where()
	args = append(args, after, limit)
	return s.auditEntries(ctx, fmt.Sprintf(`%s AND number > $%d ORDER BY number LIMIT $%d`, clause, len(args)-1, len(args)), args)
}

func (s *Store) auditEntries(ctx context.Context, where string, args []any) ([]Entry, error) {
	var found []Entry
	err := s.Look(ctx, func(tx *Tx) (err error) {
		found, err = tx.auditEntries(ctx, where, args)
		return err
	})
	return found, err
}

func (t *Tx) auditEntries(ctx context.Context, where string, args []any) ([]Entry, error) {
	var found []Entry
	err := t.query(ctx, `SELECT `+auditColumns+` FROM audit WHERE `+where, args, func(r row) error {
		var e Entry
		var at int64
		err := r.Scan(&e.Number, &at, &e.Who, &e.Action, &e.Subject, &e.Reason, &e.Detail, &e.Hash)
		e.At = Time(at)
		found = append(found, e)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read the audit log: %w", err)
	}
	return found, nil
}

// AuditNames are what the audit log can be narrowed down to.
type AuditNames struct{ Who, Actions []string }

// AuditNames returns who and what is named in the audit log, in order.
func (s *Store) AuditNames(ctx context.Context) (AuditNames, error) {
	var n AuditNames
	for column, list := range map[string]*[]string{"who": &n.Who, "action": &n.Actions} {
		err := scanAll(s.read.QueryContext(ctx, `SELECT DISTINCT `+column+` FROM audit ORDER BY 1`))(func(r *sql.Rows) error {
			var name string
			err := r.Scan(&name)
			*list = append(*list, name)
			return err
		})
		if err != nil {
			return AuditNames{}, fmt.Errorf("read who and what is in the audit log: %w", err)
		}
	}
	return n, nil
}

// An AuditState is what the audit log's chain comes to.
type AuditState struct {
	Entries int64  // that follow one another, from the first
	Hash    string // of the last of those; "" if none
	Broken  string // where it breaks and how; "" if it does not
}

// auditPage is how many entries are checked at a time.
const auditPage = 5000

// CheckAudit follows the audit log's chain from its first entry to its head,
// on one state of the database. It finds an entry that was changed, removed,
// put in or moved, and a tail that was cut off.
func (s *Store) CheckAudit(ctx context.Context) (AuditState, error) {
	var state AuditState
	err := s.Look(ctx, func(tx *Tx) error {
		var number int64
		var hash string
		err := tx.query(ctx, `SELECT number, hash FROM audit_head`, nil, func(r row) error { return r.Scan(&number, &hash) })
		if err != nil {
			return fmt.Errorf("read the audit log's head: %w", err)
		}
		for state.Broken == "" {
			page, err := tx.auditEntries(ctx, `number > $1 ORDER BY number LIMIT $2`, []any{state.Entries, auditPage})
			if err != nil {
				return err
			}
			for _, e := range page {
				if !state.follow(e) {
					return nil
				}
			}
			if len(page) < auditPage {
				break
			}
		}
		if number != state.Entries || hash != state.Hash {
			state.Broken = fmt.Sprintf("entry %d is the last one, and entry %d was: what followed was removed", state.Entries, number)
		}
		return nil
	})
	return state, err
}

// AuditLeadsTo reports whether an entry has a hash, in hexadecimal. Of a chain
// that is whole it says that nothing before that entry was changed since
// somebody kept the hash elsewhere.
func (s *Store) AuditLeadsTo(ctx context.Context, hash string) (bool, error) {
	found, err := s.auditEntries(ctx, `hash = $1 LIMIT 1`, []any{hash})
	return len(found) > 0, err
}

// AuditHead returns how many entries the audit log has, and the last one's
// hash, as they were written down with it.
func (s *Store) AuditHead(ctx context.Context) (AuditState, error) {
	var head AuditState
	if err := s.read.QueryRowContext(ctx, `SELECT number, hash FROM audit_head`).Scan(&head.Entries, &head.Hash); err != nil {
		return head, fmt.Errorf("read the audit log's head: %w", err)
	}
	return head, nil
}

// follow reports whether e is what comes next in the chain.
func (a *AuditState) follow(e Entry) bool {
	switch {
	case e.Number != a.Entries+1:
		a.Broken = fmt.Sprintf("entry %d is missing", a.Entries+1)
	case e.hashOf(a.Hash) != e.Hash:
		a.Broken = fmt.Sprintf("entry %d, of %s, is not what was written, or one before it is not", e.Number, e.At.UTC().Format(time.RFC3339))
	default:
		a.Entries, a.Hash = e.Number, e.Hash
		return true
	}
	return false
}
