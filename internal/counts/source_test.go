package counts

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/united24media/support/internal/store"
)

// fakeSource is a database's table of counts, and a memory of all it ever said.
type fakeSource struct {
	mu       sync.Mutex
	rows     map[string]store.ScopeCount
	revision int64
	past     map[store.ScopeCount]bool // every row that was ever true
	down     bool
	hang     bool
	asked    []int64
	answered chan struct{} // if set, an answer waits for one receive before it is given
}

func newSource() *fakeSource {
	return &fakeSource{rows: make(map[string]store.ScopeCount), past: make(map[store.ScopeCount]bool)}
}

func (f *fakeSource) ScopesSince(ctx context.Context, revision int64) ([]store.ScopeCount, error) {
	f.mu.Lock()
	f.asked = append(f.asked, revision)
	down, hang, wait := f.down, f.hang, f.answered
	var rows []store.ScopeCount
	for _, row := range f.rows {
		if row.Revision > revision {
			rows = append(rows, row)
		}
	}
	f.mu.Unlock()
	if hang {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	if down {
		return nil, errors.New("connection refused")
	}
	if wait != nil {
		<-wait
	}
	slices.SortFunc(rows, func(a, b store.ScopeCount) int {
		if a.Revision != b.Revision {
			return int(a.Revision - b.Revision)
		}
		return strings.Compare(a.Scope, b.Scope)
	})
	return rows, nil
}

// commit sets scopes to what is given, in one transaction, and returns the new rows.
func (f *fakeSource) commit(rows ...store.ScopeCount) []store.ScopeCount {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.revision++
	for i := range rows {
		rows[i].Revision = f.revision
		f.rows[rows[i].Scope] = rows[i]
		f.past[rows[i]] = true
	}
	return rows
}

func (f *fakeSource) set(change func(f *fakeSource)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change(f)
}

func (f *fakeSource) queries() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.asked)
}

func row(scope string, supporters, members int64) store.ScopeCount {
	return store.ScopeCount{Scope: scope, Supporters: supporters, Members: members}
}

// silent is a log that nobody reads.
func silent() *slog.Logger { return slog.New(slog.NewTextHandler(io.Discard, nil)) }

// start runs c until the test ends.
func start(t testing.TB, c *Counts) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- c.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		select {
		case err := <-done:
			if err != nil {
				t.Errorf("Run: %v", err)
			}
		case <-time.After(10 * time.Second):
			t.Error("Run does not end with its context")
		}
	})
}

// eventually waits until ok holds, and fails the test with what is missing
// when it doesn't within a time.
func eventually(t testing.TB, within time.Duration, what string, ok func() bool) time.Duration {
	t.Helper()
	started := time.Now()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		if time.Since(started) > within {
			t.Fatalf("after %v still not: %s", within, what)
		}
		<-tick.C
	}
	return time.Since(started)
}
