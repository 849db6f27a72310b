package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/united24media/support/internal/fault"
)

// Who said what an article is called.
const (
	FromFeed  = "feed"
	FromStaff = "staff" // no feed changes it
)

// An Article is what an article of the site is called, and where it is.
type Article struct {
	Slug    string
	Title   string    // plain text; "" where unknown
	Address string    // absolute; "" where unknown
	Source  string    // FromFeed or FromStaff
	Seen    time.Time // when it was last said differently
}

// articlesAtOnce is how many articles a transaction writes.
const articlesAtOnce = 500

// AddArticles stores what a feed says. What staff said stays; what the feed
// leaves out, stays as it was. It may run on several replicas at once.
func (s *Store) AddArticles(ctx context.Context, articles []Article) error {
	sorted := slices.Clone(articles) // replicas take rows in one order, and never wait for each other in a circle
	slices.SortFunc(sorted, func(a, b Article) int { return cmp.Compare(a.Slug, b.Slug) })
	for batch := range slices.Chunk(sorted, articlesAtOnce) {
		if err := s.addArticles(ctx, batch); err != nil {
			return fmt.Errorf("store articles: %w", err)
		}
	}
	return nil
}

func (s *Store) addArticles(ctx context.Context, batch []Article) error {
	slugs := make([]string, len(batch))
	for i, a := range batch {
		slugs[i] = a.Slug
	}
	known, err := s.Articles(ctx, slugs)
	if err != nil {
		return err
	}
	var news []Article
	for _, a := range batch {
		is := known[a.Slug]
		if is.Source != FromStaff && (a.Title != "" && a.Title != is.Title || a.Address != "" && a.Address != is.Address || is.Slug == "") {
			news = append(news, a)
		}
	}
	if len(news) == 0 { // nearly always
		return nil
	}
	return s.inTx(ctx, func(tx *sql.Tx) error {
		for _, a := range news {
			if _, err := tx.ExecContext(ctx, `
				INSERT INTO articles (slug, title, address, source, seen_at) VALUES ($1, $2, $3, 'feed', $4)
				ON CONFLICT (slug) DO UPDATE SET seen_at = excluded.seen_at,
					title = CASE excluded.title WHEN '' THEN articles.title ELSE excluded.title END,
					address = CASE excluded.address WHEN '' THEN articles.address ELSE excluded.address END
				WHERE articles.source = 'feed'`,
				a.Slug, a.Title, a.Address, Micros(a.Seen)); err != nil {
				return err
			}
		}
		return nil
	})
}

// Articles returns what is known of some articles, by slug.
func (s *Store) Articles(ctx context.Context, slugs []string) (map[string]Article, error) {
	found := make(map[string]Article, len(slugs))
	if len(slugs) == 0 {
		return found, nil
	}
	err := scanAll(s.read.QueryContext(ctx, `
		SELECT slug, title, address, source, seen_at FROM articles WHERE `+s.anyOf("slug", 1, "TEXT"), s.listOf(slugs)))(
		func(r *sql.Rows) error {
			a, err := scanArticle(r)
			found[a.Slug] = a
			return err
		})
	if err != nil {
		return nil, fmt.Errorf("read articles: %w", err)
	}
	return found, nil
}

// NewestArticles returns the articles whose slug or title holds a text, those
// last that were said differently longest ago. Letters other than ASCII's are
// found as they are written.
func (s *Store) NewestArticles(ctx context.Context, text string, limit int) ([]Article, error) {
	pattern := "%" + strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(strings.ToLower(text)) + "%"
	var found []Article
	err := scanAll(s.read.QueryContext(ctx, `
		SELECT slug, title, address, source, seen_at FROM articles
		WHERE lower(slug) LIKE $1 ESCAPE '\' OR lower(title) LIKE $1 ESCAPE '\'
		ORDER BY seen_at DESC, slug LIMIT $2`, pattern, limit))(
		func(r *sql.Rows) error {
			a, err := scanArticle(r)
			found = append(found, a)
			return err
		})
	if err != nil {
		return nil, fmt.Errorf("read articles: %w", err)
	}
	return found, nil
}

// CorrectArticle stores what staff say an article is called, audited.
func (s *Store) CorrectArticle(ctx context.Context, a Article, e Entry) error {
	err := s.audited(ctx, e, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `
			INSERT INTO articles (slug, title, address, source, seen_at) VALUES ($1, $2, $3, 'staff', $4)
			ON CONFLICT (slug) DO UPDATE SET title = excluded.title, address = excluded.address, source = excluded.source, seen_at = excluded.seen_at`,
			a.Slug, a.Title, a.Address, Micros(e.At))
		return err
	})
	if err != nil {
		return fmt.Errorf("correct article %s: %w", a.Slug, err)
	}
	return nil
}

// ReleaseArticle lets the feed name an article again that staff had named,
// audited. It returns a [fault.NotFound] where they had not.
func (s *Store) ReleaseArticle(ctx context.Context, slug string, e Entry) error {
	err := s.audited(ctx, e, func(tx *sql.Tx) error {
		err := tx.QueryRowContext(ctx, `UPDATE articles SET source = 'feed' WHERE slug = $1 AND source = 'staff' RETURNING slug`, slug).Scan(&slug)
		if errors.Is(err, sql.ErrNoRows) {
			return fault.New(fault.NotFound, "Nobody corrected this article; the feed names it already.")
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("release article %s: %w", slug, err)
	}
	return nil
}

func scanArticle(r row) (Article, error) {
	var a Article
	var seen int64
	err := r.Scan(&a.Slug, &a.Title, &a.Address, &a.Source, &seen)
	a.Seen = Time(seen)
	return a, err
}
