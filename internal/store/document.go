package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/united24media/support/internal/fault"
)

// A Version is one version of a document that staff publish. Versions are
// facts: none is changed or removed, and an older one is brought back by
// publishing it again.
type Version struct {
	Kind   string // asks, switch or campaign:SLUG
	Number int64  // 1 and up
	Body   string
	Who    string
	Reason string
	At     time.Time
}

// A Draft is what somebody is writing and has not published.
type Draft struct {
	Kind string
	Who  string
	Base int64 // the version it began from; 0 for none
	Body string
	At   time.Time
}

// Published returns the newest document of a kind, or "" where there is none.
func (s *Store) Published(ctx context.Context, kind string) (string, error) {
	v, err := s.Newest(ctx, kind)
	return v.Body, err
}

// Newest returns the newest version of a kind, or the zero version where there
// is none.
func (s *Store) Newest(ctx context.Context, kind string) (Version, error) {
	list, err := s.Versions(ctx, kind, 0, 1)
	if err != nil || len(list) == 0 {
		return Version{Kind: kind}, err
	}
	return list[0], nil
}

// Versions returns up to limit versions of a kind before a number, or the
// newest for 0, from the newest.
func (s *Store) Versions(ctx context.Context, kind string, before int64, limit int) ([]Version, error) {
	var list []Version
	err := scanAll(s.read.QueryContext(ctx, `
		SELECT version, body, who, reason, at FROM documents
		WHERE kind = $1 AND ($2 = 0 OR version < $2) ORDER BY version DESC LIMIT $3`, kind, before, limit))(
		func(r *sql.Rows) error {
			v, at := Version{Kind: kind}, int64(0)
			err := r.Scan(&v.Number, &v.Body, &v.Who, &v.Reason, &at)
			v.At = Time(at)
			list = append(list, v)
			return err
		})
	if err != nil {
		return nil, fmt.Errorf("read versions of %s: %w", kind, err)
	}
	return list, nil
}

// VersionOf returns one version of a kind, or a [fault.NotFound].
func (s *Store) VersionOf(ctx context.Context, kind string, number int64) (Version, error) {
	list, err := s.Versions(ctx, kind, number+1, 1)
	if err == nil && (len(list) == 0 || list[0].Number != number) {
		return Version{}, fault.New(fault.NotFound, "There is no version %d.", number)
	}
	if err != nil {
		return Version{}, err
	}
	return list[0], nil
}

// Publish stores v as the next version after base and returns its number. It
// returns a [fault.Conflict] where somebody else published since. A campaign
// takes effect with it. The audit log's entry is by whom v is, for its reason.
func (s *Store) Publish(ctx context.Context, v Version, base int64, campaign *Campaign, e Entry) (int64, error) {
	number := base + 1
	e.At, e.Who, e.Reason = v.At, v.Who, v.Reason
	err := s.audited(ctx, e, func(tx *sql.Tx) error {
		var newest int64
		err := tx.QueryRowContext(ctx, `SELECT COALESCE(MAX(version), 0) FROM documents WHERE kind = $1`, v.Kind).Scan(&newest)
		if err != nil {
			return err
		}
		if newest != base {
			return errPublished
		}
		if _, err := tx.ExecContext(ctx, `
			INSERT INTO documents (kind, version, body, who, reason, at) VALUES ($1, $2, $3, $4, $5, $6)`,
			v.Kind, number, v.Body, v.Who, v.Reason, Micros(v.At)); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM drafts WHERE kind = $1 AND who = $2`, v.Kind, v.Who); err != nil {
			return err
		}
		if campaign == nil {
			return nil
		}
		return putCampaign(ctx, tx, *campaign)
	})
	if errors.Is(err, errPublished) || uniqueViolation(err) {
		return 0, fault.New(fault.Conflict, "Somebody else published while you were writing. Look at what is new, then publish yours again.")
	}
	if err != nil {
		return 0, fmt.Errorf("publish %s: %w", v.Kind, err)
	}
	return number, nil
}

var errPublished = errors.New("published meanwhile")

// DraftOf returns what somebody is writing, or a draft with an empty body.
func (s *Store) DraftOf(ctx context.Context, kind, who string) (Draft, error) {
	d, at := Draft{Kind: kind, Who: who}, int64(0)
	err := s.read.QueryRowContext(ctx, `SELECT base, body, at FROM drafts WHERE kind = $1 AND who = $2`, kind, who).Scan(&d.Base, &d.Body, &at)
	if errors.Is(err, sql.ErrNoRows) {
		return d, nil
	}
	if err != nil {
		return d, fmt.Errorf("read the draft of %s: %w", kind, err)
	}
	d.At = Time(at)
	return d, nil
}

// PutDraft keeps what somebody is writing in place of what they wrote before.
func (s *Store) PutDraft(ctx context.Context, d Draft) error {
	_, err := s.write.ExecContext(ctx, `
		INSERT INTO drafts (kind, who, base, body, at) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (kind, who) DO UPDATE SET base = excluded.base, body = excluded.body, at = excluded.at`,
		d.Kind, d.Who, d.Base, d.Body, Micros(d.At))
	if err != nil {
		return fmt.Errorf("keep the draft of %s: %w", d.Kind, err)
	}
	return nil
}

// DropDraft forgets what somebody was writing.
func (s *Store) DropDraft(ctx context.Context, kind, who string) error {
	_, err := s.write.ExecContext(ctx, `DELETE FROM drafts WHERE kind = $1 AND who = $2`, kind, who)
	if err != nil {
		return fmt.Errorf("drop the draft of %s: %w", kind, err)
	}
	return nil
}

// A Picture is a campaign's, as it is served.
type Picture struct {
	Hash  string // of Body
	Media string // image/jpeg or image/png
	Body  []byte
}

// PutPicture stores a picture, once.
func (s *Store) PutPicture(ctx context.Context, p Picture, at time.Time) error {
	_, err := s.write.ExecContext(ctx, `
		INSERT INTO pictures (hash, media, body, at) VALUES ($1, $2, $3, $4) ON CONFLICT (hash) DO NOTHING`,
		p.Hash, p.Media, p.Body, Micros(at))
	if err != nil {
		return fmt.Errorf("store a picture: %w", err)
	}
	return nil
}

// PictureByHash returns a picture, or a [fault.NotFound].
func (s *Store) PictureByHash(ctx context.Context, hash string) (Picture, error) {
	p := Picture{Hash: hash}
	err := s.read.QueryRowContext(ctx, `SELECT media, body FROM pictures WHERE hash = $1`, hash).Scan(&p.Media, &p.Body)
	if errors.Is(err, sql.ErrNoRows) {
		return p, fault.New(fault.NotFound, "There is no such picture.")
	}
	if err != nil {
		return p, fmt.Errorf("read a picture: %w", err)
	}
	return p, nil
}
