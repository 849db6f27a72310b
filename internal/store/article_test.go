package store_test

import (
	"errors"
	"testing"
	"time"

	"github.com/united24media/support/internal/fault"
	"github.com/united24media/support/internal/store"
)

func TestArticles(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db *store.Store) {
		ctx, at := t.Context(), time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
		feed := func(hours int, all ...store.Article) {
			t.Helper()
			for i := range all {
				all[i].Seen = at.Add(time.Duration(hours) * time.Hour)
			}
			if err := db.AddArticles(ctx, all); err != nil {
				t.Fatal(err)
			}
		}
		is := func(slug string, want store.Article) {
			t.Helper()
			got, err := db.Articles(ctx, []string{slug, "unknown"})
			want.Slug = slug
			if err != nil || len(got) != 1 || got[slug] != want {
				t.Errorf("%s is %+v, %v; want %+v", slug, got, err, want)
			}
		}
		entry := func(hours int) store.Entry {
			return store.Entry{At: at.Add(time.Duration(hours) * time.Hour), Who: "finance@example.org", Action: "article.correct", Subject: "grain"}
		}

		feed(0, store.Article{Slug: "grain", Title: "Grain", Address: "https://news.example/grain"}, store.Article{Slug: "choir", Address: "https://news.example/choir"})
		feed(1, store.Article{Slug: "grain", Title: "Grain"}, store.Article{Slug: "choir", Title: "100%_choir"})
		is("grain", store.Article{Title: "Grain", Address: "https://news.example/grain", Source: store.FromFeed, Seen: at})
		is("choir", store.Article{Title: "100%_choir", Address: "https://news.example/choir", Source: store.FromFeed, Seen: at.Add(time.Hour)})

		corrected := store.Article{Slug: "grain", Title: "Grain, at last", Address: "https://news.example/grain-2"}
		if err := db.CorrectArticle(ctx, corrected, entry(2)); err != nil {
			t.Fatal(err)
		}
		corrected.Source, corrected.Seen = store.FromStaff, at.Add(2*time.Hour)
		feed(3, store.Article{Slug: "grain", Title: "Another", Address: "https://news.example/other"})
		is("grain", corrected)
		if err := db.ReleaseArticle(ctx, "grain", entry(4)); err != nil {
			t.Fatal(err)
		}
		if err := db.ReleaseArticle(ctx, "grain", entry(4)); !errors.Is(err, fault.NotFound) {
			t.Errorf("released twice: %v", err)
		}
		feed(5, store.Article{Slug: "grain", Title: "Another", Address: "https://news.example/other"})
		is("grain", store.Article{Title: "Another", Address: "https://news.example/other", Source: store.FromFeed, Seen: at.Add(5 * time.Hour)})

		for text, want := range map[string]int{"": 2, "GRAIN": 1, "another": 1, "%_": 1, "nothing": 0, "\\": 0} {
			if got, err := db.NewestArticles(ctx, text, 10); err != nil || len(got) != want || want == 2 && got[0].Slug != "grain" {
				t.Errorf("holding %q: %+v, %v; want %d", text, got, err, want)
			}
		}
		entries, err := db.AuditAfter(ctx, store.AuditFilter{}, 0, 10)
		if err != nil || len(entries) != 2 {
			t.Errorf("audited: %+v, %v", entries, err)
		}
	})
}
