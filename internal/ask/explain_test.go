package ask

import (
	"strings"
	"testing"

	"github.com/united24media/support/internal/policy"
)

func TestExplainSaysWhatWouldChange(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.facts[policy.KindAsks] = `{"rules":[
		{"name":"sport","show":"none","sections":{"include":["sport"]}},
		{"name":"advent","show":"quiet","from":"2026-12-01T00:00"},
		{"name":"spring","show":"quiet","until":"2026-05-01T00:00"},
		{"name":"end","show":"quiet","placements":["end"]},
		{"name":"rest","show":"normal"}],
		"experiments":[{"id":"x","placements":["mid"],"variants":[{"name":"a","weight":1},{"name":"b","weight":1}]}]}`
	if err := b.policies.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	verdicts := func(query, placement string) string {
		v := decode(t, get(t, b.Explain, "/v1/ask/explain?article=a"+query))
		lines := []string{"level " + dig(v, "placements", placement, "level").(string)}
		for _, one := range dig(v, "placements", placement, "verdicts").([]any) {
			change, _ := dig(one, "would_change").(string)
			lines = append(lines, dig(one, "rule").(string)+" | "+dig(one, "verdict").(string)+" | "+dig(one, "because").(string)+" | "+change)
		}
		return strings.Join(lines, "\n")
	}
	for name, tt := range map[string]struct{ query, placement, line string }{
		"the level":            {"", policy.Mid, "level normal"},
		"of the other":         {"", policy.End, "level quiet"},
		"another section":      {"&section=war", policy.Mid, "rule sport | does not apply | it is for some of each section, and war is not among them | a section of sport"},
		"its section":          {"&section=sport", policy.Mid, "rule sport | decides | it shows none | a rule of a higher priority"},
		"not reached":          {"&section=sport", policy.Mid, "rule rest | is not reached | a rule before it decides | "},
		"too early":            {"", policy.Mid, "rule advent | does not apply | it begins later | the time 2026-12-01T00:00:00Z"},
		"too late":             {"", policy.Mid, "rule spring | does not apply | it ended at 2026-05-01T00:00:00Z | a later end"},
		"another placement":    {"", policy.Mid, "rule end | does not apply | it is not for mid | a placement of end"},
		"an unknown type":      {"&sensitivity=sad", policy.Mid, `sensitivity of the article | limits | "sad" is no type that is known, so nothing shows`},
		"a language not ours":  {"&lang=ru", policy.Mid, "language | passes | we do not speak ru, so it is English"},
		"the switch":           {"", policy.Mid, "switch of all asks | passes | asks are on | support asks off"},
		"an experiment":        {"", policy.Mid, "experiment x | on the device | each device gets one of a, b | u24-variant=a"},
		"what the device does": {"", policy.End, "seen mid | on the device"},
	} {
		if got := verdicts(tt.query, tt.placement); !strings.Contains(got, tt.line) {
			t.Errorf("%s: no %q in\n%s", name, tt.line, got)
		}
	}
}
