package web

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/united24media/support/internal/i18n"
	"github.com/united24media/support/internal/look"
)

// errorTemplate is what a person sees when something did not work: what, what
// to do next, and the number by which we find it in our logs.
const errorTemplate = `{{define "content"}}
<h1>{{.Title}}</h1>
<p>{{.Text}}</p>
<p><a href="/support">{{.Home}}</a></p>
{{with .Mention}}<p><small>{{.}}</small></p>{{end}}
{{end}}`

// An errorPage shows problems as pages, in the reader's language.
type errorPage struct {
	page    *look.Template
	sandbox bool
}

func newErrorPage(sandbox bool) *errorPage {
	return &errorPage{look.MustParse(nil, errorTemplate), sandbox}
}

// write answers with a problem as a page. What it says follows from the status
// alone: details are for programs, and in English.
func (e *errorPage) write(c *gin.Context, p Problem) error {
	lang := i18n.Negotiate(c.Query("lang"), c.GetHeader("Accept-Language"))
	title, text := errorWords(p.Status)
	body := struct{ Title, Text, Home, Mention string }{
		Title: i18n.T(lang, title), Text: i18n.T(lang, text), Home: i18n.T(lang, "problem.home"),
	}
	if p.RequestID != "" {
		body.Mention = i18n.T(lang, "problem.mention", i18n.Args{"ID": p.RequestID})
	}
	page := look.Page{
		Lang: lang, Title: body.Title, Brand: i18n.T(lang, "frame.brand"), BrandURL: "/support", Skip: i18n.T(lang, "frame.skip"),
		Private: true, Body: body,
	}
	if e.sandbox {
		page.Sandbox = i18n.T(lang, "frame.sandbox")
	}
	return e.page.Render(c.Writer, p.Status, page)
}

// errorWords returns the messages that say what a status means to a reader.
func errorWords(status int) (title, text string) {
	switch {
	case status == http.StatusNotFound:
		return "problem.missing", "problem.missing.text"
	case status < http.StatusInternalServerError:
		return "problem.refused", "problem.refused.text"
	}
	return "error.title.trouble", "problem.trouble.text"
}
