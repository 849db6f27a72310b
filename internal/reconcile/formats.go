package reconcile

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/mail"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/united24media/support/internal/giving"
	"github.com/united24media/support/internal/money"
	"github.com/united24media/support/internal/objects"
)

// formats returns the files that can be imported.
func formats() []format {
	return []format{
		{name: "GiveWP's", needs: []string{"donation id", "donation total", "donation status", "donation date"}, reads: readGiveWP, unique: true},
		{name: "Stripe's", needs: []string{"id", "status", "customer id"}, reads: readStripe, unique: true},
		{
			name: "ours", needs: []string{"date", "amount", "currency"}, reads: readOurs,
			knows: []string{
				"reference", "refunded", "email", "name", "country", "method", "interval", "article", "placement", "campaign", "tier",
			},
		},
	}
}

// Limits of what a row may say, in characters.
const (
	maxReference = 100
	maxText      = 200
)

// usable are references that can be a donation's key as they are.
var usable = regexp.MustCompile(`^[A-Za-z0-9._:-]+$`)

// readOurs reads a row of our own format: one gift by bank transfer, in cash,
// or in any other way outside Stripe. Amounts are in major units.
func readOurs(r row, c calendar) (gift, error) {
	received, err := c.date(r["date"], "")
	if err != nil {
		return gift{}, fmt.Errorf("date: %w", err)
	}
	paid, err := readAmount("amount", r["amount"], r["currency"])
	if err != nil {
		return gift{}, err
	}
	g := gift{offline: objects.OfflineGift{
		Received: received.Unix(), Currency: paid.Currency, Amount: paid.Minor, Email: r["email"], Name: r["name"],
		Method: cmp.Or(r["method"], "offline"), Interval: giving.Interval(cmp.Or(r["interval"], string(giving.Once))),
		Won: giving.Attribution{Article: r["article"], Placement: r["placement"], Campaign: r["campaign"], Tier: r["tier"]},
	}}
	if r["refunded"] != "" {
		plain, _ := plainDecimal(r["refunded"], r["currency"])
		back, err := money.Parse(plain, r["currency"])
		if err != nil || back.Minor > paid.Minor || doubtful(r["refunded"], r["currency"]) {
			return gift{}, fmt.Errorf("refunded: %q is not an amount up to the gift's", r["refunded"])
		}
		g.offline.Refunded = back.Minor
	}
	switch g.offline.Interval {
	case giving.Once, giving.Month, giving.Year:
	default:
		return gift{}, fmt.Errorf("interval: %q; use once, month or year", r["interval"])
	}
	if err := readDonor(&g.offline, r["email"], r["country"]); err != nil {
		return gift{}, err
	}
	for name, value := range r {
		if len(value) > maxText {
			return gift{}, fmt.Errorf("%s: longer than %d characters", name, maxText)
		}
	}
	g.id, err = referenceOf(r, received, paid)
	return g, err
}

// referenceOf returns the key of a gift: its reference, or a hash of what it
// says, so that the same row is the same gift, also where a spreadsheet has
// written its day and amount in another form.
func referenceOf(r row, received time.Time, paid money.Amount) (string, error) {
	reference := r["reference"]
	switch {
	case reference == "":
		day := strings.TrimSuffix(received.Format(time.DateTime), noon)
		return "import_" + hash(day, paid.Decimal(), paid.Currency, strings.ToLower(r["email"]), r["name"], r["method"], r["article"]), nil
	case len(reference) > maxReference:
		return "", fmt.Errorf("reference: longer than %d characters", maxReference)
	case stripeRef(reference) != "":
		return "", fmt.Errorf("reference: %s is an id of Stripe's; import Stripe's own export to take it over", reference)
	case !usable.MatchString(reference):
		return "import_" + hash(reference), nil
	}
	return reference, nil
}

func hash(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return hex.EncodeToString(sum[:12])
}

// noon is when a gift was received of which only the day is known.
const noon = " 12:00:00"

// readAmount reads an amount, with or without signs for thousands, where it is
// not known how the file's author writes amounts.
func readAmount(name, text, currency string) (money.Amount, error) {
	if doubtful(text, currency) {
		return money.Amount{}, fmt.Errorf("%s: %q may be a fraction or thousands; write it such as 1250.00", name, text)
	}
	return readDecimal(name, text, currency)
}

// readDecimal reads an amount as [plainDecimal] tells.
func readDecimal(name, text, currency string) (money.Amount, error) {
	plain, _ := plainDecimal(text, currency) // "" is no amount either
	paid, err := money.Parse(plain, currency)
	switch {
	case errors.Is(err, money.ErrCurrency):
		return paid, fmt.Errorf("currency: %q is not accepted; use an ISO code such as EUR", currency)
	case err != nil:
		return paid, fmt.Errorf("%s: %q is not an amount of %s such as 10.50", name, text, strings.ToUpper(currency))
	case paid.Minor == 0:
		return paid, fmt.Errorf("%s: a gift must be more than zero", name)
	}
	return paid, nil
}

// readDonor checks and takes over who gave.
func readDonor(g *objects.OfflineGift, email, country string) error {
	if email != "" {
		if a, err := mail.ParseAddress(email); err != nil || a.Address != email {
			return fmt.Errorf("email: %q is not an address", email)
		}
	}
	if country != "" && (len(country) != 2 || strings.ToUpper(country) < "AA" || strings.ToUpper(country) > "ZZ") {
		return fmt.Errorf("country: %q is not a code of two letters such as UA", country)
	}
	g.Email, g.Country = email, strings.ToUpper(country)
	return nil
}

// layouts are the dates and times that can be read without doubt.
var layouts = [...]string{
	time.RFC3339, "2006-01-02 15:04:05", "2006-01-02 15:04", "2006-01-02", "02.01.2006 15:04:05", "02.01.2006 15:04", "02.01.2006", "January 2, 2006", "Jan 2, 2006", "2 January 2006",
}

// clocks are the times of day that stand in a column of their own.
var clocks = [...]string{"15:04:05", "15:04", "3:04 pm", "3:04 PM", "3:04pm", "3:04PM"}

// A calendar reads days.
type calendar struct {
	zone *time.Location
	now  time.Time
}

// date reads a day, with its time if there is one; else it is noon. Where
// slashes leave open which is the month it is refused.
func (c calendar) date(text, clock string) (time.Time, error) {
	day, err := c.day(text)
	if err != nil || clock == "" {
		return day, err
	}
	for _, layout := range clocks {
		if at, err := time.Parse(layout, clock); err == nil {
			return time.Date(day.Year(), day.Month(), day.Day(), at.Hour(), at.Minute(), at.Second(), 0, c.zone), nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is not a time such as 14:30", clock)
}

func (c calendar) day(text string) (time.Time, error) {
	for _, layout := range layouts {
		day, err := time.ParseInLocation(layout, text, c.zone)
		if err != nil {
			continue
		}
		if !strings.Contains(layout, "15") {
			day = day.Add(12 * time.Hour)
		}
		return c.check(day)
	}
	monthFirst, err1 := time.ParseInLocation("1/2/2006", text, c.zone)
	dayFirst, err2 := time.ParseInLocation("2/1/2006", text, c.zone)
	switch {
	case err1 == nil && err2 == nil && !monthFirst.Equal(dayFirst):
		return time.Time{}, fmt.Errorf("%q can be two days; write it as %s", text, dayFirst.Format(time.DateOnly))
	case err1 == nil:
		return c.check(monthFirst.Add(12 * time.Hour))
	case err2 == nil:
		return c.check(dayFirst.Add(12 * time.Hour))
	}
	return time.Time{}, fmt.Errorf("%q is not a day such as 2026-01-31", text)
}

// firstYear is the earliest year in which a gift can have been received.
const firstYear = 1990

func (c calendar) check(day time.Time) (time.Time, error) {
	if day.Year() < firstYear || day.After(c.now.Add(48*time.Hour)) {
		return time.Time{}, fmt.Errorf("%s is not a day on which a gift can have been received", day.Format(time.DateOnly))
	}
	return day, nil
}

// readGiveWP reads a row of GiveWP's export of donations.
func readGiveWP(r row, c calendar) (gift, error) {
	if n, err := strconv.ParseUint(r["donation id"], 10, 64); err != nil || n == 0 {
		return gift{}, fmt.Errorf("column Donation ID: %q is not a number", r["donation id"])
	}
	if strings.EqualFold(r["payment mode"], "test") {
		return gift{}, nil
	}
	refunded := false
	switch strings.ToLower(r["donation status"]) {
	case "complete", "completed", "publish", "renewal", "give_subscription":
	case "refunded":
		refunded = true
	case "pending", "processing", "abandoned", "failed", "cancelled", "canceled", "revoked", "preapproval", "preapproved", "trash":
		return gift{}, nil
	default:
		return gift{}, fmt.Errorf("column Donation Status: %q is not known", r["donation status"])
	}
	for _, name := range []string{"transaction id", "payment transaction id"} {
		if ref := stripeRef(r[name]); ref != "" {
			return gift{id: ref.ID(), adopted: ref}, nil
		}
	}
	received, err := c.date(r["donation date"], r["donation time"])
	if err != nil {
		return gift{}, fmt.Errorf("column Donation Date: %w", err)
	}
	if r["currency code"] == "" {
		return gift{}, errors.New("column Currency Code: empty; choose that column too when you export from GiveWP")
	}
	paid, err := readTotal(r["donation total"], r["currency symbol"], r["currency code"])
	if err != nil {
		return gift{}, err
	}
	g := gift{id: "givewp_" + r["donation id"], offline: objects.OfflineGift{
		Received: received.Unix(), Currency: paid.Currency, Amount: paid.Minor, Method: cmp.Or(strings.ToLower(r["payment gateway"]), "givewp"),
		Name: strings.TrimSpace(r["first name"] + " " + r["last name"]), Interval: giving.Once,
	}}
	if refunded {
		g.offline.Refunded = paid.Minor
	}
	country := r["country"]
	if len(country) != 2 { // a name: which country that is nobody can tell in all languages
		country = ""
	}
	return g, readDonor(&g.offline, r["email address"], country)
}

// readStripe reads a row of Stripe's own export of payments or subscriptions:
// what it names becomes ours, and the rest is asked of Stripe.
func readStripe(r row, _ calendar) (gift, error) {
	ref := stripeRef(cmp.Or(r["paymentintent id"], r["id"]))
	if ref == "" {
		return gift{}, fmt.Errorf("id: %q is not a payment, invoice or subscription of Stripe's", r["id"])
	}
	if ref.Kind() != objects.KindSubscription && brokenOff(r["status"]) {
		return gift{}, nil
	}
	said := func(name string) string { return r[name+" (metadata)"] }
	return gift{id: ref.ID(), adopted: ref, offline: objects.OfflineGift{Won: giving.Attribution{
		Article: said("article"), Placement: said("placement"), Campaign: said("campaign"), Tier: said("tier"),
	}}}, nil
}

// brokenOff reports whether a payment brought no money, by its status in
// Stripe's export.
func brokenOff(status string) bool {
	switch strings.ToLower(status) {
	case "failed", "canceled", "requires_payment_method", "requires_action", "requires_confirmation", "blocked":
		return true
	}
	return false
}

// stripeID is the form of Stripe's ids.
var stripeID = regexp.MustCompile(`^(pi|ch|py|in|sub|cs)_[A-Za-z0-9_]{1,250}$`)

// stripeRef names the object at Stripe that an id is of, or "".
func stripeRef(id string) objects.Ref {
	match := stripeID.FindStringSubmatch(id)
	if match == nil {
		return ""
	}
	return objects.NewRef(map[string]objects.Kind{
		"pi": objects.KindIntent, "ch": objects.KindCharge, "py": objects.KindCharge, "in": objects.KindInvoice,
		"sub": objects.KindSubscription, "cs": objects.KindSession,
	}[match[1]], id)
}
