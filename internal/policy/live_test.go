package policy

import (
	"context"
	"log/slog"
	"testing"
)

// TestSwitch: what each word of the switch turns off, and that a change is
// another version.
func TestSwitch(t *testing.T) {
	t.Parallel()
	word := ""
	live := NewLive(func(_ context.Context, kind string) (string, error) {
		if kind == KindSwitch {
			return word, nil
		}
		return "", nil
	}, slog.New(slog.DiscardHandler))
	last := live.State().Version
	for _, step := range []struct {
		word        string
		off, closed bool
	}{{Off, true, false}, {Closed, true, true}, {On, false, false}, {Closed, true, true}, {Off, true, false}} {
		word = step.word
		if err := live.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		now := live.State()
		if now.Off != step.off || live.Closed() != step.closed || now.Version == last {
			t.Errorf("%s: off %v, closed %v, version %d after %d", step.word, now.Off, live.Closed(), now.Version, last)
		}
		last = now.Version
	}
}
