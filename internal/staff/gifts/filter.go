package gifts

import (
	"context"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/united24media/support/internal/clean"
	"github.com/united24media/support/internal/fault"
	"github.com/united24media/support/internal/giving"
	"github.com/united24media/support/internal/i18n"
	"github.com/united24media/support/internal/reports"
	"github.com/united24media/support/internal/staff/desk"
	"github.com/united24media/support/internal/store"
)

// The parameters of the list. A view's own are below those of the address, and
// text is never in the address.
const (
	fieldView   = "view"
	fieldCursor = "cursor"
	fieldText   = "text"
)

// fields are the list's filters, in the order of the form.
var fields = []string{
	"from", "to", "article", "campaign", "placement", "currency", "amount_from", "amount_to", "status", "interval", "country", "method",
	"attribution", "subscription",
}

const (
	pageSize = 50
	maxField = 200 // characters of a filter's value
)

// A wanted is what a list is asked for: the filters as they were given, and
// what they mean.
type wanted struct {
	Values url.Values // without empty ones, view and cursor
	View   store.SavedView
	Filter store.DonationFilter
}

// want reads a request for a list. Where a filter can't be read it returns
// what was given as well as the error.
func (g *Gifts) want(v *desk.Visit, given url.Values) (wanted, error) {
	w := wanted{Values: url.Values{}}
	ctx := v.Request.Context()
	if id := given.Get(fieldView); id != "" {
		view, err := g.Store.View(ctx, v.Member.ID, id)
		if err != nil {
			return w, err
		}
		kept, err := url.ParseQuery(view.Filters)
		if err != nil {
			return w, err
		}
		w.View, w.Values = view, kept
	}
	for name, values := range given {
		if name == fieldView || name == fieldCursor {
			continue
		}
		if !slices.Contains(fields, name) {
			return w, fault.Field(name, "There is no such filter.")
		}
		w.Values.Del(name)
		if value := clean.Text(values[0]); value != "" {
			w.Values.Set(name, value)
		}
	}
	var err error
	w.Filter, err = g.filter(ctx, w.Values, persons(v))
	if err == nil && given.Get(fieldCursor) != "" {
		w.Filter.At, w.Filter.Back, err = reports.ReadCursor(given.Get(fieldCursor))
	}
	return w, err
}

// filter reads filters. It returns a [fault.Invalid] that names the one that
// is wrong.
func (g *Gifts) filter(ctx context.Context, values url.Values, persons bool) (store.DonationFilter, error) {
	f := store.DonationFilter{Equal: map[string]string{}, Limit: pageSize}
	currency := strings.ToUpper(values.Get("currency"))
	for name := range values {
		value := values.Get(name)
		if utf8.RuneCountInString(value) > maxField {
			return f, fault.Field(name, "The value has more than %d characters.", maxField)
		}
		var err error
		switch name {
		case "from":
			f.From, err = g.midnight(name, value, 0)
		case "to":
			f.To, err = g.midnight(name, value, 1)
		case "amount_from":
			f.AmountFrom, err = minor(name, value, currency)
		case "amount_to":
			f.AmountTo, err = minor(name, value, currency)
		case fieldText:
			f.Text, err = g.Reports.Find(ctx, value, persons)
		case "currency", "country":
			f.Equal[name] = strings.ToUpper(value)
		case "status":
			if f.Equal[name] = value; !slices.Contains(giving.Outcomes(), value) {
				err = fault.Field(name, "A status is one of: %s.", strings.Join(giving.Outcomes(), ", "))
			}
		case "subscription":
			if f.Equal[name] = value; !persons {
				err = fault.Field(name, "Your role does not show who gave.")
			}
		default:
			f.Equal[name] = value
			if value == none {
				f.Equal[name] = ""
			}
		}
		if err != nil {
			return f, err
		}
	}
	if !f.From.IsZero() && !f.To.IsZero() && !f.To.After(f.From) {
		return f, fault.Field("to", "The last day is before the first.")
	}
	return f, reports.CheckFilter(f)
}

// none is a filter's value for what is not known.
const none = "–"

// midnight returns when a day begins, or one some days later.
func (g *Gifts) midnight(field, text string, later int) (time.Time, error) {
	day, err := time.Parse(time.DateOnly, text)
	if err != nil || day.Year() < 1000 {
		return time.Time{}, fault.Field(field, "Give a day such as 2026-01-31.")
	}
	return time.Date(day.Year(), day.Month(), day.Day()+later, 0, 0, 0, 0, g.Zone), nil
}

func minor(field, text, currency string) (int64, error) {
	if currency == "" {
		return 0, fault.Field("currency", "Choose the currency that the amounts are in.")
	}
	a, err := i18n.ParseMoney(text, currency)
	if err != nil || a.Minor == 0 {
		return 0, fault.Field(field, "Give an amount in %s, such as 10.", currency)
	}
	return a.Minor, nil
}

// query returns the address of a list with the same filters, at a place in it.
func (w *wanted) query(path string, at store.Position, back bool) string {
	values := url.Values{}
	for name, value := range w.Values {
		if name != fieldText {
			values[name] = value
		}
	}
	if w.View.ID != "" {
		kept, _ := url.ParseQuery(w.View.Filters) // it was read before
		for name := range kept {
			if !w.Values.Has(name) {
				values.Set(name, "") // taken off the view
			}
		}
		values.Set(fieldView, w.View.ID)
	}
	if at != (store.Position{}) {
		values.Set(fieldCursor, reports.WriteCursor(at, back))
	}
	if len(values) == 0 {
		return path
	}
	return path + "?" + values.Encode()
}
