package sandbox

import (
	"context"
	"net/http"
	"time"
)

// Chaos makes the sandbox behave as badly as a network and Stripe can. The
// numbers without a unit are chances in percent, 0 to 100.
type Chaos struct {
	Late     time.Duration `json:"late_ns"`  // deliveries wait a random time up to this, and so overtake each other
	Double   int           `json:"double"`   // an event is delivered twice
	Twice    int           `json:"twice"`    // one change makes two events with different ids
	Lose     int           `json:"lose"`     // a delivery never arrives, and Stripe lists it as undelivered
	Vanish   int           `json:"vanish"`   // a delivery never arrives, and Stripe believes that it did
	Extra    bool          `json:"extra"`    // deliveries have fields that nobody knows
	Unbooked bool          `json:"unbooked"` // a charge gets its balance transaction a minute after it succeeded
	Refuse   int           `json:"refuse"`   // an API request is answered 500
	Limit    int           `json:"limit"`    // an API request is answered 429
	APISlow  time.Duration `json:"api_slow_ns"`
}

// SetChaos switches to c, from the next event and request on. The zero Chaos
// ends it.
func (s *Sandbox) SetChaos(c Chaos) error {
	return s.do(func() error {
		s.st.put(kindSetting, Object{
			"id": settingChaos, "late_ns": int64(c.Late), "double": int64(c.Double), "twice": int64(c.Twice),
			"lose": int64(c.Lose), "vanish": int64(c.Vanish), "extra": c.Extra, "unbooked": c.Unbooked, "refuse": int64(c.Refuse), "limit": int64(c.Limit),
			"api_slow_ns": int64(c.APISlow),
		})
		return nil
	})
}

func (s *Sandbox) chaos() Chaos {
	o := s.setting(settingChaos)
	return Chaos{
		Late: time.Duration(o.int("late_ns")), Double: int(o.int("double")), Twice: int(o.int("twice")),
		Lose: int(o.int("lose")), Vanish: int(o.int("vanish")), Extra: o.bool("extra"), Unbooked: o.bool("unbooked"), Refuse: int(o.int("refuse")), Limit: int(o.int("limit")),
		APISlow: time.Duration(o.int("api_slow_ns")),
	}
}

func (s *Sandbox) lucky(percent int) bool { return percent > 0 && s.luck.IntN(100) < percent }

func (s *Sandbox) lateness() time.Duration {
	if late := s.chaos().Late; late > 0 {
		return time.Duration(s.luck.Int64N(int64(late)))
	}
	return 0
}

// apiChaos delays or refuses an API request.
func (s *Sandbox) apiChaos(ctx context.Context) error {
	s.mu.Lock()
	chaos := s.chaos()
	refuse, limit := s.lucky(chaos.Refuse), s.lucky(chaos.Limit)
	s.mu.Unlock()
	if chaos.APISlow > 0 {
		wait := time.NewTimer(chaos.APISlow)
		defer wait.Stop()
		select {
		case <-wait.C:
		case <-ctx.Done():
		}
	}
	switch {
	case limit:
		return &apiError{status: http.StatusTooManyRequests, kind: "invalid_request_error", code: "rate_limit",
			message: "Request rate limit exceeded. Learn more about rate limits here https://stripe.com/docs/rate-limits."}
	case refuse:
		return &apiError{status: http.StatusInternalServerError, kind: "api_error", message: "An unknown error occurred (chaos)."}
	}
	return nil
}

// disguised adds fields nobody knows to an event, if chaos says so.
func (s *Sandbox) disguised(e Object) Object {
	if !s.chaos().Extra {
		return e
	}
	e = e.clone()
	surprise := Object{"of": "the future", "list": []any{int64(1), nil}}
	e["sandbox_surprise"] = surprise
	e.obj("data")["sandbox_surprise"] = surprise
	e.obj("data").obj("object")["sandbox_surprise"] = surprise
	return e
}
