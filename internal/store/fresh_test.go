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
		return s.key(s.hash("registers"), ref)
	}, func(i int) seenKey { // beside the charge
		ref := fmt.Sprint("refund/ch_", i)
		return s.key(s.hash("registers"), ref)
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
	tx := &Tx{fresh: &fresh{seen: newSeen(), copies: make(chan copying, 1)}}
	take := func(places ...Place) (copied, left []string) {
		t.Helper()
		r := presenceRows.rows(len(places))
		for i, place := range places {
			r.add(place.Scope, place.Supporter, int64(i), int64(0))
		}
		var told []string
		rest, err := tx.take(r, func(r row) error {
			var scope, supporter string
			var donations, memberships int64
			err := r.Scan(&scope, &supporter, &donations, &memberships)
			told = append(told, scope+" "+supporter)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range tx.taken {
			for _, n := range p.which {
				copied = append(copied, p.texts(0)[n]+" "+p.texts(1)[n])
			}
		}
		tx.taken = nil
		if !slices.Equal(told, copied) {
			t.Errorf("told of %v, copied %v", told, copied)
		}
		for n := range rest.count {
			left = append(left, rest.texts(0)[n]+" "+rest.texts(1)[n])
		}
		return copied, left
	}
	copied, left := take(Place{"all", "a"}, Place{"all", "b"}, Place{"article:x", "a"})
	if want := []string{"all a", "all b", "article:x a"}; !slices.Equal(copied, want) || len(left) > 0 {
		t.Errorf("of new ones %v are copied and %v left", copied, left)
	}
	copied, left = take(Place{"all", "b"}, Place{"article:x", "b"}, Place{"all", "c"})
	if !slices.Equal(copied, []string{"all c"}) || !slices.Equal(left, []string{"all b", "article:x b"}) {
		t.Errorf("of b, who was there, and c %v are copied and %v left", copied, left)
	}
}
