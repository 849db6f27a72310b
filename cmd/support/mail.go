package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"time"

	"github.com/united24media/support/internal/config"
	"github.com/united24media/support/internal/mail"
	"github.com/united24media/support/internal/reconcile"
	"github.com/united24media/support/internal/recovery"
	"github.com/united24media/support/internal/signin"
	"github.com/united24media/support/internal/store"
	"github.com/united24media/support/internal/stripeapi"
)

// newMail returns what sends the outbox, or keeps it where no server is set.
// The sandbox never sends.
func newMail(settings config.Settings, db *store.Store, log *slog.Logger) (*mail.Service, error) {
	server := settings.SMTPURL.Reveal()
	if settings.Sandbox() {
		server = ""
	}
	return mail.New(mail.Options{
		Store: db, Keys: signin.New(revealed(settings.Secrets)), PublicURL: settings.PublicURL,
		Server: server, From: settings.MailFrom, Zone: settings.Timezone, Sandbox: settings.Sandbox(), Now: time.Now, Log: log,
	})
}

// newRecovery returns the page to which mails about failed payments lead.
func newRecovery(settings config.Settings, local string, db *store.Store, log *slog.Logger) *recovery.Recovery {
	return recovery.New(recovery.Options{
		Store: db, Keys: signin.New(revealed(settings.Secrets)), PublicURL: settings.PublicURL, Sandbox: settings.Sandbox(),
		Stripe: newStripe(settings, local, log),
	})
}

// newStripe returns a way to ask Stripe.
func newStripe(settings config.Settings, local string, log *slog.Logger) *stripeapi.Client {
	return stripeapi.New(stripeapi.Options{Key: stripeKey(settings), BaseURL: stripeBase(settings, local), Log: log})
}

// alarm mails those who answer for money when no event comes for longer than is
// usual, and when a sweep found differences: of each silence once, and of
// differences once a day.
func alarm(ctx context.Context, db *store.Store, h reconcile.Health, log *slog.Logger) {
	tell := func(kind, subject, path string, words ...string) {
		data, err := json.Marshal(mail.StaffNews{Subject: words[0], Text: words[1:], Path: path})
		if err == nil {
			err = db.QueueStaffMail(ctx, store.Mail{Kind: kind, Subject: subject, Data: data})
		}
		if err != nil && ctx.Err() == nil {
			log.WarnContext(ctx, "staff are not mailed", "kind", kind, "err", err)
		}
	}
	if h.Silent {
		tell(mail.Silence, h.NewestEvent.UTC().Format(time.RFC3339), "/staff", "Stripe has been silent for longer than is usual",
			fmt.Sprintf("The newest event came on %s.", h.NewestEvent.UTC().Format("2 January 2006, 15:04 UTC")),
			"Is the webhook endpoint reached? `support doctor` looks; gifts are not lost, and the next sweep brings them in.")
	}
	if h.Differences > 0 {
		tell(mail.Differences, h.Through.UTC().Format(time.DateOnly), "/staff", fmt.Sprintf("Differences from Stripe were found: %d", h.Differences),
			"The last sweep over Stripe’s lists found what deliveries had not told, and mended it. If this comes often, deliveries are being lost.")
	}
}
