package web

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/united24media/support/internal/checkout"
	"github.com/united24media/support/internal/fault"
	"github.com/united24media/support/internal/store"
)

// A Problem is a failure as the outside sees it: a problem document (RFC 9457)
// or, on pages, words.
type Problem struct {
	Type      string `json:"type"`
	Title     string `json:"title"`
	Status    int    `json:"status"`
	Detail    string `json:"detail,omitzero"`
	Field     string `json:"field,omitzero"`      // the request's field at fault
	RequestID string `json:"request_id,omitzero"` // for whoever asks us what happened
}

// statuses is the one table from kinds of failure to HTTP.
var statuses = []struct {
	kind   fault.Kind
	status int
}{
	{fault.Invalid, http.StatusBadRequest},
	{fault.Unauthorized, http.StatusUnauthorized},
	{fault.Forbidden, http.StatusForbidden},
	{fault.NotFound, http.StatusNotFound},
	{fault.Conflict, http.StatusConflict},
	{fault.TooLarge, http.StatusRequestEntityTooLarge},
	{fault.MediaType, http.StatusUnsupportedMediaType},
	{fault.Limited, http.StatusTooManyRequests},
	{fault.Upstream, http.StatusBadGateway},
	{fault.Unavailable, http.StatusServiceUnavailable},
}

// problemOf returns what the outside is told of err: of an error of no known
// kind, nothing but that there was one.
func problemOf(err error) Problem {
	if _, over := errors.AsType[*http.MaxBytesError](err); over {
		return Problem{Status: http.StatusRequestEntityTooLarge, Detail: "The request's body is too large."}
	}
	known, ok := errors.AsType[*fault.Error](err)
	if ok {
		for _, s := range statuses {
			if known.Kind == s.kind {
				return Problem{Status: s.status, Detail: known.Detail, Field: known.Field}
			}
		}
	}
	return Problem{Status: http.StatusInternalServerError}
}

// retryAfter is when to ask again for what the database did not tell, in
// seconds.
const retryAfter = 5

// writeError answers with err, and logs it if it has a cause inside.
func (s *Server) writeError(c *gin.Context, p policy, err error) {
	if _, known := errors.AsType[*fault.Error](err); !known && store.Away(err) {
		away := fault.Wrap(fault.Unavailable, err, "The database can't be reached. Please try again in a moment.")
		away.RetryAfter = retryAfter
		err = away
	}
	problem := problemOf(err)
	known, ok := errors.AsType[*fault.Error](err)
	if ok && known.RetryAfter > 0 {
		c.Header("Retry-After", strconv.Itoa(known.RetryAfter))
	}
	gone := errors.Is(err, context.Canceled) && c.Request.Context().Err() != nil
	if problem.Status >= http.StatusInternalServerError && !gone && !errors.Is(err, errBusy) && !errors.Is(err, checkout.ErrClosed) {
		s.Log.Error("request failed", "request_id", requestID(c), "route", c.FullPath(), "status", problem.Status, "err", err)
	}
	if c.Writer.Written() {
		panic(http.ErrAbortHandler) // half an answer must not look whole
	}
	s.respond(c, p, problem)
}

// respond writes a problem in the form the route speaks.
func (s *Server) respond(c *gin.Context, p policy, problem Problem) {
	problem.Type, problem.Title = "about:blank", http.StatusText(problem.Status)
	if problem.Status >= http.StatusInternalServerError {
		problem.RequestID = requestID(c)
	}
	if problem.Status == http.StatusUnauthorized {
		c.Header("WWW-Authenticate", "Bearer")
	}
	out := c.Writer.Header()
	for _, name := range []string{"Etag", "Content-Encoding", "Content-Length"} { // of an answer that did not come
		delete(out, name)
	}
	c.Header("Cache-Control", "no-store")
	if p.html && wantsPage(c.Request) {
		out["Content-Security-Policy"] = []string{s.pageContent()} // an address that is nowhere has a stricter one
		write := s.failed.write
		if p.failed != nil {
			write = func(c *gin.Context, problem Problem) error {
				return p.failed(c, problem.Status, problem.Detail, problem.RequestID)
			}
		}
		if err := write(c, problem); err == nil {
			return
		}
	}
	body, err := json.Marshal(problem)
	if err != nil { // a struct of texts and a number always encodes
		body = []byte(`{}`)
	}
	c.Data(problem.Status, "application/problem+json", append(body, '\n'))
}

// wantsPage reports whether a person's browser asks, not a program.
func wantsPage(r *http.Request) bool {
	return !strings.HasPrefix(r.URL.Path, "/v1/") && !strings.HasPrefix(r.URL.Path, "/webhooks/") &&
		strings.Contains(r.Header.Get("Accept"), "text/html")
}

func notFound(*gin.Context) error {
	return fault.New(fault.NotFound, "There is nothing at this address.")
}

// methodNotAllowed answers 405; gin has set Allow.
func (s *Server) methodNotAllowed(c *gin.Context) error {
	s.respond(c, s.problems(), Problem{
		Status: http.StatusMethodNotAllowed, Detail: "This address takes " + c.Writer.Header().Get("Allow") + ".",
	})
	return nil
}
