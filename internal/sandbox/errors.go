package sandbox

import (
	"errors"
	"net/http"
	"strings"

	"github.com/united24media/support/internal/sandbox/params"
)

// An apiError is a refusal in Stripe's words.
// https://docs.stripe.com/api/errors
type apiError struct {
	status      int
	kind        string // Stripe's "type"
	code        string
	param       string
	message     string
	declineCode string
	charge      string
	effectsStay bool // what the request did before it failed remains: a declined charge
}

func (e *apiError) Error() string { return e.message }

// invalid refuses a request for what it asks.
func invalid(param, message string) *apiError {
	return &apiError{status: http.StatusBadRequest, kind: "invalid_request_error", param: param, message: message}
}

func invalidCode(code, param, message string) *apiError {
	e := invalid(param, message)
	e.code = code
	return e
}

// missing refuses an address that names an object which does not exist.
func missing(noun, id string) *apiError {
	e := missingParam(noun, "id", id)
	e.status = http.StatusNotFound
	return e
}

// missingParam refuses a parameter that names an object which does not exist.
func missingParam(noun, param, id string) *apiError {
	return invalidCode("resource_missing", param, "No such "+noun+": '"+id+"'")
}

// body returns e in Stripe's shape.
func (e *apiError) body(requestID string) Object {
	detail := Object{
		"message": e.message, "type": e.kind,
		"request_log_url": "https://dashboard.stripe.com/test/logs/" + requestID,
	}
	for key, value := range map[string]string{"code": e.code, "param": e.param, "decline_code": e.declineCode, "charge": e.charge} {
		if value != "" {
			detail[key] = value
		}
	}
	if e.code != "" {
		detail["doc_url"] = "https://stripe.com/docs/error-codes/" + strings.ReplaceAll(e.code, "_", "-")
	}
	return Object{"error": detail}
}

// asAPIError turns any failure into what a client is told.
func asAPIError(err error) *apiError {
	if e, ok := errors.AsType[*apiError](err); ok {
		return e
	}
	if e, ok := errors.AsType[*params.Error](err); ok {
		return invalidCode(e.Code, e.Param, e.Message)
	}
	return &apiError{status: http.StatusInternalServerError, kind: "api_error",
		message: "An unknown error occurred in the sandbox; its log says which."}
}
