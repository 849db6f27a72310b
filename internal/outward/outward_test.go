package outward_test

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/united24media/support/internal/outward"
)

// TestCallsOut: what answers by an old TLS or without a certificate that is
// known is not talked to, and a redirect is not followed.
func TestCallsOut(t *testing.T) {
	t.Parallel()
	followed := false
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { followed = true }))
	t.Cleanup(other.Close)
	tests := map[string]struct {
		newest uint16 // TLS that the server speaks
		known  bool   // its certificate is
		status int    // 0: it is not talked to
	}{
		"as it should be":       {tls.VersionTLS13, true, http.StatusFound},
		"TLS 1.2":               {tls.VersionTLS12, true, http.StatusFound},
		"TLS 1.1":               {tls.VersionTLS11, true, 0},
		"a strange certificate": {tls.VersionTLS13, false, 0},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewUnstartedServer(http.RedirectHandler(other.URL, http.StatusFound))
			server.TLS = &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tt.newest}
			server.Config.ErrorLog = log.New(io.Discard, "", 0)
			server.StartTLS()
			t.Cleanup(server.Close)
			client := outward.Client(time.Minute)
			transport := client.Transport.(*http.Transport)
			if transport.Proxy != nil {
				t.Error("it knows a proxy")
			}
			if tt.known {
				transport.TLSClientConfig.RootCAs = x509.NewCertPool()
				transport.TLSClientConfig.RootCAs.AddCert(server.Certificate())
			}
			r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL, nil)
			if err != nil {
				t.Fatal(err)
			}
			answer, err := client.Do(r)
			if err == nil {
				answer.Body.Close()
			}
			if (err == nil) != (tt.status != 0) || err == nil && answer.StatusCode != tt.status || followed {
				t.Errorf("%v, %v; the redirect was followed: %v", answer, err, followed)
			}
		})
	}
}
