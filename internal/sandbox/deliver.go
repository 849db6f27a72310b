package sandbox

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"sync"
	"time"
)

const (
	deliveryTimeout   = 10 * time.Second
	deliveriesAtOnce  = 8
	firstRetry        = time.Second // doubled with every failure
	longestRetry      = time.Minute
	deliveryGivesUp   = 72 * time.Hour // after the event, as Stripe does in live mode
	deliveryHeartbeat = 250 * time.Millisecond
)

// Sign returns the Stripe-Signature header for a payload: an HMAC-SHA256 with
// secret over the time and the raw bytes.
// https://docs.stripe.com/webhooks#verify-manually
func Sign(payload []byte, secret string, at time.Time) string {
	t := strconv.FormatInt(at.Unix(), 10)
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(t + "."))
	mac.Write(payload)
	return "t=" + t + ",v1=" + hex.EncodeToString(mac.Sum(nil))
}

// dispatch makes a delivery of an event for every endpoint that wants it, as
// the chaos switch says.
func (s *Sandbox) dispatch(e Object) {
	var waiting int64
	s.st.each(kindEndpoint, func(endpoint Object) bool {
		if !wants(endpoint, e.str("type")) {
			return true
		}
		chaos := s.chaos()
		if s.lucky(chaos.Vanish) {
			return true
		}
		waiting++
		if s.lucky(chaos.Lose) {
			return true
		}
		s.send(e.id(), endpoint.id(), true)
		if s.lucky(chaos.Double) {
			s.send(e.id(), endpoint.id(), false)
		}
		return true
	})
	if waiting > 0 {
		s.st.change(kindEvent, e.id(), func(e Object) { e["pending_webhooks"] = waiting })
	}
}

// send queues one delivery. Only a delivery that counts settles the event's
// pending_webhooks.
func (s *Sandbox) send(event, endpoint string, counts bool) {
	now := s.opts.Now()
	s.st.put(kindDelivery, Object{
		"id": s.newID(kindDelivery), "due": now.Add(s.lateness()).UnixMilli(), "since": now.UnixMilli(),
		"event": event, "endpoint": endpoint, "attempts": int64(0), "counts": counts,
	})
}

// Redeliver sends an event again to every endpoint that wants it, as a person
// can in Stripe's dashboard.
func (s *Sandbox) Redeliver(eventID string) error {
	return s.do(func() error {
		e := s.st.get(kindEvent, eventID)
		if e == nil {
			return missing("event", eventID)
		}
		s.st.each(kindEndpoint, func(endpoint Object) bool {
			if wants(endpoint, e.str("type")) {
				s.send(eventID, endpoint.id(), e.int("pending_webhooks") > 0)
			}
			return true
		})
		return nil
	})
}

// deliver sends what is due, several at once, until ctx ends.
func (s *Sandbox) deliver(ctx context.Context) error {
	var sending sync.WaitGroup
	defer sending.Wait()
	places := make(chan struct{}, deliveriesAtOnce)
	tick := time.NewTicker(deliveryHeartbeat)
	defer tick.Stop()
	for {
		if err := s.do(func() error { return nil }); err != nil { // what is due by the clock happens
			s.opts.Log.Error("sandbox: keep the state", "err", err)
		}
		for _, d := range s.takeDue(false) {
			select {
			case places <- struct{}{}:
			case <-ctx.Done():
				s.putBack(d)
				continue
			}
			sending.Go(func() {
				defer func() { <-places }()
				s.attempt(ctx, d)
			})
		}
		select {
		case <-ctx.Done():
			return nil
		case <-s.wake:
		case <-tick.C:
		}
	}
}

// DeliverAll sends every waiting event once, one after the other, without
// regard to when it is due, and returns how many were sent. It is for tests
// that do not use [Sandbox.Run].
func (s *Sandbox) DeliverAll(ctx context.Context) int {
	due := s.takeDue(true)
	for _, d := range due {
		s.attempt(ctx, d)
	}
	return len(due)
}

// A parcel is one delivery with all that is needed to send it.
type parcel struct {
	id, url, secret string
	body            []byte
}

// takeDue marks what is due (or all) as underway and returns it.
func (s *Sandbox) takeDue(all bool) []parcel {
	s.mu.Lock()
	defer s.mu.Unlock()
	var due []parcel
	now := s.opts.Now().UnixMilli()
	s.st.each(kindDelivery, func(d Object) bool {
		if !all && d.int("due") > now {
			return false
		}
		if !s.underway[d.id()] {
			s.underway[d.id()] = true
			due = append(due, s.pack(d))
		}
		return true
	})
	return due
}

func (s *Sandbox) putBack(p parcel) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.underway, p.id)
}

// pack renders a delivery. Its endpoint may be gone by now, and, of a delivery
// that is one too many, its event: then it has no address.
func (s *Sandbox) pack(d Object) parcel {
	p := parcel{id: d.id()}
	event := s.st.get(kindEvent, d.str("event"))
	if endpoint := s.st.get(kindEndpoint, d.str("endpoint")); endpoint != nil && event != nil {
		p.url = endpoint.str("url")
		p.secret = s.st.get(kindNote, endpoint.id()).str("secret")
	}
	p.body = encode(s.disguised(event))
	return p
}

// attempt sends a parcel once and notes what came of it.
func (s *Sandbox) attempt(ctx context.Context, p parcel) {
	err := s.post(ctx, p)
	if ctx.Err() != nil && err != nil {
		s.putBack(p) // the sandbox is stopping; the next start sends it
		return
	}
	kept := s.do(func() error {
		delete(s.underway, p.id)
		s.settleDelivery(p, err)
		return nil
	})
	if kept != nil {
		s.opts.Log.Error("sandbox: keep a delivery", "delivery", p.id, "err", kept)
	}
}

func (s *Sandbox) post(ctx context.Context, p parcel) error {
	if p.url == "" {
		return nil
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, p.url, bytes.NewReader(p.body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json; charset=utf-8")
	req.Header.Set("User-Agent", "Stripe/1.0 (+https://stripe.com/docs/webhooks)")
	req.Header.Set("Stripe-Signature", Sign(p.body, p.secret, s.opts.Now()))
	res, err := s.client.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	io.Copy(io.Discard, io.LimitReader(res.Body, 1<<16))
	if res.StatusCode < 200 || res.StatusCode > 299 {
		return fmt.Errorf("answered %s", res.Status)
	}
	return nil
}

// settleDelivery forgets a delivery that arrived or that is too old, and puts
// off one that failed.
func (s *Sandbox) settleDelivery(p parcel, err error) {
	defer func() { close(s.settled); s.settled = make(chan struct{}) }()
	d := s.st.get(kindDelivery, p.id)
	if d == nil {
		return
	}
	if err == nil {
		s.st.remove(kindDelivery, p.id)
		if d.bool("counts") {
			s.st.change(kindEvent, d.str("event"), func(e Object) { e["pending_webhooks"] = max(0, e.int("pending_webhooks")-1) })
		}
		return
	}
	attempts := d.int("attempts") + 1
	wait := min(firstRetry<<min(attempts-1, 10), longestRetry)
	now := s.opts.Now()
	s.opts.Log.Warn("sandbox: delivery failed", "event", d.str("event"), "attempt", attempts, "retry_in", wait, "err", err)
	if now.Sub(time.UnixMilli(d.int("since"))) > deliveryGivesUp {
		s.st.remove(kindDelivery, p.id)
		return
	}
	s.st.change(kindDelivery, p.id, func(d Object) {
		d["attempts"] = attempts
		d["due"] = now.Add(wait).UnixMilli()
	})
}

// awaitDelivery waits until an event's deliveries have arrived, but no longer
// than limit: Stripe's page waits so for checkout.session.completed before it
// sends the donor back. It returns at once while nothing delivers.
func (s *Sandbox) awaitDelivery(ctx context.Context, eventID string, limit time.Duration) {
	if !s.runs.Load() || eventID == "" {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	for {
		s.mu.Lock()
		e, settled := s.st.get(kindEvent, eventID), s.settled
		s.mu.Unlock()
		if e.int("pending_webhooks") == 0 {
			return
		}
		select {
		case <-settled:
		case <-ctx.Done():
			return
		}
	}
}
