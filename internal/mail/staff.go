package mail

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/united24media/support/internal/i18n"
	"github.com/united24media/support/internal/objects"
	"github.com/united24media/support/internal/store"
)

// toStaff begins a letter to staff, who read English.
func (s *Service) toStaff(subject string, text ...string) *Letter {
	return &Letter{
		Lang: i18n.Default, Subject: subject, Heading: subject, Text: text, From: s.from.Name + " Support",
		Foot: []string{"You get this because you answer for money in Support."}, FootLink: [2]string{"Staff pages", s.PublicURL + "/staff"},
	}
}

func (s *Service) dispute(ctx context.Context, m store.QueuedMail) (*Letter, error) {
	n, err := data(m)
	if err != nil {
		return nil, err
	}
	d, err := register[*objects.Dispute](ctx, s, objects.KindDispute, before(m.Subject))
	if err != nil {
		return nil, err
	}
	switch d.State.Value.Status {
	case "needs_response", "warning_needs_response":
	default:
		return nil, moot{"no answer is wanted any more"}
	}
	sum := exact(i18n.Default, d.Amount, d.Currency)
	l := s.toStaff("A dispute was opened: "+sum, "A donor’s bank asks for a gift back. Without evidence by the deadline the money is lost, with a fee.")
	l.Rows = [][2]string{{"Amount", sum}, {"Reason the bank gives", strings.ReplaceAll(d.State.Value.Reason, "_", " ")}, {"Donation", n.Donation}, {"Dispute", before(m.Subject)}}
	if due := d.State.Value.DueBy; due > 0 {
		l.Subject += ", answer by " + s.day(i18n.Default, due)
		l.Rows = append([][2]string{{"Evidence due by", s.day(i18n.Default, due)}}, l.Rows...)
	}
	l.Button, l.URL = "Answer it at Stripe", "https://dashboard.stripe.com/disputes/"+before(m.Subject)
	return l, nil
}

// StaffNews is the data of a mail to staff that others queue with
// [store.Store.QueueStaffMail]: about differences that a reconciliation found,
// about silence, or about an attack.
type StaffNews struct {
	Subject string   `json:"subject"`
	Text    []string `json:"text"`
	Path    string   `json:"path"` // of the staff page that shows more
}

func (s *Service) staffNews(_ context.Context, m store.QueuedMail) (*Letter, error) {
	var news StaffNews
	if err := json.Unmarshal(m.Data, &news); err != nil || news.Subject == "" {
		return nil, unreadable(m.Kind, fmt.Errorf("no subject: %w", err))
	}
	l := s.toStaff(news.Subject, news.Text...)
	l.Button, l.URL = "Open the staff pages", s.PublicURL+news.Path
	return l, nil
}
