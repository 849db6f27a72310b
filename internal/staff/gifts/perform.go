package gifts

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/united24media/support/internal/clean"
	"github.com/united24media/support/internal/fault"
	"github.com/united24media/support/internal/i18n"
	"github.com/united24media/support/internal/ledger"
	"github.com/united24media/support/internal/money"
	"github.com/united24media/support/internal/objects"
	"github.com/united24media/support/internal/store"
	"github.com/united24media/support/internal/stripeapi"
)

// Limits of what is corrected, in characters, and of a pause.
const (
	maxSlug  = 200
	maxPause = 366 * 24 * time.Hour
)

// stripeReasons are what a refund can be for, in Stripe's words.
var stripeReasons = []string{"requested_by_customer", "duplicate", "fraudulent"}

// plain returns an amount as it is typed.
func plain(minor int64, currency string) string {
	return i18n.Decimal("en", money.Amount{Minor: minor, Currency: currency})
}

// read reads the form of an action. again is a form that was stored already:
// what is left may have changed by then, by what the form itself did.
func (g *Gifts) read(s *subject, kind string, values url.Values, again bool) (w wish, err error) {
	switch kind {
	case kindRefund:
		err = w.readRefund(s, values, again)
	case kindCancel:
		err = w.readCancel(values)
	case kindPause:
		err = g.readPause(&w, values, again)
	case kindCorrection:
		err = w.readCorrection(s, values)
	}
	if err != nil {
		return w, err
	}
	if kind == kindNote {
		w.Reason, err = note(values.Get("reason"))
		return w, err
	}
	w.Reason, err = line("reason", values.Get("reason"), 3, maxReason)
	return w, err
}

func (w *wish) readRefund(s *subject, values url.Values, again bool) error {
	a, err := i18n.ParseMoney(values.Get("amount"), s.gift.Currency)
	if err != nil || a.Minor <= 0 {
		return fault.Field("amount", "Give an amount in %s, such as %s.", s.gift.Currency, plain(max(left(s.gift), 1), s.gift.Currency))
	}
	if !again && a.Minor > left(s.gift) {
		return fault.Field("amount", "Only %s is left of this gift.", amount(left(s.gift), s.gift.Currency))
	}
	w.Amount, w.Money, w.Why = a.Minor, s.gift.Currency, values.Get("why")
	if !slices.Contains(stripeReasons, w.Why) {
		return fault.Field("why", "Choose what the refund is for.")
	}
	return nil
}

func (w *wish) readCancel(values url.Values) error {
	when := values.Get("when")
	if when != "now" && when != "end" {
		return fault.Field("when", "Choose when the membership ends.")
	}
	w.AtEnd = when == "end"
	return nil
}

func (g *Gifts) readPause(w *wish, values url.Values, again bool) error {
	if w.Until = clean.Text(values.Get("until")); w.Until == "" {
		return nil
	}
	until, err := g.midnight("until", w.Until, 0)
	if err != nil {
		return err
	}
	if now := g.Now(); !again && (!until.After(now) || until.Sub(now) > maxPause) {
		return fault.Field("until", "Choose a day from tomorrow on, within a year.")
	}
	w.until = &until
	return nil
}

func (w *wish) readCorrection(s *subject, values url.Values) (err error) {
	if w.Article, err = line("article", values.Get("article"), 0, maxSlug); err != nil {
		return err
	}
	if w.Camp, err = line("campaign", values.Get("campaign"), 0, maxSlug); err != nil {
		return err
	}
	if w.Place = values.Get("placement"); !slices.Contains([]string{"", "mid", "end"}, w.Place) {
		return fault.Field("placement", "A placement is mid, end or none.")
	}
	w.Scope = "membership"
	if s.gift != nil {
		if w.Scope = values.Get("scope"); w.Scope != "membership" || s.gift.Subscription == "" {
			w.Scope = "gift"
		}
	}
	return nil
}

// note reads several lines.
func note(text string) (string, error) {
	var lines []string
	for each := range strings.Lines(strings.TrimSpace(text)) {
		lines = append(lines, clean.Text(each))
	}
	text = strings.Join(lines, "\n")
	switch n := utf8.RuneCountInString(text); {
	case n == 0:
		return "", fault.Field("reason", "Write the note.")
	case n > maxNote:
		return "", fault.Field("reason", "A note has %d characters at most.", maxNote)
	}
	return text, nil
}

// perform does what an action asks for and returns what came of it. What Stripe
// answers goes through the ledger at once, so that the next page shows it.
func (g *Gifts) perform(ctx context.Context, s *subject, a store.Action, w wish) (outcome string, err error) {
	key := "staff-" + a.ID
	var answer stripeapi.Answer
	switch a.Kind {
	case kindRefund:
		outcome = amount(w.Amount, w.Money) + " given back"
		answer, err = g.Stripe.Refund(ctx, stripeapi.RefundParams{IdempotencyKey: key, Charge: s.gift.Charge, AmountMinor: w.Amount, Reason: w.Why})
	case kindCancel:
		if w.AtEnd {
			outcome = "ends with the period that is paid"
			answer, err = g.Stripe.CancelAtPeriodEnd(ctx, key, s.id)
			break
		}
		outcome = "ended now"
		answer, err = g.Stripe.CancelSubscription(ctx, key, s.id)
	case kindKeep:
		outcome = "goes on"
		answer, err = g.Stripe.KeepSubscription(ctx, key, s.id)
	case kindPause:
		outcome = "until somebody resumes it"
		until := time.Time{}
		if w.until != nil {
			outcome, until = "until "+w.Until, *w.until
		}
		answer, err = g.Stripe.PauseSubscription(ctx, key, s.id, until)
	case kindResume:
		outcome = "collected again from the next period on"
		answer, err = g.Stripe.ResumeSubscription(ctx, key, s.id)
	case kindCorrection:
		return g.correct(ctx, s, a, w)
	case kindReceipt:
		return "on its way", g.sendReceipt(ctx, s, a)
	case kindNote:
		return "noted", nil
	}
	if err != nil {
		return "", err
	}
	if err := g.Ledger.Apply(ctx, ledger.Answer{Object: answer.Object, At: answer.At}); err != nil {
		// It is done, and the ledger hears of it from Stripe as well.
		g.Desk.Log.WarnContext(ctx, "staff: what Stripe answered is not recorded yet", "action", a.Kind, "err", err)
		outcome += "; these pages show it in a moment"
	}
	return outcome, nil
}

// correct records where a gift or membership was won, as a fact of our own.
func (g *Gifts) correct(ctx context.Context, s *subject, a store.Action, w wish) (string, error) {
	object := objects.NewRef(objects.KindSubscription, s.id)
	what := "the membership and its gifts"
	if s.gift != nil {
		object, what = objects.RootOf(s.gift), "this gift"
		if w.Scope == "membership" {
			object, what = objects.NewRef(objects.KindSubscription, s.gift.Subscription), "the membership and its gifts"
		}
	}
	fact := objects.Correct(object, objects.Corrected{Article: w.Article, Placement: w.Place, Campaign: w.Camp}, a.Created)
	if err := g.Ledger.Apply(ctx, ledger.Answer{Object: fact, At: a.Created}); err != nil {
		return "", err
	}
	to := []string{}
	for _, part := range [][2]string{{"article ", w.Article}, {"placement ", w.Place}, {"campaign ", w.Camp}} {
		if part[1] != "" {
			to = append(to, part[0]+part[1])
		}
	}
	if len(to) == 0 {
		to = append(to, "nowhere known")
	}
	return fmt.Sprintf("%s: now won by %s", what, strings.Join(to, ", ")), nil
}

// sendReceipt queues the receipt once more; the action's id keeps it from
// being queued twice.
func (g *Gifts) sendReceipt(ctx context.Context, s *subject, a store.Action) error {
	data, err := json.Marshal(map[string]string{"donation": s.gift.Key})
	if err != nil {
		return err
	}
	return g.Store.QueueMail(ctx, store.Mail{
		Kind: "receipt", Subject: s.gift.Key + "/" + a.ID, To: s.gift.Email, Locale: s.gift.Locale, Data: data, Due: g.Now(),
	})
}
