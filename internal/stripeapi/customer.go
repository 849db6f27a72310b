package stripeapi

import (
	"context"

	"github.com/stripe/stripe-go/v76"
)

// DeleteCustomer deletes a customer with name, address and cards, and cancels
// what subscriptions they have at once. One that is deleted already is no
// error. https://docs.stripe.com/api/customers/delete
func (c *Client) DeleteCustomer(ctx context.Context, id string) error {
	params := &stripe.CustomerParams{}
	err := c.do(ctx, "delete a customer", func(ctx context.Context) error {
		params.Context = ctx
		_, err := c.api.Customers.Del(id, params)
		return err
	})
	if IsKind(err, Missing) {
		return nil
	}
	return err
}
