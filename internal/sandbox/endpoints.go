package sandbox

import (
	"net/url"

	"github.com/united24media/support/internal/sandbox/params"
)

// maxEndpoints is how many an account may have.
const maxEndpoints = 16

// keepDefaultEndpoint makes or updates the endpoint of the options.
func (s *Sandbox) keepDefaultEndpoint() {
	const id = "we_sandbox_default"
	if s.opts.WebhookURL == "" {
		s.st.remove(kindEndpoint, id)
		return
	}
	secret := s.opts.WebhookSecret
	if secret == "" {
		secret = s.st.get(kindNote, id).str("secret")
	}
	if secret == "" {
		secret = "whsec_" + randomText(newRandom(0), 32)
	}
	s.opts.WebhookSecret = secret
	events := []any{}
	for _, name := range s.opts.Events {
		events = append(events, name)
	}
	if s.st.get(kindEndpoint, id) == nil {
		s.st.put(kindEndpoint, s.endpointObject(id, s.opts.WebhookURL, []any{"*"}))
	}
	s.st.change(kindEndpoint, id, func(e Object) {
		e["url"] = s.opts.WebhookURL
		if len(events) > 0 {
			e["enabled_events"] = events
		}
	})
	s.st.put(kindNote, Object{"id": id, "secret": secret})
}

// WebhookSecret returns the secret that signs what goes to the WebhookURL of
// the options; it is the one given there, or one that New made.
func (s *Sandbox) WebhookSecret() string { return s.opts.WebhookSecret }

func (s *Sandbox) endpointObject(id, address string, events []any) Object {
	return Object{
		"id": id, "object": "webhook_endpoint", "api_version": Version, "application": nil, "created": s.now(), "description": nil,
		"enabled_events": events, "livemode": false, "metadata": Object{}, "status": "enabled", "url": address,
	}
}

var endpointParams = params.Schema{
	"description": params.Text().Clearable(), "metadata": params.Metadata(),
}

var endpointCreate = endpointParams.With(params.Schema{
	"url": params.Text().Required(), "enabled_events": params.List(eventType(), 300).Required(), "api_version": params.OneOf(Version),
})

var endpointUpdate = endpointParams.With(params.Schema{
	"url": params.Text(), "enabled_events": params.List(eventType(), 300), "disabled": params.Bool(),
})

// createEndpoint answers with the signing secret, this once.
func (s *Sandbox) createEndpoint(c *call) (Object, error) {
	address := c.params.Text("url")
	if err := checkURL("url", address); err != nil {
		return nil, err
	}
	if len(s.st.table(kindEndpoint).ids) >= maxEndpoints {
		return nil, invalid("", "You have reached the maximum of 16 test webhook endpoints.")
	}
	e := s.endpointObject(s.newID(kindEndpoint), address, c.params.List("enabled_events"))
	e["description"] = c.params["description"]
	mergeMetadata(e, c.params)
	secret := "whsec_" + randomText(s.random, 32)
	s.st.put(kindEndpoint, e)
	s.st.put(kindNote, Object{"id": e.id(), "secret": secret})
	return e.with(Object{"secret": secret}), nil
}

func (s *Sandbox) updateEndpoint(c *call) (Object, error) {
	id := c.path("id")
	if s.st.get(kindEndpoint, id) == nil {
		return nil, missing("webhook endpoint", id)
	}
	if c.params.Has("url") {
		if err := checkURL("url", c.params.Text("url")); err != nil {
			return nil, err
		}
	}
	return s.st.change(kindEndpoint, id, func(e Object) {
		copyFields(e, c.params, "url", "enabled_events", "description")
		mergeMetadata(e, c.params)
		if c.params.Has("disabled") {
			e["status"] = map[bool]string{true: "disabled", false: "enabled"}[c.params.Bool("disabled")]
		}
	}), nil
}

func (s *Sandbox) deleteEndpoint(c *call) (Object, error) {
	id := c.path("id")
	if s.st.get(kindEndpoint, id) == nil {
		return nil, missing("webhook endpoint", id)
	}
	s.st.remove(kindEndpoint, id)
	return Object{"id": id, "object": "webhook_endpoint", "deleted": true}, nil
}

// checkURL refuses what is not an absolute address of a web page.
func checkURL(param, address string) error {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return invalidCode("url_invalid", param, "Not a valid URL")
	}
	return nil
}

// copyFields sets the fields of o whose parameters were sent.
func copyFields(o Object, values params.Values, names ...string) {
	for _, name := range names {
		if values.Has(name) {
			o[name] = fromParams(values[name])
		}
	}
}

// fromParams turns what was sent into what is stored.
func fromParams(value any) any {
	switch v := value.(type) {
	case params.Values:
		o := Object{}
		for key, item := range v {
			o[key] = fromParams(item)
		}
		return o
	case []any:
		items := make([]any, len(v))
		for i := range v {
			items[i] = fromParams(v[i])
		}
		return items
	}
	return value
}

// mergeMetadata sets the keys sent, removes those sent empty, and all if the
// whole was cleared. Stripe keeps the other keys.
func mergeMetadata(o Object, values params.Values) {
	if !values.Has("metadata") {
		return
	}
	merged := Object{}
	if values["metadata"] != nil {
		for key, value := range o.obj("metadata") {
			merged[key] = value
		}
		for key, value := range values.Group("metadata") {
			merged[key] = value
			if value == "" {
				delete(merged, key)
			}
		}
	}
	o["metadata"] = merged
}
