package notice

import (
	"slices"
	"testing"

	"github.com/united24media/support/internal/giving"
	"github.com/united24media/support/internal/objects"
)

const now = int64(1_800_000_000)

func kinds(all []Notice) []string {
	var found []string
	for _, n := range all {
		found = append(found, n.Kind+" "+n.Subject)
	}
	return found
}

func TestOfDonation(t *testing.T) {
	t.Parallel()
	gift := func(change func(*giving.Donation)) *giving.Donation {
		d := &giving.Donation{Key: "pi_1", Source: "stripe", Email: "a@b.example", Created: now - 60, Gross: 1000, Currency: "EUR"}
		if change != nil {
			change(d)
		}
		return d
	}
	unknown := gift(func(d *giving.Donation) { d.Email = "" })
	part := gift(func(d *giving.Donation) { d.Refunded = 300 })
	whole := gift(func(d *giving.Donation) { d.Refunded = 1000 })
	old := gift(func(d *giving.Donation) { d.Created = now - 8*24*3600 })
	tests := map[string]struct {
		old, now *giving.Donation
		refunded int64
		want     []string
	}{
		"a new gift":                        {nil, gift(nil), 0, []string{"receipt pi_1"}},
		"the same again":                    {gift(nil), gift(nil), 0, nil},
		"its fee is known":                  {gift(nil), gift(func(d *giving.Donation) { d.Settled.Fee = 50 }), 0, nil},
		"no address yet":                    {nil, unknown, 0, nil},
		"its address is known":              {unknown, gift(nil), 0, []string{"receipt pi_1"}},
		"eight days old":                    {nil, old, 0, nil},
		"imported":                          {nil, gift(func(d *giving.Donation) { d.Source = "offline" }), 0, nil},
		"no gift any more":                  {gift(nil), nil, 0, nil},
		"a part is refunded":                {gift(nil), part, now, []string{"refund pi_1/300"}},
		"the rest is refunded":              {part, whole, now, []string{"refund pi_1/1000"}},
		"the refund failed":                 {part, gift(nil), now, nil},
		"an old gift is refunded":           {old, func() *giving.Donation { d := *old; d.Refunded = 1; return &d }(), now, []string{"refund pi_1/1"}},
		"refunded eight days ago":           {gift(nil), part, now - 8*24*3600, nil},
		"the refund is heard of before all": {nil, part, now, []string{"receipt pi_1", "refund pi_1/300"}},
	}
	for name, tt := range tests {
		if got := kinds(OfDonation(tt.old, tt.now, tt.refunded, now)); !slices.Equal(got, tt.want) {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
	}
}

func TestOfMembership(t *testing.T) {
	t.Parallel()
	at := func(status string, amount int64, state objects.SubState) Member {
		m := &giving.Membership{
			Subscription: "sub_1", Email: "a@b.example", Status: status, Live: status == "active" && !state.Paused,
			Created: now - 60, Amount: amount, Currency: "EUR", Interval: giving.Month, PeriodEnd: now + 1000,
		}
		state.Status, state.Amount = status, amount
		return Member{m, objects.Latest[objects.SubState]{Stamp: objects.Stamp{At: now - 10}, Value: state}}
	}
	plain := objects.SubState{}
	resting, ending := objects.SubState{Paused: true}, objects.SubState{CancelAtEnd: true}
	stale := at("canceled", 500, plain)
	stale.Created -= 30 * 24 * 3600
	const moment = "sub_1/1799999990"
	tests := map[string]struct {
		old, now Member
		want     []string
	}{
		"incomplete":           {Member{}, at("incomplete", 500, plain), nil},
		"begun":                {Member{}, at("active", 500, plain), []string{"membership_started sub_1"}},
		"completed":            {at("incomplete", 500, plain), at("active", 500, plain), []string{"membership_started sub_1"}},
		"recovered":            {at("past_due", 500, plain), at("active", 500, plain), []string{"membership_started sub_1"}}, // queued before: there is one
		"renewed":              {at("active", 500, plain), at("active", 500, plain), nil},
		"more":                 {at("active", 500, plain), at("active", 900, plain), []string{"membership_changed " + moment}},
		"paused":               {at("active", 500, plain), at("active", 500, resting), []string{"membership_paused " + moment}},
		"resumed":              {at("active", 500, resting), at("active", 500, plain), []string{"membership_started sub_1", "membership_resumed " + moment}},
		"to end":               {at("active", 500, plain), at("active", 500, ending), []string{"membership_cancelled " + moment}},
		"goes on after all":    {at("active", 500, ending), at("active", 500, plain), []string{"membership_resumed " + moment}},
		"ended as said":        {at("active", 500, ending), at("canceled", 500, ending), nil},
		"ended at once":        {at("active", 500, plain), at("canceled", 500, plain), []string{"membership_cancelled " + moment}},
		"ended, begin unheard": {Member{}, at("canceled", 500, plain), []string{"membership_cancelled " + moment}},
		"ended long ago":       {Member{}, stale, nil},
		"never completed":      {at("incomplete", 500, plain), at("incomplete_expired", 500, plain), nil},
	}
	for name, tt := range tests {
		if got := kinds(OfMembership(tt.old, tt.now, now)); !slices.Equal(got, tt.want) {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
	}
}

func TestOfOwed(t *testing.T) {
	t.Parallel()
	m := &giving.Membership{Subscription: "sub_1", Email: "a@b.example"}
	for name, tt := range map[string]struct {
		owed objects.Owed
		want []string
	}{
		"tried":     {objects.Owed{Invoice: "in_1", Attempts: 2, At: now}, []string{"renewal_failed in_1/2"}},
		"not tried": {objects.Owed{Invoice: "in_1", At: now}, nil},
		"long ago":  {objects.Owed{Invoice: "in_1", Attempts: 2, At: now - 8*24*3600}, nil},
	} {
		if got := kinds(OfOwed(m, tt.owed, now)); !slices.Equal(got, tt.want) {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
	}
}

func TestOfSession(t *testing.T) {
	t.Parallel()
	visit := func(payment string, failed bool) *objects.Session {
		s := &objects.Session{Created: now, Status: "complete", PaymentStatus: payment, Failed: failed}
		s.Metadata.Value = map[string]string{"support_v": "1", "locale": "uk"}
		s.Donor.Value.Email, s.Donor.At = "a@b.example", now
		return s
	}
	foreign := visit("unpaid", false)
	foreign.Metadata.Value = nil
	for name, tt := range map[string]struct {
		s    *objects.Session
		want []string
	}{
		"paid":     {visit("paid", false), nil},
		"promised": {visit("unpaid", false), []string{"promise cs_1"}},
		"failed":   {visit("unpaid", true), []string{"promise_failed cs_1"}},
		"foreign":  {foreign, nil},
	} {
		if got := kinds(OfSession("cs_1", tt.s, now)); !slices.Equal(got, tt.want) {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
	}
}
