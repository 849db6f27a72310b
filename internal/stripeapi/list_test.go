package stripeapi

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/time/rate"

	"github.com/united24media/support/internal/objects"
)

// date is what the fake Stripe says the time is.
var date = time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)

// fake returns a client of a server that answers with f, and the pauses that
// the client made.
func fake(t *testing.T, f http.HandlerFunc) (c *Client, pauses *[]time.Duration) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Date", date.Format(http.TimeFormat))
		f(w, r)
	}))
	t.Cleanup(server.Close)
	c = New(Options{Key: "sk_test_1", BaseURL: server.URL, Log: slog.New(slog.DiscardHandler)})
	c.reads = rate.NewLimiter(rate.Inf, 1)
	pauses = new([]time.Duration)
	c.pause = func(_ context.Context, d time.Duration) error { *pauses = append(*pauses, d); return nil }
	return c, pauses
}

// numbers answers a list of n objects that are named by falling numbers.
func numbers(n int, asked *atomic.Int64) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		from := n
		if after := r.URL.Query().Get("starting_after"); after != "" {
			last, _ := strconv.Atoi(after)
			from = last - 1
		}
		limit, _ := strconv.Atoi(r.URL.Query().Get("limit"))
		fmt.Fprint(w, `{"object":"list","data":[`)
		count := min(from, limit)
		for i := range count {
			if i > 0 {
				fmt.Fprint(w, ",")
			}
			fmt.Fprintf(w, `{"id":"%d","object":"charge"}`, from-i)
		}
		fmt.Fprintf(w, `],"has_more":%t}`, from > count)
	}
}

func TestListPages(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		objects, pages int
		params         url.Values
		first          string
	}{
		"nothing":           {0, 1, nil, ""},
		"one page":          {100, 1, nil, "100"},
		"one more":          {101, 2, nil, "101"},
		"several":           {250, 3, nil, "250"},
		"from the middle":   {250, 2, url.Values{"starting_after": {"151"}}, "150"},
		"from the last one": {250, 1, url.Values{"starting_after": {"1"}}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var asked atomic.Int64
			c, _ := fake(t, numbers(tt.objects, &asked))
			var ids []string
			pages := 0
			for page, err := range c.List(t.Context(), PathCharges, tt.params) {
				if err != nil {
					t.Fatal(err)
				}
				if !page.At.Equal(date) {
					t.Errorf("the page was said at %s, want Stripe's Date %s", page.At, date)
				}
				pages++
				ids = append(ids, page.IDs...)
			}
			want := tt.objects
			if after := tt.params.Get("starting_after"); after != "" {
				want, _ = strconv.Atoi(after)
				want--
			}
			if pages != tt.pages || len(ids) != want || len(slices.Compact(ids)) != want {
				t.Errorf("%d objects on %d pages, want %d on %d", len(ids), pages, want, tt.pages)
			}
			if len(ids) > 0 && ids[0] != tt.first {
				t.Errorf("the first is %s, want %s", ids[0], tt.first)
			}
		})
	}
}

func TestListAsksOnePageAhead(t *testing.T) {
	t.Parallel()
	var asked atomic.Int64
	c, _ := fake(t, numbers(1000, &asked))
	for range c.List(t.Context(), PathCharges, nil) {
		deadline := time.Now().Add(5 * time.Second)
		for asked.Load() < 2 && time.Now().Before(deadline) {
			time.Sleep(time.Millisecond)
		}
		break
	}
	if n := asked.Load(); n != 2 {
		t.Errorf("while the first page was read %d were asked for, want 2", n)
	}
}

func TestReadingEndsAndTriesAgain(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		status int
		header string // Retry-After
		fails  int    // answers before a good one
		tries  int64
		kind   Kind
		fine   bool
		least  time.Duration // of the first pause
	}{
		"rate limit":             {429, "", 2, 3, 0, true, readPause / 2},
		"rate limit with a wish": {429, "7", 1, 2, 0, true, 7 * time.Second},
		"server error":           {500, "", 1, 2, 0, true, readPause / 2},
		"server errors for ever": {503, "", 99, readTries, Unreachable, false, readPause / 2},
		"no such object":         {404, "", 99, 1, Missing, false, 0},
		"not allowed":            {403, "", 99, 1, Denied, false, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var tries atomic.Int64
			c, pauses := fake(t, func(w http.ResponseWriter, _ *http.Request) {
				if tries.Add(1) <= int64(tt.fails) {
					if tt.header != "" {
						w.Header().Set("Retry-After", tt.header)
					}
					w.WriteHeader(tt.status)
					fmt.Fprint(w, `{"error":{"type":"api_error","message":"no"}}`)
					return
				}
				fmt.Fprint(w, `{"id":"ch_1","object":"charge","surprise":[1]}`)
			})
			answer, err := c.Fetch(t.Context(), objects.KindWarning, "issfr_1")
			if tries.Load() != tt.tries {
				t.Errorf("asked %d times, want %d", tries.Load(), tt.tries)
			}
			if tt.fine {
				if err != nil || string(answer.Object) != `{"id":"ch_1","object":"charge","surprise":[1]}` || !answer.At.Equal(date) {
					t.Errorf("answer %s at %s, %v", answer.Object, answer.At, err)
				}
			} else if !IsKind(err, tt.kind) {
				t.Errorf("err = %v, want one of kind %s", err, tt.kind)
			}
			if tt.least > 0 && (*pauses)[0] < tt.least {
				t.Errorf("the first pause is %s, want %s or more", (*pauses)[0], tt.least)
			}
		})
	}
}

func TestFetchWithoutWhatCantBeExpanded(t *testing.T) {
	t.Parallel()
	c, _ := fake(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Has("expand[]") {
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprint(w, `{"error":{"type":"invalid_request_error","param":"expand","message":"no"}}`)
			return
		}
		fmt.Fprint(w, `{"id":"ch_1","object":"charge"}`)
	})
	if a, err := c.Fetch(t.Context(), objects.KindCharge, "ch_1"); err != nil || len(a.Object) == 0 {
		t.Errorf("Fetch: %s, %v", a.Object, err)
	}
}

func TestReadingKeepsItsRate(t *testing.T) {
	t.Parallel()
	var asked atomic.Int64
	c, _ := fake(t, numbers(10_000, &asked))
	c.reads = rate.NewLimiter(200, 1)
	began := time.Now()
	for _, err := range c.List(t.Context(), PathCharges, nil) {
		if err != nil {
			t.Fatal(err)
		}
		if asked.Load() > 40 {
			break
		}
	}
	if took := time.Since(began); took < 190*time.Millisecond {
		t.Errorf("40 calls at 200 a second took %s", took)
	}
}

func TestReadingEndsWithItsContext(t *testing.T) {
	t.Parallel()
	c, _ := fake(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTooManyRequests) })
	c.pause = pause
	ctx, cancel := context.WithCancel(t.Context())
	go cancel()
	began := time.Now()
	for _, err := range c.List(ctx, PathCharges, nil) {
		if err == nil {
			t.Error("a page came of nothing")
		}
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("ended after %s", took)
	}
}
