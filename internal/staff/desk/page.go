package desk

import (
	_ "embed" // for the page below
	"fmt"
	"html/template"
	"net/http"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/united24media/support/internal/i18n"
	"github.com/united24media/support/internal/look"
)

//go:embed trouble.html
var troubleHTML string

// A Page is what a screen shows.
type Page struct {
	Title   string
	Body    any      // for the screen's own template
	Scripts []string // addresses of module scripts of ours
	Refresh string   // as in [look.Page]
	Narrow  bool     // a form or a text, not tables
}

// Render answers with a screen in the frame of all staff pages: navigation by
// role, the sentence of [Desk.Back], and the strip while no money moves.
func (d *Desk) Render(v *Visit, t *look.Template, p Page) error {
	return d.render(v, t, p, http.StatusOK)
}

// RenderStatus is [Desk.Render] with another status than 200, for a form that
// was not right.
func (d *Desk) RenderStatus(v *Visit, t *look.Template, p Page, status int) error {
	return d.render(v, t, p, status)
}

func (d *Desk) render(v *Visit, t *look.Template, p Page, status int) error {
	page := look.Page{
		Lang: "en", Title: p.Title, Brand: i18n.T("en", "frame.brand"), BrandURL: home, Skip: i18n.T("en", "frame.skip"),
		Private: true, Scripts: p.Scripts, Refresh: p.Refresh, Wide: !p.Narrow, Body: p.Body,
		Staff: &look.StaffFrame{Who: v.Member.Email, Role: string(v.Member.Role), Flash: v.session.Flash, Zone: d.Zone.String()},
	}
	if d.Sandbox {
		page.Sandbox = i18n.T("en", "frame.sandbox")
	}
	at := v.FullPath()
	for _, r := range d.nav {
		if v.Member.Role.Allows(r.Need) {
			under := at == r.Path || r.Path != home && strings.HasPrefix(at, r.Path+"/")
			page.Nav = append(page.Nav, look.Link{Text: r.Nav, URL: r.Path, Current: under})
		}
	}
	body, err := t.Bytes(page)
	if err != nil {
		return err
	}
	if v.session.Flash != "" {
		if err := d.Store.SetStaffFlash(v.Request.Context(), v.session.ID, ""); err != nil {
			d.Log.WarnContext(v.Request.Context(), "staff: a sentence for the next page stays", "err", err)
		}
	}
	v.Header("Content-Language", "en")
	v.Data(status, "text/html; charset=utf-8", body)
	return nil
}

// Back leads to an address of ours after a form. flash is one sentence that the
// next page shows; it may be "".
func (d *Desk) Back(v *Visit, url, flash string) error {
	d.Say(v, flash)
	v.Redirect(http.StatusSeeOther, Destination(url))
	return nil
}

// Say keeps one sentence for the visitor's next page.
func (d *Desk) Say(v *Visit, flash string) {
	if flash == "" || v.session.ID == "" {
		return
	}
	if err := d.Store.SetStaffFlash(v.Request.Context(), v.session.ID, flash); err != nil {
		d.Log.WarnContext(v.Request.Context(), "staff: the next page does not say what was done", "err", err)
	}
}

// Trouble answers with a failure in the frame of the staff pages. id finds it
// in the log; "" is not shown.
func (d *Desk) Trouble(c *gin.Context, status int, detail, id string) error {
	v := &Visit{Context: c}
	if known, ok := c.Get(visitKey); ok {
		v = known.(*Visit)
	}
	title := "That did not work"
	switch {
	case status == http.StatusNotFound:
		title = "It is not there"
	case status == http.StatusForbidden:
		title = "Not allowed"
	case status == http.StatusServiceUnavailable:
		title = "Not now"
	}
	return d.render(v, d.trouble, Page{Title: title, Narrow: true, Body: struct{ Title, Detail, ID, Home string }{title, detail, id, home}}, status)
}

// when returns an instant as a page shows it.
func (d *Desk) when(t time.Time) template.HTML { return d.moment(t, "2 Jan 2006, 15:04") }

// date returns the day of an instant as a page shows it.
func (d *Desk) date(t time.Time) template.HTML { return d.moment(t, "2 Jan 2006") }

// moment returns an instant in the service's time zone and in a layout, with
// the whole of it in the title.
func (d *Desk) moment(t time.Time, layout string) template.HTML {
	if t.IsZero() {
		return "–"
	}
	local := t.In(d.Zone)
	return template.HTML(fmt.Sprintf(`<time datetime="%s" title="%s">%s</time>`,
		t.UTC().Format(time.RFC3339), local.Format("Monday 2 January 2006, 15:04:05 MST"), local.Format(layout)))
}

// Ago returns how long before now an instant was, in words.
func Ago(now, t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	d := now.Sub(t)
	for _, unit := range []struct {
		name string
		size time.Duration
	}{{"day", 24 * time.Hour}, {"hour", time.Hour}, {"minute", time.Minute}} {
		if n := int(d / unit.size); n == 1 {
			return "1 " + unit.name + " ago"
		} else if n > 1 {
			return fmt.Sprintf("%d %ss ago", n, unit.name)
		}
	}
	return "just now"
}
