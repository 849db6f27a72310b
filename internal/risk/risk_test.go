package risk

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/united24media/support/internal/limits"
	"github.com/united24media/support/internal/redisdb"
	"github.com/united24media/support/internal/testenv"
)

// A clock stands until it is moved.
type clock struct{ at time.Time }

func (c *clock) now() time.Time { return c.at }

func newClock() *clock { return &clock{time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)} }

func newGuard(t testing.TB, c *clock, change func(*Options)) *Guard {
	t.Helper()
	limit, err := limits.New(limits.Options{Now: c.now, Secret: []byte("of the limits"), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	marks := Production()
	marks.Zeros = 8 // so that a test need not try long
	o := Options{
		Secrets: [][]byte{[]byte("the newest secret of thirty-two b"), []byte("the one before")}, Limiter: limit, Marks: marks, Now: c.now,
		Log: slog.New(slog.DiscardHandler),
	}
	if change != nil {
		change(&o)
	}
	return New(o)
}

// solve finds a proof, as the form's script does.
func solve(t testing.TB, ticket string, zeros int) string {
	t.Helper()
	for n := range int64(1) << 40 {
		if work := strconv.FormatInt(n, 36); Proved(ticket, work, zeros) {
			return work
		}
	}
	t.Fatal("no proof was found")
	return ""
}

func TestTickets(t *testing.T) {
	t.Parallel()
	c := newClock()
	g := newGuard(t, c, nil)
	ticket := g.Ticket()
	if len(ticket) > 60 || strings.Trim(ticket, "abcdefghijklmnopqrstuvwxyz0123456789.") != "" {
		t.Errorf("ticket %q", ticket)
	}
	if g.Ticket() == ticket {
		t.Error("two tickets are one")
	}
	before := newGuard(t, c, func(o *Options) { o.Secrets = o.Secrets[1:] })
	stranger := newGuard(t, c, func(o *Options) { o.Secrets = [][]byte{[]byte("another")} })
	tests := map[string]struct {
		ticket string
		after  time.Duration
		known  bool
	}{
		"at once":              {ticket, 0, true},
		"a day later":          {ticket, ticketLife - time.Second, true},
		"later than a day":     {ticket, ticketLife, false},
		"from the future":      {ticket, -clockSkew - time.Second, false},
		"of the secret before": {before.Ticket(), 0, true},
		"of a stranger":        {stranger.Ticket(), 0, false},
		"another time":         {"z" + ticket, 0, false},
		"cut":                  {ticket[:len(ticket)-1], 0, false},
		"nothing":              {"", 0, false},
		"a dot":                {".", 0, false},
	}
	start := c.at
	for name, tt := range tests {
		c.at = start.Add(tt.after)
		if known := g.Knows(tt.ticket); known != tt.known {
			t.Errorf("%s: known %v", name, known)
		}
	}
}

func TestProved(t *testing.T) {
	t.Parallel()
	work := solve(t, "a.b.c", 12)
	if !Proved("a.b.c", work, 12) || Proved("a.b.d", work, 12) && Proved("a.b.e", work, 12) || Proved("a.b.c", "", 0) || Proved("a.b.c", strings.Repeat("0", 21), 0) {
		t.Error("a proof holds for what it is no proof of")
	}
}

func TestCalmAndAttacked(t *testing.T) {
	t.Parallel()
	c := newClock()
	var told []Attack
	g := newGuard(t, c, func(o *Options) { o.Changed = func(a Attack) { told = append(told, a) } })
	ctx := t.Context()

	ticket := g.Ticket()
	c.at = c.at.Add(2 * time.Second)
	if v := g.Judge(ctx, Try{Network: "192.0.2.0/24", Ticket: ticket}); !v.Pass {
		t.Fatalf("a reader in calm times: %+v", v)
	}
	if v := g.Judge(ctx, Try{Network: "192.0.2.0/24"}); !v.Pass {
		t.Fatalf("a program in calm times: %+v", v)
	}
	for i := range 100 {
		g.Judge(ctx, Try{Network: fmt.Sprintf("198.51.%d.0/24", i)})
	}
	if !g.Attack().On || len(told) != 1 || !told[0].On || told[0].Why == "" || g.Zeros() == 0 {
		t.Fatalf("after a hundred programs in a second: %+v, told %+v", g.Attack(), told)
	}
	if v := g.Judge(ctx, Try{Network: "192.0.2.0/24"}); v.Pass || v.Zeros == 0 {
		t.Errorf("a program while attacked: %+v", v)
	}
	fresh := g.Ticket()
	if v := g.Judge(ctx, Try{Network: "192.0.2.0/24", Ticket: fresh, Work: "1"}); v.Pass || v.Zeros == 0 || v.Wait <= 0 {
		t.Errorf("a reader without a proof: %+v", v)
	}
	if v := g.Judge(ctx, Try{Network: "192.0.2.0/24", Ticket: fresh, Work: solve(t, fresh, g.Zeros())}); !v.Pass {
		t.Errorf("a reader with a proof: %+v", v)
	}
	patient := g.Ticket()
	c.at = c.at.Add(patientTime)
	if v := g.Judge(ctx, Try{Network: "203.0.113.0/24", Ticket: patient}); !v.Pass {
		t.Errorf("a patient reader without scripts: %+v", v)
	}
	for range 5 { // one form is one gift, or a few when it is changed
		g.Judge(ctx, Try{Network: "203.0.113.0/24", Ticket: patient})
	}
	if v := g.Judge(ctx, Try{Network: "203.0.113.0/24", Ticket: patient}); v.Pass {
		t.Error("one ticket opens any number of checkouts")
	}

	c.at = c.at.Add(calmTime - time.Second)
	if !g.Attack().On {
		t.Error("it disarmed too early")
	}
	c.at = c.at.Add(2 * time.Minute)
	if a := g.Attack(); a.On || a.Until.IsZero() || g.Zeros() != 0 || len(told) != 2 {
		t.Errorf("calm again: %+v", a)
	}
}

func TestRefusedPaymentsArm(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		failed, paid int
		armed        bool
	}{
		"a usual day":           {30, 200, false},
		"few failures":          {14, 0, false},
		"a thief":               {15, 2, true},
		"a thief among readers": {150, 100, true},
		"many, but most pay":    {149, 100, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newGuard(t, newClock(), nil)
			for range tt.paid {
				g.Heard(Payment{})
			}
			for range tt.failed {
				g.Heard(Payment{Refused: true})
			}
			if a := g.Attack(); a.On != tt.armed {
				t.Errorf("%+v", a)
			}
		})
	}
}

// TestABusyDayIsNoAttack: what is usual grows with the readers.
func TestABusyDayIsNoAttack(t *testing.T) {
	t.Parallel()
	c := newClock()
	g := newGuard(t, c, nil)
	for m := range 180 { // from 5 to 60 gifts a minute in three hours
		for range 5 + 55*m/180 {
			ticket := g.Ticket()
			c.at = c.at.Add(time.Second)
			v := g.Judge(t.Context(), Try{Network: fmt.Sprintf("net %d", rand.IntN(5000)), Ticket: ticket})
			if a := g.Attack(); !v.Pass || a.On {
				t.Fatalf("minute %d: %+v, %+v", m, v, a)
			}
			c.at = c.at.Add(-time.Second)
		}
		c.at = c.at.Add(time.Minute)
	}
}

// TestCardTesting plays a run of 100,000 attempts from 5,000 addresses in ten
// minutes, among 200 genuine readers: at most one in two hundred attempts comes
// through to Stripe, and every reader does.
func TestCardTesting(t *testing.T) {
	t.Parallel()
	const (
		attempts, addresses, readers = 100_000, 5_000, 200
		span                         = 10 * time.Minute
		most                         = attempts / 200
	)
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	c := newClock()
	g := newGuard(t, c, nil)
	start := c.at
	type failure struct{ at time.Time }
	var failing []failure // payments that the bank is about to refuse
	through, given, retried := 0, 0, 0
	hoard := g.Ticket() // tickets fetched before, to have the patience of a reader without scripts
	give := make(map[int]bool)
	for len(give) < readers {
		give[random.IntN(attempts)] = true
	}
	for i := range attempts {
		c.at = start.Add(time.Duration(i) * span / attempts)
		for len(failing) > 0 && !failing[0].at.After(c.at) {
			g.Heard(Payment{Refused: true})
			failing = failing[1:]
		}
		try := Try{Network: "thief " + strconv.Itoa(random.IntN(addresses))}
		switch kind := random.IntN(10); {
		case kind < 6: // straight at the API
		case kind < 9: // with the form's ticket, at once or without a proof
			try.Ticket, try.Work = hoard, strconv.Itoa(i)
		default: // with a ticket of its own
			try.Ticket = g.ticketAt(c.at.Add(-2 * patientTime))
		}
		if i%7 == 0 {
			hoard = g.ticketAt(c.at.Add(-2 * time.Second))
		}
		if g.Judge(t.Context(), try).Pass {
			through++
			failing = append(failing, failure{c.at.Add(3 * time.Second)})
		}
		if give[i] {
			// A reader's form asked for no proof if it was opened before the attack.
			ticket, zeros := g.ticketAt(c.at.Add(-8*time.Second)), 0
			if i > attempts/100 {
				zeros = g.Zeros()
			}
			reader := Try{Network: "reader " + strconv.Itoa(i), Ticket: ticket}
			if zeros > 0 {
				reader.Work = solve(t, ticket, zeros)
			}
			v := g.Judge(t.Context(), reader)
			if !v.Pass && v.Zeros > 0 { // the page comes back with the task, and they press again
				retried++
				reader.Work = solve(t, ticket, v.Zeros)
				v = g.Judge(t.Context(), reader)
			}
			if v.Pass {
				given++
				g.Heard(Payment{})
			}
		}
	}
	t.Logf("%d of %d attempts came through; %d of %d readers gave, %d of them at the second press", through, attempts, given, readers, retried)
	if through > most || given != readers {
		t.Errorf("want at most %d, and all readers", most)
	}
}

// TestReplicasShareWhatTheySee: each of three sees too little to be alarmed.
func TestReplicasShareWhatTheySee(t *testing.T) {
	t.Parallel()
	c := newClock()
	var guards []*Guard
	client, err := redisdb.Open(testenv.Redis(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	for range 3 {
		guards = append(guards, newGuard(t, c, func(o *Options) { o.Redis = client }))
	}
	share := func() {
		t.Helper()
		for range 2 {
			for _, g := range guards {
				if err := g.share(t.Context(), kept); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	share()
	for i := range 40 * len(guards) {
		guards[i%3].Judge(t.Context(), Try{Network: "net " + strconv.Itoa(i)})
	}
	if slices.ContainsFunc(guards, func(g *Guard) bool { return g.Attack().On }) {
		t.Fatal("one alone is alarmed by 40 attempts")
	}
	share()
	for i, g := range guards {
		if a := g.Attack(); !a.On || a.Sums.Tries != 120 {
			t.Errorf("replica %d: %+v; want it on, by 120 attempts", i, a)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := guards[0].Run(ctx); err != nil {
		t.Error(err)
	}
}
