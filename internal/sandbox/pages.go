package sandbox

import (
	"bytes"
	"embed"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/united24media/support/internal/money"
)

//go:embed pages
var pageFiles embed.FS

// completedWait is how long the page waits for the answer to
// checkout.session.completed before it sends the donor back; Stripe waits up
// to ten seconds.
const completedWait = 3 * time.Second

const maxPageForm = 64 << 10 // bytes

func (s *Sandbox) routePages(mux *http.ServeMux) {
	templates := template.Must(template.ParseFS(pageFiles, "pages/*.html"))
	p := &pages{s, templates}
	mux.HandleFunc("GET /assets/sandbox.css", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-cache")
		http.ServeFileFS(w, r, pageFiles, "pages/sandbox.css")
	})
	mux.HandleFunc("GET /{$}", p.home)
	mux.HandleFunc("POST /{$}", p.act)
	mux.HandleFunc("GET /checkout/{id}", p.checkout)
	mux.HandleFunc("POST /checkout/{id}", p.pay)
	mux.HandleFunc("GET /checkout/{id}/authenticate", p.authenticate)
	mux.HandleFunc("POST /checkout/{id}/authenticate", p.authenticated)
	mux.HandleFunc("GET /invoices/{id}", p.invoice)
	mux.HandleFunc("POST /invoices/{id}", p.payInvoice)
	mux.HandleFunc("GET /portal/{id}", p.portal)
	mux.HandleFunc("POST /portal/{id}", p.portalAction)
}

// pages are what people see of the sandbox.
type pages struct {
	s         *Sandbox
	templates *template.Template
}

// A pageTop is what every page shows.
type pageTop struct {
	Title, Base, Here string
}

type checkoutPage struct {
	pageTop
	Verb, Total, Every, Interval, Button, Alert string
	Email, Name, Country, Delay                 string
	EmailFixed, CanGoBack                       bool
	Lines                                       []pageLine
	Countries                                   []option
	Fields                                      []pageField
}

type pageLine struct {
	Name, Amount string
	Quantity     int64
}

type pageField struct {
	Key, Label string
	Optional   bool
	Options    []option
}

type option struct{ Code, Name string }

type noticePage struct {
	pageTop
	Heading, Text, Link string
	Actions             []action
}

type action struct {
	Value, Label string
	Quiet        bool
}

// countries is a short list; the sandbox needs only some to choose from.
var countries = []option{
	{"", "Prefer not to say"}, {"UA", "Ukraine"}, {"AT", "Austria"}, {"BE", "Belgium"}, {"CA", "Canada"}, {"CZ", "Czechia"}, {"DK", "Denmark"},
	{"FR", "France"}, {"DE", "Germany"}, {"IE", "Ireland"}, {"IT", "Italy"}, {"JP", "Japan"}, {"NL", "Netherlands"}, {"NO", "Norway"},
	{"PL", "Poland"}, {"ES", "Spain"}, {"SE", "Sweden"}, {"CH", "Switzerland"}, {"GB", "United Kingdom"}, {"US", "United States"},
}

// page returns what a page about a session needs, or nil if there is none.
func (p *pages) page(id string) (session, note Object) {
	p.s.mu.Lock()
	defer p.s.mu.Unlock()
	return p.s.st.get(kindSession, id), p.s.st.get(kindNote, id)
}

// checkout shows an open session's form, or says what became of it.
func (p *pages) checkout(w http.ResponseWriter, r *http.Request) {
	alert := ""
	if r.URL.Query().Get("attempt") == "declined" {
		alert = "Your card was declined. Nothing was charged; try again or choose another way to pay."
	}
	p.showCheckout(w, r.PathValue("id"), http.StatusOK, alert)
}

func (p *pages) showCheckout(w http.ResponseWriter, id string, status int, alert string) {
	if err := p.s.do(func() error { return nil }); err != nil { // a session may have expired by now
		p.fail(w, err)
		return
	}
	session, note := p.page(id)
	switch session.str("status") {
	case "":
		p.notice(w, http.StatusNotFound, noticePage{Heading: "No such checkout", Text: "The address names no checkout of this sandbox."}, nil)
		return
	case "complete":
		p.notice(w, http.StatusOK, noticePage{Heading: "This payment is done", Text: "There is nothing left to do here.", Link: successURL(session)}, session)
		return
	case "expired":
		p.notice(w, http.StatusOK, noticePage{Heading: "This checkout has expired", Text: "Nothing was charged. Start again where you came from.",
			Link: session.str("cancel_url")}, session)
		return
	}
	payer := note.obj("payer")
	email := payer.str("email")
	fixed := session.str("customer_email")
	if fixed != "" {
		email = fixed
	}
	total := amountText(session.int("amount_total"), session.str("currency"))
	page := checkoutPage{
		pageTop: p.top("Pay "+total, "/checkout/"+id), Verb: "Pay", Total: total, Button: "Pay " + total, Alert: alert,
		Email: email, EmailFixed: fixed != "", Name: payer.str("name"), Country: payer.str("country"), Countries: countries,
		CanGoBack: session.str("cancel_url") != "", Delay: strconv.FormatInt(p.s.delaySeconds(), 10) + " seconds",
	}
	if session.str("submit_type") == "donate" {
		page.Verb, page.Button = "Donate", "Donate "+total
	}
	for _, l := range note.list("lines") {
		line := l.(Object)
		page.Lines = append(page.Lines, pageLine{line.str("description"), amountText(line.int("amount_total"), line.str("currency")), line.int("quantity")})
		if every := line.obj("price").obj("recurring"); every != nil {
			page.Interval = every.str("interval")
			page.Every, page.Verb, page.Button = "every "+page.Interval, "Subscribe", "Subscribe"
		}
	}
	page.Fields = pageFields(session)
	p.show(w, status, "checkout.html", page, session)
}

func pageFields(session Object) []pageField {
	var fields []pageField
	for _, f := range session.list("custom_fields") {
		field := f.(Object)
		shown := pageField{Key: field.str("key"), Label: field.obj("label").str("custom"), Optional: field.bool("optional")}
		for _, o := range field.obj("dropdown").list("options") {
			shown.Options = append(shown.Options, option{o.(Object).str("value"), o.(Object).str("label")})
		}
		fields = append(fields, shown)
	}
	return fields
}

// pay takes the form and sends the donor where they go then.
func (p *pages) pay(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxPageForm)
	id := r.PathValue("id")
	to, event := "", ""
	err := p.s.do(func() (err error) {
		p.s.fillFields(id, r)
		to, event, err = p.s.pay(id, payerOf(r), Outcome(r.FormValue("outcome")))
		return err
	})
	p.leave(w, r, to, event, err)
}

// fillFields stores what the donor wrote into the session's custom fields.
func (s *Sandbox) fillFields(id string, r *http.Request) {
	if session := s.st.get(kindSession, id); session.str("status") != "open" || len(session.list("custom_fields")) == 0 {
		return
	}
	s.st.change(kindSession, id, func(o Object) {
		for _, f := range o.list("custom_fields") {
			field := f.(Object)
			field.obj(field.str("type"))["value"] = text(r.FormValue("field_" + field.str("key")))
		}
	})
}

// leave redirects to where a payment ends, or shows what was wrong.
func (p *pages) leave(w http.ResponseWriter, r *http.Request, to, event string, err error) {
	id := r.PathValue("id")
	if e := asAPIErrorOrNil(err); e != nil {
		if e.status >= http.StatusInternalServerError {
			p.fail(w, err)
			return
		}
		if e.status == http.StatusNotFound {
			p.showCheckout(w, id, http.StatusNotFound, "")
			return
		}
		p.showCheckout(w, id, http.StatusUnprocessableEntity, e.message)
		return
	}
	p.s.awaitDelivery(r.Context(), event, completedWait)
	w.Header().Set("Cache-Control", "no-store")
	http.Redirect(w, r, to, http.StatusSeeOther)
}

func asAPIErrorOrNil(err error) *apiError {
	if err == nil {
		return nil
	}
	return asAPIError(err)
}

// authenticate stands for the bank's page of 3-D Secure.
func (p *pages) authenticate(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	session, note := p.page(id)
	if session.str("status") != "open" || note.obj("payer") == nil {
		http.Redirect(w, r, p.s.opts.BaseURL+"/checkout/"+url.PathEscape(id), http.StatusSeeOther)
		return
	}
	p.notice(w, http.StatusOK, noticePage{
		pageTop: p.top("Your bank", "/checkout/"+id+"/authenticate"), Heading: "Your bank asks: is it you?",
		Text:    "This step stands in for 3-D Secure. Choose how it ends.",
		Actions: []action{{"paid", "Complete the check", false}, {"declined", "Fail the check", true}},
	}, session)
}

func (p *pages) authenticated(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxPageForm)
	id, outcome := r.PathValue("id"), Declined
	if r.FormValue("outcome") == string(Paid) {
		outcome = Paid
	}
	to, event := "", ""
	err := p.s.do(func() (err error) {
		payer := p.s.st.get(kindNote, id).obj("payer")
		to, event, err = p.s.pay(id, Payer{payer.str("email"), payer.str("name"), payer.str("country")}, outcome)
		return err
	})
	p.leave(w, r, to, event, err)
}

func (p *pages) top(title, path string) pageTop {
	return pageTop{Title: title, Base: p.s.opts.BaseURL, Here: p.s.opts.BaseURL + path}
}

func (p *pages) notice(w http.ResponseWriter, status int, page noticePage, session Object) {
	if page.Title == "" {
		page.pageTop = p.top(page.Heading, page.Here)
	}
	p.show(w, status, "notice.html", page, session)
}

func (p *pages) fail(w http.ResponseWriter, err error) {
	p.s.opts.Log.Error("sandbox: a page failed", "err", err)
	p.notice(w, http.StatusInternalServerError, noticePage{Heading: "This did not work", Text: "The sandbox failed; its log says why. Nothing was charged."}, nil)
}

// show writes a page. The policy allows forms to lead back to the site that
// opened the session, since browsers hold redirects to it too.
func (p *pages) show(w http.ResponseWriter, status int, name string, page any, session Object) {
	var b bytes.Buffer
	if err := p.templates.ExecuteTemplate(&b, name, page); err != nil {
		p.s.opts.Log.Error("sandbox: a page does not render", "page", name, "err", err)
		http.Error(w, "The sandbox failed.", http.StatusInternalServerError)
		return
	}
	targets := []string{"'self'"}
	for _, field := range []string{"success_url", "cancel_url", "return_url"} {
		if u, err := url.Parse(strings.ReplaceAll(session.str(field), sessionPlaceholder, "id")); err == nil && u.Host != "" {
			if origin := u.Scheme + "://" + u.Host; !slices.Contains(targets, origin) {
				targets = append(targets, origin)
			}
		}
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; img-src data:; base-uri 'none'; frame-ancestors 'none'; form-action "+strings.Join(targets, " "))
	w.WriteHeader(status)
	w.Write(b.Bytes())
}

// amountText shows an amount with its sign where it is widely known.
func amountText(minor int64, currency string) string {
	a := money.Amount{Minor: minor, Currency: strings.ToUpper(currency)}
	if sign := map[string]string{"eur": "€", "usd": "$", "gbp": "£", "jpy": "¥", "uah": "₴"}[currency]; sign != "" {
		return sign + a.Decimal()
	}
	return a.String()
}
