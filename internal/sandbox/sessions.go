package sandbox

import (
	"maps"
	"strings"

	"github.com/united24media/support/internal/sandbox/params"
)

// sessionPlaceholder in a success_url is replaced by the session's id.
const sessionPlaceholder = "{CHECKOUT_SESSION_ID}"

func (s *Sandbox) createSession(c *call) (Object, error) {
	if err := s.sessionRules(c.params); err != nil {
		return nil, err
	}
	lines, err := s.sessionLines(c.params)
	if err != nil {
		return nil, err
	}
	session := s.sessionObject(c.params, lines)
	s.st.put(kindSession, session)
	note := Object{
		"id": session.id(), "lines": lines, "intent_data": Object{}, "subscription_data": Object{}, "key": c.idempotencyKey,
		"expiry": s.schedule(session.int("expires_at"), taskExpire, session.id(), nil),
	}
	for key, param := range map[string]string{"intent_data": "payment_intent_data", "subscription_data": "subscription_data"} {
		if data := c.params.Group(param); data != nil {
			note[key] = fromParams(data)
		}
	}
	s.st.put(kindNote, note)
	s.opened(session.id())
	return session, nil
}

func (s *Sandbox) sessionObject(v params.Values, lines []any) Object {
	id := s.newID(kindSession)
	var total int64
	for _, line := range lines {
		total += line.(Object).int("amount_total")
	}
	session := Object{
		"id": id, "object": "checkout.session", "after_expiration": nil, "allow_promotion_codes": nil, "amount_subtotal": total,
		"amount_total": total, "automatic_tax": Object{"enabled": false, "liability": nil, "status": nil}, "billing_address_collection": nil,
		"cancel_url": nil, "client_reference_id": nil, "client_secret": nil, "consent": nil, "consent_collection": nil, "created": s.now(),
		"currency": lines[0].(Object)["currency"], "currency_conversion": nil, "custom_fields": []any{},
		"custom_text": Object{"after_submit": nil, "shipping_address": nil, "submit": nil, "terms_of_service_acceptance": nil},
		"customer":    nil, "customer_creation": nil, "customer_details": nil, "customer_email": nil, "expires_at": s.now() + sessionLongest,
		"invoice": nil, "invoice_creation": nil, "livemode": false, "locale": nil, "metadata": Object{}, "mode": v["mode"],
		"payment_intent": nil, "payment_link": nil, "payment_method_collection": "always",
		"payment_method_configuration_details": Object{"id": "pmc_sandboxDefault", "parent": nil}, "payment_method_options": Object{},
		"payment_method_types": []any{"card"}, "payment_status": "unpaid", "phone_number_collection": Object{"enabled": false},
		"recovered_from": nil, "setup_intent": nil, "shipping_address_collection": nil, "shipping_cost": nil, "shipping_details": nil,
		"shipping_options": []any{}, "status": "open", "submit_type": nil, "subscription": nil, "success_url": nil,
		"total_details": Object{"amount_discount": int64(0), "amount_shipping": int64(0), "amount_tax": int64(0)}, "ui_mode": "hosted",
		"url": s.opts.BaseURL + "/checkout/" + id,
	}
	if session.str("currency") == "eur" {
		session["payment_method_types"] = []any{"card", "sepa_debit"}
	}
	if session.str("mode") == "payment" {
		session["customer_creation"], session["payment_method_collection"] = "if_required", "if_required"
		session["invoice_creation"] = Object{"enabled": false, "invoice_data": Object{
			"account_tax_ids": nil, "custom_fields": nil, "description": nil, "footer": nil, "issuer": nil, "metadata": Object{}, "rendering_options": nil,
		}}
	}
	copyFields(session, v, "allow_promotion_codes", "billing_address_collection", "cancel_url", "client_reference_id", "customer",
		"customer_creation", "customer_email", "expires_at", "locale", "payment_method_collection", "payment_method_types", "submit_type",
		"success_url", "phone_number_collection")
	if v.Has("customer") {
		session["customer_creation"] = nil
	}
	if v.Has("payment_method_types") {
		session["payment_method_configuration_details"] = nil
	}
	mergeMetadata(session, v)
	sessionExtras(session, v)
	return session
}

// sessionExtras fills in the groups that hold more than what was sent.
func sessionExtras(session Object, v params.Values) {
	texts := maps.Clone(session.obj("custom_text"))
	for name, sent := range v.Group("custom_text") {
		texts[name] = fromParams(sent)
	}
	session["custom_text"] = texts
	if consent := v.Group("consent_collection"); consent != nil {
		session["consent_collection"] = Object{"payment_method_reuse_agreement": nil, "promotions": consent["promotions"], "terms_of_service": consent["terms_of_service"]}
	}
	fields := []any{}
	for _, sent := range v.Groups("custom_fields") {
		field := Object{"key": sent["key"], "label": fromParams(sent.Group("label")), "optional": sent.Bool("optional"), "type": sent["type"]}
		kind := sent.Text("type")
		detail := Object{"value": nil}
		if kind == "dropdown" {
			detail["options"] = fromParams(sent.Group("dropdown").List("options"))
		} else {
			limits := sent.Group(kind)
			detail["minimum_length"], detail["maximum_length"] = limits["minimum_length"], limits["maximum_length"]
		}
		field[kind] = detail
		fields = append(fields, field)
	}
	session["custom_fields"] = fields
	if email := v.Text("customer_email"); email != "" {
		session["customer_details"] = Object{"address": nil, "email": email, "name": nil, "phone": nil, "tax_exempt": "none", "tax_ids": nil}
	}
}

func (s *Sandbox) sessionItems(id string) []any {
	lines := s.st.get(kindNote, id).list("lines")
	if lines == nil {
		return []any{}
	}
	return lines
}

func (s *Sandbox) listLineItems(c *call) (Object, error) {
	id := c.path("id")
	if s.st.get(kindSession, id) == nil {
		return nil, missing("checkout.session", id)
	}
	return listOf(c.url, s.sessionItems(id)...), nil
}

var sessionFilters = params.Schema{
	"created": params.Range(), "customer": params.Text(), "payment_intent": params.Text(), "subscription": params.Text(),
	"status":           params.OneOf("complete", "expired", "open"),
	"customer_details": params.Group(params.Schema{"email": params.Text().Required()}),
}

func (s *Sandbox) listSessions(c *call) (Object, error) {
	email := c.params.Group("customer_details").Text("email")
	plain := equal(c, "customer", "payment_intent", "subscription", "status")
	return s.list(c, kindSession, func(o Object) bool {
		return plain(o) && (email == "" || strings.EqualFold(o.obj("customer_details").str("email"), email))
	})
}

func (s *Sandbox) expireNow(c *call) (Object, error) {
	id := c.path("id")
	session := s.st.get(kindSession, id)
	switch {
	case session == nil:
		return nil, missing("checkout.session", id)
	case session.str("status") != "open":
		return nil, invalid("", "Only Checkout Sessions with a status in [\"open\"] can be expired. This Checkout Session has a status of `"+session.str("status")+"`.")
	}
	s.expireSession(id)
	return s.st.get(kindSession, id), nil
}

// expireSession ends an open session, and the subscription it began.
func (s *Sandbox) expireSession(id string) {
	session := s.st.get(kindSession, id)
	if session.str("status") != "open" {
		return
	}
	session = s.st.change(kindSession, id, func(o Object) { o["status"], o["url"] = "expired", nil })
	note := s.st.get(kindNote, id)
	if intent := s.st.get(kindIntent, session.str("payment_intent")); intent != nil {
		s.cancelIntent(intent.id(), "abandoned")
	}
	if sub := note.str("subscription"); sub != "" {
		s.giveUpFirstPayment(sub)
	}
	s.emit("checkout.session.expired", session)
}
