package sandbox

import "time"

// maxAdvance bounds one move of the clock: ten years.
const maxAdvance = 10 * 366 * 24 * time.Hour

// now returns the sandbox's Unix time.
func (s *Sandbox) now() int64 {
	if s.at != 0 {
		return s.at
	}
	return s.realNow()
}

func (s *Sandbox) realNow() int64 { return s.opts.Now().Add(s.offset).Unix() }

// Now returns the sandbox's time, which is ahead of the real one by what
// [Sandbox.Advance] moved it.
func (s *Sandbox) Now() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return time.Unix(s.realNow(), 0).UTC()
}

// Advance moves the clock ahead by d and lives through what happens on the
// way, each thing at its own time: renewals, retries, ends of trials, delayed
// payments, expiring sessions, payouts. The clock can't go back.
func (s *Sandbox) Advance(d time.Duration) error {
	if d < 0 || d > maxAdvance {
		return invalid("advance", "The clock moves ahead only, by ten years at most.")
	}
	return s.do(func() error {
		s.offset += d
		s.st.put(kindSetting, Object{"id": settingClock, "offset_ns": int64(s.offset)})
		s.liveUntil(s.realNow())
		return nil
	})
}

// A task is something that happens by itself when its time has come.
type task string

const (
	taskSettle   task = "settle"   // a delayed payment succeeds or fails
	taskBook     task = "book"     // a charge gets its balance transaction
	taskExpire   task = "expire"   // an open session ends
	taskFinalize task = "finalize" // a draft invoice becomes payable
	taskRetry    task = "retry"    // an invoice that failed is tried again
	taskRenew    task = "renew"    // a period ends
	taskWarn     task = "warn"     // a trial ends in three days
	taskGiveUp   task = "give_up"  // a subscription never got its first payment
	taskResume   task = "resume"   // a pause ends
	taskDay      task = "day"      // midnight: money becomes available and is paid out
	taskArrive   task = "arrive"   // a payout reaches the bank
)

// schedule lets a task happen to subject at a time, with more it has to know.
// It returns the task's id.
func (s *Sandbox) schedule(due int64, t task, subject string, more Object) string {
	return s.st.put(kindTask, Object{"id": s.newID(kindTask), "due": due, "do": string(t), "subject": subject}.with(more)).id()
}

// liveUntil runs the tasks due up to end, each at its own time.
func (s *Sandbox) liveUntil(end int64) {
	defer func() { s.at = 0 }()
	tasks := s.st.table(kindTask)
	for len(tasks.ids) > 0 {
		next := tasks.byID[tasks.ids[0]]
		if next.int("due") > end {
			return
		}
		s.at = next.int("due")
		s.st.remove(kindTask, next.id())
		s.happen(next)
	}
}

// happen runs one task. A task finds out by itself whether it still applies:
// nothing else takes tasks back.
func (s *Sandbox) happen(t Object) {
	switch subject := t.str("subject"); task(t.str("do")) {
	case taskSettle:
		s.settleDelayed(subject, t.bool("succeeds"))
	case taskBook:
		s.bookLate(subject)
	case taskExpire:
		s.expireSession(subject)
	case taskFinalize:
		s.finalizeDraft(subject)
	case taskRetry:
		s.retryInvoice(subject)
	case taskRenew:
		s.endPeriod(subject, t.int("due"))
	case taskWarn:
		s.warnTrialEnd(subject)
	case taskGiveUp:
		s.giveUpFirstPayment(subject)
	case taskResume:
		s.endPause(subject, t.int("due"))
	case taskDay:
		s.endDay()
	case taskArrive:
		s.arrivePayout(subject)
	}
}

func nextMidnight(now int64) int64 {
	const day = 24 * 60 * 60
	return now - now%day + day
}
