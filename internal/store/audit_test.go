package store_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/united24media/support/internal/store"
	"github.com/united24media/support/internal/testenv"
)

// log writes entries 1 to n.
func log(t *testing.T, db *store.Store, n int) {
	t.Helper()
	for i := range n {
		e := store.Entry{At: noon.Add(time.Duration(i) * time.Minute), Who: "olha@news.example", Action: "test.done", Subject: fmt.Sprint(i + 1), Reason: "r", Detail: "d"}
		if err := db.Audit(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
}

// tamper runs a statement that no code of ours has.
func tamper(t *testing.T, db *store.Store, statement string) {
	t.Helper()
	if err := db.Exec(t.Context(), statement); err != nil {
		t.Fatal(err)
	}
}

func TestAuditNamesTheFirstBrokenEntry(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ statement, broken string }{
		"whole":          {`SELECT 1`, ""},
		"a reason":       {`UPDATE audit SET reason = 'x' WHERE number = 3`, "entry 3,"},
		"a time":         {`UPDATE audit SET at = at + 1 WHERE number = 3`, "entry 3,"},
		"moved a letter": {`UPDATE audit SET reason = '', detail = 'rd' WHERE number = 2`, "entry 2,"},
		"its hash":       {`UPDATE audit SET hash = 'x' WHERE number = 4`, "entry 4,"},
		"removed":        {`DELETE FROM audit WHERE number = 2`, "entry 2 is missing"},
		"the first":      {`DELETE FROM audit WHERE number = 1`, "entry 1 is missing"},
		"the tail":       {`DELETE FROM audit WHERE number > 3`, "entry 3 is the last one, and entry 5 was"},
		"all":            {`DELETE FROM audit`, "entry 0 is the last one, and entry 5 was"},
		"moved":          {`UPDATE audit SET number = CASE number WHEN 2 THEN 102 ELSE 103 END WHERE number IN (2, 3)`, "entry 2 is missing"},
		"put in":         {`INSERT INTO audit SELECT 6, at, who, action, subject, reason, detail, hash FROM audit WHERE number = 5`, "entry 6,"},
		"the head":       {`UPDATE audit_head SET hash = 'x'`, "entry 5 is the last one"},
	}
	onBoth(t, func(t *testing.T, db *store.Store) {
		for name, tt := range tests {
			tamper(t, db, `DELETE FROM audit`)
			tamper(t, db, `UPDATE audit_head SET number = 0, hash = ''`)
			log(t, db, 5)
			tamper(t, db, tt.statement)
			state, err := db.CheckAudit(t.Context())
			if err != nil || (tt.broken == "") != (state.Broken == "") || !strings.Contains(state.Broken, tt.broken) {
				t.Errorf("%s: %+v, %v; want %q", name, state, err, tt.broken)
			}
			if tt.broken == "" && (state.Entries != 5 || len(state.Hash) != 64) {
				t.Errorf("%s: %+v", name, state)
			}
		}
	})
}

// The chain is described in [store.Entry]; whoever checks an export by other
// means relies on it.
func TestAuditHash(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db *store.Store) {
		log(t, db, 2)
		page, err := db.AuditAfter(t.Context(), store.AuditFilter{}, 0, 10)
		if err != nil {
			t.Fatal(err)
		}
		// printf '0:,1:1,16:1777896000000000,17:olha@news.example,9:test.done,1:1,1:r,1:d,' | sha256sum
		const first = "f4f8f9c3b5012bd17e22e43972536144455baccd10a7b7176e6c6e3ffe832a51"
		// printf '64:FIRST,1:2,16:1777896060000000,17:olha@news.example,9:test.done,1:2,1:r,1:d,' | sha256sum
		const second = "6ecf03d08ea02f8925626cd79b275bf962723454ec38d005dc9e56c080ab2056"
		if len(page) != 2 || page[0].Hash != first || page[1].Hash != second {
			t.Errorf("%+v", page)
		}
	})
}

// What fails leaves no entry, and what has no entry is not done.
func TestAuditedTogetherOrNotAtAll(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db *store.Store) {
		employ(t, db, "olha", "admin")
		if err := db.RemoveStaff(t.Context(), "mem_olha", did("staff.remove")); err == nil {
			t.Fatal("the last admin was removed")
		}
		boom := errors.New("boom")
		err := db.Ledger(t.Context(), func(tx *store.Tx) error {
			if err := tx.Audit(t.Context(), did("ledger.refund")); err != nil {
				return err
			}
			return boom
		})
		if !errors.Is(err, boom) {
			t.Fatal(err)
		}
		if err := db.Ledger(t.Context(), func(tx *store.Tx) error { return tx.Audit(t.Context(), did("ledger.refund\x00")) }); err != nil {
			t.Fatal(err)
		}
		page, err := db.AuditBefore(t.Context(), store.AuditFilter{}, 0, 10)
		if err != nil || len(page) != 2 || page[0].Action != "ledger.refund\uFFFD" || page[1].Action != "staff.add" {
			t.Errorf("%+v, %v", page, err)
		}
		if state, err := db.CheckAudit(t.Context()); err != nil || state.Broken != "" {
			t.Errorf("%+v, %v", state, err)
		}
	})
}

// Replicas that write at once, by themselves and in the ledger, make one chain.
func TestReplicasDoNotForkTheChain(t *testing.T) {
	t.Parallel()
	address := testenv.Postgres(t)
	var replicas []*store.Store
	for range 3 {
		db, err := store.Open(address)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { db.Close() })
		if _, err := db.Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
		replicas = append(replicas, db)
	}
	const each = 8
	var all sync.WaitGroup
	for _, db := range replicas {
		for range each {
			all.Go(func() {
				if err := db.Audit(t.Context(), did("alone")); err != nil {
					t.Error(err)
				}
			})
			all.Go(func() {
				err := db.Ledger(t.Context(), func(tx *store.Tx) error { return tx.Audit(t.Context(), did("ledger")) })
				if err != nil {
					t.Error(err)
				}
			})
		}
	}
	all.Wait()
	if state, err := replicas[0].CheckAudit(t.Context()); err != nil || state.Broken != "" || state.Entries != 2*each*int64(len(replicas)) {
		t.Errorf("%+v, %v", state, err)
	}
}

func TestAuditFilters(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db *store.Store) {
		for i, e := range []store.Entry{
			{Who: "olha", Action: "staff.add", Subject: "petro"},
			{Who: "olha", Action: "staff.session.end", Subject: "ses_1"},
			{Who: "petro", Action: "staffing", Subject: "petro"},
			{Who: "petro", Action: "asks.off"},
		} {
			e.At = noon.Add(time.Duration(i) * time.Hour)
			if err := db.Audit(t.Context(), e); err != nil {
				t.Fatal(err)
			}
		}
		for name, tt := range map[string]struct {
			filter store.AuditFilter
			want   string
		}{
			"all":           {store.AuditFilter{}, "4321"},
			"who":           {store.AuditFilter{Who: "olha"}, "21"},
			"a group":       {store.AuditFilter{Action: "staff"}, "21"},
			"one action":    {store.AuditFilter{Action: "staff.add"}, "1"},
			"subject":       {store.AuditFilter{Subject: "petro"}, "31"},
			"from":          {store.AuditFilter{From: noon.Add(time.Hour)}, "432"},
			"to, exclusive": {store.AuditFilter{To: noon.Add(time.Hour)}, "1"},
			"several":       {store.AuditFilter{Who: "petro", Subject: "petro", From: noon}, "3"},
			"nothing":       {store.AuditFilter{Who: "nobody"}, ""},
		} {
			before, got := int64(0), ""
			for {
				page, err := db.AuditBefore(t.Context(), tt.filter, before, 2)
				if err != nil {
					t.Fatal(err)
				}
				for _, e := range page {
					got += fmt.Sprint(e.Number)
					before = e.Number
				}
				if len(page) < 2 {
					break
				}
			}
			if got != tt.want {
				t.Errorf("%s: %q, want %q", name, got, tt.want)
			}
		}
		if after, err := db.AuditAfter(context.Background(), store.AuditFilter{Who: "olha"}, 1, 5); err != nil || len(after) != 1 || after[0].Number != 2 {
			t.Errorf("after 1: %+v, %v", after, err)
		}
		if names, err := db.AuditNames(t.Context()); err != nil || len(names.Who) != 2 || len(names.Actions) != 4 {
			t.Errorf("names: %+v, %v", names, err)
		}
	})
}

// TestACutTailIsMissed: who cuts the tail off and moves its mark back leaves a
// chain that is whole, and one that does not lead to the hash that was kept.
func TestACutTailIsMissed(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db *store.Store) {
		log(t, db, 3)
		before, err := db.AuditHead(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		log(t, db, 2)
		kept, err := db.AuditHead(t.Context())
		if err != nil || kept.Entries != 5 {
			t.Fatalf("%+v, %v", kept, err)
		}
		leads := func(hash string) bool {
			t.Helper()
			state, err := db.CheckAudit(t.Context())
			if err != nil || state.Broken != "" {
				t.Fatalf("%+v, %v", state, err)
			}
			there, err := db.AuditLeadsTo(t.Context(), hash)
			if err != nil {
				t.Fatal(err)
			}
			return there
		}
		if !leads(before.Hash) || !leads(kept.Hash) || leads("") {
			t.Error("a log that grew leads not to its entries, or to none")
		}
		tamper(t, db, `DELETE FROM audit WHERE number > 3`)
		tamper(t, db, `UPDATE audit_head SET number = 3, hash = '`+before.Hash+`'`)
		if !leads(before.Hash) || leads(kept.Hash) {
			t.Error("a tail that was cut off is not missed")
		}
	})
}
