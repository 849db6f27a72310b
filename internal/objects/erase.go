package objects

import (
	"bytes"

	"github.com/go-json-experiment/json/jsontext"
)

// An Erasure says that the person behind an object was erased, and which random
// supporter stands for them since. One of a customer or subscription holds for
// whatever is paid through it later.
type Erasure struct {
	Object    Ref
	Supporter string // see [giving.ErasedKey]; "" where only this object said who they were
}

func (e *Erasure) fields(f *form) {
	f.always().text("object", (*string)(&e.Object))
	f.text("supporter", &e.Supporter)
}

// Erase returns the stored form of an erasure.
func Erase(object Ref, supporter string) []byte {
	return Fact(ErasureOf(object), &Erasure{object, supporter})
}

// ErasureOf returns the name of an object's erasure.
func ErasureOf(object Ref) Ref { return NewRef(KindErasure, string(object)) }

// Join implements [Register].
func (e *Erasure) Join(other Register) {
	o := other.(*Erasure)
	e.Object = max(e.Object, o.Object)
	e.Supporter = max(e.Supporter, o.Supporter)
}

// Links implements [Register]. An erasure is found by its name.
func (e *Erasure) Links() []Ref { return nil }

// Reach implements [Register].
func (e *Erasure) Reach() string { return "" }

// erased returns the supporter who stands for an erased person, by the first of
// several objects that has an erasure; "" where none has.
func (g *Graph) erased(objects ...Ref) string {
	for _, ref := range objects {
		if ref == "" {
			continue
		}
		if e := find[*Erasure](g, KindErasure, string(ref)); e != nil && e.Supporter != "" {
			return e.Supporter
		}
	}
	return ""
}

// Personal reports whether objects of a kind may say who somebody is, or lead
// to them. Money and our own facts about attribution do not.
func Personal(kind Kind) bool {
	switch kind {
	case KindTransaction, KindPayout, KindAdopted, KindCorrection, KindErasure:
		return false
	}
	return Empty(kind) != nil
}

// Known returns the e-mail addresses and names that a register holds,
// without empty ones.
func Known(r Register) (emails, names []string) {
	each(r, func(email, name *string) {
		if *email != "" {
			emails = append(emails, *email)
		}
		if *name != "" {
			names = append(names, *name)
		}
	})
	return emails, names
}

// Forget removes from a register who somebody is.
func Forget(r Register) { each(r, func(email, name *string) { *email, *name = "", "" }) }

// each calls f for each place in a register that says who somebody is.
func each(r Register, f func(email, name *string)) {
	switch r := r.(type) {
	case *Charge:
		f(&r.Payer.Value.Email, &r.Payer.Value.Name)
	case *Session:
		f(&r.Donor.Value.Email, &r.Donor.Value.Name)
	case *Invoice:
		f(&r.Billing.Value.Email, &r.Billing.Value.Name)
	case *Customer:
		f(&r.Contact.Value.Email, &r.Contact.Value.Name)
	case *Offline:
		f(&r.Gift.Value.Email, &r.Gift.Value.Name)
	}
}

// scrubbed are the fields that remain of an object of Stripe's: those that are
// read into registers, but for who somebody is. Anything else is dropped, so
// that nothing personal stays which nobody has thought of.
var scrubbed = set(
	"id", "object", "type", "api_version", "livemode", "created", "data", "has_more", "deleted",
	"amount", "amount_captured", "amount_refunded", "amount_paid", "amount_total", "currency", "status", "disputed", "metadata",
	"payment_intent", "invoice", "customer", "charge", "subscription", "balance_transaction", "latest_charge", "latest_invoice",
	"failure_balance_transaction", "balance_transactions", "source", "refunds", "failure_code",
	"billing_details", "customer_details", "address", "country", "payment_method_details", "card",
	"expires_at", "mode", "client_reference_id", "payment_status",
	"paid_out_of_band", "billing_reason", "attempt_count", "next_payment_attempt", "status_transitions", "paid_at",
	"subscription_details", "lines", "items", "price", "quantity", "unit_amount", "recurring", "interval", "interval_count",
	"pause_collection", "resumes_at", "cancel_at_period_end", "cancel_at", "ended_at", "current_period_end", "cancellation_details", "reason",
	"evidence_details", "due_by", "fee", "net", "exchange_rate", "available_on", "arrival_date", "automatic", "reconciliation_status",
	"fraud_type", "actionable",
)

// scrubbedMetadata are the keys of metadata that remain: ours.
var scrubbedMetadata = set(
	MarkKey, "checkout", "article", "placement", "campaign", "variant", "locale", "tier", "attribution",
	"utm_source", "utm_medium", "utm_campaign",
)

func set(names ...string) map[string]bool {
	all := make(map[string]bool, len(names))
	for _, name := range names {
		all[name] = true
	}
	return all
}

// Scrub returns a stored body (an event, an object, or a fact of our own)
// without who somebody is. It says the same about money, links and attribution.
// Of what is no JSON nothing remains.
func Scrub(body []byte) []byte {
	if kind, _, err := head(body); err == nil && kind == kindFact {
		said, err := decodeFact(body)
		if err != nil {
			return []byte(`{}`)
		}
		Forget(said[0].Register)
		return Fact(said[0].Ref, said[0].Register)
	}
	var out bytes.Buffer
	to := jsontext.NewEncoder(&out, lenient)
	from := jsontext.NewDecoder(bytes.NewReader(body), lenient)
	if err := scrub(to, from, scrubbed); err != nil {
		return []byte(`{}`)
	}
	return bytes.TrimSpace(out.Bytes())
}

// scrub copies one value, and of objects in it the fields that may remain.
func scrub(to *jsontext.Encoder, from *jsontext.Decoder, remain map[string]bool) error {
	kind := from.PeekKind()
	if kind != '{' && kind != '[' {
		value, err := from.ReadValue()
		if err != nil {
			return err
		}
		return to.WriteValue(value)
	}
	start, err := from.ReadToken()
	if err != nil {
		return err
	}
	if err := to.WriteToken(start); err != nil {
		return err
	}
	for from.PeekKind() != '}' && from.PeekKind() != ']' {
		if kind == '{' {
			token, err := from.ReadToken()
			if err != nil {
				return err
			}
			name := token.String()
			if !remain[name] {
				if err := from.SkipValue(); err != nil {
					return err
				}
				continue
			}
			if err := to.WriteToken(jsontext.String(name)); err != nil {
				return err
			}
			if name == "metadata" {
				if err := scrub(to, from, scrubbedMetadata); err != nil {
					return err
				}
				continue
			}
		}
		if err := scrub(to, from, remain); err != nil {
			return err
		}
	}
	end, err := from.ReadToken()
	if err != nil {
		return err
	}
	return to.WriteToken(end)
}

// mentioning are the fields whose values are ids, by the kind of what they name.
var mentioning = map[string]Kind{
	"charge": KindCharge, "latest_charge": KindCharge, "payment_intent": KindIntent, "invoice": KindInvoice,
	"latest_invoice": KindInvoice, "customer": KindCustomer, "subscription": KindSubscription,
}

// Mentions returns what a body names of the kinds that lead to somebody, for
// objects that are not kept and so have no links.
func Mentions(body []byte) []Ref {
	found := map[Ref]bool{}
	if e, err := DecodeEvent(body); err == nil && Personal(e.Ref.Kind()) {
		found[e.Ref] = true
	}
	from := jsontext.NewDecoder(bytes.NewReader(body), lenient)
	for {
		token, err := from.ReadToken()
		if err != nil { // io.EOF, or no JSON from here on
			break
		}
		if token.Kind() != '"' {
			continue
		}
		if kind, length := from.StackIndex(from.StackDepth()); kind != '{' || length%2 == 0 {
			continue // no name
		}
		if kind, names := mentioning[token.String()]; names && from.PeekKind() == '"' {
			if value, err := from.ReadToken(); err == nil {
				found[NewRef(kind, value.String())] = true
			}
		}
	}
	delete(found, "")
	refs := make([]Ref, 0, len(found))
	for ref := range found {
		if len(ref) <= maxID {
			refs = append(refs, ref)
		}
	}
	return refs
}
