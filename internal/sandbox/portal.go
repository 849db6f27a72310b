package sandbox

import (
	"slices"
	"strings"

	"github.com/united24media/support/internal/sandbox/params"
)

func portalLocale() params.Field {
	return params.OneOf(strings.Fields(`auto bg cs da de el en en-AU en-CA en-GB en-IE en-IN en-NZ en-SG es es-419 et fi fil fr fr-CA hr hu id it
		ja ko lt lv ms mt nb nl pl pt pt-BR ro ru sk sl sv th tr vi zh zh-HK zh-TW`)...)
}

// portalFeatures are what a configuration can offer. Of one that is there
// each part of most of them can be sent alone.
func portalFeatures(part func(params.Field) params.Field) params.Field {
	return params.Group(params.Schema{
		"customer_update": params.Group(params.Schema{
			"enabled": part(params.Bool()), "allowed_updates": params.List(params.OneOf("address", "email", "name", "phone", "shipping", "tax_id"), 6).Clearable(),
		}),
		"invoice_history":       params.Group(params.Schema{"enabled": params.Bool().Required()}),
		"payment_method_update": params.Group(params.Schema{"enabled": params.Bool().Required()}),
		"subscription_cancel": params.Group(params.Schema{
			"enabled": part(params.Bool()), "mode": params.OneOf("at_period_end", "immediately"),
			"proration_behavior": params.OneOf("always_invoice", "create_prorations", "none"),
			"cancellation_reason": params.Group(params.Schema{
				"enabled": params.Bool().Required(),
				"options": part(params.List(params.OneOf("customer_service", "low_quality", "missing_features", "other", "switched_service", "too_complex", "too_expensive", "unused"), 8)),
			}),
		}),
		"subscription_pause": params.Group(params.Schema{"enabled": params.Bool()}),
		"subscription_update": params.Group(params.Schema{
			"enabled": part(params.Bool()), "default_allowed_updates": part(params.List(params.OneOf("price", "promotion_code", "quantity"), 3).Clearable()),
			"products": part(params.List(params.Group(params.Schema{
				"product": params.Text().Required(), "prices": params.List(params.Text(), 100).Required(),
			}), 10).Clearable()),
			"proration_behavior": params.OneOf("always_invoice", "create_prorations", "none"),
		}),
	})
}

var (
	portalProfile = params.Group(params.Schema{
		"headline": params.TextUpTo(60).Clearable(), "privacy_policy_url": params.Text(), "terms_of_service_url": params.Text(),
	})
	portalConfigCreate = params.Schema{
		"business_profile": portalProfile.Required(), "features": portalFeatures(params.Field.Required).Required(), "default_return_url": params.Text().Clearable(),
		"metadata": params.Metadata(), "login_page": params.Group(params.Schema{"enabled": params.Bool().Required()}),
	}
	portalConfigUpdate = params.Schema{
		"active": params.Bool(), "business_profile": portalProfile, "features": portalFeatures(params.Field.Optional), "default_return_url": params.Text().Clearable(),
		"metadata": params.Metadata(), "login_page": params.Group(params.Schema{"enabled": params.Bool().Required()}),
	}
	portalSessionCreate = params.Schema{
		"customer": params.Text().Required(), "configuration": params.Text(), "return_url": params.Text(), "locale": portalLocale(),
		"flow_data": params.Group(params.Schema{
			"type":                params.OneOf("payment_method_update", "subscription_cancel").Required(),
			"subscription_cancel": params.Group(params.Schema{"subscription": params.Text().Required()}),
			"after_completion": params.Group(params.Schema{
				"type": params.OneOf("redirect").Required(), "redirect": params.Group(params.Schema{"return_url": params.Text().Required()}),
			}),
		}),
	}
)

func (s *Sandbox) portalConfigObject(isDefault bool) Object {
	return Object{
		"id": s.newID(kindPortalConfig), "object": "billing_portal.configuration", "active": true, "application": nil,
		"business_profile": Object{"headline": nil, "privacy_policy_url": nil, "terms_of_service_url": nil}, "created": s.now(),
		"default_return_url": nil, "features": Object{
			"customer_update": Object{"allowed_updates": []any{}, "enabled": false}, "invoice_history": Object{"enabled": false},
			"payment_method_update": Object{"enabled": false}, "subscription_cancel": Object{
				"cancellation_reason": Object{"enabled": false, "options": []any{}}, "enabled": false, "mode": "at_period_end", "proration_behavior": "none",
			},
			"subscription_pause":  Object{"enabled": false},
			"subscription_update": Object{"default_allowed_updates": []any{}, "enabled": false, "proration_behavior": "none"},
		},
		"is_default": isDefault, "livemode": false, "login_page": Object{"enabled": false, "url": nil}, "metadata": Object{}, "updated": s.now(),
	}
}

func applyPortalConfig(o Object, v params.Values) {
	copyFields(o, v, "active", "default_return_url")
	mergeMetadata(o, v)
	copyFields(o.obj("business_profile"), v.Group("business_profile"), "headline", "privacy_policy_url", "terms_of_service_url")
	if login := v.Group("login_page"); login != nil {
		o["login_page"] = Object{"enabled": login["enabled"], "url": nil}
	}
	features := o.obj("features")
	for name := range v.Group("features") {
		sent := v.Group("features").Group(name)
		feature := features.obj(name)
		for key, value := range sent {
			if value == nil {
				value = []any{} // only lists can be cleared here
			}
			feature[key] = fromParams(value)
		}
	}
}

func (s *Sandbox) createPortalConfig(c *call) (Object, error) {
	o := s.portalConfigObject(len(s.st.table(kindPortalConfig).ids) == 0)
	applyPortalConfig(o, c.params)
	s.emit("billing_portal.configuration.created", s.st.put(kindPortalConfig, o))
	return o, nil
}

func (s *Sandbox) updatePortalConfig(c *call) (Object, error) {
	id := c.path("id")
	before := s.st.get(kindPortalConfig, id)
	if before == nil {
		return nil, missing("configuration", id)
	}
	after := s.st.change(kindPortalConfig, id, func(o Object) {
		applyPortalConfig(o, c.params)
		o["updated"] = s.now()
	})
	s.emitChange("billing_portal.configuration.updated", before, after)
	return after, nil
}

// createPortalSession opens the customer's own page under /portal/.
func (s *Sandbox) createPortalSession(c *call) (Object, error) {
	customer := s.st.get(kindCustomer, c.params.Text("customer"))
	if customer == nil || customer.bool("deleted") {
		return nil, missingParam("customer", "customer", c.params.Text("customer"))
	}
	config := c.params.Text("configuration")
	if config == "" {
		config = s.defaultPortalConfig()
	}
	if config == "" {
		return nil, invalid("", "You can't create a portal session in test mode until you save your customer portal settings: no configuration exists.")
	}
	if s.st.get(kindPortalConfig, config) == nil {
		return nil, missingParam("configuration", "configuration", config)
	}
	if c.params.Has("return_url") {
		if err := checkURL("return_url", c.params.Text("return_url")); err != nil {
			return nil, err
		}
	}
	flow, err := s.portalFlow(c.params.Group("flow_data"), customer.id())
	if err != nil {
		return nil, err
	}
	id := s.newID(kindPortal)
	o := s.st.put(kindPortal, Object{
		"id": id, "object": "billing_portal.session", "configuration": config, "created": s.now(), "customer": customer["id"], "flow": flow,
		"livemode": false, "locale": c.params["locale"], "on_behalf_of": nil, "return_url": c.params["return_url"],
		"url": s.opts.BaseURL + "/portal/" + id,
	})
	s.emit("billing_portal.session.created", o)
	return o, nil
}

func (s *Sandbox) defaultPortalConfig() string {
	t := s.st.table(kindPortalConfig)
	at := slices.IndexFunc(t.ids, func(id string) bool { return t.byID[id].bool("is_default") && t.byID[id].bool("active") })
	if at < 0 {
		return ""
	}
	return t.ids[at]
}

// portalFlow checks what a session leads to directly.
func (s *Sandbox) portalFlow(sent params.Values, customer string) (any, error) {
	if sent == nil {
		return nil, nil
	}
	var cancel any
	if sent.Text("type") == "subscription_cancel" {
		sub := s.st.get(kindSubscription, sent.Group("subscription_cancel").Text("subscription"))
		if sub == nil || sub.str("customer") != customer {
			return nil, missingParam("subscription", "flow_data[subscription_cancel][subscription]", sent.Group("subscription_cancel").Text("subscription"))
		}
		cancel = Object{"retention": nil, "subscription": sub["id"]}
	}
	after := Object{"hosted_confirmation": nil, "redirect": nil, "type": "portal_homepage"}
	if sent.Group("after_completion").Text("type") == "redirect" {
		after["type"], after["redirect"] = "redirect", fromParams(sent.Group("after_completion").Group("redirect"))
	}
	return Object{
		"after_completion": after, "subscription_cancel": cancel, "subscription_update": nil, "subscription_update_confirm": nil, "type": sent["type"],
	}, nil
}
