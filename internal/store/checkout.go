package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// Statuses of a checkout.
const (
	CheckoutNew    = "new"    // written, Stripe not asked yet or asked right now
	CheckoutOpen   = "open"   // Stripe opened its session
	CheckoutFailed = "failed" // Stripe did not; Error says why
)

// A Checkout is one attempt to give: what was asked for, and Stripe's session
// for it.
type Checkout struct {
	ID             string
	Attempt        string // unique; who tries again with it gets the same checkout
	Digest         string // of what was asked for
	IdempotencyKey string // what Stripe is asked under
	Status         string // new, open or failed
	Error          string // why it failed, for staff
	Session        string // Stripe's id; "" until it is open
	URL            string // where the donor pays
	Currency       string
	AmountMinor    int64
	Interval       string // once, month or year
	Article        string
	Placement      string
	Campaign       string
	Variant        string
	Tier           string
	Locale         string
	Attribution    string // signed or unverified
	UTM            string // JSON object
	Name           string
	Anonymous      bool
	Message        string
	ShowMessage    bool // publicly, with the name
	Discreet       bool // the reader must not be known as a supporter
	ReturnURL      string
	CreatedAt      time.Time
	ExpiresAt      time.Time // when Stripe's session ends
	Day            int64     // 20260131, in the time zone of reports; not stored, but counted
}

const checkoutColumns = `id, attempt, digest, idempotency_key, status, error, session, url, currency, amount_minor,
	gift_interval, article, placement, campaign, variant, tier, locale, attribution, utm, name, anonymous,
	message, show_message, return_url, created_at, expires_at, discreet`

const addCheckout = `
	INSERT INTO checkouts (` + checkoutColumns + `)
	VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21,
		$22, $23, $24, $25, $26, $27)
	ON CONFLICT (attempt) DO NOTHING`

// row returns the values of checkoutColumns.
func (c *Checkout) row() []any {
	return []any{
		c.ID, c.Attempt, c.Digest, c.IdempotencyKey, c.Status, c.Error, c.Session, c.URL, c.Currency, c.AmountMinor,
		c.Interval, c.Article, c.Placement, c.Campaign, c.Variant, c.Tier, c.Locale, c.Attribution, c.UTM, c.Name,
		c.Anonymous, c.Message, c.ShowMessage, c.ReturnURL, Micros(c.CreatedAt), Micros(c.ExpiresAt), c.Discreet,
	}
}

// AddCheckout stores c unless its attempt is taken, and reports whether it did.
// It counts c among the signals of its day.
func (s *Store) AddCheckout(ctx context.Context, c Checkout) (added bool, err error) {
	err = s.inTx(ctx, func(tx *sql.Tx) error {
		var begun []Signal
		begun, err = addCheckoutsIn(ctx, tx, c)
		added = len(begun) > 0
		return err
	})
	if err != nil {
		return false, fmt.Errorf("add a checkout: %w", err)
	}
	return added, nil
}

// AddCheckouts stores checkouts in one transaction. It passes over those whose
// attempt is taken.
func (s *Store) AddCheckouts(ctx context.Context, checkouts []Checkout) error {
	return s.inTx(ctx, func(tx *sql.Tx) error {
		if _, err := addCheckoutsIn(ctx, tx, checkouts...); err != nil {
			return fmt.Errorf("add checkouts: %w", err)
		}
		return nil
	})
}

// addCheckoutsIn returns what it counted: one signal for each that was added.
func addCheckoutsIn(ctx context.Context, tx *sql.Tx, checkouts ...Checkout) ([]Signal, error) {
	var begun []Signal
	for _, c := range checkouts {
		result, err := tx.ExecContext(ctx, addCheckout, c.row()...)
		if err != nil {
			return nil, err
		}
		added, err := oneRow(result)
		if err != nil {
			return nil, err
		}
		if added {
			begun = append(begun, Signal{c.Day, c.Article, c.Placement, c.Variant, "checkout", 1})
		}
	}
	return begun, addSignalsIn(ctx, tx, begun)
}

// CheckoutByAttempt returns the checkout of an attempt; ok is false if there
// is none.
func (s *Store) CheckoutByAttempt(ctx context.Context, attempt string) (c Checkout, ok bool, err error) {
	return s.checkout(ctx, `SELECT `+checkoutColumns+` FROM checkouts WHERE attempt = $1`, attempt)
}

// CheckoutBySession returns the newest checkout of a Stripe session; ok is
// false if there is none, as always for "".
func (s *Store) CheckoutBySession(ctx context.Context, session string) (c Checkout, ok bool, err error) {
	if session == "" {
		return Checkout{}, false, nil
	}
	return s.checkout(ctx, `SELECT `+checkoutColumns+` FROM checkouts WHERE session = $1
		ORDER BY created_at DESC LIMIT 1`, session)
}

func (s *Store) checkout(ctx context.Context, query string, arg string) (c Checkout, ok bool, err error) {
	c, err = scanCheckout(s.read.QueryRowContext(ctx, query, arg))
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return Checkout{}, false, nil
	case err != nil:
		return Checkout{}, false, fmt.Errorf("read a checkout: %w", err)
	}
	return c, true, nil
}

func scanCheckout(r row) (Checkout, error) {
	var c Checkout
	var created, expires int64
	err := r.Scan(
		&c.ID, &c.Attempt, &c.Digest, &c.IdempotencyKey, &c.Status, &c.Error, &c.Session, &c.URL, &c.Currency,
		&c.AmountMinor, &c.Interval, &c.Article, &c.Placement, &c.Campaign, &c.Variant, &c.Tier, &c.Locale,
		&c.Attribution, &c.UTM, &c.Name, &c.Anonymous, &c.Message, &c.ShowMessage, &c.ReturnURL, &created, &expires, &c.Discreet)
	c.CreatedAt, c.ExpiresAt = Time(created), Time(expires)
	return c, err
}

// RenewCheckout gives a checkout a new idempotency key and end, and forgets
// its session, unless somebody else renewed it since it had oldKey; then it
// reports false.
func (s *Store) RenewCheckout(ctx context.Context, id, oldKey, newKey string, expiresAt time.Time) (bool, error) {
	result, err := s.write.ExecContext(ctx, `
		UPDATE checkouts
		SET idempotency_key = $1, expires_at = $2, status = 'new', error = '', session = '', url = ''
		WHERE id = $3 AND idempotency_key = $4`, newKey, Micros(expiresAt), id, oldKey)
	if err != nil {
		return false, fmt.Errorf("renew checkout %s: %w", id, err)
	}
	return oneRow(result)
}

// OpenCheckout stores the session that Stripe opened for a checkout under an
// idempotency key. It changes nothing if the checkout has another key by now.
func (s *Store) OpenCheckout(ctx context.Context, id, key, session, url string) error {
	_, err := s.write.ExecContext(ctx, `
		UPDATE checkouts SET status = 'open', error = '', session = $1, url = $2
		WHERE id = $3 AND idempotency_key = $4`, session, url, id, key)
	if err != nil {
		return fmt.Errorf("store the session of checkout %s: %w", id, err)
	}
	return nil
}

// FailCheckout stores why Stripe opened no session for a checkout. One that is
// open stays so.
func (s *Store) FailCheckout(ctx context.Context, id, reason string) error {
	_, err := s.write.ExecContext(ctx, `
		UPDATE checkouts SET status = 'failed', error = $1
		WHERE id = $2 AND status <> 'open'`, reason, id)
	if err != nil {
		return fmt.Errorf("store the failure of checkout %s: %w", id, err)
	}
	return nil
}

// A Gift is the first donation that came of a checkout.
type Gift struct {
	AmountMinor int64
	Currency    string
	CreatedAt   time.Time
}

// clockSkew is how far Stripe's clock and ours may be apart.
const clockSkew = 10 * time.Minute

// GiftOfCheckout returns the first donation recorded for c; ok is false while
// there is none.
//
// A charge is made while its session is open, so the index on time leads to
// the few donations of that day. One on the checkout would cost every
// recording for the sake of this page alone.
func (s *Store) GiftOfCheckout(ctx context.Context, c Checkout) (g Gift, ok bool, err error) {
	var created int64
	err = s.read.QueryRowContext(ctx, `
		SELECT gross_minor, currency, created_at FROM donations
		WHERE created_at >= $1 AND created_at <= $2 AND checkout = $3
		ORDER BY created_at, key LIMIT 1`,
		Micros(c.CreatedAt.Add(-clockSkew)), Micros(c.ExpiresAt.Add(clockSkew)), c.ID,
	).Scan(&g.AmountMinor, &g.Currency, &created)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return Gift{}, false, nil
	case err != nil:
		return Gift{}, false, fmt.Errorf("read the gift of checkout %s: %w", c.ID, err)
	}
	g.CreatedAt = Time(created)
	return g, true, nil
}

// oneRow reports whether a statement changed a row.
func oneRow(result sql.Result) (bool, error) {
	n, err := result.RowsAffected()
	if err != nil {
		return false, fmt.Errorf("count changed rows: %w", err)
	}
	return n > 0, nil
}
