package ask

import (
	"slices"
	"strings"
	"testing"
	"time"
)

func TestParsePolicyRefuses(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ policy, says string }{
		"no name":              {`{"rules":[{"show":"none"}]}`, "name"},
		"no level":             {`{"rules":[{"name":"a"}]}`, "none, quiet or normal"},
		"a misspelt field":     {`{"rules":[{"name":"a","show":"none","section":["war"]}]}`, "section"},
		"an unknown placement": {`{"rules":[{"name":"a","show":"none","placements":["top"]}]}`, "placement"},
		"a country in words":   {`{"rules":[{"name":"a","show":"none","countries":{"include":["de"]}}]}`, "country"},
		"no such time zone":    {`{"rules":[{"name":"a","show":"none","time_zone":"Kyiv"}]}`, "time zone"},
		"a day as a time":      {`{"rules":[{"name":"a","show":"none","from":"2026-12-01"}]}`, "time such as"},
		"ends first":           {`{"rules":[{"name":"a","show":"none","from":"2026-12-02T00:00","until":"2026-12-01T00:00"}]}`, "ends before"},
		"one name twice":       {`{"rules":[{"name":"a","show":"none"},{"name":"a","show":"quiet"}]}`, "two rules"},
		"an unknown level":     {`{"sensitive":{"funeral":"off"}}`, "funeral"},
		"two documents":        {`{}{}`, "follows"},
		"too long":             {strings.Repeat(" ", maxPolicy+1), "longer"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := ParsePolicy([]byte(tt.policy)); err == nil || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("got %v, want an error about %q", err, tt.says)
			}
		})
	}
}

func parsed(t *testing.T, policy string) *Policy {
	t.Helper()
	p, err := ParsePolicy([]byte(policy))
	if err != nil {
		t.Fatal(err)
	}
	return &p
}

// TestRulesFit looks at each thing that a rule can be for: given, not given,
// left out, and another.
func TestRulesFit(t *testing.T) {
	t.Parallel()
	for field, values := range map[string][2]string{
		"articles": {"a", "b"}, "sections": {"war", "sport"}, "tags": {"army", "film"}, "languages": {"uk", "en"}, "countries": {"UA", "DE"},
	} {
		ask := func(value string) (question, string) {
			q, lang := question{article: "x"}, "pl"
			switch field {
			case "articles":
				q.article = value
			case "sections":
				q.section = value
			case "tags":
				q.tags = []string{"other", value}
			case "languages":
				lang = value
			case "countries":
				q.country = value
			}
			return q, lang
		}
		for _, tt := range []struct {
			name, targets, value string
			want                 Level
		}{
			{"included", `{"include":["V"]}`, values[0], None},
			{"another", `{"include":["V"]}`, values[1], Normal},
			{"unknown", `{"include":["V"]}`, "", Normal},
			{"left out", `{"exclude":["V"]}`, values[0], Normal},
			{"not left out", `{"exclude":["V"]}`, values[1], None},
			{"left out wins", `{"include":["V"],"exclude":["V"]}`, values[0], Normal},
		} {
			t.Run(field+" "+tt.name, func(t *testing.T) {
				t.Parallel()
				p := parsed(t, `{"rules":[{"name":"r","show":"none","`+field+`":`+strings.ReplaceAll(tt.targets, "V", values[0])+`}]}`)
				q, lang := ask(tt.value)
				if got := p.schedule(q, lang, Mid)[0].Show; got != tt.want {
					t.Errorf("%q: %s, want %s", tt.value, got, tt.want)
				}
			})
		}
	}
}

func TestPriorityThenOrder(t *testing.T) {
	t.Parallel()
	p := parsed(t, `{"rules":[{"name":"low","show":"none"},{"name":"high","priority":5,"show":"quiet","placements":["end"]},{"name":"later","priority":5,"show":"normal"}]}`)
	if got := p.schedule(question{article: "a"}, "en", End)[0].Show; got != Quiet {
		t.Errorf("end is %s, want quiet", got)
	}
	if got := p.schedule(question{article: "a"}, "en", Mid)[0].Show; got != Normal {
		t.Errorf("mid is %s, want normal", got)
	}
}

func TestScheduleFollowsTheClocksOfItsZone(t *testing.T) {
	t.Parallel()
	p := parsed(t, `{"rules":[
		{"name":"night","priority":2,"show":"none","from":"2026-12-01T22:00","until":"2026-12-02T06:00","time_zone":"Europe/Kyiv"},
		{"name":"week","priority":1,"show":"quiet","from":"2026-12-01T00:00","until":"2026-12-08T00:00","time_zone":"Europe/Kyiv"}]}`)
	var got []string
	schedule := p.schedule(question{article: "a"}, "en", Mid)
	for _, phase := range schedule {
		from := "always"
		if phase.From != nil {
			from = phase.From.Format(time.RFC3339)
		}
		got = append(got, from+" "+string(phase.Show))
	}
	want := []string{"always normal", "2026-11-30T22:00:00Z quiet", "2026-12-01T20:00:00Z none", "2026-12-02T04:00:00Z quiet", "2026-12-07T22:00:00Z normal"}
	if !slices.Equal(got, want) {
		t.Errorf("the schedule is %q, want %q", got, want)
	}
	for moment, want := range map[string]Level{"2026-11-30T21:59:59Z": Normal, "2026-11-30T22:00:00Z": Quiet, "2026-12-02T03:59:59Z": None, "2027-01-01T00:00:00Z": Normal} {
		now, err := time.Parse(time.RFC3339, moment)
		if err != nil {
			t.Fatal(err)
		}
		if got := at(schedule, now); got != want {
			t.Errorf("at %s: %s, want %s", moment, got, want)
		}
	}
}

func TestSensitivity(t *testing.T) {
	t.Parallel()
	p := parsed(t, `{"rules":[{"name":"loud","show":"normal"}],"sensitive":{"breaking":"none","obituary":"quiet"}}`)
	for kind, want := range map[string]Level{
		"": Normal, "none": Normal, "casualties": None, "funeral": None, "attack": None, "trauma": Quiet,
		"breaking": None, "obituary": Quiet, "sensitiv": None, "true": None,
	} {
		if got := p.schedule(question{article: "a", sensitivity: kind}, "en", Mid)[0].Show; got != want {
			t.Errorf("%q: %s, want %s", kind, got, want)
		}
	}
}

func TestSwitchAndPolicyReachTheAnswer(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	ask := func(query string) map[string]any { return decode(t, get(t, b.Ask, "/v1/ask?article=a"+query)) }
	put := func(name, value string) error {
		b.facts[name] = value
		return b.policies.Refresh(t.Context())
	}
	if v := ask(""); v["show"] != true || dig(v, "placements", "mid", "level") != "normal" {
		t.Errorf("at first: %v", v["show"])
	}
	if err := put(FactAsks, AsksOff); err != nil {
		t.Fatal(err)
	}
	if v := ask(""); v["show"] != false || v["reason"] != "asks_off" || v["placements"] != nil || v["token"] != nil {
		t.Errorf("turned off: %v", v)
	}
	if err := put(FactAsks, ""); err != nil {
		t.Fatal(err)
	}
	if v := ask("&sensitivity=Funeral"); v["show"] != false || v["reason"] != "sensitive" {
		t.Errorf("a funeral: %v", v)
	}
	if err := put(FactPolicy, `{"rules":[{"name":"later","show":"none","placements":["mid"],"from":"2026-11-23T10:00"}]}`); err != nil {
		t.Fatal(err)
	}
	if v := ask("&placement=mid"); v["show"] != true || v["level"] != "normal" || len(v["schedule"].([]any)) != 2 {
		t.Errorf("before its time: %v %v %v", v["show"], v["level"], v["schedule"])
	}
	b.clock.Add(1800)
	if v := ask("&placement=mid"); v["show"] != false || v["reason"] != "policy" || v["level"] != "none" {
		t.Errorf("in its time: %v %v", v["show"], v["level"])
	}
	if v := ask(""); v["show"] != true || dig(v, "placements", "end", "level") != "normal" {
		t.Errorf("the other placement: %v", v["show"])
	}
	if err := put(FactPolicy, `{"rules":`); err == nil {
		t.Error("a broken policy was taken")
	}
	if v := ask("&placement=mid"); v["show"] != false {
		t.Error("a broken policy replaced the one before")
	}
}
