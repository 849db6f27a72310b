// Package wall thanks supporters publicly: names, and messages beside them, of
// those who said that they may be named, once staff have read them. It is off
// until staff turn it on.
//
// No single gift can be read off it, however often it is asked. Nothing that is
// shown depends on an amount, a currency, or when a gift came: an answer is made
// of words, and of batches. People appear in batches of [Least] or more, in an
// order that tells nothing, dated by the month in which the batch was shown. So
// all that an observer learns of when a gift came is that it was before its
// batch, which is as true of the others in it. Somebody leaves the wall at once,
// by their own wish, by a refund, or because staff say so, and that alone is
// what is seen then.
package wall

import (
	"bytes"
	"context"
	"crypto/sha256"
	_ "embed" // for the page
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html/template"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/united24media/support/internal/fault"
	"github.com/united24media/support/internal/i18n"
	"github.com/united24media/support/internal/look"
	"github.com/united24media/support/internal/store"
)

//go:embed wall.html
var pageHTML string

var page = look.MustParse(template.FuncMap{"t": func(lang, key string) string { return i18n.T(lang, key) }}, pageHTML)

// Least is how many people appear on the wall together, at least.
const Least = 5

// Bounds of what is shown, and how often it is looked for.
const (
	most         = 60               // entries on the wall
	refreshEvery = 5 * time.Second  // with what caches keep, how soon somebody who leaves is gone
	collectEvery = 30 * time.Second // gifts that may be read
)

// Where the wall is.
const (
	Path = "/wall"
	fact = "wall" // On, or off
	on   = "on"
)

// caching lets caches answer for a minute, and for ten more while they ask
// again: names that were taken back should not stay for longer.
const caching = "public, max-age=60, stale-while-revalidate=600, stale-if-error=600"

// Options are what the wall needs.
type Options struct {
	Store     *store.Store
	PublicURL string // of the service, without a slash at its end
	SiteURL   string // the news site's first page
	Sandbox   bool
	Now       func() time.Time
	Log       *slog.Logger
}

// A Wall is kept in memory as it is answered. It is safe for concurrent use.
type Wall struct {
	Options
	now atomic.Pointer[state]
}

// A state is the wall's answers at a moment.
type state struct {
	on    bool
	json  answer
	pages map[string]answer // by language
}

// An answer is ready to be sent.
type answer struct {
	body []byte
	etag string
}

func answerOf(body []byte) answer {
	sum := sha256.Sum256(body)
	return answer{body, `"` + hex.EncodeToString(sum[:12]) + `"`}
}

// New returns a wall that is off until it is refreshed.
func New(o Options) *Wall {
	w := &Wall{Options: o}
	off, err := w.build(false, nil)
	if err != nil {
		panic(fmt.Sprintf("wall: an empty page can't be rendered: %v", err))
	}
	w.now.Store(off)
	return w
}

// Run keeps the wall up to date until ctx is done. While it can't be read, it
// stays as it was.
func (w *Wall) Run(ctx context.Context) error {
	refresh, collect := time.NewTicker(refreshEvery), time.NewTicker(collectEvery)
	defer refresh.Stop()
	defer collect.Stop()
	failed := false
	for {
		err := w.Refresh(ctx)
		if err != nil && !failed && ctx.Err() == nil {
			w.Log.WarnContext(ctx, "the wall could not be read; it stays as it was", "err", err)
		}
		failed = err != nil
		select {
		case <-refresh.C:
		case <-collect.C:
			if w.On() {
				if err := w.Collect(ctx); err != nil && ctx.Err() == nil {
					w.Log.WarnContext(ctx, "gifts for the wall could not be looked for", "err", err)
				}
			}
		case <-ctx.Done():
			return nil
		}
	}
}

// On reports whether the wall is shown.
func (w *Wall) On() bool { return w.now.Load().on }

// IsOn reports whether staff turned the wall on.
func IsOn(ctx context.Context, db *store.Store) (bool, error) {
	value, err := db.Fact(ctx, fact)
	return value == on, err
}

// Switch turns the wall on or off for somebody, and audits that.
func (w *Wall) Switch(ctx context.Context, to bool, e store.Entry) error {
	value := "off"
	if to {
		value = on
	}
	if err := w.Store.DecideFact(ctx, fact, value, e); err != nil {
		return err
	}
	return w.Refresh(ctx)
}

// Decide takes what staff decided about words that they read, and returns how
// many entries that brought to the wall.
func (w *Wall) Decide(ctx context.Context, decisions []store.WallDecision, e store.Entry) (int, error) {
	shown, err := w.Store.DecideWall(ctx, decisions, Least, e)
	if err != nil {
		return 0, err
	}
	return shown, w.Refresh(ctx)
}

// Refresh reads the wall now.
func (w *Wall) Refresh(ctx context.Context) error {
	shown, err := IsOn(ctx, w.Store)
	if err != nil {
		return err
	}
	var entries []store.WallEntry
	if shown {
		if entries, err = w.Store.Wall(ctx, store.WallShown, most); err != nil {
			return err
		}
	}
	next, err := w.build(shown, entries)
	if err != nil {
		return err
	}
	w.now.Store(next)
	return nil
}

// A Thanks is one supporter on the wall.
type Thanks struct {
	Name    string `json:"name"`
	Message string `json:"message,omitzero"`
	Lang    string `json:"lang"`  // of the page on which they gave, and likely of the message
	Month   string `json:"month"` // in which they appeared here, 2026-01 in UTC
}

// thanks returns what is shown of entries: the one place where that is decided.
func thanks(entries []store.WallEntry) []Thanks {
	shown := []Thanks{}
	for _, e := range entries {
		if e.State == store.WallShown && e.MayShow() && e.Read() {
			shown = append(shown, Thanks{e.Name, e.Message, e.Locale, e.Shown.UTC().Format("2006-01")})
		}
	}
	return shown
}

func (w *Wall) build(on bool, entries []store.WallEntry) (*state, error) {
	all := thanks(entries)
	body, err := json.Marshal(struct {
		Show       bool     `json:"show"`
		Supporters []Thanks `json:"supporters"`
	}{on, all})
	if err != nil {
		return nil, err
	}
	s := &state{on: on, json: answerOf(body), pages: map[string]answer{}}
	for _, lang := range i18n.Languages() {
		p := look.Page{
			Lang: lang, Title: i18n.T(lang, "wall.title"), Description: i18n.T(lang, "wall.lead"), Brand: i18n.T(lang, "frame.brand"),
			BrandURL: w.SiteURL, Skip: i18n.T(lang, "frame.skip"), LangsLabel: i18n.T(lang, "frame.languages"), Note: i18n.T(lang, "frame.note"),
			Body: view{lang, w.PublicURL + "/support?lang=" + lang, all},
		}
		if w.Sandbox {
			p.Sandbox = i18n.T(lang, "frame.sandbox")
		}
		for _, other := range i18n.Languages() {
			p.Langs = append(p.Langs, look.Link{Text: i18n.Name(other), URL: Path + "?lang=" + other, Lang: other, Current: other == lang})
		}
		body, err := page.Bytes(p)
		if err != nil {
			return nil, err
		}
		s.pages[lang] = answerOf(body)
	}
	return s, nil
}

// A view is what the page shows.
type view struct {
	Lang    string
	Support string
	Thanks  []Thanks
}

// JSON handles GET /v1/wall. All get the same bytes.
func (w *Wall) JSON(c *gin.Context) error {
	c.Header("Content-Type", "application/json; charset=utf-8")
	return w.now.Load().json.send(c)
}

// Page handles GET /wall. In one language all get the same bytes.
func (w *Wall) Page(c *gin.Context) error {
	s := w.now.Load()
	if !s.on {
		return fault.New(fault.NotFound, "There is no page of supporters here.")
	}
	lang := i18n.Negotiate(c.Query("lang"), c.GetHeader("Accept-Language"))
	if c.Query("lang") == "" {
		c.Header("Vary", "Accept-Language")
	}
	c.Header("Content-Type", "text/html; charset=utf-8")
	c.Header("Content-Language", lang)
	return s.pages[lang].send(c)
}

func (a answer) send(c *gin.Context) error {
	c.Header("Cache-Control", caching)
	c.Header("ETag", a.etag)
	http.ServeContent(c.Writer, c.Request, "", time.Time{}, bytes.NewReader(a.body))
	return nil
}
