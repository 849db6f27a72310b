package account

import (
	"context"
	"encoding/json"
	"time"

	"github.com/united24media/support/internal/mail"
	"github.com/united24media/support/internal/store"
)

// How the wishes to sign in are looked at.
const (
	lookEvery  = 2 * time.Second // in case another replica was asked and died
	atOnce     = 50              // wishes
	sweepEvery = time.Hour
)

// KeepWishes is how long a wish to sign in is kept after its end.
// docs/privacy.md says the same.
const KeepWishes = 24 * time.Hour

// Run mails those who wish to sign in and have gifts here, until ctx ends. It
// does so behind the answer that they got, which is why that tells nobody
// whether an address has any.
func (s *Service) Run(ctx context.Context) error {
	look, sweep := time.NewTicker(lookEvery), time.NewTicker(sweepEvery)
	defer look.Stop()
	defer sweep.Stop()
	for {
		if err := s.judge(ctx); err != nil && ctx.Err() == nil {
			s.Log.WarnContext(ctx, "account: wishes to sign in wait", "err", err)
		}
		select {
		case <-s.asked:
		case <-look.C:
		case <-sweep.C:
			now := s.Now()
			if err := s.Store.SweepAccounts(ctx, now.Add(-KeepWishes), now.Add(-IdleTime), now.Add(-AbsoluteTime)); err != nil && ctx.Err() == nil {
				s.Log.WarnContext(ctx, "account: what is over is not swept", "err", err)
			}
		case <-ctx.Done():
			return nil
		}
	}
}

// judge decides on the wishes that wait.
func (s *Service) judge(ctx context.Context) error {
	wishes, err := s.Store.NewSignIns(ctx, atOnce)
	if err != nil {
		return err
	}
	for _, wish := range wishes {
		known, err := s.Store.KnownAddress(ctx, wish.Address)
		if err != nil {
			return err
		}
		var mails []store.Mail
		if known && s.Now().Before(wish.Expires) {
			data, err := json.Marshal(map[string]string{"id": wish.ID})
			if err != nil {
				return err
			}
			mails = append(mails, store.Mail{
				Kind: mail.SignIn, Subject: wish.ID, To: wish.Address, Locale: wish.Locale, Data: data, Due: s.Now(),
			})
		}
		if err := s.Store.JudgeSignIn(ctx, wish.ID, s.Now(), mails...); err != nil {
			return err
		}
	}
	return nil
}
