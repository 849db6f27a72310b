package account

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/golang-jwt/jwt/v5"

	"github.com/united24media/support/internal/clean"
	"github.com/united24media/support/internal/fault"
	"github.com/united24media/support/internal/giving"
	"github.com/united24media/support/internal/offer"
)

// When the news site should ask again about a member.
const (
	renewalTime = 3 * 24 * time.Hour  // after the end of what is paid: a renewal takes a while
	askAgain    = 31 * 24 * time.Hour // at the latest: a yearly member may end it today
)

// tokenFragment is the name under which the news site finds the token behind
// the # of its address, which browsers send to no server.
const tokenFragment = "support_membership"

// connect handles GET /account/connect?return_url=…: it leads back to the news
// site with a token about whoever is signed in, or has them sign in first.
func (s *Service) connect(c *gin.Context) error {
	to := c.Query("return_url")
	audience := clean.Origin(to)
	if audience == "" || !slices.Contains(s.SiteOrigins, audience) {
		return fault.Field("return_url", "The return address must belong to one of the news site's origins.")
	}
	n, ok, err := s.session(c)
	if err != nil {
		return err
	}
	if !ok {
		c.Redirect(http.StatusSeeOther, "/account?"+url.Values{"to": {to}}.Encode())
		return nil
	}
	token, _, err := s.token(c.Request.Context(), n.Address, audience)
	if err != nil {
		return err
	}
	to, _, _ = strings.Cut(to, "#")
	c.Header("Cache-Control", "no-store")
	c.Redirect(http.StatusSeeOther, to+"#"+tokenFragment+"="+token)
	return nil
}

// token returns a token for an audience about an address, and what it says.
func (s *Service) token(ctx context.Context, address, audience string) (string, Claim, error) {
	members, err := s.Store.MembershipsOf(ctx, address)
	if err != nil {
		return "", Claim{}, err
	}
	now := s.Now()
	claim := claimOf(members, now)
	if !claim.Supporter {
		if claim.Supporter, err = s.Store.KnownAddress(ctx, address); err != nil {
			return "", Claim{}, err
		}
	}
	token, err := s.tokens.sign(claim, address, audience, now)
	return token, claim, err
}

// claimOf says what memberships make of somebody: the one that reaches the
// highest tier counts.
func claimOf(members []*giving.Membership, now time.Time) Claim {
	claim := Claim{Supporter: len(members) > 0}
	highest, until := -1, time.Time{}
	for _, m := range members {
		if !m.Live {
			continue
		}
		claim.Member = true
		ends := time.Unix(m.PeriodEnd, 0).Add(renewalTime)
		switch {
		case m.LiveUntil > 0:
			ends = time.Unix(m.LiveUntil, 0)
		case m.CancelAtEnd:
			ends = time.Unix(m.PeriodEnd, 0)
		}
		if ends.After(until) {
			until = ends
		}
		rank := slices.IndexFunc(offer.Tiers(), func(t offer.Tier) bool { return t.ID == m.Tier })
		if rank > highest {
			highest, claim.Tier = rank, m.Tier
		}
	}
	if claim.Member {
		if latest := now.Add(askAgain); until.After(latest) {
			until = latest
		}
		claim.Until = jwt.NewNumericDate(until)
	}
	return claim
}

// Membership handles GET /v1/membership: the token as JSON, for whoever is
// signed in. Scripts of other sites can't read it.
func (s *Service) Membership(c *gin.Context) error {
	n, ok, err := s.session(c)
	if err != nil {
		return err
	}
	if !ok {
		return fault.New(fault.Unauthorized, "Nobody is signed in. Send the reader to /account/connect?return_url=… instead.")
	}
	audience := strings.TrimSuffix(s.site(), "/")
	if asked := c.Query("audience"); asked != "" {
		if audience = asked; !slices.Contains(s.SiteOrigins, audience) {
			return fault.Field("audience", "The audience must be one of the news site's origins.")
		}
	}
	token, claim, err := s.token(c.Request.Context(), n.Address, audience)
	if err != nil {
		return err
	}
	answer := gin.H{"token": token, "supporter": claim.Supporter, "member": claim.Member, "tier": nil, "member_until": nil}
	if claim.Tier != "" {
		answer["tier"] = claim.Tier
	}
	if claim.Until != nil {
		answer["member_until"] = claim.Until.UTC().Format(time.RFC3339)
	}
	c.Header("Cache-Control", "no-store")
	c.JSON(http.StatusOK, answer)
	return nil
}

// JWKS handles GET /.well-known/jwks.json, RFC 7517.
func (s *Service) JWKS(c *gin.Context) error {
	c.Header("Cache-Control", "public, max-age=300")
	c.JSON(http.StatusOK, gin.H{"keys": s.tokens.published()})
	return nil
}
