package wall

import (
	"context"
	"time"

	"github.com/united24media/support/internal/objects"
	"github.com/united24media/support/internal/store"
)

// Bounds of one look for gifts.
const (
	since    = 15 * 24 * time.Hour // who gave earlier is not looked for again; delayed payments come by then
	atOnce   = 200                 // gifts
	readable = 500                 // decided entries that are looked through for other words
)

// Collect has gifts wait to be read whose givers may be named, and those again
// whose words are others than staff read.
func (w *Wall) Collect(ctx context.Context) error {
	from := w.Now().Add(-since)
	found, err := w.Store.WallCandidates(ctx, from, atOnce)
	if err != nil {
		return err
	}
	paid, err := w.paid(ctx, found)
	if err != nil {
		return err
	}
	chosen, err := w.Store.WallChosen(ctx, from, atOnce)
	if err != nil {
		return err
	}
	if err := w.Store.AddWall(ctx, append(paid, chosen...), w.Now()); err != nil {
		return err
	}
	for _, state := range []string{store.WallAccepted, store.WallShown, store.WallRejected} {
		decided, err := w.Store.Wall(ctx, state, readable)
		if err != nil {
			return err
		}
		var others []store.WallEntry
		for _, e := range decided {
			if !e.Read() && e.MayShow() {
				others = append(others, e)
			}
		}
		if err := w.Store.WaitAgain(ctx, others); err != nil {
			return err
		}
	}
	return nil
}

// paid returns those of checkouts of which a gift came, as their sessions say.
func (w *Wall) paid(ctx context.Context, found []store.WallGift) ([]store.WallGift, error) {
	var refs []string
	for _, g := range found {
		refs = append(refs, string(objects.NewRef(objects.KindSession, g.Session)))
	}
	states, err := w.Store.Registers(ctx, refs)
	if err != nil {
		return nil, err
	}
	var paid []store.WallGift
	for i, g := range found {
		state := states[refs[i]]
		if state == "" {
			continue
		}
		register, err := objects.DecodeRegister(objects.KindSession, state)
		if err != nil {
			return nil, err
		}
		session := register.(*objects.Session)
		if session.Status != "complete" {
			continue
		}
		g.Donation = session.Intent
		if session.Subscription != "" {
			if g.Donation, err = w.Store.FirstGiftOf(ctx, session.Subscription); err != nil {
				return nil, err
			}
		}
		if g.Donation != "" { // one that is not recorded yet is shown to nobody
			paid = append(paid, g)
		}
	}
	return paid, nil
}
