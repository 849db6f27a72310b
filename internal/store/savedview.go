package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/united24media/support/internal/fault"
)

// A SavedView is filters of a list that a member of staff keeps.
type SavedView struct {
	ID      string
	Staff   string // whose it is; nobody else sees it
	Name    string // "" for a search that is kept for a while only, out of the URL
	Filters string // as a query
	Created time.Time
}

// Limits of saved views.
const (
	maxViews = 50 // with a name, of one member

	SearchLife = 24 * time.Hour // of one without a name; docs/privacy.md says the same
)

// DropSearches removes what staff searched for before an instant.
func (s *Store) DropSearches(ctx context.Context, before time.Time) error {
	if _, err := s.write.ExecContext(ctx, `DELETE FROM saved_views WHERE name = '' AND created_at < $1`, Micros(before)); err != nil {
		return fmt.Errorf("drop old searches: %w", err)
	}
	return nil
}

// AddView stores a view, in place of the member's one of the same name, and
// drops searches that are over. It returns a [fault.Conflict] for one too many.
func (s *Store) AddView(ctx context.Context, v SavedView) error {
	err := s.inTx(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM saved_views WHERE staff = $1 AND (name = '' AND created_at < $2 OR name = $3 AND name <> '')`,
			v.Staff, Micros(v.Created.Add(-SearchLife)), v.Name); err != nil {
			return err
		}
		var count int
		if err := tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM saved_views WHERE staff = $1 AND name <> ''`, v.Staff).Scan(&count); err != nil {
			return err
		}
		if v.Name != "" && count >= maxViews {
			return fault.New(fault.Conflict, "You have %d saved views; remove one first.", count)
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO saved_views (id, staff, name, filters, created_at) VALUES ($1, $2, $3, $4, $5)`,
			v.ID, v.Staff, v.Name, v.Filters, Micros(v.Created))
		return err
	})
	if err != nil {
		return fmt.Errorf("save a view: %w", err)
	}
	return nil
}

// Views returns a member's views that have names, by name.
func (s *Store) Views(ctx context.Context, staff string) ([]SavedView, error) {
	var found []SavedView
	err := scanAll(s.read.QueryContext(ctx, `
		SELECT id, staff, name, filters, created_at FROM saved_views WHERE staff = $1 AND name <> '' ORDER BY name, id`, staff))(
		func(r *sql.Rows) error {
			v, err := scanView(r)
			found = append(found, v)
			return err
		})
	if err != nil {
		return nil, fmt.Errorf("read saved views: %w", err)
	}
	return found, nil
}

// View returns one of a member's views, or a [fault.NotFound].
func (s *Store) View(ctx context.Context, staff, id string) (SavedView, error) {
	v, err := scanView(s.read.QueryRowContext(ctx, `
		SELECT id, staff, name, filters, created_at FROM saved_views WHERE id = $1 AND staff = $2`, id, staff))
	if errors.Is(err, sql.ErrNoRows) {
		return SavedView{}, fault.New(fault.NotFound, "This search is over, or was somebody else's; search again.")
	}
	if err != nil {
		return SavedView{}, fmt.Errorf("read a saved view: %w", err)
	}
	return v, nil
}

// DropView removes one of a member's views, or returns a [fault.NotFound].
func (s *Store) DropView(ctx context.Context, staff, id string) error {
	return changed(s.write.ExecContext(ctx, `DELETE FROM saved_views WHERE id = $1 AND staff = $2`, id, staff))
}

func scanView(r row) (SavedView, error) {
	var v SavedView
	var created int64
	err := r.Scan(&v.ID, &v.Staff, &v.Name, &v.Filters, &created)
	v.Created = Time(created)
	return v, err
}
