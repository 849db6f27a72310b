package mail

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/united24media/support/internal/giving"
	"github.com/united24media/support/internal/store"
	"github.com/united24media/support/internal/stripeapi"
)

// cards are those of memberships, by the month they run out.
type cards map[string]time.Month

func (c cards) Standing(_ context.Context, subscription string) (stripeapi.Standing, error) {
	month, known := c[subscription]
	if !known {
		return stripeapi.Standing{}, errors.New("Stripe is away")
	}
	return stripeapi.Standing{Method: stripeapi.Method{Last4: "4242", ExpMonth: int64(month), ExpYear: 2027}}, nil
}

func TestReminders(t *testing.T) {
	t.Parallel()
	db, c := sqlite(t), &clock{now: time.Date(2027, 1, 20, 12, 0, 0, 0, time.UTC)}
	member := func(id string, interval giving.Interval, ends time.Duration) *giving.Membership {
		return &giving.Membership{
			Subscription: id, Email: id + "@example.org", Status: "active", Live: true, Created: began.Unix(),
			PeriodEnd: c.Now().Add(ends).Unix(), Interval: interval, Currency: "EUR", Amount: 1000,
		}
	}
	const days = 24 * time.Hour
	leaving := member("leaving", giving.Year, 5*days)
	leaving.CancelAtEnd = true
	gift := func(key, email string, at time.Time) *giving.Donation {
		return &giving.Donation{Key: key, Email: email, Supporter: giving.SupporterKey(email, "", key), Source: "stripe", Created: at.Unix(), Currency: "EUR", Gross: 100}
	}
	err := db.Ledger(t.Context(), func(tx *store.Tx) error {
		return errors.Join(
			tx.PutMemberships(t.Context(), []*giving.Membership{
				member("soon", giving.Year, 10*days), member("tomorrow", giving.Year, days), member("later", giving.Year, 40*days),
				member("monthly", giving.Month, 15*days), member("away", giving.Month, 15*days), leaving,
			}),
			tx.PutDonations(t.Context(), []*giving.Donation{
				gift("pi_1", "A@example.org", began), gift("pi_2", "a@example.org", began.Add(time.Hour)),
				gift("pi_3", "b@example.org", began), gift("pi_4", "new@example.org", c.Now()),
			}))
	})
	if err != nil {
		t.Fatal(err)
	}
	s := start(t, db, nil, c, new(bytes.Buffer))
	asked := cards{"soon": time.June, "tomorrow": time.June, "later": time.January, "monthly": time.January, "leaving": time.January}
	for range 2 { // the second time queues nothing new
		if err := errors.Join(s.remindOfRenewals(t.Context()), s.tellOfStatements(t.Context())); err != nil {
			t.Fatal(err)
		}
		if err := s.remindOfCards(t.Context(), asked); err == nil {
			t.Error("that Stripe did not answer is not told")
		}
	}
	all, err := db.MailBefore(t.Context(), "", time.Time{}, "", 100)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, m := range all {
		got = append(got, m.Kind+" "+before(m.Subject)+" "+store.FoldEmail(m.To))
	}
	slices.Sort(got)
	want := []string{
		"card_expiring monthly monthly@example.org", "renewal_reminder soon soon@example.org",
		"statement 2026 a@example.org", "statement 2026 b@example.org",
	}
	if !slices.Equal(got, want) {
		t.Errorf("queued %q, want %q", got, want)
	}
	c.pass(-15 * days) // before the tenth of January nobody is told
	if err := s.tellOfStatements(t.Context()); err != nil {
		t.Error(err)
	}
}
