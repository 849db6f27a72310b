package reportpages_test

import (
	"strings"
	"testing"
	"time"

	"github.com/united24media/support/internal/notice"
	"github.com/united24media/support/internal/objects"
	"github.com/united24media/support/internal/staff/desk"
	"github.com/united24media/support/internal/store"
)

// dun has two renewals fail in May 2026, of which one was paid after its mail.
func (n *newsroom) dun(t *testing.T) {
	t.Helper()
	at := time.Date(2026, 5, 10, 12, 0, 0, 0, time.UTC)
	ok(t, n.store.Ledger(t.Context(), func(tx *store.Tx) error {
		return tx.PutRegisters(t.Context(), map[string]string{
			"invoice/in_back": objects.Encode(&objects.Invoice{Currency: "eur", Status: "paid", Paid: 123456, PaidAt: at.Add(time.Hour).Unix(), Attempts: 2}),
			"invoice/in_gone": objects.Encode(&objects.Invoice{Currency: "eur", Status: "void", Attempts: 4}),
		})
	}))
	for _, subject := range []string{"in_back/1", "in_gone/1"} {
		ok(t, n.store.QueueMail(t.Context(), store.Mail{Kind: notice.RenewalFailed, Subject: subject, To: "reader@example.org", Due: at}))
	}
	taken, err := n.store.TakeMail(t.Context(), at, time.Minute, 1000)
	ok(t, err)
	for _, m := range taken {
		ok(t, n.store.EndMail(t.Context(), m, store.MailSent, "", at))
	}
}

func TestRecovered(t *testing.T) {
	t.Parallel()
	n := newNewsroom(t)
	if page := n.get(t, desk.Viewer, "/staff/reports/recovered?period=today"); !strings.Contains(page, "No renewal failed") {
		t.Error("an empty page does not say so")
	}
	n.dun(t)
	page := n.get(t, desk.Viewer, "/staff/reports/recovered?from=2026-05-01&through=2026-05-31&compare=none")
	for _, want := range []string{"€1,234.56", "May 2026", ">50%<"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page has no %s: %s", want, page)
		}
	}
	csv := n.get(t, desk.Viewer, "/staff/reports/recovered.csv?from=2026-05-01&through=2026-05-31")
	if want := "2026-05,EUR,2,2,6,1,123456,1,0,0,0,"; !strings.Contains(csv, want) {
		t.Errorf("the file has no %s: %s", want, csv)
	}
	if page := n.get(t, desk.Viewer, "/staff/reports/members?"+always); !strings.Contains(page, "Recovered payments") || !strings.Contains(page, "/staff/reports/recovered?") {
		t.Error("the members' page has no number of what was recovered")
	}
}
