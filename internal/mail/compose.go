package mail

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/united24media/support/internal/i18n"
	"github.com/united24media/support/internal/notice"
	"github.com/united24media/support/internal/signin"
	"github.com/united24media/support/internal/store"
)

// The kinds of mail beside those of package notice. The data of a sign-in mail
// is {"id": "…"}, the id from which package signin derives link and code.
const (
	SignIn          = "sign_in"
	StaffSignIn     = "staff_sign_in"
	CardExpiring    = "card_expiring"     // subscription/month of expiry
	RenewalReminder = "renewal_reminder"  // subscription/day it renews
	Statement       = "statement"         // year/hash of the address
	Differences     = "staff_differences" // [StaffNews], by day
	Silence         = "staff_silence"     // [StaffNews], by day
	Attack          = "staff_attack"      // [StaffNews], by attack, at its beginning and its end
)

// signInTime is how long a link to sign in is good for.
const signInTime = 10 * time.Minute

// Compose returns a mail as it is read now. It returns an error where what the
// mail is about is no longer so, or can't be looked up.
func (s *Service) Compose(ctx context.Context, m store.QueuedMail) (*Letter, error) {
	compose, ok := composers[m.Kind]
	if !ok {
		return nil, refusal{"of a kind that this release does not know"}
	}
	chosen, _, err := s.Store.ChoicesOf(ctx, m.To)
	if err != nil {
		return nil, err
	}
	if m.Kind != SignIn { // which speaks as the page where it was asked for
		m.Locale = cmp.Or(chosen.Locale, m.Locale)
	}
	quiet, err := s.discreet(ctx, m, chosen)
	if err != nil {
		return nil, err
	}
	unwanted := m.Kind == Statement && !chosen.Statement || m.Kind == RenewalReminder && !chosen.Reminders
	if unwanted || quiet && !slices.Contains(told, m.Kind) {
		return nil, moot{"the supporter chose not to get it"}
	}
	letter, err := compose(s, ctx, m)
	if quiet && err == nil {
		letter = s.neutral(m, letter)
	}
	return letter, err
}

// composers write the letter of each kind.
var composers = map[string]func(*Service, context.Context, store.QueuedMail) (*Letter, error){
	SignIn:               (*Service).signIn,
	StaffSignIn:          (*Service).staffSignIn,
	notice.Receipt:       (*Service).receipt,
	notice.Refund:        (*Service).refund,
	notice.Promise:       (*Service).promise,
	notice.PromiseFailed: (*Service).promise,
	notice.Started:       (*Service).started,
	notice.Changed:       (*Service).changed,
	notice.Paused:        (*Service).paused,
	notice.Resumed:       (*Service).resumed,
	notice.Cancelled:     (*Service).cancelled,
	notice.RenewalFailed: (*Service).renewalFailed,
	notice.Dispute:       (*Service).dispute,
	CardExpiring:         (*Service).cardExpiring,
	RenewalReminder:      (*Service).renewalReminder,
	Statement:            (*Service).statement,
	Differences:          (*Service).staffNews,
	Silence:              (*Service).staffNews,
	Attack:               (*Service).staffNews,
}

// Keeps reports whether mails are kept, since no server is set.
func (s *Service) Keeps() bool { return s.server == nil }

// Show returns a mail for staff to read, or, as a clause, why it can't be. Its
// links to sign in work in the sandbox alone: elsewhere whoever may read mails
// could become anybody.
func (s *Service) Show(ctx context.Context, m store.QueuedMail) (letter *Letter, why string, err error) {
	shown := *s
	if !s.Sandbox {
		shown.Keys = signin.New([][]byte{[]byte(signin.NewID())})
	}
	letter, err = shown.Compose(ctx, m)
	var passed moot
	var broken refusal
	switch {
	case err == nil:
		return letter, "", nil
	case errors.As(err, &passed):
		return nil, passed.reason, nil
	case errors.As(err, &broken):
		return nil, broken.reason, nil
	}
	return nil, "", err
}

// letter begins the letter of a kind: subject, heading, closing and foot.
func (s *Service) letter(kind, lang string, args i18n.Args) (*Letter, words) {
	all := i18n.Args{"Organisation": s.from.Name}
	for name, value := range args {
		all[name] = value
	}
	w := words{lang, kind, all}
	return &Letter{
		Lang: lang, Subject: w.say("subject"), Heading: w.say("heading"), Text: []string{w.say("text")},
		From: s.from.Name, Closing: w.shared("closing"),
		Foot: []string{w.shared("why")}, FootLink: [2]string{w.shared("account"), s.PublicURL + "/account"},
	}, w
}

// signInID returns the id of a wish to sign in that is still good.
func (s *Service) signInID(m store.QueuedMail) (string, error) {
	var data struct {
		ID string `json:"id"`
	}
	if err := json.Unmarshal(m.Data, &data); err != nil || data.ID == "" {
		return "", unreadable(m.Kind, err)
	}
	if s.Now().Sub(m.Queued) > signInTime {
		return "", moot{"the link's time was over"}
	}
	return data.ID, nil
}

func (s *Service) signIn(_ context.Context, m store.QueuedMail) (*Letter, error) {
	id, err := s.signInID(m)
	if err != nil {
		return nil, err
	}
	l, w := s.letter(m.Kind, speak(m.Locale), i18n.Args{"Count": int(signInTime / time.Minute)})
	l.Button, l.URL = w.say("button"), s.link(signin.Account, signin.AccountPath, id)
	l.CodeLabel, l.Code = w.say("code"), spaced(s.Keys.Code(signin.Account, id))
	l.After = []string{w.say("ignore")}
	l.Foot, l.FootLink = nil, [2]string{}
	return l, nil
}

func (s *Service) staffSignIn(_ context.Context, m store.QueuedMail) (*Letter, error) {
	id, err := s.signInID(m)
	if err != nil {
		return nil, err
	}
	return &Letter{
		Lang: i18n.Default, Subject: "Sign in to Support", Heading: "Sign in to Support", From: s.from.Name,
		Text:   []string{fmt.Sprintf("This opens the staff pages of Support. It works once, for %d minutes.", int(signInTime/time.Minute))},
		Button: "Sign in", URL: s.link(signin.Staff, signin.StaffPath, id),
		CodeLabel: "Or type this code on the page where you asked for it:", Code: spaced(s.Keys.Code(signin.Staff, id)),
		After: []string{"If you did not ask for this, nothing happens: you can delete this mail."},
	}, nil
}

// link returns a mailed link.
func (s *Service) link(purpose signin.Purpose, path, id string) string {
	return s.PublicURL + path + "?token=" + s.Keys.Token(purpose, id)
}

// spaced writes a code so that it can be read out.
func spaced(code string) string { return code[:3] + " " + code[3:] }
