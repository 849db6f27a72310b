package main

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"strings"
	"testing"

	"github.com/united24media/support/internal/config"
	"github.com/united24media/support/internal/store"
)

// TestACutAuditLogIsMissed: the last hash is told to the service's log, and
// verify misses one that the audit log does not lead to any more.
func TestACutAuditLogIsMissed(t *testing.T) {
	t.Parallel()
	c := &till{t: t, lookup: environment(t, nil)}
	c.run("migrate")
	settings, err := config.Load(c.lookup)
	if err != nil {
		t.Fatal(err)
	}
	db, err := store.Open(settings.DatabaseURL.Reveal())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	for i := range 3 {
		if err := db.Audit(t.Context(), store.Entry{Who: "olha@news.example", Action: "test.done", Detail: strings.Repeat("x", i)}); err != nil {
			t.Fatal(err)
		}
	}
	var out bytes.Buffer
	ctx, cancel := context.WithCancel(t.Context())
	log := slog.New(slog.NewJSONHandler(writerFunc(func(line []byte) { out.Write(line); cancel() }), nil))
	if err := tellAuditHead(ctx, db, log); err != nil {
		t.Fatal(err)
	}
	var told struct {
		Entries int64
		Hash    string
	}
	if err := json.Unmarshal(out.Bytes(), &told); err != nil || told.Entries != 3 || len(told.Hash) != 64 {
		t.Fatalf("told %s, %v", out.Bytes(), err)
	}
	c.run("verify", "--audit-head", told.Hash)
	lost := strings.Repeat("0", 64) // as if the log had been cut since it was told
	if code, stdout, _ := runCommand(t, c.lookup, "verify", "--audit-head", lost); code != exitFailed || !strings.Contains(stdout, lost) {
		t.Errorf("exit %d: %s", code, stdout)
	}
}

// A writerFunc is called for each line that is written.
type writerFunc func(line []byte)

func (f writerFunc) Write(line []byte) (int, error) { f(line); return len(line), nil }
