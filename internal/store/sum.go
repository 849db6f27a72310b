package store

import (
	"context"
	"fmt"
	"strings"

	"github.com/united24media/support/internal/giving"
)

// A Presence is how many live donations and memberships a supporter has in a
// scope, or by how many that number moves.
type Presence struct{ Donations, Memberships int64 }

// A Place is a supporter in a scope.
type Place struct{ Scope, Supporter string }

var presenceRows = bulk{
	"supporter_scopes",
	append(columnsOf("TEXT", "scope", "supporter"), columnsOf("BIGINT", "donations", "memberships")...),
	`ON CONFLICT (scope, supporter) DO UPDATE SET donations = supporter_scopes.donations + excluded.donations,
		memberships = supporter_scopes.memberships + excluded.memberships
	RETURNING scope, supporter, donations, memberships`,
}

// MovePresence adds to what supporters have in scopes and calls f with what each
// has then.
func (t *Tx) MovePresence(ctx context.Context, moves map[Place]Presence, f func(Place, Presence)) error {
	r := presenceRows.rows(len(moves))
	for place, by := range moves {
		r.add(place.Scope, place.Supporter, by.Donations, by.Memberships)
	}
	var place Place
	var has Presence
	return t.write(ctx, r, func(r row) error {
		err := r.Scan(&place.Scope, &place.Supporter, &has.Donations, &has.Memberships)
		if err == nil {
			f(place, has)
		}
		return err
	})
}

// DropAbsent removes supporters from scopes in which nothing of them is left.
func (t *Tx) DropAbsent(ctx context.Context, places []Place) error {
	for _, p := range places {
		err := t.later(ctx, `
			DELETE FROM supporter_scopes
			WHERE scope = $1 AND supporter = $2 AND donations = 0 AND memberships = 0`, []any{p.Scope, p.Supporter}, nil)
		if err != nil {
			return err
		}
	}
	return nil
}

var scopeRows = bulk{
	"scopes",
	append(columnsOf("TEXT", "scope"), columnsOf("BIGINT", "supporters", "members", "revision")...),
	`ON CONFLICT (scope) DO UPDATE SET supporters = scopes.supporters + excluded.supporters,
		members = scopes.members + excluded.members, revision = excluded.revision
	RETURNING scope, supporters, members, revision`,
}

// MoveScopes adds to the public counts and returns what they are then. All of
// them carry the next revision.
func (t *Tx) MoveScopes(ctx context.Context, moves map[string]ScopeCount) ([]ScopeCount, error) {
	if len(moves) == 0 {
		return nil, nil
	}
	var revision int64
	err := t.query(ctx, `UPDATE scopes SET revision = revision + 1 WHERE scope = '' RETURNING revision`, nil,
		func(r row) error { return r.Scan(&revision) })
	if err != nil {
		return nil, fmt.Errorf("raise the counts' revision: %w", err)
	}
	r := scopeRows.rows(len(moves))
	for scope, by := range moves {
		r.add(scope, by.Supporters, by.Members, revision)
	}
	var now []ScopeCount
	err = t.write(ctx, r, func(r row) error {
		var c ScopeCount
		err := r.Scan(&c.Scope, &c.Supporters, &c.Members, &c.Revision)
		now = append(now, c)
		return err
	})
	return now, err
}

// sumKey are the columns by which a sum is known.
const sumKey = `dimension, period, value, currency, settlement_currency`

// sumFigures are the columns of the sums that add up.
var sumFigures = []string{
	"donations", "new_supporters", "won", "kept", "gross_minor", "refunded_minor", "disputed_minor", "fee_minor", "net_minor",
}

// addedUp returns what adds sums up, and the test that something is left.
func addedUp() (sums, left string) {
	var all, not []string
	for _, figure := range sumFigures {
		all = append(all, `CAST(SUM(`+figure+`) AS BIGINT)`)
		not = append(not, `SUM(`+figure+`) <> 0`)
	}
	return strings.Join(all, ", "), strings.Join(not, " OR ")
}

var sumRows = bulk{
	"sums",
	append([]column{
		{"dimension", "TEXT"}, {"period", "BIGINT"}, {"value", "TEXT"}, {"currency", "TEXT"}, {"settlement_currency", "TEXT"},
	}, columnsOf("BIGINT", sumFigures...)...),
	`ON CONFLICT (` + sumKey + `) DO UPDATE SET
		donations = sums.donations + excluded.donations, new_supporters = sums.new_supporters + excluded.new_supporters,
		won = sums.won + excluded.won, kept = sums.kept + excluded.kept,
		gross_minor = sums.gross_minor + excluded.gross_minor, refunded_minor = sums.refunded_minor + excluded.refunded_minor,
		disputed_minor = sums.disputed_minor + excluded.disputed_minor,
		fee_minor = sums.fee_minor + excluded.fee_minor, net_minor = sums.net_minor + excluded.net_minor`,
}

// MoveSums adds figures to cells of the sums, and to what follows from them.
func (t *Tx) MoveSums(ctx context.Context, moves giving.Cells) error {
	inParts := t.fresh != nil && !t.fresh.addedUp
	r := sumRows.rows(len(moves))
	if inParts {
		r.bulk = &sumParts
	}
	for c, f := range moves {
		if *f != (giving.Figures{}) {
			r.add(c.Dimension, c.Period, c.Value, c.Currency, c.Settlement,
				f.Donations, f.NewSupporters, f.Won, f.Kept, f.Gross, f.Refunded, f.Disputed, f.Fee, f.Net)
		}
	}
	if err := t.write(ctx, r, nil); err != nil || inParts {
		return err
	}
	return t.moveRankings(ctx, moves)
}

// Sums calls f for every cell of the sums that is not empty.
func (t *Tx) Sums(ctx context.Context, f func(giving.Cell, giving.Figures)) error {
	return t.query(ctx, `
		SELECT dimension, period, value, currency, settlement_currency, donations, new_supporters, won, kept,
			gross_minor, refunded_minor, disputed_minor, fee_minor, net_minor
		FROM sums`, nil, func(r row) error {
		var c giving.Cell
		var n giving.Figures
		err := r.Scan(&c.Dimension, &c.Period, &c.Value, &c.Currency, &c.Settlement,
			&n.Donations, &n.NewSupporters, &n.Won, &n.Kept, &n.Gross, &n.Refunded, &n.Disputed, &n.Fee, &n.Net)
		if err == nil && n != (giving.Figures{}) {
			f(c, n)
		}
		return err
	})
}

var movementRows = bulk{
	"membership_sums",
	[]column{
		{"period", "BIGINT"}, {"cohort", "BIGINT"}, {"movement", "TEXT"}, {"currency", "TEXT"}, {"members", "BIGINT"}, {"monthly_minor", "BIGINT"},
	},
	`ON CONFLICT (period, cohort, movement, currency) DO UPDATE SET
		members = membership_sums.members + excluded.members, monthly_minor = membership_sums.monthly_minor + excluded.monthly_minor`,
}

// MoveMovements adds to the movements of memberships.
func (t *Tx) MoveMovements(ctx context.Context, moves map[giving.MovementCell]giving.Moved) error {
	r := movementRows.rows(len(moves))
	for c, by := range moves {
		if by != (giving.Moved{}) {
			r.add(c.Period, c.Cohort, string(c.Movement), c.Currency, by.Members, by.Monthly)
		}
	}
	return t.write(ctx, r, nil)
}

// Movements calls f for every movement of memberships that is not nothing, from
// a period to, but without, another: days, or months.
func (t *Tx) Movements(ctx context.Context, from, to int64, f func(giving.MovementCell, giving.Moved)) error {
	err := t.query(ctx, `
		SELECT period, cohort, movement, currency, members, monthly_minor FROM membership_sums
		WHERE period >= $1 AND period < $2`, []any{from, to}, func(r row) error {
		var c giving.MovementCell
		var by giving.Moved
		err := r.Scan(&c.Period, &c.Cohort, &c.Movement, &c.Currency, &by.Members, &by.Monthly)
		if err == nil && by != (giving.Moved{}) {
			f(c, by)
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("read movements of memberships: %w", err)
	}
	return nil
}

// Presences calls f for everything that supporters have in scopes.
func (t *Tx) Presences(ctx context.Context, f func(Place, Presence)) error {
	return t.query(ctx, `SELECT scope, supporter, donations, memberships FROM supporter_scopes`, nil, func(r row) error {
		var place Place
		var has Presence
		err := r.Scan(&place.Scope, &place.Supporter, &has.Donations, &has.Memberships)
		if err == nil && has != (Presence{}) {
			f(place, has)
		}
		return err
	})
}

// Scopes calls f for every public count.
func (t *Tx) Scopes(ctx context.Context, f func(ScopeCount)) error {
	return t.query(ctx, `SELECT scope, supporters, members, revision FROM scopes WHERE scope <> ''`, nil, func(r row) error {
		var c ScopeCount
		err := r.Scan(&c.Scope, &c.Supporters, &c.Members, &c.Revision)
		if err == nil {
			f(c)
		}
		return err
	})
}
