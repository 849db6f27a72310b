package bench

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

// An event as Stripe sends it at API 2023-10-16: a charge of a new gift, with
// every field a charge has there, about 4 KB. $N is the gift's number, $A its
// article's.
const chargeEvent = `{
  "id": "evt_3OqBench$N", "object": "event", "api_version": "2023-10-16", "created": 1769850000,
  "data": {"object": {
    "id": "ch_3OqBench$N", "object": "charge", "amount": 2500, "amount_captured": 2500, "amount_refunded": 0,
    "application": null, "application_fee": null, "application_fee_amount": null,
    "balance_transaction": "txn_3OqBench$N",
    "billing_details": {
      "address": {"city": null, "country": "UA", "line1": null, "line2": null, "postal_code": "01001", "state": null},
      "email": "reader-$N@example.org", "name": "Reader Number $N", "phone": null
    },
    "calculated_statement_descriptor": "UNITED24 MEDIA", "captured": true, "created": 1769850000, "currency": "eur",
    "customer": "cus_Bench$N", "description": null, "destination": null, "dispute": null, "disputed": false,
    "failure_balance_transaction": null, "failure_code": null, "failure_message": null, "fraud_details": {},
    "invoice": null, "livemode": false,
    "metadata": {
      "support_v": "1", "checkout": "co_01J0000000000000$N", "article": "frontline-report-$A", "placement": "mid",
      "campaign": "winter", "variant": "a", "locale": "uk", "attribution": "signed",
      "utm_source": "newsletter", "utm_medium": "email", "utm_campaign": "winter-2026"
    },
    "on_behalf_of": null, "order": null,
    "outcome": {
      "network_status": "approved_by_network", "reason": null, "risk_level": "normal", "risk_score": 12,
      "seller_message": "Payment complete.", "type": "authorized"
    },
    "paid": true, "payment_intent": "pi_3OqBench$N", "payment_method": "pm_1OqBench$N",
    "payment_method_details": {
      "card": {
        "amount_authorized": 2500, "brand": "visa",
        "checks": {"address_line1_check": null, "address_postal_code_check": "pass", "cvc_check": "pass"},
        "country": "UA", "exp_month": 12, "exp_year": 2029,
        "extended_authorization": {"status": "disabled"}, "fingerprint": "Bench8sJXyZrzNk$N", "funding": "debit",
        "incremental_authorization": {"status": "unavailable"}, "installments": null, "last4": "4242", "mandate": null,
        "multicapture": {"status": "unavailable"}, "network": "visa", "network_token": {"used": false},
        "overcapture": {"maximum_amount_capturable": 2500, "status": "unavailable"},
        "three_d_secure": null, "wallet": null
      },
      "type": "card"
    },
    "radar_options": {}, "receipt_email": null, "receipt_number": null,
    "receipt_url": "https://pay.stripe.example/receipts/payment/CAcaFwoVYWNjdF8xT3FCZW5jaEJlbmNoQmVuY2goyJ7ZrQYyBm5vdGhpbmc6LBbBenchBenchBenchBenchBenchBenchBenchBenchBench$N",
    "refunded": false, "review": null, "shipping": null, "source": null, "source_transfer": null,
    "statement_descriptor": null, "statement_descriptor_suffix": null, "status": "succeeded",
    "transfer_data": null, "transfer_group": null
  }},
  "livemode": false, "pending_webhooks": 1,
  "request": {"id": "req_Bench$N", "idempotency_key": "6a2f0c1e-5a57-4d3c-9d0e-0000$N"},
  "type": "charge.succeeded"
}`

// The other events of a gift by Checkout, in what our endpoint is subscribed
// to.
const intentEvent = `{"id":"evt_4OqBench$N","object":"event","api_version":"2023-10-16","created":1769850000,"livemode":false,
  "type":"payment_intent.succeeded","data":{"object":{"id":"pi_3OqBench$N","object":"payment_intent","amount":2500,
  "amount_received":2500,"created":1769849990,"currency":"eur","customer":"cus_Bench$N","invoice":null,
  "latest_charge":"ch_3OqBench$N","livemode":false,"status":"succeeded","metadata":{"support_v":"1",
  "checkout":"co_01J0000000000000$N","article":"frontline-report-$A","placement":"mid","campaign":"winter","variant":"a",
  "locale":"uk","attribution":"signed"}}}}`

const sessionEvent = `{"id":"evt_5OqBench$N","object":"event","api_version":"2023-10-16","created":1769850001,"livemode":false,
  "type":"checkout.session.completed","data":{"object":{"id":"cs_test_Bench$N","object":"checkout.session",
  "amount_total":2500,"client_reference_id":"co_01J0000000000000$N","created":1769849900,"currency":"eur",
  "customer":"cus_Bench$N","customer_details":{"email":"reader-$N@example.org","name":"Reader Number $N",
  "address":{"country":"UA"}},"expires_at":1769936300,"invoice":null,"livemode":false,"mode":"payment",
  "payment_intent":"pi_3OqBench$N","payment_status":"paid","status":"complete","subscription":null,
  "metadata":{"support_v":"1","checkout":"co_01J0000000000000$N","article":"frontline-report-$A","placement":"mid",
  "campaign":"winter","variant":"a","locale":"uk","attribution":"signed"}}}}`

// articles is how many articles the gifts are spread over.
const articles = 500

// event returns one delivery's body, laid out as Stripe does.
func event(template string, n int) []byte {
	text := strings.NewReplacer("$N", fmt.Sprintf("%08d", n), "$A", fmt.Sprint(n%articles)).Replace(template)
	var out bytes.Buffer
	if err := json.Indent(&out, []byte(text), "", "  "); err != nil {
		panic(err) // the templates above are JSON
	}
	return out.Bytes()
}
