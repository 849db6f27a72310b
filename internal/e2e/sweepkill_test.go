package e2e

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/united24media/support/internal/sandbox"
)

// A gate stands before Stripe's stand-in, notes what is asked, and can hold one
// page back for good.
type gate struct {
	stripe http.Handler
	at     int           // the page of charges, from 1 on, that the first run is kept waiting for
	held   chan struct{} // closed when it was asked for

	mu      sync.Mutex
	charges int
	asked   []string
}

func (g *gate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	g.mu.Lock()
	g.asked = append(g.asked, r.URL.RequestURI())
	hold := false
	if strings.HasSuffix(r.URL.Path, "/v1/charges") {
		g.charges++
		hold = g.charges == g.at
	}
	g.mu.Unlock()
	if hold {
		close(g.held)
		<-r.Context().Done() // until who asked is gone
		return
	}
	g.stripe.ServeHTTP(w, r)
}

// take returns what was asked since it was last taken.
func (g *gate) take() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	asked := g.asked
	g.asked = nil
	return asked
}

// TestReconcileGoesOnAfterAKill takes the power of `support reconcile` while it
// waits for the third page of charges. The next one asks for no page again that
// was done with, finds every difference, and the books are those of the
// stand-in.
func TestReconcileGoesOnAfterAKill(t *testing.T) {
	t.Parallel()
	for name, database := range databases() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const (
				gifts       = 201       // of which two pages have 200
				differences = 2 * gifts // of each the visit to Checkout and the donation
			)
			c := &chaos{t: t, folder: t.TempDir()}
			stripe, err := url.Parse(c.playStripe(1, http.DefaultTransport))
			c.must(err)
			g := &gate{stripe: httputil.NewSingleHostReverseProxy(&url.URL{Scheme: stripe.Scheme, Host: stripe.Host}), at: 3, held: make(chan struct{})}
			front := httptest.NewServer(g)
			t.Cleanup(front.Close)
			c.serveFrom(front.URL+stripe.Path, database(t), "")
			c.must(c.box.SetChaos(sandbox.Chaos{Vanish: 100}))
			for i := range gifts {
				c.must(c.giveAs(t.Context(), fmt.Sprintf("reader%d@example.org", i%people)))
			}

			first := exec.CommandContext(t.Context(), binary, "reconcile")
			first.Dir, first.Env = c.folder, environment(c.settings)
			var printed bytes.Buffer
			first.Stdout, first.Stderr = &printed, &printed
			c.must(first.Start())
			ended := make(chan struct{})
			go func() { defer close(ended); _ = first.Wait() }() // its state says how it ended
			select {
			case <-g.held:
				c.must(first.Process.Kill())
				<-ended
			case <-ended:
			}
			if status, ok := first.ProcessState.Sys().(syscall.WaitStatus); !ok || status.Signal() != syscall.SIGKILL {
				t.Fatalf("support reconcile ended with %v and was to be killed:\n%s", first.ProcessState, &printed)
			}
			asked := g.take()

			second := exec.CommandContext(t.Context(), binary, "reconcile")
			second.Dir, second.Env = c.folder, environment(c.settings)
			told, _ := second.CombinedOutput() // which says how it ended
			if want := fmt.Sprintf(": %d differences, all repaired.", differences); second.ProcessState.ExitCode() != 1 || !strings.Contains(string(told), want) {
				t.Errorf("after the kill: exit %d, want 1 and %q:\n%s", second.ProcessState.ExitCode(), want, tail(printed.String()+string(told), 2000))
			}
			again := g.take()
			// The last page was asked for ahead, while the one before was compared.
			done := asked[:len(asked)-2]
			if len(done) < 4 || !strings.Contains(done[len(done)-1], "/v1/charges") {
				t.Errorf("too little was done before the kill: %q", done)
			}
			for _, page := range done {
				if slices.Contains(again, page) {
					t.Errorf("done with before the kill, and asked again: %s", page)
				}
			}
			if found, code := c.run("reconcile"); code != 0 || found != "" {
				t.Errorf("another finds more, exit %d:\n%s", code, found)
			}
			a := c.account()
			book, members, supporters := c.book(a)
			c.compareBook(a, book, members, supporters)
			if drifts := command(t, c.folder, c.settings, "verify"); drifts != "" {
				t.Errorf("verify: %s", drifts)
			}
		})
	}
}
