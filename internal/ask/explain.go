package ask

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/united24media/support/internal/i18n"
)

// An explanation is the answer of GET /v1/ask/explain: what an ask shows, and
// every decision on the way there.
type explanation struct {
	At         time.Time                `json:"at"`
	Article    string                   `json:"article"`
	Lang       string                   `json:"lang"` // what is shown
	Currency   string                   `json:"currency"`
	Placements map[string]placeVerdicts `json:"placements"`
}

type placeVerdicts struct {
	Level    Level     `json:"level"`
	Schedule []phase   `json:"schedule"`
	Verdicts []verdict `json:"verdicts"`
}

// A verdict is one decision, and what would make it another.
type verdict struct {
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

func (s *Service) explain(q question) explanation {
	now, lang := s.now().UTC().Truncate(time.Second), language(q.lang)
	e := explanation{
		At: now, Article: q.article, Lang: lang, Currency: s.currencyFor(q.country, lang), Placements: map[string]placeVerdicts{},
	}
	asked := placements
	if q.placement != "" {
		asked = []string{q.placement}
	}
	policies := s.policies.load()
	for _, placement := range asked {
		p := placeVerdicts{Schedule: policies.schedule(q, lang, placement)}
		p.Level = at(p.Schedule, now)
		p.Verdicts = append(p.Verdicts, policies.explainSwitch(), policies.explainSensitivity(q), explainLanguage(q.lang, lang))
		p.Verdicts = append(p.Verdicts, policies.explainRules(q, lang, placement, now)...)
		p.Verdicts = append(p.Verdicts, policies.explainExperiment(placement, now)...)
		p.Verdicts = append(p.Verdicts, onDevice...)
		if policies.off {
			p.Level, p.Schedule = None, []phase{{nil, None}}
		}
		e.Placements[placement] = p
	}
	return e
}

// onDevice is what the reader's device decides, which the service never knows.
var onDevice = []verdict{
	{"seen mid", "on the device", "once the ask at mid is seen, the one at end is quiet", "open the page anew, and go to the end first"},
	{"hidden by the reader", "on the device", "a reader who hid an ask sees quiet ones for 30 days", "the reader's own undo, or clearing the site's data"},
	{"seen often, or gave", "on the device", "with storage=\"allowed\", after 4 loud asks in 30 days and for 90 days after giving an ask is quiet", "the attribute storage, or clearing the site's data"},
}

func (p *policies) explainSwitch() verdict {
	if p.off {
		return verdict{"switch of all asks", "decides", "staff turned all asks off", "support asks on"}
	}
	return verdict{"switch of all asks", "passes", "asks are on", "support asks off"}
}

func (p *policies) explainSensitivity(q question) verdict {
	const rule = "sensitivity of the article"
	if q.sensitivity == "" {
		return verdict{rule, "passes", "the page names none", "the attribute sensitivity, such as casualties"}
	}
	_, own := p.Sensitive[q.sensitivity]
	_, builtIn := sensitive[q.sensitivity]
	if !own && !builtIn {
		return verdict{rule, "limits", fmt.Sprintf("%q is no type that is known, so nothing shows", q.sensitivity), "one of " + strings.Join(p.sensitivities(), ", ")}
	}
	level := p.sensitivity(q)
	if level == Normal {
		return verdict{rule, "passes", q.sensitivity + " shows as usual", ""}
	}
	return verdict{rule, "limits", fmt.Sprintf("%s shows %s at most", q.sensitivity, level), "another type of sensitivity, or the policy's list of them"}
}

// sensitivities returns all types that are known, sorted.
func (p *policies) sensitivities() []string {
	var kinds []string
	for kind := range sensitive {
		kinds = append(kinds, kind)
	}
	for kind := range p.Sensitive {
		if !slices.Contains(kinds, kind) {
			kinds = append(kinds, kind)
		}
	}
	slices.Sort(kinds)
	return kinds
}

func explainLanguage(asked, shown string) verdict {
	const rule = "language"
	switch _, ours := i18n.Match(asked); {
	case asked == "":
		return verdict{rule, "passes", "none was given, so it is English", "the attribute lang"}
	case !ours:
		return verdict{rule, "passes", "we do not speak " + asked + ", so it is English", "one of " + strings.Join(i18n.Languages(), ", ")}
	}
	return verdict{rule, "passes", "it is " + shown, ""}
}

func (p *policies) explainExperiment(placement string, now time.Time) []verdict {
	x := p.experiment(placement, now)
	if x == nil {
		return nil
	}
	if x.Stopped != "" {
		return []verdict{{"experiment " + x.ID, "decides", "it is stopped, and everybody gets " + x.Stopped, "its entry in the policy"}}
	}
	var names []string
	for _, v := range x.Variants {
		names = append(names, v.Name)
	}
	return []verdict{{"experiment " + x.ID, "on the device", "each device gets one of " + strings.Join(names, ", "), "u24-variant=" + names[0] + " in the page's address, which is not counted"}}
}

func (p *policies) explainRules(q question, lang, placement string, now time.Time) []verdict {
	var verdicts []verdict
	decided := false
	for i := range p.Rules {
		r := &p.Rules[i]
		v := verdict{Rule: "rule " + r.Name}
		switch m := r.misses(q, lang, placement); {
		case decided:
			v.Verdict, v.Because = "is not reached", "a rule before it decides"
		case m != nil:
			v.Verdict, v.Because, v.Change = "does not apply", m.because, m.change
		case !r.from.IsZero() && now.Before(r.from):
			v.Verdict, v.Because, v.Change = "does not apply", "it begins later", "the time "+r.from.UTC().Format(time.RFC3339)
		case !r.applies(now):
			v.Verdict, v.Because, v.Change = "does not apply", "it ended at "+r.until.UTC().Format(time.RFC3339), "a later end"
		default:
			decided = true
			v.Verdict, v.Because, v.Change = "decides", "it shows "+string(r.Show), "a rule of a higher priority"
		}
		verdicts = append(verdicts, v)
	}
	if !decided {
		verdicts = append(verdicts, verdict{"where no rule decides", "decides", "it shows normal", "a rule that applies"})
	}
	return verdicts
}
