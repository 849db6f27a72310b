package ledger

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/united24media/support/internal/giving"
	"github.com/united24media/support/internal/notice"
	"github.com/united24media/support/internal/objects"
	"github.com/united24media/support/internal/store"
)

// queueMails queues what follows from what a batch changed. A rebuild never
// comes here, so that no mail is sent for having been worked out again.
func (l *Ledger) queueMails(ctx context.Context, tx *store.Tx, g *graph, p *projection) error {
	notices := l.notices(g, p)
	mails := make([]store.Mail, 0, len(notices))
	var staff []string
	for _, n := range notices {
		data, err := json.Marshal(n.Data)
		if err != nil {
			return fmt.Errorf("queue a mail of kind %s: %w", n.Kind, err)
		}
		mail := store.Mail{Kind: n.Kind, Subject: n.Subject, To: n.To, Locale: n.Locale, Data: data, Due: l.Now().Add(n.Wait)}
		if n.To != "" {
			mails = append(mails, mail)
			continue
		}
		if staff == nil {
			if staff, err = tx.StaffAddresses(ctx); err != nil {
				return err
			}
		}
		mails = append(mails, mail.Each(staff)...)
	}
	return tx.PutMails(ctx, mails)
}

// notices returns what follows from what a batch changed.
func (l *Ledger) notices(g *graph, p *projection) []notice.Notice {
	now := l.Now().Unix()
	var found []notice.Notice
	add := func(more []notice.Notice) { found = append(found, more...) }
	for key, d := range p.changed {
		add(notice.OfDonation(d[0], d[1], p.refunded[key], now))
	}
	for _, m := range p.members {
		add(notice.OfMembership(g.before(m.old), g.after(m.now), now))
	}
	for id, owed := range p.owed {
		for _, o := range owed {
			add(notice.OfOwed(p.memberships[id], o, now))
		}
	}
	for dirty := range g.dirty {
		ref := objects.Ref(dirty)
		switch r, _ := g.Get(ref); r := r.(type) {
		case *objects.Session:
			add(notice.OfSession(ref.ID(), r, now))
		case *objects.Dispute:
			add(notice.OfDispute(ref.ID(), r, p.donationOf(r), now))
		}
	}
	return found
}

// donationOf returns the donation that a dispute is about, or nil.
func (p *projection) donationOf(d *objects.Dispute) *giving.Donation {
	for key, donation := range p.donations {
		if donation != nil && (key == d.Intent || donation.Charge == d.Charge) {
			return donation
		}
	}
	return nil
}

// before returns a membership with its subscription as they were stored.
func (g *graph) before(m *giving.Membership) notice.Member {
	if m == nil {
		return notice.Member{}
	}
	member := notice.Member{Membership: m}
	r, err := objects.DecodeRegister(objects.KindSubscription, g.stored[objects.NewRef(objects.KindSubscription, m.Subscription)])
	if s, ok := r.(*objects.Subscription); ok && err == nil { // it was read a moment ago
		member.State = s.State
	}
	return member
}

// after returns a membership with its subscription as they are now.
func (g *graph) after(m *giving.Membership) notice.Member {
	if m == nil {
		return notice.Member{}
	}
	member := notice.Member{Membership: m}
	if r, _ := g.Get(objects.NewRef(objects.KindSubscription, m.Subscription)); r != nil {
		member.State = r.(*objects.Subscription).State
	}
	return member
}
