package store_test

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/united24media/support/internal/fault"
	"github.com/united24media/support/internal/store"
)

var noon = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

// did is an entry of the audit log.
func did(action string) store.Entry { return store.Entry{At: noon, Who: "a test", Action: action} }

// employ adds somebody.
func employ(t *testing.T, db *store.Store, name, role string) store.Staff {
	t.Helper()
	m := store.Staff{ID: "mem_" + name, Email: name + "@News.example", Role: role, Created: noon}
	if err := db.AddStaff(t.Context(), m, did("staff.add")); err != nil {
		t.Fatal(err)
	}
	return m
}

func TestStaff(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db *store.Store) {
		ctx := t.Context()
		olha, petro := employ(t, db, "Olha", "admin"), employ(t, db, "petro", "viewer")
		again := store.Staff{ID: "mem_3", Email: "OLHA@news.example", Role: "viewer", Created: noon}
		if err := db.AddStaff(ctx, again, did("staff.add")); !errors.Is(err, fault.Invalid) {
			t.Errorf("an address in another case: %v", err)
		}
		if got, err := db.StaffByEmail(ctx, " olha@NEWS.example "); err != nil || got != olha {
			t.Errorf("by address: %+v, %v", got, err)
		}
		if list, err := db.StaffList(ctx); err != nil || len(list) != 2 || list[1] != petro {
			t.Errorf("all: %+v, %v", list, err)
		}
		for name, lose := range map[string]func() error{
			"removed":  func() error { return db.RemoveStaff(ctx, olha.ID, did("staff.remove")) },
			"a viewer": func() error { return db.SetStaffRole(ctx, olha.ID, "viewer", did("staff.role")) },
		} {
			if err := lose(); !errors.Is(err, fault.Conflict) {
				t.Errorf("the last admin %s: %v", name, err)
			}
		}
		if err := db.SetStaffRole(ctx, petro.ID, "admin", did("staff.role")); err != nil {
			t.Fatal(err)
		}
		if err := db.RemoveStaff(ctx, olha.ID, did("staff.remove")); err != nil {
			t.Errorf("an admin beside another: %v", err)
		}
		if err := db.RemoveStaff(ctx, olha.ID, did("staff.remove")); !errors.Is(err, fault.NotFound) {
			t.Errorf("removed twice: %v", err)
		}
	})
}

// Two admins who remove each other at the same moment leave one of them.
func TestAnAdminIsLeft(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db *store.Store) {
		for round := range 5 {
			a, b := employ(t, db, fmt.Sprint("a", round), "admin"), employ(t, db, fmt.Sprint("b", round), "admin")
			list, err := db.StaffList(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range list {
				if m.ID != a.ID && m.ID != b.ID {
					if err := db.RemoveStaff(t.Context(), m.ID, did("staff.remove")); err != nil {
						t.Fatal(err)
					}
				}
			}
			var both sync.WaitGroup
			var removed atomic.Int64
			for _, m := range []store.Staff{a, b} {
				both.Go(func() {
					if db.RemoveStaff(t.Context(), m.ID, did("staff.remove")) == nil {
						removed.Add(1)
					}
				})
			}
			both.Wait()
			if removed.Load() != 1 {
				t.Fatalf("round %d: %d of two last admins were removed", round, removed.Load())
			}
		}
	})
}

func TestStaffSessions(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db *store.Store) {
		ctx := t.Context()
		olha, petro := employ(t, db, "olha", "admin"), employ(t, db, "petro", "viewer")
		begin := func(id string, m store.Staff, at time.Time, old string) {
			t.Helper()
			s := store.StaffSession{ID: id, Staff: m, Method: store.ByLink, Agent: "Firefox", Created: at, Proved: at}
			if err := db.AddStaffSession(ctx, s, "hash of "+id, old, noon.Add(-time.Hour), did("staff.sign-in")); err != nil {
				t.Fatal(err)
			}
		}
		begin("forgotten", petro, noon.Add(-2*time.Hour), "")
		begin("first", olha, noon, "")
		begin("second", olha, noon, "hash of first")
		for hash, there := range map[string]bool{"hash of first": false, "hash of second": true, "hash of forgotten": false, "": false} {
			got, err := db.StaffSessionByHash(ctx, hash)
			if there != (err == nil) || !there && !errors.Is(err, fault.NotFound) {
				t.Errorf("%q: %+v, %v", hash, got, err)
			}
		}
		begin("third", olha, noon.Add(time.Minute), "")
		if err := db.SetStaffFlash(ctx, "third", "Done."); err != nil {
			t.Fatal(err)
		}
		if err := db.TouchStaffSession(ctx, "third", noon.Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
		want := store.StaffSession{
			ID: "third", Staff: olha, Method: store.ByLink, Agent: "Firefox", Created: noon.Add(time.Minute), Proved: noon.Add(time.Minute), Used: noon.Add(time.Hour), Flash: "Done.",
		}
		if got, err := db.StaffSessions(ctx, olha.ID); err != nil || len(got) != 2 || got[0] != want {
			t.Errorf("sessions: %+v, %v", got, err)
		}
		if err := db.EndStaffSession(ctx, petro.ID, "third", did("end")); !errors.Is(err, fault.NotFound) {
			t.Errorf("somebody else's session: %v", err)
		}
		if err := db.EndStaffSessions(ctx, olha.ID, "second", did("end")); err != nil {
			t.Fatal(err)
		}
		if got, err := db.StaffSessions(ctx, olha.ID); err != nil || len(got) != 1 || got[0].ID != "second" {
			t.Errorf("after ending all others: %+v, %v", got, err)
		}
		begin("petro's", petro, noon, "")
		if err := db.RemoveStaff(ctx, petro.ID, did("staff.remove")); err != nil {
			t.Fatal(err)
		}
		if _, err := db.StaffSessionByHash(ctx, "hash of petro's"); !errors.Is(err, fault.NotFound) {
			t.Errorf("the session of somebody who is gone: %v", err)
		}
	})
}

func TestStaffLinkSignsInOnce(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db *store.Store) {
		ctx := t.Context()
		olha := employ(t, db, "olha", "admin")
		add := func(id string) {
			t.Helper()
			l := store.StaffLink{ID: id, Staff: olha, Created: noon, Expires: noon.Add(time.Hour)}
			if err := db.AddStaffLink(ctx, l, did("staff.link")); err != nil {
				t.Fatal(err)
			}
		}
		add("old")
		add("new")
		if _, err := db.StaffLinkByID(ctx, "old"); !errors.Is(err, fault.NotFound) {
			t.Errorf("the one before: %v", err)
		}
		if ok, err := db.UseStaffLink(ctx, "new", noon.Add(time.Hour)); err != nil || ok {
			t.Errorf("when it is over: %v, %v", ok, err)
		}
		var uses atomic.Int64
		var all sync.WaitGroup
		for range 20 {
			all.Go(func() {
				if ok, err := db.UseStaffLink(ctx, "new", noon); err != nil {
					t.Error(err)
				} else if ok {
					uses.Add(1)
				}
			})
		}
		all.Wait()
		if uses.Load() != 1 {
			t.Errorf("used %d times", uses.Load())
		}
		if l, err := db.StaffLinkByID(ctx, "new"); err != nil || !l.Used.Equal(noon) || l.Staff.Email != olha.Email {
			t.Errorf("afterwards: %+v, %v", l, err)
		}
	})
}
