package checkout

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/united24media/support/internal/clean"
	"github.com/united24media/support/internal/fault"
	"github.com/united24media/support/internal/i18n"
	"github.com/united24media/support/internal/money"
	"github.com/united24media/support/internal/offer"
	"github.com/united24media/support/internal/risk"
	"github.com/united24media/support/internal/store"
	"github.com/united24media/support/internal/stripeapi"
)

// SupportForm handles POST /support: 303 to Stripe's page, or the form again,
// with what was typed and what is wrong with it.
func (s *Service) SupportForm(c *gin.Context) error {
	c.Request.Body = http.MaxBytesReader(c.Writer, c.Request.Body, maxBody)
	if err := c.Request.ParseForm(); err != nil {
		status := http.StatusBadRequest
		if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
			status = http.StatusRequestEntityTooLarge
		}
		f := s.formOf(c, nil)
		return s.showSupport(c, status, f, supportView{Trouble: i18n.T(f.lang, "error.form")})
	}
	f := s.formOf(c, c.Request.PostForm)
	if s.closed() {
		return s.showClosed(c, f)
	}
	switch shown := f.get("shown"); {
	case f.get("show") != "":
		return s.showSupport(c, http.StatusOK, f, supportView{})
	case shown != "" && shown != f.currency:
		// The amounts that were seen belong to another currency: 10 € is not ¥1000.
		return s.showSupport(c, http.StatusOK, f, supportView{
			Notice: i18n.T(f.lang, "support.changed", i18n.Args{"Currency": f.currency}),
		})
	}
	in, err := f.input()
	var r request
	if err == nil {
		r, err = s.validate(in)
	}
	if err != nil {
		return s.showSupport(c, http.StatusUnprocessableEntity, f, supportView{Errors: []viewError{f.explain(err)}})
	}
	r.work, r.answer = f.get("work"), f.get(risk.ResponseField)
	row, fresh, err := s.openForm(c.Request.Context(), r, s.network(c))
	if err != nil {
		return s.showTrouble(c, f, err)
	}
	target := row.URL
	if !fresh && s.paid(c.Request.Context(), row) {
		target = thanksPath(row.Session)
	}
	c.Header("Cache-Control", "no-store")
	c.Redirect(http.StatusSeeOther, target)
	return nil
}

// ErrClosed says that staff decided that no gift is taken: no failure.
var ErrClosed = errors.New("giving is closed")

// retryClosed is when to ask again while no gift is taken, in seconds.
const retryClosed = 300

// closed reports whether no gift is taken, by decision of staff.
func (s *Service) closed() bool { return s.Closed != nil && s.Closed() }

// showClosed shows the support page without its form, and says that no gift is
// taken now.
func (s *Service) showClosed(c *gin.Context, f form) error {
	c.Header("Retry-After", strconv.Itoa(retryClosed))
	return s.showSupport(c, http.StatusServiceUnavailable, f, supportView{Closed: true})
}

// paid reports whether a session that a form leads to again was paid already,
// after which Stripe's page is a dead end. It asks Stripe, and takes no answer
// for no.
func (s *Service) paid(ctx context.Context, row store.Checkout) bool {
	ctx, cancel := context.WithTimeout(ctx, statusTimeout)
	defer cancel()
	session, err := s.Stripe.Session(ctx, row.Session)
	return err == nil && session.Status == sessionComplete
}

// openForm opens r's checkout. A form that comes back changed, by the Back
// button, is another gift: it gets an attempt that follows from its content,
// and the one before can't be paid any more.
func (s *Service) openForm(ctx context.Context, r request, network string) (row store.Checkout, fresh bool, err error) {
	r.ticket = r.attempt
	r.attempt = fromForm + r.attempt
	row, fresh, err = s.open(ctx, r, network)
	if !errors.Is(err, fault.Conflict) {
		return row, fresh, err
	}
	before := r.attempt
	r.attempt += "." + r.digest()[:digestPart]
	row, fresh, err = s.open(ctx, r, network)
	if err == nil && fresh {
		s.expire(ctx, before)
	}
	return row, fresh, err
}

// digestPart is how much of a digest tells two gifts from one form apart.
const digestPart = 20

// expireTimeout bounds what a donor waits for the sake of a session they left.
const expireTimeout = 2 * time.Second

// expire closes the session of an attempt, so that nobody pays it beside the
// one that replaced it. It tries once: the session ends by itself.
func (s *Service) expire(ctx context.Context, attempt string) {
	row, found, err := s.Store.CheckoutByAttempt(ctx, attempt)
	if err != nil || !found || !s.usable(row) {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, expireTimeout)
	defer cancel()
	if _, err := s.Stripe.ExpireSession(ctx, row.Session); err != nil {
		s.Log.InfoContext(ctx, "checkout: the replaced session stays open", "checkout", row.ID, "err", err)
		return
	}
	// Who changes the form back asks for another session, not for this one.
	if _, err := s.renew(ctx, row, s.refused.key(s.Now()), s.sessionEnd()); err != nil {
		s.Log.ErrorContext(ctx, "checkout: a closed session is still in its row", "checkout", row.ID, "err", err)
	}
}

// input returns what the form says, or why its amount can't be read.
func (f form) input() (input, error) {
	in := input{
		currency: f.currency, interval: f.interval, locale: f.lang, attempt: f.get("attempt"),
		name: f.get("name"), message: f.get("message"), anonymous: f.get("public") == "", showMessage: f.get("show_message") != "",
		discreet: f.get("discreet") != "", utm: map[string]string{},
	}
	for _, name := range passed {
		*in.text(name) = f.get(name)
	}
	for _, h := range f.hidden() {
		if isUTM(h.Name) {
			in.utm[h.Name] = h.Value
		}
	}
	// A token that is no token is none, here as in a plain link.
	if len(in.token) > maxToken || in.token != clean.Text(in.token) {
		in.token = ""
	}
	minor, err := f.amount()
	if err != nil {
		return in, err
	}
	in.amountMinor = &minor
	return in, nil
}

// explain returns in the reader's words what is wrong, and with which control.
func (f form) explain(err error) viewError {
	o, _ := offer.Get(f.currency, f.interval)
	write := func(minor int64) string {
		return i18n.Money(f.lang, money.Amount{Minor: minor, Currency: f.currency})
	}
	own := viewError{Field: "amount", Target: "own-" + f.interval}
	if f.get("amount_"+f.interval) != ownAmount {
		own.Target = "amount-" + f.interval + "-0"
	}
	minor, amountErr := f.amount()
	if amountErr == nil {
		amountErr = o.Admits(minor)
	}
	switch {
	case errors.Is(amountErr, errNoAmount):
		own.Text = i18n.T(f.lang, "error.amount.missing")
	case errors.Is(amountErr, money.ErrRange), errors.Is(amountErr, offer.ErrHigh):
		own.Text = i18n.T(f.lang, "error.amount.high", i18n.Args{"Max": write(o.Max)})
	case errors.Is(amountErr, offer.ErrLow):
		own.Text = i18n.T(f.lang, "error.amount.low", i18n.Args{"Min": write(o.Min)})
	case errors.Is(amountErr, offer.ErrStep):
		own.Text = i18n.T(f.lang, "error.amount.step", i18n.Args{"Example": write(o.Default)})
	case amountErr != nil:
		example := i18n.Decimal(f.lang, money.Amount{Minor: o.Default, Currency: f.currency})
		own.Text = i18n.T(f.lang, "error.amount.syntax", i18n.Args{"Example": example})
	}
	if own.Text != "" {
		return own
	}
	if e, ok := errors.AsType[*fault.Error](err); ok {
		switch e.Field {
		case "name":
			return viewError{"name", "name", i18n.T(f.lang, "error.name.long", i18n.Args{"Count": maxName})}
		case "message":
			return viewError{"message", "message", i18n.T(f.lang, "error.message.long", i18n.Args{"Count": maxMessage})}
		}
	}
	return viewError{"content", "", i18n.T(f.lang, "error.form")}
}

// showTrouble shows the form again after Stripe, the database or a limit said
// no. Nothing was charged, and it says so.
func (s *Service) showTrouble(c *gin.Context, f form, err error) error {
	e, ok := errors.AsType[*fault.Error](err)
	if !ok {
		return err
	}
	status, text := http.StatusServiceUnavailable, i18n.T(f.lang, "error.unreachable")
	switch {
	case errors.Is(err, errProve):
		status, text = http.StatusTooManyRequests, i18n.T(f.lang, "error.check")
		if !s.Guard.Knows(f.get("attempt")) {
			f.values.Set("attempt", s.Guard.Ticket()) // for which something can be proved
		}
	case e.Kind == fault.Limited && e.Field == amountField:
		status, text = http.StatusTooManyRequests, i18n.T(f.lang, "error.amount.refused")
	case e.Kind == fault.Limited:
		minutes := (e.RetryAfter + 59) / 60 // rounded up
		status, text = http.StatusTooManyRequests, i18n.T(f.lang, "error.limited", i18n.Args{"Count": max(1, minutes)})
	case e.Kind == fault.Upstream:
		status, text = http.StatusBadGateway, i18n.T(f.lang, "error.refused")
	case e.Kind != fault.Unavailable:
		return err
	case !isStripe(e):
		text = i18n.T(f.lang, "error.busy")
	}
	s.Log.WarnContext(c.Request.Context(), "checkout: the form came back", "kind", e.Kind, "err", err)
	if e.RetryAfter > 0 {
		c.Header("Retry-After", strconv.Itoa(e.RetryAfter))
	}
	return s.showSupport(c, status, f, supportView{Trouble: text})
}

// isStripe reports whether a call to Stripe is behind err.
func isStripe(err error) bool {
	_, ok := errors.AsType[*stripeapi.Error](err)
	return ok
}
