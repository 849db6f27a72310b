package world

import "strings"

// A customer is a Stripe customer and what the book knows of its address.
type customer struct {
	object  *object
	mails   []mail
	deleted bool
	shared  bool // several stories give through it
}

// A mail is an e-mail address a customer had from a moment on.
type mail struct {
	address string
	told    bool // by an event
}

// A donor is a person at the moment of giving.
type donor struct {
	customer *customer // nil for a guest
	email    string    // typed into the checkout
	card     string    // the card holder's address, or empty
}

// person draws an address of one of a few people, in some spelling.
func (s *story) person() string {
	name := choose(s.Tape, "ann", "bohdan", "chiara", "dmytro", "eva", "farid", "ganna", "hugo")
	address := name + "." + s.opts.Name + "@example.org"
	switch s.pick(4, 1, 1) {
	case 1:
		return strings.ToUpper(address)
	case 2:
		return strings.ToUpper(address[:1]) + address[1:]
	}
	return address
}

// donor draws who gives. Memberships need a customer, gifts may do without.
func (s *story) donor(needed bool) donor {
	d := donor{email: s.person()}
	d.card = choose(s.Tape, d.email, "", s.person())
	if needed {
		d.card = d.email
	}
	switch s.pick(4, 3, 3) {
	case 0:
		if !needed {
			return d
		}
	case 1:
		for _, c := range s.customers {
			if !c.deleted && (s.foreign || s.one(2)) {
				c.shared = true
				d.customer = c
				return d
			}
		}
	}
	d.customer = s.newCustomer(d.email)
	return d
}

func (s *story) newCustomer(email string) *customer {
	c := &customer{}
	c.object = s.create(customerShape(s.newID("cus")).with(fields{"email": email}))
	c.object.told = func() { c.mails[len(c.mails)-1].told = true }
	c.object.turned = s.now
	c.mails = []mail{{address: email}}
	s.customers = append(s.customers, c)
	s.maybe("customer.created", c.object)
	return c
}

// changeEmail gives c another address, perhaps another person's.
func (s *story) changeEmail(c *customer) {
	if c == nil || c.deleted || c.object.turned > s.now {
		return
	}
	s.turn(c.object)
	email := s.person()
	c.object.set(fields{"email": email})
	c.mails = append(c.mails, mail{address: email})
	s.tell("customer.updated", c.object)
}

// remove deletes c, of whom lists then know nothing but the id.
func (s *story) remove(c *customer) {
	if c == nil || c.deleted || c.shared || c.object.turned > s.now {
		return
	}
	s.turn(c.object)
	c.deleted = true
	// The event still carries the customer; only later answers are stubs.
	s.send("customer.deleted", c.object)
	s.events[len(s.events)-1].Needed = true
	c.mails[len(c.mails)-1].told = true
	c.object.told = nil
	c.object.fields = fields{"id": c.object.id, "object": "customer", "deleted": true}
	s.save(c.object)
}

// An origin is where a gift was won.
type origin struct {
	article, placement, campaign, variant, tier, attribution string
}

func (s *story) origin() origin {
	return origin{
		article:   s.named(choose(s.Tape, "frontline", "harvest", "", "letters")),
		placement: choose(s.Tape, "mid", "end", ""),
		campaign:  s.named(choose(s.Tape, "", "winter", "spring")), variant: choose(s.Tape, "", "a", "b"),
		tier: choose(s.Tape, "", "friend", "patron"), attribution: choose(s.Tape, "signed", "unverified", ""),
	}
}

// named keeps slug apart from other worlds'.
func (s *story) named(slug string) string {
	if slug == "" || s.opts.Name == "" {
		return slug
	}
	return slug + "-" + s.opts.Name
}

// marks returns the metadata that the product writes on what it makes.
func (s *story) marks(o origin) fields {
	if s.foreign {
		return choose(s.Tape, fields{}, fields{"article": o.article}, fields{"order": "7"})
	}
	f := fields{"support_v": "1", "checkout": s.newID("chk"), "locale": "uk", "utm_source": "newsletter"}
	for key, value := range map[string]string{
		"article": o.article, "placement": o.placement, "campaign": o.campaign, "variant": o.variant,
		"tier": o.tier, "attribution": o.attribution,
	} {
		if value != "" {
			f[key] = value
		}
	}
	return f
}

// A price is an amount in minor units of a currency as Stripe writes it, in
// lower case.
type price struct {
	amount   int64
	currency string
}

// price draws an amount; yen have no cents, krónur come in hundreds and
// dinars in tens.
func (s *story) price() price {
	currency := choose(s.Tape, "eur", "usd", "uah", "gbp", "jpy", "krw", "isk", "kwd", "pln", "huf")
	step := map[string]int64{"isk": 100, "kwd": 10}[currency]
	return price{s.between(1, 40) * max(step, 1) * choose[int64](s.Tape, 100, 50, 77), currency}
}

// A card says how a gift is paid.
type card struct {
	kind             string // payment_method_details.type
	billing, country string // ISO 3166 alpha-2 or empty: the address's, the card's
}

func (s *story) card(delayed bool) card {
	c := card{
		kind: "card", billing: choose(s.Tape, "", "UA", "DE", "US"),
		country: choose(s.Tape, "UA", "PL", ""),
	}
	if delayed {
		c.kind, c.billing, c.country = "sepa_debit", choose(s.Tape, "DE", "FR"), ""
	} else if s.one(12) {
		c.kind, c.country = choose(s.Tape, "link", "quantum"), ""
	}
	return c
}

// from returns the country a gift paid so counts for.
func (c card) from() string {
	if c.billing != "" {
		return c.billing
	}
	return c.country
}

func (c card) details() fields {
	if c.kind != "card" {
		return fields{"type": c.kind, c.kind: fields{}}
	}
	return fields{"type": "card", "card": fields{
		"brand": "visa", "country": nullable(c.country), "exp_month": 8, "exp_year": 2030, "funding": "credit",
		"last4": "4242", "network": "visa", "three_d_secure": nil, "wallet": nil,
	}}
}

// nullable is s as Stripe writes it: null where it is empty.
func nullable(s string) any {
	if s == "" {
		return nil
	}
	return s
}
