package store

import "context"

// DonationListWithin is [Store.DonationList] with small limits.
func (s *Store) DonationListWithin(ctx context.Context, f DonationFilter, window, few int) (DonationPage, error) {
	return s.donationList(ctx, f, listLimits{window, few})
}
