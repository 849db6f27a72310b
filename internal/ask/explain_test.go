package ask

import (
	"strings"
	"testing"
)

func TestExplainSaysWhatWouldChange(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.facts[FactPolicy] = `{"rules":[
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
		"the level":            {"", Mid, "level normal"},
		"of the other":         {"", End, "level quiet"},
		"another section":      {"&section=war", Mid, "rule sport | does not apply | it is for some of each section, and war is not among them | a section of sport"},
		"its section":          {"&section=sport", Mid, "rule sport | decides | it shows none | a rule of a higher priority"},
		"not reached":          {"&section=sport", Mid, "rule rest | is not reached | a rule before it decides | "},
		"too early":            {"", Mid, "rule advent | does not apply | it begins later | the time 2026-12-01T00:00:00Z"},
		"too late":             {"", Mid, "rule spring | does not apply | it ended at 2026-05-01T00:00:00Z | a later end"},
		"another placement":    {"", Mid, "rule end | does not apply | it is not for mid | a placement of end"},
		"an unknown type":      {"&sensitivity=sad", Mid, `sensitivity of the article | limits | "sad" is no type that is known, so nothing shows`},
		"a language not ours":  {"&lang=ru", Mid, "language | passes | we do not speak ru, so it is English"},
		"the switch":           {"", Mid, "switch of all asks | passes | asks are on | support asks off"},
		"an experiment":        {"", Mid, "experiment x | on the device | each device gets one of a, b | u24-variant=a"},
		"what the device does": {"", End, "seen mid | on the device"},
	} {
		if got := verdicts(tt.query, tt.placement); !strings.Contains(got, tt.line) {
			t.Errorf("%s: no %q in\n%s", name, tt.line, got)
		}
	}
}
