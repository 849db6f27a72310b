package main

import (
	"bufio"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stripe/stripe-go/v76/webhook"

	"github.com/united24media/support/internal/store"
	"github.com/united24media/support/internal/testenv"
)

// hookSecret signs what these tests deliver.
const hookSecret = "whsec_0123456789abcdef0123456789abcdef"

// gift returns the body of an event that tells of one gift of ours.
func gift(n int) (key, body string) {
	key = fmt.Sprintf("pi_%d", n)
	now := time.Now().Unix()
	event := map[string]any{
		"id": fmt.Sprintf("evt_%d", n), "object": "event", "api_version": "2023-10-16", "created": now, "livemode": false, "type": "charge.succeeded",
		"data": map[string]any{"object": map[string]any{
			"id": fmt.Sprintf("ch_%d", n), "object": "charge", "amount": 500, "amount_captured": 500, "amount_refunded": 0, "captured": true, "paid": true,
			"status": "succeeded", "created": now, "currency": "eur", "livemode": false, "payment_intent": key, "balance_transaction": nil, "customer": nil, "invoice": nil,
			"billing_details": map[string]any{"email": fmt.Sprintf("reader%d@example.org", n)}, "metadata": map[string]any{"support_v": "1", "article": "x"},
		}},
	}
	text, err := json.Marshal(event)
	if err != nil {
		panic(err)
	}
	return key, string(text)
}

// signature returns what Stripe sends with a body, now.
func signature(body, secret string) string {
	now := time.Now()
	return fmt.Sprintf("t=%d,v1=%s", now.Unix(), hex.EncodeToString(webhook.ComputeSignature(now, []byte(body), secret)))
}

// deliver sends a signed event and reports whether it was answered 200. It
// fails the test for any other answer; no answer at all is none.
func deliver(t *testing.T, address, secret, body string) bool {
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, address+"/webhooks/stripe", strings.NewReader(body))
	if err != nil {
		t.Error(err)
		return false
	}
	request.Header.Set("Stripe-Signature", signature(body, secret))
	answer, err := browser.Do(request)
	if err != nil {
		return false
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		t.Errorf("answered %d", answer.StatusCode)
	}
	return answer.StatusCode == http.StatusOK
}

// TestStopLosesNothing stops the service while gifts are delivered to it: each
// that was answered 200 must be there.
func TestStopLosesNothing(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "support.db")
	r := start(t, environment(t, map[string]string{"DATABASE_URL": "sqlite:" + path, "STRIPE_WEBHOOK_SECRET": hookSecret}))

	var next, answered atomic.Int64
	var acked sync.Map
	var callers sync.WaitGroup
	for range 16 {
		callers.Go(func() {
			for {
				key, body := gift(int(next.Add(1)))
				if !deliver(t, r.url, hookSecret, body) {
					return // the listener is closed
				}
				acked.Store(key, true)
				answered.Add(1)
			}
		})
	}
	eventually(t, "gifts are recorded", func() bool { return answered.Load() >= 100 })
	if code := r.end(t); code != exitOK {
		t.Errorf("ended with %d", code)
	}
	callers.Wait()

	db, err := store.Open("sqlite:" + path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	lost := 0
	acked.Range(func(key, _ any) bool {
		if _, err := db.DonationByKey(t.Context(), key.(string)); err != nil {
			lost++
		}
		return true
	})
	if lost > 0 {
		t.Errorf("%d of %d gifts that were answered 200 are not there", lost, answered.Load())
	}
	if code, drifts, _ := runCommand(t, r.lookup, "verify"); code != exitOK {
		t.Errorf("verify: exit %d\n%s", code, drifts)
	}
}

// TestStopWaitsForWhatHasBegun stops the service while a delivery is half
// there: it must still be taken, stored and answered.
func TestStopWaitsForWhatHasBegun(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "support.db")
	r := start(t, environment(t, map[string]string{"DATABASE_URL": "sqlite:" + path, "STRIPE_WEBHOOK_SECRET": hookSecret}))
	addr := strings.TrimPrefix(r.url, "http://")
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	key, body := gift(1)
	now := time.Now()
	fmt.Fprintf(conn, "POST /webhooks/stripe HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: %d\r\nStripe-Signature: t=%d,v1=%x\r\n\r\n",
		len(body), now.Unix(), webhook.ComputeSignature(now, []byte(body), hookSecret))
	answers := bufio.NewReader(conn)
	if line, _ := answers.ReadString('\n'); !strings.Contains(line, "100") { // now the handler waits for the body
		t.Fatalf("answered %q to the header", line)
	}
	r.stop()
	eventually(t, "the listener is closed", func() bool {
		again, err := new(net.Dialer).DialContext(t.Context(), "tcp", addr)
		if err == nil {
			again.Close()
		}
		return err != nil
	})
	fmt.Fprint(conn, body)
	all, _ := io.ReadAll(answers)
	if !strings.Contains(string(all), "HTTP/1.1 200 OK") {
		t.Errorf("answered %q", all)
	}
	if code := r.end(t); code != exitOK {
		t.Errorf("ended with %d", code)
	}
	db, err := store.Open("sqlite:" + path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.DonationByKey(t.Context(), key); err != nil {
		t.Error(err)
	}
}

// TestOneEventAtTheSameMoment delivers one gift from many callers at once, to
// two replicas.
func TestOneEventAtTheSameMoment(t *testing.T) {
	t.Parallel()
	settings := map[string]string{
		"DATABASE_URL": testenv.Postgres(t), "STRIPE_WEBHOOK_SECRET": hookSecret, "SUPPORT_SECRET": strings.Repeat("s", 32),
		"STRIPE_SECRET_KEY": "sk_test_x", "STRIPE_API_URL": "http://127.0.0.1:1",
	}
	replicas := []*running{start(t, environment(t, settings)), start(t, environment(t, settings))}
	_, body := gift(1)
	var callers sync.WaitGroup
	for i := range 16 {
		callers.Go(func() {
			if !deliver(t, replicas[i%2].url, hookSecret, body) {
				t.Error("not answered")
			}
		})
	}
	callers.Wait()
	r := replicas[0]
	code, report, _ := runCommand(t, r.lookup, "report", "--by", "currency", "--from", "2020-01-01", "--to", "2120-01-01", "--format", "csv")
	if code != exitOK || !strings.Contains(report, "EUR,EUR,,1,1,500,") {
		t.Errorf("report: exit %d\n%s", code, report)
	}
	for _, r := range replicas { // without Redis they hear of each other's gifts by asking
		eventually(t, "both count one supporter", func() bool { return r.supporters(t, "x") == 1 })
	}
}
