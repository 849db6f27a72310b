package account

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/united24media/support/internal/fault"
	"github.com/united24media/support/internal/giving"
	"github.com/united24media/support/internal/i18n"
	"github.com/united24media/support/internal/money"
	"github.com/united24media/support/internal/offer"
)

// A giftView is one gift in a list.
type giftView struct {
	Date    string
	Amount  string
	Often   string
	Back    string // what was refunded or disputed; "" if nothing
	URL     string // of its receipt
	Monthly string // where it is made monthly; "" where it repeats already
}

// gift returns a gift as a list shows it.
func (s *Service) gift(v *visit, d *giving.Donation) giftView {
	view := giftView{
		Date: s.date(v, d.Created), Amount: v.write(d.Gross, d.Currency), Often: v.often(d.Interval),
		URL: "/account/gifts/" + url.PathEscape(d.Key),
	}
	if back := d.Refunded + d.Disputed; back > 0 {
		view.Back = v.say("account.gift.back", i18n.Args{"Amount": v.write(back, d.Currency)})
	}
	if d.Interval == giving.Once && back(d) == 0 {
		view.Monthly = v.monthly(d)
	}
	return view
}

// back returns what of a gift did not stay.
func back(d *giving.Donation) int64 { return d.Refunded + d.Disputed }

func (v *visit) often(interval giving.Interval) string {
	if interval == "" {
		return ""
	}
	return v.say("interval." + string(interval))
}

// monthly returns the support page on which a gift is given every month, or ""
// where its amount can't be.
func (v *visit) monthly(d *giving.Donation) string {
	o, ok := offer.Get(d.Currency, offer.Month)
	if !ok || o.Admits(d.Gross) != nil {
		return ""
	}
	q := url.Values{
		"interval": {offer.Month}, "currency": {d.Currency}, "lang": {v.lang}, "utm_source": {"account"},
		"amount": {money.Amount{Minor: d.Gross, Currency: d.Currency}.Decimal()},
	}
	for name, value := range map[string]string{"article": d.Article, "placement": d.Placement, "campaign": d.Campaign} {
		if value != "" {
			q.Set(name, value)
		}
	}
	return "/support?" + q.Encode()
}

// A receiptView is what a receipt shows.
type receiptView struct {
	Lang    string
	Number  string
	Rows    []row
	Kept    string // what stayed, where something went back
	Monthly string
	Year    string // of the statement that it is in
}

// receipt handles GET /account/gifts/:key.
func (s *Service) receipt(v *visit) error {
	d, err := s.Store.GiftOf(v.Request.Context(), v.address(), v.Param("key"))
	if err != nil {
		return err
	}
	gift := s.gift(v, d)
	r := receiptView{Lang: v.lang, Number: d.Key, Monthly: gift.Monthly, Year: strconv.Itoa(s.year(d))}
	add := func(name, value string) {
		if value != "" {
			r.Rows = append(r.Rows, row{v.say("account.receipt." + name), value})
		}
	}
	add("date", gift.Date)
	add("amount", gift.Amount)
	add("often", gift.Often)
	if d.Refunded > 0 {
		add("refunded", v.write(d.Refunded, d.Currency))
	}
	if d.Disputed > 0 {
		add("disputed", v.write(d.Disputed, d.Currency))
	}
	if back := back(d); back > 0 {
		add("kept", v.write(d.Gross-back, d.Currency))
	}
	add("method", v.method(d.Method))
	add("name", d.Name)
	add("email", d.Email)
	return s.render(v.Context, giftPage, http.StatusOK, v.lang, "account.receipt.title", r)
}

// method returns a way of paying in words, or Stripe's own word for one that
// has none of ours.
func (v *visit) method(stripes string) string {
	switch stripes {
	case "card", "sepa_debit", "paypal", "link", "bank_transfer", "cash":
		return v.say("account.method." + stripes)
	}
	return stripes
}

// year returns the calendar year of a gift.
func (s *Service) year(d *giving.Donation) int { return time.Unix(d.Created, 0).In(s.Zone).Year() }

// A statementView is what a year's statement shows.
type statementView struct {
	Lang   string
	Year   string
	Name   string
	Email  string
	Gifts  []giftView
	Totals []totalView
	Made   string // the day on which it is shown
}

// A totalView is what a year's gifts in one currency come to.
type totalView struct{ Given, Back, Kept string }

// statement handles GET /account/statements/:year.
func (s *Service) statement(v *visit) error {
	gifts, err := s.Store.GiftsOf(v.Request.Context(), v.address())
	if err != nil {
		return err
	}
	year, err := strconv.Atoi(v.Param("year"))
	gifts = slices.DeleteFunc(gifts, func(d *giving.Donation) bool { return s.year(d) != year })
	if err != nil || len(gifts) == 0 {
		return fault.New(fault.NotFound, "There is no statement of this year.")
	}
	slices.Reverse(gifts) // the oldest first, as accounts are kept
	view := statementView{
		Lang: v.lang, Year: strconv.Itoa(year), Email: gifts[len(gifts)-1].Email, Made: i18n.Date(v.lang, s.Now().In(s.Zone)),
	}
	given, returned := map[string]int64{}, map[string]int64{}
	var currencies []string
	for _, d := range gifts {
		view.Gifts = append(view.Gifts, s.gift(v, d))
		view.Name = cmp.Or(d.Name, view.Name)
		if _, seen := given[d.Currency]; !seen {
			currencies = append(currencies, d.Currency)
		}
		given[d.Currency] += d.Gross
		returned[d.Currency] += back(d)
	}
	slices.Sort(currencies)
	for _, c := range currencies {
		total := totalView{Given: v.write(given[c], c), Kept: v.write(given[c]-returned[c], c)}
		if returned[c] > 0 {
			total.Back = v.write(returned[c], c)
		}
		view.Totals = append(view.Totals, total)
	}
	return s.render(v.Context, statementPage, http.StatusOK, v.lang, "account.statement.title", view)
}
