package web

import (
	"net/http"
	"slices"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/united24media/support/internal/fault"
)

// Limits of request bodies, in bytes. Webhooks have their own.
const (
	maxForm   = 64 << 10
	maxSignal = 4 << 10
)

// preflightAge is how long a browser may remember an allowed origin, in seconds.
const preflightAge = "7200"

// A policy is the rules a route keeps.
type policy struct {
	headers []header // on every answer; a handler may replace one
	maxBody int64    // bytes; 0 leaves the body to the handler
	quick   bool     // neither logged nor measured, unless it fails
	trace   bool     // traced, though quick; what is not quick always is
	guarded bool     // refused from other origins: a form
	cors    corsRule
	html    bool   // errors are pages
	share   *share // nil: any number at once
	meter   *meter // of a quick route; nil measures nothing
	bounded bool   // questions to the database that may be long, and are ended: see [store.Bounded]

	// failed shows an error in place of the page for readers; nil is that page.
	failed func(c *gin.Context, status int, detail, id string) error
}

// A header is ready to be put into an answer without allocating.
type header struct {
	name   string
	values []string
}

type corsRule int

const (
	corsNone  corsRule = iota
	corsAny            // every origin, without credentials
	corsSites          // the news site's origins
)

func (p policy) fast() policy          { p.quick = true; return p }
func (p policy) traced() policy        { p.trace = true; return p }
func (p policy) body(max int64) policy { p.maxBody = max; return p }
func (p policy) sameOrigin() policy    { p.guarded = true; return p }
func (p policy) of(s *share) policy    { p.share = s; return p }
func (p policy) asking() policy        { p.bounded = true; return p }
func (p policy) with(h ...header) policy {
	p.headers = append(slices.Clip(p.headers), h...)
	return p
}

// public is for what articles on other sites read. It sends few headers, since
// the ask is the busiest route: the others mean nothing for JSON that browsers
// are told not to sniff.
func (s *Server) public() policy {
	return policy{cors: corsAny, headers: s.secured(
		one("Access-Control-Allow-Origin", "*"),
		one("Cross-Origin-Resource-Policy", "cross-origin"),
	)}
}

// siteOnly is for what the news site's own scripts may call.
func (s *Server) siteOnly() policy {
	p := s.private().of(s.shares.giving)
	p.cors = corsSites
	return p
}

// private is for answers that no page may read and no cache may keep.
func (s *Server) private() policy {
	return policy{headers: s.closed("default-src 'none'; frame-ancestors 'none'")}
}

// problems is for addresses that are not there.
func (s *Server) problems() policy {
	p := s.private()
	p.html = true
	return p
}

// page is for HTML: its own scripts, styles and pictures, forms that lead to
// Stripe's checkout, never inside a frame.
func (s *Server) page() policy {
	return policy{html: true, headers: s.closed(s.pageContent())}
}

// giving is for the support page, where a challenge of another service may
// stand.
func (s *Server) giving() policy {
	if s.Challenge == "" {
		return s.page()
	}
	return policy{html: true, headers: s.closed(s.content([]string{s.Challenge}, nil) + "; frame-src " + s.Challenge)}
}

// supporters is for the pages of those who gave, whose forms also lead to
// Stripe's page for cards, and back to the news site that asked who they are.
func (s *Server) supporters() policy {
	return policy{html: true, headers: s.closed(s.pageContent(append([]string{"https://billing.stripe.com"}, s.SiteOrigins...)...))}
}

// staffPage is a page that may also frame others of ours: a preview.
func (s *Server) staffPage() policy {
	return policy{html: true, headers: s.closed(s.pageContent() + "; frame-src 'self'")}
}

// framed is for the ask as a page of its own, which says itself who may frame
// it.
func (s *Server) framed() policy {
	return policy{html: true, headers: s.secured(
		one("Referrer-Policy", "strict-origin-when-cross-origin"),
		one("Cross-Origin-Resource-Policy", "cross-origin"),
	)}
}

// recovery is for the page of a failed payment, which leads to Stripe's pages
// of invoices and cards.
func (s *Server) recovery() policy {
	return policy{html: true, headers: s.closed(s.pageContent("https://invoice.stripe.com", "https://billing.stripe.com"))}
}

// article is the example of a news site's page, which runs the embed script.
func (s *Server) article() policy { return s.page() }

// pageContent is what a page may hold; forms may lead elsewhere too.
func (s *Server) pageContent(forms ...string) string { return s.content(nil, forms) }

// content is what a page may hold, with scripts and where forms may lead beside
// our own.
func (s *Server) content(scripts, forms []string) string {
	own := "'self' " + s.origin // whoever opens us by another name still gets our own files
	and := func(more ...string) string { return strings.Join(append([]string{own}, more...), " ") }
	return strings.Join([]string{
		"default-src 'none'", "script-src " + and(scripts...), "style-src " + own, "img-src " + own + " data:", "font-src " + own,
		"connect-src " + own, "form-action " + and(append([]string{"https://checkout.stripe.com"}, forms...)...),
		"base-uri 'none'", "frame-ancestors 'none'",
	}, "; ")
}

// asset is for the files that pages load.
func (s *Server) asset() policy {
	return policy{headers: s.secured(one("Cross-Origin-Resource-Policy", "cross-origin"))}.fast()
}

// sandbox is for Stripe's stand-in, whose pages say themselves what they need.
func (s *Server) sandbox() policy {
	return policy{headers: s.secured(one("Referrer-Policy", "same-origin"), one("Cache-Control", "no-store"))}.fast()
}

// closed returns the headers of answers to one browser alone. The referrer
// stays on our own pages: with no-referrer, browsers would post our forms with
// a null origin.
func (s *Server) closed(content string) []header {
	return s.secured(
		one("Content-Security-Policy", content),
		one("Referrer-Policy", "same-origin"),
		one("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
		one("Cross-Origin-Opener-Policy", "same-origin"),
		one("Cross-Origin-Resource-Policy", "same-origin"),
		one("Cache-Control", "no-store"),
	)
}

// secured returns h and what every answer carries.
func (s *Server) secured(h ...header) []header {
	h = append(h, one("X-Content-Type-Options", "nosniff"))
	if strings.HasPrefix(s.origin, "https://") {
		h = append(h, one("Strict-Transport-Security", "max-age=31536000; includeSubDomains"))
	}
	return h
}

func one(name, value string) header { return header{http.CanonicalHeaderKey(name), []string{value}} }

// admit returns a [fault.Forbidden] for a request that the route's rules keep
// out, and says to browsers who may read the answer.
func (s *Server) admit(c *gin.Context, p policy) error {
	if p.guarded {
		if err := s.guard.Check(c.Request); err != nil {
			return fault.Wrap(fault.Forbidden, err, "This form was sent from another site. Open the page here and try again.")
		}
	}
	if p.cors != corsSites {
		return nil
	}
	c.Header("Vary", "Origin")
	from := c.GetHeader("Origin")
	switch {
	case slices.Contains(s.SiteOrigins, from):
		c.Header("Access-Control-Allow-Origin", from)
	case from != "" && from != s.origin && s.guard.Check(c.Request) != nil:
		return fault.New(fault.Forbidden, "Checkouts can't be opened from this site; link to the support page instead.")
	}
	return nil
}

// preflight answers a browser that asks before it sends.
func (s *Server) preflight(path string, p policy) {
	if p.cors == corsNone || slices.Contains(s.Routes(), "OPTIONS "+path) {
		return
	}
	method := http.MethodGet
	if p.cors == corsSites || p.maxBody > 0 {
		method = http.MethodPost
	}
	p = p.body(0).of(nil).with(
		one("Access-Control-Allow-Methods", method),
		one("Access-Control-Allow-Headers", "Content-Type"),
		one("Access-Control-Max-Age", preflightAge))
	s.engine.OPTIONS(path, s.handle(p, func(c *gin.Context) error {
		c.Status(http.StatusNoContent)
		return nil
	}))
}
