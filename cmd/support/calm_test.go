package main

import (
	"bytes"
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"
)

func TestCalm(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	c := newCalm(slog.NewTextHandler(&out, nil), func() time.Time { return now })
	log := slog.New(c).With("part", "x")
	away := fmt.Errorf("read: %w", driver.ErrBadConn)
	back := errors.New("not yet")
	ping := func(context.Context) error { return back }
	step := func(name string, lines int, words string, do func()) {
		t.Helper()
		out.Reset()
		do()
		if strings.Count(out.String(), "\n") != lines || !strings.Contains(out.String(), words) {
			t.Errorf("%s: want %d lines with %q, got:\n%s", name, lines, words, &out)
		}
	}
	many := func() {
		for range 10 {
			log.Warn("the queue can't be read", "err", away)
			slog.New(c).Error("request failed", "status", 503, "err", away)
		}
	}
	step("before", 1, "slow", func() { log.Warn("slow", "err", context.DeadlineExceeded) })
	step("when it goes", 1, "does not answer", many)
	step("while it is away", 0, "", func() { many(); log.Warn("slow", "err", context.DeadlineExceeded) })
	step("something else", 2, "boom", func() { log.Error("boom", "err", errors.New("x")); log.Info("fine") })
	now = now.Add(tellEvery)
	step("a minute later", 1, "does not answer", many)
	step("asked too early", 0, "", func() { c.look(t.Context(), ping) })
	back = nil
	step("when it is back", 1, "answers again", func() { c.look(t.Context(), ping); c.look(t.Context(), ping) })
	step("when it goes again", 1, "does not answer", many)
}
