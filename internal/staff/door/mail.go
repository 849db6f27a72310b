package door

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/mail"
	"strings"
	"time"

	"github.com/united24media/support/internal/fault"
	"github.com/united24media/support/internal/limits"
	"github.com/united24media/support/internal/signin"
	"github.com/united24media/support/internal/staff/desk"
	"github.com/united24media/support/internal/store"
)

const (
	askedCookie = "support_staff_asked" // of the browser that asked for a mail
	mailLife    = 10 * time.Minute      // of a mailed link and its code; the mail says so
	mailKind    = "staff_sign_in"       // as package mail knows it
	codeTries   = 5                     // of a million codes one opens
	maxEmail    = 254                   // bytes (RFC 5321, 4.5.3.1.3)
	queueTime   = 10 * time.Second
)

// ask handles POST /staff/sign-in: it mails a link and a code, if the address
// is one of the team's. The answer is the same, and as quick, whether it is:
// what the address leads to is looked up after it.
func (d *Door) ask(v *desk.Visit) error {
	if err := d.Desk.Allow(v); err != nil {
		return err
	}
	email := strings.TrimSpace(v.PostForm("email"))
	if address, err := mail.ParseAddress(email); err != nil || address.Address != email || len(email) > maxEmail {
		return d.render(v, view{Email: email, Error: "Write your e-mail address, such as name@example.org."}, http.StatusBadRequest)
	}
	if err := d.Desk.Remember(v, v.PostForm("to")); err != nil {
		return err
	}
	nonce := desk.Token()
	d.Desk.SetCookie(v.Context, askedCookie, nonce, mailLife)
	ctx := context.WithoutCancel(v.Request.Context())
	d.asking.Go(func() {
		ctx, cancel := context.WithTimeout(ctx, queueTime)
		defer cancel()
		if err := d.send(ctx, email, desk.Hash(nonce)); err != nil {
			d.Desk.Log.ErrorContext(ctx, "staff: a sign-in mail was not queued", "err", err)
		}
	})
	return d.renderMailed(v, "", http.StatusOK)
}

func (d *Door) renderMailed(v *desk.Visit, wrong string, status int) error {
	return d.Desk.RenderStatus(v, d.mailed, desk.Page{Title: "Look into your mail", Narrow: true, Body: struct{ Error string }{wrong}}, status)
}

// send queues a mail for an address of the team's.
func (d *Door) send(ctx context.Context, email, browser string) error {
	m, err := d.Desk.Store.StaffByEmail(ctx, email)
	if errors.Is(err, fault.NotFound) {
		d.Desk.Failed(ctx, "asked for a mail to an address that is not on the team", "")
		return nil
	}
	if err != nil {
		return err
	}
	if ok, _ := d.Desk.Limits.Allow(ctx, limits.SignInWho, store.FoldEmail(email)); !ok {
		d.Desk.Failed(ctx, "asked for too many mails", m.Email)
		return nil // whoever asks learns nothing, and the mailbox is not flooded
	}
	id, _, err := d.Desk.NewLink(ctx, m, mailLife, browser, store.Entry{Who: m.Email, Action: "staff.link", Subject: m.Email, Detail: "by mail"})
	if err != nil {
		return err
	}
	data, err := json.Marshal(map[string]string{"id": id})
	if err != nil {
		return err
	}
	return d.Desk.Store.QueueMail(ctx, store.Mail{Kind: mailKind, Subject: id, To: m.Email, Locale: "en", Data: data, Due: d.Desk.Now()})
}

// useCode handles POST /staff/sign-in/code: the code that came with the mail,
// in the browser that asked for it.
func (d *Door) useCode(v *desk.Visit) error {
	if err := d.Desk.Allow(v); err != nil {
		return err
	}
	ctx := v.Request.Context()
	wrong := func(member string) error {
		d.Desk.Failed(ctx, "by a code", member)
		return d.renderMailed(v, "That is not the code, or its time is over. You have a few tries for each mail.", http.StatusBadRequest)
	}
	l, err := d.Desk.Store.StaffLinkByBrowser(ctx, desk.Hash(d.Desk.Cookie(v.Context, askedCookie)))
	if err = d.judge(l, err); errors.Is(err, fault.NotFound) {
		return wrong("")
	}
	if err != nil {
		return err
	}
	few, err := d.Desk.Store.TryStaffCode(ctx, l.ID, codeTries)
	if err != nil {
		return err
	}
	if !few || !d.Desk.Keys.IsCode(signin.Staff, l.ID, v.PostForm("code")) {
		return wrong(l.Staff.Email)
	}
	return d.enter(v, l)
}
