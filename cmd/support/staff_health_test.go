package main

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

// A parked event is on the health screen, with its error; an admin retries it,
// and that is in the audit log. The address that the first run prints leads
// there.
func TestHealthScreen(t *testing.T) {
	t.Parallel()
	r := start(t, environment(t, map[string]string{"STRIPE_WEBHOOK_SECRET": hookSecret}))
	address := regexp.MustCompile(`Staff pages +(\S+)\?token=(\S+)`).FindStringSubmatch(r.stdout.String())
	if address == nil {
		t.Fatalf("the first run prints no way into the staff pages:\n%s", r.stdout)
	}
	status, header, _ := call(t, "POST", address[1], url.Values{"token": {address[2]}})
	cookie, _, _ := strings.Cut(header.Get("Set-Cookie"), ";")
	if status != http.StatusSeeOther || cookie == "" {
		t.Fatalf("signing in: %d", status)
	}
	odd := `{"id":"evt_odd","object":"event","api_version":"2023-10-16","created":1700000000,"livemode":false,"type":"charge.succeeded",` +
		`"data":{"object":{"id":"ch_odd","object":"charge","created":"soon","metadata":{"support_v":"1"}}}}`
	if !deliver(t, r.url, hookSecret, odd) {
		t.Fatal("the delivery was not taken")
	}
	page := func() string {
		_, _, text := call(t, "GET", r.url+"/staff/health", nil, "Cookie", cookie, "Accept", "text/html")
		return text
	}
	if text := page(); !strings.Contains(text, "<code>evt_odd</code>") || !strings.Contains(text, "1 event could not be understood") || !strings.Contains(text, "Retry all") {
		t.Errorf("the parked event is not shown:\n%s", text)
	}
	for _, form := range []url.Values{{"id": {"evt_odd"}}, {}} {
		if status, _, text := call(t, "POST", r.url+"/staff/health/retry", form, "Cookie", cookie, "Accept", "text/html"); status != http.StatusSeeOther {
			t.Errorf("retrying %v: %d %s", form, status, text)
		}
	}
	if text := page(); !strings.Contains(text, "1 event applied again; parked still: 1.") {
		t.Errorf("it does not say what came of it:\n%s", text)
	}
	if status, _, _ := call(t, "POST", r.url+"/staff/health/retry", url.Values{"id": {"evt_none"}}, "Cookie", cookie, "Accept", "text/html"); status != http.StatusNotFound {
		t.Errorf("retrying what is not there: %d", status)
	}
	eventually(t, "Stripe was asked", func() bool { return strings.Contains(page(), "the sandbox stands in its place, and answers") })
	_, _, log := call(t, "GET", r.url+"/staff/audit?action=event.replay", nil, "Cookie", cookie, "Accept", "text/html")
	if strings.Count(log, "<code>event.replay</code>") != 3 {
		t.Errorf("the audit log:\n%s", log)
	}
	if code, _, text := runCommand(t, r.lookup, "verify"); code != exitOK || !strings.Contains(text, "entries follow one another") {
		t.Errorf("verify: %d %s", code, text)
	}
}
