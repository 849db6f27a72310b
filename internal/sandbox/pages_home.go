package sandbox

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/united24media/support/internal/sandbox/params"
)

// homeRows is how many payments and memberships the sandbox's own page shows.
const homeRows = 20

type homePage struct {
	pageTop
	Clock, Alert           string
	Charges, Subscriptions []homeRow
}

type homeRow struct {
	ID, Amount, Status, Who, When string
	Actions                       []action
}

// home shows the newest payments and memberships with what may happen to them,
// for people who try the product out.
func (p *pages) home(w http.ResponseWriter, r *http.Request) { p.showHome(w, http.StatusOK, "") }

func (p *pages) showHome(w http.ResponseWriter, status int, alert string) {
	page := homePage{pageTop: p.top("Behind the sandbox", "/"), Alert: alert}
	err := p.s.do(func() error {
		page.Clock = time.Unix(p.s.now(), 0).UTC().Format("2 January 2006, 15:04:05 UTC")
		page.Charges = p.s.newest(kindCharge, p.s.chargeRow)
		page.Subscriptions = p.s.newest(kindSubscription, p.s.subscriptionRow)
		return nil
	})
	if err != nil {
		p.fail(w, err)
		return
	}
	p.show(w, status, "home.html", page, nil)
}

func (s *Sandbox) newest(k kind, row func(Object) homeRow) []homeRow {
	var rows []homeRow
	t := s.st.table(k)
	for _, id := range slices.Backward(t.ids) {
		if len(rows) == homeRows {
			break
		}
		rows = append(rows, row(t.byID[id]))
	}
	return rows
}

func (s *Sandbox) chargeRow(c Object) homeRow {
	row := homeRow{
		ID: c.id(), Amount: amountText(c.int("amount"), c.str("currency")), Status: c.str("status"),
		Who: c.obj("billing_details").str("email"), When: moment(c.int("created")),
	}
	if back := c.int("amount_refunded"); back > 0 {
		row.Status += ", " + amountText(back, c.str("currency")) + " refunded"
	}
	disputes := s.where(kindDispute, "charge", c.id())
	if len(disputes) > 0 {
		row.Status += ", dispute " + strings.ReplaceAll(disputes[0].(Object).str("status"), "_", " ")
	}
	switch {
	case c.str("status") != "succeeded":
	case len(disputes) > 0 && openDisputeStatus(disputes[0].(Object).str("status")):
		row.Actions = []action{{"lost", "Lose the dispute", true}, {"won", "Win the dispute", true}}
	case len(disputes) > 0:
	case c.bool("refunded"):
		row.Actions = []action{{"refund_fails", "Let the refund fail", true}}
	default:
		row.Actions = []action{{"refund", "Refund", true}, {"dispute", "Dispute", true}}
	}
	return row
}

func (s *Sandbox) subscriptionRow(sub Object) homeRow {
	item := portalItemOf(sub)
	row := homeRow{
		ID: sub.id(), Amount: item.Amount + " " + item.Every, Status: item.Status,
		Who: s.st.get(kindCustomer, sub.str("customer")).str("email"), When: moment(sub.int("created")),
	}
	if !item.Alive {
		return row
	}
	row.Actions = []action{{"fails", "Let its payments fail", true}, {"cancel", "Cancel now", true}}
	if s.st.get(kindNote, sub.id()).bool("declines") {
		row.Actions[0] = action{"works", "Let its payments work", true}
	}
	return row
}

func moment(at int64) string { return time.Unix(at, 0).UTC().Format("2 Jan 2006 15:04") }

// act does what a button of the page says.
func (p *pages) act(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxPageForm)
	var err error
	if advance := r.FormValue("advance"); advance != "" {
		d, wrong := time.ParseDuration(advance)
		if wrong != nil {
			d = -1 // which Advance refuses
		}
		err = p.s.Advance(d)
	} else {
		err = p.s.press(r.FormValue("action"), r.FormValue("id"))
	}
	if e := asAPIErrorOrNil(err); e != nil {
		p.showHome(w, e.status, e.message)
		return
	}
	http.Redirect(w, r, p.s.opts.BaseURL+"/", http.StatusSeeOther)
}

// press does one action to a charge or a subscription.
func (s *Sandbox) press(action, id string) error {
	newestOf := func(k kind) string {
		s.mu.Lock()
		defer s.mu.Unlock()
		if found := s.where(k, "charge", id); len(found) > 0 {
			return found[0].(Object).id()
		}
		return ""
	}
	switch action {
	case "refund":
		_, err := s.Refund(id, 0)
		return err
	case "refund_fails":
		return s.FailRefund(newestOf(kindRefund))
	case "dispute":
		_, err := s.Dispute(id, Complaint{})
		return err
	case "won", "lost":
		return s.CloseDispute(newestOf(kindDispute), action, false)
	case "fails", "works":
		return s.FailPayments(id, action == "fails")
	case "cancel":
		return s.do(func() error {
			_, err := s.cancelSubscription(&call{path: func(string) string { return id }, params: params.Values{}})
			return err
		})
	}
	return invalid("action", "There is no action "+action+".")
}
