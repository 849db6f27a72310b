package store

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/united24media/support/internal/giving"
)

// Load calls register with what is stored of each object, and name with each
// of the objects that name another.
func (t *Tx) Load(ctx context.Context, registers, names []string, register func(ref, state string), name func(ref, by string)) error {
	registers, names = t.known("registers", registers), t.known("links.to_ref", names)
	if len(registers)+len(names) == 0 {
		return nil
	}
	err := t.later(ctx, `SELECT ref, state FROM registers WHERE `+t.any("ref", 1), []any{t.list(registers)}, func(r row) error {
		var ref, state string
		err := r.Scan(&ref, &state)
		register(ref, state)
		return err
	})
	if err != nil {
		return fmt.Errorf("read registers: %w", err)
	}
	err = t.query(ctx, `SELECT to_ref, from_ref FROM links WHERE `+t.any("to_ref", 1), []any{t.list(names)}, func(r row) error {
		var to, from string
		err := r.Scan(&to, &from)
		name(to, from)
		return err
	})
	if err != nil {
		return fmt.Errorf("read registers and links: %w", err)
	}
	return nil
}

var registerRows = bulk{
	"registers", columnsOf("TEXT", "ref", "state"),
	`ON CONFLICT (ref) DO UPDATE SET state = excluded.state`,
}

// PutRegisters stores what is known of objects now, by ref.
func (t *Tx) PutRegisters(ctx context.Context, states map[string]string) error {
	r := registerRows.rows(len(states))
	for ref, state := range states {
		r.add(ref, state)
	}
	return t.write(ctx, r, nil)
}

// A Link says that one object names another.
type Link struct{ To, From string }

var linkRows = bulk{"links", columnsOf("TEXT", "to_ref", "from_ref"), `ON CONFLICT (to_ref, from_ref) DO NOTHING`}

// PutLinks stores links; those that are there already stay.
func (t *Tx) PutLinks(ctx context.Context, links []Link) error {
	r := linkRows.rows(len(links))
	for _, l := range links {
		t.note("links.to_ref", l.To)
		r.add(l.To, l.From)
	}
	return t.write(ctx, r, nil)
}

const donationColumns = `key, charge, invoice, subscription, customer, checkout, supporter, is_first, created_at, currency,
	settlement_currency, gross_minor, refunded_minor, disputed_minor, lost_minor, fee_minor, net_minor, elsewhere,
	gift_interval, tier, article, placement, campaign, variant, country, locale, attribution, utm_source, utm_medium,
	utm_campaign, method, email, name, source, renewal, turned_at`

func scanDonation(r row) (*giving.Donation, error) {
	var d giving.Donation
	var created, turned int64
	var elsewhere string
	err := r.Scan(&d.Key, &d.Charge, &d.Invoice, &d.Subscription, &d.Customer, &d.Checkout, &d.Supporter, &d.First, &created,
		&d.Currency, &d.Settled.Currency, &d.Gross, &d.Refunded, &d.Disputed, &d.Lost, &d.Settled.Fee, &d.Settled.Net,
		&elsewhere, &d.Interval, &d.Tier, &d.Article, &d.Placement, &d.Campaign, &d.Variant, &d.Country, &d.Locale,
		&d.Status, &d.UTMSource, &d.UTMMedium, &d.UTMCampaign, &d.Method, &d.Email, &d.Name, &d.Source, &d.Renewal, &turned)
	if err != nil {
		return nil, fmt.Errorf("read a donation: %w", err)
	}
	d.Created, d.Turned = created/microsPerSecond, turned/microsPerSecond
	if elsewhere != "" {
		if err := json.Unmarshal([]byte(elsewhere), &d.Elsewhere); err != nil {
			return nil, fmt.Errorf("read donation %s: %w", d.Key, err)
		}
	}
	return &d, nil
}

const microsPerSecond = 1_000_000

// Donations returns the donations with the given keys, and the first donations
// of the given supporters.
func (t *Tx) Donations(ctx context.Context, keys, supporters []string) ([]*giving.Donation, error) {
	keys, supporters = t.known("donations", keys), t.known("donations.supporter", supporters)
	if len(keys)+len(supporters) == 0 {
		return nil, nil
	}
	// Written as plain is_first, PostgreSQL would find it in the index of all
	// first donations, and read that from end to end.
	return t.donations(ctx, t.any("key", 1)+` OR CAST(is_first AS INTEGER) = 1 AND `+t.any("supporter", 2), t.list(keys), t.list(supporters))
}

// DonationsOf returns all donations of the given supporters.
func (t *Tx) DonationsOf(ctx context.Context, supporters []string) ([]*giving.Donation, error) {
	return t.donations(ctx, t.any("supporter", 1), t.list(supporters))
}

// DonationsByKey returns the donations with the given keys.
func (t *Tx) DonationsByKey(ctx context.Context, keys []string) ([]*giving.Donation, error) {
	return t.donations(ctx, t.any("key", 1), t.list(keys))
}

// DonationsAfter returns up to limit donations in the order of their keys,
// from the one after a key.
func (t *Tx) DonationsAfter(ctx context.Context, key string, limit int) ([]*giving.Donation, error) {
	return t.donations(ctx, `key > $1 ORDER BY key LIMIT $2`, key, limit)
}

func (t *Tx) donations(ctx context.Context, where string, args ...any) ([]*giving.Donation, error) {
	var found []*giving.Donation
	err := t.query(ctx, `SELECT `+donationColumns+` FROM donations WHERE `+where, args, func(r row) error {
		d, err := scanDonation(r)
		found = append(found, d)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read donations: %w", err)
	}
	return found, nil
}

// searchColumns follow from the others, and are only searched by.
const searchColumns = `status, email_folded, name_folded`

var donationRows = bulk{
	table: "donations",
	columns: typed(donationColumns+", "+searchColumns, map[string]string{
		"is_first": "BOOLEAN", "renewal": "BOOLEAN", "email_folded": "BYTEA", "name_folded": "BYTEA",
	}),
	tail: `ON CONFLICT (key) DO UPDATE SET ` + setAll(donationColumns+", "+searchColumns),
}

// typed returns the columns of a list: BIGINT where the name ends in _at or
// _minor, else TEXT, but for exceptions.
func typed(list string, exceptions map[string]string) []column {
	var columns []column
	for name := range strings.SplitSeq(list, ",") {
		name = strings.TrimSpace(name)
		kind := "TEXT"
		if strings.HasSuffix(name, "_at") || strings.HasSuffix(name, "_minor") {
			kind = "BIGINT"
		}
		if exceptions[name] != "" {
			kind = exceptions[name]
		}
		columns = append(columns, column{name, kind})
	}
	return columns
}

// setAll returns the assignments that replace a row, but for its key, which is
// the first column.
func setAll(list string) string {
	var set []string
	for i, c := range typed(list, nil) {
		if i > 0 {
			set = append(set, c.name+" = excluded."+c.name)
		}
	}
	return strings.Join(set, ", ")
}

// PutDonations stores donations, each in place of the one with its key.
func (t *Tx) PutDonations(ctx context.Context, donations []*giving.Donation) error {
	r := donationRows.rows(len(donations))
	for _, d := range donations {
		elsewhere := ""
		if len(d.Elsewhere) > 0 {
			text, err := json.Marshal(d.Elsewhere)
			if err != nil {
				return fmt.Errorf("write donation %s: %w", d.Key, err)
			}
			elsewhere = string(text)
		}
		t.note("donations.supporter", d.Supporter)
		r.add(d.Key, d.Charge, d.Invoice, d.Subscription, d.Customer, d.Checkout, d.Supporter, d.First,
			d.Created*microsPerSecond, d.Currency, d.Settled.Currency, d.Gross, d.Refunded, d.Disputed, d.Lost, d.Settled.Fee,
			d.Settled.Net, elsewhere, string(d.Interval), d.Tier, d.Article, d.Placement, d.Campaign, d.Variant, d.Country,
			d.Locale, d.Status, d.UTMSource, d.UTMMedium, d.UTMCampaign, d.Method, d.Email, d.Name, d.Source,
			d.Renewal, d.Turned*microsPerSecond, d.Outcome(), []byte(giving.Fold(d.Email)), []byte(giving.Fold(d.Name)))
	}
	return t.write(ctx, r, nil)
}

// DropDonations removes donations that are none any more.
func (t *Tx) DropDonations(ctx context.Context, keys []string) error {
	if len(keys) == 0 {
		return nil
	}
	if err := t.later(ctx, `DELETE FROM donations WHERE `+t.any("key", 1), []any{t.list(keys)}, nil); err != nil {
		return fmt.Errorf("drop donations: %w", err)
	}
	return nil
}

const membershipColumns = `subscription, customer, supporter, status, live, live_until, created_at, ended_at, period_end,
	cancel_at_end, currency, amount_minor, gift_interval, tier, article, placement, campaign, variant, locale, attribution,
	checkout, utm_source, utm_medium, utm_campaign, email, steps`

// Memberships returns the memberships of subscriptions.
func (t *Tx) Memberships(ctx context.Context, subscriptions []string) ([]*giving.Membership, error) {
	if subscriptions = t.known("memberships", subscriptions); len(subscriptions) == 0 {
		return nil, nil
	}
	return t.memberships(ctx, t.any("subscription", 1), t.list(subscriptions))
}

// MembershipsAfter returns up to limit memberships in the order of their
// subscriptions, from the one after a subscription.
func (t *Tx) MembershipsAfter(ctx context.Context, subscription string, limit int) ([]*giving.Membership, error) {
	return t.memberships(ctx, `subscription > $1 ORDER BY subscription LIMIT $2`, subscription, limit)
}

func (t *Tx) memberships(ctx context.Context, where string, args ...any) ([]*giving.Membership, error) {
	var found []*giving.Membership
	err := t.query(ctx, `SELECT `+membershipColumns+` FROM memberships WHERE `+where, args, func(r row) error {
		var m giving.Membership
		var created, ended, periodEnd, until int64
		err := r.Scan(&m.Subscription, &m.Customer, &m.Supporter, &m.Status, &m.Live, &until, &created, &ended, &periodEnd,
			&m.CancelAtEnd, &m.Currency, &m.Amount, &m.Interval, &m.Tier, &m.Article, &m.Placement, &m.Campaign, &m.Variant,
			&m.Locale, &m.Attribution.Status, &m.Checkout, &m.UTMSource, &m.UTMMedium, &m.UTMCampaign, &m.Email, &m.Steps)
		m.Created, m.Ended = created/microsPerSecond, ended/microsPerSecond
		m.PeriodEnd, m.LiveUntil = periodEnd/microsPerSecond, until/microsPerSecond
		found = append(found, &m)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read memberships: %w", err)
	}
	return found, nil
}

var membershipRows = bulk{
	table: "memberships",
	columns: typed(membershipColumns, map[string]string{
		"live": "BOOLEAN", "cancel_at_end": "BOOLEAN", "live_until": "BIGINT", "period_end": "BIGINT",
	}),
	tail: `ON CONFLICT (subscription) DO UPDATE SET ` + setAll(membershipColumns),
}

// PutMemberships stores memberships, each in place of the one of its
// subscription.
func (t *Tx) PutMemberships(ctx context.Context, memberships []*giving.Membership) error {
	r := membershipRows.rows(len(memberships))
	for _, m := range memberships {
		r.add(m.Subscription, m.Customer, m.Supporter, m.Status, m.Live, m.LiveUntil*microsPerSecond,
			m.Created*microsPerSecond, m.Ended*microsPerSecond, m.PeriodEnd*microsPerSecond, m.CancelAtEnd, m.Currency,
			m.Amount, string(m.Interval), m.Tier, m.Article, m.Placement, m.Campaign, m.Variant, m.Locale,
			m.Attribution.Status, m.Checkout, m.UTMSource, m.UTMMedium, m.UTMCampaign, m.Email, string(m.Steps))
	}
	return t.write(ctx, r, nil)
}

// DropMemberships removes memberships that are none any more.
func (t *Tx) DropMemberships(ctx context.Context, subscriptions []string) error {
	if len(subscriptions) == 0 {
		return nil
	}
	if err := t.later(ctx, `DELETE FROM memberships WHERE `+t.any("subscription", 1), []any{t.list(subscriptions)}, nil); err != nil {
		return fmt.Errorf("drop memberships: %w", err)
	}
	return nil
}
