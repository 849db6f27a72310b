package sandbox

import (
	"slices"
	"sort"
)

// A kind names a table. Stripe's objects are kept under their "object" field,
// records of the sandbox's own under names that begin with "sandbox.".
type kind string

const (
	kindSession      kind = "checkout.session"
	kindIntent       kind = "payment_intent"
	kindCharge       kind = "charge"
	kindMethod       kind = "payment_method"
	kindCustomer     kind = "customer"
	kindProduct      kind = "product"
	kindPrice        kind = "price"
	kindSubscription kind = "subscription"
	kindInvoice      kind = "invoice"
	kindRefund       kind = "refund"
	kindDispute      kind = "dispute"
	kindWarning      kind = "radar.early_fraud_warning"
	kindTransaction  kind = "balance_transaction"
	kindPayout       kind = "payout"
	kindEvent        kind = "event"
	kindEndpoint     kind = "webhook_endpoint"
	kindPortalConfig kind = "billing_portal.configuration"
	kindPortal       kind = "billing_portal.session"

	kindNote        kind = "sandbox.note"        // what the sandbox knows of an object beyond its fields, under the object's id
	kindTask        kind = "sandbox.task"        // something that happens by itself at a time
	kindDelivery    kind = "sandbox.delivery"    // an event on its way to an endpoint
	kindItem        kind = "sandbox.item"        // a balance transaction that a payout paid, under the transaction's id
	kindIdempotency kind = "sandbox.idempotency" // an answer kept for its Idempotency-Key
	kindSetting     kind = "sandbox.setting"     // the clock and the chaos switch
)

// prefixes of ids, by which an id alone finds its table.
func prefixOf(k kind) string {
	switch k {
	case kindSession:
		return "cs_test_"
	case kindIntent:
		return "pi_"
	case kindCharge:
		return "ch_"
	case kindMethod:
		return "pm_"
	case kindCustomer:
		return "cus_"
	case kindProduct:
		return "prod_"
	case kindPrice:
		return "price_"
	case kindSubscription:
		return "sub_"
	case kindInvoice:
		return "in_"
	case kindRefund:
		return "re_"
	case kindDispute:
		return "dp_"
	case kindWarning:
		return "issfr_"
	case kindTransaction:
		return "txn_"
	case kindPayout:
		return "po_"
	case kindEvent:
		return "evt_"
	case kindEndpoint:
		return "we_"
	case kindPortalConfig:
		return "bpc_"
	case kindPortal:
		return "bps_"
	case kindTask:
		return "task_"
	case kindDelivery:
		return "whd_"
	}
	return string(k) + "_"
}

// A table holds objects of one kind, sorted by time: tasks and deliveries by
// when they are due, all else by when it was created; then by insertion.
type table struct {
	key  string // the field sorted by
	ids  []string
	byID map[string]Object
}

func newTable(k kind) *table {
	key := "created"
	if k == kindTask || k == kindDelivery {
		key = "due"
	}
	return &table{key: key, byID: map[string]Object{}}
}

func (t *table) put(id string, o Object) {
	if old, exists := t.byID[id]; exists {
		if old.int(t.key) == o.int(t.key) {
			t.byID[id] = o
			return
		}
		t.remove(id)
	}
	at := t.after(o.int(t.key))
	t.ids = slices.Insert(t.ids, at, id)
	t.byID[id] = o
}

func (t *table) remove(id string) {
	at := t.position(id)
	if at < 0 {
		return
	}
	t.ids = slices.Delete(t.ids, at, at+1)
	delete(t.byID, id)
}

// after returns the first position whose time is later than when.
func (t *table) after(when int64) int {
	return sort.Search(len(t.ids), func(i int) bool { return t.byID[t.ids[i]].int(t.key) > when })
}

// position returns where id stands, or -1.
func (t *table) position(id string) int {
	o, exists := t.byID[id]
	if !exists {
		return -1
	}
	for i := t.after(o.int(t.key)) - 1; i >= 0; i-- {
		if t.ids[i] == id {
			return i
		}
	}
	return -1
}

// A state is everything the sandbox remembers. Changes since the last commit
// can be taken back, so that a refused request leaves nothing behind.
type state struct {
	tables  map[kind]*table
	changes []change
}

type change struct {
	kind   kind
	id     string
	before Object // nil if it did not exist
}

func newState() *state { return &state{tables: map[kind]*table{}} }

func (st *state) table(k kind) *table {
	t := st.tables[k]
	if t == nil {
		t = newTable(k)
		st.tables[k] = t
	}
	return t
}

// get returns the object, or nil. It must not be changed.
func (st *state) get(k kind, id string) Object { return st.table(k).byID[id] }

// put stores o under its id, new or in place of what was there.
func (st *state) put(k kind, o Object) Object {
	t, id := st.table(k), o.id()
	st.changes = append(st.changes, change{k, id, t.byID[id]})
	t.put(id, o)
	return o
}

// remove forgets an object, if there is one.
func (st *state) remove(k kind, id string) {
	t := st.table(k)
	if old, exists := t.byID[id]; exists {
		st.changes = append(st.changes, change{k, id, old})
		t.remove(id)
	}
}

// change stores a changed copy of an object that exists, and returns it.
func (st *state) change(k kind, id string, edit func(Object)) Object {
	o := st.get(k, id).clone()
	edit(o)
	return st.put(k, o)
}

// each calls f for the objects of a kind, oldest first, until it answers false.
func (st *state) each(k kind, f func(Object) bool) {
	t := st.table(k)
	for _, id := range t.ids {
		if !f(t.byID[id]) {
			return
		}
	}
}

// rollback takes back every change since the last commit.
func (st *state) rollback() {
	for _, c := range slices.Backward(st.changes) {
		if c.before == nil {
			st.table(c.kind).remove(c.id)
		} else {
			st.table(c.kind).put(c.id, c.before)
		}
	}
	st.changes = nil
}
