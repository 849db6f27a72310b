package sandbox_test

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/united24media/support/internal/sandbox"
)

func TestSessionRules(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	customer := w.must("POST", "/customers", "email", "a@example.org").str("id")
	// without removes a parameter, with adds or replaces one.
	without := func(pairs []string, key string) []string {
		var kept []string
		for i := 0; i < len(pairs); i += 2 {
			if pairs[i] != key {
				kept = append(kept, pairs[i:i+2]...)
			}
		}
		return kept
	}
	with := func(pairs []string, key, value string) []string { return append(without(pairs, key), key, value) }
	pay, sub := once("1000", "eur"), monthly("500", "eur")
	const line = "line_items[0]"
	tests := map[string]struct {
		form        []string
		param, code string
	}{
		"unknown parameter":                    {with(pay, "frob", "1"), "frob", "parameter_unknown"},
		"unknown nested parameter":             {with(pay, line+"[price_data][frob]", "1"), line + "[price_data][frob]", "parameter_unknown"},
		"unknown payment_intent_data":          {with(pay, "payment_intent_data[frob]", "1"), "payment_intent_data[frob]", "parameter_unknown"},
		"adaptive pricing is of later years":   {with(pay, "adaptive_pricing[enabled]", "false"), "adaptive_pricing", "parameter_unknown"},
		"unknown mode":                         {with(pay, "mode", "donation"), "mode", ""},
		"no mode":                              {without(pay, "mode"), "mode", "parameter_missing"},
		"no success_url":                       {without(pay, "success_url"), "success_url", "parameter_missing"},
		"success_url is relative":              {with(pay, "success_url", "/thanks"), "success_url", "url_invalid"},
		"no lines":                             {[]string{"mode", "payment", "success_url", "https://a.example"}, "line_items", "parameter_missing"},
		"no quantity":                          {without(pay, line+"[quantity]"), line + "[quantity]", "parameter_missing"},
		"quantity 0":                           {with(pay, line+"[quantity]", "0"), line + "[quantity]", "parameter_invalid_integer"},
		"no currency":                          {without(pay, line+"[price_data][currency]"), line + "[price_data][currency]", "parameter_missing"},
		"no such currency":                     {with(pay, line+"[price_data][currency]", "zzz"), line + "[price_data][currency]", ""},
		"no amount":                            {without(pay, line+"[price_data][unit_amount]"), line + "[price_data][unit_amount]", "parameter_missing"},
		"amount with a point":                  {with(pay, line+"[price_data][unit_amount]", "12.50"), line + "[price_data][unit_amount]", "parameter_invalid_integer"},
		"amount below zero":                    {with(pay, line+"[price_data][unit_amount]", "-5"), line + "[price_data][unit_amount]", "parameter_invalid_integer"},
		"amount under the minimum":             {with(pay, line+"[price_data][unit_amount]", "49"), "", "amount_too_small"},
		"amount of nine digits":                {with(pay, line+"[price_data][unit_amount]", "100000000"), line + "[price_data][unit_amount]", "amount_too_large"},
		"krona of half":                        {once("550", "isk"), line + "[price_data][unit_amount]", ""},
		"dinar with a last digit":              {once("10001", "kwd"), line + "[price_data][unit_amount]", ""},
		"product and product_data":             {with(pay, line+"[price_data][product]", "prod_x"), line + "[price_data][product]", ""},
		"neither product nor product_data":     {without(pay, line+"[price_data][product_data][name]"), line + "[price_data][product]", "parameter_missing"},
		"no such product":                      {with(without(pay, line+"[price_data][product_data][name]"), line+"[price_data][product]", "prod_x"), line + "[price_data][product]", "resource_missing"},
		"price and price_data":                 {with(pay, line+"[price]", "price_x"), line, ""},
		"no such price":                        {[]string{"mode", "payment", "success_url", "https://a.example", line + "[price]", "price_x", line + "[quantity]", "1"}, line + "[price]", "resource_missing"},
		"customer and customer_email":          {append(slices.Clone(pay), "customer", customer, "customer_email", "a@example.org"), "customer_email", ""},
		"no such customer":                     {with(pay, "customer", "cus_x"), "customer", "resource_missing"},
		"e-mail that is none":                  {with(pay, "customer_email", "a@b@c"), "customer_email", "email_invalid"},
		"Ukrainian is not a checkout language": {with(pay, "locale", "uk"), "locale", ""},
		"submit_type gift":                     {with(pay, "submit_type", "gift"), "submit_type", ""},
		"expires too soon":                     {with(pay, "expires_at", strconv.FormatInt(start.Add(10*time.Minute).Unix(), 10)), "expires_at", ""},
		"expires too late":                     {with(pay, "expires_at", strconv.FormatInt(start.Add(48*time.Hour).Unix(), 10)), "expires_at", ""},
		"expires tomorrow":                     {with(pay, "expires_at", "tomorrow"), "expires_at", "parameter_invalid_integer"},
		"reference of 201":                     {with(pay, "client_reference_id", strings.Repeat("x", 201)), "client_reference_id", ""},
		"metadata value of 501":                {with(pay, "metadata[a]", strings.Repeat("x", 501)), "metadata[a]", ""},
		"metadata key of 41":                   {with(pay, "metadata["+strings.Repeat("x", 41)+"]", "1"), "metadata[" + strings.Repeat("x", 41) + "]", ""},
		"metadata nested":                      {with(pay, "metadata[a][b]", "1"), "metadata[a]", ""},
		"descriptor of 23":                     {with(pay, "payment_intent_data[statement_descriptor]", strings.Repeat("x", 23)), "payment_intent_data[statement_descriptor]", ""},
		"bank debit in dollars":                {append(once("1000", "usd"), "payment_method_types[]", "sepa_debit"), "payment_method_types", ""},
		"donate in subscription mode":          {with(sub, "submit_type", "donate"), "submit_type", ""},
		"payment_intent_data in subscription":  {with(sub, "payment_intent_data[description]", "x"), "payment_intent_data", ""},
		"customer_creation in subscription":    {with(sub, "customer_creation", "always"), "customer_creation", ""},
		"invoice_creation in subscription":     {with(sub, "invoice_creation[enabled]", "true"), "invoice_creation", ""},
		"subscription_data in payment mode":    {with(pay, "subscription_data[description]", "x"), "subscription_data", ""},
		"a recurring price paid once":          {with(sub[:], "mode", "payment"), "subscription_data", ""},
		"a one-time price as a subscription":   {with(without(pay, "payment_intent_data[metadata][article]"), "mode", "subscription"), "line_items", ""},
		"13 months":                            {with(sub, line+"[price_data][recurring][interval_count]", "13"), line + "[price_data][recurring][interval_count]", ""},
		"every fortnight":                      {with(sub, line+"[price_data][recurring][interval]", "fortnight"), line + "[price_data][recurring][interval]", ""},
		"two fields with one key": {append(slices.Clone(pay), "custom_fields[0][key]", "a", "custom_fields[0][type]", "text", "custom_fields[0][label][type]", "custom",
			"custom_fields[0][label][custom]", "A", "custom_fields[1][key]", "a", "custom_fields[1][type]", "text", "custom_fields[1][label][type]", "custom",
			"custom_fields[1][label][custom]", "B"), "custom_fields[1][key]", ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := w.call("POST", "/checkout/sessions", tt.form...)
			if a.status != http.StatusBadRequest || a.str("error.type") != "invalid_request_error" || a.str("error.param") != tt.param || a.str("error.code") != tt.code {
				t.Errorf("answered %d %v; want 400 with param %q, code %q", a.status, a.object, tt.param, tt.code)
			}
		})
	}
	t.Run("51 metadata keys", func(t *testing.T) {
		t.Parallel()
		form := slices.Clone(pay)
		for i := range 51 {
			form = append(form, "metadata[k"+strconv.Itoa(i)+"]", "v")
		}
		if a := w.call("POST", "/checkout/sessions", form...); a.status != http.StatusBadRequest || a.str("error.param") != "metadata" {
			t.Errorf("answered %d %v", a.status, a.object)
		}
	})
}

func TestARefusedRequestLeavesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	// The product and the price of the line are made before the total is found too small.
	w.call("POST", "/checkout/sessions", once("10", "eur")...)
	if products := w.must("GET", "/products").list("data"); len(products) != 0 {
		t.Errorf("left behind: %v", products)
	}
	if n := w.DeliverAll(t.Context()); n != 0 {
		t.Errorf("%d events of a refused request", n)
	}
}

func TestKeysAndVersions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	tests := map[string]struct {
		header http.Header
		path   string
		status int
	}{
		"no key":                {http.Header{"Authorization": nil}, "/charges", 401},
		"live key":              {http.Header{"Authorization": {"Bearer sk_live_x"}}, "/charges", 401},
		"key as basic auth":     {http.Header{"Authorization": {"Basic c2tfdGVzdF94Og=="}}, "/charges", 200},
		"the version":           {http.Header{"Stripe-Version": {sandbox.Version}}, "/charges", 200},
		"another version":       {http.Header{"Stripe-Version": {"2024-10-28.acacia"}}, "/charges", 400},
		"no such address":       {nil, "/frobs", 404},
		"no such charge":        {nil, "/charges/ch_x", 404},
		"no such session":       {nil, "/checkout/sessions/cs_test_x", 404},
		"unknown list filter":   {nil, "/charges?frob=1", 400},
		"limit 101":             {nil, "/charges?limit=101", 400},
		"limit 0":               {nil, "/charges?limit=0", 400},
		"both cursors":          {nil, "/charges?starting_after=ch_x&ending_before=ch_x", 400},
		"cursor of nothing":     {nil, "/charges?starting_after=ch_x", 400},
		"created yesterday":     {nil, "/charges?created[gte]=yesterday", 400},
		"expand of nonsense":    {nil, "/events?expand[]=data.frob", 200}, // nothing in the list to expand
		"expand of five levels": {nil, "/charges?expand[]=data.a.b.c.d.e", 400},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path, query, _ := strings.Cut(tt.path, "?")
			var pairs []string
			for pair := range strings.SplitSeq(query, "&") {
				if key, value, ok := strings.Cut(pair, "="); ok {
					pairs = append(pairs, key, value)
				}
			}
			if path == "/frobs" { // the audit knows no such address either
				res, err := http.Get(w.server.URL + "/sandbox/v1/frobs")
				if err != nil {
					t.Fatal(err)
				}
				res.Body.Close()
				if res.StatusCode != http.StatusUnauthorized {
					t.Errorf("without a key: %d", res.StatusCode)
				}
			}
			a := w.callWith(tt.header, "GET", path, pairs...)
			if a.status != tt.status {
				t.Errorf("answered %d %v, want %d", a.status, a.object, tt.status)
			}
			if !strings.HasPrefix(a.header.Get("Request-Id"), "req_") || a.header.Get("Stripe-Version") != sandbox.Version {
				t.Errorf("headers %v", a.header)
			}
			if got, want := a.header.Get("Date"), start.Format(http.TimeFormat); got != want {
				t.Errorf("Date %s, want the sandbox's time %s", got, want)
			}
		})
	}
}

func TestPaging(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var made []string // newest first
	for range 25 {
		made = slices.Insert(made, 0, w.must("POST", "/customers", "email", "a@example.org").str("id"))
		w.advance(time.Second)
	}
	ids := func(l object) []string {
		var all []string
		for _, o := range l.list("data") {
			all = append(all, o.str("id"))
		}
		return all
	}
	t.Run("forward", func(t *testing.T) {
		t.Parallel()
		var all []string
		after := []string{"limit", "7"}
		for range 5 {
			page := w.must("GET", "/customers", after...)
			all = append(all, ids(page)...)
			if page.get("has_more") == false {
				break
			}
			after = []string{"limit", "7", "starting_after", all[len(all)-1]}
		}
		if !slices.Equal(all, made) {
			t.Errorf("paged through %v, want %v", all, made)
		}
	})
	t.Run("default is ten, newest first", func(t *testing.T) {
		t.Parallel()
		if page := w.must("GET", "/customers"); !slices.Equal(ids(page), made[:10]) || page.get("has_more") != true || page.str("url") != "/v1/customers" {
			t.Errorf("page %v", page)
		}
	})
	t.Run("backward", func(t *testing.T) {
		t.Parallel()
		page := w.must("GET", "/customers", "limit", "3", "ending_before", made[10])
		if !slices.Equal(ids(page), made[7:10]) || page.get("has_more") != true {
			t.Errorf("page %v, want %v", ids(page), made[7:10])
		}
	})
	t.Run("exactly all", func(t *testing.T) {
		t.Parallel()
		if page := w.must("GET", "/customers", "limit", "25"); len(ids(page)) != 25 || page.get("has_more") != false {
			t.Errorf("%d, has_more %v", len(ids(page)), page.get("has_more"))
		}
	})
	t.Run("created", func(t *testing.T) {
		t.Parallel()
		from, to := strconv.FormatInt(start.Unix()+5, 10), strconv.FormatInt(start.Unix()+8, 10)
		if page := w.must("GET", "/customers", "created[gt]", from, "created[lte]", to); len(ids(page)) != 3 {
			t.Errorf("between: %v", ids(page))
		}
		if page := w.must("GET", "/customers", "created[gte]", from, "created[lt]", to); len(ids(page)) != 3 {
			t.Errorf("between: %v", ids(page))
		}
		if page := w.must("GET", "/customers", "created", from); len(ids(page)) != 1 {
			t.Errorf("at: %v", ids(page))
		}
	})
}

func TestIdempotency(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	key := http.Header{"Idempotency-Key": {"attempt-1"}}
	first := w.callWith(key, "POST", "/checkout/sessions", once("1000", "eur")...)
	again := w.callWith(key, "POST", "/checkout/sessions", once("1000", "eur")...)
	if first.status != 200 || first.str("id") != again.str("id") || again.header.Get("Idempotent-Replayed") != "true" || first.header.Get("Idempotent-Replayed") != "" {
		t.Errorf("first %v, again %v", first.object, again.object)
	}
	other := w.callWith(key, "POST", "/checkout/sessions", once("2000", "eur")...)
	if other.status != 400 || other.str("error.type") != "idempotency_error" {
		t.Errorf("other parameters: %d %v", other.status, other.object)
	}
	if path := w.callWith(key, "POST", "/customers"); path.str("error.type") != "idempotency_error" {
		t.Errorf("another address: %v", path.object)
	}
	refused := http.Header{"Idempotency-Key": {"attempt-2"}}
	if a := w.callWith(refused, "POST", "/checkout/sessions", "mode", "frob"); a.status != 400 {
		t.Fatalf("answered %d", a.status)
	}
	if a := w.callWith(refused, "POST", "/checkout/sessions", once("1000", "eur")...); a.status != 200 {
		t.Errorf("a refused request used up its key: %v", a.object)
	}
	if long := w.callWith(http.Header{"Idempotency-Key": {strings.Repeat("x", 256)}}, "POST", "/customers"); long.status != 400 {
		t.Errorf("a key of 256 is answered %d", long.status)
	}
	w.advance(25 * time.Hour)
	if late := w.callWith(key, "POST", "/checkout/sessions", once("1000", "eur")...); late.status != 200 || late.str("id") == first.str("id") {
		t.Errorf("a day later: %v", late.object)
	}
}

func TestDeclinedInvoicePaymentIsReplayed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.paid(monthly("500", "eur"), sandbox.Paid).str("subscription")
	w.ok(w.FailPayments(id, true))
	w.advance(30 * aDay)
	invoice := w.invoices(id)[0].str("id")
	key := http.Header{"Idempotency-Key": {"pay-1"}}
	for range 2 {
		a := w.callWith(key, "POST", "/invoices/"+invoice+"/pay")
		if a.status != http.StatusPaymentRequired || a.str("error.type") != "card_error" || a.str("error.code") != "card_declined" {
			t.Errorf("answered %d %v", a.status, a.object)
		}
	}
	if got := w.invoices(id)[0].int("attempt_count"); got != 2 {
		t.Errorf("%d attempts: a declined payment must stay, and its replay must not try again", got)
	}
}
