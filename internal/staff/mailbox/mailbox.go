// Package mailbox shows staff the outbox: what was sent, what waits, what no
// server takes, and each mail as it is read. Without a mail server this is
// where mail is read.
package mailbox

import (
	"cmp"
	_ "embed" // for the pages
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/united24media/support/internal/fault"
	"github.com/united24media/support/internal/look"
	"github.com/united24media/support/internal/mail"
	"github.com/united24media/support/internal/reports"
	"github.com/united24media/support/internal/staff/desk"
	"github.com/united24media/support/internal/store"
)

var (
	//go:embed mailbox.html
	listHTML string
	//go:embed letter.html
	letterHTML string
)

const (
	path = "/staff/mail"
	page = 50 // mails on a page

	exportPage = 1000 // mails that an export holds in memory
)

// Options are what the screen needs.
type Options struct {
	Desk *desk.Desk
	Mail *mail.Service
}

// A Mailbox is the screen.
type Mailbox struct {
	Options
	list, letter *look.Template
}

// New returns the screen.
func New(o Options) *Mailbox {
	return &Mailbox{Options: o, list: o.Desk.Template(listHTML), letter: o.Desk.Template(letterHTML)}
}

// Routes returns the screen's addresses. Mails hold addresses and gifts, so
// they are for those who may see names.
func (m *Mailbox) Routes() []desk.Route {
	return []desk.Route{
		{Method: http.MethodGet, Path: path, Need: desk.Finance, Nav: "Mail", Handle: m.show},
		{Method: http.MethodGet, Path: path + ".csv", Need: desk.Finance, Long: true, Handle: m.csv},
		{Method: http.MethodPost, Path: path + "/retry", Need: desk.Finance, Handle: m.retry},
		{Method: http.MethodGet, Path: path + "/letter/:id", Need: desk.Finance, Handle: m.read},
		{Method: http.MethodGet, Path: path + "/letter/:id/html", Need: desk.Finance, Handle: m.html},
	}
}

// states are what the list can be narrowed down to, with what each is called.
var states = [...][2]string{
	{store.MailQueued, "Waiting"}, {store.MailSent, "Sent"}, {store.MailKept, "Kept, not sent"},
	{store.MailRefused, "Refused"}, {store.MailDropped, "Dropped, no longer true"},
}

// stateName returns what staff call a state.
func stateName(state string) string {
	for _, s := range states {
		if s[0] == state {
			return s[1]
		}
	}
	return state
}

// An item is one mail of the list.
type item struct {
	store.QueuedMail
	What  string // its kind in words
	Is    string // its state in words
	Badge string // the state's colour
	Retry bool
}

func (m *Mailbox) item(q store.QueuedMail) item {
	i := item{QueuedMail: q, What: what(q.Kind), Is: stateName(q.State)}
	switch q.State {
	case store.MailSent:
		i.Badge = "badge-good"
	case store.MailRefused:
		i.Badge = "badge-bad"
	}
	i.Retry = q.To != "" && (q.State == store.MailRefused || q.State == store.MailQueued && q.Error != "")
	return i
}

// what says a kind in words: "Renewal failed".
func what(kind string) string {
	words := strings.ReplaceAll(kind, "_", " ")
	return strings.ToUpper(words[:1]) + words[1:]
}

// A view is what the list shows.
type view struct {
	Items  []item
	States [][2]string
	State  string
	Keeps  bool // no server is set
	Open   store.OpenMail
	Older  string
	Newest string
	CSV    string
}

// show handles GET /staff/mail.
func (m *Mailbox) show(v *desk.Visit) error {
	ctx := v.Request.Context()
	state, err := stateOf(v)
	if err != nil {
		return err
	}
	from, id, err := cursor(v.Query("before"))
	if err != nil {
		return err
	}
	mails, err := m.Desk.Store.MailBefore(ctx, state, from, id, page+1)
	if err != nil {
		return err
	}
	body := view{States: states[:], State: state, Keeps: m.Mail.Keeps(), CSV: address(path+".csv", state, "")}
	if body.Open, err = m.Desk.Store.OpenMail(ctx); err != nil {
		return err
	}
	if len(mails) > page {
		mails = mails[:page]
		last := mails[page-1]
		body.Older = address(path, state, strconv.FormatInt(store.Micros(last.Queued), 10)+"."+last.ID)
	}
	if id != "" {
		body.Newest = address(path, state, "")
	}
	for _, q := range mails {
		body.Items = append(body.Items, m.item(q))
	}
	return m.Desk.Render(v, m.list, desk.Page{Title: "Mail", Body: body})
}

// stateOf reads the state that a list is narrowed down to, "" for all.
func stateOf(v *desk.Visit) (string, error) {
	state := v.Query("state")
	if state != "" && !slices.ContainsFunc(states[:], func(s [2]string) bool { return s[0] == state }) {
		return "", fault.Field("state", "There is no such state of a mail.")
	}
	return state, nil
}

// csv handles GET /staff/mail.csv: the whole list, as it is filtered, without
// what the mails say.
func (m *Mailbox) csv(v *desk.Visit) error {
	state, err := stateOf(v)
	if err != nil {
		return err
	}
	if err := m.Desk.Export(v, "mail", "state: "+cmp.Or(state, "every one"), address(path, state, "")); err != nil {
		return err
	}
	s := reports.NewSheet(v.File(), "id", "kind", "subject", "queued_at", "to", "locale", "state", "done_at", "next_try_at", "attempts", "error")
	var last store.QueuedMail
	for {
		mails, err := m.Desk.Store.MailBefore(v.Request.Context(), state, last.Queued, last.ID, exportPage)
		if err != nil {
			return err
		}
		for _, q := range mails {
			due := q.Due
			if q.State != store.MailQueued {
				due = time.Time{}
			}
			s.Row(q.ID, q.Kind, q.Subject, q.Queued, q.To, q.Locale, q.State, q.Done, due, q.Attempts, q.Error)
			last = q
		}
		if len(mails) < exportPage {
			return s.End()
		}
	}
}

func address(path, state, before string) string {
	values := url.Values{}
	if state != "" {
		values.Set("state", state)
	}
	if before != "" {
		values.Set("before", before)
	}
	if len(values) == 0 {
		return path
	}
	return path + "?" + values.Encode()
}

// cursor reads where a page begins: an instant in microseconds, and an id.
func cursor(text string) (from time.Time, id string, err error) {
	if text == "" {
		return time.Time{}, "", nil
	}
	micros, id, _ := strings.Cut(text, ".")
	n, err := strconv.ParseInt(micros, 10, 64)
	if err != nil || n <= 0 {
		return time.Time{}, "", fault.Field("before", "This page of the list does not exist.")
	}
	return store.Time(n), id, nil
}

// retry handles POST /staff/mail/retry.
func (m *Mailbox) retry(v *desk.Visit) error {
	id := v.PostForm("id")
	if err := m.Desk.Store.RetryMail(v.Request.Context(), id, m.Desk.Now()); err != nil {
		return err
	}
	if err := m.Desk.Audit(v.Request.Context(), m.Desk.By(v, "mail.retry", id)); err != nil {
		return err
	}
	return m.Desk.Back(v, path, "The mail is tried again within a few seconds.")
}

// A letterView is what the page of one mail shows.
type letterView struct {
	item
	Letter *mail.Letter // nil where it can't be read any more
	Plain  string
	Why    string // it can't
}

// read handles GET /staff/mail/letter/ID.
func (m *Mailbox) read(v *desk.Visit) error {
	q, letter, why, err := m.open(v)
	if err != nil {
		return err
	}
	body := letterView{item: m.item(q), Letter: letter, Why: why}
	if letter != nil {
		body.Plain = letter.Plain()
	}
	return m.Desk.Render(v, m.letter, desk.Page{Title: what(q.Kind), Body: body})
}

// html handles GET /staff/mail/letter/ID/html: the mail alone, which may do
// nothing and load nothing.
func (m *Mailbox) html(v *desk.Visit) error {
	_, letter, why, err := m.open(v)
	if err != nil {
		return err
	}
	if letter == nil {
		return fault.New(fault.NotFound, "This mail can't be shown any more: %s.", why)
	}
	html, err := letter.HTML()
	if err != nil {
		return err
	}
	v.Header("Content-Security-Policy", "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'")
	v.Data(http.StatusOK, "text/html; charset=utf-8", []byte(html))
	return nil
}

// open returns a mail as it is read now, or why it can't be. Whoever may see
// mails must not be able to use the links in them.
func (m *Mailbox) open(v *desk.Visit) (q store.QueuedMail, letter *mail.Letter, why string, err error) {
	if q, err = m.Desk.Store.MailByID(v.Request.Context(), v.Param("id")); err != nil {
		return q, nil, "", err
	}
	letter, why, err = m.Mail.Show(v.Request.Context(), q)
	return q, letter, why, err
}
