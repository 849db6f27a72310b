package stripeapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/stripe/stripe-go/v76"
)

// A Kind is what a failed call means for its caller.
type Kind int

// The kinds of failure.
const (
	Unreachable Kind = iota // no answer in time, or a 5xx: whether it was done is not known
	Limited                 // too many calls; nothing was done
	Refused                 // a parameter, see Error.Param: the same call fails again
	Denied                  // the key may not do this, or the account can't
	Missing                 // the object does not exist
)

func (k Kind) String() string {
	return [...]string{"unreachable", "limited", "refused", "denied", "missing"}[k]
}

// An Error is a call that failed.
type Error struct {
	Kind       Kind
	Call       string        // what was called
	Param      string        // the parameter at fault, in Stripe's words, such as line_items[0][price_data][product]
	Code       string        // Stripe's code, such as parameter_unknown
	Message    string        // Stripe's explanation, for logs
	RequestID  string        // Stripe's id of the request
	Status     int           // HTTP; 0 without an answer
	RetryAfter time.Duration // Stripe's wish; 0 if it has none
	KeySpent   bool          // the idempotency key leads nowhere any more; the same call needs a new one
	cause      error
	again      bool // trying again may help
}

func (e *Error) Error() string {
	text := "Stripe: " + e.Call + ": " + e.Kind.String()
	if e.Status != 0 {
		text += fmt.Sprintf(" (%d", e.Status)
		for _, part := range [...]string{e.Code, e.Param, e.RequestID} {
			if part != "" {
				text += " " + part
			}
		}
		text += ")"
	}
	return text + ": " + e.Message
}

// Unwrap returns the library's or the network's error.
func (e *Error) Unwrap() error { return e.cause }

// IsKind reports whether err is a failed call of kind k.
func IsKind(err error, k Kind) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && e.Kind == k
}

func classify(ctx context.Context, call string, err error) *Error {
	e := &Error{Call: call, cause: err, Kind: Unreachable}
	answer, ok := errors.AsType[*stripe.Error](err)
	if !ok {
		// No answer, or one that is not Stripe's. Its text may be a whole page.
		e.Message, e.again = cut(err.Error(), maxMessage), true
		if ctx.Err() != nil {
			e.Message, e.again = "no answer in time", false
		}
		return e
	}
	e.Status, e.Param, e.Code = answer.HTTPStatusCode, answer.Param, string(answer.Code)
	e.Message, e.RequestID = cut(answer.Msg, maxMessage), answer.RequestID
	e.Kind, e.again = judge(answer)
	e.KeySpent = answer.Type == stripe.ErrorTypeIdempotency // it was used with other parameters
	if answer.LastResponse != nil {
		e.obey(answer.LastResponse.Header)
	}
	return e
}

// judge reads the status of an answer.
// https://docs.stripe.com/api/errors, https://docs.stripe.com/error-low-level
func judge(answer *stripe.Error) (k Kind, again bool) {
	switch status := answer.HTTPStatusCode; {
	case status == http.StatusTooManyRequests:
		return Limited, true
	case answer.Type == stripe.ErrorTypeIdempotency:
		return Refused, false
	case status == http.StatusConflict || answer.Code == stripe.ErrorCodeIdempotencyKeyInUse ||
		answer.Code == stripe.ErrorCodeLockTimeout:
		return Unreachable, true // the same call is still being worked on
	case status >= http.StatusInternalServerError:
		return Unreachable, true
	case status == http.StatusUnauthorized || status == http.StatusForbidden || status == http.StatusPaymentRequired:
		return Denied, false
	case status == http.StatusNotFound || answer.Code == stripe.ErrorCodeResourceMissing && answer.Param == "":
		return Missing, false
	}
	return Refused, false
}

// tries returns how often a call that fails with e is made.
func (e *Error) tries() int {
	switch {
	case !e.again:
		return 1
	case e.Code == string(stripe.ErrorCodeIdempotencyKeyInUse):
		return busyTries
	}
	return maxTries
}

// maxWait is the longest pause between tries that a reader can be asked for.
const maxWait = 5 * time.Second

// obey takes over what Stripe says about trying again.
func (e *Error) obey(h http.Header) {
	// Stripe keeps a 5xx under its key and answers it again for a day.
	if h.Get("Idempotent-Replayed") == "true" && e.Status >= http.StatusInternalServerError {
		e.KeySpent, e.again = true, false
	}
	switch h.Get("Stripe-Should-Retry") {
	case "true":
		e.again = true
	case "false":
		e.again = false
	}
	if seconds, err := strconv.Atoi(h.Get("Retry-After")); err == nil && seconds > 0 {
		e.RetryAfter = time.Duration(seconds) * time.Second
		e.again = e.again && e.RetryAfter <= maxWait
	}
}

// maxMessage is how much of an error's text is kept, in characters.
const maxMessage = 300

// cut returns the first n characters of s.
func cut(s string, n int) string {
	count := 0
	for i := range s {
		if count == n {
			return s[:i]
		}
		count++
	}
	return s
}
