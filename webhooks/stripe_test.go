package webhooks

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stripe/stripe-go/v76/webhook"

	"github.com/united24media/support/internal/config"
	"github.com/united24media/support/internal/fault"
)

const (
	oldSecret = "whsec_old_0123456789abcdef0123456789"
	newSecret = "whsec_new_0123456789abcdef0123456789"
)

var noon = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

// deliverFunc is a ledger made of one function.
type deliverFunc func(ctx context.Context, body []byte) error

func (f deliverFunc) Deliver(ctx context.Context, body []byte) error { return f(ctx, body) }

func service(ledger deliverFunc) *Service {
	return New(Options{
		Ledger:  ledger,
		Secrets: []config.Secret{config.NewSecret(newSecret), config.NewSecret(oldSecret)},
		Now:     func() time.Time { return noon },
		Log:     slog.New(slog.DiscardHandler),
	})
}

// sign returns a Stripe-Signature header.
func sign(at time.Time, body, secret, scheme string) string {
	mac := webhook.ComputeSignature(at, []byte(body), secret)
	return fmt.Sprintf("t=%d,%s=%s", at.Unix(), scheme, hex.EncodeToString(mac))
}

// deliver hands the request to s and returns its error, or the answer.
func deliver(s *Service, r *http.Request) (*httptest.ResponseRecorder, error) {
	w := httptest.NewRecorder()
	c, _ := gin.CreateTestContext(w)
	c.Request = r
	err := s.Stripe(c)
	return w, err
}

func request(body io.Reader, header string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "/webhooks/stripe", body)
	if header != "" {
		r.Header.Set("Stripe-Signature", header)
	}
	return r
}

func TestSignature(t *testing.T) {
	t.Parallel()
	const body = `{"id":"evt_1"}`
	good := sign(noon, body, newSecret, "v1")
	tests := map[string]struct {
		header string
		body   string
		stored bool
	}{
		"newest secret":           {good, body, true},
		"secret before it":        {sign(noon, body, oldSecret, "v1"), body, true},
		"two signatures, one bad": {good + ",v1=00", body, true},
		"300 s old":               {sign(noon.Add(-300*time.Second), body, newSecret, "v1"), body, true},
		"301 s old":               {sign(noon.Add(-301*time.Second), body, newSecret, "v1"), body, false},
		"300 s in the future":     {sign(noon.Add(300*time.Second), body, newSecret, "v1"), body, true},
		"301 s in the future":     {sign(noon.Add(301*time.Second), body, newSecret, "v1"), body, false},
		"a year in the future":    {sign(noon.AddDate(1, 0, 0), body, newSecret, "v1"), body, false},
		"no header":               {"", body, false},
		"no time":                 {strings.SplitN(good, ",", 2)[1], body, false},
		"two times":               {fmt.Sprintf("t=%d,%s", noon.Unix(), sign(noon.AddDate(-1, 0, 0), body, newSecret, "v1")), body, false},
		"time of no kind":         {"t=now,v1=00", body, false},
		"old scheme alone":        {sign(noon, body, newSecret, "v0"), body, false},
		"another secret":          {sign(noon, body, "whsec_other_0123456789abcdef", "v1"), body, false},
		"empty secret":            {sign(noon, body, "", "v1"), body, false},
		"one byte changed":        {good, `{"id":"evt_2"}`, false},
		"one byte more":           {good, body + "\n", false},
		"cut signature":           {good[:len(good)-2], body, false},
		"nonsense":                {"\x00=,,,=", body, false},
		"signed nonsense":         {sign(noon, "\x00not json", newSecret, "v1"), "\x00not json", true},
		"signed nothing":          {sign(noon, "", newSecret, "v1"), "", true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var stored []string
			s := service(func(_ context.Context, body []byte) error {
				stored = append(stored, string(body))
				return nil
			})
			w, err := deliver(s, request(strings.NewReader(tt.body), tt.header))
			if tt.stored {
				if err != nil || w.Code != http.StatusOK || len(stored) != 1 || stored[0] != tt.body {
					t.Errorf("error %v, status %d, stored %q; want the body stored once", err, w.Code, stored)
				}
				return
			}
			if !errors.Is(err, fault.Invalid) || len(stored) != 0 {
				t.Errorf("error %v, stored %q; want it refused", err, stored)
			}
		})
	}
}

func TestTwoSignatureHeadersAreRefused(t *testing.T) {
	t.Parallel()
	r := request(strings.NewReader("{}"), sign(noon, "{}", newSecret, "v1"))
	r.Header.Add("Stripe-Signature", "t=1,v1=00")
	if _, err := deliver(service(nil), r); !errors.Is(err, fault.Invalid) {
		t.Errorf("error %v; want it refused", err)
	}
}

func TestBodyLimit(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		size    int
		chunked bool
		want    error
	}{
		"at the limit":            {maxBody, false, nil},
		"one over":                {maxBody + 1, false, fault.TooLarge},
		"at the limit, in chunks": {maxBody, true, nil},
		"one over, in chunks":     {maxBody + 1, true, fault.TooLarge},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			body := strings.Repeat("x", tt.size)
			r := request(strings.NewReader(body), sign(noon, body, newSecret, "v1"))
			if tt.chunked {
				r.ContentLength = -1
			}
			got := 0
			_, err := deliver(service(func(_ context.Context, b []byte) error { got = len(b); return nil }), r)
			if !errors.Is(err, tt.want) {
				t.Errorf("error %v; want %v", err, tt.want)
			}
			if tt.want == nil && got != tt.size {
				t.Errorf("%d bytes stored; want %d", got, tt.size)
			}
		})
	}
}

func TestShortBodyIsRefused(t *testing.T) {
	t.Parallel()
	r := request(io.MultiReader(strings.NewReader("{}")), sign(noon, "{}", newSecret, "v1"))
	r.ContentLength = 10
	if _, err := deliver(service(nil), r); !errors.Is(err, fault.Invalid) {
		t.Errorf("error %v; want it refused", err)
	}
}

func TestNotStored(t *testing.T) {
	t.Parallel()
	down := errors.New("database is down")
	s := service(func(ctx context.Context, _ []byte) error {
		if deadline, ok := ctx.Deadline(); !ok || time.Until(deadline) > storeTimeout {
			t.Error("the ledger may take for ever")
		}
		return down
	})
	_, err := deliver(s, request(strings.NewReader("{}"), sign(noon, "{}", newSecret, "v1")))
	f, ok := errors.AsType[*fault.Error](err)
	if !ok || f.Kind != fault.Unavailable || f.RetryAfter == 0 || !errors.Is(err, down) {
		t.Errorf("error %v; want it unavailable, with a time to try again", err)
	}
}

func TestDeliveriesAreCounted(t *testing.T) {
	t.Parallel()
	metrics := prometheus.NewRegistry()
	var down error
	s := New(Options{
		Ledger: deliverFunc(func(context.Context, []byte) error { return down }), Secrets: []config.Secret{config.NewSecret(newSecret)},
		Now: func() time.Time { return noon }, Log: slog.New(slog.DiscardHandler), Metrics: metrics,
	})
	good := sign(noon, "{}", newSecret, "v1")
	for _, header := range []string{good, good, "", "t=1,v1=00", "t=x"} {
		_, _ = deliver(s, request(strings.NewReader("{}"), header))
	}
	down = errors.New("database is down")
	_, _ = deliver(s, request(strings.NewReader("{}"), good))
	families, err := metrics.Gather()
	if err != nil || len(families) != 1 {
		t.Fatalf("%v, %v", families, err)
	}
	got := map[string]float64{}
	for _, m := range families[0].GetMetric() {
		got[m.GetLabel()[0].GetValue()] = m.GetCounter().GetValue()
	}
	if want := map[string]float64{"refused": 3, "stored": 2, "unstored": 1}; !maps.Equal(got, want) {
		t.Errorf("counted %v; want %v", got, want)
	}
}

func TestAnEmptySecretIsNeverUsed(t *testing.T) {
	t.Parallel()
	for name, secrets := range map[string][]config.Secret{"none": nil, "empty": {config.NewSecret("")}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			defer func() {
				if recover() == nil {
					t.Error("the service was made")
				}
			}()
			New(Options{Secrets: secrets})
		})
	}
}

func FuzzStripe(f *testing.F) {
	const event = `{"id":"evt_1","object":"event","api_version":"2023-10-16","type":"charge.succeeded","data":{"object":{"id":"ch_1"}}}`
	for _, body := range []string{event, `{"data":null}`, `{"data":{}}`, `[]`, `null`, ``, "\x00", `{"id":"\u0000"}`, strings.Repeat("[", 1000)} {
		f.Add([]byte(body), sign(noon, body, newSecret, "v1"))
		f.Add([]byte(body), "t=,v1=")
	}
	s := service(func(context.Context, []byte) error { return nil })
	f.Fuzz(func(t *testing.T, body []byte, header string) {
		w, err := deliver(s, request(bytes.NewReader(body), header))
		if err != nil && !errors.Is(err, fault.Invalid) && !errors.Is(err, fault.TooLarge) {
			t.Fatalf("error %v", err)
		}
		if err == nil && (w.Code != http.StatusOK || !genuine(body, header)) {
			t.Fatalf("status %d for what nobody signed: %q", w.Code, header)
		}
	})
}

// genuine reports whether header holds a signature over body by one of the
// secrets, for whatever time.
func genuine(body []byte, header string) bool {
	at, err := signedAt(header)
	for _, secret := range []string{newSecret, oldSecret} {
		mac := hex.EncodeToString(webhook.ComputeSignature(at, body, secret))
		if err == nil && strings.Contains(strings.ToLower(header), mac) {
			return true
		}
	}
	return false
}
