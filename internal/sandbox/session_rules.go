package sandbox

import (
	"slices"
	"strconv"
	"strings"

	"github.com/united24media/support/internal/money"
	"github.com/united24media/support/internal/sandbox/params"
)

// Limits of a Checkout session.
const (
	sessionShortest = int64(30 * 60)   // seconds it stays open at least
	sessionLongest  = int64(24 * 3600) // seconds it stays open at most, and by default
	maxLineItems    = 100              // of one price each; 20 in subscription mode
	maxReference    = 200              // characters
	maxCustomFields = 3
	maxPeriodicLine = 20
)

func checkoutLocale() params.Field {
	return params.OneOf(strings.Fields("auto bg cs da de el en en-GB es es-419 et fi fil fr fr-CA hr hu id it ja ko lt lv ms mt nb nl pl pt pt-BR ro ru sk sl sv th tr vi zh zh-HK zh-TW")...)
}

var (
	customText = params.Group(params.Schema{"message": params.TextUpTo(1200).Required()}).Clearable()

	customField = params.Group(params.Schema{
		"key": params.TextUpTo(200).Required(), "optional": params.Bool(), "type": params.OneOf("dropdown", "numeric", "text").Required(),
		"label": params.Group(params.Schema{"custom": params.TextUpTo(50).Required(), "type": params.OneOf("custom").Required()}).Required(),
		"text":  params.Group(params.Schema{"minimum_length": params.Int(), "maximum_length": params.Int()}),
		"dropdown": params.Group(params.Schema{"options": params.List(params.Group(params.Schema{
			"label": params.TextUpTo(100).Required(), "value": params.TextUpTo(100).Required(),
		}), 200).Required()}),
		"numeric": params.Group(params.Schema{"minimum_length": params.Int(), "maximum_length": params.Int()}),
	})

	sessionCreate = params.Schema{
		"mode": params.OneOf("payment", "setup", "subscription"), "success_url": params.Text(), "cancel_url": params.Text(),
		"client_reference_id": params.TextUpTo(maxReference), "customer": params.Text(), "customer_email": params.Text(),
		"customer_creation": params.OneOf("always", "if_required"), "currency": params.Text(), "metadata": params.Metadata(),
		"line_items": params.List(params.Group(params.Schema{
			"price": params.Text(), "price_data": priceData, "quantity": params.Int(),
		}), maxLineItems),
		"payment_intent_data": params.Group(params.Schema{
			"description": params.TextUpTo(1000), "metadata": params.Metadata(), "receipt_email": params.Text(),
			"setup_future_usage": params.OneOf("off_session", "on_session"), "statement_descriptor": params.TextUpTo(22),
			"statement_descriptor_suffix": params.TextUpTo(22),
		}),
		"subscription_data": params.Group(params.Schema{
			"description": params.TextUpTo(500), "metadata": params.Metadata(), "trial_period_days": params.Int(), "trial_end": params.Int(),
			"trial_settings": params.Group(params.Schema{"end_behavior": params.Group(params.Schema{
				"missing_payment_method": params.OneOf("cancel", "create_invoice", "pause").Required(),
			}).Required()}),
		}),
		"submit_type": params.OneOf("auto", "book", "donate", "pay"), "locale": checkoutLocale(), "expires_at": params.Int(),
		"payment_method_types":      params.List(params.OneOf("card", "sepa_debit", "link", "paypal", "ideal", "bancontact", "eps", "giropay", "p24", "sofort"), 100),
		"payment_method_collection": params.OneOf("always", "if_required"), "billing_address_collection": params.OneOf("auto", "required"),
		"allow_promotion_codes": params.Bool(), "ui_mode": params.OneOf("hosted"),
		"custom_text":             params.Group(params.Schema{"submit": customText, "after_submit": customText, "terms_of_service_acceptance": customText}),
		"custom_fields":           params.List(customField, maxCustomFields),
		"phone_number_collection": params.Group(params.Schema{"enabled": params.Bool().Required()}),
		"consent_collection":      params.Group(params.Schema{"promotions": params.OneOf("auto", "none"), "terms_of_service": params.OneOf("none", "required")}),
		"automatic_tax":           params.Group(params.Schema{"enabled": params.Bool().Required()}),
		"invoice_creation":        params.Group(params.Schema{"enabled": params.Bool().Required()}),
	}
)

// sessionRules refuses what Stripe's document allows in each parameter but
// not together.
func (s *Sandbox) sessionRules(v params.Values) error {
	mode := v.Text("mode")
	if mode == "" {
		return invalidCode("parameter_missing", "mode", "You must provide a value for `mode`: payment or subscription.")
	}
	if mode == "setup" {
		return invalid("mode", "The sandbox has no `setup` mode.")
	}
	for _, wrong := range map[string][]string{
		"subscription": {"submit_type", "payment_intent_data", "customer_creation", "invoice_creation"},
		"payment":      {"subscription_data"},
	}[mode] {
		if v.Has(wrong) {
			return invalid(wrong, "You can not pass `"+wrong+"` in `"+mode+"` mode.")
		}
	}
	switch {
	case len(v.List("line_items")) == 0:
		return invalidCode("parameter_missing", "line_items", "The `line_items` parameter is required in "+mode+" mode.")
	case mode == "subscription" && len(v.List("line_items")) > maxPeriodicLine:
		return invalid("line_items", "You can have at most 20 line items in subscription mode.")
	case v.Text("success_url") == "":
		return invalidCode("parameter_missing", "success_url", "Missing required param: success_url.")
	case v.Has("customer") && v.Has("customer_email"):
		return invalid("customer_email", "You may only specify one of these parameters: customer, customer_email.")
	case v.Has("customer") && v.Has("customer_creation"):
		return invalid("customer_creation", "You may only specify one of these parameters: customer, customer_creation.")
	}
	for _, check := range []func(params.Values) error{s.sessionAddresses, s.sessionTimes, sessionFields, s.sessionTrial} {
		if err := check(v); err != nil {
			return err
		}
	}
	return nil
}

func (s *Sandbox) sessionAddresses(v params.Values) error {
	for _, param := range []string{"success_url", "cancel_url"} {
		if v.Has(param) {
			// Stripe replaces the braces before it looks at the address.
			if err := checkURL(param, strings.ReplaceAll(v.Text(param), sessionPlaceholder, "id")); err != nil {
				return err
			}
		}
	}
	if id := v.Text("customer"); id != "" {
		if c := s.st.get(kindCustomer, id); c == nil || c.bool("deleted") {
			return missingParam("customer", "customer", id)
		}
	}
	if err := checkEmail("customer_email", v.Text("customer_email")); err != nil {
		return err
	}
	return checkEmail("payment_intent_data[receipt_email]", v.Group("payment_intent_data").Text("receipt_email"))
}

func (s *Sandbox) sessionTimes(v params.Values) error {
	if !v.Has("expires_at") {
		return nil
	}
	switch open := v.Int("expires_at") - s.now(); {
	case open < sessionShortest:
		return invalid("expires_at", "The `expires_at` timestamp must be at least 30 minutes from Checkout Session creation.")
	case open > sessionLongest:
		return invalid("expires_at", "The `expires_at` timestamp must be less than 24 hours from Checkout Session creation.")
	}
	return nil
}

func sessionFields(v params.Values) error {
	var keys []string
	for i, field := range v.Groups("custom_fields") {
		at := "custom_fields[" + strconv.Itoa(i) + "]"
		if slices.Contains(keys, field.Text("key")) {
			return invalid(at+"[key]", "Custom field keys must be unique: "+field.Text("key"))
		}
		keys = append(keys, field.Text("key"))
		if (field.Text("type") == "dropdown") != field.Has("dropdown") {
			return invalid(at+"[dropdown]", "`dropdown` goes with type `dropdown`, and only with it.")
		}
	}
	return nil
}

func (s *Sandbox) sessionTrial(v params.Values) error {
	data := v.Group("subscription_data")
	switch {
	case data.Has("trial_period_days") && data.Has("trial_end"):
		return invalid("subscription_data[trial_end]", "You may only specify one of these parameters: trial_period_days, trial_end.")
	case data.Has("trial_period_days") && (data.Int("trial_period_days") < 1 || data.Int("trial_period_days") > 730):
		return invalid("subscription_data[trial_period_days]", "Invalid trial_period_days: must be between 1 and 730.")
	case data.Has("trial_end") && data.Int("trial_end") < s.now()+48*3600:
		return invalid("subscription_data[trial_end]", "The `trial_end` date has to be at least 2 days in the future.")
	}
	return nil
}

// sessionLines makes the items a session sells and checks them against its mode.
func (s *Sandbox) sessionLines(v params.Values) ([]any, error) {
	var lines []any
	currency, recurring := "", 0
	for i, sent := range v.Groups("line_items") {
		at := "line_items[" + strconv.Itoa(i) + "]"
		price, err := s.linePrice(sent, at)
		if err != nil {
			return nil, err
		}
		if !sent.Has("quantity") {
			return nil, invalidCode("parameter_missing", at+"[quantity]", "Quantity is required. Add `quantity` to `"+at+"`.")
		}
		if sent.Int("quantity") < 1 {
			return nil, invalidCode("parameter_invalid_integer", at+"[quantity]", "This value must be greater than or equal to 1.")
		}
		if currency != "" && currency != price.str("currency") {
			return nil, invalid(at, "All line items must have the same currency.")
		}
		currency = price.str("currency")
		if price.str("type") == "recurring" {
			recurring++
		}
		lines = append(lines, s.lineItem(price, sent.Int("quantity")))
	}
	switch {
	case v.Text("mode") == "payment" && recurring > 0:
		return nil, invalid("line_items", "You specified `payment` mode but passed a recurring price. Either switch to `subscription` mode or use only one-time prices.")
	case v.Text("mode") == "subscription" && recurring == 0:
		return nil, invalid("line_items", "You must provide at least one recurring price in `subscription` mode when using prices.")
	}
	return lines, s.lineRules(v, currency, lines)
}

func (s *Sandbox) linePrice(sent params.Values, at string) (Object, error) {
	id, described := sent.Text("price"), sent.Group("price_data")
	switch {
	case id != "" && described != nil:
		return nil, invalid(at, "You may only specify one of these parameters: price, price_data.")
	case described != nil:
		return s.newPrice(described, at+"[price_data]", false)
	case id == "":
		return nil, invalidCode("parameter_missing", at+"[price]", "You must specify either `price` or `price_data` for each line item.")
	}
	price := s.st.get(kindPrice, id)
	if price == nil {
		return nil, missingParam("price", at+"[price]", id)
	}
	if !price.bool("active") {
		return nil, invalid(at+"[price]", "The price specified is inactive. This field only accepts active prices.")
	}
	return price, nil
}

// lineRules checks what depends on the currency and the total.
func (s *Sandbox) lineRules(v params.Values, currency string, lines []any) error {
	var total int64
	for _, item := range lines {
		total += item.(Object).int("amount_total")
	}
	if c, err := money.Lookup(s.opts.Settlement); err == nil && v.Text("mode") == "payment" {
		if settled, _ := s.convert(total, currency); settled < c.Min {
			return invalidCode("amount_too_small", "", "The Checkout Session's total amount due must add up to at least "+
				money.Amount{Minor: c.Min, Currency: c.Code}.String()+" after conversion.")
		}
	}
	if total > money.MaxMinor {
		return invalidCode("amount_too_large", "", "The Checkout Session's total amount due must be no more than 99999999.")
	}
	if v.Has("currency") && !strings.EqualFold(v.Text("currency"), currency) {
		return invalid("currency", "The `currency` is not that of the line items.")
	}
	if slices.Contains(v.Texts("payment_method_types"), "sepa_debit") && currency != "eur" {
		return invalid("payment_method_types", "The currency `"+currency+"` is not supported by the payment method `sepa_debit`. `sepa_debit` only supports `eur`.")
	}
	if customer := s.st.get(kindCustomer, v.Text("customer")); v.Text("mode") == "subscription" && customer.str("currency") != "" &&
		customer.str("currency") != currency && s.subscribes(customer.id()) {
		return invalid("customer", "You cannot combine currencies on a single customer. This customer has an active subscription with currency "+customer.str("currency")+".")
	}
	return nil
}

func (s *Sandbox) subscribes(customer string) bool {
	for _, o := range s.where(kindSubscription, "customer", customer) {
		if !ended(o.(Object)) {
			return true
		}
	}
	return false
}

// lineItem is one line of a session.
func (s *Sandbox) lineItem(price Object, quantity int64) Object {
	amount := price.int("unit_amount") * quantity
	return Object{
		"id": "li_" + randomText(s.random, idLength), "object": "item", "amount_discount": int64(0), "amount_subtotal": amount,
		"amount_tax": int64(0), "amount_total": amount, "currency": price["currency"],
		"description": s.st.get(kindProduct, price.str("product")).str("name"), "price": price, "quantity": quantity,
	}
}
