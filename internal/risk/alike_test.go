package risk

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/united24media/support/internal/redisdb"
	"github.com/united24media/support/internal/testenv"
)

// suggested are the amounts that readers of these tests are asked for.
func suggested(o *Options) {
	o.Suggested = func(currency string, minor int64) bool {
		return currency == "EUR" && slices.Contains([]int64{500, 1000, 2500, 5000}, minor)
	}
}

// hear tells of payments: so many refused, so many taken.
func hear(g *Guard, p Payment, refused, paid int) {
	for range paid {
		g.Heard(p)
	}
	p.Refused = true
	for range refused {
		g.Heard(p)
	}
}

// TestWhatPaymentsHaveInCommon: among many readers who give, so that most
// payments succeed, a thief's are told by what they have in common; large mail
// providers and usual amounts are not suspected for the sake of a few.
func TestWhatPaymentsHaveInCommon(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		tell  func(g *Guard)
		armed string // what is said of it; "" for no attack
		odd   bool   // 3.37 euros are suspect
	}{
		"one odd amount":                  {func(g *Guard) { hear(g, Payment{Currency: "eur", Minor: 337}, 12, 0) }, "12 of 12 payments of one amount", true},
		"few of one odd amount":           {func(g *Guard) { hear(g, Payment{Currency: "eur", Minor: 337}, 11, 0) }, "", false},
		"an odd amount that readers like": {func(g *Guard) { hear(g, Payment{Currency: "eur", Minor: 337}, 30, 11) }, "", false},
		"an amount that is asked for":     {func(g *Guard) { hear(g, Payment{Currency: "eur", Minor: 500}, 40, 0) }, "", false},
		"odd amounts, each another": {func(g *Guard) {
			for i := range 40 {
				hear(g, Payment{Currency: "eur", Minor: int64(301 + i)}, 1, 0)
			}
		}, "", false},
		"one amount in two currencies": {func(g *Guard) {
			hear(g, Payment{Currency: "eur", Minor: 337}, 6, 0)
			hear(g, Payment{Currency: "usd", Minor: 337}, 6, 0)
		}, "", false},
		"one domain": {func(g *Guard) {
			for i := range 14 {
				hear(g, Payment{Currency: "eur", Minor: 1000, Email: fmt.Sprintf("%d@Mail%d.thief.co.uk", i, i)}, 1, 0)
			}
		}, "14 of 14 payments from addresses of one mail domain", false},
		"a large provider, with thieves in it": {func(g *Guard) {
			hear(g, Payment{Currency: "eur", Minor: 1000, Email: "reader@gmail.com"}, 0, 60)
			hear(g, Payment{Currency: "eur", Minor: 1000, Email: "thief@gmail.com"}, 100, 0)
		}, "", false},
		"a large provider, with little else in it": {func(g *Guard) {
			hear(g, Payment{Currency: "eur", Minor: 1000, Email: "reader@gmail.com"}, 0, 60)
			hear(g, Payment{Currency: "eur", Minor: 1000, Email: "thief@gmail.com"}, 180, 0)
		}, "180 of 240 payments from addresses of one mail domain", false},
		"no address": {func(g *Guard) { hear(g, Payment{Currency: "eur", Minor: 1000, Email: "x"}, 40, 0) }, "", false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newClock()
			g := newGuard(t, c, suggested)
			hear(g, Payment{Currency: "eur", Minor: 1000, Email: "x@readers.example"}, 0, 200)
			tt.tell(g)
			if a := g.Attack(); a.On != (tt.armed != "") || !strings.HasPrefix(a.Why, tt.armed) {
				t.Errorf("%+v; want %q", a, tt.armed)
			}
			passed := 0
			for i := range 20 {
				ticket := g.ticketAt(c.at.Add(-8 * time.Second))
				try := Try{Network: strconv.Itoa(i), Ticket: ticket, Work: solve(t, ticket, g.Zeros()), Currency: "EUR", Minor: 337}
				v := g.Judge(t.Context(), try)
				if v.Pass {
					passed++
				} else if !v.Amount || v.Wait <= 0 {
					t.Fatalf("it is not said that the amount is why: %+v", v)
				}
				try.Minor = 338
				if v := g.Judge(t.Context(), try); !v.Pass {
					t.Fatalf("another amount: %+v", v)
				}
			}
			if (passed < 20) != tt.odd || passed == 0 {
				t.Errorf("%d of 20 who give 3.37 pass", passed)
			}
		})
	}
}

// TestSuspicionEnds: an hour after the last refusal nobody is suspected.
func TestSuspicionEnds(t *testing.T) {
	t.Parallel()
	c := newClock()
	g := newGuard(t, c, suggested)
	hear(g, Payment{Currency: "eur", Minor: 337}, 40, 0)
	try := func() Verdict {
		ticket := g.ticketAt(c.at.Add(-8 * time.Second))
		return g.Judge(t.Context(), Try{Network: "reader", Ticket: ticket, Work: solve(t, ticket, g.Zeros()), Currency: "EUR", Minor: 337})
	}
	for try().Pass {
	}
	c.at = c.at.Add(25 * time.Minute)
	if a := g.Attack(); a.On {
		t.Errorf("25 minutes after the last sign: %+v", a)
	}
	for range 2 {
		if !try().Pass {
			t.Error("a suspect amount is locked out, and not only made rare")
		}
	}
	c.at = c.at.Add(time.Hour)
	for range 12 {
		if v := try(); !v.Pass {
			t.Fatalf("an hour later: %+v", v)
		}
	}
}

// TestMidnight: the hour in which payments are looked at goes on over midnight,
// where the keys that hide what they have in common change, and no further; in
// one process, and in one that only hears of the payments from another.
func TestMidnight(t *testing.T) {
	t.Parallel()
	midnight := time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC)
	thief := Payment{Currency: "eur", Minor: 337, Email: "x@thief.example"}
	for name, shared := range map[string]bool{"one process": false, "through Redis": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newClock()
			hears := newGuard(t, c, suggested)
			told := hears
			if shared {
				client, err := redisdb.Open(testenv.Redis(t))
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { client.Close() })
				both := func(o *Options) { suggested(o); o.Redis = client }
				hears, told = newGuard(t, c, both), newGuard(t, c, both)
			}
			at := func(when time.Duration, refused int) (sign string, suspect bool) {
				c.at = midnight.Add(when)
				hear(hears, thief, refused, 0)
				if shared {
					share(t, hears)
					share(t, told)
				}
				told.mu.Lock()
				defer told.mu.Unlock()
				sign = told.alikeSign()
				for _, key := range told.keys(told.amount("EUR", 337)) {
					_, is := told.suspects[key]
					suspect = suspect || is
				}
				return sign, suspect
			}
			for _, step := range []struct {
				at      time.Duration
				refused int
				sign    string // beginning of what is said
				suspect bool
			}{
				{-30 * time.Minute, 3, "", false},
				{-4 * time.Minute, 6, "", false},
				{5 * time.Minute, 3, "12 of 12", true},
				{40 * time.Minute, 9, "18 of 18", true},
				{62 * time.Minute, 0, "", true}, // of 12 in the hour, none was just now
				{63 * time.Minute, 1, "13 of 13", true},
				{101 * time.Minute, 1, "", false}, // those of 0:40 are over
				{130 * time.Minute, 0, "", false},
			} {
				if sign, suspect := at(step.at, step.refused); !strings.HasPrefix(sign, step.sign) || step.sign == "" && sign != "" || suspect != step.suspect {
					t.Errorf("at %v: %q, suspect %v; want %q, %v", step.at, sign, suspect, step.sign, step.suspect)
				}
			}
		})
	}
}

func share(t *testing.T, g *Guard) {
	t.Helper()
	if err := g.share(t.Context(), 3); err != nil {
		t.Fatal(err)
	}
}

// TestSpreadCardTesting plays 100,000 attempts, each from an address of its own
// with a form of its own, which is too slow and too well hidden among readers
// for what looks at the number of attempts and at all payments together; once
// as it is, and once, with a tenth of them, without the windows over what
// payments have in common.
func TestSpreadCardTesting(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		every   time.Duration // between attempts
		readers float64       // for each attempt
		proves  bool          // the thief does the work that is asked for
		payment func(i int) Payment
	}{
		"one amount, with proofs": {800 * time.Millisecond, 0.002, true, func(i int) Payment {
			return Payment{Currency: "eur", Minor: 137, Email: fmt.Sprintf("%d@mail%d.example", i, i)}
		}},
		"one domain, among twice as many readers": {8 * time.Second, 2, false, func(i int) Payment {
			return Payment{Currency: "eur", Minor: []int64{500, 1000, 2500}[i%3], Email: fmt.Sprintf("%d@thief.example", i)}
		}},
	}
	for name, tt := range tests {
		for _, windows := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, windows %v", name, windows), func(t *testing.T) {
				t.Parallel()
				c, attempts := newClock(), 100_000
				if raceDetector { // which takes ten times as long
					attempts = 20_000
				}
				g := newGuard(t, c, func(o *Options) {
					suggested(o)
					o.Marks.Zeros = 3
					if !windows {
						o.Marks.Alike, attempts = 1<<60, attempts/10
					}
				})
				random := rand.New(rand.NewPCG(1, 2))
				through, given, readers := 0, 0, 0
				var due []func() // what banks say, a few attempts later
				try := func(network string, p Payment, proves bool) bool {
					ticket := g.ticketAt(c.at.Add(-8 * time.Second))
					try := Try{Network: network, Ticket: ticket, Currency: p.Currency, Minor: p.Minor}
					if zeros := g.Zeros(); zeros > 0 && proves {
						try.Work = solve(t, ticket, zeros)
					}
					return g.Judge(t.Context(), try).Pass
				}
				for i := range attempts {
					c.at = c.at.Add(tt.every)
					if len(due) > 3 {
						due[0]()
						due = due[1:]
					}
					for range int(tt.readers + random.Float64()) {
						readers++
						p := Payment{Currency: "eur", Minor: []int64{500, 1000, 2500, 700, 1200}[random.IntN(5)], Email: "reader@gmail.com"}
						if try("reader "+strconv.Itoa(readers), p, true) {
							given++
							g.Heard(p)
						}
					}
					p := tt.payment(i)
					if try("thief "+strconv.Itoa(i), p, tt.proves) {
						through++
						p.Refused = true
						due = append(due, func() { g.Heard(p) })
					}
				}
				t.Logf("%d of %d attempts came through; %d of %d readers gave; armed: %q", through, attempts, given, readers, g.Attack().Why)
				if given != readers {
					t.Errorf("%d readers did not come through", readers-given)
				}
				if windows && through > attempts/200 || !windows && through < attempts/2 {
					t.Errorf("%d came through", through)
				}
			})
		}
	}
}

// TestReplicasShareWhatPaymentsHaveInCommon: each of three hears of too few,
// and what they share says neither the domain nor the amount.
func TestReplicasShareWhatPaymentsHaveInCommon(t *testing.T) {
	t.Parallel()
	c := newClock()
	client, err := redisdb.Open(testenv.Redis(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	var guards []*Guard
	for range 3 {
		guards = append(guards, newGuard(t, c, func(o *Options) { suggested(o); o.Redis = client }))
	}
	shareAll := func() {
		t.Helper()
		for range 2 {
			for _, g := range guards {
				share(t, g)
			}
		}
	}
	shareAll()
	hear(guards[0], Payment{Currency: "eur", Minor: 1000, Email: "x@readers.example"}, 0, 200)
	for i := range 3 {
		hear(guards[i], Payment{Currency: "eur", Minor: 1000, Email: "somebody@thief.example"}, 5, 0)
		hear(guards[i], Payment{Currency: "eur", Minor: 1000, Email: "b@mixed.example"}, 5, 5)
	}
	if slices.ContainsFunc(guards, func(g *Guard) bool { return g.Attack().On }) {
		t.Fatal("one alone is alarmed by five")
	}
	shareAll()
	late := newGuard(t, c, func(o *Options) { suggested(o); o.Redis = client })
	if err := late.share(t.Context(), kept); err != nil {
		t.Fatal(err)
	}
	for i, g := range append(guards, late) {
		if a := g.Attack(); !a.On || !strings.HasPrefix(a.Why, "15 of 15 payments from addresses") {
			t.Errorf("replica %d: %+v", i, a)
		}
	}
	keys, err := client.Keys(t.Context(), alikeShared+"*").Result()
	if err != nil || len(keys) == 0 {
		t.Fatal(keys, err)
	}
	for _, key := range keys {
		held, err := client.HGetAll(t.Context(), key).Result()
		if text := fmt.Sprint(held); err != nil || strings.Contains(text, "thief") || strings.Contains(text, "somebody") || strings.Contains(text, "example") {
			t.Errorf("Redis holds %v, %v", text, err)
		}
		if left := client.TTL(t.Context(), key).Val(); left <= 0 || left > alikeKept {
			t.Errorf("%s stays for %v", key, left)
		}
	}
}

// TestAlikeIsBounded: nobody fills the memory by giving each payment a domain of
// its own.
func TestAlikeIsBounded(t *testing.T) {
	t.Parallel()
	g := newGuard(t, newClock(), nil)
	for i := range 2 * alikeMost {
		g.Heard(Payment{Refused: true, Currency: "eur", Minor: int64(i + 1), Email: fmt.Sprintf("a@b%d.example", i)})
	}
	if held, unshared := len(g.alike.in(slotOf(g.Now()))), len(g.unsharedAlike); held > alikeMost || unshared > alikeMost {
		t.Errorf("%d are held, %d wait to be shared", held, unshared)
	}
}
