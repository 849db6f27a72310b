package main

import (
	"context"
	"encoding/json"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/united24media/support/internal/campaign"
	"github.com/united24media/support/internal/config"
	"github.com/united24media/support/internal/demo"
	"github.com/united24media/support/internal/mail"
	"github.com/united24media/support/internal/policy"
	"github.com/united24media/support/internal/reports"
	"github.com/united24media/support/internal/store"
	"github.com/united24media/support/internal/wall"
)

// demoWho did in the demo data what staff do.
const demoWho = "demo-data"

// A demoDesk does, while a story is told, what the service and its staff would
// have done on those days: mails are composed and kept, months are closed,
// asks and campaigns are published, and words for the wall are read.
type demoDesk struct {
	story   *demo.Story
	db      *store.Store
	zone    *time.Location
	clock   *demo.Clock
	mailed  demo.Clock // by which mails are composed
	post    *mail.Service
	reports *reports.Service
	wall    *wall.Wall
	drafts  []demoDraft // that are not published yet, by time
}

// A demoDraft is what staff publish.
type demoDraft struct {
	store.Version
	base   int64
	action string
	row    *store.Campaign
}

func newDemoDesk(settings config.Settings, db *store.Store, story *demo.Story, clock *demo.Clock) (*demoDesk, error) {
	d := &demoDesk{story: story, db: db, zone: settings.Timezone, clock: clock}
	quiet := slog.New(slog.DiscardHandler)
	var err error
	if d.post, err = newMail(settings, db, quiet); err != nil { // which sends nothing in the sandbox
		return nil, err
	}
	d.post.Now = d.mailed.Now
	d.reports = reports.New(reports.Options{Store: db, Timezone: settings.Timezone, Now: clock.Now})
	d.wall = newWall(settings, db, quiet)
	d.wall.Now = clock.Now
	return d, d.write()
}

// mailTime is after how long the mail about a failed renewal is due, at most.
const mailTime = 10 * time.Minute

// met does what was done by the moment that the story has come to.
func (d *demoDesk) met(ctx context.Context, at time.Time) error {
	if at.Before(d.story.End) { // what is newer than that, the service sees to
		d.mailed.Set(at.Add(mailTime))
		for d.post.Send(ctx) > 0 {
		}
	}
	if _, err := d.reports.CloseDue(ctx); err != nil {
		return err
	}
	for ; len(d.drafts) > 0 && !d.drafts[0].At.After(d.clock.Now()); d.drafts = d.drafts[1:] {
		if err := d.publish(ctx, d.drafts[0]); err != nil {
			return err
		}
	}
	if d.story.End.Sub(at) > demo.Thanked {
		return nil
	}
	return d.thank(ctx, at)
}

// unread is how old words for the wall are at the end that nobody has read yet.
const unread = 3 * 24 * time.Hour

// thank decides about the words of supporters.
func (d *demoDesk) thank(ctx context.Context, at time.Time) error {
	on, err := wall.IsOn(ctx, d.db)
	if err != nil {
		return err
	}
	if !on {
		if err := d.wall.Switch(ctx, true, d.entry("wall.on", "wall")); err != nil {
			return err
		}
	}
	if d.story.End.Sub(at) < unread {
		return nil
	}
	if err := d.wall.Collect(ctx); err != nil {
		return err
	}
	waiting, err := d.db.Wall(ctx, store.WallWaiting, 100)
	if err != nil || len(waiting) == 0 {
		return err
	}
	var accepted, rejected []store.WallDecision
	for _, e := range waiting {
		one := store.WallDecision{Checkout: e.Checkout, Words: e.Words(), Accept: !strings.Contains(e.Message, "www.")}
		switch {
		case !e.MayShow():
		case one.Accept:
			accepted = append(accepted, one)
		default:
			rejected = append(rejected, one)
		}
	}
	for action, decisions := range map[string][]store.WallDecision{"wall.accept": accepted, "wall.reject": rejected} {
		if len(decisions) == 0 {
			continue
		}
		var about []string
		for _, one := range decisions {
			about = append(about, one.Checkout)
		}
		if _, err := d.wall.Decide(ctx, decisions, d.entry(action, strings.Join(about, " "))); err != nil {
			return err
		}
	}
	return nil
}

func (d *demoDesk) entry(action, about string) store.Entry {
	return store.Entry{At: d.clock.Now(), Who: demoWho, Action: action, Subject: about}
}

// publish publishes what staff wrote, unless it was before.
func (d *demoDesk) publish(ctx context.Context, draft demoDraft) error {
	newest, err := d.db.Newest(ctx, draft.Kind)
	if err != nil || newest.Number > draft.base {
		return err
	}
	_, err = d.db.Publish(ctx, draft.Version, draft.base, draft.row, store.Entry{Action: draft.action, Subject: draft.Kind})
	return err
}

// write drafts the campaigns and, in two versions, what asks say.
func (d *demoDesk) write() error {
	for _, c := range d.story.Campaigns {
		document := campaign.Document{
			Names: map[string]string{"en": c.Name}, Goal: campaign.Goal{Kind: c.GoalKind, Amount: c.Goal, Currency: c.GoalCurrency},
			From: d.local(c.From), Until: d.local(c.Until), TimeZone: d.zone.String(), Pages: map[string]campaign.Page{},
		}
		for lang, title := range c.Titles {
			document.Pages[lang] = campaign.Page{Title: title, Lead: c.Leads[lang]}
		}
		row, err := document.Row(c.Slug)
		if err != nil {
			return err
		}
		d.drafts = append(d.drafts, demoDraft{
			store.Version{Kind: campaign.Kind(c.Slug), Body: row.Body, Who: demoWho, Reason: "It begins", At: c.From}, 0, "campaign.publish", &row,
		})
	}
	p := policy.Policy{Experiments: []policy.Experiment{{
		ID: "stand-with-us", From: d.local(d.story.Trial), TimeZone: d.zone.String(),
		Variants: []policy.Variant{{Name: demo.Control, Weight: 1}, {Name: demo.Variant, Weight: 1, Texts: map[string]policy.Texts{
			"en": {"mid": {Lead: "Stand with the reporters who stay."}, "end": {Lead: "You have read to the end. Stand with us."}},
			"uk": {"mid": {Lead: "Станьте поруч із репортерами, які лишаються."}, "end": {Lead: "Ви дочитали до кінця. Станьте поруч із нами."}},
		}}},
	}}}
	for base, reason := range []string{"Does a warmer first line win more gifts?", "No loud ask beside an obituary"} {
		if base == 1 {
			p.Rules = []policy.Rule{{Name: "Quiet beside obituaries", Show: policy.Quiet, Tags: policy.Targets{Include: []string{"obituary"}}}}
		}
		body, err := json.Marshal(p)
		if err != nil {
			return err
		}
		d.drafts = append(d.drafts, demoDraft{
			store.Version{Kind: policy.KindAsks, Body: string(body), Who: demoWho, Reason: reason, At: d.story.Trial.AddDate(0, 0, 30*base)},
			int64(base), "asks.publish", nil,
		})
	}
	slices.SortStableFunc(d.drafts, func(a, b demoDraft) int { return a.At.Compare(b.At) })
	return nil
}

// local is a moment as the clocks of the service's time zone show it.
func (d *demoDesk) local(t time.Time) string { return t.In(d.zone).Format("2006-01-02T15:04") }
