package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/united24media/support/internal/fault"
	"github.com/united24media/support/internal/giving"
)

// ByAddress returns the key under which the gifts of an address are found. No
// gift without an address has such a key.
func ByAddress(address string) string { return giving.SupporterKey(address, "", "") }

// KnownAddress reports whether an address has a gift or a membership.
func (s *Store) KnownAddress(ctx context.Context, address string) (bool, error) {
	var known bool
	err := s.read.QueryRowContext(ctx, `
		SELECT EXISTS (SELECT 1 FROM donations WHERE supporter = $1) OR
			EXISTS (SELECT 1 FROM memberships WHERE supporter = $1)`, ByAddress(address)).Scan(&known)
	if err != nil {
		return false, fmt.Errorf("look an address up: %w", err)
	}
	return known, nil
}

// GiftsOf returns the donations of an address, newest first.
func (s *Store) GiftsOf(ctx context.Context, address string) ([]*giving.Donation, error) {
	var gifts []*giving.Donation
	err := scanAll(s.read.QueryContext(ctx, `SELECT `+donationColumns+` FROM donations WHERE supporter = $1 AND email <> ''
		ORDER BY created_at DESC, key DESC`, ByAddress(address)))(func(r *sql.Rows) error {
		d, err := scanDonation(r)
		gifts = append(gifts, d)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read somebody's gifts: %w", err)
	}
	return gifts, nil
}

// GiftOf returns a donation of an address, or a [fault.NotFound].
func (s *Store) GiftOf(ctx context.Context, address, key string) (*giving.Donation, error) {
	d, err := scanDonation(s.read.QueryRowContext(ctx, `SELECT `+donationColumns+` FROM donations
		WHERE key = $1 AND supporter = $2 AND email <> ''`, key, ByAddress(address)))
	if errors.Is(err, sql.ErrNoRows) {
		return nil, fault.New(fault.NotFound, "There is no such gift.")
	}
	if err != nil {
		return nil, fmt.Errorf("read somebody's gift: %w", err)
	}
	return d, nil
}

// MembershipsOf returns the memberships of an address, newest first.
func (s *Store) MembershipsOf(ctx context.Context, address string) (found []*giving.Membership, err error) {
	err = s.Look(ctx, func(t *Tx) error {
		found, err = t.memberships(ctx, `supporter = $1 AND email <> '' ORDER BY created_at DESC, subscription`, ByAddress(address))
		return err
	})
	return found, err
}

// MembershipOf returns a membership of an address, or a [fault.NotFound].
func (s *Store) MembershipOf(ctx context.Context, address, subscription string) (*giving.Membership, error) {
	var found []*giving.Membership
	err := s.Look(ctx, func(t *Tx) (err error) {
		found, err = t.memberships(ctx, `subscription = $1 AND supporter = $2 AND email <> ''`, subscription, ByAddress(address))
		return err
	})
	if err == nil && len(found) == 0 {
		err = fault.New(fault.NotFound, "There is no such membership.")
	}
	if err != nil {
		return nil, err
	}
	return found[0], nil
}

// Choices are what a supporter chose about themselves.
type Choices struct {
	Address   string // without case
	Locale    string // "" follows the browser, or the gift
	Public    bool   // may be thanked by name
	Name      string // that name; "" is as it was given with each gift
	Renewals  bool   // a receipt by mail for each renewal
	Statement bool   // word by mail that the yearly statement is there
	Reminders bool   // a mail before a yearly renewal
	Discreet  bool   // must not be known as a supporter; then nothing is public
}

// ChoicesOf returns the choices of an address; somebody who made none is
// mailed, and named where they said so with a gift. made tells which. Whoever
// chose with a gift to be kept out of sight is, until they choose otherwise.
func (s *Store) ChoicesOf(ctx context.Context, address string) (c Choices, made bool, err error) {
	c = Choices{Address: fold(address), Renewals: true, Statement: true, Reminders: true}
	err = s.read.QueryRowContext(ctx, `
		SELECT locale, public, name, mail_renewals, mail_statement, mail_reminders, discreet FROM supporter_choices WHERE address = $1`, c.Address).
		Scan(&c.Locale, &c.Public, &c.Name, &c.Renewals, &c.Statement, &c.Reminders, &c.Discreet)
	made = err == nil
	if errors.Is(err, sql.ErrNoRows) {
		c.Public, err = s.SaidPublic(ctx, c.Address)
	}
	if err == nil && !c.Discreet {
		err = s.read.QueryRowContext(ctx, `
			SELECT EXISTS (SELECT 1 FROM checkouts WHERE discreet AND `+checkoutsOf+`)`, ByAddress(address)).Scan(&c.Discreet)
	}
	if err != nil {
		return c, false, fmt.Errorf("read a supporter's choices: %w", err)
	}
	if c.Discreet {
		c.Public, c.Renewals, c.Statement = false, false, false
	}
	return c, made, nil
}

// checkoutsOf is the condition on the checkouts that came to a gift of
// supporter $1.
const checkoutsOf = `id IN (SELECT checkout FROM donations WHERE supporter = $1 UNION SELECT checkout FROM memberships WHERE supporter = $1)`

// PutChoices stores what a supporter chose. Who does not choose to be kept out
// of sight is not any more, whatever was chosen with a gift.
func (s *Store) PutChoices(ctx context.Context, c Choices, at time.Time) error {
	err := s.inTx(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `
			INSERT INTO supporter_choices (address, locale, public, name, mail_renewals, mail_statement, mail_reminders, updated_at, discreet)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
			ON CONFLICT (address) DO UPDATE SET locale = excluded.locale, public = excluded.public, name = excluded.name,
				mail_renewals = excluded.mail_renewals, mail_statement = excluded.mail_statement,
				mail_reminders = excluded.mail_reminders, updated_at = excluded.updated_at, discreet = excluded.discreet`,
			fold(c.Address), c.Locale, c.Public && !c.Discreet, c.Name, c.Renewals, c.Statement, c.Reminders, Micros(at), c.Discreet)
		if err == nil && !c.Discreet {
			_, err = tx.ExecContext(ctx, `UPDATE checkouts SET discreet = FALSE WHERE discreet AND `+checkoutsOf, ByAddress(c.Address))
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("store a supporter's choices: %w", err)
	}
	return nil
}
