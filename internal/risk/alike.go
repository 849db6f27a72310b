package risk

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
	"golang.org/x/net/publicsuffix"

	"github.com/united24media/support/internal/limits"
)

// How payments that have something in common are looked at. A thief with an
// address for each attempt still has a script, which types one amount over and
// over, or mail addresses at one domain.
const (
	alikeSlot   = 5 * time.Minute
	alikeSlots  = 12    // an hour
	alikeNew    = 2     // slots in which a refusal is a sign that it still goes on
	alikeShare  = 75    // percent refused, from which on what they have in common is suspect
	alikeMost   = 2_000 // different ones remembered of a slot
	alikeShared = "support:alike:v1:"
	alikeKept   = 2 * time.Hour
)

// A Payment is what Stripe said of one of ours: it was taken, or the bank
// refused it.
type Payment struct {
	Refused  bool
	Currency string // ISO 4217, in any case
	Minor    int64  // minor units
	Email    string // of who pays; "" where nobody knows
}

// A tally is how payments that have something in common ended.
type tally struct{ refused, paid int64 }

func (t tally) plus(o tally) tally { return tally{t.refused + o.refused, t.paid + o.paid} }

// A window holds the tallies of the last hour, slot by slot.
type window [alikeSlots]struct {
	at int64 // which slot it is
	of map[string]tally
}

func slotOf(t time.Time) int64 { return t.UnixNano() / int64(alikeSlot) }

// in returns the tallies of a slot, emptied if they were of an earlier one.
func (w *window) in(at int64) map[string]tally {
	slot := &w[at%alikeSlots]
	if slot.at != at || slot.of == nil {
		slot.at, slot.of = at, map[string]tally{}
	}
	return slot.of
}

// last returns how payments that have key in common ended in so many slots
// until at.
func (w *window) last(key string, at, slots int64) (total tally) {
	for ; slots > 0; slots, at = slots-1, at-1 {
		if slot := &w[at%alikeSlots]; slot.at == at {
			total = total.plus(slot.of[key])
		}
	}
	return total
}

// put adds t to the tally of key, unless there are too many already.
func put(of map[string]tally, key string, t tally) {
	if _, known := of[key]; known || len(of) < alikeMost {
		of[key] = of[key].plus(t)
	}
}

// Kinds of what payments have in common, with whose letter a key of theirs begins.
const (
	sameAmount = "a"
	sameDomain = "d"
)

// amount returns what payments of an amount that nobody suggests have in common;
// "" for other amounts, which say nothing.
func (g *Guard) amount(currency string, minor int64) string {
	currency = strings.ToUpper(currency)
	if minor <= 0 || g.Suggested != nil && g.Suggested(currency, minor) {
		return ""
	}
	return sameAmount + currency + " " + strconv.FormatInt(minor, 10)
}

// domain returns what payments from the domain of an address have in common, as
// it was registered: who owns one has any number of names below it.
func domain(email string) string {
	domain := strings.ToLower(strings.TrimRight(email[strings.LastIndexByte(email, '@')+1:], ". "))
	if domain == "" || len(domain) == len(email) {
		return ""
	}
	if registered, err := publicsuffix.EffectiveTLDPlusOne(domain); err == nil {
		domain = registered
	}
	return sameDomain + domain
}

// keys returns the keys under which what payments have in common is counted;
// none for "". They tell nothing to who can read Redis, and nothing lasting to
// who also has last week's: each day has its own. For the first hour of a day
// yesterday's goes on being counted too, until today's has a whole hour.
func (g *Guard) keys(common string) (keys []string) {
	if common == "" {
		return nil
	}
	now := g.Now().UTC()
	today, before := now.Format(time.DateOnly), now.Add(-alikeSlots*alikeSlot).Format(time.DateOnly)
	keys = append(keys, g.hide(today, common))
	if before != today {
		keys = append(keys, g.hide(before, common))
	}
	return keys
}

func (g *Guard) hide(day, common string) string {
	mac := hmac.New(sha256.New, g.Secrets[0])
	fmt.Fprintf(mac, "alike\x00%s\x00%s", day, common)
	return common[:1] + base64.RawURLEncoding.EncodeToString(mac.Sum(nil)[:12])
}

// Heard counts what Stripe said of a payment of ours.
func (g *Guard) Heard(p Payment) {
	seen, t := Sums{Paid: 1}, tally{paid: 1}
	if p.Refused {
		seen, t = Sums{Failed: 1}, tally{refused: 1}
	}
	g.count(seen)
	keys := append(g.keys(g.amount(p.Currency, p.Minor)), g.keys(domain(p.Email))...)
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, key := range keys {
		put(g.alike.in(slotOf(g.Now())), key, t)
		put(g.unsharedAlike, key, t)
		g.weigh(key)
	}
}

// weigh notes whether what payments have in common is suspect: most of them
// were refused. A large mail provider's customers are in it only where most of
// all their payments are.
func (g *Guard) weigh(key string) {
	now := slotOf(g.Now())
	of, more := &g.alike, tally{}
	if g.fresh() {
		of, more = &g.allAlike, g.unsharedAlike[key]
	}
	t := of.last(key, now, alikeSlots).plus(more)
	if t.refused >= g.Marks.Alike && t.refused*100 >= alikeShare*(t.refused+t.paid) {
		g.suspects[key] = suspect{t, of.last(key, now, alikeNew).plus(more).refused > 0}
		return
	}
	delete(g.suspects, key)
}

// A suspect is something that payments have in common, most of which were
// refused.
type suspect struct {
	tally
	lasts bool // some were refused just now
}

// alikeSign says what payments that thieves try have in common; "" where
// nothing is known.
func (g *Guard) alikeSign() (why string) {
	worst := int64(0)
	for key := range g.suspects {
		g.weigh(key)
		s, still := g.suspects[key]
		if !still || !s.lasts || s.refused < worst {
			continue
		}
		worst, why = s.refused, "%d of %d payments of one amount, which nobody suggests, were refused in an hour"
		if strings.HasPrefix(key, sameDomain) {
			why = "%d of %d payments from addresses of one mail domain were refused in an hour"
		}
		why = fmt.Sprintf(why, s.refused, s.refused+s.paid)
	}
	return why
}

// allowAmount bounds in all how often a suspect amount is let through, whatever
// addresses the attempts come from.
func (g *Guard) allowAmount(ctx context.Context, t Try) Verdict {
	amount := g.amount(t.Currency, t.Minor)
	suspect := false
	keys := g.keys(amount)
	g.mu.Lock()
	for _, key := range keys {
		_, is := g.suspects[key]
		suspect = suspect || is
	}
	g.mu.Unlock()
	if !suspect {
		return Verdict{Pass: true}
	}
	ok, wait := g.Limiter.Allow(ctx, limits.Odd, amount)
	return Verdict{Pass: ok, Wait: wait, Amount: !ok}
}

// tellAlike adds to a pipeline what this process heard since the last time, and
// the question of what all replicas did in the last slots; learn reads the
// answer once it is there.
func (g *Guard) tellAlike(ctx context.Context, pipe redis.Pipeliner, mine map[string]tally, slots int64) (learn func()) {
	now := slotOf(g.Now())
	for key, t := range mine {
		for field, n := range map[string]int64{key + ":r": t.refused, key + ":p": t.paid} {
			if n != 0 {
				pipe.HIncrBy(ctx, alikeAt(now), field, n)
			}
		}
	}
	if len(mine) > 0 {
		pipe.Expire(ctx, alikeAt(now), alikeKept)
	}
	answers := map[int64]*redis.MapStringStringCmd{}
	for at := now - slots + 1; at <= now; at++ {
		answers[at] = pipe.HGetAll(ctx, alikeAt(at))
	}
	return func() {
		for at, answer := range answers {
			of := g.allAlike.in(at)
			clear(of)
			for field, text := range answer.Val() {
				n, _ := strconv.ParseInt(text, 10, 64) // what is no number is 0
				key, refused := strings.CutSuffix(field, ":r")
				if refused {
					put(of, key, tally{refused: n})
				} else if key, paid := strings.CutSuffix(field, ":p"); paid {
					put(of, key, tally{paid: n})
				}
			}
			for key := range of {
				g.weigh(key)
			}
		}
	}
}

func alikeAt(slot int64) string { return alikeShared + strconv.FormatInt(slot, 10) }
