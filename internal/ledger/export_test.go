package ledger

import "context"

// EndGrace does what the ledger does by itself from time to time.
func (l *Ledger) EndGrace(ctx context.Context) { l.endGrace(ctx) }

// JournalHolds says where the journal does not come to the sums.
var JournalHolds = journalHolds
