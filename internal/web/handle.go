package web

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/united24media/support/internal/fault"
	"github.com/united24media/support/internal/store"
)

// requestIDKey is where a request's id lives in gin's context.
const requestIDKey = "request_id"

// handle adapts h to gin under the rules of p. Whatever fails, and panics too,
// becomes a response in [Server.writeError] and nowhere else.
func (s *Server) handle(p policy, h Handler) gin.HandlerFunc {
	if s.Tracer != nil && (p.trace || !p.quick) {
		h = s.traced(h)
	}
	if p.quick {
		return func(c *gin.Context) {
			start := p.meter.begin()
			defer s.recovered(c, p)
			defer drain(c, c.Request.Body)
			out := c.Writer.Header()
			for i := range p.headers {
				out[p.headers[i].name] = p.headers[i].values
			}
			if err := h(c); err != nil {
				s.writeError(c, p, err)
			}
			p.meter.end(start, c.Writer.Status())
		}
	}
	return func(c *gin.Context) {
		start := time.Now()
		defer s.logged(c, start)
		defer s.recovered(c, p)
		defer drain(c, c.Request.Body)
		out := c.Writer.Header()
		for i := range p.headers {
			out[p.headers[i].name] = p.headers[i].values
		}
		requestID(c)
		if p.maxBody > 0 {
			c.Request.Body = http.MaxBytesReader(c.Writer, c.Request.Body, p.maxBody)
		}
		if err := s.answer(c, p, h); err != nil {
			s.writeError(c, p, err)
		}
	}
}

// answer has h answer a request that p admits, once there is a place for it.
func (s *Server) answer(c *gin.Context, p policy, h Handler) error {
	if err := s.admit(c, p); err != nil {
		return err
	}
	leave, err := p.share.enter(c.Request.Context())
	if err != nil {
		return err
	}
	defer leave()
	if err := once(c, p); err != nil {
		return err
	}
	if !p.bounded {
		return h(c)
	}
	c.Request = c.Request.WithContext(store.Bounded(c.Request.Context()))
	if err = h(c); err != nil && store.TookTooLong(err) && c.Request.Context().Err() == nil {
		return fault.Wrap(fault.Unavailable, err, "This took too long and was ended. Ask for less at once, such as a shorter period.")
	}
	return err
}

// traced returns h inside a span of its own.
func (s *Server) traced(h Handler) Handler {
	return func(c *gin.Context) error {
		ctx, end := s.Tracer.Request(c.Request.Context(), method(c), c.FullPath())
		c.Request = c.Request.WithContext(ctx)
		err := h(c)
		status := c.Writer.Status()
		if err != nil {
			status = problemOf(err).Status
		}
		end(status)
		return err
	}
}

// recovered turns a panic into a 500. Its log holds the stack and no header of
// the request: cookies and signatures are there.
func (s *Server) recovered(c *gin.Context, p policy) {
	cause := recover()
	if cause == nil {
		return
	}
	if err, ok := cause.(error); ok && errors.Is(err, http.ErrAbortHandler) {
		panic(cause) // the way to end a connection; net/http expects it
	}
	s.Log.Error("panic", "request_id", requestID(c), "route", c.FullPath(), "cause", fmt.Sprint(cause), "stack", string(debug.Stack()))
	if c.Writer.Written() {
		panic(http.ErrAbortHandler) // half an answer must not look whole
	}
	s.respond(c, p, Problem{Status: http.StatusInternalServerError})
}

// logged writes one line a request: no query, no address, no header. A path
// that is not ours is left out, since anything may stand in it.
func (s *Server) logged(c *gin.Context, start time.Time) {
	took, route := time.Since(start), c.FullPath()
	s.Log.Info("request", "request_id", requestID(c), "method", method(c), "route", route,
		"status", c.Writer.Status(), "bytes", max(c.Writer.Size(), 0), "ms", float64(took.Microseconds())/1000)
	if s.requests != nil {
		s.requests.WithLabelValues(route, strconv.Itoa(c.Writer.Status())).Observe(took.Seconds())
	}
}

// method returns the request's method; one that nobody declared may be of any
// length and content.
func method(c *gin.Context) string {
	switch c.Request.Method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodOptions:
		return c.Request.Method
	}
	return "other"
}

// requestID returns the request's id, and makes it the first time.
func requestID(c *gin.Context) string {
	if id := c.GetString(requestIDKey); id != "" {
		return id
	}
	var random [8]byte
	_, _ = rand.Read(random[:]) // never fails, by its documentation
	id := hex.EncodeToString(random[:])
	c.Set(requestIDKey, id)
	c.Writer.Header()["X-Request-Id"] = []string{id}
	return id
}
