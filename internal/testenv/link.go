package testenv

import (
	"fmt"
	"strings"
	"testing"
	"time"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"
)

// A Link is the network between a program and a server, which can be made bad.
type Link struct {
	t     testing.TB
	proxy *toxiproxy.Proxy
}

// NewLink returns a good link to a server at host:port. It ends with the test.
func NewLink(t testing.TB, server string) *Link {
	t.Helper()
	proxies := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())
	l := &Link{t, toxiproxy.NewProxy(proxies, "link", "127.0.0.1:0", server)}
	if err := l.proxy.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.proxy.Stop)
	return l
}

// Addr returns host:port, where the program finds the server.
func (l *Link) Addr() string { return l.proxy.Listen }

// Cut closes every connection and refuses new ones.
func (l *Link) Cut() { l.proxy.Stop() }

// Swallow lets nothing through and tells nobody.
func (l *Link) Swallow() {
	l.toxic("timeout", "upstream", `"timeout": 0`)
	l.toxic("timeout", "downstream", `"timeout": 0`)
}

// Slow delays every answer by d, more or less.
func (l *Link) Slow(d time.Duration) {
	l.toxic("latency", "downstream", fmt.Sprintf(`"latency": %d, "jitter": %d`, d.Milliseconds(), d.Milliseconds()/2))
}

// Break ends each connection after so many bytes of answers, wherever that is.
func (l *Link) Break(after int) {
	l.toxic("limit_data", "downstream", fmt.Sprintf(`"bytes": %d`, after))
}

// Heal makes the link good again.
func (l *Link) Heal() {
	l.t.Helper()
	l.proxy.Toxics.ResetToxics(l.t.Context())
	if !l.proxy.Enabled {
		if err := l.proxy.Start(); err != nil {
			l.t.Fatal(err)
		}
	}
}

func (l *Link) toxic(kind, stream, attributes string) {
	l.t.Helper()
	text := fmt.Sprintf(`{"name": "%s %[2]s", "type": "%[1]s", "stream": %[2]q, "attributes": {%[3]s}}`, kind, stream, attributes)
	if _, err := l.proxy.Toxics.AddToxicJson(strings.NewReader(text)); err != nil {
		l.t.Fatal(err)
	}
}
