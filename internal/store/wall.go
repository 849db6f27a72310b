package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"time"
)

// States of a gift on the wall.
const (
	WallWaiting  = "waiting"  // nobody has read its words
	WallAccepted = "accepted" // it is shown with the next batch
	WallRejected = "rejected"
	WallShown    = "shown"
)

// A WallEntry is a gift whose giver may be thanked publicly, with the words
// that would be shown now.
type WallEntry struct {
	Checkout  string
	Donation  string // key of the first one
	State     string
	Name      string
	Message   string // "" where there is none, or it was not meant for the public
	Locale    string // of the page on which it was given
	Supporter string
	Currency  string
	Minor     int64 // what is left of the gift
	Given     time.Time
	Batch     int64     // with which it is shown; 0 before
	Shown     time.Time // that batch; zero before
	Decided   time.Time // zero while waiting
	By        string

	consents bool
	words    string // hash of what was decided about
}

// Words returns a hash of what the wall would show of an entry.
func (e *WallEntry) Words() string {
	sum := sha256.Sum256([]byte(e.Checkout + "\x00" + e.Name + "\x00" + e.Message))
	return hex.EncodeToString(sum[:16])
}

// MayShow reports whether the giver consents now, has a name to be thanked by,
// and the gift was not taken back.
func (e *WallEntry) MayShow() bool { return e.consents && e.Name != "" && e.Minor > 0 }

// Read reports whether what would be shown is what staff decided about.
func (e *WallEntry) Read() bool { return e.words == e.Words() }

// wallEntries reads entries. What supporters chose about themselves stands above
// what they said with a gift, and that one is to be kept out of sight above all.
const wallEntries = `
	SELECT w.checkout, w.donation, w.state, w.words, w.batch, w.shown_at, w.decided_at, w.decided_by,
		c.name, c.anonymous, CASE WHEN c.show_message THEN c.message ELSE '' END, c.locale,
		d.supporter, d.currency, d.gross_minor - d.refunded_minor - d.disputed_minor, d.created_at,
		COALESCE(s.public, NOT c.anonymous) AND NOT EXISTS (
			SELECT 1 FROM donations o JOIN checkouts k ON k.id = o.checkout WHERE o.supporter = d.supporter AND k.discreet), COALESCE(s.name, '')
	FROM wall w JOIN checkouts c ON c.id = w.checkout JOIN donations d ON d.key = w.donation
		LEFT JOIN supporter_choices s ON substr(d.supporter, 1, 8) = 'address:' AND s.address = substr(d.supporter, 9)
	WHERE w.state = $1 `

// A queryer is a pool of connections, or a transaction.
type queryer interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

func wallIn(ctx context.Context, from queryer, query string, args ...any) ([]WallEntry, error) {
	var found []WallEntry
	err := scanAll(from.QueryContext(ctx, query, args...))(func(r *sql.Rows) error {
		var e WallEntry
		var shown, decided, given int64
		var anonymous bool
		var chosen string
		err := r.Scan(&e.Checkout, &e.Donation, &e.State, &e.words, &e.Batch, &shown, &decided, &e.By, &e.Name, &anonymous, &e.Message, &e.Locale,
			&e.Supporter, &e.Currency, &e.Minor, &given, &e.consents, &chosen)
		if chosen != "" {
			e.Name = chosen
		}
		e.Shown, e.Decided, e.Given = Time(shown), Time(decided), Time(given)
		found = append(found, e)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read the wall: %w", err)
	}
	return found, nil
}

// Wall returns up to limit entries in a state: of those that wait the oldest
// first, of others the newest. Some may not be shown: see [WallEntry.MayShow]
// and [WallEntry.Read]. Within a batch the order tells nothing.
func (s *Store) Wall(ctx context.Context, state string, limit int) ([]WallEntry, error) {
	order := `w.batch DESC, w.words, w.checkout`
	switch state {
	case WallWaiting:
		order = `w.found_at, w.checkout`
	case WallAccepted, WallRejected:
		order = `w.decided_at DESC, w.checkout`
	}
	return wallIn(ctx, s.read, wallEntries+`ORDER BY `+order+` LIMIT $2`, state, limit)
}

// WallAfter returns up to limit entries in a state, by their checkouts, from the
// one after a checkout.
func (s *Store) WallAfter(ctx context.Context, state, checkout string, limit int) ([]WallEntry, error) {
	return wallIn(ctx, s.read, wallEntries+`AND w.checkout > $2 ORDER BY w.checkout LIMIT $3`, state, checkout, limit)
}

// A WallGift leads from a checkout to the gift that came of it.
type WallGift struct {
	Checkout string
	Session  string // Stripe's
	Donation string // key; "" where the session has to say it
}

// WallCandidates returns up to limit checkouts since an instant whose givers
// said that they may be named, and that the wall does not have, the newest
// first. Whether they were paid is for their sessions to say.
func (s *Store) WallCandidates(ctx context.Context, since time.Time, limit int) ([]WallGift, error) {
	return s.wallGifts(ctx, `
		SELECT c.id, c.session, '' FROM checkouts c
		WHERE c.created_at >= $1 AND c.name <> '' AND NOT c.anonymous AND c.session <> ''
			AND NOT EXISTS (SELECT 1 FROM wall w WHERE w.checkout = c.id)
		ORDER BY c.created_at DESC LIMIT $2`, since, limit)
}

// WallChosen returns up to limit gifts since an instant whose givers said so
// later, on their own pages, and that the wall does not have.
func (s *Store) WallChosen(ctx context.Context, since time.Time, limit int) ([]WallGift, error) {
	return s.wallGifts(ctx, `
		SELECT c.id, c.session, MIN(d.key)
		FROM supporter_choices s JOIN donations d ON d.supporter = 'address:' || s.address JOIN checkouts c ON c.id = d.checkout
		WHERE s.public AND d.created_at >= $1 AND NOT d.renewal AND (s.name <> '' OR c.name <> '')
			AND NOT EXISTS (SELECT 1 FROM wall w WHERE w.checkout = c.id)
		GROUP BY c.id, c.session LIMIT $2`, since, limit)
}

func (s *Store) wallGifts(ctx context.Context, query string, since time.Time, limit int) ([]WallGift, error) {
	var found []WallGift
	err := scanAll(s.read.QueryContext(ctx, query, Micros(since), limit))(func(r *sql.Rows) error {
		var g WallGift
		err := r.Scan(&g.Checkout, &g.Session, &g.Donation)
		found = append(found, g)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("look for gifts to thank for: %w", err)
	}
	return found, nil
}

// FirstGiftOf returns the key of the earliest donation of a subscription, or ""
// where there is none yet.
func (s *Store) FirstGiftOf(ctx context.Context, subscription string) (key string, err error) {
	err = s.read.QueryRowContext(ctx, `
		SELECT d.key FROM memberships m JOIN donations d ON d.supporter = m.supporter AND d.subscription = m.subscription
		WHERE m.subscription = $1 ORDER BY d.created_at, d.key LIMIT 1`, subscription).Scan(&key)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return "", fmt.Errorf("read the first gift of a membership: %w", err)
	}
	return key, nil
}

// AddWall has gifts wait to be read; those that the wall has stay as they are.
func (s *Store) AddWall(ctx context.Context, gifts []WallGift, now time.Time) error {
	err := s.inTx(ctx, func(tx *sql.Tx) error {
		for _, g := range gifts {
			if _, err := tx.ExecContext(ctx, `
				INSERT INTO wall (checkout, donation, state, words, batch, found_at, decided_at, decided_by, shown_at)
				VALUES ($1, $2, 'waiting', '', 0, $3, 0, '', 0) ON CONFLICT (checkout) DO NOTHING`, g.Checkout, g.Donation, Micros(now)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("have gifts wait for the wall: %w", err)
	}
	return nil
}

// WaitAgain has entries wait whose words are no longer those that were decided
// about.
func (s *Store) WaitAgain(ctx context.Context, entries []WallEntry) error {
	for _, e := range entries {
		_, err := s.write.ExecContext(ctx, `
			UPDATE wall SET state = 'waiting', words = '', batch = 0, decided_at = 0, decided_by = '', shown_at = 0
			WHERE checkout = $1 AND words = $2 AND state <> 'waiting'`, e.Checkout, e.words)
		if err != nil {
			return fmt.Errorf("have words wait to be read again: %w", err)
		}
	}
	return nil
}

// A WallDecision is what staff decided about the words that they read.
type WallDecision struct {
	Checkout string
	Words    string // see [WallEntry.Words]
	Accept   bool
}

// DecideWall notes what staff decided, and audits it. Where least people or more
// are accepted and not shown by then, they all are from then on, as one batch.
// It returns how many that were.
//
// The log's turn keeps two replicas from each making a batch of the same people.
func (s *Store) DecideWall(ctx context.Context, decisions []WallDecision, least int, e Entry) (shown int, err error) {
	err = s.audited(ctx, e, func(tx *sql.Tx) error {
		for _, d := range decisions {
			state := WallRejected
			if d.Accept {
				state = WallAccepted
			}
			// Who is shown already, and accepted once more, stays in their batch.
			_, err := tx.ExecContext(ctx, `
				UPDATE wall SET state = $2, words = $3, batch = 0, shown_at = 0, decided_at = $4, decided_by = $5
				WHERE checkout = $1 AND NOT (state = 'shown' AND words = $3 AND $2 = 'accepted')`,
				d.Checkout, state, d.Words, Micros(e.At), e.Who)
			if err != nil {
				return err
			}
		}
		shown, err = showBatch(ctx, tx, least, e.At)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("decide about the wall: %w", err)
	}
	return shown, nil
}

// showBatch shows who was accepted, if they are least people or more.
func showBatch(ctx context.Context, tx *sql.Tx, least int, now time.Time) (int, error) {
	accepted, err := wallIn(ctx, tx, wallEntries, WallAccepted)
	if err != nil {
		return 0, err
	}
	people := map[string]bool{}
	var batch []string
	for _, e := range accepted {
		if e.MayShow() && e.Read() {
			people[e.Supporter] = true
			batch = append(batch, e.Checkout)
		}
	}
	if len(people) < least {
		return 0, nil
	}
	var number int64
	if err := tx.QueryRowContext(ctx, `SELECT COALESCE(MAX(batch), 0) + 1 FROM wall`).Scan(&number); err != nil {
		return 0, err
	}
	for _, checkout := range batch {
		if _, err := tx.ExecContext(ctx, `UPDATE wall SET state = 'shown', batch = $2, shown_at = $3 WHERE checkout = $1`,
			checkout, number, Micros(now)); err != nil {
			return 0, err
		}
	}
	return len(batch), nil
}

// SaidPublic reports whether somebody said with a gift that they may be thanked
// by name.
func (s *Store) SaidPublic(ctx context.Context, address string) (said bool, err error) {
	err = s.read.QueryRowContext(ctx, `
		SELECT EXISTS (SELECT 1 FROM donations d JOIN checkouts c ON c.id = d.checkout
			WHERE d.supporter = $1 AND c.name <> '' AND NOT c.anonymous)`, ByAddress(address)).Scan(&said)
	if err != nil {
		return false, fmt.Errorf("look up whether a supporter may be named: %w", err)
	}
	return said, nil
}
