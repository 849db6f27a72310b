package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/united24media/support/internal/fault"
)

// fold returns an address without case, as a person's gifts are found by.
func fold(address string) string { return strings.ToLower(strings.TrimSpace(address)) }

// A SignIn is somebody's wish to see the pages of an address.
type SignIn struct {
	ID        string // random; link and code are derived from it
	Address   string // as it was typed
	Browser   string // hash of the cookie of the browser that asked
	Locale    string
	ReturnURL string // where the news site waits for the status; "" if nowhere
	Created   time.Time
	Expires   time.Time
	Tries     int64     // codes that were typed
	Used      time.Time // zero while it is not
}

const signInColumns = `id, address, browser, locale, return_url, created_at, expires_at, tries, used_at`

func scanSignIn(r row) (SignIn, error) {
	var w SignIn
	var created, expires, used int64
	err := r.Scan(&w.ID, &w.Address, &w.Browser, &w.Locale, &w.ReturnURL, &created, &expires, &w.Tries, &used)
	w.Created, w.Expires, w.Used = Time(created), Time(expires), Time(used)
	return w, err
}

// AddSignIn stores a wish. It asks nothing about the address, so that it takes
// as long for one that we know as for any other.
func (s *Store) AddSignIn(ctx context.Context, w SignIn) error {
	_, err := s.write.ExecContext(ctx, `
		INSERT INTO sign_ins (`+signInColumns+`, folded, judged_at) VALUES ($1, $2, $3, $4, $5, $6, $7, 0, 0, $8, 0)`,
		w.ID, w.Address, w.Browser, w.Locale, w.ReturnURL, Micros(w.Created), Micros(w.Expires), fold(w.Address))
	if err != nil {
		return fmt.Errorf("add a wish to sign in: %w", err)
	}
	return nil
}

func (s *Store) signIns(ctx context.Context, where string, args ...any) ([]SignIn, error) {
	var found []SignIn
	err := scanAll(s.read.QueryContext(ctx, `SELECT `+signInColumns+` FROM sign_ins WHERE `+where, args...))(func(r *sql.Rows) error {
		w, err := scanSignIn(r)
		found = append(found, w)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read wishes to sign in: %w", err)
	}
	return found, nil
}

// NewSignIns returns up to limit wishes of which it is not decided yet whether
// to mail, the oldest first.
func (s *Store) NewSignIns(ctx context.Context, limit int) ([]SignIn, error) {
	return s.signIns(ctx, `judged_at = 0 ORDER BY created_at LIMIT $1`, limit)
}

// JudgeSignIn notes that a wish was decided on, and queues its mails with it.
// Of several replicas that decide at once, one does.
func (s *Store) JudgeSignIn(ctx context.Context, id string, at time.Time, mails ...Mail) error {
	return s.inTx(ctx, func(tx *sql.Tx) error {
		result, err := tx.ExecContext(ctx, `UPDATE sign_ins SET judged_at = $2 WHERE id = $1 AND judged_at = 0`, id, Micros(at))
		if err != nil {
			return fmt.Errorf("decide on a wish to sign in: %w", err)
		}
		if first, err := oneRow(result); err != nil || !first {
			return err
		}
		return queueMail(ctx, tx, mails)
	})
}

// SignInByID returns a wish, used or over or not, or a [fault.NotFound].
func (s *Store) SignInByID(ctx context.Context, id string) (SignIn, error) {
	found, err := s.signIns(ctx, `id = $1`, id)
	if err == nil && len(found) == 0 {
		err = fault.New(fault.NotFound, "There is no such wish to sign in.")
	}
	if err != nil {
		return SignIn{}, err
	}
	return found[0], nil
}

// SignInsByBrowser returns the wishes of a browser that can still be used, the
// newest first.
func (s *Store) SignInsByBrowser(ctx context.Context, browser string, now time.Time, limit int) ([]SignIn, error) {
	return s.signIns(ctx, `browser = $1 AND used_at = 0 AND expires_at > $2 ORDER BY created_at DESC, id LIMIT $3`,
		browser, Micros(now), limit)
}

// TryCode counts a typed code against a wish, and reports whether there was a
// try left of most.
func (s *Store) TryCode(ctx context.Context, id string, most int, now time.Time) (bool, error) {
	result, err := s.write.ExecContext(ctx, `
		UPDATE sign_ins SET tries = tries + 1 WHERE id = $1 AND tries < $2 AND used_at = 0 AND expires_at > $3`, id, most, Micros(now))
	if err != nil {
		return false, fmt.Errorf("count a try to sign in: %w", err)
	}
	return oneRow(result)
}

// UseSignIn uses a wish up for a session under the hash of its cookie, and
// ends the other wishes of the address. It reports whether the wish was still
// good: of any number who try at once, one is told so.
func (s *Store) UseSignIn(ctx context.Context, id, hash string, now time.Time) (used bool, err error) {
	err = s.inTx(ctx, func(tx *sql.Tx) error {
		var folded string
		err := tx.QueryRowContext(ctx, `
			UPDATE sign_ins SET used_at = $2 WHERE id = $1 AND used_at = 0 AND expires_at > $2 RETURNING folded`, id, Micros(now)).Scan(&folded)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err == nil {
			_, err = tx.ExecContext(ctx, `UPDATE sign_ins SET used_at = $2 WHERE folded = $1 AND used_at = 0`, folded, Micros(now))
		}
		if err == nil {
			_, err = tx.ExecContext(ctx, `
				INSERT INTO account_sessions (hash, address, created_at, used_at) VALUES ($1, $2, $3, $3)`, hash, folded, Micros(now))
		}
		used = err == nil
		return err
	})
	if err != nil {
		return false, fmt.Errorf("sign in: %w", err)
	}
	return used, nil
}

// An AccountSession is a browser in which a supporter is signed in.
type AccountSession struct {
	Hash    string // of its cookie
	Address string // proven by mail, without case
	Created time.Time
	Used    time.Time // to the minute
}

// AccountSession returns the session whose cookie has a hash, or a
// [fault.NotFound]. Whether it is too old is for the caller to judge.
func (s *Store) AccountSession(ctx context.Context, hash string) (AccountSession, error) {
	n := AccountSession{Hash: hash}
	var created, used int64
	err := s.read.QueryRowContext(ctx, `SELECT address, created_at, used_at FROM account_sessions WHERE hash = $1`, hash).
		Scan(&n.Address, &created, &used)
	if errors.Is(err, sql.ErrNoRows) {
		return n, fault.New(fault.NotFound, "There is no such session.")
	}
	if err != nil {
		return n, fmt.Errorf("look a session up: %w", err)
	}
	n.Created, n.Used = Time(created), Time(used)
	return n, nil
}

// TouchAccountSession notes that a session was used.
func (s *Store) TouchAccountSession(ctx context.Context, hash string, at time.Time) error {
	if _, err := s.write.ExecContext(ctx, `UPDATE account_sessions SET used_at = $2 WHERE hash = $1`, hash, Micros(at)); err != nil {
		return fmt.Errorf("note that a session was used: %w", err)
	}
	return nil
}

// EndAccountSession signs out one browser.
func (s *Store) EndAccountSession(ctx context.Context, hash string) error {
	if _, err := s.write.ExecContext(ctx, `DELETE FROM account_sessions WHERE hash = $1`, hash); err != nil {
		return fmt.Errorf("end a session: %w", err)
	}
	return nil
}

// EndAccountSessions signs out every browser of an address, and makes mailed
// links and codes useless.
func (s *Store) EndAccountSessions(ctx context.Context, address string, now time.Time) error {
	return s.inTx(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM account_sessions WHERE address = $1`, fold(address))
		if err == nil {
			_, err = tx.ExecContext(ctx, `UPDATE sign_ins SET used_at = $2 WHERE folded = $1 AND used_at = 0`, fold(address), Micros(now))
		}
		if err != nil {
			return fmt.Errorf("end sessions: %w", err)
		}
		return nil
	})
}

// SweepAccounts forgets wishes that were over at an instant, and sessions that
// were not used since another or began before a third.
func (s *Store) SweepAccounts(ctx context.Context, over, idle, began time.Time) error {
	return s.inTx(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM sign_ins WHERE expires_at < $1`, Micros(over))
		if err == nil {
			_, err = tx.ExecContext(ctx, `DELETE FROM account_sessions WHERE used_at < $1 OR created_at < $2`, Micros(idle), Micros(began))
		}
		if err != nil {
			return fmt.Errorf("sweep accounts: %w", err)
		}
		return nil
	})
}
