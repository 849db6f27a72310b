package objects

import (
	"reflect"

	"github.com/go-json-experiment/json"
	"pgregory.net/rapid"

	"github.com/united24media/support/internal/giving"
)

// Registers as they were described before [form]: by tags, which package json
// reads by reflection. What was stored then is there for good.

type taggedStamp struct {
	Final bool  `json:"final,omitzero"`
	At    int64 `json:"at,omitzero"`
	By    By    `json:"by,omitzero"`
}

type taggedLatest[T any] struct {
	Stamp taggedStamp `json:",inline"`
	Value T           `json:"value"`
}

type taggedCharge struct {
	Created       int64                             `json:"created,omitzero"`
	Intent        string                            `json:"intent,omitzero"`
	Invoice       string                            `json:"invoice,omitzero"`
	Customer      string                            `json:"customer,omitzero"`
	Transaction   string                            `json:"transaction,omitzero"`
	Currency      string                            `json:"currency,omitzero"`
	Status        string                            `json:"status,omitzero"`
	Captured      int64                             `json:"captured,omitzero"`
	Asked         int64                             `json:"-"`
	RefundedAt    int64                             `json:"refunded_at,omitzero"`
	Refunded      int64                             `json:"refunded,omitzero"`
	RefundsListed int64                             `json:"refunds_listed,omitzero"`
	Disputed      bool                              `json:"disputed,omitzero"`
	Metadata      taggedLatest[Words]               `json:"metadata,omitzero"`
	Payer         taggedLatest[taggedPayer]         `json:"payer,omitzero"`
	Outcome       taggedLatest[taggedChargeOutcome] `json:"outcome,omitzero"`
}

type taggedPayer struct {
	Email       string `json:"email,omitzero"`
	Name        string `json:"name,omitzero"`
	Country     string `json:"country,omitzero"`
	CardCountry string `json:"card_country,omitzero"`
	Method      string `json:"method,omitzero"`
}

type taggedChargeOutcome struct {
	FailureCode string `json:"failure_code,omitzero"`
}

type taggedIntent struct {
	Created  int64               `json:"created,omitzero"`
	Customer string              `json:"customer,omitzero"`
	Invoice  string              `json:"invoice,omitzero"`
	Currency string              `json:"currency,omitzero"`
	Amount   int64               `json:"amount,omitzero"`
	Status   string              `json:"status,omitzero"`
	Metadata taggedLatest[Words] `json:"metadata,omitzero"`
}

type taggedSession struct {
	Created       int64                     `json:"created,omitzero"`
	Expires       int64                     `json:"expires,omitzero"`
	Mode          string                    `json:"mode,omitzero"`
	Intent        string                    `json:"intent,omitzero"`
	Subscription  string                    `json:"subscription,omitzero"`
	Invoice       string                    `json:"invoice,omitzero"`
	Customer      string                    `json:"customer,omitzero"`
	Reference     string                    `json:"reference,omitzero"`
	Currency      string                    `json:"currency,omitzero"`
	Amount        int64                     `json:"amount,omitzero"`
	Status        string                    `json:"status,omitzero"`
	PaymentStatus string                    `json:"payment_status,omitzero"`
	Failed        bool                      `json:"failed,omitzero"`
	Metadata      taggedLatest[Words]       `json:"metadata,omitzero"`
	Donor         taggedLatest[taggedPayer] `json:"donor,omitzero"`
}

type taggedInvoice struct {
	Created      int64                            `json:"created,omitzero"`
	Subscription string                           `json:"subscription,omitzero"`
	Intent       string                           `json:"intent,omitzero"`
	Charge       string                           `json:"charge,omitzero"`
	Customer     string                           `json:"customer,omitzero"`
	Currency     string                           `json:"currency,omitzero"`
	Status       string                           `json:"status,omitzero"`
	Paid         int64                            `json:"paid,omitzero"`
	PaidAt       int64                            `json:"paid_at,omitzero"`
	OutOfBand    bool                             `json:"out_of_band,omitzero"`
	Interval     string                           `json:"interval,omitzero"`
	Reason       string                           `json:"reason,omitzero"`
	Attempts     int64                            `json:"attempts,omitzero"`
	Inherited    taggedLatest[Words]              `json:"inherited,omitzero"`
	Metadata     taggedLatest[Words]              `json:"metadata,omitzero"`
	Billing      taggedLatest[taggedInvoiceState] `json:"billing,omitzero"`
}

type taggedInvoiceState struct {
	Email       string `json:"email,omitzero"`
	Name        string `json:"name,omitzero"`
	NextAttempt int64  `json:"next_attempt,omitzero"`
}

type taggedSubscription struct {
	Created  int64                        `json:"created,omitzero"`
	Customer string                       `json:"customer,omitzero"`
	Metadata taggedLatest[Words]          `json:"metadata,omitzero"`
	State    taggedLatest[taggedSubState] `json:"state,omitzero"`
	History  History                      `json:"history,omitzero"`
}

type taggedSubState struct {
	Status      string `json:"status,omitzero"`
	Paused      bool   `json:"paused,omitzero"`
	Resumes     int64  `json:"resumes,omitzero"`
	CancelAtEnd bool   `json:"cancel_at_end,omitzero"`
	CancelAt    int64  `json:"cancel_at,omitzero"`
	Ended       int64  `json:"ended,omitzero"`
	PeriodEnd   int64  `json:"period_end,omitzero"`
	Currency    string `json:"currency,omitzero"`
	Amount      int64  `json:"amount,omitzero"`
	Interval    string `json:"interval,omitzero"`
	Reason      string `json:"reason,omitzero"`
}

type taggedCustomer struct {
	Deleted bool                      `json:"deleted,omitzero"`
	Contact taggedLatest[taggedPayer] `json:"contact,omitzero"`
}

type taggedRefund struct {
	Created            int64  `json:"created,omitzero"`
	Charge             string `json:"charge,omitzero"`
	Intent             string `json:"intent,omitzero"`
	Currency           string `json:"currency,omitzero"`
	Amount             int64  `json:"amount,omitzero"`
	Status             string `json:"status,omitzero"`
	Reason             string `json:"reason,omitzero"`
	Transaction        string `json:"transaction,omitzero"`
	FailureTransaction string `json:"failure_transaction,omitzero"`
}

type taggedDispute struct {
	Created      int64                            `json:"created,omitzero"`
	Charge       string                           `json:"charge,omitzero"`
	Intent       string                           `json:"intent,omitzero"`
	Currency     string                           `json:"currency,omitzero"`
	Amount       int64                            `json:"amount,omitzero"`
	Transactions map[string]bool                  `json:"transactions,omitzero"`
	State        taggedLatest[taggedDisputeState] `json:"state,omitzero"`
}

type taggedDisputeState struct {
	Status string `json:"status,omitzero"`
	Reason string `json:"reason,omitzero"`
	DueBy  int64  `json:"due_by,omitzero"`
}

type taggedTransaction struct {
	Created   int64  `json:"created,omitzero"`
	Source    string `json:"source,omitzero"`
	Type      string `json:"type,omitzero"`
	Currency  string `json:"currency,omitzero"`
	Amount    int64  `json:"amount,omitzero"`
	Fee       int64  `json:"fee,omitzero"`
	Net       int64  `json:"net,omitzero"`
	Rate      string `json:"rate,omitzero"`
	Available int64  `json:"available,omitzero"`
	Payout    string `json:"payout,omitzero"`
}

type taggedPayout struct {
	Created   int64                           `json:"created,omitzero"`
	Arrival   int64                           `json:"arrival,omitzero"`
	Currency  string                          `json:"currency,omitzero"`
	Amount    int64                           `json:"amount,omitzero"`
	Automatic bool                            `json:"automatic,omitzero"`
	Status    string                          `json:"status,omitzero"`
	Listed    int64                           `json:"listed,omitzero"`
	State     taggedLatest[taggedPayoutState] `json:"state,omitzero"`
}

type taggedPayoutState struct {
	Reconciliation string `json:"reconciliation,omitzero"`
	FailureCode    string `json:"failure_code,omitzero"`
	Transaction    string `json:"transaction,omitzero"`
}

type taggedWarning struct {
	Created    int64              `json:"created,omitzero"`
	Charge     string             `json:"charge,omitzero"`
	Type       string             `json:"type,omitzero"`
	Actionable taggedLatest[bool] `json:"actionable,omitzero"`
}

type taggedOffline struct {
	Gift taggedLatest[taggedOfflineGift] `json:"gift,omitzero"`
}

type taggedOfflineGift struct {
	Received int64             `json:"received"`
	Currency string            `json:"currency"`
	Amount   int64             `json:"amount"`
	Refunded int64             `json:"refunded,omitzero"`
	Email    string            `json:"email,omitzero"`
	Name     string            `json:"name,omitzero"`
	Country  string            `json:"country,omitzero"`
	Method   string            `json:"method,omitzero"`
	Interval giving.Interval   `json:"interval,omitzero"`
	Won      taggedAttribution `json:"won,omitzero"`
}

type taggedAdopted struct {
	Object Ref                             `json:"object"`
	Won    taggedLatest[taggedAttribution] `json:"won,omitzero"`
}

type taggedCorrection struct {
	Object Ref                           `json:"object"`
	Won    taggedLatest[taggedCorrected] `json:"won,omitzero"`
}

type taggedCorrected struct {
	Article   string `json:"article,omitzero"`
	Placement string `json:"placement,omitzero"`
	Campaign  string `json:"campaign,omitzero"`
}

type taggedErasure struct {
	Object    Ref    `json:"object"`
	Supporter string `json:"supporter,omitzero"`
}

type taggedAttribution struct {
	Checkout    string `json:"checkout,omitzero"`
	Article     string `json:"article,omitzero"`
	Placement   string `json:"placement,omitzero"`
	Campaign    string `json:"campaign,omitzero"`
	Variant     string `json:"variant,omitzero"`
	Locale      string `json:"locale,omitzero"`
	Tier        string `json:"tier,omitzero"`
	Status      string `json:"attribution,omitzero"`
	UTMSource   string `json:"utm_source,omitzero"`
	UTMMedium   string `json:"utm_medium,omitzero"`
	UTMCampaign string `json:"utm_campaign,omitzero"`
}

// emptyTagged is as [Empty], of the types that have tags.
func emptyTagged(kind Kind) any {
	switch kind {
	case KindCharge:
		return new(taggedCharge)
	case KindIntent:
		return new(taggedIntent)
	case KindInvoice:
		return new(taggedInvoice)
	case KindSubscription:
		return new(taggedSubscription)
	case KindSession:
		return new(taggedSession)
	case KindCustomer:
		return new(taggedCustomer)
	case KindRefund:
		return new(taggedRefund)
	case KindDispute:
		return new(taggedDispute)
	case KindTransaction:
		return new(taggedTransaction)
	case KindPayout:
		return new(taggedPayout)
	case KindWarning:
		return new(taggedWarning)
	case KindOffline:
		return new(taggedOffline)
	case KindAdopted:
		return new(taggedAdopted)
	case KindCorrection:
		return new(taggedCorrection)
	case KindErasure:
		return new(taggedErasure)
	}
	return nil
}

// copyFields copies between a type and the one that has tags.
func copyFields(t rapid.TB, to, from reflect.Value) {
	if from.Kind() != reflect.Struct {
		to.Set(from.Convert(to.Type()))
		return
	}
	if to.NumField() != from.NumField() {
		t.Fatalf("%s has other fields than %s", to.Type(), from.Type())
	}
	for i := range from.NumField() {
		if a, b := to.Type().Field(i).Name, from.Type().Field(i).Name; a != b {
			t.Fatalf("%s.%s stands where %s.%s is", to.Type(), a, from.Type(), b)
		}
		copyFields(t, to.Field(i), from.Field(i))
	}
}

// tagged returns a copy of r that has tags.
func tagged(t rapid.TB, kind Kind, r Register) any {
	copied := emptyTagged(kind)
	copyFields(t, reflect.ValueOf(copied).Elem(), reflect.ValueOf(r).Elem())
	return copied
}

// encodeTagged returns v as JSON by reflection, over tags.
func encodeTagged(t rapid.TB, v any) string {
	text, err := json.Marshal(v, json.Deterministic(true))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// decodeTagged is [DecodeRegister] by reflection, over tags.
func decodeTagged(t rapid.TB, kind Kind, text string) (Register, error) {
	copied := emptyTagged(kind)
	if err := json.Unmarshal([]byte(text), copied); err != nil {
		return nil, err
	}
	r := Empty(kind)
	copyFields(t, reflect.ValueOf(r).Elem(), reflect.ValueOf(copied).Elem())
	return r, nil
}

// sameAsTagged checks that r is written as with tags, and read as with tags.
func sameAsTagged(t rapid.TB, kind Kind, r Register) {
	t.Helper()
	want := encodeTagged(t, tagged(t, kind, r))
	got := Encode(r)
	if got != want {
		t.Errorf("a %s is written as\n%s\nwant\n%s", kind, got, want)
	}
	readAsTagged(t, kind, got)
}

// readAsTagged checks that a text is read, or refused, as with tags.
func readAsTagged(t rapid.TB, kind Kind, text string) {
	t.Helper()
	want, refused := decodeTagged(t, kind, text)
	got, err := DecodeRegister(kind, text)
	if (err != nil) != (refused != nil) || err == nil && !reflect.DeepEqual(got, want) {
		t.Errorf("the %s %s\nis read as %+v, %v\nwant %+v, %v", kind, text, got, err, want, refused)
	}
}
