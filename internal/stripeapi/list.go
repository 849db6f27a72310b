package stripeapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/stripe/stripe-go/v76"
	"golang.org/x/time/rate"
)

// Limits of reading. Nobody waits at a screen for it, so it is slow to give up
// and leaves Stripe's own limit (25 a second in test mode) to those who do.
const (
	readRate  rate.Limit = 20               // calls a second
	readBurst            = 10               // calls
	readTries            = 6                // of one call, the first one included
	readTime             = 30 * time.Second // for one try
	readPause            = 500 * time.Millisecond
	readWait             = time.Minute // the longest pause between tries
	pageSize             = 100         // objects; Stripe's largest page
)

// A Page is one page of a list, newest objects first.
type Page struct {
	Objects [][]byte  // as Stripe wrote them
	IDs     []string  // of Objects
	At      time.Time // when Stripe said so, by its clock
	More    bool      // further pages follow
}

// Last returns the id after which the next page begins: its starting_after.
func (p Page) Last() string {
	if len(p.IDs) == 0 {
		return ""
	}
	return p.IDs[len(p.IDs)-1]
}

// List returns the pages of a list, such as "/v1/charges", one of them asked
// for ahead. The params are Stripe's filters; starting_after among them begins
// in the middle. A failure ends the pages; it is an [*Error].
func (c *Client) List(ctx context.Context, path string, params url.Values) iter.Seq2[Page, error] {
	return func(yield func(Page, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		next := c.ahead(ctx, path, params, params.Get("starting_after"))
		for {
			r := <-next
			if r.err != nil {
				yield(Page{}, r.err)
				return
			}
			if r.page.More {
				next = c.ahead(ctx, path, params, r.page.Last())
			}
			if !yield(r.page, nil) || !r.page.More {
				return
			}
		}
	}
}

type pageResult struct {
	page Page
	err  error
}

// ahead asks for a page and returns where it will arrive.
func (c *Client) ahead(ctx context.Context, path string, params url.Values, after string) <-chan pageResult {
	query := url.Values{}
	for name, values := range params {
		query[name] = slices.Clone(values)
	}
	query.Set("limit", strconv.Itoa(pageSize))
	query.Del("starting_after")
	if after != "" {
		query.Set("starting_after", after)
	}
	out := make(chan pageResult, 1) // so that nobody has to take it
	go func() {
		page, err := c.page(ctx, path, query)
		out <- pageResult{page, err}
	}()
	return out
}

func (c *Client) page(ctx context.Context, path string, query url.Values) (Page, error) {
	body, at, err := c.read(ctx, path, query)
	if err != nil {
		return Page{}, err
	}
	var list struct {
		Data []json.RawMessage `json:"data"`
		More bool              `json:"has_more"`
	}
	if err := json.Unmarshal(body, &list); err != nil {
		return Page{}, unreadable(path, err)
	}
	page := Page{At: at, More: list.More && len(list.Data) > 0}
	for _, object := range list.Data {
		var head struct {
			ID string `json:"id"`
		}
		if err := json.Unmarshal(object, &head); err != nil || head.ID == "" {
			return Page{}, unreadable(path, errors.Join(err, errors.New("an object of the list has no id")))
		}
		page.Objects, page.IDs = append(page.Objects, object), append(page.IDs, head.ID)
	}
	return page, nil
}

func unreadable(path string, err error) *Error {
	return &Error{Kind: Unreachable, Call: "GET " + path, Message: "an answer that can't be read: " + err.Error(), cause: err}
}

// read asks Stripe for what path names, at the rate of reads, and again after
// failures that may pass. ctx ends every wait. It returns the answer's body and
// its Date. The error is an [*Error].
func (c *Client) read(ctx context.Context, path string, query url.Values) (body []byte, at time.Time, err error) {
	what := "GET " + path
	full := path
	if len(query) > 0 {
		full += "?" + query.Encode()
	}
	wait := readPause
	for try := 1; ; try++ {
		if err := c.reads.Wait(ctx); err != nil {
			return nil, time.Time{}, &Error{Kind: Unreachable, Call: what, Message: "not asked: " + err.Error(), cause: err}
		}
		body, at, err := c.readOnce(ctx, full)
		if err == nil {
			return body, at, nil
		}
		failure := classify(ctx, what, err)
		again := failure.again || failure.Kind == Limited // Stripe may ask for a longer pause than a reader's
		if try == readTries || !again || ctx.Err() != nil {
			return nil, time.Time{}, failure
		}
		sleep := min(max(wait/2+rand.N(wait/2), failure.RetryAfter+rand.N(readPause)), readWait)
		c.log.WarnContext(ctx, "Stripe: trying again", "call", what, "try", try, "kind", failure.Kind.String(),
			"status", failure.Status, "code", failure.Code, "request", failure.RequestID, "pause", sleep)
		if c.pause(ctx, sleep) != nil {
			return nil, time.Time{}, failure
		}
		wait *= 2
	}
}

// raw takes any answer; the library keeps its bytes.
type raw struct{ stripe.APIResource }

func (c *Client) readOnce(ctx context.Context, path string) ([]byte, time.Time, error) {
	ctx, cancel := context.WithTimeout(ctx, readTime)
	defer cancel()
	asked := time.Now()
	var answer raw
	charges := c.api.Charges // any of the parts knows the backend and the key
	err := charges.B.CallRaw(http.MethodGet, path, charges.Key, nil, &stripe.Params{Context: ctx}, &answer)
	if err != nil {
		return nil, time.Time{}, err
	}
	if answer.LastResponse == nil {
		return nil, time.Time{}, fmt.Errorf("GET %s: no answer", path)
	}
	at, err := http.ParseTime(answer.LastResponse.Header.Get("Date"))
	if err != nil {
		at = asked // by our clock, and before the answer: events after it overrule it
	}
	return answer.LastResponse.RawJSON, at, nil
}
