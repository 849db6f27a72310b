// Package web is the public face: the routes on one screen, the rules each
// keeps, and the one place where an error becomes a response.
package web

import (
	"cmp"
	"log/slog"
	"net/http"
	"strconv"
	"strings"

	"github.com/gin-gonic/gin"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/united24media/support/internal/account"
	"github.com/united24media/support/internal/signin"
	"github.com/united24media/support/internal/staff"
	"github.com/united24media/support/internal/trace"
)

// A Handler answers a request, or returns why it did not; it never does both.
type Handler = func(c *gin.Context) error

// Handlers are what stands behind the addresses. An address without a handler
// is not there.
type Handlers struct {
	Ask, Supporters, SupportersSVG Handler      // GET, from memory
	Explain                        Handler      // GET, why an ask shows or not
	Script, PinnedScript, Embed    Handler      // GET, the embed script and where it is
	PinnedPath                     string       // of PinnedScript: /v1/support.HASH.js
	Signals                        Handler      // POST
	Checkout                       Handler      // POST
	Webhook                        Handler      // POST
	Report, Donations, Donation    Handler      // GET, by token
	Payouts, Payout                Handler      // GET, by token
	Article, Thanks, Developers    Handler      // GET, pages
	Frame                          Handler      // GET, a page for frames on the news site
	SupportPage, SupportForm       Handler      // GET and POST of one page
	Picture                        Handler      // GET, of a campaign
	Wall, WallPage                 Handler      // GET, who supports us by name
	Assets                         http.Handler // what pages load
	Recover, RecoverForm           Handler      // a failed payment, by a mailed link
	Staff                          *staff.Pages // everything under /staff
	Sandbox                        http.Handler

	Account          []account.Route // everything under /account
	Membership, JWKS Handler         // GET, who is signed in there, as a token; the keys of tokens
}

// Options are what the public face needs.
type Options struct {
	Handlers    Handlers
	PublicURL   string      // how browsers reach us
	SiteOrigins []string    // who may open checkouts from a script
	Challenge   string      // the origin whose script and frame the support page may have; "" for none
	Contact     string      // a mail address, for who finds a hole; "" for none
	Ready       func() bool // whether the schema was current since start
	ErrorPage   func(c *gin.Context, p Problem)
	Log         *slog.Logger
	Metrics     prometheus.Registerer // nil measures nothing
	Tracer      *trace.Tracer         // nil traces nothing
}

// A Server is the public face. It is an http.Handler.
type Server struct {
	Options
	engine   *gin.Engine
	guard    *http.CrossOriginProtection
	origin   string // of PublicURL
	failed   *errorPage
	requests *prometheus.HistogramVec
	fast     *fastMetrics // nil measures nothing
	shares   shares
}

// New returns the public face.
func New(o Options) *Server {
	s := &Server{Options: o, origin: origin(o.PublicURL), guard: http.NewCrossOriginProtection(), failed: newErrorPage(o.Handlers.Sandbox != nil)}
	if err := s.guard.AddTrustedOrigin(s.origin); err != nil {
		o.Log.Warn("the public address has no origin that browsers send", "err", err)
	}
	if o.Metrics != nil {
		s.requests = prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "support_http_request_seconds", Help: "Time to answer, by route and status; asks and counts left out.",
			Buckets: []float64{.001, .005, .02, .1, .5, 2, 10},
		}, []string{"route", "status"})
		o.Metrics.MustRegister(s.requests)
		s.fast = newFastMetrics(o.Metrics)
	}
	s.shares = newShares(o.Metrics)
	s.engine = s.newEngine()
	s.route()
	return s
}

// newEngine returns a gin engine without gin's own middleware: its logger
// writes addresses and query strings, and its recovery prints headers.
func (s *Server) newEngine() *gin.Engine {
	gin.SetMode(gin.ReleaseMode)
	e := gin.New()
	e.HandleMethodNotAllowed = true
	e.RedirectTrailingSlash = false
	e.ForwardedByClientIP = false // who asks is found by package limits; nobody else reads forwarded headers
	_ = e.SetTrustedProxies(nil)  // never fails without proxies
	e.NoRoute(s.handle(s.problems(), notFound))
	e.NoMethod(s.handle(s.problems(), s.methodNotAllowed))
	return e
}

// route declares every address of the service, and the rules it keeps.
func (s *Server) route() {
	h, public, private, page := s.Handlers, s.public(), s.private(), s.page().of(s.shares.pages)
	reports := private.of(s.shares.reports).asking()
	s.get("/v1/ask", public.fast(), h.Ask)
	s.get("/v1/ask/explain", public, h.Explain)
	s.get("/v1/supporters", public.fast(), h.Supporters)
	s.get("/v1/supporters.svg", public, h.SupportersSVG)
	s.get("/v1/wall", public, h.Wall)
	s.get("/v1/support.js", public, h.Script)
	s.get(h.PinnedPath, public, h.PinnedScript)
	s.get("/v1/embed", public, h.Embed)
	s.get("/v1/openapi.json", public, openAPI)
	s.post("/v1/signals", public.body(maxSignal).fast(), h.Signals) // it bounds its body itself too
	s.post("/v1/checkouts", s.siteOnly().body(maxForm), h.Checkout)

	s.post("/webhooks/stripe", private.fast().traced(), h.Webhook) // it bounds and reads its body itself

	s.get("/v1/reports/donations", reports, h.Report)
	s.get("/v1/reports/payouts", reports, h.Payouts)
	s.get("/v1/reports/payouts/:id", reports, h.Payout)
	s.get("/v1/donations", reports, h.Donations)
	s.get("/v1/donations/:id", reports, h.Donation)

	s.get("/", s.article(), h.Article)
	s.get("/support", s.giving().of(s.shares.pages), h.SupportPage)
	s.post("/support", s.giving().of(s.shares.giving).sameOrigin().body(maxForm), h.SupportForm)
	s.get("/thanks", page, h.Thanks)
	s.get(signin.RecoverPath, s.recovery().of(s.shares.pages), h.Recover)
	s.post(signin.RecoverPath, s.recovery().of(s.shares.pages).sameOrigin().body(maxForm), h.RecoverForm)
	s.get("/wall", page, h.WallPage)
	s.get("/developers", page, h.Developers)
	s.get("/frame", s.framed(), h.Frame)
	s.mount("/assets/*path", s.asset(), h.Assets)
	s.get("/pictures/:hash", s.asset(), h.Picture)
	s.staff(h.Staff)
	s.account(h.Account)
	s.get("/v1/membership", private.of(s.shares.pages), h.Membership)
	s.get("/.well-known/jwks.json", public, h.JWKS)
	if s.Contact != "" {
		s.get("/.well-known/security.txt", public, s.securityText)
	}

	s.get("/healthz", private.fast(), alive)
	s.get("/readyz", private.fast(), s.ready)
	if h.Sandbox != nil {
		s.engine.Any("/sandbox/*path", s.handle(s.sandbox(), wrap(h.Sandbox)))
	}
}

// get declares GET and HEAD.
func (s *Server) get(path string, p policy, h Handler) {
	if h == nil {
		return
	}
	p.meter = s.fast.of(path)
	s.engine.GET(path, s.handle(p, h))
	s.engine.HEAD(path, s.handle(p, h))
	s.preflight(path, p)
}

func (s *Server) post(path string, p policy, h Handler) {
	if h == nil {
		return
	}
	p.meter = s.fast.of(path)
	s.engine.POST(path, s.handle(p, h))
	s.preflight(path, p)
}

// account declares the supporters' pages.
func (s *Server) account(routes []account.Route) {
	p := s.supporters().of(s.shares.pages)
	for _, r := range routes {
		if r.Method == http.MethodGet {
			s.get(r.Path, p, r.Handle)
			continue
		}
		s.post(r.Path, p.sameOrigin().body(maxForm), r.Handle)
	}
}

// staff declares the staff pages: each keeps out who is not signed in or may
// not see it, and forms of other sites are refused before that.
func (s *Server) staff(pages *staff.Pages) {
	if pages == nil {
		return
	}
	for _, r := range pages.Routes {
		p := s.staffPage().of(s.shares.staff)
		p.failed = pages.Trouble
		p.quick = r.Quiet
		if r.Method == http.MethodGet {
			s.get(r.Path, p.asking(), r.Handle)
			continue
		}
		s.post(r.Path, p.sameOrigin().body(cmp.Or(r.MaxBody, maxForm)), r.Handle)
	}
}

// ServeHTTP answers a request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.engine.ServeHTTP(w, r) }

// Routes returns every route as "METHOD /path", for tests that compare them
// with what is documented.
func (s *Server) Routes() []string {
	var routes []string
	for _, r := range s.engine.Routes() {
		routes = append(routes, r.Method+" "+r.Path)
	}
	return routes
}

// mount declares GET and HEAD of a plain handler.
func (s *Server) mount(path string, p policy, h http.Handler) {
	if h != nil {
		s.get(path, p, wrap(h))
	}
}

func wrap(h http.Handler) Handler {
	return func(c *gin.Context) error {
		h.ServeHTTP(c.Writer, c.Request)
		return nil
	}
}

// alive handles GET /healthz: the process answers.
func alive(c *gin.Context) error {
	c.String(http.StatusOK, "ok\n")
	return nil
}

// ready handles GET /readyz: 200 once the schema was current since start. A
// database that is lost later keeps it 200: asks go on without it.
func (s *Server) ready(c *gin.Context) error {
	if !s.Ready() {
		c.Header("Retry-After", strconv.Itoa(retryAfter))
		c.String(http.StatusServiceUnavailable, "not ready: the database's schema is not known to be current\n")
		return nil
	}
	c.String(http.StatusOK, "ready\n")
	return nil
}

// origin returns scheme://host[:port] of an address.
func origin(address string) string {
	scheme, rest, _ := strings.Cut(address, "://")
	host, _, _ := strings.Cut(rest, "/")
	return scheme + "://" + strings.ToLower(host)
}
