// Package fault names the kinds of failure a caller can act on. Everything
// else is an internal error: logged inside, and not told outside.
package fault

import "fmt"

// A Kind is a category of failure. It is itself an error, so that
// errors.Is(err, fault.NotFound) works however deeply err is wrapped.
type Kind string

// The kinds, each with the HTTP status it becomes in package web.
const (
	Invalid      Kind = "invalid"      // 400: the request can never succeed as sent
	Unauthorized Kind = "unauthorized" // 401: no valid credential
	Forbidden    Kind = "forbidden"    // 403: the credential does not allow this
	NotFound     Kind = "not_found"    // 404: the thing named does not exist
	Conflict     Kind = "conflict"     // 409: contradicts what is already stored
	TooLarge     Kind = "too_large"    // 413: over a size limit
	MediaType    Kind = "media_type"   // 415: not in the form that is taken
	Limited      Kind = "limited"      // 429: too many in too short a time
	Upstream     Kind = "upstream"     // 502: Stripe refused or can't be reached; nothing was charged
	Unavailable  Kind = "unavailable"  // 503: try again later
)

func (k Kind) Error() string { return string(k) }

// An Error is a failure of a known kind.
type Error struct {
	Kind       Kind
	Field      string // the request's field at fault, "" if none
	Detail     string // one sentence, safe to show to whoever sent the request
	RetryAfter int    // seconds, for Limited and Unavailable; 0 says nothing
	Cause      error  // logged, never shown; may be nil
}

// New returns an error of kind k with a detail that is safe to show.
func New(k Kind, format string, args ...any) *Error {
	return &Error{Kind: k, Detail: fmt.Sprintf(format, args...)}
}

// Field returns an [Invalid] error that names the request's field at fault.
func Field(name, format string, args ...any) *Error {
	return &Error{Kind: Invalid, Field: name, Detail: fmt.Sprintf(format, args...)}
}

// Wrap returns an error of kind k that shows detail and logs cause.
func Wrap(k Kind, cause error, detail string) *Error {
	return &Error{Kind: k, Detail: detail, Cause: cause}
}

func (e *Error) Error() string {
	text := e.Kind.Error() + ": "
	if e.Field != "" {
		text += e.Field + ": "
	}
	text += e.Detail
	if e.Cause != nil {
		text += ": " + e.Cause.Error()
	}
	return text
}

// Unwrap returns the kind of e and its cause.
func (e *Error) Unwrap() []error {
	if e.Cause == nil {
		return []error{e.Kind}
	}
	return []error{e.Kind, e.Cause}
}
