package objects

import (
	"strings"
	"testing"
)

// TestWhatIsReadOfAnObject has every field that is read of each of Stripe's
// objects: what was said, as the registers that have seen just that.
func TestWhatIsReadOfAnObject(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		event  string // "" for an answer of the API
		object string
		want   []string
	}{
		"a charge": {"charge.succeeded", `{"id":"ch_1","object":"charge","created":5,"payment_intent":"pi_1","invoice":"in_1",
			"customer":"cus_1","balance_transaction":"txn_1","currency":"eur","status":"failed","amount_captured":1000,
			"amount_refunded":300,"disputed":true,"failure_code":"card_declined","metadata":{"article":"troops"},
			"billing_details":{"email":"a@example.org","name":"Olena","address":{"country":"UA"}},
			"payment_method_details":{"type":"card","card":{"country":"DE"}}}`, []string{
			`charge/ch_1 {"created":5,"intent":"pi_1","invoice":"in_1","customer":"cus_1","transaction":"txn_1","currency":"eur","status":"failed","captured":1000,"refunded_at":9,"refunded":300,"disputed":true,"metadata":{"at":9,"by":3,"value":{"article":"troops"}},"payer":{"at":9,"by":3,"value":{"email":"a@example.org","name":"Olena","country":"UA","card_country":"DE","method":"card"}},"outcome":{"at":9,"by":3,"value":{"failure_code":"card_declined"}}}`,
		}},
		"a charge whose refunds are there, all of them": {"", `{"id":"ch_1","object":"charge","refunds":{"has_more":false,"data":[
			{"id":"re_1","object":"refund","amount":300}]}}`, []string{
			`refund/re_1 {"amount":300}`,
			`charge/ch_1 {"refunded_at":9,"refunds_listed":9,"metadata":{"at":9,"by":2,"value":{}},"payer":{"at":9,"by":2,"value":{}},"outcome":{"at":9,"by":2,"value":{}}}`,
		}},
		"a charge whose refunds are there, but more follow": {"", `{"id":"ch_1","object":"charge","refunds":{"has_more":true,"data":[
			{"id":"re_1","object":"refund","amount":300}]}}`, []string{
			`refund/re_1 {"amount":300}`,
			`charge/ch_1 {"refunded_at":9,"metadata":{"at":9,"by":2,"value":{}},"payer":{"at":9,"by":2,"value":{}},"outcome":{"at":9,"by":2,"value":{}}}`,
		}},
		"refunds in an event, which may be old": {"charge.refunded", `{"id":"ch_1","object":"charge","refunds":{"data":[]}}`, []string{
			`charge/ch_1 {"refunded_at":9,"metadata":{"at":9,"by":3,"value":{}},"payer":{"at":9,"by":3,"value":{}},"outcome":{"at":9,"by":3,"value":{}}}`,
		}},
		"a PaymentIntent": {"payment_intent.payment_failed", `{"id":"pi_1","object":"payment_intent","created":5,"customer":"cus_1",
			"invoice":"in_1","currency":"eur","amount":1000,"status":"processing","metadata":{"article":"troops"},
			"latest_charge":{"id":"ch_1","object":"charge","status":"failed"}}`, []string{
			`charge/ch_1 {"status":"failed","refunded_at":9,"metadata":{"at":9,"by":3,"value":{}},"payer":{"at":9,"by":3,"value":{}},"outcome":{"at":9,"by":3,"value":{}}}`,
			`payment_intent/pi_1 {"created":5,"customer":"cus_1","invoice":"in_1","currency":"eur","amount":1000,"status":"processing","metadata":{"at":9,"by":3,"value":{"article":"troops"}}}`,
		}},
		"a session": {"checkout.session.completed", `{"id":"cs_1","object":"checkout.session","created":5,"expires_at":6,"mode":"payment",
			"payment_intent":"pi_1","subscription":"sub_1","invoice":"in_1","customer":"cus_1","client_reference_id":"chk_1",
			"currency":"eur","amount_total":1000,"status":"complete","payment_status":"unpaid","metadata":{"article":"troops"},
			"customer_details":{"email":"a@example.org","name":"Olena","address":{"country":"UA"}}}`, []string{
			`checkout.session/cs_1 {"created":5,"expires":6,"mode":"payment","intent":"pi_1","subscription":"sub_1","invoice":"in_1","customer":"cus_1","reference":"chk_1","currency":"eur","amount":1000,"status":"complete","payment_status":"unpaid","metadata":{"at":9,"by":3,"value":{"article":"troops"}},"donor":{"at":9,"by":3,"value":{"email":"a@example.org","name":"Olena","country":"UA"}}}`,
		}},
		"a session whose delayed payment failed": {"checkout.session.async_payment_failed", `{"id":"cs_1","object":"checkout.session",
			"status":"complete","payment_status":"unpaid"}`, []string{
			`checkout.session/cs_1 {"status":"complete","payment_status":"unpaid","failed":true,"metadata":{"at":9,"by":3,"value":{}},"donor":{"at":9,"by":3,"value":{}}}`,
		}},
		"an invoice": {"invoice.paid", `{"id":"in_1","object":"invoice","created":5,"subscription":"sub_1","payment_intent":"pi_1",
			"charge":"ch_1","customer":"cus_1","currency":"eur","status":"paid","amount_paid":1000,"paid_out_of_band":true,
			"status_transitions":{"paid_at":8},"billing_reason":"subscription_cycle","attempt_count":2,"next_payment_attempt":12,
			"customer_email":"a@example.org","customer_name":"Olena","metadata":{"article":"own"},
			"subscription_details":{"metadata":{"article":"troops"}},"lines":{"data":[
			{"type":"subscription","price":{"recurring":{"interval":"month","interval_count":1}}},
			{"type":"invoiceitem","price":{"recurring":{"interval":"year","interval_count":1}}}]}}`, []string{
			`invoice/in_1 {"created":5,"subscription":"sub_1","intent":"pi_1","charge":"ch_1","customer":"cus_1","currency":"eur","status":"paid","paid":1000,"paid_at":8,"out_of_band":true,"interval":"month","reason":"subscription_cycle","attempts":2,"inherited":{"at":9,"by":3,"value":{"article":"troops"}},"metadata":{"at":9,"by":3,"value":{"article":"own"}},"billing":{"at":9,"by":3,"value":{"email":"a@example.org","name":"Olena","next_attempt":12}}}`,
		}},
		"a subscription": {"customer.subscription.updated", `{"id":"sub_1","object":"subscription","created":5,"customer":"cus_1",
			"latest_invoice":{"id":"in_1","object":"invoice","status":"open"},"metadata":{"article":"troops"},"status":"active",
			"pause_collection":{"behavior":"void","resumes_at":20},"cancel_at_period_end":true,"cancel_at":21,"ended_at":22,
			"current_period_end":23,"currency":"eur","cancellation_details":{"reason":"cancellation_requested"},
			"items":{"data":[{"quantity":2,"price":{"unit_amount":300,"recurring":{"interval":"month","interval_count":12}}},
			{"quantity":1,"price":{"unit_amount":50,"recurring":{"interval":"year","interval_count":1}}}]}}`, []string{
			`invoice/in_1 {"status":"open","inherited":{"at":9,"by":3,"value":{}},"metadata":{"at":9,"by":3,"value":{}},"billing":{"at":9,"by":3,"value":{}}}`,
			`subscription/sub_1 {"created":5,"customer":"cus_1","metadata":{"at":9,"by":3,"value":{"article":"troops"}},"state":{"at":9,"by":3,"value":{"status":"active","paused":true,"resumes":20,"cancel_at_end":true,"cancel_at":21,"ended":22,"period_end":23,"currency":"eur","amount":650,"interval":"year","reason":"cancellation_requested"}},"history":"0 none 650 eur year 9 3 9 3"}`,
		}},
		"a subscription that ended": {"customer.subscription.deleted", `{"id":"sub_1","object":"subscription","status":"canceled"}`, []string{
			`subscription/sub_1 {"metadata":{"at":9,"by":3,"value":{}},"state":{"final":true,"at":9,"by":3,"value":{"status":"canceled"}},"history":"0 none 0 - - 9 3 9 3"}`,
		}},
		"a subscription never paid": {"customer.subscription.updated", `{"id":"sub_1","object":"subscription","status":"incomplete_expired"}`, []string{
			`subscription/sub_1 {"metadata":{"at":9,"by":3,"value":{}},"state":{"final":true,"at":9,"by":3,"value":{"status":"incomplete_expired"}},"history":"0 new 0 - - 9 3 9 3"}`,
		}},
		"a subscription as it was made": {"customer.subscription.created", `{"id":"sub_1","object":"subscription","status":"incomplete"}`, []string{
			`subscription/sub_1 {"metadata":{"at":9,"by":1,"value":{}},"state":{"at":9,"by":1,"value":{"status":"incomplete"}},"history":"0 new 0 - - 9 1 9 1"}`,
		}},
		"what is expanded in a session": {"", `{"id":"cs_1","object":"checkout.session","payment_intent":{"id":"pi_1","object":"payment_intent","amount":5}}`, []string{
			`payment_intent/pi_1 {"amount":5,"metadata":{"at":9,"by":2,"value":{}}}`,
			`checkout.session/cs_1 {"intent":"pi_1","metadata":{"at":9,"by":2,"value":{}},"donor":{"at":9,"by":2,"value":{}}}`,
		}},
		"what is expanded in a refund": {"", `{"id":"re_1","object":"refund","balance_transaction":{"id":"txn_1","object":"balance_transaction","fee":5}}`, []string{
			`balance_transaction/txn_1 {"fee":5}`,
			`refund/re_1 {"transaction":"txn_1"}`,
		}},
		"what is expanded in a payout": {"", `{"id":"po_1","object":"payout","balance_transaction":{"id":"txn_1","object":"balance_transaction","fee":5}}`, []string{
			`balance_transaction/txn_1 {"fee":5}`,
			`payout/po_1 {"state":{"at":9,"by":2,"value":{"transaction":"txn_1"}}}`,
		}},
		"what is expanded in a warning": {"", `{"id":"issfr_1","object":"radar.early_fraud_warning","charge":{"id":"ch_1","object":"charge","created":5}}`, []string{
			`charge/ch_1 {"created":5,"refunded_at":9,"metadata":{"at":9,"by":2,"value":{}},"payer":{"at":9,"by":2,"value":{}},"outcome":{"at":9,"by":2,"value":{}}}`,
			`radar.early_fraud_warning/issfr_1 {"charge":"ch_1","actionable":{"at":9,"by":2,"value":false}}`,
		}},
		"twelve days are no year": {"", `{"id":"sub_1","object":"subscription","items":{"data":[{"price":{"recurring":{"interval":"day","interval_count":12}}}]}}`, []string{
			`subscription/sub_1 {"metadata":{"at":9,"by":2,"value":{}},"state":{"at":9,"by":2,"value":{"interval":"day"}},"history":"0 none 0 - day 9 2 9 2"}`,
		}},
		"a customer": {"customer.updated", `{"id":"cus_1","object":"customer","email":"a@example.org","name":"Olena"}`, []string{
			`customer/cus_1 {"contact":{"at":9,"by":3,"value":{"email":"a@example.org","name":"Olena"}}}`,
		}},
		"the last word of a customer": {"customer.deleted", `{"id":"cus_1","object":"customer","email":"a@example.org"}`, []string{
			`customer/cus_1 {"deleted":true,"contact":{"at":9,"by":3,"value":{"email":"a@example.org"}}}`,
		}},
		"a customer who was deleted then": {"", `{"id":"cus_1","object":"customer","deleted":true}`, []string{
			`customer/cus_1 {"deleted":true}`,
		}},
		"a refund": {"charge.refund.updated", `{"id":"re_1","object":"refund","created":5,"charge":"ch_1","payment_intent":"pi_1",
			"currency":"eur","amount":300,"status":"failed","reason":"fraudulent","balance_transaction":"txn_1",
			"failure_balance_transaction":"txn_2"}`, []string{
			`refund/re_1 {"created":5,"charge":"ch_1","intent":"pi_1","currency":"eur","amount":300,"status":"failed","reason":"fraudulent","transaction":"txn_1","failure_transaction":"txn_2"}`,
		}},
		"a dispute": {"charge.dispute.created", `{"id":"dp_1","object":"dispute","created":5,"charge":"ch_1","payment_intent":"pi_1",
			"currency":"eur","amount":300,"status":"needs_response","reason":"fraudulent","evidence_details":{"due_by":30},
			"balance_transactions":["txn_1",{"id":"txn_2","object":"balance_transaction","created":6,"net":-300},null]}`, []string{
			`balance_transaction/txn_2 {"created":6,"net":-300}`,
			`dispute/dp_1 {"created":5,"charge":"ch_1","intent":"pi_1","currency":"eur","amount":300,"transactions":{"txn_1":true,"txn_2":true},"state":{"at":9,"by":1,"value":{"status":"needs_response","reason":"fraudulent","due_by":30}}}`,
		}},
		"a balance transaction": {"", `{"id":"txn_1","object":"balance_transaction","created":5,"source":"ch_1","type":"charge",
			"currency":"usd","amount":1100,"fee":60,"net":1040,"exchange_rate":1.1,"available_on":7}`, []string{
			`balance_transaction/txn_1 {"created":5,"source":"ch_1","type":"charge","currency":"usd","amount":1100,"fee":60,"net":1040,"rate":"1.1","available":7}`,
		}},
		"one that was not converted": {"", `{"id":"txn_1","object":"balance_transaction","exchange_rate":null}`, []string{
			`balance_transaction/txn_1 {}`,
		}},
		"a payout": {"payout.paid", `{"id":"po_1","object":"payout","created":5,"arrival_date":6,"currency":"eur","amount":1000,
			"automatic":true,"status":"paid","reconciliation_status":"completed","failure_code":"account_closed",
			"balance_transaction":"txn_1"}`, []string{
			`payout/po_1 {"created":5,"arrival":6,"currency":"eur","amount":1000,"automatic":true,"status":"paid","state":{"at":9,"by":3,"value":{"reconciliation":"completed","failure_code":"account_closed","transaction":"txn_1"}}}`,
		}},
		"an early fraud warning": {"radar.early_fraud_warning.created", `{"id":"issfr_1","object":"radar.early_fraud_warning","created":5,
			"charge":"ch_1","fraud_type":"misc","actionable":true}`, []string{
			`radar.early_fraud_warning/issfr_1 {"created":5,"charge":"ch_1","type":"misc","actionable":{"at":9,"by":1,"value":true}}`,
		}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			said, err := Decode([]byte(tt.object), Source{At: 9, Event: tt.event})
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, s := range said {
				got = append(got, string(s.Ref)+" "+Encode(s.Register))
			}
			if want := strings.Join(tt.want, "\n"); strings.Join(got, "\n") != want {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), want)
			}
		})
	}
}
