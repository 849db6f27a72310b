// Package webhooks takes Stripe's deliveries: it reads a bounded body, verifies
// its signature over the bytes as they came, and hands them to the ledger.
package webhooks

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stripe/stripe-go/v76/webhook"

	"github.com/united24media/support/internal/config"
	"github.com/united24media/support/internal/fault"
)

// Limits of a delivery.
const (
	maxBody      = 1 << 20 // bytes; Stripe's largest event on record has about 52,000
	trustedBody  = 1 << 16 // bytes; a longer announced body gets its memory only as it comes
	tolerance    = 300 * time.Second
	storeTimeout = 8 * time.Second // Stripe's checkout page waits about 10 s for the answer
	retryAfter   = 5               // seconds; Stripe keeps its own pace, a proxy may look
)

// A Ledger stores what Stripe signed.
type Ledger interface {
	// Deliver stores the body of one delivery for good, or returns an error.
	Deliver(ctx context.Context, body []byte) error
}

// Options are what a [Service] needs.
type Options struct {
	Ledger  Ledger
	Secrets []config.Secret // whsec_…; each is tried
	Now     func() time.Time
	Log     *slog.Logger
	Metrics prometheus.Registerer // nil measures nothing
}

// A Service answers Stripe's deliveries.
type Service struct {
	ledger  Ledger
	secrets []string
	now     func() time.Time
	log     *slog.Logger

	stored, refused, unstored prometheus.Counter
}

// New returns a service. It panics without a secret: an empty one would let
// anyone sign.
func New(o Options) *Service {
	deliveries := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "support_webhook_deliveries_total",
		Help: "Deliveries by answer: stored (200), refused (400, 413), unstored (503: the one to be woken for).",
	}, []string{"answer"})
	if o.Metrics != nil {
		o.Metrics.MustRegister(deliveries)
	}
	s := &Service{
		ledger: o.Ledger, now: o.Now, log: o.Log,
		stored:   deliveries.WithLabelValues("stored"),
		refused:  deliveries.WithLabelValues("refused"),
		unstored: deliveries.WithLabelValues("unstored"),
	}
	for _, secret := range o.Secrets {
		if secret.Empty() {
			panic("webhooks: empty secret")
		}
		s.secrets = append(s.secrets, secret.Reveal())
	}
	if len(s.secrets) == 0 {
		panic("webhooks: no secret")
	}
	return s
}

// The answer to what is stored, ready to be written.
var (
	jsonType = []string{"application/json"}
	received = []byte(`{"received":true}` + "\n")
)

// Stripe handles POST /webhooks/stripe. It answers 200 once what Stripe signed
// is stored, whatever it says; 400 for what Stripe did not sign, or signed more
// than 300 s before or after now; 413 over 1 MiB; 503 when it could not be
// stored, and Stripe tries again for three days.
func (s *Service) Stripe(c *gin.Context) error {
	body, err := readBody(c.Writer, c.Request)
	if err == nil {
		err = s.verify(body, c.Request.Header["Stripe-Signature"])
	}
	if err != nil {
		s.refused.Inc()
		return err
	}
	ctx, cancel := context.WithTimeout(c.Request.Context(), storeTimeout)
	defer cancel()
	if err := s.ledger.Deliver(ctx, body); err != nil {
		s.unstored.Inc()
		unstored := fault.Wrap(fault.Unavailable, err, "The event could not be stored; send it again.")
		unstored.RetryAfter = retryAfter
		return unstored
	}
	s.stored.Inc()
	c.Writer.Header()["Content-Type"] = jsonType
	_, _ = c.Writer.Write(received) // the event is stored; if Stripe is gone, it sends it again
	return nil
}

// readBody returns the whole body, or a [fault.TooLarge] over [maxBody].
func readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	tooLarge := fault.New(fault.TooLarge, "A delivery may have at most %d bytes.", maxBody)
	if r.ContentLength > maxBody {
		return nil, tooLarge
	}
	bounded := http.MaxBytesReader(w, r.Body, maxBody)
	var body []byte
	var err error
	if r.ContentLength >= 0 && r.ContentLength <= trustedBody {
		body = make([]byte, r.ContentLength)
		_, err = io.ReadFull(bounded, body)
	} else {
		body, err = io.ReadAll(bounded)
	}
	if _, over := errors.AsType[*http.MaxBytesError](err); over {
		return nil, tooLarge
	}
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "The body ended before it was complete.")
	}
	return body, nil
}

// verify returns a [fault.Invalid] unless body was signed with one of the
// secrets at most [tolerance] before or after now. stripe-go compares in
// constant time, but accepts any time in the future, so the time is judged
// here: after the signature, to know a wrong clock from a stranger.
func (s *Service) verify(body []byte, headers []string) error {
	if len(headers) != 1 {
		return fault.New(fault.Invalid, "One Stripe-Signature header is needed.")
	}
	at, err := signedAt(headers[0])
	if err != nil {
		return err
	}
	if !s.signed(body, headers[0]) {
		return fault.New(fault.Invalid, "The signature does not match the body.")
	}
	if age := s.now().Sub(at); age > tolerance || age < -tolerance {
		s.log.Warn("a signed delivery is too old or too new: is this machine's clock right?", "age", age)
		return fault.New(fault.Invalid, "The signature's time is more than %d seconds from now.", int(tolerance.Seconds()))
	}
	return nil
}

func (s *Service) signed(body []byte, header string) bool {
	for _, secret := range s.secrets {
		if webhook.ValidatePayloadIgnoringTolerance(body, header, secret) == nil {
			return true
		}
	}
	return false
}

// signedAt returns the one time in a Stripe-Signature header. A header with two
// is refused: stripe-go would sign over the last and we might judge the first.
func signedAt(header string) (time.Time, error) {
	found, text := 0, ""
	for part := range strings.SplitSeq(header, ",") {
		if value, ok := strings.CutPrefix(part, "t="); ok {
			found, text = found+1, value
		}
	}
	seconds, err := strconv.ParseInt(text, 10, 64)
	if found != 1 || err != nil {
		return time.Time{}, fault.New(fault.Invalid, "The Stripe-Signature header has no time of its own.")
	}
	return time.Unix(seconds, 0), nil
}
