// Package articles is where staff see what the site's articles are called, and
// correct it. Reports take the names of articles from here.
package articles

import (
	"cmp"
	_ "embed" // for the pages
	"errors"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/united24media/support/internal/clean"
	"github.com/united24media/support/internal/fault"
	"github.com/united24media/support/internal/look"
	"github.com/united24media/support/internal/policy"
	"github.com/united24media/support/internal/staff/desk"
	"github.com/united24media/support/internal/staff/parts"
	"github.com/united24media/support/internal/store"
)

var (
	//go:embed list.html
	listHTML string
	//go:embed edit.html
	editHTML string
)

// path is the list of articles; editPath corrects one.
const (
	path     = "/staff/articles"
	editPath = path + "/edit"
)

// Bounds of what is shown and typed.
const (
	most       = 100  // articles of a list
	maxTitle   = 300  // characters
	maxAddress = 2000 // bytes
)

// Edit returns the address where an article is corrected.
func Edit(slug string) string { return editPath + "?" + url.Values{"article": {slug}}.Encode() }

// Options are what the screen needs.
type Options struct {
	Desk *desk.Desk
}

// An Articles is the screen.
type Articles struct {
	Options
	list, edit *look.Template
}

// New returns the screen.
func New(o Options) *Articles {
	funcs := o.Desk.Funcs()
	funcs["edit"] = Edit
	return &Articles{Options: o, list: look.MustParse(funcs, listHTML), edit: look.MustParse(funcs, editHTML, parts.HTML())}
}

// Routes returns the screen's addresses. Reports lead there.
func (a *Articles) Routes() []desk.Route {
	return []desk.Route{
		{Method: http.MethodGet, Path: path, Need: desk.Finance, Handle: a.showList},
		{Method: http.MethodGet, Path: editPath, Need: desk.Finance, Handle: a.showEdit},
		{Method: http.MethodPost, Path: editPath, Need: desk.Finance, Handle: a.correct},
		{Method: http.MethodPost, Path: path + "/release", Need: desk.Finance, Handle: a.release},
	}
}

type listView struct {
	Find     string
	Articles []store.Article
	Full     bool // there may be more
}

// showList handles GET /staff/articles.
func (a *Articles) showList(v *desk.Visit) error {
	body := listView{Find: clean.Cut(clean.Text(v.Query("find")), maxTitle)}
	var err error
	if body.Articles, err = a.Desk.Store.NewestArticles(v.Request.Context(), body.Find, most); err != nil {
		return err
	}
	body.Full = len(body.Articles) == most
	return a.Desk.Render(v, a.list, desk.Page{Title: "Titles of articles", Body: body})
}

type editView struct {
	Article store.Article
	Reason  string
	Problem string
}

// showEdit handles GET /staff/articles/edit. What nothing is known of yet can
// be named too: gifts carry its slug.
func (a *Articles) showEdit(v *desk.Visit) error {
	is, err := a.article(v, v.Query("article"))
	if err != nil {
		return err
	}
	return a.Desk.Render(v, a.edit, desk.Page{Title: cmp.Or(is.Title, is.Slug), Narrow: true, Body: editView{Article: is}})
}

func (a *Articles) article(v *desk.Visit, slug string) (store.Article, error) {
	if err := policy.CheckSlug("article", slug); err != nil {
		return store.Article{}, err
	}
	known, err := a.Desk.Store.Articles(v.Request.Context(), []string{slug})
	is := known[slug]
	is.Slug = slug
	return is, err
}

// correct handles POST /staff/articles/edit.
func (a *Articles) correct(v *desk.Visit) error {
	was, err := a.article(v, v.PostForm("article"))
	if err != nil {
		return err
	}
	is, reason := was, parts.Reason(v.PostForm("reason"))
	is.Title, is.Address = clean.Text(v.PostForm("title")), strings.TrimSpace(v.PostForm("address"))
	if problem := check(is); problem != nil {
		return a.Desk.RenderStatus(v, a.edit, desk.Page{Title: is.Slug, Narrow: true, Body: editView{is, reason, parts.Sentence(problem)}}, http.StatusUnprocessableEntity)
	}
	e := a.Desk.By(v, "article.correct", is.Slug)
	e.Reason = reason
	e.Detail = cmp.Or(was.Title, "no title") + " → " + is.Title
	if was.Address != is.Address {
		e.Detail += "; " + cmp.Or(was.Address, "no address") + " → " + cmp.Or(is.Address, "no address")
	}
	if err := a.Desk.Store.CorrectArticle(v.Request.Context(), is, e); err != nil {
		return err
	}
	return a.Desk.Back(v, Edit(is.Slug), "Reports call it “"+is.Title+"” now.")
}

// check returns what is wrong with what was typed.
func check(a store.Article) error {
	switch {
	case a.Title == "" || utf8.RuneCountInString(a.Title) > maxTitle:
		return errors.New("write a title of 1 to 300 characters")
	case a.Address != "" && (clean.Origin(a.Address) == "" || len(a.Address) > maxAddress):
		return errors.New("write the whole address, such as https://news.example/an-article, or none")
	}
	return nil
}

// release handles POST /staff/articles/release.
func (a *Articles) release(v *desk.Visit) error {
	slug := v.PostForm("article")
	if slug == "" {
		return fault.Field("article", "Name the article.")
	}
	if err := a.Desk.Store.ReleaseArticle(v.Request.Context(), slug, a.Desk.By(v, "article.release", slug)); err != nil {
		return err
	}
	return a.Desk.Back(v, Edit(slug), "The site's feed names it again, within 15 minutes.")
}
