package sandbox

import (
	"net/http"
	"strings"
	"time"
)

type portalPage struct {
	pageTop
	Email, Link string
	Items       []portalItem
}

type portalItem struct {
	ID, Amount, Every, Status string
	CanCancel, CanKeep, Alive bool
}

// portal shows a customer's subscriptions and what can be done with them.
func (p *pages) portal(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	p.s.mu.Lock()
	session := p.s.st.get(kindPortal, id)
	page := portalPage{pageTop: p.top("Your memberships", "/portal/"+id), Link: session.str("return_url")}
	page.Email = p.s.st.get(kindCustomer, session.str("customer")).str("email")
	for _, o := range p.s.where(kindSubscription, "customer", session.str("customer")) {
		page.Items = append(page.Items, portalItemOf(o.(Object)))
	}
	p.s.mu.Unlock()
	if session == nil {
		p.notice(w, http.StatusNotFound, noticePage{Heading: "No such page", Text: "The address names no portal session of this sandbox."}, nil)
		return
	}
	p.show(w, http.StatusOK, "portal.html", page, session)
}

func portalItemOf(sub Object) portalItem {
	price := sub.obj("items").list("data")[0].(Object).obj("price")
	item := portalItem{
		ID: sub.id(), Amount: amountText(price.int("unit_amount"), price.str("currency")), Every: "every " + price.obj("recurring").str("interval"),
		Status: strings.ReplaceAll(sub.str("status"), "_", " "), Alive: !ended(sub),
	}
	until := time.Unix(sub.int("current_period_end"), 0).UTC().Format("2 January 2006")
	switch {
	case !item.Alive:
	case sub.bool("cancel_at_period_end"):
		item.CanKeep, item.Status = true, item.Status+", ends on "+until
	default:
		item.CanCancel, item.Status = true, item.Status+", next payment on "+until
	}
	return item
}

// portalAction does what a button of the portal says and returns to it, or to
// where the session's flow leads.
func (p *pages) portalAction(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxPageForm)
	id := r.PathValue("id")
	to := p.s.opts.BaseURL + "/portal/" + id
	err := p.s.do(func() error {
		session := p.s.st.get(kindPortal, id)
		sub := p.s.st.get(kindSubscription, r.FormValue("subscription"))
		if session == nil || sub == nil || sub.str("customer") != session.str("customer") || ended(sub) {
			return missing("subscription", r.FormValue("subscription"))
		}
		switch r.FormValue("action") {
		case "cancel", "keep":
			p.s.setCancelAtEnd(sub.id(), r.FormValue("action") == "cancel")
		case "card":
			p.s.replaceCard(sub)
		}
		if back := session.obj("flow").obj("after_completion").obj("redirect").str("return_url"); back != "" {
			to = back
		}
		return nil
	})
	if e := asAPIErrorOrNil(err); e != nil {
		p.notice(w, e.status, noticePage{Heading: "This did not work", Text: e.message}, nil)
		return
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
}

// setCancelAtEnd marks a subscription to end with its period, or takes that back.
func (s *Sandbox) setCancelAtEnd(id string, cancel bool) {
	s.editSubscription(id, func(o Object) {
		o["cancel_at_period_end"], o["cancel_at"], o["canceled_at"] = cancel, nil, nil
		o["cancellation_details"] = Object{"comment": nil, "feedback": nil, "reason": nil}
		if cancel {
			o["cancel_at"], o["canceled_at"] = o["current_period_end"], s.now()
			o["cancellation_details"] = Object{"comment": nil, "feedback": nil, "reason": "cancellation_requested"}
		}
	})
}

// replaceCard gives a subscription a card that works and pays what is open.
func (s *Sandbox) replaceCard(sub Object) {
	customer := s.st.get(kindCustomer, sub.str("customer"))
	method := s.newMethod(Payer{Email: customer.str("email"), Name: customer.str("name")}, sub["customer"], Paid)
	s.keep(sub.id(), Object{"declines": false, "asks": false})
	s.editSubscription(sub.id(), func(o Object) { o["default_payment_method"] = method["id"] })
	for _, o := range s.where(kindInvoice, "subscription", sub.id()) {
		if invoice := o.(Object); invoice.str("status") == "open" {
			s.collectInvoice(invoice.id())
		}
	}
}

// invoice stands for Stripe's hosted invoice page, to which dunning mails lead.
func (p *pages) invoice(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	p.s.mu.Lock()
	invoice := p.s.st.get(kindInvoice, id)
	p.s.mu.Unlock()
	if invoice == nil {
		p.notice(w, http.StatusNotFound, noticePage{Heading: "No such invoice", Text: "The address names no invoice of this sandbox."}, nil)
		return
	}
	page := noticePage{
		pageTop: p.top("Invoice "+invoice.str("number"), "/invoices/"+id), Heading: "Invoice " + invoice.str("number"),
		Text: amountText(invoice.int("amount_due"), invoice.str("currency")) + ", " + invoice.str("status") + ".",
	}
	if invoice.str("status") == "open" || invoice.str("status") == "uncollectible" {
		page.Actions = []action{{"paid", "Pay with a card that works", false}}
	}
	p.notice(w, http.StatusOK, page, nil)
}

func (p *pages) payInvoice(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	err := p.s.do(func() error {
		invoice := p.s.st.get(kindInvoice, id)
		if invoice == nil {
			return missing("invoice", id)
		}
		switch sub := p.s.st.get(kindSubscription, invoice.str("subscription")); {
		case invoice.str("status") != "open" && invoice.str("status") != "uncollectible":
		case sub == nil || ended(sub):
			method := p.s.newMethod(Payer{Email: invoice.str("customer_email")}, invoice["customer"], Paid)
			p.s.collect(invoice.str("payment_intent"), method, Paid)
		default:
			p.s.replaceCard(sub)
		}
		return nil
	})
	if e := asAPIErrorOrNil(err); e != nil {
		p.notice(w, e.status, noticePage{Heading: "This did not work", Text: e.message}, nil)
		return
	}
	http.Redirect(w, r, p.s.opts.BaseURL+"/invoices/"+id, http.StatusSeeOther)
}
