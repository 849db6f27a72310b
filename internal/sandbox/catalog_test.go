package sandbox_test

import (
	"reflect"
	"testing"
)

func TestMetadataMerges(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	path := "/customers/" + w.must("POST", "/customers", "metadata[a]", "1", "metadata[b]", "2").str("id")
	steps := []struct {
		name  string
		pairs []string
		want  map[string]any
	}{
		{"made", nil, map[string]any{"a": "1", "b": "2"}},
		{"one added, one changed", []string{"metadata[b]", "3", "metadata[c]", "4"}, map[string]any{"a": "1", "b": "3", "c": "4"}},
		{"one removed", []string{"metadata[a]", ""}, map[string]any{"b": "3", "c": "4"}},
		{"not mentioned", []string{"name", "Olena"}, map[string]any{"b": "3", "c": "4"}},
		{"all removed", []string{"metadata", ""}, map[string]any{}},
	}
	for _, step := range steps {
		if got := w.must("POST", path, step.pairs...).get("metadata"); !reflect.DeepEqual(got, step.want) {
			t.Errorf("%s: %v, want %v", step.name, got, step.want)
		}
	}
}

func TestCustomerUpdate(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	path := "/customers/" + w.must("POST", "/customers", "email", "old@example.org").str("id")
	after := w.must("POST", path, "email", "new@example.org", "address[country]", "UA", "address[city]", "Lviv")
	if after.str("email") != "new@example.org" || after.str("address.country") != "UA" || after.get("address.line1") != nil {
		t.Errorf("updated: %v", after)
	}
	w.DeliverAll(t.Context())
	events := w.inbox.events(t)
	if last := events[len(events)-1]; last.str("type") != "customer.updated" || last.str("data.previous_attributes.email") != "old@example.org" {
		t.Errorf("last event: %v", last)
	}
	if cleared := w.must("POST", path, "email", "", "address", ""); cleared.get("email") != nil || cleared.get("address") != nil {
		t.Errorf("cleared: %v", cleared)
	}
	if a := w.call("POST", path, "email", "no address"); a.str("error.code") != "email_invalid" {
		t.Errorf("a wrong address: %v", a.object)
	}
}

func TestProductsAndPrices(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	made := w.must("POST", "/products", "id", "support_month", "name", "Membership", "metadata[support_v]", "1")
	if made.str("id") != "support_month" {
		t.Errorf("made %v", made)
	}
	if a := w.call("POST", "/products", "id", "support_month", "name", "Again"); a.str("error.code") != "resource_already_exists" {
		t.Errorf("made twice: %v", a.object)
	}
	if changed := w.must("POST", "/products/support_month", "name", "Monthly", "active", "false"); changed.str("name") != "Monthly" || changed.get("active") != false {
		t.Errorf("changed: %v", changed)
	}
	tier := func(amount, key string, more ...string) answer {
		return w.call("POST", "/prices", append([]string{"currency", "eur", "unit_amount", amount, "product", "support_month",
			"recurring[interval]", "month", "lookup_key", key}, more...)...)
	}
	first := tier("500", "reader")
	if again := tier("600", "reader"); again.status != 400 || again.str("error.param") != "lookup_key" {
		t.Errorf("a key used twice: %v", again.object)
	}
	moved := tier("600", "reader", "transfer_lookup_key", "true")
	found := w.must("GET", "/prices", "lookup_keys[]", "reader").list("data")
	if len(found) != 1 || found[0].str("id") != moved.str("id") || w.must("GET", "/prices/"+first.str("id")).get("lookup_key") != nil {
		t.Errorf("by its key: %v", found)
	}
	w.must("POST", "/prices/"+first.str("id"), "active", "false")
	if active := w.must("GET", "/prices", "active", "true", "product", "support_month").list("data"); len(active) != 1 {
		t.Errorf("active: %v", active)
	}
	if a := w.call("DELETE", "/products/support_month"); a.status != 400 {
		t.Errorf("a product with prices is deleted: %v", a.object)
	}
	if a := w.call("POST", "/checkout/sessions", "mode", "subscription", "success_url", "https://a.example",
		"line_items[0][price]", first.str("id"), "line_items[0][quantity]", "1"); a.str("error.param") != "line_items[0][price]" {
		t.Errorf("an inactive price is sold: %v", a.object)
	}
	if got := w.must("GET", "/products", "ids[]", "support_month").list("data"); len(got) != 1 {
		t.Errorf("by id: %v", got)
	}
	w.must("POST", "/products", "id", "spare", "name", "Spare")
	if gone := w.must("DELETE", "/products/spare"); gone.get("deleted") != true {
		t.Errorf("deleted: %v", gone)
	}
}

func TestPortalConfigurationUpdate(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := portalConfig(w).str("id")
	after := w.must("POST", "/billing_portal/configurations/"+id, "features[subscription_cancel][enabled]", "false",
		"features[customer_update][enabled]", "true", "features[customer_update][allowed_updates][]", "email", "default_return_url", "https://site.example/account")
	if after.get("features.subscription_cancel.enabled") != false || after.str("features.subscription_cancel.mode") != "at_period_end" ||
		after.get("features.customer_update.enabled") != true || after.str("default_return_url") != "https://site.example/account" {
		t.Errorf("updated: %v", after)
	}
	if list := w.must("GET", "/billing_portal/configurations", "is_default", "true").list("data"); len(list) != 1 {
		t.Errorf("default: %v", list)
	}
	for name, pairs := range map[string][]string{
		"no such customer":      {"customer", "cus_none"},
		"no such configuration": {"customer", w.must("POST", "/customers").str("id"), "configuration", "bpc_none"},
	} {
		if a := w.call("POST", "/billing_portal/sessions", pairs...); a.str("error.code") != "resource_missing" {
			t.Errorf("%s: %v", name, a.object)
		}
	}
}

func TestCanceledIntent(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	session := w.must("POST", "/checkout/sessions", once("1000", "eur")...)
	_, err := w.Pay(session.str("id"), olena, "declined")
	w.ok(err)
	intent := w.must("GET", "/payment_intents").list("data")[0].str("id")
	if a := w.call("POST", "/payment_intents/"+intent+"/cancel"); a.str("error.code") != "payment_intent_unexpected_state" {
		t.Errorf("canceled under an open session: %v", a.object)
	}
	w.must("POST", "/checkout/sessions/"+session.str("id")+"/expire")
	if pi := w.must("GET", "/payment_intents/"+intent); pi.str("status") != "canceled" || pi.str("cancellation_reason") != "abandoned" || pi.get("canceled_at") == nil {
		t.Errorf("canceled: %v", pi)
	}
	if a := w.call("POST", "/payment_intents/"+intent+"/cancel"); a.str("error.code") != "payment_intent_unexpected_state" {
		t.Errorf("canceled twice: %v", a.object)
	}
}
