package main

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/united24media/support/internal/giving"
	"github.com/united24media/support/internal/mail"
	"github.com/united24media/support/internal/staff/desk"
	"github.com/united24media/support/internal/store"
)

// TestAnAttackAsStaffSeeIt: an attack is written down and mailed when it begins
// and when it ends, shown while it lasts, survives a restart, and marks what
// came meanwhile.
func TestAnAttackAsStaffSeeIt(t *testing.T) {
	t.Parallel()
	v, settings := staffed(t)
	s, ctx := v.s, t.Context()
	since := time.Now().Add(-time.Minute)
	s.guard.Resume("500 attempts to give in a minute, where 3 are usual", since)
	if err := s.guard.write(ctx, s.guard.Attack()); err != nil {
		t.Fatal(err)
	}
	err := s.store.Ledger(ctx, func(tx *store.Tx) error {
		return tx.PutDonations(ctx, []*giving.Donation{{
			Key: "pi_1", Charge: "ch_1", Supporter: "person", Email: "person@example.org", Created: time.Now().Unix(), Currency: "EUR", Gross: 4200,
			Interval: giving.Once, Source: "stripe", Method: "card", First: true,
		}})
	})
	if err != nil {
		t.Fatal(err)
	}
	held := store.Suspect{Subject: "pi_1", Kind: store.SuspectGift, Attack: "atk", Reason: "4 cards were refused before one was taken.", Found: time.Now()}
	if err := s.store.HoldSuspects(ctx, []store.Suspect{held}); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string][]string{
		"/staff":                     {"has tried stolen cards on the checkout since", "1 gift or checkout looks like a thief"},
		"/staff/health":              {"attacked since", "500 attempts to give in a minute", "1 suspect to decide on"},
		"/staff/quarantine":          {"it lasts", "€42", "4 cards were refused", "person@example.org"},
		"/staff/reports":             {"Thieves tried stolen cards on the checkout from", "Given meanwhile in EUR: €42"},
		"/staff/reports/articles":    {"Thieves tried stolen cards on the checkout from", "Given meanwhile in EUR: €42"},
		"/staff/reports/members":     {"Thieves tried stolen cards on the checkout from"},
		"/staff/reports/recovered":   {"Thieves tried stolen cards on the checkout from"},
		"/staff/reports/payouts":     {"Thieves tried stolen cards on the checkout from"},
		"/staff/reports/experiments": {"Thieves tried stolen cards on the checkout from"},
		"/staff/donations/pi_1":      {"It looks like a thief’s.", "Accept or reject it"},
	} {
		page := v.send(t, desk.Finance, http.MethodGet, path).Body.String()
		for _, text := range want {
			if !strings.Contains(page, text) {
				t.Errorf("%s lacks %q:\n%s", path, text, page)
			}
		}
	}

	// The program ends and begins again: it is still on, and nobody is mailed twice.
	again := &guard{Guard: newGuard(settings, s.store, nil, nil, nil, s.log).Guard, db: s.store, log: s.log, changed: make(chan struct{}, 1)}
	again.resume(ctx)
	if a := again.Attack(); !a.On || !again.noted || a.Since.Unix() != since.Unix() {
		t.Errorf("after a restart: %+v, noted %v", a, again.noted)
	}
	over := again.Attack()
	over.On, over.Until = false, time.Now()
	for _, g := range []*guard{again, s.guard} { // two replicas notice the end
		if err := g.write(ctx, over); err != nil {
			t.Fatal(err)
		}
	}
	mails, err := s.store.MailBefore(ctx, "", time.Time{}, "", 20)
	if err != nil {
		t.Fatal(err)
	}
	subjects := map[string]int{}
	for _, m := range mails {
		var news mail.StaffNews
		if err := json.Unmarshal(m.Data, &news); err != nil || m.Kind != mail.Attack {
			t.Fatalf("%+v, %v", m, err)
		}
		subjects[news.Subject]++
		if strings.Contains(news.Subject, "over") && !strings.Contains(strings.Join(news.Text, " "), "Given meanwhile in EUR: €42; gifts: 1.") {
			t.Errorf("the last mail says %q", news.Text)
		}
	}
	if len(subjects) != 2 || subjects["Somebody tries stolen cards on the checkout"] != 2 || subjects["The attack on the checkout is over"] != 2 {
		t.Errorf("mailed to finance and to admins: %v", subjects)
	}
	if page := v.send(t, desk.Viewer, http.MethodGet, "/staff").Body.String(); strings.Contains(page, "/staff/quarantine") || strings.Contains(page, "has tried stolen") {
		t.Errorf("a viewer is led to the quarantine, or an attack that is over is shown:\n%s", page)
	}

	form := "subject=pi_1"
	if w := v.post(t, desk.Finance, "/staff/quarantine/reject", form); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "Reject 1") {
		t.Errorf("rejecting is not asked about: %d", w.Code)
	}
	if w := v.post(t, desk.Finance, "/staff/quarantine/reject", form+"&sure=yes"); w.Code != http.StatusUnprocessableEntity {
		t.Errorf("rejecting without a reason: %d", w.Code)
	}
	if w := v.post(t, desk.Finance, "/staff/quarantine/accept", "nothing=chosen"); w.Code != http.StatusBadRequest {
		t.Errorf("nothing chosen: %d", w.Code)
	}
	if w := v.post(t, desk.Finance, "/staff/quarantine/accept", form); w.Code != http.StatusSeeOther {
		t.Errorf("accepting: %d\n%s", w.Code, w.Body)
	}
	if q, err := s.store.SuspectBySubject(ctx, "pi_1"); err != nil || q.State != store.SuspectAccepted || q.DecidedBy != member(desk.Finance).Email {
		t.Errorf("%+v, %v", q, err)
	}
}
