package demo

import (
	"fmt"
	"strings"
	"time"

	"github.com/united24media/support/internal/giving"
	"github.com/united24media/support/internal/store"
)

// What of a hundred who give say something with it.
const (
	named   = .07 // they may be thanked by name
	written = .6  // of those, with a message
	shown   = .85 // of those, for the public
	adverts = .03 // of messages: somebody sells something
)

// Thanked is how long before the end supporters were first thanked by name.
const Thanked = 100 * 24 * time.Hour

// messages are what supporters write, by language.
var messages = map[string][]string{
	"en": {
		"Thank you for staying when others left.", "For the reporters who go where we can't.", "Read you every morning. Keep going.",
		"From our family to your newsroom.", "Facts need somebody to fetch them.", "In memory of my grandfather, who read two papers a day.",
		"Your piece on the railway made me subscribe.", "Small, but every month.", "Because it is not over.",
	},
	"uk": {"Дякую, що ви є.", "Тримаймося. Разом до перемоги.", "За правду з перших рук.", "Від родини з Полтави."},
	"de": {"Danke für eure Arbeit.", "Damit wir nicht wegsehen.", "Bleibt bitte vorsichtig da draußen."},
	"fr": {"Merci pour votre courage.", "Pour une presse libre."},
	"es": {"Gracias por contarlo.", "Ánimo desde Valencia."},
	"it": {"Grazie per il vostro lavoro.", "Non smettete."},
	"pl": {"Dziękuję za waszą pracę.", "Solidarnie z Krakowa.", "Trzymajcie się."},
}

// advert is what nobody wants on the wall: staff reject what has an address in it.
const advert = "Best watches, half price: www.watches.example"

// words has somebody who gives say, now and then, that they may be thanked.
func (t *teller) words(c *store.Checkout, by *person) {
	if !t.chance(named) {
		return
	}
	c.Name = by.name
	if !t.chance(written) {
		return
	}
	c.Message, c.ShowMessage = one(t.dice, messages[by.lang]), t.chance(shown)
	if t.chance(adverts) {
		c.Message, c.ShowMessage = advert, true
	}
}

// visited tells of the visit to Stripe's page on which somebody paid, where the
// wall looks for it. paid is the PaymentIntent or the subscription.
func (t *teller) visited(c *store.Checkout, at time.Time, by *person, won giving.Attribution, paid string) {
	if c.Name != "" && t.end.Sub(at) < Thanked+15*24*time.Hour {
		t.tell(at.Add(2*time.Second), sessionShape(c, by, won, paid))
	}
}

func sessionShape(c *store.Checkout, by *person, won giving.Attribution, paid string) fields {
	f := fields{
		"id": c.Session, "object": "checkout.session", "livemode": false, "created": c.CreatedAt.Unix(), "expires_at": c.ExpiresAt.Unix(),
		"mode": "payment", "status": "complete", "payment_status": "paid", "currency": lower(c.Currency), "amount_total": c.AmountMinor,
		"payment_intent": paid, "subscription": nil, "customer": nil, "client_reference_id": c.ID, "metadata": marks(won),
		"customer_details": fields{"email": by.email, "name": by.name, "address": fields{"country": by.code}},
	}
	if strings.HasPrefix(paid, "sub_") {
		f["mode"], f["payment_intent"], f["subscription"], f["customer"] = "subscription", nil, paid, by.customer
	}
	return f
}

// A Warning is an event with which Stripe passes on what a card's bank says.
type Warning struct {
	At    time.Time
	Event []byte
}

// maxWarnings is how many gifts of the last days banks warn of.
const maxWarnings = 2

// warn plays a bank that calls a gift of the last two days a fraud.
func (t *teller) warn(p *payment) {
	at := p.at.Add(5 * time.Hour)
	if len(t.warnings) == maxWarnings || p.method != "card" || p.refunded > 0 || p.disputed || at.After(t.end.Add(-time.Hour)) ||
		t.end.Sub(at) > 40*time.Hour {
		return
	}
	event := fields{
		"id": t.id("evt"), "object": "event", "api_version": "2023-10-16", "created": at.Unix(), "livemode": false,
		"type": "radar.early_fraud_warning.created", "pending_webhooks": 1, "request": fields{"id": nil, "idempotency_key": nil},
		"data": fields{"object": fields{
			"id": t.id("issfr"), "object": "radar.early_fraud_warning", "actionable": true, "charge": p.charge, "created": at.Unix(),
			"fraud_type": "made_with_stolen_card", "livemode": false, "payment_intent": p.intent,
		}},
	}
	t.warnings = append(t.warnings, Warning{at, event.encode()})
}

// attack is a night, some weeks ago, on which thieves tried cards.
func (t *teller) attack() store.Attack {
	day := t.end.AddDate(0, 0, -47)
	began := time.Date(day.Year(), day.Month(), day.Day(), 1, 12, 0, 0, time.UTC)
	return store.Attack{
		ID: fmt.Sprintf("atk_demo_%d", began.Unix()), Why: "41 of 46 payments were refused in 10 minutes",
		Began: began, Ended: began.Add(38 * time.Minute),
	}
}
