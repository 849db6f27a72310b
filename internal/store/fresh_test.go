package store

import (
	"fmt"
	"slices"
	"testing"
)

func TestSeenForgetsNothingAndInventsLittle(t *testing.T) {
	t.Parallel()
	const count = 200_000
	s, invented := newSeen(), 0
	charge, refund := func(i int) seenKey {
		ref := fmt.Sprint("charge/ch_", i)
		return s.key(s.hash("registers"), ref, ref)
	}, func(i int) seenKey { // beside the charge
		ref := fmt.Sprint("refund/ch_", i)
		return s.key(s.hash("registers"), ref, ref)
	}
	for i := range count {
		s.add(charge(i))
	}
	for i := range count {
		if key := charge(i); !s.has(key) || !s.add(key) {
			t.Fatalf("ch_%d is forgotten", i)
		}
		if s.has(refund(i)) {
			invented++
		}
	}
	if invented > count/10_000 {
		t.Errorf("%d of %d that were never added are taken for seen", invented, count)
	}
}

func TestOnlyNewRowsAreTaken(t *testing.T) {
	t.Parallel()
	tx := &Tx{fresh: &fresh{seen: newSeen(), copies: make(chan []part, 1)}}
	take := func(places ...string) (copied, left []string) {
		t.Helper()
		r := presenceRows.rows(len(places))
		for i, supporter := range places {
			r.add("all", supporter, int64(i), int64(0))
		}
		var told []string
		rest, err := tx.take(r, func(r row) error {
			var scope, supporter string
			var donations, memberships int64
			err := r.Scan(&scope, &supporter, &donations, &memberships)
			told = append(told, supporter)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range tx.copies {
			for _, n := range p.which {
				copied = append(copied, p.texts(1)[n])
			}
		}
		tx.copies = nil
		if !slices.Equal(told, copied) {
			t.Errorf("told of %v, copied %v", told, copied)
		}
		return copied, rest.texts(1)
	}
	if copied, left := take("a", "b", "a"); !slices.Equal(copied, []string{"a", "b"}) || !slices.Equal(left, []string{"a"}) {
		t.Errorf("of a, b and a again %v are copied and %v left", copied, left)
	}
	if copied, left := take("b", "c"); !slices.Equal(copied, []string{"c"}) || !slices.Equal(left, []string{"b"}) {
		t.Errorf("of b and c %v are copied and %v left", copied, left)
	}
}
