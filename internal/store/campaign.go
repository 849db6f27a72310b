package store

import (
	"context"
	"database/sql"
	"fmt"
)

// What a campaign's goal counts.
const (
	GoalNone       = ""
	GoalSupporters = "supporters"
	GoalMoney      = "money"
)

// A Campaign is something asks can raise for.
type Campaign struct {
	Slug         string
	Name         string // for readers
	GoalKind     string // GoalNone, GoalSupporters or GoalMoney
	Goal         int64  // people, or minor units of GoalCurrency
	GoalCurrency string // the settlement currency of a money goal, else ""
	Settled      int64  // net settled in GoalCurrency so far, in minor units; 0 without a money goal
	Body         string // the rest of what staff say of it, as JSON; "{}" for nothing
}

// Campaigns returns all campaigns by slug. What counts toward a money goal is
// settled net; gifts that are not settled yet are in no sum of that currency.
func (s *Store) Campaigns(ctx context.Context) ([]Campaign, error) {
	rows, err := s.read.QueryContext(ctx, `
		SELECT c.slug, c.name, c.goal_kind, c.goal, c.goal_currency, c.body, CAST(coalesce(sum(s.net_minor), 0) AS BIGINT)
		FROM campaigns c
		LEFT JOIN sums s ON s.dimension = 'campaign' AND s.value = c.slug
			AND s.settlement_currency = c.goal_currency AND c.goal_currency <> ''
			AND s.period < 1000000 -- months; the days are the same money again
		GROUP BY c.slug, c.name, c.goal_kind, c.goal, c.goal_currency, c.body
		ORDER BY c.slug`)
	if err != nil {
		return nil, fmt.Errorf("read campaigns: %w", err)
	}
	defer rows.Close()
	var campaigns []Campaign
	for rows.Next() {
		var c Campaign
		if err := rows.Scan(&c.Slug, &c.Name, &c.GoalKind, &c.Goal, &c.GoalCurrency, &c.Body, &c.Settled); err != nil {
			return nil, fmt.Errorf("read campaigns: %w", err)
		}
		campaigns = append(campaigns, c)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read campaigns: %w", err)
	}
	return campaigns, nil
}

// CampaignNames returns what campaigns are called, by slug.
func (s *Store) CampaignNames(ctx context.Context) (map[string]string, error) {
	names := map[string]string{}
	err := scanAll(s.read.QueryContext(ctx, `SELECT slug, name FROM campaigns`))(func(r *sql.Rows) error {
		var slug, name string
		err := r.Scan(&slug, &name)
		names[slug] = name
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read the names of campaigns: %w", err)
	}
	return names, nil
}

// PutCampaign adds c, or replaces the campaign of the same slug. Settled is
// not stored: it follows from the donations.
func (s *Store) PutCampaign(ctx context.Context, c Campaign) error {
	if err := s.inTx(ctx, func(tx *sql.Tx) error { return putCampaign(ctx, tx, c) }); err != nil {
		return fmt.Errorf("store campaign %s: %w", c.Slug, err)
	}
	return nil
}

func putCampaign(ctx context.Context, tx *sql.Tx, c Campaign) error {
	if c.Body == "" {
		c.Body = "{}"
	}
	_, err := tx.ExecContext(ctx, `
		INSERT INTO campaigns (slug, name, goal_kind, goal, goal_currency, body)
		VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (slug) DO UPDATE SET name = excluded.name, goal_kind = excluded.goal_kind,
			goal = excluded.goal, goal_currency = excluded.goal_currency, body = excluded.body`,
		c.Slug, c.Name, c.GoalKind, c.Goal, c.GoalCurrency, c.Body)
	return err
}
