// Package checkout takes a reader's wish to give to Stripe's payment page:
// it validates, writes a row, and opens a Checkout Session. It also shows the
// support page and the page that donors come back to.
//
// Nothing here records a donation: that is what Stripe's events do.
package checkout

import (
	"context"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/united24media/support/internal/attribution"
	"github.com/united24media/support/internal/campaign"
	"github.com/united24media/support/internal/clean"
	"github.com/united24media/support/internal/limits"
	"github.com/united24media/support/internal/look"
	"github.com/united24media/support/internal/offer"
	"github.com/united24media/support/internal/risk"
	"github.com/united24media/support/internal/store"
	"github.com/united24media/support/internal/stripeapi"
)

// A Limiter says how often one may do something; see [limits.Limits].
type Limiter interface {
	Allow(ctx context.Context, name, key string) (ok bool, retryAfter time.Duration)
}

// Options are what a [Service] needs.
type Options struct {
	Store   *store.Store
	Stripe  *stripeapi.Client
	Signer  *attribution.Signer
	Limiter Limiter
	Guard   *risk.Guard // nil: nobody is suspected of trying stolen cards
	Log     *slog.Logger

	PublicURL   string         // how browsers reach us, without a slash at its end
	SiteOrigins []string       // the news site's, scheme://host[:port]; the first is its home
	PayOrigins  []string       // where donors may be sent to pay; empty: Stripe's own page
	Currency    string         // asked in where the reader's country has none of its own
	Zone        *time.Location // of the dates on pages; nil: UTC
	Sandbox     bool           // no money moves; every page says so

	TrustedProxies []netip.Prefix // whose word on the reader's address and country counts
	CountryHeader  string         // "" for none

	Closed     func() bool                                       // whether no gift is taken; nil: gifts are
	Amounts    func() offer.Suggestions                          // what staff suggest; nil: what ships
	Campaigns  *campaign.Live                                    // nil: none
	Wall       func() bool                                       // whether supporters are thanked publicly; nil: no
	Supporters func(scope string) (supporters int64, known bool) // nil: nobody knows

	Now func() time.Time // nil: the clock
}

// StripeOrigin is where Stripe's payment pages are.
const StripeOrigin = "https://checkout.stripe.com"

// A Service handles the giving path.
type Service struct {
	Options
	script  *look.Asset
	refused refusals
}

// New returns a service, or an error if the offers are wrong: nobody should be
// asked for what can't be paid.
func New(o Options) (*Service, error) {
	if err := offer.Check(); err != nil {
		return nil, err
	}
	if len(o.PayOrigins) == 0 {
		o.PayOrigins = []string{StripeOrigin}
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if o.Zone == nil {
		o.Zone = time.UTC
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Service{
		Options: o, script: look.NewAsset("support.js", "text/javascript; charset=utf-8", scriptJS),
		refused: refusals{until: map[string]time.Time{}},
	}, nil
}

// Assets returns what the pages load besides the stylesheet.
func (s *Service) Assets() []*look.Asset { return []*look.Asset{s.script} }

// network returns the reader's network, for limits.
func (s *Service) network(c *gin.Context) string {
	return limits.Network(limits.ClientIP(c.Request, s.TrustedProxies))
}

// country returns the reader's country (ISO 3166 alpha-2) as a proxy of ours
// tells it, or "".
func (s *Service) country(c *gin.Context) string {
	if s.CountryHeader == "" {
		return ""
	}
	peer, err := netip.ParseAddrPort(c.Request.RemoteAddr)
	if err != nil || !limits.Trusted(peer.Addr(), s.TrustedProxies) {
		return ""
	}
	country := strings.ToUpper(c.GetHeader(s.CountryHeader))
	if len(country) != 2 || country == "XX" {
		return ""
	}
	return country
}

// returnable returns the address that a donor may be sent back to, or "": one
// of the news site, and nothing else.
func (s *Service) returnable(address string) string {
	if origin := clean.Origin(address); origin != "" && slices.Contains(s.SiteOrigins, origin) {
		return address
	}
	return ""
}
