package risk

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/united24media/support/internal/outward"
)

// Limits of asking a challenge's service.
const (
	challengeTime  = 3 * time.Second  // for one answer
	challengeBody  = 64 << 10         // bytes of an answer
	challengeMost  = 32               // questions at once
	challengePause = 30 * time.Second // how long it is left alone after it failed
	responseMost   = 2048             // characters of a browser's response, as Turnstile has it
)

// ResponseField is what the challenge's script calls its hidden field.
const ResponseField = "cf-turnstile-response"

// ChallengeOptions are what a [Challenge] needs. All but HTTP are required.
type ChallengeOptions struct {
	SiteKey string
	Secret  string
	URL     string       // of the service, without a slash at its end; api.js and siteverify stand below it
	HTTP    *http.Client // nil: one that follows no redirect and knows no proxy
	Now     func() time.Time
	Log     *slog.Logger
}

// A Challenge is another service's word that a browser is a person's: one that
// speaks as Cloudflare's Turnstile does. A nil one is none.
// https://developers.cloudflare.com/turnstile/get-started/server-side-validation/
//
// The service is told the browser's response and our secret, and nothing of the
// reader. Where it does not answer, or knows our secret no more, that is nobody's
// fault who gives: the proof of work counts in its place.
type Challenge struct {
	ChallengeOptions
	slots  chan struct{}
	paused atomic.Int64 // Unix nanoseconds until which it is not asked
	passed atomic.Uint64
	failed atomic.Uint64
	silent atomic.Uint64
}

// NewChallenge returns a challenge. It asks nobody yet.
func NewChallenge(o ChallengeOptions) *Challenge {
	if o.HTTP == nil {
		o.HTTP = outward.Client(challengeTime)
	}
	return &Challenge{ChallengeOptions: o, slots: make(chan struct{}, challengeMost)}
}

// Script returns the address of the service's script, for pages.
func (c *Challenge) Script() string { return c.URL + "/api.js" }

// Counts returns how many responses passed, failed, and found the service
// silent.
func (c *Challenge) Counts() (passed, failed, silent uint64) {
	return c.passed.Load(), c.failed.Load(), c.silent.Load()
}

// answers reports whether the service may be counted on: it did not fail just
// now.
func (c *Challenge) answers() bool {
	return c != nil && c.Now().UnixNano() >= c.paused.Load()
}

// Passed reports whether the service takes a browser's response for a person's,
// and whether that is known. It waits 3 s at most.
func (c *Challenge) Passed(ctx context.Context, response string) (passed, known bool) {
	if len(response) > responseMost {
		c.failed.Add(1)
		return false, true
	}
	if !c.answers() {
		c.silent.Add(1)
		return false, false
	}
	select {
	case c.slots <- struct{}{}:
		defer func() { <-c.slots }()
	default: // it is slow, and we are flooded: as good as silent
		c.silent.Add(1)
		return false, false
	}
	passed, err := c.verify(ctx, response)
	switch {
	case err != nil:
		c.silent.Add(1)
		c.paused.Store(c.Now().Add(challengePause).UnixNano())
		c.Log.WarnContext(ctx, "risk: the challenge's service does not answer; the proof of work counts in its place", "err", err)
		return false, false
	case passed:
		c.passed.Add(1)
	default:
		c.failed.Add(1)
	}
	return passed, true
}

// verify asks the service. An error says nothing about the browser.
func (c *Challenge) verify(ctx context.Context, response string) (passed bool, err error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), challengeTime) // one who hangs up must not make it look broken
	defer cancel()
	form := url.Values{"secret": {c.Secret}, "response": {response}}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.URL+"/siteverify", strings.NewReader(form.Encode()))
	if err != nil {
		return false, err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	answer, err := c.HTTP.Do(r)
	if err != nil {
		return false, fmt.Errorf("ask: %w", hideURL(err))
	}
	defer answer.Body.Close() //nolint:errcheck // only read
	var said struct {
		Success *bool    `json:"success"`
		Errors  []string `json:"error-codes"`
	}
	if answer.StatusCode >= 500 {
		return false, fmt.Errorf("it answers %s", answer.Status)
	}
	if err := json.NewDecoder(io.LimitReader(answer.Body, challengeBody)).Decode(&said); err != nil || said.Success == nil {
		return false, fmt.Errorf("it answers %s with something else than a verdict", answer.Status)
	}
	for _, ours := range []string{"missing-input-secret", "invalid-input-secret", "internal-error"} {
		if slices.Contains(said.Errors, ours) {
			return false, fmt.Errorf("it says %s", ours)
		}
	}
	return *said.Success, nil
}

// hideURL returns why a request failed, without its address.
func hideURL(err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		return u.Err
	}
	return err
}
