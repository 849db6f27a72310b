package main

import (
	"log/slog"
	"time"

	"github.com/united24media/support/internal/config"
	"github.com/united24media/support/internal/mail"
	"github.com/united24media/support/internal/signin"
	"github.com/united24media/support/internal/store"
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
		Server: server, From: settings.MailFrom, Zone: settings.Timezone, Now: time.Now, Log: log,
	})
}
