package store_test

import (
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/united24media/support/internal/fault"
	"github.com/united24media/support/internal/store"
	"github.com/united24media/support/internal/testenv"
)

func TestDocuments(t *testing.T) {
	t.Parallel()
	for name, address := range map[string]func(*testing.T) string{
		"SQLite":     func(t *testing.T) string { return "sqlite:" + filepath.Join(t.TempDir(), "support.db") },
		"PostgreSQL": func(t *testing.T) string { return testenv.Postgres(t) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db, err := store.Open(address(t))
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			if _, err := db.Migrate(t.Context()); err != nil {
				t.Fatal(err)
			}
			testVersions(t, db)
			testDrafts(t, db)
			testPictures(t, db)
		})
	}
}

var midday = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func testVersions(t *testing.T, db *store.Store) {
	t.Helper()
	ctx := t.Context()
	if v, err := db.Newest(ctx, "asks"); err != nil || v.Number != 0 || v.Body != "" {
		t.Errorf("before anything is published: %+v, %v", v, err)
	}
	publish := func(body string, base int64) (int64, error) {
		return db.Publish(ctx, store.Version{Kind: "asks", Body: body, Who: "ann@example.org", Reason: "why", At: midday}, base, nil, store.Entry{Action: "asks.publish"})
	}
	for base, body := range []string{"one", "two", "three"} {
		if n, err := publish(body, int64(base)); err != nil || n != int64(base)+1 {
			t.Fatalf("publish %s: %d, %v", body, n, err)
		}
	}
	if _, err := publish("late", 1); !isKind(err, fault.Conflict) {
		t.Errorf("published over somebody else's: %v", err)
	}
	if body, err := db.Published(ctx, "asks"); err != nil || body != "three" {
		t.Errorf("in force: %q, %v", body, err)
	}
	if v, err := db.VersionOf(ctx, "asks", 2); err != nil || v.Body != "two" || v.Who != "ann@example.org" || v.Reason != "why" || !v.At.Equal(midday) {
		t.Errorf("version 2: %+v, %v", v, err)
	}
	for _, number := range []int64{0, 4, -1} {
		if _, err := db.VersionOf(ctx, "asks", number); !isKind(err, fault.NotFound) {
			t.Errorf("version %d: %v", number, err)
		}
	}
	if list, err := db.Versions(ctx, "asks", 3, 10); err != nil || len(list) != 2 || list[0].Body != "two" {
		t.Errorf("before 3: %+v, %v", list, err)
	}
	winter := store.Campaign{Slug: "winter", Name: "Winter", Body: `{"a":1}`}
	if _, err := db.Publish(ctx, store.Version{Kind: "campaign:winter", Body: "{}", At: midday}, 0, &winter, store.Entry{Action: "campaign.publish"}); err != nil {
		t.Fatal(err)
	}
	if list, err := db.Campaigns(ctx); err != nil || len(list) != 1 || list[0] != winter {
		t.Errorf("campaigns: %+v, %v", list, err)
	}
}

func testDrafts(t *testing.T, db *store.Store) {
	t.Helper()
	ctx := t.Context()
	for _, body := range []string{"first", "second"} {
		if err := db.PutDraft(ctx, store.Draft{Kind: "asks", Who: "ann@example.org", Base: 3, Body: body, At: midday}); err != nil {
			t.Fatal(err)
		}
	}
	if d, err := db.DraftOf(ctx, "asks", "ann@example.org"); err != nil || d.Body != "second" || d.Base != 3 {
		t.Errorf("her draft: %+v, %v", d, err)
	}
	if d, err := db.DraftOf(ctx, "asks", "bob@example.org"); err != nil || d.Body != "" {
		t.Errorf("his draft: %+v, %v", d, err)
	}
	if _, err := db.Publish(ctx, store.Version{Kind: "asks", Body: "four", Who: "ann@example.org", At: midday}, 3, nil, store.Entry{Action: "asks.publish"}); err != nil {
		t.Fatal(err)
	}
	if d, err := db.DraftOf(ctx, "asks", "ann@example.org"); err != nil || d.Body != "" {
		t.Errorf("after it was published: %+v, %v", d, err)
	}
	if err := db.PutDraft(ctx, store.Draft{Kind: "asks", Who: "bob@example.org", Body: "his", At: midday}); err != nil {
		t.Fatal(err)
	}
	if err := db.DropDraft(ctx, "asks", "bob@example.org"); err != nil {
		t.Fatal(err)
	}
	if d, err := db.DraftOf(ctx, "asks", "bob@example.org"); err != nil || d.Body != "" {
		t.Errorf("after it was dropped: %+v, %v", d, err)
	}
}

func testPictures(t *testing.T, db *store.Store) {
	t.Helper()
	ctx := t.Context()
	want := store.Picture{Hash: "abc", Media: "image/png", Body: []byte{0, 1, 255}}
	for range 2 {
		if err := db.PutPicture(ctx, want, midday); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := db.PictureByHash(ctx, "abc"); err != nil || got.Media != want.Media || string(got.Body) != string(want.Body) {
		t.Errorf("the picture: %+v, %v", got, err)
	}
	if _, err := db.PictureByHash(ctx, "abd"); !isKind(err, fault.NotFound) {
		t.Errorf("no picture: %v", err)
	}
	if err := db.PutPicture(ctx, store.Picture{Hash: "svg", Media: "image/svg+xml"}, midday); err == nil {
		t.Error("a drawing with scripts was stored")
	}
}

func isKind(err error, kind fault.Kind) bool {
	f, ok := errors.AsType[*fault.Error](err)
	return ok && f.Kind == kind
}
