package checkout

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/united24media/support/internal/attribution"
	"github.com/united24media/support/internal/clean"
	"github.com/united24media/support/internal/fault"
	"github.com/united24media/support/internal/giving"
	"github.com/united24media/support/internal/i18n"
	"github.com/united24media/support/internal/limits"
	"github.com/united24media/support/internal/money"
	"github.com/united24media/support/internal/objects"
	"github.com/united24media/support/internal/offer"
	"github.com/united24media/support/internal/risk"
	"github.com/united24media/support/internal/store"
	"github.com/united24media/support/internal/stripeapi"
)

// How long a session lives. Stripe wants 30 minutes to 24 hours from when it
// is asked; a retry may come later than the row that holds its end.
const (
	sessionLife = 23 * time.Hour
	leastLife   = 35 * time.Minute
)

// openTimeout bounds the work that goes on even if the reader hangs up, so
// that the row always says how it ended.
const openTimeout = 20 * time.Second

// Where an attempt's id comes from; ids of different sources never meet.
const (
	fromAPI  = "api:"
	fromForm = "form:"
	fromUs   = "own:"
)

// errOtherContent says that an attempt was made before, for something else.
var errOtherContent = &fault.Error{
	Kind: fault.Conflict, Field: "attempt",
	Detail: "This attempt was made before with other content; use a new attempt id.",
}

// open returns the open checkout of r, and whether it is new. The same attempt
// with the same content gives the same one. Stripe is asked after the row is
// written and the network's limit was checked.
//
// Errors: a [fault.Conflict], [fault.Limited], [fault.Upstream] where Stripe
// refuses, [fault.Unavailable] where Stripe or the database can't be reached.
func (s *Service) open(ctx context.Context, r request, network string) (row store.Checkout, fresh bool, err error) {
	digest := r.digest()
	found := false
	if r.attempt != "" {
		row, found, err = s.Store.CheckoutByAttempt(ctx, r.attempt)
		switch {
		case err != nil:
			return row, false, noDatabase(err)
		case found && row.Digest != digest:
			return row, false, errOtherContent
		case found && s.usable(row):
			expired, err := s.expired(ctx, row)
			if err != nil {
				return row, false, noDatabase(err)
			}
			if !expired {
				return row, false, nil
			}
			row.ExpiresAt = s.Now() // so that it is renewed
		}
	}
	if err := s.judge(ctx, r, network); err != nil {
		return row, false, err
	}
	if err := s.allow(ctx, network); err != nil {
		return row, false, err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), openTimeout)
	defer cancel()
	if !found {
		if row, fresh, err = s.write(ctx, r, digest); err != nil {
			return row, false, err
		}
		if s.usable(row) { // somebody with the same attempt was faster
			return row, false, nil
		}
	}
	if row, err = s.renewIfLate(ctx, row); err != nil {
		return row, false, err
	}
	row, err = s.askStripe(ctx, row)
	return row, fresh, err
}

// expired reports whether Stripe said that row's session has expired: before
// its time, as when somebody closed it in the dashboard. Its page is a dead
// end, so the same wish gets another session.
func (s *Service) expired(ctx context.Context, row store.Checkout) (bool, error) {
	state, err := s.Store.RegisterState(ctx, string(objects.NewRef(objects.KindSession, row.Session)))
	if err != nil || state == "" {
		return false, err
	}
	session, err := objects.DecodeRegister(objects.KindSession, state)
	if err != nil {
		return false, err
	}
	return session.(*objects.Session).Status == "expired", nil
}

// usable reports whether a donor can still pay at row's address, as far as its
// time goes.
func (s *Service) usable(row store.Checkout) bool {
	return row.Status == store.CheckoutOpen && s.Now().Before(row.ExpiresAt)
}

func noDatabase(err error) error {
	f := fault.Wrap(fault.Unavailable, err, "Gifts can't be taken for a moment; nothing was charged. Please try again.")
	f.RetryAfter = retrySoon
	return f
}

// retrySoon is when one should come back after an outage, in seconds.
const retrySoon = 10

func (s *Service) allow(ctx context.Context, network string) error {
	for _, limit := range [...]struct{ name, key string }{{limits.Checkout, network}, {limits.CheckoutAll, ""}} {
		if ok, wait := s.Limiter.Allow(ctx, limit.name, limit.key); !ok {
			f := fault.New(fault.Limited, "There were too many attempts; nothing was charged. Please try again later.")
			f.RetryAfter = max(1, int(math.Ceil(wait.Seconds())))
			return f
		}
	}
	return nil
}

// judge returns a [fault.Limited] for an attempt that may be a thief's, trying
// cards.
func (s *Service) judge(ctx context.Context, r request, network string) error {
	if s.Guard == nil {
		return nil
	}
	v := s.Guard.Judge(ctx, risk.Try{Network: network, Ticket: r.ticket, Work: r.work, Response: r.answer, Currency: r.Amount.Currency, Minor: r.Amount.Minor})
	if v.Pass {
		return nil
	}
	f := fault.New(fault.Limited, "There were too many attempts; nothing was charged. Please try again later, or on the support page.")
	switch {
	case v.Amount:
		f.Field, f.Detail = amountField, "Most payments of exactly this amount are refused at the moment; nothing was charged. Choose another amount, or try again later."
	case v.Zeros > 0:
		f.Cause = errProve
	}
	f.RetryAfter = max(1, int(math.Ceil(v.Wait.Seconds())))
	return f
}

// amountField is the field of the API that holds the amount.
const amountField = "amount_minor"

// errProve says that a proof of work, or patience, opens the checkout.
var errProve = errors.New("a proof of work is asked for")

// write stores a new row for r, or returns the one that a simultaneous request
// with the same attempt stored first; added tells which.
func (s *Service) write(ctx context.Context, r request, digest string) (row store.Checkout, added bool, err error) {
	utm, err := json.Marshal(r.UTM)
	if err != nil {
		return row, false, fmt.Errorf("write utm fields: %w", err)
	}
	now := s.Now().UTC()
	row = store.Checkout{
		ID: newID("co_"), Attempt: r.attempt, Digest: digest, IdempotencyKey: s.refused.key(now), Status: store.CheckoutNew,
		Currency: r.Amount.Currency, AmountMinor: r.Amount.Minor, Interval: r.Interval,
		Article: r.Article, Placement: r.Placement, Campaign: r.Campaign, Variant: r.Variant, Tier: tierOf(r),
		Locale: r.Lang, Attribution: r.Attribution, UTM: string(utm), Name: r.Name, Anonymous: r.Anonymous,
		Message: r.Message, ShowMessage: r.ShowMessage, Discreet: r.Discreet, ReturnURL: r.ReturnURL, CreatedAt: now, ExpiresAt: s.sessionEnd(),
		Day: giving.Day(now.Unix(), s.Zone),
	}
	if row.Attempt == "" {
		row.Attempt = fromUs + row.ID
	}
	added, err = s.Store.AddCheckout(ctx, row)
	if err != nil {
		return row, false, noDatabase(err)
	}
	if added {
		return row, true, nil
	}
	row, found, err := s.Store.CheckoutByAttempt(ctx, row.Attempt)
	switch {
	case err != nil:
		return row, false, noDatabase(err)
	case !found:
		return row, false, fmt.Errorf("attempt %s is taken and not there", row.Attempt)
	case row.Digest != digest:
		return row, false, errOtherContent
	}
	return row, false, nil
}

// tierOf returns the tier of a wish: of ours, the one that its amount reaches,
// whatever an address that was made for another amount says; any other as the
// site named it.
func tierOf(r request) string {
	reached, _ := offer.TierFor(r.Amount.Currency, r.Interval, r.Amount.Minor)
	if _, ours := offer.TierByID(r.Tier); ours || r.Tier == "" {
		return reached.ID
	}
	return r.Tier
}

// newID returns a random id: 130 bits after the prefix.
func newID(prefix string) string { return prefix + strings.ToLower(rand.Text()) }

// renewIfLate gives row a new key and end where Stripe would not take its old
// end any more.
func (s *Service) renewIfLate(ctx context.Context, row store.Checkout) (store.Checkout, error) {
	if s.Now().Add(leastLife).Before(row.ExpiresAt) {
		return row, nil
	}
	return s.renew(ctx, row, s.refused.key(s.Now()), s.sessionEnd())
}

// sessionEnd returns when a session that is asked for now ends, in whole
// seconds as Stripe has it.
func (s *Service) sessionEnd() time.Time { return s.Now().UTC().Add(sessionLife).Truncate(time.Second) }

// renew gives row another idempotency key. Where a simultaneous request did so
// first, its key is the one.
func (s *Service) renew(ctx context.Context, row store.Checkout, key string, ends time.Time) (store.Checkout, error) {
	renewed, err := s.Store.RenewCheckout(ctx, row.ID, row.IdempotencyKey, key, ends)
	if err != nil {
		return row, noDatabase(err)
	}
	if renewed {
		row.IdempotencyKey, row.ExpiresAt = key, ends
		row.Status, row.Session, row.URL = store.CheckoutNew, "", ""
		return row, nil
	}
	again, found, err := s.Store.CheckoutByAttempt(ctx, row.Attempt)
	if err != nil || !found {
		return row, noDatabase(err)
	}
	return again, nil
}

// maxAsks is how often Stripe is asked for one session: each optional
// parameter that it refuses is dropped once, and a spent key replaced once.
const maxAsks = 4

// askStripe opens row's session and stores it.
func (s *Service) askStripe(ctx context.Context, row store.Checkout) (store.Checkout, error) {
	for asked := 1; ; asked++ {
		session, err := s.Stripe.CreateSession(ctx, s.sessionParams(row))
		if err == nil {
			s.refused.learn(row.IdempotencyKey, s.Now())
			return s.opened(ctx, row, session)
		}
		key, reason := nextKey(row.IdempotencyKey, err)
		if key == "" || asked == maxAsks {
			return row, s.failed(ctx, row, err)
		}
		// Other parameters under the same key are refused, so the key changes
		// with them, and is stored first: whoever tries again asks the same.
		s.Log.WarnContext(ctx, "checkout: asking Stripe differently", "checkout", row.ID, "because", reason, "err", err)
		if row, err = s.renew(ctx, row, key, row.ExpiresAt); err != nil {
			return row, err
		}
		if s.usable(row) {
			return row, nil
		}
	}
}

// dropped separates the parts of an idempotency key: a random one, then the
// optional parameters that are left out under it.
const dropped = "~"

// nextKey returns the key to ask under after err, and why; "" where asking
// again can't help.
func nextKey(key string, err error) (next, reason string) {
	parts := strings.Split(key, dropped)
	if name, ok := stripeapi.OptionalParam(err); ok && !slices.Contains(parts[1:], name) {
		return key + dropped + name, "it refuses " + name
	}
	e, ok := errors.AsType[*stripeapi.Error](err)
	if ok && e.KeySpent {
		parts[0] = newID("key_")
		return strings.Join(parts, dropped), "the idempotency key is spent"
	}
	return "", ""
}

// A refusals remembers which optional parameters Stripe took a session without,
// so that not every donor waits for the same refusal: products that nobody has
// made yet, above all.
type refusals struct {
	mu    sync.Mutex
	until map[string]time.Time // by parameter: when it is tried again
}

// refusalLife is how long Stripe's word on a parameter counts.
const refusalLife = 10 * time.Minute

// learn takes what is left out under key to be refused from now on. What was
// refused before is tried again in its own time.
func (r *refusals) learn(key string, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, name := range strings.Split(key, dropped)[1:] {
		if now.After(r.until[name]) {
			r.until[name] = now.Add(refusalLife)
		}
	}
}

// key returns a new idempotency key, without what is refused.
func (r *refusals) key(now time.Time) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	key := newID("key_")
	for _, name := range slices.Sorted(maps.Keys(r.until)) {
		if now.Before(r.until[name]) {
			key += dropped + name
		}
	}
	return key
}

// opened stores Stripe's session, if it leads where donors may be sent.
func (s *Service) opened(ctx context.Context, row store.Checkout, session stripeapi.Session) (store.Checkout, error) {
	if !slices.Contains(s.PayOrigins, clean.Origin(session.URL)) {
		err := fmt.Errorf("the session %s leads to %q, not to %s", session.ID, session.URL, strings.Join(s.PayOrigins, " or "))
		return row, s.failed(ctx, row, err)
	}
	row.Status, row.Session, row.URL = store.CheckoutOpen, session.ID, session.URL
	if err := s.Store.OpenCheckout(ctx, row.ID, row.IdempotencyKey, session.ID, session.URL); err != nil {
		// The gift is recorded by Stripe's events all the same; only the page
		// the donor comes back to will not know it.
		s.Log.ErrorContext(ctx, "checkout: the session could not be stored", "checkout", row.ID, "session", session.ID, "err", err)
	}
	return row, nil
}

// failed writes on row why there is no session, and returns what to tell.
func (s *Service) failed(ctx context.Context, row store.Checkout, cause error) error {
	s.Log.ErrorContext(ctx, "checkout: no session", "checkout", row.ID, "currency", row.Currency,
		"interval", row.Interval, "err", cause)
	if err := s.Store.FailCheckout(ctx, row.ID, clean.Cut(cause.Error(), maxReason)); err != nil {
		s.Log.ErrorContext(ctx, "checkout: the reason could not be stored", "checkout", row.ID, "err", err)
	}
	if stripeapi.IsKind(cause, stripeapi.Unreachable) || stripeapi.IsKind(cause, stripeapi.Limited) {
		f := fault.Wrap(fault.Unavailable, cause, "The payment provider can't be reached; nothing was charged. Please try again.")
		f.RetryAfter = retrySoon
		return f
	}
	return fault.Wrap(fault.Upstream, cause, "The payment provider refused to open a payment page; nothing was charged.")
}

// maxReason is how much of an error a row keeps, in characters.
const maxReason = 500

// sessionParams returns what Stripe is asked for row. It depends on the row
// alone, since a retry must send the same.
func (s *Service) sessionParams(row store.Checkout) stripeapi.SessionParams {
	metadata := map[string]string{
		"support_v": "1", "checkout": row.ID, "article": row.Article, "placement": row.Placement,
		"campaign": row.Campaign, "variant": row.Variant, "locale": row.Locale, "tier": row.Tier,
		"attribution": row.Attribution,
	}
	utm := utmOf(row)
	for _, name := range [...]string{"utm_source", "utm_medium", "utm_campaign"} {
		metadata[name] = utm[name]
	}
	product := "checkout.product.once"
	if row.Interval != "once" {
		product = "checkout.product." + row.Interval
	}
	return stripeapi.SessionParams{
		IdempotencyKey: row.IdempotencyKey,
		Reference:      row.ID,
		Amount:         money.Amount{Minor: row.AmountMinor, Currency: row.Currency},
		Interval:       row.Interval,
		ProductName:    i18n.T(row.Locale, product),
		Lang:           row.Locale,
		Metadata:       metadata,
		// Stripe fills in the braces, which must not be escaped.
		SuccessURL: s.PublicURL + "/thanks?session_id={CHECKOUT_SESSION_ID}",
		CancelURL:  s.supportURL(row, true),
		ExpiresAt:  row.ExpiresAt,
		Without:    strings.Split(row.IdempotencyKey, dropped)[1:],
	}
}

func utmOf(row store.Checkout) map[string]string {
	utm := map[string]string{}
	_ = json.Unmarshal([]byte(row.UTM), &utm) // written by us; a row without is one without utm
	return utm
}

// supportURL returns the support page with what row chose, and with its
// attempt if the same gift is to be tried again. The name and the message stay
// out of addresses.
func (s *Service) supportURL(row store.Checkout, again bool) string {
	q := url.Values{}
	set := func(name, value string) {
		if value != "" {
			q.Set(name, value)
		}
	}
	set("amount", money.Amount{Minor: row.AmountMinor, Currency: row.Currency}.Decimal())
	set("currency", row.Currency)
	set("interval", row.Interval)
	set("article", row.Article)
	set("placement", row.Placement)
	set("campaign", row.Campaign)
	set("variant", row.Variant)
	set("tier", row.Tier)
	set("lang", row.Locale)
	set("return_url", row.ReturnURL)
	if row.Discreet { // who comes back must not lose it
		set("discreet", "1")
	}
	for name, value := range utmOf(row) {
		set(name, value)
	}
	if row.Attribution == signed {
		set("token", s.Signer.Sign(attribution.Claim{
			Article: row.Article, Placement: row.Placement, Campaign: row.Campaign, Variant: row.Variant,
			Lang: row.Locale, Hour: attribution.Hour(row.CreatedAt),
		}))
	}
	if attempt, ok := strings.CutPrefix(row.Attempt, fromForm); ok && again {
		set("attempt", attempt)
	}
	return s.PublicURL + "/support?" + q.Encode()
}
