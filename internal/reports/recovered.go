package reports

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/united24media/support/internal/notice"
	"github.com/united24media/support/internal/objects"
)

// Recovered is what came of the mails about failed renewals, in one currency.
type Recovered struct {
	Currency  string // upper case
	Failed    int64  // invoices that a mail was sent about
	Recovered int64  // of them, those that were paid after the first mail
	Minor     int64  // what those brought, in minor units
}

// Recovered returns what came of the renewals whose first mail was due within
// a time (to is exclusive), by currency. A payment counts once Stripe says that
// it came after that mail, whatever made it come: a mail, or a later attempt.
func (s *Service) Recovered(ctx context.Context, from, to time.Time) ([]Recovered, error) {
	mails, err := s.store.FailingMails(ctx, notice.RenewalFailed, from, to)
	if err != nil {
		return nil, err
	}
	sums := map[string]*Recovered{}
	seen := map[string]bool{}
	for _, m := range mails { // the earliest first
		id, _, _ := strings.Cut(m.Subject, "/")
		if seen[id] {
			continue
		}
		seen[id] = true
		state, err := s.store.RegisterState(ctx, string(objects.NewRef(objects.KindInvoice, id)))
		if err != nil {
			return nil, err
		}
		if state == "" {
			continue
		}
		known, err := objects.DecodeRegister(objects.KindInvoice, state)
		if err != nil {
			return nil, err
		}
		invoice := known.(*objects.Invoice)
		currency := strings.ToUpper(invoice.Currency)
		sum := sums[currency]
		if sum == nil {
			sum = &Recovered{Currency: currency}
			sums[currency] = sum
		}
		sum.Failed++
		if invoice.Status == "paid" && invoice.PaidAt >= m.At.Unix() {
			sum.Recovered++
			sum.Minor += invoice.Paid
		}
	}
	found := make([]Recovered, 0, len(sums))
	for _, sum := range sums {
		found = append(found, *sum)
	}
	slices.SortFunc(found, func(a, b Recovered) int { return cmp.Compare(a.Currency, b.Currency) })
	return found, nil
}
