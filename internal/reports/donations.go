package reports

import (
	"context"
	"encoding/base64"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/gin-gonic/gin"

	"github.com/united24media/support/internal/fault"
	"github.com/united24media/support/internal/giving"
	"github.com/united24media/support/internal/store"
)

// Sizes of a page of donations, in rows.
const (
	defaultPage = 50
	maxPage     = 200
)

// A donation is one gift, as the API shows it. What says who gave is there for
// finance alone.
type donation struct {
	ID                 string    `json:"id"`
	CreatedAt          time.Time `json:"created_at"`
	Source             string    `json:"source"`
	Interval           string    `json:"interval"`
	Tier               string    `json:"tier"`
	Currency           string    `json:"currency"`
	Gross              int64     `json:"gross_minor"`
	Refunded           int64     `json:"refunded_minor"`
	Disputed           int64     `json:"disputed_minor"`
	Received           int64     `json:"received_minor"`
	Status             string    `json:"status"`
	SettlementCurrency *string   `json:"settlement_currency"`
	Fee                *int64    `json:"fee_minor"`
	Net                *int64    `json:"net_minor"`
	NewSupporter       bool      `json:"new_supporter"`
	Article            string    `json:"article"`
	Placement          string    `json:"placement"`
	Campaign           string    `json:"campaign"`
	Variant            string    `json:"variant"`
	Country            string    `json:"country"`
	Locale             string    `json:"locale"`
	Attribution        string    `json:"attribution"`
	UTMSource          string    `json:"utm_source"`
	UTMMedium          string    `json:"utm_medium"`
	UTMCampaign        string    `json:"utm_campaign"`
	Method             string    `json:"method"`
	*person
}

// A person is who gave, and the Stripe objects that lead there.
type person struct {
	Email        string `json:"email"`
	Name         string `json:"name"`
	Customer     string `json:"customer"`
	Charge       string `json:"charge"`
	Invoice      string `json:"invoice"`
	Subscription string `json:"subscription"`
}

// List handles GET /v1/donations: newest first, a page at a time.
func (s *Service) List(c *gin.Context) error {
	c.Header("Vary", "Authorization")
	token, leave, err := s.authorize(c)
	if err != nil {
		return err
	}
	defer leave()
	values, err := parameters(c, func(name string) bool {
		return slices.Contains(listFilters, name) || slices.Contains(moreParameters, name)
	})
	if err != nil {
		return err
	}
	filter, err := s.filter(c.Request.Context(), values, token.Role)
	if err != nil {
		return err
	}
	found, err := s.store.DonationList(c.Request.Context(), filter)
	if err != nil {
		return err
	}
	page := make([]donation, 0, len(found.Donations))
	for _, d := range found.Donations {
		page = append(page, shown(d, token.Role))
	}
	c.JSON(http.StatusOK, gin.H{
		"donations": page, "next_cursor": cursor(found.Older, ""), "previous_cursor": cursor(found.Newer, backwards),
	})
	return nil
}

// Donation handles GET /v1/donations/ID: the gift, its refunds and disputes, and
// the deposit it is part of.
func (s *Service) Donation(c *gin.Context) error {
	c.Header("Vary", "Authorization")
	token, leave, err := s.authorize(c)
	if err != nil {
		return err
	}
	defer leave()
	d, err := s.store.DonationByKey(c.Request.Context(), c.Param("id"))
	if err != nil {
		return err
	}
	detail, err := s.detail(c.Request.Context(), d, token.Role)
	if err != nil {
		return err
	}
	c.JSON(http.StatusOK, detail)
	return nil
}

// listFilters are the parameters of a list that are compared with a field of
// the same name.
var listFilters = []string{
	"article", "placement", "campaign", "variant", "country", "currency", "interval", "tier", "attribution", "source",
	"settlement_currency", "status", "method", "subscription",
}

// moreParameters are the other parameters of a list.
var moreParameters = []string{"from", "to", "amount_from", "amount_to", "text", "cursor", "limit"}

// filter reads the parameters of a list.
func (s *Service) filter(ctx context.Context, values url.Values, role string) (store.DonationFilter, error) {
	f := store.DonationFilter{Equal: map[string]string{}, Limit: defaultPage}
	for name := range values {
		value := values.Get(name)
		var err error
		switch name {
		case "from":
			f.From, err = s.midnight(name, value)
		case "to":
			f.To, err = s.midnight(name, value)
		case "amount_from":
			f.AmountFrom, err = minorUnits(name, value)
		case "amount_to":
			f.AmountTo, err = minorUnits(name, value)
		case "text":
			f.Text, err = s.Find(ctx, value, role == RoleFinance)
		case "cursor":
			f.At, f.Back, err = ReadCursor(value)
		case "limit":
			f.Limit, err = strconv.Atoi(value)
			if err != nil || f.Limit < 1 || f.Limit > maxPage {
				err = fault.Field("limit", "A page has 1 to %d donations.", maxPage)
			}
		case "status":
			f.Equal[name] = value
			if !slices.Contains(giving.Outcomes(), value) {
				err = fault.Field("status", "A status is one of: %s.", strings.Join(giving.Outcomes(), ", "))
			}
		case "subscription":
			f.Equal[name] = value
			if role != RoleFinance {
				err = fault.Field("subscription", "Only a token of role finance may ask for a subscription's donations.")
			}
		case "currency", "settlement_currency", "country":
			f.Equal[name] = strings.ToUpper(value)
		default:
			f.Equal[name] = value
		}
		if err != nil {
			return store.DonationFilter{}, err
		}
	}
	return f, CheckFilter(f)
}

// CheckFilter returns a [fault.Invalid] for filters that don't go together.
func CheckFilter(f store.DonationFilter) error {
	switch {
	case !f.From.IsZero() && !f.To.IsZero() && !f.To.After(f.From):
		return fault.Field("to", "The day is not after from; to is the day after the last one.")
	case (f.AmountFrom != 0 || f.AmountTo != 0) && f.Equal["currency"] == "":
		return fault.Field("currency", "Give the currency that the amounts are in.")
	case f.AmountTo != 0 && f.AmountTo < f.AmountFrom:
		return fault.Field("amount_to", "The amount is less than amount_from.")
	}
	return nil
}

func minorUnits(field, text string) (int64, error) {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 1 {
		return 0, fault.Field(field, "Give a whole number of minor units, such as 1050 for 10.50 EUR.")
	}
	return n, nil
}

// midnight returns when a day begins in the reports' time zone.
func (s *Service) midnight(field, text string) (time.Time, error) {
	day, err := parseDay(field, text)
	if err != nil {
		return time.Time{}, err
	}
	return time.Date(day.Year(), day.Month(), day.Day(), 0, 0, 0, 0, s.zone), nil
}

// backwards begins a cursor that leads to newer donations.
const backwards = "<"

// cursor returns a place in the list as callers keep it, opaque to them; nil
// for the list's end.
func cursor(p store.Position, direction string) *string {
	if p == (store.Position{}) {
		return nil
	}
	text := WriteCursor(p, direction == backwards)
	return &text
}

// WriteCursor returns a place in the list, and which way to read from there, as
// text.
func WriteCursor(p store.Position, back bool) string {
	text := strconv.FormatInt(p.Created, 10) + " " + p.Key
	if back {
		text = backwards + text
	}
	return base64.RawURLEncoding.EncodeToString([]byte(text))
}

// ReadCursor reads what [WriteCursor] wrote. It returns a [fault.Invalid] that
// names cursor.
func ReadCursor(text string) (p store.Position, back bool, err error) {
	raw, err := base64.RawURLEncoding.DecodeString(text)
	place, back := strings.CutPrefix(string(raw), backwards)
	created, key, ok := strings.Cut(place, " ")
	at, numberErr := strconv.ParseInt(created, 10, 64)
	if err != nil || numberErr != nil || !ok || strings.ContainsRune(key, 0) || !utf8.ValidString(key) {
		return store.Position{}, false, fault.Field("cursor", "The cursor is not one we gave; take next_cursor of the page before.")
	}
	return store.Position{Created: at, Key: key}, back, nil
}

// shown returns d as a holder of role may see it.
func shown(d *giving.Donation, role string) donation {
	out := donation{
		ID: d.Key, CreatedAt: time.Unix(d.Created, 0).UTC(), Source: d.Source, Interval: string(d.Interval), Tier: d.Tier,
		Currency: d.Currency, Gross: d.Gross, Refunded: d.Refunded, Disputed: d.Disputed,
		Received: d.Gross - d.Refunded - d.Disputed, Status: d.Outcome(), NewSupporter: d.First,
		Article: d.Article, Placement: d.Placement, Campaign: d.Campaign, Variant: d.Variant,
		Country: d.Country, Locale: d.Locale, Attribution: d.Status,
		UTMSource: d.UTMSource, UTMMedium: d.UTMMedium, UTMCampaign: d.UTMCampaign, Method: d.Method,
	}
	if d.Settled.Currency != "" {
		out.SettlementCurrency, out.Fee, out.Net = &d.Settled.Currency, &d.Settled.Fee, &d.Settled.Net
	}
	if role == RoleFinance {
		out.person = &person{d.Email, d.Name, d.Customer, d.Charge, d.Invoice, d.Subscription}
	}
	return out
}
