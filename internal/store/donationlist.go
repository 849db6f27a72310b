package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/united24media/support/internal/fault"
	"github.com/united24media/support/internal/giving"
)

// A Position is a place in the list of donations: the last one shown.
type Position struct {
	Created int64 // seconds since 1970
	Key     string
}

// A DonationFilter chooses donations. Its zero value chooses all.
type DonationFilter struct {
	From, To time.Time         // To is exclusive; zero means no bound
	Equal    map[string]string // by names that [FilterableDonationField] knows
	After    Position          // zero starts at the newest
	Limit    int               // rows at most, 1 or more
}

// donationFields holds the columns that a list can be filtered by, by the name
// a caller gives them.
var donationFields = map[string]string{
	"article": "article", "placement": "placement", "campaign": "campaign", "variant": "variant",
	"country": "country", "currency": "currency", "interval": "gift_interval", "tier": "tier",
	"attribution": "attribution", "source": "source", "settlement_currency": "settlement_currency",
}

// FilterableDonationField reports whether lists can be filtered by a name.
func FilterableDonationField(name string) bool { return donationFields[name] != "" }

// Donations returns a page of donations, newest first.
func (s *Store) Donations(ctx context.Context, f DonationFilter) ([]*giving.Donation, error) {
	where, args := f.conditions()
	args = append(args, f.Limit)
	rows, err := s.read.QueryContext(ctx, fmt.Sprintf(`SELECT %s FROM donations %s ORDER BY created_at DESC, key DESC LIMIT $%d`,
		donationColumns, where, len(args)), args...)
	if err != nil {
		return nil, fmt.Errorf("list donations: %w", err)
	}
	defer rows.Close()
	var donations []*giving.Donation
	for rows.Next() {
		d, err := scanDonation(rows)
		if err != nil {
			return nil, fmt.Errorf("list donations: %w", err)
		}
		donations = append(donations, d)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("list donations: %w", err)
	}
	return donations, nil
}

// conditions returns a WHERE of only the filters in use, which plans better
// than one that names all, and its arguments.
func (f DonationFilter) conditions() (where string, args []any) {
	var parts []string
	add := func(format string, values ...any) {
		numbers := make([]any, len(values))
		for i := range values {
			numbers[i] = len(args) + i + 1
		}
		args = append(args, values...)
		parts = append(parts, fmt.Sprintf(format, numbers...))
	}
	if !f.From.IsZero() {
		add("created_at >= $%d", Micros(f.From))
	}
	if !f.To.IsZero() {
		add("created_at < $%d", Micros(f.To))
	}
	if f.After != (Position{}) {
		add("(created_at, key) < ($%d, $%d)", f.After.Created*microsPerSecond, f.After.Key)
	}
	for _, name := range slices.Sorted(maps.Keys(f.Equal)) { // sorted, so that one filter is one prepared statement
		if column := donationFields[name]; column != "" {
			add(column+" = $%d", f.Equal[name])
		}
	}
	if len(parts) == 0 {
		return "", nil
	}
	return "WHERE " + strings.Join(parts, " AND "), args
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
