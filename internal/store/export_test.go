package store

import "context"

// DonationListWithin is [Store.DonationList] with small limits.
func (s *Store) DonationListWithin(ctx context.Context, f DonationFilter, window, few int) (DonationPage, error) {
	return s.donationList(ctx, f, listLimits{window, few})
}

// Exec runs a statement, for tests that do what no code of ours does.
func (s *Store) Exec(ctx context.Context, statement string) error {
	_, err := s.write.ExecContext(ctx, statement)
	return err
}

// ScratchSchema is where a rebuild keeps its tables.
const ScratchSchema = scratchSchema
