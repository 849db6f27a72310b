package store

import (
	"context"
	"fmt"
)

// A ScopeCount is the public count of one scope: `all`, `article:SLUG` or
// `campaign:SLUG`.
type ScopeCount struct {
	Scope      string
	Supporters int64
	Members    int64
	Revision   int64 // one sequence for all scopes, in commit order
}

// ScopesSince returns the scopes that moved after a revision, oldest change
// first; 0 asks for all.
func (s *Store) ScopesSince(ctx context.Context, revision int64) ([]ScopeCount, error) {
	rows, err := s.read.QueryContext(ctx, `
		SELECT scope, supporters, members, revision
		FROM scopes WHERE revision > $1 AND scope <> '' ORDER BY revision, scope`, revision)
	if err != nil {
		return nil, fmt.Errorf("read counts: %w", err)
	}
	defer rows.Close()
	var counts []ScopeCount
	for rows.Next() {
		var c ScopeCount
		if err := rows.Scan(&c.Scope, &c.Supporters, &c.Members, &c.Revision); err != nil {
			return nil, fmt.Errorf("read counts: %w", err)
		}
		counts = append(counts, c)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read counts: %w", err)
	}
	return counts, nil
}
