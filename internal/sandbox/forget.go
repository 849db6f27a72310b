package sandbox

// What is remembered at the most of what nobody paid for, so that a flood of
// checkouts fills no memory. One takes about 10 kB with its price, its product
// and its events. What was paid is remembered for ever, as Stripe does.
const (
	mostOpened = 2_000  // the newest sessions; of older ones those that somebody tried to pay
	mostEvents = 10_000 // the newest; of older ones those that were not delivered
)

// opened notes a new session, and forgets the oldest that nobody tried to pay.
func (s *Sandbox) opened(id string) {
	s.sessions = append(s.sessions, id)
	for len(s.sessions) > s.mostOpened {
		s.forgetSession(s.sessions[0])
		s.sessions = s.sessions[1:]
	}
}

// forgetSession forgets a session, and what was made for it alone.
func (s *Sandbox) forgetSession(id string) {
	note := s.st.get(kindNote, id)
	if note.bool("begun") {
		return
	}
	for _, line := range note.list("lines") {
		price := line.(Object).obj("price")
		if price.bool("active") {
			continue // it was there before
		}
		s.st.remove(kindPrice, price.id())
		if product := price.str("product"); !s.st.get(kindProduct, product).bool("active") {
			s.st.remove(kindProduct, product)
		}
	}
	s.st.remove(kindTask, note.str("expiry"))
	s.st.remove(kindIdempotency, note.str("key"))
	s.st.remove(kindNote, id)
	s.st.remove(kindSession, id)
}

// forgetEvents makes room for one more event.
func (s *Sandbox) forgetEvents() {
	events := s.st.table(kindEvent)
	for at := 0; at < len(events.ids) && len(events.ids) >= s.mostEvents; {
		if e := events.byID[events.ids[at]]; e.int("pending_webhooks") == 0 {
			s.st.remove(kindEvent, e.id())
		} else {
			at++
		}
	}
}
