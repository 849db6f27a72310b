// Package recovery is the page to which a mail about a failed payment leads:
// one press, without signing in, to Stripe's page on which it can be paid or
// the card changed. Opening it changes nothing, since programs open what they
// find in mails.
package recovery

import (
	"context"
	_ "embed" // for the page
	"errors"
	"html/template"
	"net/http"
	"net/url"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/united24media/support/internal/fault"
	"github.com/united24media/support/internal/giving"
	"github.com/united24media/support/internal/i18n"
	"github.com/united24media/support/internal/look"
	"github.com/united24media/support/internal/money"
	"github.com/united24media/support/internal/signin"
	"github.com/united24media/support/internal/store"
	"github.com/united24media/support/internal/stripeapi"
)

//go:embed recovery.html
var pageHTML string

var page = look.MustParse(template.FuncMap{
	"t": func(lang, key string, args i18n.Args) string { return i18n.T(lang, key, args) },
}, pageHTML)

// Options are what the page needs.
type Options struct {
	Store     *store.Store
	Stripe    *stripeapi.Client
	Keys      *signin.Keys
	PublicURL string
	Sandbox   bool
}

// A Recovery is the page.
type Recovery struct{ Options }

// New returns the page.
func New(o Options) *Recovery { return &Recovery{o} }

// stripeTime bounds what a supporter waits for Stripe.
const stripeTime = 15 * time.Second

// How a membership stands.
const (
	owes    = "owes"    // a payment failed
	paid    = "paid"    // all is well
	ended   = "ended"   // it is over
	unknown = "unknown" // the link leads nowhere
)

// A view is what the page shows: of a membership its price, and of a person
// nothing.
type view struct {
	Lang    string
	State   string
	Token   string
	Args    i18n.Args
	Support string
}

// Show handles GET /account/recover. It changes nothing.
func (r *Recovery) Show(c *gin.Context) error {
	c.Header("Cache-Control", "private, no-store")
	token := c.Query("token")
	m, err := r.membership(c.Request.Context(), token)
	if errors.Is(err, fault.NotFound) {
		return r.render(c, http.StatusNotFound, view{Lang: i18n.Negotiate("", c.GetHeader("Accept-Language")), State: unknown})
	}
	if err != nil {
		return err
	}
	v := view{Lang: i18n.Negotiate(m.Locale, c.GetHeader("Accept-Language")), State: state(m), Token: token}
	v.Args = i18n.Args{"Amount": i18n.Money(v.Lang, money.Amount{Minor: m.Amount, Currency: m.Currency})}
	return r.render(c, http.StatusOK, v)
}

// membership returns the membership that a token opens, or a [fault.NotFound].
func (r *Recovery) membership(ctx context.Context, token string) (*giving.Membership, error) {
	id, ok := r.Keys.ID(signin.Recover, token)
	if !ok {
		return nil, fault.New(fault.NotFound, "This link leads to no membership.")
	}
	return r.Store.MembershipBySubscription(ctx, id)
}

func state(m *giving.Membership) string {
	switch m.Status {
	case "active", "trialing":
		return paid
	case "canceled", "incomplete_expired":
		return ended
	}
	return owes
}

func (r *Recovery) render(c *gin.Context, status int, v view) error {
	v.Support = r.PublicURL + "/support"
	p := look.Page{
		Lang: v.Lang, Title: i18n.T(v.Lang, "recover."+v.State+".h1", v.Args), Brand: i18n.T(v.Lang, "frame.brand"), BrandURL: v.Support,
		Skip: i18n.T(v.Lang, "frame.skip"), Note: i18n.T(v.Lang, "frame.note"), Private: true, Body: v,
	}
	if r.Sandbox {
		p.Sandbox = i18n.T(v.Lang, "frame.sandbox")
	}
	return page.Render(c.Writer, status, p)
}

// Open handles POST /account/recover: it leads to Stripe's page of the invoice
// that is owed, or to the one on which the card is changed.
func (r *Recovery) Open(c *gin.Context) error {
	ctx, cancel := context.WithTimeout(c.Request.Context(), stripeTime)
	defer cancel()
	token := c.PostForm("token")
	m, err := r.membership(ctx, token)
	if err != nil {
		return err
	}
	if state(m) == ended {
		c.Redirect(http.StatusSeeOther, r.PublicURL+"/support")
		return nil
	}
	standing, err := r.Stripe.Standing(ctx, m.Subscription)
	if err != nil {
		return err
	}
	address := standing.PayURL
	if address == "" {
		address, err = r.Stripe.OpenCardPage(ctx, "card-"+signin.NewID(), stripeapi.CardPage{
			Customer: m.Customer, Lang: m.Locale, ReturnURL: r.PublicURL + signin.RecoverPath + "?" + url.Values{"token": {token}}.Encode(),
		})
		if err != nil {
			return err
		}
	}
	c.Redirect(http.StatusSeeOther, address)
	return nil
}
