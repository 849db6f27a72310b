package mail

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/united24media/support/internal/fault"
	"github.com/united24media/support/internal/giving"
	"github.com/united24media/support/internal/i18n"
	"github.com/united24media/support/internal/money"
	"github.com/united24media/support/internal/notice"
	"github.com/united24media/support/internal/objects"
	"github.com/united24media/support/internal/store"
)

// data reads what a notice tells.
func data(m store.QueuedMail) (notice.Data, error) {
	var d notice.Data
	if err := json.Unmarshal(m.Data, &d); err != nil {
		return d, unreadable(m.Kind, err)
	}
	return d, nil
}

// donation returns a donation, or says that a mail about it is moot.
func (s *Service) donation(ctx context.Context, key string) (*giving.Donation, error) {
	d, err := s.Store.DonationByKey(ctx, key)
	if errors.Is(err, fault.NotFound) {
		return nil, moot{"there is no such donation any more"}
	}
	return d, err
}

func (s *Service) receipt(ctx context.Context, m store.QueuedMail) (*Letter, error) {
	key, _, again := strings.Cut(m.Subject, "/") // after it stands which time staff sent it again
	d, err := s.donation(ctx, key)
	if err != nil {
		return nil, err
	}
	if unwanted, err := s.unwanted(ctx, m.To, d); !again && (err != nil || unwanted) {
		return nil, cmp.Or(err, error(moot{"the supporter chose to get no receipts for renewals"}))
	}
	lang := speak(m.Locale)
	l, w := s.letter(m.Kind, lang, i18n.Args{"Amount": amount(lang, d.Gross, d.Currency)})
	l.Rows = s.receiptRows(w, d)
	l.After = []string{w.say("keep")}
	return l, nil
}

// unwanted reports whether a donation is a renewal of somebody who chose to get
// no receipts for those.
func (s *Service) unwanted(ctx context.Context, address string, d *giving.Donation) (bool, error) {
	if d.Subscription == "" {
		return false, nil
	}
	chosen, _, err := s.Store.ChoicesOf(ctx, address)
	if err != nil || chosen.Renewals {
		return false, err
	}
	member, err := s.Store.MembershipBySubscription(ctx, d.Subscription)
	if errors.Is(err, fault.NotFound) {
		return false, nil
	}
	// What begins a membership is paid within a day of it.
	return err == nil && d.Created-member.Created > 24*3600, err
}

// receiptRows are what an accountant wants.
func (s *Service) receiptRows(w words, d *giving.Donation) [][2]string {
	interval := d.Interval
	if interval == "" {
		interval = giving.Once
	}
	rows := [][2]string{
		{w.shared("row.amount"), exact(w.lang, d.Gross, d.Currency)},
		{w.shared("row.date"), s.day(w.lang, d.Created)},
		{w.shared("row.for"), i18n.T(w.lang, "checkout.product."+string(interval))},
		{w.shared("row.method"), w.shared("method." + method(d.Method))},
		{w.shared("row.from"), s.from.Name},
	}
	if d.Refunded > 0 {
		rows = append(rows, [2]string{w.shared("row.refunded"), exact(w.lang, d.Refunded, d.Currency)},
			[2]string{w.shared("row.still"), exact(w.lang, d.Gross-d.Refunded, d.Currency)})
	}
	return append(rows, [2]string{w.shared("row.number"), d.Key})
}

// method groups Stripe's ways of paying by what a receipt calls them.
func method(stripes string) string {
	switch stripes {
	case "card":
		return "card"
	case "sepa_debit", "us_bank_account", "bacs_debit", "au_becs_debit", "acss_debit", "customer_balance", "sofort", "out_of_band":
		return "bank"
	}
	return "other"
}

func (s *Service) refund(ctx context.Context, m store.QueuedMail) (*Letter, error) {
	n, err := data(m)
	if err != nil {
		return nil, err
	}
	d, err := s.donation(ctx, n.Donation)
	if err != nil {
		return nil, err
	}
	if _, sum, _ := strings.Cut(m.Subject, "/"); sum != strconv.FormatInt(d.Refunded, 10) {
		return nil, moot{"another amount is refunded now"} // which has a mail of its own, or none
	}
	lang := speak(m.Locale)
	l, w := s.letter(m.Kind, lang, i18n.Args{"Amount": amount(lang, n.Amount, n.Currency)})
	l.Rows = s.receiptRows(w, d)
	return l, nil
}

// register reads what is known of an object into r, which stays empty where
// nothing is.
func register[T objects.Register](ctx context.Context, s *Service, kind objects.Kind, id string) (known T, err error) {
	state, err := s.Store.RegisterState(ctx, string(objects.NewRef(kind, id)))
	if err != nil {
		return known, err
	}
	if state == "" {
		return known, moot{"nothing is known of it any more"}
	}
	r, err := objects.DecodeRegister(kind, state)
	if err != nil {
		return known, err
	}
	return r.(T), nil
}

func (s *Service) promise(ctx context.Context, m store.QueuedMail) (*Letter, error) {
	n, err := data(m)
	if err != nil {
		return nil, err
	}
	visit, err := register[*objects.Session](ctx, s, objects.KindSession, m.Subject)
	if err != nil {
		return nil, err
	}
	failed := m.Kind == notice.PromiseFailed
	if visit.PaymentStatus == "paid" {
		return nil, moot{"the payment came"}
	}
	if visit.Failed != failed {
		return nil, moot{"the payment did not come"}
	}
	if _, err := s.Store.DonationByKey(ctx, visit.Intent); err == nil {
		return nil, moot{"the payment came"}
	} else if !errors.Is(err, fault.NotFound) {
		return nil, err
	}
	lang := speak(m.Locale)
	l, w := s.letter(m.Kind, lang, i18n.Args{"Amount": amount(lang, n.Amount, n.Currency)})
	if failed {
		l.Button, l.URL = w.say("button"), s.PublicURL+"/support"
	}
	return l, nil
}

// speak returns the language of ours that a mail is written in.
func speak(locale string) string {
	if lang, ok := i18n.Match(locale); ok {
		return lang
	}
	return i18n.Default
}

// amount writes minor units as people read them, and exact as accountants do.
func amount(lang string, minor int64, currency string) string {
	return i18n.Money(lang, money.Amount{Minor: minor, Currency: strings.ToUpper(currency)})
}

func exact(lang string, minor int64, currency string) string {
	currency = strings.ToUpper(currency)
	written := amount(lang, minor, currency)
	if strings.Contains(written, currency) {
		return written
	}
	return written + " (" + currency + ")"
}

// day writes the day of an instant, seconds since 1970, in the newsroom's time
// zone.
func (s *Service) day(lang string, at int64) string {
	return i18n.Date(lang, time.Unix(at, 0).In(s.Zone))
}
