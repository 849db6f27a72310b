package desk

import (
	"context"

	"github.com/united24media/support/internal/store"
)

// Somebody stands in an entry of the audit log for whoever it was.
const Somebody = "somebody"

// Failed notes in the audit log that somebody did not get in: how, in words of
// ours, and as which member, "" where that is not known. It holds nothing that
// came from outside, and a flood makes few entries: see [store.Store.AuditSeldom].
// An entry that can't be written keeps nobody from an answer.
func (d *Desk) Failed(ctx context.Context, how, member string) {
	err := d.Store.AuditSeldom(ctx, d.stamp(Entry{Who: Somebody, Action: "staff.sign-in.failed", Subject: member, Detail: how}))
	if err != nil && !store.Away(err) {
		d.Log.WarnContext(ctx, "staff: that a sign-in failed was not noted", "err", err)
	}
}
