package sandbox

import (
	"net/mail"

	"github.com/united24media/support/internal/sandbox/params"
)

var addressParams = params.Group(params.Schema{
	"city": params.Text().Clearable(), "country": params.Text().Clearable(), "line1": params.Text().Clearable(),
	"line2": params.Text().Clearable(), "postal_code": params.Text().Clearable(), "state": params.Text().Clearable(),
}).Clearable()

var customerParams = params.Schema{
	"address": addressParams, "balance": params.Int(), "description": params.Text().Clearable(), "email": params.TextUpTo(512).Clearable(),
	"invoice_settings": params.Group(params.Schema{"default_payment_method": params.Text().Clearable()}),
	"metadata":         params.Metadata(), "name": params.TextUpTo(256).Clearable(), "phone": params.TextUpTo(20).Clearable(),
	"preferred_locales": params.List(params.Text(), 20), "tax_exempt": params.OneOf("none", "exempt", "reverse"),
}

func (s *Sandbox) newCustomer(more Object) Object {
	c := s.st.put(kindCustomer, Object{
		"id": s.newID(kindCustomer), "object": "customer", "address": nil, "balance": int64(0), "created": s.now(), "currency": nil,
		"default_source": nil, "delinquent": false, "description": nil, "discount": nil, "email": nil,
		"invoice_prefix": randomText(s.random, 8), "invoice_settings": Object{
			"custom_fields": nil, "default_payment_method": nil, "footer": nil, "rendering_options": nil,
		},
		"livemode": false, "metadata": Object{}, "name": nil, "next_invoice_sequence": int64(1), "phone": nil,
		"preferred_locales": []any{}, "shipping": nil, "tax_exempt": "none", "test_clock": nil,
	}.with(more))
	s.emit("customer.created", c)
	return c
}

func (s *Sandbox) createCustomer(c *call) (Object, error) {
	if err := checkEmail("email", c.params.Text("email")); err != nil {
		return nil, err
	}
	fields := Object{}
	applyCustomer(fields, c.params)
	return s.newCustomer(fields), nil
}

func applyCustomer(o Object, values params.Values) {
	copyFields(o, values, "balance", "description", "email", "name", "phone", "preferred_locales", "tax_exempt")
	if values.Has("address") {
		o["address"] = nil
		if sent := values.Group("address"); sent != nil {
			address := Payer{}.address()
			copyFields(address, sent, "city", "country", "line1", "line2", "postal_code", "state")
			o["address"] = address
		}
	}
	if values.Group("invoice_settings").Has("default_payment_method") {
		settings := Object{"custom_fields": nil, "footer": nil, "rendering_options": nil}
		o["invoice_settings"] = settings.with(Object{"default_payment_method": values.Group("invoice_settings")["default_payment_method"]})
	}
	mergeMetadata(o, values)
}

func (s *Sandbox) updateCustomer(c *call) (Object, error) {
	id := c.path("id")
	before := s.st.get(kindCustomer, id)
	if before == nil || before.bool("deleted") {
		return nil, missing("customer", id)
	}
	if err := checkEmail("email", c.params.Text("email")); err != nil {
		return nil, err
	}
	after := s.st.change(kindCustomer, id, func(o Object) { applyCustomer(o, c.params) })
	s.emitChange("customer.updated", before, after)
	return after, nil
}

func (s *Sandbox) deleteCustomer(c *call) (Object, error) {
	id := c.path("id")
	if err := s.forgetCustomer(id); err != nil {
		return nil, err
	}
	return s.view(s.st.get(kindCustomer, id)), nil
}

// forgetCustomer leaves a tombstone and cancels what the customer subscribed to.
func (s *Sandbox) forgetCustomer(id string) error {
	before := s.st.get(kindCustomer, id)
	if before == nil || before.bool("deleted") {
		return missing("customer", id)
	}
	for _, o := range s.where(kindSubscription, "customer", id) {
		if sub := o.(Object); !ended(sub) {
			s.cancelNow(sub.id(), Object{"comment": nil, "feedback": nil, "reason": "cancellation_requested"})
		}
	}
	s.st.put(kindCustomer, Object{"id": id, "object": "customer", "deleted": true, "created": before["created"]})
	s.emit("customer.deleted", before)
	return nil
}

func (s *Sandbox) listCustomers(c *call) (Object, error) {
	return s.list(c, kindCustomer, equal(c, "email"))
}

// checkEmail refuses an address no mail can reach; an empty one is no address.
func checkEmail(param, address string) error {
	if address == "" {
		return nil
	}
	if parsed, err := mail.ParseAddress(address); err != nil || parsed.Address != address {
		return invalidCode("email_invalid", param, "Invalid email address: "+address)
	}
	return nil
}
