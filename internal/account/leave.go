package account

import (
	"errors"
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/united24media/support/internal/fault"
	"github.com/united24media/support/internal/i18n"
	"github.com/united24media/support/internal/mail"
	"github.com/united24media/support/internal/signin"
	"github.com/united24media/support/internal/store"
)

// A leaveView is what the page shows that ends mails of one kind.
type leaveView struct {
	Lang  string
	What  string // the mails, in words
	Token string
	Done  bool
	Gone  bool // the link leads to no mail any more
}

// leaving returns the mail that a link to end its kind stands in, or a
// [fault.NotFound] for a link that is no good, or older than mails are kept.
func (s *Service) leaving(c *gin.Context) (m store.QueuedMail, token string, err error) {
	token = c.Query("token")
	id, ok := s.Keys.ID(signin.Leave, token)
	if !ok {
		return m, "", fault.New(fault.NotFound, "This link leads to no mail.")
	}
	m, err = s.Store.MailByID(c.Request.Context(), id)
	if err == nil && (m.To == "" || leavable[m.Kind].what == "") {
		err = fault.New(fault.NotFound, "This link leads to no mail.")
	}
	return m, token, err
}

// leavable are the kinds of mails that can be ended: what the choice is called,
// and the choice.
var leavable = map[string]struct {
	what string
	end  func(*store.Choices)
}{
	mail.Statement:       {"account.choices.statement", func(c *store.Choices) { c.Statement = false }},
	mail.RenewalReminder: {"account.choices.reminders", func(c *store.Choices) { c.Reminders = false }},
}

// showStop handles GET /account/leave. It ends nothing: programs open what
// they find in mails.
func (s *Service) showStop(c *gin.Context) error {
	m, token, err := s.leaving(c)
	return s.renderLeave(c, m, leaveView{Token: token}, err)
}

// stopMail handles POST /account/leave: by the button of the page, or by that of a
// mailbox (RFC 8058), which comes from a program without cookies. It says the
// same however often it is pressed.
func (s *Service) stopMail(c *gin.Context) error {
	m, token, err := s.leaving(c)
	if err == nil {
		ctx := c.Request.Context()
		var chosen store.Choices
		if chosen, _, err = s.Store.ChoicesOf(ctx, m.To); err == nil {
			leavable[m.Kind].end(&chosen)
			err = s.Store.PutChoices(ctx, chosen, s.Now())
		}
	}
	return s.renderLeave(c, m, leaveView{Token: token, Done: true}, err)
}

func (s *Service) renderLeave(c *gin.Context, m store.QueuedMail, v leaveView, err error) error {
	v.Lang = i18n.Negotiate(c.Query("lang"), c.GetHeader("Accept-Language"))
	status := http.StatusOK
	switch {
	case errors.Is(err, fault.NotFound):
		v.Gone, v.Done, status = true, false, http.StatusNotFound
	case err != nil:
		return err
	default:
		if c.Query("lang") == "" && m.Locale != "" {
			v.Lang = i18n.Negotiate(m.Locale, c.GetHeader("Accept-Language"))
		}
		v.What = i18n.T(v.Lang, leavable[m.Kind].what)
	}
	return s.render(c, leavePage, status, v.Lang, "account.leave.title", v)
}
