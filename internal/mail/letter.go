package mail

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"strings"
	"sync"

	"github.com/united24media/support/internal/i18n"
	"github.com/united24media/support/internal/look"
)

// A Letter is a mail as it is read, before it is made text or HTML.
type Letter struct {
	Lang        string
	Subject     string
	Heading     string
	Text        []string    // paragraphs
	Rows        [][2]string // of a receipt: what, and how much
	Code        string      // to be typed
	CodeLabel   string
	Button      string // what it says; "" is none
	URL         string // where it leads
	After       []string
	Closing     string
	From        string // the organisation
	Sender      string // who stands in the mailbox's list, where that is not the organisation
	Foot        []string
	FootLink    [2]string // what it says, and where it leads
	Unsubscribe string    // where mails of the kind can be ended; "" for what must be told
	LeaveText   string    // what its link says
}

//go:embed letter.html
var files embed.FS

// layout is the one HTML of all mails. It is built of tables, which Outlook
// reads too, and needs nothing from elsewhere.
var layout = sync.OnceValue(func() *template.Template {
	return template.Must(template.New("letter.html").Funcs(template.FuncMap{
		// Comments that only Outlook reads are no comments to it.
		"outlook": func(markup string) template.HTML {
			return template.HTML("<!--[if mso]>" + markup + "<![endif]-->")
		},
		"light": look.Light, "dark": look.Dark,
		"css": func(value string) template.CSS { return template.CSS(value) },
	}).ParseFS(files, "letter.html"))
})

// HTML returns the letter as HTML.
func (l *Letter) HTML() (string, error) {
	var out bytes.Buffer
	if err := layout().Execute(&out, l); err != nil {
		return "", fmt.Errorf("render a mail: %w", err)
	}
	return out.String(), nil
}

// Plain returns the letter as plain text.
func (l *Letter) Plain() string {
	var parts []string
	add := func(text ...string) { parts = append(parts, text...) }
	add(l.Heading)
	add(l.Text...)
	if len(l.Rows) > 0 {
		var rows []string
		for _, row := range l.Rows {
			rows = append(rows, row[0]+": "+row[1])
		}
		add(strings.Join(rows, "\n"))
	}
	if l.Button != "" {
		add(l.Button + ":\n" + l.URL)
	}
	if l.Code != "" {
		add(l.CodeLabel + "\n\n    " + l.Code)
	}
	add(l.After...)
	if l.Closing != "" {
		add(l.Closing)
	}
	foot := append([]string{}, l.Foot...)
	if l.FootLink[0] != "" {
		foot = append(foot, l.FootLink[0]+": "+l.FootLink[1])
	}
	if l.Unsubscribe != "" {
		foot = append(foot, l.LeaveText+": "+l.Unsubscribe)
	}
	if len(foot) > 0 {
		add("-- \n" + strings.Join(foot, "\n"))
	}
	return strings.Join(parts, "\n\n") + "\n"
}

// Preview is what a mailbox shows beside the subject.
func (l *Letter) Preview() string {
	if len(l.Text) > 0 {
		return l.Text[0]
	}
	return ""
}

// words says the messages of one kind in one language.
type words struct {
	lang string
	kind string
	args i18n.Args
}

// say returns a message of the kind.
func (w words) say(name string) string { return i18n.T(w.lang, "mail."+w.kind+"."+name, w.args) }

// shared returns a message that all kinds share.
func (w words) shared(name string) string { return i18n.T(w.lang, "mail."+name, w.args) }
