package sandbox

import (
	"strings"
)

// maxExpandDepth is how many levels Stripe expands.
const maxExpandDepth = 4

// expandable tells what an id in a field of this name leads to; "" means that
// the id's prefix tells.
func expandable(field string) (kind, bool) {
	switch field {
	case "customer":
		return kindCustomer, true
	case "payment_intent":
		return kindIntent, true
	case "charge", "latest_charge":
		return kindCharge, true
	case "invoice", "latest_invoice":
		return kindInvoice, true
	case "subscription":
		return kindSubscription, true
	case "balance_transaction", "failure_balance_transaction":
		return kindTransaction, true
	case "payment_method", "default_payment_method":
		return kindMethod, true
	case "product":
		return kindProduct, true
	case "default_price":
		return kindPrice, true
	case "configuration":
		return kindPortalConfig, true
	case "source":
		return "", true
	}
	return "", false
}

// view returns a stored object as the API shows it without expansion.
func (s *Sandbox) view(o Object) Object {
	switch {
	case o.bool("deleted"):
		return Object{"id": o["id"], "object": o["object"], "deleted": true}
	case o.str("object") == string(kindDispute):
		// The transactions are kept by id: their status changes with time.
		var all []any
		for _, id := range o.list("balance_transactions") {
			all = append(all, s.st.get(kindTransaction, id.(string)))
		}
		if all == nil {
			all = []any{}
		}
		return o.with(Object{"balance_transactions": all})
	}
	return o
}

// included returns a list that an object shows only when asked to.
func (s *Sandbox) included(o Object, field string) (any, bool) {
	switch o.str("object") + "." + field {
	case "charge.refunds":
		return firstPage("/v1/charges/"+o.id()+"/refunds", s.where(kindRefund, "charge", o.id())), true
	case "checkout.session.line_items":
		return firstPage("/v1/checkout/sessions/"+o.id()+"/line_items", s.sessionItems(o.id())), true
	case "customer.subscriptions":
		return firstPage("/v1/customers/"+o.id()+"/subscriptions", s.where(kindSubscription, "customer", o.id())), true
	}
	return nil, false
}

// firstPage is all that an expanded list shows.
func firstPage(url string, items []any) Object {
	page := listOf(url, items[:min(len(items), defaultPage)]...)
	page["has_more"] = len(items) > defaultPage
	return page
}

// where returns views of the objects whose field has a value, newest first.
func (s *Sandbox) where(k kind, field, value string) []any {
	found := []any{}
	t := s.st.table(k)
	for i := len(t.ids) - 1; i >= 0; i-- {
		if o := t.byID[t.ids[i]]; o.str(field) == value {
			found = append(found, s.view(o))
		}
	}
	return found
}

// expanded returns o with the paths of the expand parameter filled in.
func (s *Sandbox) expanded(o Object, paths []string) (Object, error) {
	if len(paths) == 0 {
		return o, nil
	}
	o = o.clone()
	for _, path := range paths {
		keys := strings.Split(path, ".")
		if levels := len(keys); levels > maxExpandDepth+boolInt(keys[0] == "data") {
			return nil, invalid("expand", "You cannot expand more than 4 levels of a property. Property: "+path)
		}
		if err := s.expand(o, keys, path); err != nil {
			return nil, err
		}
	}
	return o, nil
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

// expand fills in one path in place; o is a copy.
func (s *Sandbox) expand(o Object, keys []string, path string) error {
	key, rest := keys[0], keys[1:]
	value, exists := o[key]
	if list, ok := s.included(o, key); !exists && ok {
		value, exists = cloned(list), true
		o[key] = value
	}
	if !exists {
		return invalid("expand", "This property cannot be expanded ("+path+").")
	}
	switch v := value.(type) {
	case nil:
		return nil
	case string:
		target := s.lookup(o, key, v)
		if target == nil {
			return invalid("expand", "This property cannot be expanded ("+path+").")
		}
		o[key] = target
		value = target
	}
	if len(rest) == 0 {
		return nil
	}
	switch v := value.(type) {
	case Object:
		return s.expand(v, rest, path)
	case []any:
		for _, item := range v {
			if element, ok := item.(Object); ok {
				if err := s.expand(element, rest, path); err != nil {
					return err
				}
			}
		}
		return nil
	}
	return invalid("expand", "This property cannot be expanded ("+path+").")
}

// lookup returns a copy of what an id in a field leads to, or nil.
func (s *Sandbox) lookup(o Object, field, id string) Object {
	k, ok := expandable(field)
	if !ok || (field == "payment_method" && o.str("object") == string(kindCharge)) { // a plain text in Stripe's document
		return nil
	}
	if k == "" {
		k = kindOf(id)
	}
	target := s.st.get(k, id)
	if target == nil {
		return nil
	}
	return s.view(target).clone()
}

// kindOf finds a kind by an id's prefix, for fields that lead to several.
func kindOf(id string) kind {
	for _, k := range []kind{kindCharge, kindRefund, kindDispute, kindPayout} {
		if strings.HasPrefix(id, prefixOf(k)) {
			return k
		}
	}
	return ""
}
