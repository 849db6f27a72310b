package sandbox

import (
	"slices"
	"strings"

	"github.com/united24media/support/internal/sandbox/params"
)

// emit records that something happened to an object and sends the news on its
// way to every endpoint that wants it. The event keeps the object as it is now.
// It returns the event's id.
func (s *Sandbox) emit(name string, o Object) string { return s.emitChange(name, nil, o) }

// emitChange is [Sandbox.emit] with what was different before.
func (s *Sandbox) emitChange(name string, before, o Object) string {
	data := Object{"object": s.view(o)}
	if before != nil {
		if diff := previous(before, o); len(diff) > 0 {
			data["previous_attributes"] = diff
		}
	}
	if s.lucky(s.chaos().Twice) {
		s.publish(name, data)
	}
	return s.publish(name, data)
}

func (s *Sandbox) publish(name string, data Object) string {
	request := Object{"id": nil, "idempotency_key": nil}
	if s.cause != nil {
		request = Object{"id": s.cause.id, "idempotency_key": text(s.cause.idempotencyKey)}
	}
	e := Object{
		"id": s.newID(kindEvent), "object": "event", "api_version": Version, "created": s.now(), "data": data,
		"livemode": false, "pending_webhooks": int64(0), "request": request, "type": name,
	}
	s.forgetEvents()
	s.st.put(kindEvent, e)
	s.dispatch(e)
	return e.id()
}

// wants reports whether an endpoint gets events of a type.
func wants(endpoint Object, name string) bool {
	return endpoint.str("status") == "enabled" &&
		(slices.Contains(endpoint.list("enabled_events"), any("*")) || slices.Contains(endpoint.list("enabled_events"), any(name)))
}

// eventsFor is how long Stripe lists an event, in seconds.
const eventsFor = 30 * day

func (s *Sandbox) retrieveEvent(c *call) (Object, error) {
	e := s.st.get(kindEvent, c.path("id"))
	if e == nil || e.int("created") < s.now()-eventsFor {
		return nil, missing("event", c.path("id"))
	}
	return e, nil
}

func (s *Sandbox) listEvents(c *call) (Object, error) {
	oldest := s.now() - eventsFor
	types := c.params.Texts("types")
	if c.params.Has("type") && len(types) > 0 {
		return nil, invalid("types", "You may not provide both type and types.")
	}
	return s.list(c, kindEvent, func(e Object) bool {
		if e.int("created") < oldest {
			return false
		}
		if c.params.Has("type") && !matches(c.params.Text("type"), e.str("type")) {
			return false
		}
		if len(types) > 0 && !slices.Contains(types, e.str("type")) {
			return false
		}
		if c.params.Has("delivery_success") && c.params.Bool("delivery_success") != (e.int("pending_webhooks") == 0) {
			return false
		}
		return true
	})
}

// matches reports whether a type passes a filter such as "charge.*".
func matches(filter, name string) bool {
	if prefix, all := strings.CutSuffix(filter, "*"); all {
		return strings.HasPrefix(name, prefix)
	}
	return filter == name
}

var eventFilters = params.Schema{
	"created": params.Range(), "delivery_success": params.Bool(), "type": params.Text(), "types": params.List(params.Text(), 20),
}
