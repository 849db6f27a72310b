package mail

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/united24media/support/internal/giving"
	"github.com/united24media/support/internal/notice"
	"github.com/united24media/support/internal/store"
	"github.com/united24media/support/internal/stripeapi"
)

// When reminders are looked for, and how long before what they are about.
const (
	remindEvery  = 6 * time.Hour
	renewalAhead = 14 * 24 * time.Hour // before a yearly renewal
	renewalLeast = 2 * 24 * time.Hour  // later it comes too late to act on
	cardAhead    = 21 * 24 * time.Hour // before a payment whose card will have run out
	remindAtOnce = 500                 // rows in one look
	statementDay = 10                  // of January: what was paid in December has come by then
)

// Cards tells how a membership is paid: Stripe's API does.
type Cards interface {
	Standing(ctx context.Context, subscription string) (stripeapi.Standing, error)
}

// Remind queues what follows from the calendar until ctx ends: before yearly
// renewals, before cards run out, and in January that statements are ready.
// Replicas may all do it, since of each mail there is one.
func (s *Service) Remind(ctx context.Context, cards Cards) error {
	tick := time.NewTicker(remindEvery)
	defer tick.Stop()
	for {
		err := errors.Join(s.remindOfRenewals(ctx), s.remindOfCards(ctx, cards), s.tellOfStatements(ctx))
		if err != nil && ctx.Err() == nil {
			s.Log.WarnContext(ctx, "mail: reminders were not all queued", "err", err)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
	}
}

// renewing calls f with each membership that renews within a time from now.
func (s *Service) renewing(ctx context.Context, from, to time.Duration, f func(*giving.Membership) error) error {
	for after := ""; ; {
		found, err := s.Store.RenewingMemberships(ctx, s.Now().Add(from), s.Now().Add(to), after, remindAtOnce)
		if err != nil {
			return err
		}
		for _, m := range found {
			if m.Email == "" {
				continue
			}
			if err := f(m); err != nil {
				return err
			}
		}
		if len(found) < remindAtOnce {
			return nil
		}
		after = found[len(found)-1].Subscription
	}
}

func (s *Service) remindOfRenewals(ctx context.Context) error {
	return s.renewing(ctx, renewalLeast, renewalAhead, func(m *giving.Membership) error {
		// A membership that has just begun is a mail of its own.
		if m.Interval != giving.Year || s.Now().Sub(time.Unix(m.Created, 0)) < notice.MaxAge {
			return nil
		}
		day := time.Unix(m.PeriodEnd, 0).UTC().Format(time.DateOnly)
		return s.Store.QueueMail(ctx, store.Mail{
			Kind: RenewalReminder, Subject: m.Subscription + "/" + day, To: m.Email, Locale: m.Locale, Due: s.Now(),
		})
	})
}

// remindOfCards asks Stripe, which knows of cards that banks replaced.
func (s *Service) remindOfCards(ctx context.Context, cards Cards) error {
	var failed error
	err := s.renewing(ctx, 0, cardAhead, func(m *giving.Membership) error {
		standing, err := cards.Standing(ctx, m.Subscription)
		if stripeapi.IsKind(err, stripeapi.Missing) {
			return nil // no card is charged of what Stripe does not have
		}
		if err != nil {
			failed = err // one that can't be asked must not keep the others from being
			return ctx.Err()
		}
		card := standing.Method
		if card.ExpYear == 0 {
			return nil
		}
		// A card is good until its month is over.
		over := time.Date(int(card.ExpYear), time.Month(card.ExpMonth)+1, 1, 0, 0, 0, 0, time.UTC)
		if over.After(time.Unix(m.PeriodEnd, 0)) {
			return nil
		}
		data, err := json.Marshal(cardData{m.Subscription, card.Last4, card.ExpMonth, card.ExpYear})
		if err != nil {
			return err
		}
		return s.Store.QueueMail(ctx, store.Mail{
			Kind: CardExpiring, Subject: fmt.Sprintf("%s/%d-%02d", m.Subscription, card.ExpYear, card.ExpMonth),
			To: m.Email, Locale: m.Locale, Data: data, Due: s.Now(),
		})
	})
	return errors.Join(err, failed)
}

// tellOfStatements tells in January everybody who gave in the year before.
func (s *Service) tellOfStatements(ctx context.Context) error {
	now := s.Now().In(s.Zone)
	if now.Month() != time.January || now.Day() < statementDay {
		return nil
	}
	year := now.Year() - 1
	from, to := time.Date(year, 1, 1, 0, 0, 0, 0, s.Zone), time.Date(year+1, 1, 1, 0, 0, 0, 0, s.Zone)
	for after := ""; ; {
		givers, err := s.Store.Givers(ctx, from, to, after, remindAtOnce)
		if err != nil {
			return err
		}
		var mails []store.Mail
		for _, g := range givers {
			mails = append(mails, store.Mail{
				Kind: Statement, Subject: fmt.Sprintf("%d/%s", year, store.MailID("to", g.Folded)),
				To: g.Email, Locale: g.Locale, Data: fmt.Appendf(nil, `{"year":%d}`, year), Due: s.Now(),
			})
		}
		if err := s.Store.QueueMail(ctx, mails...); err != nil || len(givers) < remindAtOnce {
			return err
		}
		after = givers[len(givers)-1].Folded
	}
}
