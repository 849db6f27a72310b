package sandbox

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"

	"github.com/united24media/support/internal/sandbox/params"
)

const (
	maxForm    = 1 << 20 // bytes of a request to the API
	maxExpands = 20      // expand parameters of a request
)

// A call is one request to the API, its parameters checked.
type call struct {
	id             string // Request-Id
	idempotencyKey string
	path           func(name string) string
	url            string
	params         params.Values
}

// An endpoint answers a call while the sandbox is locked.
type endpoint func(*call) (Object, error)

// routeAPI lists the addresses of the API.
func (s *Sandbox) routeAPI(mux *http.ServeMux) {
	on := func(pattern string, schema params.Schema, f endpoint) {
		method, path, _ := strings.Cut(pattern, " ")
		mux.HandleFunc(method+" /v1"+path, func(w http.ResponseWriter, r *http.Request) { s.answer(w, r, schema, f) })
	}
	for pattern, e := range s.endpoints() {
		on(pattern, e.params, e.answer)
	}
	mux.HandleFunc("/v1/", func(w http.ResponseWriter, r *http.Request) {
		s.answer(w, r, nil, func(*call) (Object, error) {
			e := invalid("", "Unrecognized request URL ("+r.Method+": "+r.URL.Path+").")
			e.status = http.StatusNotFound
			return nil, e
		})
	})
}

// A route is what an address takes and how it answers.
type route struct {
	params params.Schema
	answer endpoint
}

// answer reads a request, runs f alone and writes what it returns.
func (s *Sandbox) answer(w http.ResponseWriter, r *http.Request, schema params.Schema, f endpoint) {
	c := &call{id: s.requestID(), idempotencyKey: r.Header.Get("Idempotency-Key"), path: r.PathValue, url: "/v1" + strings.TrimPrefix(r.URL.Path, "/v1")}
	form, refusal := s.admit(r)
	if refusal != nil {
		s.respond(w, c, http.StatusOK, nil, refusal)
		return
	}
	status, body, replayed := http.StatusOK, []byte(nil), false
	err := s.do(func() error {
		s.cause = c
		defer func() { s.cause = nil }()
		var err error
		status, body, replayed, err = s.once(r, c, form, func() (Object, error) {
			values, wrong := schema.With(params.Schema{"expand": params.List(params.Text(), maxExpands)}).Check(form)
			if wrong != nil && schema != nil {
				return nil, wrong
			}
			c.params = values
			o, err := f(c)
			if err != nil {
				return nil, err
			}
			return s.expanded(o, values.Texts("expand"))
		})
		return err
	})
	if e, ok := errors.AsType[*apiError](err); err != nil && (!ok || !e.effectsStay) {
		body = nil
	}
	if replayed {
		w.Header().Set("Idempotent-Replayed", "true")
	}
	s.respond(w, c, status, body, err)
}

// admit checks what comes before the parameters: the chaos switch, the key,
// the version and the form itself.
func (s *Sandbox) admit(r *http.Request) (url.Values, error) {
	if e := s.apiChaos(r.Context()); e != nil {
		return nil, e
	}
	key, _, basic := r.BasicAuth()
	if bearer, found := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); found && !basic {
		key = bearer
	}
	if !strings.HasPrefix(key, "sk_test_") && !strings.HasPrefix(key, "rk_test_") {
		return nil, unauthorized(key)
	}
	if v := r.Header.Get("Stripe-Version"); v != "" && v != Version {
		return nil, invalid("", "Invalid Stripe API version: "+v+". The sandbox speaks "+Version+" only.")
	}
	return readForm(r)
}

func unauthorized(key string) *apiError {
	message := "You did not provide an API key. Provide it in the Authorization header, using Bearer auth: 'Authorization: Bearer YOUR_SECRET_KEY'."
	if key != "" {
		message = "Invalid API Key provided: " + key[:min(len(key), 8)] + "****. The sandbox takes test keys only (sk_test_…)."
	}
	return &apiError{status: http.StatusUnauthorized, kind: "invalid_request_error", message: message}
}

func readForm(r *http.Request) (url.Values, error) {
	form, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, invalid("", "Invalid query string")
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxForm+1))
	if err != nil {
		return nil, invalid("", "Invalid request body")
	}
	if len(body) > maxForm {
		return nil, &apiError{status: http.StatusRequestEntityTooLarge, kind: "invalid_request_error", message: "Request body too large"}
	}
	if len(body) == 0 {
		return form, nil
	}
	media, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if media != "application/x-www-form-urlencoded" {
		return nil, invalid("", "Invalid request (check that your POST content type is application/x-www-form-urlencoded).")
	}
	sent, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, invalid("", "Invalid request body")
	}
	for key, values := range sent {
		form[key] = append(form[key], values...)
	}
	return form, nil
}

// respond writes an answer with the headers of Stripe's. Date is the
// sandbox's time, by which clients order what they were told.
func (s *Sandbox) respond(w http.ResponseWriter, c *call, status int, body []byte, err error) {
	if err != nil && body == nil {
		e := asAPIError(err)
		if e.status >= http.StatusInternalServerError {
			s.opts.Log.Error("sandbox: request failed", "request", c.id, "url", c.url, "err", err)
		}
		status, body = e.status, encode(e.body(c.id))
		if e.status == http.StatusTooManyRequests {
			w.Header().Set("Retry-After", "1")
		}
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-cache, no-store")
	h.Set("Request-Id", c.id)
	h.Set("Stripe-Version", Version)
	h.Set("Date", s.Now().Format(http.TimeFormat))
	if c.idempotencyKey != "" {
		h.Set("Idempotency-Key", c.idempotencyKey)
	}
	w.WriteHeader(status)
	w.Write(body)
}

func encode(o Object) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	enc.Encode(o) // only strings, numbers, bools, lists and groups are stored
	return b.Bytes()
}

func (s *Sandbox) requestID() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return "req_" + randomText(s.luck, 14)
}
