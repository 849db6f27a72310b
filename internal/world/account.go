package world

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"strconv"
	"strings"
)

// An account is the Stripe account of one world, seen from inside: its
// objects as they changed, the events it sent, and the facts for the book.
type account struct {
	opts    Options
	serial  uint64
	objects []*object
	events  []Event

	customers    []*customer
	gifts        []*gift
	members      []*member
	transactions []*transaction
	payouts      []*payout
}

// An object is one Stripe object and the states it has been in.
type object struct {
	kind, id string
	fields   fields
	states   []state
	turned   int64   // when it last changed in a way whose order matters
	spoken   int64   // when the newest event about it was sent
	fresh    bool    // its creation was told, and no change since
	told     func()  // takes down what an event about it gave away; may be nil
	parent   *object // the charge of a refund
	payout   string  // the payout a balance transaction was paid out with
}

// A state is how Stripe answers for an object from a moment on.
type state struct {
	at   int64 // Unix seconds
	body json.RawMessage
}

func encode(f fields) json.RawMessage {
	body, err := json.Marshal(f)
	if err != nil {
		panic(fmt.Sprintf("world: %v: %v", f["id"], err)) // fields hold plain values only
	}
	return body
}

// settleDown takes down what changed without a word at the end of a story.
func (a *account) settleDown() {
	for _, o := range a.objects {
		at, _ := o.fields["created"].(int64)
		if n := len(o.states); n > 0 {
			at = o.states[n-1].at
		}
		o.keep(at)
	}
}

func newAccount(o Options) *account { return &account{opts: o} }

// play runs one story on its own tape.
func (a *account) play(tape Tape, tell func(*story)) {
	tell(&story{account: a, Tape: &tape, now: Begin})
}

// newID returns an id of Stripe's form. Ids do not sort by age.
func (a *account) newID(prefix string) string {
	a.serial++
	return prefix + "_" + a.opts.Name + strconv.FormatUint(scatter(a.serial), 36)
}

// A story is one person's part of a world, with a clock of its own.
type story struct {
	*account
	*Tape
	now     int64 // Unix seconds
	foreign bool  // nothing in it is ours: no object is marked
}

// create adds an object that exists from now on; save or tell must follow.
func (s *story) create(f fields) *object {
	f["created"] = s.now
	kind, _ := f["object"].(string)
	id, _ := f["id"].(string)
	o := &object{kind: kind, id: id, fields: f}
	s.objects = append(s.objects, o)
	return o
}

// save takes down how Stripe answers for o from now on.
func (s *story) save(o *object) {
	if s.one(32) {
		o.fields["brand_new_member"] = fields{"not": []any{"in", "any", 1}, "document": nil}
	}
	if o.kind == "charge" {
		// Stripe makes a new address for every answer.
		o.fields["receipt_url"] = fmt.Sprintf("https://pay.stripe.com/receipts/%s/%d", o.id, len(s.events))
	}
	o.keep(s.now)
}

// keep takes down o as it is at a moment, if that is news.
func (o *object) keep(at int64) {
	body := encode(o.fields)
	n := len(o.states)
	switch {
	case n > 0 && o.states[n-1].at >= at:
		o.states[n-1].body = body
	case n == 0 || !bytes.Equal(o.states[n-1].body, body):
		o.states = append(o.states, state{at, body})
	}
}

// tell saves o and sends an event of it, rarely as two Event objects.
func (s *story) tell(kind string, o *object) {
	s.save(o)
	if o.told != nil {
		o.told()
	}
	s.send(kind, o)
	if s.one(16) {
		s.send(kind, o)
	}
}

// maybe tells only half of the time. It is for events that say nothing which
// others do not say.
func (s *story) maybe(kind string, o *object) {
	if s.one(2) {
		s.tell(kind, o)
		return
	}
	s.save(o)
}

func (s *story) send(kind string, o *object) {
	id := s.newID("evt")
	extra := ""
	if s.one(32) {
		extra = `,"brand_new_member":{"of":"an event"}`
	}
	body := fmt.Sprintf(`{"id":%q,"object":"event","api_version":%q,"created":%d,"data":{"object":%s},`+
		`"livemode":false,"pending_webhooks":1,"request":{"id":null,"idempotency_key":null},"type":%q%s}`,
		id, Version, s.now, o.states[len(o.states)-1].body, kind, extra)
	o.fresh = strings.HasSuffix(kind, ".created") && (o.fresh || o.spoken == 0)
	o.spoken = max(o.spoken, s.now)
	s.events = append(s.events, Event{ID: id, Type: kind, Created: s.now, Object: o.id, Body: []byte(body)})
}

// set changes members of o.
func (o *object) set(f fields) { maps.Copy(o.fields, f) }

const (
	minute = int64(60)
	hour   = 60 * minute
	day    = 24 * hour
)

// pass moves the clock by low to high seconds and reports true, or leaves it
// and reports false if the world would end before: the story then stops.
func (s *story) pass(low, high int64) bool {
	to := s.now + s.between(low, high)
	if to > End-hour {
		return false
	}
	s.now = to
	return true
}

// later moves the clock by up to high seconds, often by none or a few.
func (s *story) later(high int64) bool {
	return s.pass(0, choose(s.Tape, high, 0, minute, high))
}

// tick moves the clock by a second or two, or not at all: Stripe does many
// things within one second.
func (s *story) tick() { s.now += choose[int64](s.Tape, 0, 0, 1, 2) }

// turn is called before o changes in a way that only the order of its
// snapshots tells. None of what was told before shares its second but in a
// murky world, and but for the creation, whose event says that it came first.
func (s *story) turn(o *object) {
	last := max(o.turned, o.spoken)
	tie := last == s.now && (s.opts.Murky || o.fresh) && s.one(2)
	o.fresh = false
	if !tie {
		s.now = max(s.now, last+1)
	}
	o.turned = s.now
}

// aside plays what follows now beside the story, whose clock stays.
func (s *story) aside(f func()) {
	now := s.now
	f()
	s.now = now
}

// start sets the clock to some moment, often one where the day in Kyiv is not
// the day in UTC.
func (s *story) start() {
	midnight := Begin + day*s.between(0, (End-Begin)/day-30)
	s.now = midnight + choose(s.Tape, 12*hour, s.between(0, day-1), 23*hour+30*minute,
		22*hour-1, 22*hour, 21*hour-1, 21*hour, 24*hour-1)
}
