package reports

import (
	"context"
	"time"
)

// When an experiment may be ended: with fewer gifts, or a smaller probability,
// the next week may well say otherwise.
const (
	enoughGifts   = 100     // kept, of all variants
	enoughDays    = 7       // whole weeks, since readers differ by weekday
	enoughChance  = 950_000 // millionths
	noChance      = 10_000  // millionths: below it a variant can be dropped
	smallestShare = 10      // kept gifts a variant needs before it may be called the better one
)

// A Verdict says whether an experiment can be ended.
type Verdict string

// The verdicts, by the stop rule: at least a week, at least a hundred gifts in
// all and ten for the winner, and 95 in a hundred that it is the best.
const (
	TooEarly  Verdict = "too_early" // a week or a hundred gifts are not there yet
	GoOn      Verdict = "go_on"     // nothing is likely enough
	HasWinner Verdict = "winner"
)

// An ExperimentQuery asks how variants do.
type ExperimentQuery struct {
	From, To  time.Time // days, as in [Query]
	Variants  []string  // by name, as reports have them; the first is the control
	Placement string    // "" is all
}

// An Outcome is how an experiment stands.
type Outcome struct {
	Variants []VariantOutcome // in the query's order
	Verdict  Verdict
	Best     string // the variant most likely the best; "" without any that was seen
	Days     int64  // of the period so far
}

// A VariantOutcome is how one variant stands.
type VariantOutcome struct {
	Funnel
	Best     int64 // probability that it is the best of all, in millionths
	Better   int64 // probability that it is better than the first one, in millionths; 0 for that one
	Hopeless bool  // so unlikely to be the best that it can be dropped
}

// Experiment answers q: which variant makes more readers give, and keeps them.
func (s *Service) Experiment(ctx context.Context, q ExperimentQuery) (Outcome, error) {
	found, err := s.funnels(ctx, "variant", q.Variants, q.Placement, q.From, q.To)
	if err != nil {
		return Outcome{}, err
	}
	until := s.Today()
	if q.To.Before(until) {
		until = q.To
	}
	return outcomeOf(found, max(0, int64(until.Sub(q.From)/(24*time.Hour)))), nil
}

func outcomeOf(found []Funnel, days int64) Outcome {
	out := Outcome{Verdict: TooEarly, Days: days}
	var trials []trial
	seen, kept := int64(0), int64(0)
	for _, f := range found {
		trials = append(trials, trial{f.Kept, f.Seen})
		seen += f.Seen
		kept += f.Kept
	}
	chances := best(trials)
	top := -1
	for i, f := range found {
		v := VariantOutcome{Funnel: f, Best: chances[i]}
		if i > 0 {
			v.Better = best([]trial{trials[0], trials[i]})[1]
		}
		out.Variants = append(out.Variants, v)
		if top < 0 || chances[i] > chances[top] {
			top = i
		}
	}
	if top < 0 || seen == 0 {
		return out
	}
	out.Best = found[top].Key
	if days < enoughDays || kept < enoughGifts {
		return out
	}
	out.Verdict = GoOn
	for i := range out.Variants {
		out.Variants[i].Hopeless = chances[i] < noChance
	}
	if chances[top] >= enoughChance && found[top].Kept >= smallestShare {
		out.Verdict = HasWinner
	}
	return out
}
