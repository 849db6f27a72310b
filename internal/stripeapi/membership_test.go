package stripeapi

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

var changes = map[string]func(context.Context, *Client) (Answer, error){
	"cancel now": func(ctx context.Context, c *Client) (Answer, error) {
		return c.CancelSubscription(ctx, "key_1", "sub_1")
	},
	"cancel at the period's end": func(ctx context.Context, c *Client) (Answer, error) {
		return c.CancelAtPeriodEnd(ctx, "key_2", "sub_1")
	},
	"keep": func(ctx context.Context, c *Client) (Answer, error) { return c.KeepSubscription(ctx, "key_3", "sub_1") },
	"pause": func(ctx context.Context, c *Client) (Answer, error) {
		return c.PauseSubscription(ctx, "key_4", "sub_1", time.Time{})
	},
	"pause for a while": func(ctx context.Context, c *Client) (Answer, error) {
		return c.PauseSubscription(ctx, "key_5", "sub_1", time.Unix(1_800_000_000, 0))
	},
	"resume": func(ctx context.Context, c *Client) (Answer, error) {
		return c.ResumeSubscription(ctx, "key_6", "sub_1")
	},
	"refund a part": func(ctx context.Context, c *Client) (Answer, error) {
		return c.Refund(ctx, RefundParams{IdempotencyKey: "key_7", Charge: "ch_1", AmountMinor: 500, Reason: "requested_by_customer"})
	},
	"refund the rest": func(ctx context.Context, c *Client) (Answer, error) {
		return c.Refund(ctx, RefundParams{IdempotencyKey: "key_8", Charge: "ch_1"})
	},
}

// answer is an object that was said at a time.
func answer(at time.Time, object string, headers ...string) func(w http.ResponseWriter) {
	return func(w http.ResponseWriter) {
		w.Header().Set("Date", at.UTC().Format(http.TimeFormat))
		for i := 0; i+1 < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		fmt.Fprint(w, object)
	}
}

var noon = time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)

func TestChanges(t *testing.T) {
	t.Parallel()
	tests := map[string]string{
		"cancel now":                 "DELETE /v1/subscriptions/sub_1 key_1 ",
		"cancel at the period's end": "POST /v1/subscriptions/sub_1 key_2 cancel_at_period_end=true",
		"keep":                       "POST /v1/subscriptions/sub_1 key_3 cancel_at_period_end=false",
		"pause":                      "POST /v1/subscriptions/sub_1 key_4 pause_collection[behavior]=void",
		"pause for a while":          "POST /v1/subscriptions/sub_1 key_5 pause_collection[behavior]=void&pause_collection[resumes_at]=1800000000",
		"resume":                     "POST /v1/subscriptions/sub_1 key_6 pause_collection=",
		"refund a part":              "POST /v1/refunds key_7 amount=500&charge=ch_1&expand[0]=charge&expand[1]=balance_transaction&reason=requested_by_customer",
		"refund the rest":            "POST /v1/refunds key_8 charge=ch_1&expand[0]=charge&expand[1]=balance_transaction",
	}
	for name, want := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, c, _ := newServer(t, fail(500, map[string]string{"type": "api_error"}), answer(noon, `{"id":"x_1"}`))
			got, err := changes[name](t.Context(), c)
			if err != nil || string(got.Object) != `{"id":"x_1"}` || !got.At.Equal(noon) {
				t.Fatalf("answered %s at %v, %v", got.Object, got.At, err)
			}
			for i, r := range s.got {
				sent := r.Method + " " + r.URL.Path + " " + r.Header.Get("Idempotency-Key") + " " + s.bodies[i]
				if sent != want {
					t.Errorf("sent %q, want %q", sent, want)
				}
			}
			if len(s.got) != 2 {
				t.Errorf("%d tries", len(s.got))
			}
		})
	}
}

// An answer that Stripe repeats for its key says how things were then.
func TestARepeatedChangeIsAskedForAnew(t *testing.T) {
	t.Parallel()
	s, c, _ := newServer(t,
		answer(noon, `{"id":"sub_1","pause_collection":{"behavior":"void"}}`, "Idempotent-Replayed", "true"),
		answer(noon.Add(time.Hour), `{"id":"sub_1","pause_collection":null}`))
	got, err := c.PauseSubscription(t.Context(), "key_1", "sub_1", time.Time{})
	if err != nil || !strings.Contains(string(got.Object), "null") || !got.At.Equal(noon.Add(time.Hour)) {
		t.Errorf("answered %s at %v, %v", got.Object, got.At, err)
	}
	if len(s.got) != 2 || s.got[1].Method != http.MethodGet || s.got[1].URL.Path != "/v1/subscriptions/sub_1" {
		t.Errorf("asked %d times", len(s.got))
	}
}

func TestCancelingTwice(t *testing.T) {
	t.Parallel()
	gone := fail(404, map[string]string{"type": "invalid_request_error", "code": "resource_missing", "param": "id"})
	for status, ok := range map[string]bool{"canceled": true, "active": false} {
		_, c, _ := newServer(t, gone, answer(noon, `{"id":"sub_1","status":"`+status+`"}`))
		got, err := c.CancelSubscription(t.Context(), "key_1", "sub_1")
		var state map[string]string
		if ok && (err != nil || json.Unmarshal(got.Object, &state) != nil || state["status"] != status) {
			t.Errorf("%s: %s, %v", status, got.Object, err)
		}
		if !ok && !IsKind(err, Missing) {
			t.Errorf("%s: %v", status, err)
		}
	}
	_, c, _ := newServer(t, gone)
	if _, err := c.CancelSubscription(t.Context(), "key_1", "sub_none"); !IsKind(err, Missing) {
		t.Errorf("one that is not there: %v", err)
	}
}
