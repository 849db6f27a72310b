package web

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/united24media/support/internal/look"
)

// errorTemplate is what a person sees when something did not work: what, what
// to do next, and the number by which we find it in our logs.
const errorTemplate = `{{define "content"}}
<h1>{{.Title}}</h1>
<p>{{.Text}}</p>
<p><a href="/support">Go to the support page</a></p>
{{with .RequestID}}<p><small>If you write to us about this, mention {{.}}.</small></p>{{end}}
{{end}}`

// An errorPage shows problems as pages.
type errorPage struct {
	page    *look.Template
	sandbox string
}

func newErrorPage(sandbox bool) *errorPage {
	e := &errorPage{page: look.MustParse(nil, errorTemplate)}
	if sandbox {
		e.sandbox = "Sandbox: no money moves"
	}
	return e
}

// write answers with a problem as a page.
func (e *errorPage) write(c *gin.Context, p Problem) error {
	title, text := errorWords(p.Status)
	if p.Detail != "" {
		text = p.Detail
	}
	return e.page.Render(c.Writer, p.Status, look.Page{
		Lang: "en", Title: title, Brand: "Support", BrandURL: "/support", Skip: "Skip to content",
		Sandbox: e.sandbox, Private: true,
		Body: struct{ Title, Text, RequestID string }{title, text, p.RequestID},
	})
}

// errorWords returns what a status means to a reader.
func errorWords(status int) (title, text string) {
	switch status {
	case http.StatusNotFound:
		return "There is no such page", "The address may be mistyped, or the page may have moved."
	case http.StatusForbidden:
		return "That was not allowed", "Open the page again and try once more."
	case http.StatusTooManyRequests:
		return "A little too fast", "There were many attempts in a short time. Nothing was charged. Please try again in a few minutes."
	case http.StatusBadRequest, http.StatusConflict, http.StatusRequestEntityTooLarge, http.StatusMethodNotAllowed:
		return "We could not read that", "Please go back and try again."
	}
	return "That didn’t work", "Something is wrong on our side. Nothing was charged. Please try again in a moment."
}
