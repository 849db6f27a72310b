package ask

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/united24media/support/internal/i18n"
	"github.com/united24media/support/internal/policy"
)

// An Explanation is the answer of GET /v1/ask/explain: what an ask shows, and
// every decision on the way there.
type Explanation struct {
	At         time.Time                `json:"at"`
	Article    string                   `json:"article"`
	Lang       string                   `json:"lang"` // what is shown
	Currency   string                   `json:"currency"`
	Placements map[string]PlaceVerdicts `json:"placements"`
}

// PlaceVerdicts is what was decided for one placement.
type PlaceVerdicts struct {
	Level    policy.Level   `json:"level"`
	Schedule []policy.Phase `json:"schedule"`
	Verdicts []Verdict      `json:"verdicts"`
}

// A Verdict is one decision, and what would make it another.
type Verdict struct {
	Rule    string `json:"rule"`
	Verdict string `json:"verdict"` // passes, decides, limits, does not apply or is not reached
	Because string `json:"because"`
	Change  string `json:"would_change,omitempty"`
}

// Explain handles GET /v1/ask/explain, which takes the parameters of
// GET /v1/ask: why an ask shows, or does not, now.
func (s *Service) Explain(c *gin.Context) error {
	q, err := readQuestion(c.Request.URL.RawQuery)
	if err != nil {
		return err
	}
	body, err := marshal(s.explain(q))
	if err != nil {
		return err
	}
	h := c.Writer.Header()
	h.Set("Content-Type", "application/json; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	c.Writer.WriteHeader(http.StatusOK)
	c.Writer.Write(body) //nolint:errcheck // the reader went away
	return nil
}

func (s *Service) explain(q question) Explanation {
	now, lang := s.now().UTC().Truncate(time.Second), language(q.lang)
	e := Explanation{
		At: now, Article: q.article, Lang: lang, Currency: s.currencyFor(q.country, lang), Placements: map[string]PlaceVerdicts{},
	}
	asked := placements
	if q.placement != "" {
		asked = []string{q.placement}
	}
	policies := s.policies.State()
	for _, placement := range asked {
		p := PlaceVerdicts{Schedule: policies.Schedule(q.page(lang), placement)}
		p.Level = policy.At(p.Schedule, now)
		p.Verdicts = append(p.Verdicts, explainSwitch(policies), explainSensitivity(policies, q), explainLanguage(q.lang, lang))
		p.Verdicts = append(p.Verdicts, explainRules(policies, q.page(lang), placement, now)...)
		p.Verdicts = append(p.Verdicts, explainExperiment(policies, placement, now)...)
		p.Verdicts = append(p.Verdicts, onDevice...)
		if policies.Off {
			p.Level, p.Schedule = policy.None, []policy.Phase{{Show: policy.None}}
		}
		e.Placements[placement] = p
	}
	return e
}

// onDevice is what the reader's device decides, which the service never knows.
var onDevice = []Verdict{
	{"seen mid", "on the device", "once the ask at mid is seen, the one at end is quiet", "open the page anew, and go to the end first"},
	{"hidden by the reader", "on the device", "a reader who hid an ask sees quiet ones for 30 days", "the reader's own undo, or clearing the site's data"},
	{"seen often, or gave", "on the device", "with storage=\"allowed\", after 4 loud asks in 30 days and for 90 days after giving an ask is quiet", "the attribute storage, or clearing the site's data"},
}

func explainSwitch(p *policy.State) Verdict {
	if p.Off {
		return Verdict{"switch of all asks", "decides", "staff turned all asks off", "support asks on"}
	}
	return Verdict{"switch of all asks", "passes", "asks are on", "support asks off"}
}

func explainSensitivity(p *policy.State, q question) Verdict {
	const rule = "sensitivity of the article"
	if q.sensitivity == "" {
		return Verdict{rule, "passes", "the page names none", "the attribute sensitivity, such as casualties"}
	}
	if !slices.Contains(p.Sensitivities(), q.sensitivity) {
		return Verdict{rule, "limits", fmt.Sprintf("%q is no type that is known, so nothing shows", q.sensitivity), "one of " + strings.Join(p.Sensitivities(), ", ")}
	}
	level := p.Sensitivity(q.sensitivity)
	if level == policy.Normal {
		return Verdict{rule, "passes", q.sensitivity + " shows as usual", ""}
	}
	return Verdict{rule, "limits", fmt.Sprintf("%s shows %s at most", q.sensitivity, level), "another type of sensitivity, or the policy's list of them"}
}

func explainLanguage(asked, shown string) Verdict {
	const rule = "language"
	switch _, ours := i18n.Match(asked); {
	case asked == "":
		return Verdict{rule, "passes", "none was given, so it is English", "the attribute lang"}
	case !ours:
		return Verdict{rule, "passes", "we do not speak " + asked + ", so it is English", "one of " + strings.Join(i18n.Languages(), ", ")}
	}
	return Verdict{rule, "passes", "it is " + shown, ""}
}

func explainExperiment(p *policy.State, placement string, now time.Time) []Verdict {
	x := p.Experiment(placement, now)
	if x == nil {
		return nil
	}
	if x.Stopped != "" {
		return []Verdict{{"experiment " + x.ID, "decides", "it is stopped, and everybody gets " + x.Stopped, "its entry in the policy"}}
	}
	var names []string
	for _, v := range x.Variants {
		names = append(names, v.Name)
	}
	return []Verdict{{"experiment " + x.ID, "on the device", "each device gets one of " + strings.Join(names, ", "), "u24-variant=" + names[0] + " in the page's address, which is not counted"}}
}

func explainRules(p *policy.State, page policy.Page, placement string, now time.Time) []Verdict {
	var verdicts []Verdict
	decided := false
	for i := range p.Rules {
		r := &p.Rules[i]
		v := Verdict{Rule: "rule " + r.Name}
		switch m := r.Misses(page, placement); {
		case decided:
			v.Verdict, v.Because = "is not reached", "a rule before it decides"
		case m != nil:
			v.Verdict, v.Because, v.Change = "does not apply", m.Because, m.Change
		case now.Before(r.Begins()):
			v.Verdict, v.Because, v.Change = "does not apply", "it begins later", "the time "+r.Begins().UTC().Format(time.RFC3339)
		case !r.Applies(now):
			v.Verdict, v.Because, v.Change = "does not apply", "it ended at "+r.Ends().UTC().Format(time.RFC3339), "a later end"
		default:
			decided = true
			v.Verdict, v.Because, v.Change = "decides", "it shows "+string(r.Show), "a rule of a higher priority"
		}
		verdicts = append(verdicts, v)
	}
	if !decided {
		verdicts = append(verdicts, Verdict{"where no rule decides", "decides", "it shows normal", "a rule that applies"})
	}
	return verdicts
}
