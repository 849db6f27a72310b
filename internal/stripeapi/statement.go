package stripeapi

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
)

// StatementName returns what bank and card statements call the account: its
// prefix for cards, else its descriptor. It is a setting of Stripe's Dashboard.
// "" is none. A restricted key may not be allowed to read it.
// https://docs.stripe.com/get-started/account/statement-descriptors
func (c *Client) StatementName(ctx context.Context) (string, error) {
	body, _, err := c.read(ctx, "/v1/account", nil)
	if err != nil {
		return "", err
	}
	var account struct {
		Settings struct {
			Cards struct {
				Prefix string `json:"statement_descriptor_prefix"`
			} `json:"card_payments"`
			Payments struct {
				Descriptor string `json:"statement_descriptor"`
			} `json:"payments"`
		} `json:"settings"`
	}
	if err := json.Unmarshal(body, &account); err != nil {
		return "", fmt.Errorf("read the account: %w", err)
	}
	return cmp.Or(account.Settings.Cards.Prefix, account.Settings.Payments.Descriptor), nil
}
