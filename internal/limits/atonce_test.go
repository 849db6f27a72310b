package limits

import (
	"errors"
	"testing"

	"github.com/united24media/support/internal/fault"
)

// TestAtOnce: each may so many at once, whatever others do, and what has ended
// is forgotten.
func TestAtOnce(t *testing.T) {
	t.Parallel()
	a := NewAtOnce(2)
	var leave []func()
	for _, who := range []string{"olha", "olha", "petro"} {
		left, err := a.Enter(who)
		if err != nil {
			t.Fatalf("%s: %v", who, err)
		}
		leave = append(leave, left)
	}
	_, err := a.Enter("olha")
	if known, ok := errors.AsType[*fault.Error](err); !errors.Is(err, fault.Limited) || !ok || known.RetryAfter == 0 {
		t.Errorf("a third: %v", err)
	}
	for _, left := range leave {
		left()
	}
	if len(a.running) != 0 {
		t.Errorf("still known: %v", a.running)
	}
	if _, err := a.Enter("olha"); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}
