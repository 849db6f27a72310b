package main

import (
	"context"
	"log/slog"
	"time"

	"github.com/united24media/support/internal/store"
)

// headEvery is how often the audit log's last hash is told.
const headEvery = 24 * time.Hour

// tellAuditHead writes the audit log's last hash to the service's own log when
// it starts and once a day, until ctx ends: there it is out of reach of who can
// write to the database, so that a tail which was cut off is missed. `support
// verify --audit-head` compares.
func tellAuditHead(ctx context.Context, db *store.Store, log *slog.Logger) error {
	again := time.NewTicker(headEvery)
	defer again.Stop()
	for {
		head, err := db.AuditHead(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			log.WarnContext(ctx, "the audit log's head is not known", "err", err)
		case head.Entries > 0:
			log.InfoContext(ctx, "the audit log's head", "entries", head.Entries, "hash", head.Hash)
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			return nil
		}
	}
}
