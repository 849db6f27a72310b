package sandbox

import (
	"net/url"
	"strings"
	"testing"

	"github.com/united24media/support/internal/sandbox/stripespec"
)

// TestEveryParameterIsStripes checks that what the sandbox takes, Stripe takes
// too: each parameter of each endpoint, with each word of an enumeration.
func TestEveryParameterIsStripes(t *testing.T) {
	t.Parallel()
	s, err := New(Options{BaseURL: "http://sandbox.example"})
	if err != nil {
		t.Fatal(err)
	}
	for pattern, route := range s.endpoints() {
		method, path, _ := strings.Cut(pattern, " ")
		path = "/v1" + strings.ReplaceAll(path, "{id}", "x")
		for leaf, values := range route.params.Leaves() {
			for _, value := range values {
				err := stripespec.Lint(method, path, url.Values{leaf: {value}})
				for fault := range strings.Lines(errorText(err)) {
					if !strings.HasSuffix(strings.TrimSpace(fault), ": missing") { // only one parameter is sent
						t.Errorf("%s: %s=%s: %s", pattern, leaf, value, fault)
					}
				}
			}
		}
	}
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
