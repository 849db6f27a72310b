package reports

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/united24media/support/internal/notice"
	"github.com/united24media/support/internal/objects"
)

// Recovered is what came of the mails about failed renewals, in one month and
// currency.
type Recovered struct {
	Month     string // 2026-01, of the first mail, in the time zone of reports
	Currency  string // upper case
	Failed    int64  // invoices that a mail was sent about
	Mails     int64  // about those
	Attempts  int64  // of Stripe's to collect those, the first and failed one too
	Recovered int64  // of Failed, those that were paid after the first mail
	Minor     int64  // what those brought, in minor units
	Open      int64  // of Failed, those that may still be paid

	// How those in Recovered came to be paid.
	ByAttempt   int64 // Stripe tried again and was paid, some after the card was changed
	BySupporter int64 // on Stripe's page of the invoice
	Elsewhere   int64 // marked as paid outside of Stripe
}

// Plus adds what came of other mails.
func (r *Recovered) Plus(o Recovered) {
	r.Failed, r.Mails, r.Attempts = r.Failed+o.Failed, r.Mails+o.Mails, r.Attempts+o.Attempts
	r.Recovered, r.Minor, r.Open = r.Recovered+o.Recovered, r.Minor+o.Minor, r.Open+o.Open
	r.ByAttempt, r.BySupporter, r.Elsewhere = r.ByAttempt+o.ByAttempt, r.BySupporter+o.BySupporter, r.Elsewhere+o.Elsewhere
}

// A chase is one invoice that was mailed about.
type chase struct {
	first time.Time // when the first mail was sent
	mails int64
	last  int64 // the attempt that the newest mail was about
}

// Recovered returns what came of the renewals whose first mail was due within
// a time (to is exclusive), by month, the newest first, and currency. A payment
// counts once Stripe says that it came after that mail, whatever made it come:
// a mail, or a later attempt.
//
// Stripe counts the first attempt to collect an invoice and those of its own
// schedule, not the payments that customers make
// (https://docs.stripe.com/api/invoices/object#invoice_object-attempt_count),
// so an invoice that is paid with no attempt since the newest mail was paid by
// its supporter.
func (s *Service) Recovered(ctx context.Context, from, to time.Time) ([]Recovered, error) {
	mails, err := s.store.FailingMails(ctx, notice.RenewalFailed, from, to)
	if err != nil {
		return nil, err
	}
	chases := map[string]*chase{}
	var refs []string
	for _, m := range mails { // the earliest first
		id, attempt, _ := strings.Cut(m.Subject, "/")
		c := chases[id]
		if c == nil {
			c = &chase{first: m.At}
			chases[id] = c
			refs = append(refs, string(objects.NewRef(objects.KindInvoice, id)))
		}
		c.mails++
		if n, err := strconv.ParseInt(attempt, 10, 64); err == nil {
			c.last = max(c.last, n)
		}
	}
	states, err := s.store.Registers(ctx, refs)
	if err != nil {
		return nil, err
	}
	type month struct{ month, currency string }
	sums := map[month]*Recovered{}
	for ref, state := range states {
		if state == "" {
			continue
		}
		known, err := objects.DecodeRegister(objects.KindInvoice, state)
		if err != nil {
			return nil, err
		}
		c, invoice := chases[objects.Ref(ref).ID()], known.(*objects.Invoice)
		of := month{c.first.In(s.zone).Format("2006-01"), strings.ToUpper(invoice.Currency)}
		if sums[of] == nil {
			sums[of] = &Recovered{Month: of.month, Currency: of.currency}
		}
		sums[of].Plus(c.outcome(invoice))
	}
	found := make([]Recovered, 0, len(sums))
	for _, sum := range sums {
		found = append(found, *sum)
	}
	slices.SortFunc(found, func(a, b Recovered) int {
		return cmp.Or(cmp.Compare(b.Month, a.Month), cmp.Compare(a.Currency, b.Currency))
	})
	return found, nil
}

// outcome returns what came of one invoice.
func (c *chase) outcome(i *objects.Invoice) Recovered {
	r := Recovered{Failed: 1, Mails: c.mails, Attempts: max(i.Attempts, c.last)}
	switch {
	case i.Status == "open":
		r.Open = 1
	case i.Status == "paid" && i.PaidAt >= c.first.Unix():
		r.Recovered, r.Minor = 1, i.Paid
		switch {
		case i.OutOfBand:
			r.Elsewhere = 1
		case i.Attempts > c.last:
			r.ByAttempt = 1
		default:
			r.BySupporter = 1
		}
	}
	return r
}
