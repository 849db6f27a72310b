package checkout

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/united24media/support/internal/i18n"
	"github.com/united24media/support/internal/money"
	"github.com/united24media/support/internal/objects"
	"github.com/united24media/support/internal/store"
)

// How the page of a gift that is not recorded yet looks again: often at first,
// as webhooks come within seconds, then rarely, and at last only when asked.
const (
	fastLooks    = 10
	fastPause    = 3 // seconds
	slowLooks    = 30
	slowPause    = 20 // seconds
	askStripeFor = 5  // every so many looks Stripe is asked how the payment stands
)

// Stripe's words for a session.
const (
	sessionComplete = "complete" // paid, or the payment is on its way
	sessionExpired  = "expired"
	sessionUnpaid   = "unpaid" // a payment_status
)

// thanksPath returns the page of a session.
func thanksPath(session string) string {
	return "/thanks?" + url.Values{"session_id": {session}}.Encode()
}

// statusTimeout bounds what a donor waits for Stripe's word on the payment.
const statusTimeout = 2 * time.Second

// What is known of a gift.
const (
	giftRecorded = "recorded" // in the books
	giftPending  = "pending"  // to be confirmed any moment
	giftPromised = "promised" // a bank needs days
	giftOpen     = "open"     // not paid
	giftFailed   = "failed"   // promised, and did not come
	giftUnknown  = "unknown"  // an address that leads nowhere
)

// A thanksView is what the thanks page shows.
type thanksView struct {
	Lang     string
	State    string
	Late     bool
	Amount   string
	Interval string
	Date     string
	Back     string // the article
	Home     string
	Again    string // to the support page
	Check    string // this page
}

// Thanks handles GET /thanks: what is recorded of the gift that the session
// leads to, or how far it is. It records nothing. Whoever knows no session of
// ours learns nothing.
func (s *Service) Thanks(c *gin.Context) error {
	ctx := c.Request.Context()
	id := c.Query("session_id")
	look, err := strconv.Atoi(c.Query("look"))
	if err != nil || look < 0 {
		look = 0
	}
	c.Header("Cache-Control", "private, no-store")
	row, found, err := s.Store.CheckoutBySession(ctx, id)
	if err != nil {
		// Whether there is a gift can't be told now, and must not be denied.
		s.Log.ErrorContext(ctx, "thanks: the checkout could not be read", "err", err)
		lang := i18n.Negotiate(c.Query("lang"), c.GetHeader("Accept-Language"))
		return s.showThanks(c, id, look, thanksView{Lang: lang, State: giftPending})
	}
	if !found {
		lang := i18n.Negotiate(c.Query("lang"), c.GetHeader("Accept-Language"))
		return s.showThanks(c, id, look, thanksView{Lang: lang, State: giftUnknown, Again: "/support?lang=" + lang})
	}
	v := thanksView{
		Lang: row.Locale, Interval: i18n.T(row.Locale, "interval."+row.Interval),
		Amount: i18n.Money(row.Locale, money.Amount{Minor: row.AmountMinor, Currency: row.Currency}),
		Back:   s.returnable(row.ReturnURL), Again: s.supportURL(row, false),
	}
	gift, recorded, err := s.Store.GiftOfCheckout(ctx, row)
	switch {
	case err != nil:
		s.Log.ErrorContext(ctx, "thanks: the gift could not be read", "checkout", row.ID, "err", err)
		v.State = giftPending
	case recorded:
		v.State, v.Date = giftRecorded, i18n.Date(row.Locale, gift.CreatedAt.In(s.Zone))
		v.Amount = i18n.Money(row.Locale, money.Amount{Minor: gift.AmountMinor, Currency: gift.Currency})
	default:
		if v.State = s.endedState(ctx, row); v.State != "" {
			break // for good: who tries again gives anew, under another attempt
		}
		if v.State = s.paymentState(ctx, row, look); v.State == giftOpen {
			v.Again = s.supportURL(row, true)
		}
	}
	return s.showThanks(c, id, look, v)
}

// endedState returns how a session ended without a payment, as far as that is
// recorded, or "".
func (s *Service) endedState(ctx context.Context, row store.Checkout) string {
	ref := objects.NewRef(objects.KindSession, row.Session)
	states, err := s.Store.Registers(ctx, []string{string(ref)})
	if err == nil && states[string(ref)] != "" {
		var known objects.Register
		if known, err = objects.DecodeRegister(objects.KindSession, states[string(ref)]); err == nil {
			session := known.(*objects.Session)
			switch {
			case session.Failed && session.PaymentStatus == sessionUnpaid:
				return giftFailed
			case session.Status == sessionExpired:
				return giftOpen
			}
		}
	}
	if err != nil {
		s.Log.ErrorContext(ctx, "thanks: what is recorded of the session could not be read", "checkout", row.ID, "err", err)
	}
	return ""
}

// paymentState asks Stripe, now and then, how the payment of a gift that is
// not recorded stands.
func (s *Service) paymentState(ctx context.Context, row store.Checkout, look int) string {
	if look%askStripeFor != 0 {
		return giftPending
	}
	ctx, cancel := context.WithTimeout(ctx, statusTimeout)
	defer cancel()
	session, err := s.Stripe.Session(ctx, row.Session)
	switch {
	case err != nil:
		s.Log.WarnContext(ctx, "thanks: Stripe could not be asked", "checkout", row.ID, "err", err)
		return giftPending
	case session.Status != sessionComplete:
		return giftOpen
	case session.PaymentStatus == sessionUnpaid:
		return giftPromised
	}
	return giftPending
}

func (s *Service) showThanks(c *gin.Context, id string, look int, v thanksView) error {
	page := s.page(v.Lang, "thanks.title")
	page.Private = true
	v.Home = s.home()
	next := "/thanks?" + url.Values{"session_id": {id}, "look": {strconv.Itoa(look + 1)}}.Encode()
	v.Check = next
	if v.State == giftPending {
		v.Late = look >= fastLooks
		switch {
		case look < fastLooks:
			page.Refresh = strconv.Itoa(fastPause) + "; url=" + next
		case look < slowLooks:
			page.Refresh = strconv.Itoa(slowPause) + "; url=" + next
		}
	}
	page.Body = v
	return thanksPage.Render(c.Writer, http.StatusOK, page)
}
