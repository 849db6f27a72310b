package stripespec

import (
	"net/url"
	"strings"
	"testing"
)

// session is a request that is right; the cases break it.
func session(pairs ...string) url.Values {
	form := url.Values{
		"mode": {"payment"}, "success_url": {"https://a.example/?id={CHECKOUT_SESSION_ID}"},
		"line_items[0][quantity]": {"1"}, "line_items[0][price_data][currency]": {"eur"}, "line_items[0][price_data][unit_amount]": {"1000"},
		"line_items[0][price_data][product_data][name]": {"Gift"}, "metadata[article]": {"x"}, "expand[]": {"payment_intent", "line_items.data.price"},
	}
	for i := 0; i < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	return form
}

func TestLint(t *testing.T) {
	t.Parallel()
	const create = "/v1/checkout/sessions"
	tests := map[string]struct {
		method, path string
		form         url.Values
		fault        string // how the first fault begins, "" for none
	}{
		"right":                        {"POST", create, session(), ""},
		"unknown":                      {"POST", create, session("frob", "1"), "frob: unknown"},
		"unknown in a list":            {"POST", create, session("line_items[0][frob]", "1"), "line_items[0][frob]: unknown"},
		"unknown in a group":           {"POST", create, session("payment_intent_data[frob]", "1"), "payment_intent_data[frob]: unknown"},
		"of a later version":           {"POST", create, session("adaptive_pricing[enabled]", "true"), "adaptive_pricing: unknown"},
		"wrong word":                   {"POST", create, session("mode", "donation"), `mode: "donation"`},
		"wrong word inside":            {"POST", create, session("custom_fields[0][type]", "date", "custom_fields[0][key]", "a", "custom_fields[0][label][type]", "custom", "custom_fields[0][label][custom]", "A"), "custom_fields[0][type]: "},
		"no number":                    {"POST", create, session("line_items[0][price_data][unit_amount]", "12.50"), "line_items[0][price_data][unit_amount]: "},
		"no boolean":                   {"POST", create, session("allow_promotion_codes", "maybe"), "allow_promotion_codes: "},
		"missing":                      {"POST", create, session("line_items[1][price_data][unit_amount]", "1"), "line_items[1][price_data][currency]: missing"},
		"too long":                     {"POST", create, session("client_reference_id", strings.Repeat("x", 201)), "client_reference_id: 201 characters"},
		"metadata value too long":      {"POST", create, session("metadata[a]", strings.Repeat("x", 501)), "metadata[a]: the value has 501"},
		"metadata key too long":        {"POST", create, session("payment_intent_data[metadata]["+strings.Repeat("x", 41)+"]", "1"), "payment_intent_data[metadata]"},
		"nested metadata":              {"POST", create, session("metadata[a][b]", "1"), "metadata[a]: must be a single value"},
		"too many fields":              {"POST", create, session("custom_fields[3][key]", "d", "custom_fields[0][key]", "a", "custom_fields[1][key]", "b", "custom_fields[2][key]", "c"), "custom_fields: 4 items"},
		"a list that is none":          {"POST", create, session("line_items[a][quantity]", "1"), "line_items: must be a list"},
		"a text for a group":           {"POST", create, session("payment_intent_data", "x"), "payment_intent_data: must be a group"},
		"expands too deep":             {"POST", create, session("expand[]", "a.b.c.d.e"), "expand: a.b.c.d.e"},
		"a filter":                     {"GET", "/v1/charges", url.Values{"created[gte]": {"1"}, "limit": {"100"}}, ""},
		"an unknown filter":            {"GET", "/v1/charges", url.Values{"frob": {"1"}}, "frob: unknown"},
		"a bound that is none":         {"GET", "/v1/charges", url.Values{"created[gte]": {"yesterday"}}, "created"},
		"an event type of later":       {"POST", "/v1/webhook_endpoints", url.Values{"url": {"https://a.example"}, "enabled_events[]": {"refund.failed"}}, "enabled_events[0]: "},
		"no such address":              {"GET", "/v1/frobs", nil, "stripespec: Stripe has no GET /v1/frobs"},
		"no such method":               {"DELETE", "/v1/charges", nil, "stripespec: Stripe has no DELETE"},
		"an id in the address":         {"POST", "/v1/subscriptions/sub_x", url.Values{"cancel_at_period_end": {"true"}}, ""},
		"a clause that can be emptied": {"POST", "/v1/subscriptions/sub_x", url.Values{"pause_collection": {""}}, ""},
		"sent twice":                   {"POST", create, func() url.Values { f := session(); f.Add("mode", "payment"); return f }(), "mode: sent twice"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := Lint(tt.method, tt.path, tt.form)
			if tt.fault == "" {
				if err != nil {
					t.Errorf("refused: %v", err)
				}
				return
			}
			if err == nil || !strings.Contains("\n"+err.Error(), "\n"+tt.fault) {
				t.Errorf("faults %v, want one that begins %q", err, tt.fault)
			}
		})
	}
}

func TestCheckObject(t *testing.T) {
	t.Parallel()
	const warning = `"id":"issfr_1","object":"radar.early_fraud_warning","actionable":true,"charge":"ch_1","created":1,"fraud_type":"misc","livemode":false`
	tests := map[string]struct{ body, fault string }{
		"right":                  {`{` + warning + `}`, ""},
		"expanded by a wrong":    {`{` + warning + `,"payment_intent":{"object":"payment_intent","frob":1}}`, ".payment_intent.frob: is unknown"},
		"unknown key":            {`{` + warning + `,"frob":1}`, ".frob: is unknown"},
		"missing key":            {strings.Replace(`{`+warning+`}`, `"livemode":false`, `"payment_intent":"pi_1"`, 1), ".livemode: is missing"},
		"null that is none":      {strings.Replace(`{`+warning+`}`, `"misc"`, `null`, 1), ".fraud_type: is null"},
		"wrong type":             {strings.Replace(`{`+warning+`}`, `"created":1`, `"created":"1"`, 1), ".created: is of type string"},
		"number with a fraction": {strings.Replace(`{`+warning+`}`, `"created":1`, `"created":1.5`, 1), ".created: is of type number"},
		"no such object":         {`{"object":"frob"}`, `stripespec: Stripe has no object "frob"`},
		"a tombstone":            {`{"id":"cus_1","object":"customer","deleted":true}`, ""},
		"a tombstone with more":  {`{"id":"cus_1","object":"customer","deleted":true,"email":null}`, ".email: is unknown"},
		"not JSON":               {`{`, "stripespec: "},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := CheckObject([]byte(tt.body))
			switch {
			case tt.fault == "" && err != nil:
				t.Errorf("refused: %v", err)
			case tt.fault != "" && (err == nil || !strings.Contains("\n"+err.Error(), "\n"+tt.fault)):
				t.Errorf("faults %v, want one that begins %q", err, tt.fault)
			}
		})
	}
}
