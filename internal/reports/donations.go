package reports

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

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
	token, err := s.authorize(c)
	if err != nil {
		return err
	}
	values, err := parameters(c, func(name string) bool {
		return store.FilterableDonationField(name) || slices.Contains([]string{"from", "to", "cursor", "limit"}, name)
	})
	if err != nil {
		return err
	}
	filter, err := s.filter(values)
	if err != nil {
		return err
	}
	size := filter.Limit
	filter.Limit++ // one more tells whether there is a next page
	found, err := s.store.Donations(c.Request.Context(), filter)
	if err != nil {
		return err
	}
	var next *string
	if len(found) > size {
		found = found[:size]
		cursor := writeCursor(found[size-1])
		next = &cursor
	}
	page := make([]donation, 0, len(found))
	for _, d := range found {
		page = append(page, shown(d, token.Role))
	}
	c.JSON(http.StatusOK, gin.H{"donations": page, "next_cursor": next})
	return nil
}

// Donation handles GET /v1/donations/ID: the gift, its refunds and disputes, and
// the deposit it is part of.
func (s *Service) Donation(c *gin.Context) error {
	c.Header("Vary", "Authorization")
	token, err := s.authorize(c)
	if err != nil {
		return err
	}
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

// filter reads the parameters of a list.
func (s *Service) filter(values url.Values) (store.DonationFilter, error) {
	f := store.DonationFilter{Equal: map[string]string{}, Limit: defaultPage}
	for name := range values {
		value := values.Get(name)
		var err error
		switch name {
		case "from":
			f.From, err = s.midnight(name, value)
		case "to":
			f.To, err = s.midnight(name, value)
		case "cursor":
			f.After, err = readCursor(value)
		case "limit":
			f.Limit, err = strconv.Atoi(value)
			if err != nil || f.Limit < 1 || f.Limit > maxPage {
				err = fault.Field("limit", "A page has 1 to %d donations.", maxPage)
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
	if !f.From.IsZero() && !f.To.IsZero() && !f.To.After(f.From) {
		return store.DonationFilter{}, fault.Field("to", "The day is not after from; to is the day after the last one.")
	}
	return f, nil
}

// midnight returns when a day begins in the reports' time zone.
func (s *Service) midnight(field, text string) (time.Time, error) {
	day, err := parseDay(field, text)
	if err != nil {
		return time.Time{}, err
	}
	return time.Date(day.Year(), day.Month(), day.Day(), 0, 0, 0, 0, s.zone), nil
}

// writeCursor returns the place after d, opaque to callers.
func writeCursor(d *giving.Donation) string {
	return base64.RawURLEncoding.EncodeToString([]byte(strconv.FormatInt(d.Created, 10) + " " + d.Key))
}

func readCursor(text string) (store.Position, error) {
	raw, err := base64.RawURLEncoding.DecodeString(text)
	created, key, ok := strings.Cut(string(raw), " ")
	at, numberErr := strconv.ParseInt(created, 10, 64)
	if err != nil || numberErr != nil || !ok || key == "" {
		return store.Position{}, fault.Field("cursor", "The cursor is not one we gave; take next_cursor of the page before.")
	}
	return store.Position{Created: at, Key: key}, nil
}

// shown returns d as a holder of role may see it.
func shown(d *giving.Donation, role string) donation {
	out := donation{
		ID: d.Key, CreatedAt: time.Unix(d.Created, 0).UTC(), Source: d.Source, Interval: string(d.Interval), Tier: d.Tier,
		Currency: d.Currency, Gross: d.Gross, Refunded: d.Refunded, Disputed: d.Disputed,
		Received: d.Gross - d.Refunded - d.Disputed, NewSupporter: d.First,
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
