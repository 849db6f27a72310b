package limits

import "testing"

// TestAtOnce: each may so many at once, whatever others do, and what has ended
// is forgotten.
func TestAtOnce(t *testing.T) {
	t.Parallel()
	a := NewAtOnce(2)
	var leave []func()
	for _, who := range []string{"olha", "olha", "petro"} {
		left, ok := a.Enter(who)
		if !ok {
			t.Fatalf("%s is kept out", who)
		}
		leave = append(leave, left)
	}
	if _, ok := a.Enter("olha"); ok {
		t.Error("a third is let in")
	}
	for _, left := range leave {
		left()
	}
	if len(a.running) != 0 {
		t.Errorf("still known: %v", a.running)
	}
	if _, ok := a.Enter("olha"); !ok {
		t.Error("afterwards nobody is let in")
	}
}
