package i18n

import (
	"maps"
	"slices"
	"strings"
)

// methods are what Stripe's payment methods call themselves, where that is not
// their id with spaces.
var methods = map[string]string{
	"acss_debit": "Canadian pre-authorized debit", "alipay": "Alipay", "amazon_pay": "Amazon Pay", "au_becs_debit": "BECS Direct Debit",
	"bacs_debit": "Bacs Direct Debit", "bancontact": "Bancontact", "blik": "BLIK", "cashapp": "Cash App Pay", "eps": "EPS", "giropay": "giropay",
	"ideal": "iDEAL", "klarna": "Klarna", "link": "Link", "mobilepay": "MobilePay", "p24": "Przelewy24", "paypal": "PayPal",
	"revolut_pay": "Revolut Pay", "sepa_debit": "SEPA Direct Debit", "sofort": "Sofort", "swish": "Swish", "twint": "TWINT",
	"us_bank_account": "US bank account", "wechat_pay": "WeChat Pay",
}

// Methods returns the ids of the payment methods that have a name of their own,
// and card.
func Methods() []string {
	return append([]string{"card"}, slices.Sorted(maps.Keys(methods))...)
}

// Method returns what people call a payment method of Stripe's, such as
// sepa_debit.
func Method(id string) string {
	if name := methods[id]; name != "" {
		return name
	}
	return strings.ReplaceAll(id, "_", " ")
}
