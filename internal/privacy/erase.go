package privacy

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/united24media/support/internal/fault"
	"github.com/united24media/support/internal/giving"
	"github.com/united24media/support/internal/ledger"
	"github.com/united24media/support/internal/store"
)

// Pseudonym returns what stands for a supporter in the audit log: a keyed hash,
// which leads nobody to the address but tells those who know it that it was
// this one.
func (s *Service) Pseudonym(supporter string) string {
	mac := hmac.New(sha256.New, s.Secret)
	kind, subject := "address:", "erased address\x00"+giving.AddressOf(supporter)
	if giving.AddressOf(supporter) == "" {
		kind, subject = "supporter:", "erased supporter\x00"+supporter
	}
	mac.Write([]byte(subject))
	return kind + hex.EncodeToString(mac.Sum(nil)[:16])
}

// Erase removes what is known of the person behind an address; see
// [ledger.Ledger.Erase]. Memberships that run go on running. who says on whose
// word.
func (s *Service) Erase(ctx context.Context, address string, who store.Entry) (ledger.Erased, error) {
	return s.erase(ctx, store.ByAddress(address), who)
}

// EraseSupporter ends the memberships of a supporter at Stripe, at once, and
// then removes what is known of them. Where Stripe does not end one, nothing is
// removed: nobody may be charged of whom we know nothing. It can be tried
// again. The error may be a [stripeapi.Error].
func (s *Service) EraseSupporter(ctx context.Context, supporter string, who store.Entry) (ledger.Erased, error) {
	running, err := s.Running(ctx, supporter)
	if err != nil {
		return ledger.Erased{}, err
	}
	for _, m := range running {
		answer, err := s.Stripe.CancelSubscription(ctx, "erase-"+rand.Text(), m.Subscription)
		if err != nil {
			return ledger.Erased{}, err
		}
		if err := s.Ledger.Apply(ctx, ledger.Answer{Object: answer.Object, At: answer.At}); err != nil {
			return ledger.Erased{}, fmt.Errorf("record the end of a membership: %w", err)
		}
	}
	return s.erase(ctx, supporter, who)
}

// EraseDiscreet removes what is known of people who chose to be kept out of
// sight, [KeepDiscreet] after their last gift or the end of their membership.
// What fails is tried again the next time; the errors are joined.
func (s *Service) EraseDiscreet(ctx context.Context) error {
	var failed []error
	for after := ""; ; {
		supporters, err := s.Store.OutOfSight(ctx, s.Now().Add(-KeepDiscreet), after, deleteAt)
		if err != nil {
			return err
		}
		for _, supporter := range supporters {
			_, err := s.erase(ctx, supporter, store.Entry{Who: "timer", Reason: "kept out of sight"})
			if err != nil && !errors.Is(err, fault.NotFound) { // another replica was faster
				failed = append(failed, err)
			}
			after = supporter
		}
		if len(supporters) < deleteAt {
			return errors.Join(failed...)
		}
	}
}

// Running returns the memberships of a supporter that are not over.
func (s *Service) Running(ctx context.Context, supporter string) (running []*giving.Membership, err error) {
	err = s.Store.Look(ctx, func(tx *store.Tx) error {
		memberships, err := tx.MembershipsBy(ctx, []string{supporter})
		for _, m := range memberships {
			if !m.Over() {
				running = append(running, m)
			}
		}
		return err
	})
	return running, err
}

func (s *Service) erase(ctx context.Context, supporter string, who store.Entry) (ledger.Erased, error) {
	who.At, who.Action, who.Subject = s.Now(), "supporter.erase", s.Pseudonym(supporter)
	done, err := s.Ledger.EraseSupporter(ctx, supporter, who)
	if err == nil {
		select {
		case s.erased <- struct{}{}:
		default: // it is known already
		}
	}
	return done, err
}
