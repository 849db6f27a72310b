package gifts

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/united24media/support/internal/fault"
	"github.com/united24media/support/internal/giving"
	"github.com/united24media/support/internal/privacy"
	"github.com/united24media/support/internal/staff/desk"
	"github.com/united24media/support/internal/store"
	"github.com/united24media/support/internal/stripeapi"
)

// dataView is what the page shows with everything that is kept about somebody.
type dataView struct {
	Supporter string // the address of their page
	Made      time.Time
	Tables    []privacy.Table
}

// record returns everything that is kept about who made a gift, and writes
// into the audit log that it was looked at.
func (g *Gifts) record(v *desk.Visit, form string) (*giving.Donation, *privacy.Record, error) {
	ctx := v.Request.Context()
	d, err := g.Store.DonationByKey(ctx, v.Param("id"))
	if err != nil {
		return nil, nil, err
	}
	entry := g.Desk.By(v, "supporter.data", d.Key)
	entry.Detail = form
	if err := g.Desk.Audit(ctx, entry); err != nil {
		return nil, nil, err
	}
	record, err := g.Privacy.Record(ctx, d.Supporter)
	return d, record, err
}

// showData handles GET /staff/supporters/ID/data.
func (g *Gifts) showData(v *desk.Visit) error {
	d, record, err := g.record(v, "as a page")
	if err != nil {
		return err
	}
	view := dataView{supportersPath + "/" + d.Key, record.MadeAt, record.Tables("en", g.Zone)}
	return g.Desk.Render(v, g.data, desk.Page{Title: "Everything about a supporter", Body: view})
}

// downloadData handles GET /staff/supporters/ID/data.json. The file is named
// by the gift: an address in it would stay in the browser's list.
func (g *Gifts) downloadData(v *desk.Visit) error {
	if err := g.Desk.Fresh(v, strings.TrimSuffix(v.Request.URL.Path, ".json")); err != nil {
		return err
	}
	d, record, err := g.record(v, "as a file")
	if err != nil {
		return err
	}
	body, err := json.MarshalIndent(record, "", "  ")
	if err != nil {
		return err
	}
	v.Header("Content-Disposition", `attachment; filename="supporter-`+fileName(d.Key)+`.json"`)
	v.Data(http.StatusOK, "application/json; charset=utf-8", append(body, '\n'))
	return nil
}

// fileName returns what of a key can stand in a file's name: an import's
// reference may hold anything.
func fileName(key string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_' || r == '-' {
			return r
		}
		return '-'
	}, key)
}

// grounds are why somebody is erased. There is no text to be typed: it would
// stay in the audit log, which is never changed, and might say who it was.
var grounds = []ground{
	{"asked", "They asked for it"},
	{"representative", "Somebody asked who acts for them, such as a parent or a lawyer"},
	{"authority", "An authority or a court demands it"},
	{"mistake", "It should never have been kept"},
	{"danger", "It endangers them"},
}

type ground struct{ Value, Text string }

func groundOf(value string) (ground, bool) {
	for _, one := range grounds {
		if one.Value == value {
			return one, true
		}
	}
	return ground{}, false
}

// eraseView is the page on which an erasure is confirmed.
type eraseView struct {
	Back    string
	Title   string
	Emails  []string
	Gifts   int
	Members []memberRow // that end with it
	Grounds []ground
	Chosen  string
	Wrong   string
	Field   string
}

// askErase handles GET /staff/supporters/ID/erase.
func (g *Gifts) askErase(v *desk.Visit) error {
	if err := g.Desk.Fresh(v, v.Request.URL.Path); err != nil {
		return err
	}
	return g.eraseForm(v, "", nil, http.StatusOK)
}

func (g *Gifts) eraseForm(v *desk.Visit, chosen string, wrong *fault.Error, status int) error {
	ctx := v.Request.Context()
	d, err := g.erasable(ctx, v.Param("id"))
	if err != nil {
		return err
	}
	gifts, _, err := g.Store.GivenBy(ctx, d.Supporter)
	if err != nil && !errors.Is(err, store.ErrTooMany) {
		return err
	}
	running, err := g.Privacy.Running(ctx, d.Supporter)
	if err != nil {
		return err
	}
	view := eraseView{Back: supportersPath + "/" + d.Key, Title: "A supporter", Gifts: len(gifts), Grounds: grounds, Chosen: chosen}
	for _, gift := range gifts {
		view.Emails = distinct(view.Emails, gift.Email)
	}
	for _, m := range running {
		view.Members = append(view.Members, memberRow{
			m, amount(m.Amount, m.Currency), memberBadge(m, false), time.Unix(m.Created, 0), membershipsPath + "/" + m.Subscription,
		})
	}
	if wrong != nil {
		view.Wrong, view.Field = wrong.Detail, wrong.Field
	}
	return g.Desk.RenderStatus(v, g.erasure, desk.Page{Title: "Erase a supporter", Narrow: true, Body: view}, status)
}

// erasable returns a gift whose supporter is not erased yet.
func (g *Gifts) erasable(ctx context.Context, id string) (*giving.Donation, error) {
	d, err := g.Store.DonationByKey(ctx, id)
	if err == nil && giving.Erased(d.Supporter) {
		return nil, fault.New(fault.Conflict, "This supporter is erased already; nothing more is known of them.")
	}
	return d, err
}

// eraseTime bounds an erasure that somebody waits for, within the time that an
// answer has.
const eraseTime = 50 * time.Second

// doErase handles POST /staff/supporters/ID/erase.
func (g *Gifts) doErase(v *desk.Visit) error {
	if err := g.Desk.Fresh(v, v.Request.URL.Path); err != nil {
		return err
	}
	d, err := g.erasable(v.Request.Context(), v.Param("id"))
	if err != nil {
		return err
	}
	why, ok := groundOf(v.PostForm("ground"))
	switch {
	case !ok:
		return g.eraseForm(v, "", fault.Field("ground", "Choose why."), http.StatusUnprocessableEntity)
	case v.PostForm("sure") == "":
		return g.eraseForm(v, why.Value, fault.Field("sure", "Tick the box if you are sure who asks."), http.StatusUnprocessableEntity)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(v.Request.Context()), eraseTime)
	defer cancel()
	done, err := g.Privacy.EraseSupporter(ctx, d.Supporter, store.Entry{Who: v.Member.Email, Reason: why.Text})
	if refused, ok := errors.AsType[*stripeapi.Error](err); ok {
		g.Desk.Log.WarnContext(ctx, "staff: a membership could not be ended, so nobody was erased", "err", refused)
		wrong := fault.New(fault.Upstream, "Stripe did not end the membership, so nothing was erased. Press again in a moment.")
		return g.eraseForm(v, why.Value, wrong, http.StatusBadGateway)
	}
	if err != nil {
		return err
	}
	text := fmt.Sprintf("Erased. Donations that are nobody’s now: %d; memberships: %d.", done.Donations, done.Memberships)
	if done.Running > 0 {
		text += fmt.Sprintf(" Under another address of theirs %d still run; end them, and the customer is deleted at Stripe.", done.Running)
	}
	return g.Desk.Back(v, supportersPath, text)
}
