package mail

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/united24media/support/internal/fault"
	"github.com/united24media/support/internal/giving"
	"github.com/united24media/support/internal/i18n"
	"github.com/united24media/support/internal/notice"
	"github.com/united24media/support/internal/objects"
	"github.com/united24media/support/internal/signin"
	"github.com/united24media/support/internal/store"
)

// membership returns a membership as it is now, with its subscription, or says
// that a mail about it is moot.
func (s *Service) membership(ctx context.Context, id string) (*giving.Membership, objects.SubState, error) {
	m, err := s.Store.MembershipBySubscription(ctx, id)
	if errors.Is(err, fault.NotFound) {
		return nil, objects.SubState{}, moot{"there is no such membership any more"}
	}
	if err != nil {
		return nil, objects.SubState{}, err
	}
	subscription, err := register[*objects.Subscription](ctx, s, objects.KindSubscription, id)
	if err != nil {
		return nil, objects.SubState{}, err
	}
	return m, subscription.State.Value, nil
}

// leaving reports whether a membership is over, or will be.
func leaving(m *giving.Membership, state objects.SubState) bool {
	return m.Status == "canceled" || state.CancelAtEnd || state.CancelAt > 0
}

// per writes an amount with how often it is paid.
func per(w words, minor int64, currency string, interval giving.Interval) string {
	if interval != giving.Month && interval != giving.Year {
		return amount(w.lang, minor, currency)
	}
	return i18n.T(w.lang, "mail.per."+string(interval), i18n.Args{"Amount": amount(w.lang, minor, currency)})
}

// standing returns the letter about a membership as it stands.
func (s *Service) standing(m store.QueuedMail, member *giving.Membership) (*Letter, words) {
	lang := speak(m.Locale)
	price := per(words{lang: lang}, member.Amount, member.Currency, member.Interval)
	l, w := s.letter(m.Kind, lang, i18n.Args{"Amount": price, "Date": s.day(lang, member.PeriodEnd)})
	l.Button, l.URL = w.shared("button.account"), s.PublicURL+"/account"
	return l, w
}

func (s *Service) started(ctx context.Context, m store.QueuedMail) (*Letter, error) {
	member, state, err := s.membership(ctx, m.Subject)
	if err != nil {
		return nil, err
	}
	if !member.Live || leaving(member, state) {
		return nil, moot{"it has ended"}
	}
	l, w := s.standing(m, member)
	l.Rows = [][2]string{
		{w.shared("row.support"), per(w, member.Amount, member.Currency, member.Interval)},
		{w.shared("row.next"), s.day(w.lang, member.PeriodEnd)},
	}
	return l, nil
}

// about is what mails about a change of a membership share.
func (s *Service) about(ctx context.Context, m store.QueuedMail) (n notice.Data, member *giving.Membership, state objects.SubState, err error) {
	if n, err = data(m); err == nil {
		member, state, err = s.membership(ctx, n.Membership)
	}
	return n, member, state, err
}

func (s *Service) changed(ctx context.Context, m store.QueuedMail) (*Letter, error) {
	n, member, state, err := s.about(ctx, m)
	if err != nil {
		return nil, err
	}
	if leaving(member, state) || member.Amount != n.Amount || member.Currency != n.Currency || string(member.Interval) != n.Interval {
		return nil, moot{"it is otherwise again"}
	}
	l, w := s.standing(m, member)
	l.Rows = [][2]string{
		{w.shared("row.before"), amount(w.lang, n.OldAmount, n.OldMoney)},
		{w.shared("row.now"), per(w, member.Amount, member.Currency, member.Interval)},
		{w.shared("row.next"), s.day(w.lang, member.PeriodEnd)},
	}
	return l, nil
}

func (s *Service) paused(ctx context.Context, m store.QueuedMail) (*Letter, error) {
	_, member, state, err := s.about(ctx, m)
	if err != nil {
		return nil, err
	}
	if !state.Paused || leaving(member, state) {
		return nil, moot{"it is not paused any more"}
	}
	l, w := s.standing(m, member)
	if state.Resumes > s.Now().Unix() {
		day := s.day(w.lang, state.Resumes)
		w.args["Date"] = day
		l.Text = []string{w.say("until")}
		l.Rows = [][2]string{{w.shared("row.resumes"), day}}
	}
	return l, nil
}

func (s *Service) resumed(ctx context.Context, m store.QueuedMail) (*Letter, error) {
	_, member, state, err := s.about(ctx, m)
	if err != nil {
		return nil, err
	}
	if state.Paused || leaving(member, state) || !member.Live {
		return nil, moot{"it does not go on"}
	}
	l, _ := s.standing(m, member)
	return l, nil
}

func (s *Service) cancelled(ctx context.Context, m store.QueuedMail) (*Letter, error) {
	n, member, state, err := s.about(ctx, m)
	if err != nil {
		return nil, err
	}
	if !leaving(member, state) {
		return nil, moot{"it goes on"}
	}
	l, w := s.standing(m, member)
	w.args["Date"] = s.day(w.lang, n.At)
	l.Text = []string{w.say("text")}
	switch {
	case n.Reason == "payment_failed" || state.Reason == "payment_failed":
		l.Text = []string{w.say("unpaid")}
	case member.Ended > 0:
		l.Text = []string{w.say("ended")}
	}
	l.Button, l.URL = "", ""
	if member.Ended > 0 {
		l.Button, l.URL = w.say("again"), s.PublicURL+"/support"
	}
	return l, nil
}

func (s *Service) renewalFailed(ctx context.Context, m store.QueuedMail) (*Letter, error) {
	n, member, state, err := s.about(ctx, m)
	if err != nil {
		return nil, err
	}
	invoice, err := register[*objects.Invoice](ctx, s, objects.KindInvoice, before(m.Subject))
	if err != nil {
		return nil, err
	}
	switch {
	case invoice.Status != "open":
		return nil, moot{"the invoice is not open any more"}
	case invoice.Attempts != n.Attempt:
		return nil, moot{"it was tried again since"}
	case member.Status == "canceled" || state.Paused:
		return nil, moot{"the membership has ended"}
	}
	l, w := s.standing(m, member)
	l.Text = []string{i18n.T(w.lang, "mail.renewal_failed.text", i18n.Args{"Amount": amount(w.lang, member.Amount, member.Currency)})}
	l.Button, l.URL = w.say("button"), s.link(signin.Recover, signin.RecoverPath, n.Membership)
	if next := invoice.Billing.Value.NextAttempt; next > 0 {
		w.args["Date"] = s.day(w.lang, next)
		l.After = []string{w.say("again")}
		return l, nil
	}
	l.Subject = w.say("last_subject")
	l.After = []string{w.say("last")}
	return l, nil
}

// before returns what stands before the first slash of a subject.
func before(subject string) string {
	for i := range subject {
		if subject[i] == '/' {
			return subject[:i]
		}
	}
	return subject
}

// cardData is what a mail about a card tells.
type cardData struct {
	Membership string `json:"membership"`
	Last4      string `json:"last4"`
	Month      int64  `json:"month"`
	Year       int64  `json:"year"`
}

func (s *Service) cardExpiring(ctx context.Context, m store.QueuedMail) (*Letter, error) {
	var card cardData
	if err := json.Unmarshal(m.Data, &card); err != nil {
		return nil, unreadable(m.Kind, err)
	}
	member, state, err := s.membership(ctx, card.Membership)
	if err != nil {
		return nil, err
	}
	if leaving(member, state) || !member.Live {
		return nil, moot{"nothing more is charged"}
	}
	lang := speak(m.Locale)
	l, w := s.letter(m.Kind, lang, i18n.Args{
		"Last4": card.Last4, "Month": fmt.Sprintf("%02d/%d", card.Month, card.Year), "Date": s.day(lang, member.PeriodEnd),
	})
	l.Button, l.URL = w.say("button"), s.link(signin.Recover, signin.RecoverPath, card.Membership)
	return l, nil
}

func (s *Service) renewalReminder(ctx context.Context, m store.QueuedMail) (*Letter, error) {
	member, state, err := s.membership(ctx, before(m.Subject))
	if err != nil {
		return nil, err
	}
	if leaving(member, state) || !member.Live || time.Unix(member.PeriodEnd, 0).Before(s.Now()) {
		return nil, moot{"it does not renew then"}
	}
	l, w := s.standing(m, member)
	l.Rows = [][2]string{
		{w.shared("row.support"), per(w, member.Amount, member.Currency, member.Interval)},
		{w.shared("row.next"), s.day(w.lang, member.PeriodEnd)},
	}
	s.leavable(l, w, m)
	return l, nil
}

// leavable gives a letter the link by which mails of its kind can be ended,
// with one press and without signing in.
func (s *Service) leavable(l *Letter, w words, m store.QueuedMail) {
	l.Unsubscribe, l.LeaveText = s.link(signin.Leave, signin.LeavePath, m.ID), w.shared("stop")
}

func (s *Service) statement(_ context.Context, m store.QueuedMail) (*Letter, error) {
	var year struct {
		Year int `json:"year"`
	}
	if err := json.Unmarshal(m.Data, &year); err != nil || year.Year == 0 {
		return nil, unreadable(m.Kind, err)
	}
	l, w := s.letter(m.Kind, speak(m.Locale), i18n.Args{"Year": fmt.Sprint(year.Year)})
	l.Button, l.URL = w.say("button"), fmt.Sprintf("%s/account/statements/%d", s.PublicURL, year.Year)
	s.leavable(l, w, m)
	return l, nil
}
