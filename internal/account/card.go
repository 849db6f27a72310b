package account

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"

	"github.com/united24media/support/internal/fault"
	"github.com/united24media/support/internal/limits"
	"github.com/united24media/support/internal/store"
	"github.com/united24media/support/internal/stripeapi"
)

// card handles POST /account/memberships/:id/card: to Stripe's page, on which
// the way of paying is changed.
func (s *Service) card(v *visit) error {
	m, err := s.posted(v, stateActive, statePaused, stateOwing, stateEnding)
	if err != nil || m == nil {
		return err
	}
	if err := s.allow(v.Context, limits.AccountAct, v.address()); err != nil {
		return err
	}
	back := s.PublicURL + "/account/memberships/" + url.PathEscape(m.Subscription) + "/card?state=" + s.cardState(v, m.Subscription)
	address, err := s.Stripe.OpenCardPage(v.Request.Context(), actKey(v.PostForm("press"), m.Subscription, act{name: "card"}), stripeapi.CardPage{
		Customer: m.Customer, ReturnURL: back, Lang: v.lang,
	})
	if err != nil {
		return s.refused(v, m, err)
	}
	if s.stripePage(address) == "" {
		return fault.New(fault.Upstream, "The payment provider's page can't be opened at the moment.")
	}
	v.Redirect(http.StatusSeeOther, address)
	return nil
}

// cardState returns what Stripe sends back with a visitor of its page, so that
// no other site can send one there.
func (s *Service) cardState(v *visit, subscription string) string {
	mac := hmac.New(sha256.New, []byte(v.session.Hash))
	mac.Write([]byte("card " + subscription))
	return hex.EncodeToString(mac.Sum(nil)[:16])
}

// cardDone handles GET /account/memberships/:id/card, where Stripe's page leads
// back to: the new way of paying is made the membership's, and pays what is
// owed.
func (s *Service) cardDone(v *visit) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(v.Request.Context()), actTime)
	defer cancel()
	m, err := s.Store.MembershipOf(ctx, v.address(), v.Param("id"))
	if err != nil {
		return err
	}
	page := "/account/memberships/" + url.PathEscape(m.Subscription)
	if !hmac.Equal([]byte(v.Query("state")), []byte(s.cardState(v, m.Subscription))) {
		v.Redirect(http.StatusSeeOther, page)
		return nil
	}
	if err := s.allow(v.Context, limits.AccountAct, v.address()); err != nil {
		return err
	}
	answers, err := s.Stripe.SettleCard(ctx, "account-"+newPress(), m.Subscription)
	if err != nil {
		return s.refused(v, m, err)
	}
	if err := s.record(ctx, answers); err != nil {
		return err
	}
	entry := store.Entry{At: s.Now(), Who: store.TheSupporter, Action: "membership.card", Subject: m.Subscription}
	if err := s.Store.Audit(ctx, entry); err != nil {
		return err
	}
	if m, err = s.Store.MembershipOf(ctx, v.address(), m.Subscription); err != nil {
		return err
	}
	done := "card"
	if m.Status == "past_due" || m.Status == "unpaid" {
		done = "card_declined"
	}
	v.Redirect(http.StatusSeeOther, page+"?done="+done)
	return nil
}
