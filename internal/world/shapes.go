package world

import (
	"fmt"
	"maps"
	"strings"
)

// fields are the members of one JSON object.
type fields map[string]any

// with returns f with others put over it.
func (f fields) with(others fields) fields {
	maps.Copy(f, others)
	return f
}

// nulls returns an object whose members named in names are null.
func nulls(names string) fields {
	f := fields{}
	for name := range strings.FieldsSeq(names) {
		f[name] = nil
	}
	return f
}

// The functions below make objects with every member that Stripe's own
// examples for this API version have; a test compares them. Of a charge the
// refunds are left out, as Stripe does unless they are asked for.

func chargeShape(id string) fields {
	return nulls(`application application_fee application_fee_amount balance_transaction
		calculated_statement_descriptor customer failure_balance_transaction failure_code failure_message
		invoice on_behalf_of outcome payment_intent receipt_email receipt_number review shipping
		source_transfer statement_descriptor statement_descriptor_suffix transfer_data transfer_group
		description`).with(fields{
		"id": id, "object": "charge", "livemode": false, "metadata": fields{}, "fraud_details": fields{},
		"amount_captured": 0, "amount_refunded": 0, "captured": true, "disputed": false, "paid": false,
		"refunded": false, "payment_method": "pm_card",
		"receipt_url": "https://pay.stripe.com/receipts/" + id,
	})
}

func intentShape(id string) fields {
	return nulls(`application application_fee_amount automatic_payment_methods canceled_at
		cancellation_reason customer description invoice last_payment_error latest_charge next_action
		on_behalf_of payment_method payment_method_configuration_details processing receipt_email review
		setup_future_usage shipping statement_descriptor statement_descriptor_suffix transfer_data
		transfer_group`).with(fields{
		"id": id, "object": "payment_intent", "livemode": false, "metadata": fields{},
		"amount_capturable": 0, "amount_details": fields{"tip": fields{}}, "amount_received": 0,
		"capture_method": "automatic", "client_secret": id + "_secret_x", "confirmation_method": "automatic",
		"payment_method_options": fields{}, "payment_method_types": []string{"card"},
		"status": "requires_payment_method",
	})
}

func sessionShape(id string) fields {
	return nulls(`after_expiration allow_promotion_codes billing_address_collection
		client_reference_id client_secret consent consent_collection currency_conversion customer
		customer_creation customer_email invoice invoice_creation locale payment_intent payment_link
		payment_method_collection payment_method_configuration_details recovered_from setup_intent
		shipping_address_collection shipping_cost shipping_details submit_type subscription total_details
		url`).with(fields{
		"id": id, "object": "checkout.session", "livemode": false, "metadata": fields{},
		"automatic_tax": fields{"enabled": false, "liability": nil, "status": nil},
		"cancel_url":    "https://support.example/support", "success_url": "https://support.example/thanks",
		"custom_fields": []any{}, "payment_method_options": fields{},
		"custom_text":          nulls("after_submit shipping_address submit terms_of_service_acceptance"),
		"payment_method_types": []string{"card"}, "payment_status": "unpaid", "status": "open",
		"phone_number_collection": fields{"enabled": false}, "shipping_options": []any{}, "ui_mode": "hosted",
		"customer_details": nil,
	})
}

func invoiceShape(id string) fields {
	return nulls(`account_name account_tax_ids application application_fee_amount charge custom_fields
		customer_address customer_email customer_name customer_phone customer_shipping default_payment_method
		default_source description discount due_date effective_at ending_balance footer from_invoice
		hosted_invoice_url invoice_pdf last_finalization_error latest_revision next_payment_attempt number
		on_behalf_of payment_intent quote receipt_number rendering shipping_cost shipping_details
		statement_descriptor subscription tax test_clock transfer_data webhooks_delivered_at`).with(fields{
		"id": id, "object": "invoice", "livemode": false, "metadata": fields{}, "account_country": "EE",
		"amount_paid": 0, "amount_shipping": 0, "attempt_count": 0, "attempted": false, "auto_advance": true,
		"automatic_tax":     fields{"enabled": false, "liability": nil, "status": nil},
		"collection_method": "charge_automatically", "customer_tax_exempt": "none", "customer_tax_ids": []any{},
		"default_tax_rates": []any{}, "discounts": []any{}, "issuer": fields{"type": "self"}, "paid": false,
		"paid_out_of_band": false, "post_payment_credit_notes_amount": 0, "pre_payment_credit_notes_amount": 0,
		"payment_settings": nulls("default_mandate payment_method_options payment_method_types"),
		"starting_balance": 0, "status": "draft", "subscription_details": fields{"metadata": nil},
		"status_transitions":     nulls("finalized_at marked_uncollectible_at paid_at voided_at"),
		"total_discount_amounts": []any{}, "total_tax_amounts": []any{},
	})
}

func subscriptionShape(id string) fields {
	return nulls(`application application_fee_percent billing_cycle_anchor_config billing_thresholds
		cancel_at canceled_at days_until_due default_payment_method default_source description discount
		ended_at latest_invoice next_pending_invoice_item_invoice on_behalf_of pause_collection
		pending_invoice_item_interval pending_setup_intent pending_update schedule test_clock transfer_data
		trial_end trial_start`).with(fields{
		"id": id, "object": "subscription", "livemode": false, "metadata": fields{},
		"automatic_tax":        fields{"enabled": false, "liability": nil},
		"cancel_at_period_end": false, "cancellation_details": nulls("comment feedback reason"),
		"collection_method": "charge_automatically", "default_tax_rates": []any{},
		"payment_settings": nulls("payment_method_options payment_method_types save_default_payment_method"),
		"trial_settings":   fields{"end_behavior": fields{"missing_payment_method": "create_invoice"}},
	})
}

// priceShape is the price of amount in currency for each interval; a price
// without an interval is paid once.
func priceShape(id, currency, interval string, amount, created int64) fields {
	f := nulls("custom_unit_amount lookup_key nickname recurring tiers_mode transform_quantity").with(fields{
		"id": id, "object": "price", "active": true, "billing_scheme": "per_unit", "created": created,
		"currency": currency, "livemode": false, "metadata": fields{}, "product": "prod_support",
		"tax_behavior": "unspecified", "type": "one_time",
		"unit_amount": amount, "unit_amount_decimal": fmt.Sprint(amount),
	})
	if interval != "" {
		f["type"] = "recurring"
		f["recurring"] = fields{
			"aggregate_usage": nil, "interval": interval, "interval_count": 1, "trial_period_days": nil,
			"usage_type": "licensed",
		}
	}
	return f
}

// listShape is an object's whole list of others.
func listShape(url string, data ...any) fields {
	return fields{"object": "list", "data": data, "has_more": false, "total_count": len(data), "url": url}
}

func refundShape(id string) fields {
	return nulls(`balance_transaction payment_intent reason receipt_number source_transfer_reversal
		transfer_reversal`).with(fields{
		"id": id, "object": "refund", "metadata": fields{},
		"destination_details": fields{"type": "card", "card": fields{"type": "refund"}},
	})
}

func disputeShape(id string) fields {
	return fields{
		"id": id, "object": "dispute", "livemode": false, "metadata": fields{}, "payment_intent": nil,
		"balance_transactions": []any{}, "evidence": fields{}, "is_charge_refundable": false,
		"evidence_details": fields{"due_by": nil, "has_evidence": false, "past_due": false, "submission_count": 0},
		"payment_method_details": fields{
			"type": "card",
			"card": fields{"brand": "visa", "network_reason_code": "10.4"},
		},
		"reason": "general",
	}
}

func customerShape(id string) fields {
	return nulls("address default_source description discount name phone shipping test_clock").with(fields{
		"id": id, "object": "customer", "livemode": false, "metadata": fields{}, "balance": 0,
		"currency": nil, "delinquent": false, "invoice_prefix": "U24", "next_invoice_sequence": 1,
		"invoice_settings":  nulls("custom_fields default_payment_method footer rendering_options"),
		"preferred_locales": []any{}, "tax_exempt": "none",
	})
}

func transactionShape(id string) fields {
	return fields{
		"id": id, "object": "balance_transaction", "description": nil, "exchange_rate": nil,
		"fee_details": []any{}, "source": nil, "status": "available",
	}
}

func payoutShape(id string) fields {
	return nulls(`balance_transaction failure_balance_transaction failure_code failure_message
		original_payout reversed_by statement_descriptor`).with(fields{
		"id": id, "object": "payout", "livemode": false, "metadata": fields{}, "automatic": true,
		"description": "STRIPE PAYOUT", "destination": "ba_1", "method": "standard", "source_type": "card",
		"type": "bank_account", "reconciliation_status": "completed",
	})
}
