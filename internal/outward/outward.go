// Package outward makes the clients by which other services are asked: they
// know no proxy from the environment, which would see what is said, check
// certificates, speak TLS 1.2 or newer, and follow no redirect.
package outward

import (
	"crypto/tls"
	"net"
	"net/http"
	"time"
)

const (
	connectTime = 3 * time.Second // for a connection, and again for its TLS
	most        = 32              // connections that are kept for another question
	idleTime    = 90 * time.Second
)

// Client returns a client for one other service, whose answers take no longer
// than patience. A redirect is an answer like any other: it is not followed.
func Client(patience time.Duration) *http.Client {
	return &http.Client{
		Timeout:       patience,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			DialContext:         (&net.Dialer{Timeout: connectTime}).DialContext,
			TLSClientConfig:     TLS(),
			TLSHandshakeTimeout: connectTime,
			ForceAttemptHTTP2:   true,
			MaxIdleConns:        most,
			MaxIdleConnsPerHost: most,
			IdleConnTimeout:     idleTime,
		},
	}
}

// TLS returns how connections to others are made safe.
func TLS() *tls.Config { return &tls.Config{MinVersion: tls.VersionTLS12} }
