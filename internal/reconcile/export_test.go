package reconcile

import "context"

// FollowDue answers the wishes that are due, as Run does when its tick comes,
// one after the other.
func (s *Service) FollowDue(ctx context.Context) error {
	for {
		taken, err := s.take(ctx, fetchAtOnce)
		if err != nil || len(taken) == 0 {
			return err
		}
		for _, f := range taken {
			s.follow(ctx, f)
		}
	}
}
