package sandbox

import "github.com/united24media/support/internal/sandbox/params"

// endpoints are the addresses of the API, all of them.
func (s *Sandbox) endpoints() map[string]route {
	none := params.Schema{}
	return map[string]route{
		"GET /account": {none, s.account},
		"GET /balance": {none, s.balance},

		"POST /checkout/sessions":                {sessionCreate, s.createSession},
		"GET /checkout/sessions":                 {listParams(sessionFilters), s.listSessions},
		"GET /checkout/sessions/{id}":            {none, s.retrieve(kindSession, "checkout.session")},
		"GET /checkout/sessions/{id}/line_items": {listParams(nil), s.listLineItems},
		"POST /checkout/sessions/{id}/expire":    {none, s.expireNow},

		"GET /payment_intents":      {listParams(params.Schema{"created": params.Range(), "customer": params.Text()}), s.listOf(kindIntent, "customer")},
		"GET /payment_intents/{id}": {none, s.retrieve(kindIntent, "payment_intent")},
		"POST /payment_intents/{id}": {
			params.Schema{"metadata": params.Metadata(), "description": params.TextUpTo(1000).Clearable(), "receipt_email": params.Text().Clearable()},
			s.edit(kindIntent, "payment_intent", "", "description", "receipt_email"),
		},
		"POST /payment_intents/{id}/cancel": {
			params.Schema{"cancellation_reason": params.OneOf("abandoned", "duplicate", "fraudulent", "requested_by_customer")}, s.cancelIntentNow,
		},
		"GET /payment_methods/{id}": {none, s.retrieve(kindMethod, "PaymentMethod")},

		"GET /charges": {
			listParams(params.Schema{"created": params.Range(), "customer": params.Text(), "payment_intent": params.Text()}),
			s.listOf(kindCharge, "customer", "payment_intent"),
		},
		"GET /charges/{id}": {none, s.retrieve(kindCharge, "charge")},
		"POST /charges/{id}": {
			params.Schema{"metadata": params.Metadata(), "description": params.TextUpTo(40000), "receipt_email": params.Text()},
			s.edit(kindCharge, "charge", "charge.updated", "description", "receipt_email"),
		},

		"POST /customers":        {customerParams, s.createCustomer},
		"GET /customers":         {listParams(params.Schema{"created": params.Range(), "email": params.Text()}), s.listCustomers},
		"GET /customers/{id}":    {none, s.retrieve(kindCustomer, "customer")},
		"POST /customers/{id}":   {customerParams, s.updateCustomer},
		"DELETE /customers/{id}": {none, s.deleteCustomer},

		"GET /subscriptions":              {listParams(subscriptionFilters), s.listSubscriptions},
		"GET /subscriptions/{id}":         {none, s.retrieve(kindSubscription, "subscription")},
		"POST /subscriptions/{id}":        {subscriptionUpdate, s.updateSubscription},
		"DELETE /subscriptions/{id}":      {subscriptionCancel, s.cancelSubscription},
		"POST /subscriptions/{id}/resume": {params.Schema{"billing_cycle_anchor": params.OneOf("now", "unchanged"), "proration_behavior": params.OneOf("none")}, s.resumeSubscription},

		"GET /invoices":                          {listParams(invoiceFilters), s.listInvoices},
		"GET /invoices/{id}":                     {none, s.retrieve(kindInvoice, "invoice")},
		"POST /invoices/{id}/pay":                {params.Schema{"paid_out_of_band": params.Bool()}, s.payInvoice},
		"POST /invoices/{id}/void":               {none, s.endInvoice(s.voidInvoice)},
		"POST /invoices/{id}/mark_uncollectible": {none, s.endInvoice(s.writeOffInvoice)},

		"POST /refunds":      {refundCreate, s.createRefund},
		"GET /refunds":       {listParams(refundFilters), s.listRefunds},
		"GET /refunds/{id}":  {none, s.retrieve(kindRefund, "refund")},
		"POST /refunds/{id}": {params.Schema{"metadata": params.Metadata()}, s.edit(kindRefund, "refund", "charge.refund.updated")},

		"GET /disputes":                            {listParams(disputeFilters), s.listDisputes},
		"GET /disputes/{id}":                       {none, s.retrieve(kindDispute, "dispute")},
		"POST /disputes/{id}/close":                {none, s.closeDisputeNow},
		"GET /radar/early_fraud_warnings":          {listParams(disputeFilters), s.listWarnings},
		"GET /radar/early_fraud_warnings/{id}":     {none, s.retrieve(kindWarning, "early fraud warning")},
		"GET /balance_transactions":                {listParams(transactionFilters), s.listTransactions},
		"GET /balance_transactions/{id}":           {none, s.retrieve(kindTransaction, "balance transaction")},
		"GET /payouts":                             {listParams(payoutFilters), s.listPayouts},
		"GET /payouts/{id}":                        {none, s.retrieve(kindPayout, "payout")},
		"GET /events":                              {listParams(eventFilters), s.listEvents},
		"GET /events/{id}":                         {none, s.retrieveEvent},
		"POST /products":                           {productCreate, s.createProduct},
		"GET /products":                            {listParams(productFilters), s.listProducts},
		"GET /products/{id}":                       {none, s.retrieve(kindProduct, "product")},
		"POST /products/{id}":                      {productUpdate, s.updateProduct},
		"DELETE /products/{id}":                    {none, s.deleteProduct},
		"POST /prices":                             {priceCreate, s.createPrice},
		"GET /prices":                              {listParams(priceFilters), s.listPrices},
		"GET /prices/{id}":                         {none, s.retrieve(kindPrice, "price")},
		"POST /prices/{id}":                        {priceUpdate, s.updatePrice},
		"POST /webhook_endpoints":                  {endpointCreate, s.createEndpoint},
		"GET /webhook_endpoints":                   {listParams(nil), s.listOf(kindEndpoint)},
		"GET /webhook_endpoints/{id}":              {none, s.retrieve(kindEndpoint, "webhook endpoint")},
		"POST /webhook_endpoints/{id}":             {endpointUpdate, s.updateEndpoint},
		"DELETE /webhook_endpoints/{id}":           {none, s.deleteEndpoint},
		"POST /billing_portal/configurations":      {portalConfigCreate, s.createPortalConfig},
		"GET /billing_portal/configurations":       {listParams(params.Schema{"active": params.Bool(), "is_default": params.Bool()}), s.listOf(kindPortalConfig, "active", "is_default")},
		"GET /billing_portal/configurations/{id}":  {none, s.retrieve(kindPortalConfig, "configuration")},
		"POST /billing_portal/configurations/{id}": {portalConfigUpdate, s.updatePortalConfig},
		"POST /billing_portal/sessions":            {portalSessionCreate, s.createPortalSession},
	}
}

// retrieve answers with one object of a kind.
func (s *Sandbox) retrieve(k kind, noun string) endpoint {
	return func(c *call) (Object, error) {
		o := s.st.get(k, c.path("id"))
		if o == nil {
			return nil, missing(noun, c.path("id"))
		}
		return s.view(o), nil
	}
}

// listOf answers with a page of a kind, filtered by equal fields.
func (s *Sandbox) listOf(k kind, names ...string) endpoint {
	return func(c *call) (Object, error) { return s.list(c, k, equal(c, names...)) }
}

// edit changes metadata and plain fields, and says so if event is not "".
func (s *Sandbox) edit(k kind, noun, event string, names ...string) endpoint {
	return func(c *call) (Object, error) {
		id := c.path("id")
		before := s.st.get(k, id)
		if before == nil {
			return nil, missing(noun, id)
		}
		after := s.st.change(k, id, func(o Object) {
			copyFields(o, c.params, names...)
			mergeMetadata(o, c.params)
		})
		if event != "" {
			s.emitChange(event, before, after)
		}
		return s.view(after), nil
	}
}

// account answers for the one account there is.
func (s *Sandbox) account(*call) (Object, error) {
	return Object{
		"id": "acct_sandbox", "object": "account", "business_profile": nil, "business_type": nil, "capabilities": Object{"card_payments": "active", "transfers": "active"},
		"charges_enabled": true, "country": "DE", "created": s.setting(settingPayouts)["since"], "default_currency": s.opts.Settlement, "details_submitted": true,
		"email": "sandbox@example.org", "metadata": Object{}, "payouts_enabled": true, "type": "standard",
	}, nil
}
