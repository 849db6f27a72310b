// Package quarantine is the screen on which staff decide on gifts and checkouts
// that look like a thief's, and see the attacks there were.
package quarantine

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	_ "embed" // for the pages

	"github.com/united24media/support/internal/clean"
	"github.com/united24media/support/internal/fault"
	"github.com/united24media/support/internal/look"
	"github.com/united24media/support/internal/quarantine"
	"github.com/united24media/support/internal/reports"
	"github.com/united24media/support/internal/staff/desk"
	"github.com/united24media/support/internal/staff/figure"
	"github.com/united24media/support/internal/store"
)

var (
	//go:embed quarantine.html
	listHTML string
	//go:embed reject.html
	rejectHTML string
)

// path is the screen's.
const path = "/staff/quarantine"

// Limits of what is shown and done at once.
const (
	shownHeld    = 200
	shownDecided = 20
	shownAttacks = 20
	atOnce       = 25 // decisions with one press: Stripe is asked for each
	attacksSince = 400 * 24 * time.Hour
	maxReason    = 500 // characters
	exportPage   = 500 // lines that an export holds in memory
)

// Options are what the screen needs.
type Options struct {
	Desk       *desk.Desk
	Quarantine *quarantine.Service
}

// A Screen is the page.
type Screen struct {
	Options
	list, confirm *look.Template
}

// New returns the page.
func New(o Options) *Screen {
	funcs := figure.Funcs(o.Desk.Funcs())
	return &Screen{Options: o, list: look.MustParse(funcs, listHTML), confirm: look.MustParse(funcs, rejectHTML)}
}

// Routes returns the page's addresses. It names givers and gives money back, so
// it is for those who answer for money.
func (s *Screen) Routes() []desk.Route {
	return []desk.Route{
		{Method: http.MethodGet, Path: path, Need: desk.Finance, Nav: "Quarantine", Handle: s.show},
		{Method: http.MethodGet, Path: path + ".csv", Need: desk.Finance, Long: true, Handle: s.csv},
		{Method: http.MethodPost, Path: path + "/accept", Need: desk.Finance, Handle: s.accept},
		{Method: http.MethodPost, Path: path + "/reject", Need: desk.Finance, Handle: s.reject},
	}
}

// An item is one gift or checkout.
type item struct {
	store.Suspect
	Gift     bool
	URL      string // of a gift's page
	Who      string // who gave; "" for a checkout
	Name     string
	Email    string
	At       time.Time
	Currency string
	Amount   int64 // minor units
	Interval string
}

// An attack is one as the page shows it.
type attack struct {
	store.Attack
	Lasted string // "" while it lasts
	Given  []store.Given
	URL    string // of the gifts of its days
}

type view struct {
	Held    []item
	More    bool
	Attacks []attack
	Decided []store.Suspect
	AtOnce  int
}

// show handles GET /staff/quarantine.
func (s *Screen) show(v *desk.Visit) error {
	ctx := v.Request.Context()
	held, err := s.Desk.Store.Suspects(ctx, store.SuspectHeld, shownHeld+1)
	if err != nil {
		return err
	}
	body := view{More: len(held) > shownHeld, AtOnce: atOnce}
	if body.Held, err = s.items(ctx, held[:min(len(held), shownHeld)]); err != nil {
		return err
	}
	if body.Attacks, err = s.attacks(ctx); err != nil {
		return err
	}
	if body.Decided, err = s.Desk.Store.DecidedSuspects(ctx, shownDecided); err != nil {
		return err
	}
	return s.Desk.Render(v, s.list, desk.Page{Title: "Quarantine", Body: body})
}

// items looks up what suspects are. What is not there any more is left out: the
// next look releases it.
func (s *Screen) items(ctx context.Context, held []store.Suspect) ([]item, error) {
	var keys []string
	for _, q := range held {
		if q.Kind == store.SuspectGift {
			keys = append(keys, q.Subject)
		}
	}
	gifts, err := s.Desk.Store.DonationsByKeys(ctx, keys)
	if err != nil {
		return nil, err
	}
	found := map[string]item{}
	for _, d := range gifts {
		i := item{
			Gift: true, URL: "/staff/donations/" + d.Key, Who: d.Email, Name: d.Name, Email: d.Email, At: time.Unix(d.Created, 0),
			Currency: d.Currency, Amount: d.Gross - d.Refunded - d.Disputed, Interval: string(d.Interval),
		}
		if d.Name != "" {
			i.Who = strings.TrimSuffix(d.Name+", "+d.Email, ", ")
		}
		found[d.Key] = i
	}
	var items []item
	for _, q := range held {
		i, ok := found[q.Subject]
		if q.Kind == store.SuspectCheckout {
			var c store.Checkout
			if c, ok, err = s.Desk.Store.CheckoutByID(ctx, q.Subject); err != nil {
				return nil, err
			}
			i = item{At: c.CreatedAt, Currency: c.Currency, Amount: c.AmountMinor, Interval: c.Interval}
		}
		if ok {
			i.Suspect = q
			items = append(items, i)
		}
	}
	return items, nil
}

// csv handles GET /staff/quarantine.csv: what is held, and all that was decided
// on.
func (s *Screen) csv(v *desk.Visit) error {
	ctx := v.Request.Context()
	if err := s.Desk.Export(v, "quarantine", "", path); err != nil {
		return err
	}
	sheet := reports.NewSheet(v.File(), "id", "kind", "state", "found_at", "reason", "attack", "created_at", "currency", "left_minor", "interval",
		"email", "name", "decided_at", "decided_by")
	var last store.Suspect
	for {
		suspects, err := s.Desk.Store.SuspectsBefore(ctx, last.Found, last.Subject, exportPage)
		if err != nil {
			return err
		}
		items, err := s.items(ctx, suspects)
		if err != nil {
			return err
		}
		for _, i := range items {
			sheet.Row(i.Subject, i.Kind, i.State, i.Found, i.Reason, i.Attack, i.At, i.Currency, i.Amount, i.Interval, i.Email, i.Name, i.Decided, i.DecidedBy)
		}
		if len(suspects) < exportPage {
			return sheet.End()
		}
		last = suspects[len(suspects)-1]
	}
}

func (s *Screen) attacks(ctx context.Context) ([]attack, error) {
	now := s.Desk.Now()
	found, err := s.Desk.Store.AttacksBetween(ctx, now.Add(-attacksSince), now, shownAttacks)
	if err != nil {
		return nil, err
	}
	var attacks []attack
	for _, a := range found {
		one, ended := attack{Attack: a}, a.Ended
		if ended.IsZero() {
			ended = now
		} else {
			one.Lasted = lasted(ended.Sub(a.Began))
		}
		if one.Given, err = s.Desk.Store.GivenBetween(ctx, a.Began, ended); err != nil {
			return nil, err
		}
		one.URL = fmt.Sprintf("/staff/donations?from=%s&to=%s",
			a.Began.In(s.Desk.Zone).Format(time.DateOnly), ended.In(s.Desk.Zone).Format(time.DateOnly))
		attacks = append(attacks, one)
	}
	return attacks, nil
}

func lasted(d time.Duration) string {
	if d < 2*time.Hour {
		return fmt.Sprintf("%d min", int(d.Round(time.Minute).Minutes()))
	}
	return fmt.Sprintf("%d h", int(d.Round(time.Hour).Hours()))
}

// chosen returns what was chosen of what is held.
func (s *Screen) chosen(v *desk.Visit) ([]item, error) {
	if err := v.Request.ParseForm(); err != nil {
		return nil, fault.New(fault.Invalid, "The form can't be read.")
	}
	var held []store.Suspect
	subjects := slices.Compact(slices.Sorted(slices.Values(v.Request.PostForm["subject"])))
	if len(subjects) == 0 || len(subjects) > atOnce {
		return nil, fault.Field("subject", "Choose from 1 to %d lines.", atOnce)
	}
	for _, subject := range subjects {
		q, err := s.Desk.Store.SuspectBySubject(v.Request.Context(), subject)
		if err != nil {
			return nil, err
		}
		if q.State == store.SuspectHeld {
			held = append(held, q)
		}
	}
	if len(held) == 0 {
		return nil, fault.New(fault.Conflict, "Somebody has decided on this meanwhile, or nothing is left to decide.")
	}
	return s.items(v.Request.Context(), held)
}

// accept handles POST /staff/quarantine/accept.
func (s *Screen) accept(v *desk.Visit) error {
	items, err := s.chosen(v)
	if err != nil {
		return err
	}
	done := 0
	var failed error
	for _, i := range items {
		if err := s.Quarantine.Accept(v.Request.Context(), i.Subject, s.entry(v, "")); err != nil {
			failed = cause(failed, err)
			continue
		}
		done++
	}
	return s.back(v, "accepted", done, len(items), failed)
}

// A rejectView is the page on which rejecting is confirmed.
type rejectView struct {
	Items  []item
	Gifts  int
	Reason string
	Wrong  string
}

// reject handles POST /staff/quarantine/reject: it says what will happen, and
// does it when that is confirmed.
func (s *Screen) reject(v *desk.Visit) error {
	if err := s.Desk.Fresh(v, path); err != nil {
		return err
	}
	items, err := s.chosen(v)
	if err != nil {
		return err
	}
	reason := clean.Text(v.PostForm("reason"))
	body := rejectView{Items: items, Reason: reason}
	for _, i := range items {
		if i.Gift {
			body.Gifts++
		}
	}
	sure := v.PostForm("sure") == "yes"
	length := utf8.RuneCountInString(reason)
	if !sure || length < 3 || length > maxReason {
		status := http.StatusOK
		if sure {
			status, body.Wrong = http.StatusUnprocessableEntity, fmt.Sprintf("Say why, in 3 to %d characters.", maxReason)
		}
		return s.Desk.RenderStatus(v, s.confirm, desk.Page{Title: "Reject", Narrow: true, Body: body}, status)
	}
	done := 0
	var failed error
	for _, i := range items {
		if _, err := s.Quarantine.Reject(v.Request.Context(), i.Subject, s.entry(v, reason)); err != nil {
			failed = cause(failed, err)
			s.Desk.Log.WarnContext(v.Request.Context(), "staff: not rejected", "subject", i.Subject, "err", err)
			continue
		}
		done++
	}
	return s.back(v, "rejected", done, len(items), failed)
}

// entry begins the line of the audit log.
func (s *Screen) entry(v *desk.Visit, reason string) store.Entry {
	e := s.Desk.By(v, "", "")
	e.Reason = reason
	return e
}

// cause keeps the first of several failures.
func cause(first, err error) error {
	if first != nil {
		return first
	}
	return err
}

// back leads to the list and says what was done, and why not the rest.
func (s *Screen) back(v *desk.Visit, what string, done, of int, failed error) error {
	if failed == nil {
		return s.Desk.Back(v, path, fmt.Sprintf("%d %s.", done, what))
	}
	f, ok := errors.AsType[*fault.Error](failed)
	if !ok {
		return failed
	}
	return s.Desk.Back(v, path, fmt.Sprintf("%d of %d %s. The rest stays here: %s", done, of, what, f.Detail))
}
