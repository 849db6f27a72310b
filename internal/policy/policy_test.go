package policy

import (
	"slices"
	"strings"
	"testing"
	"time"
)

func TestParseRefuses(t *testing.T) {
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
			if _, err := Parse([]byte(tt.policy)); err == nil || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("got %v, want an error about %q", err, tt.says)
			}
		})
	}
}

func parsed(t *testing.T, policy string) *Policy {
	t.Helper()
	p, err := Parse([]byte(policy))
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
		page := func(value string) Page {
			q := Page{Article: "x", Lang: "pl"}
			switch field {
			case "articles":
				q.Article = value
			case "sections":
				q.Section = value
			case "tags":
				q.Tags = []string{"other", value}
			case "languages":
				q.Lang = value
			case "countries":
				q.Country = value
			}
			return q
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
				if got := p.Schedule(page(tt.value), Mid)[0].Show; got != tt.want {
					t.Errorf("%q: %s, want %s", tt.value, got, tt.want)
				}
			})
		}
	}
}

func TestPriorityThenOrder(t *testing.T) {
	t.Parallel()
	p := parsed(t, `{"rules":[{"name":"low","show":"none"},{"name":"high","priority":5,"show":"quiet","placements":["end"]},{"name":"later","priority":5,"show":"normal"}]}`)
	if got := p.Schedule(Page{Article: "a", Lang: "en"}, End)[0].Show; got != Quiet {
		t.Errorf("end is %s, want quiet", got)
	}
	if got := p.Schedule(Page{Article: "a", Lang: "en"}, Mid)[0].Show; got != Normal {
		t.Errorf("mid is %s, want normal", got)
	}
}

func TestScheduleFollowsTheClocksOfItsZone(t *testing.T) {
	t.Parallel()
	p := parsed(t, `{"rules":[
		{"name":"night","priority":2,"show":"none","from":"2026-12-01T22:00","until":"2026-12-02T06:00","time_zone":"Europe/Kyiv"},
		{"name":"week","priority":1,"show":"quiet","from":"2026-12-01T00:00","until":"2026-12-08T00:00","time_zone":"Europe/Kyiv"}]}`)
	var got []string
	schedule := p.Schedule(Page{Article: "a", Lang: "en"}, Mid)
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
		if got := At(schedule, now); got != want {
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
		if got := p.Schedule(Page{Article: "a", Lang: "en", Sensitivity: kind}, Mid)[0].Show; got != want {
			t.Errorf("%q: %s, want %s", kind, got, want)
		}
	}
}

func TestParseExperimentRefuses(t *testing.T) {
	t.Parallel()
	with := func(fields, variants string) string {
		return `{"experiments":[{"id":"x"` + fields + `,"variants":[{"name":"a","weight":1},` + variants + `]}]}`
	}
	for name, tt := range map[string]struct{ policy, says string }{
		"no id":                 {`{"experiments":[{"variants":[{"name":"a","weight":1},{"name":"b","weight":1}]}]}`, "id"},
		"one variant":           {`{"experiments":[{"id":"x","variants":[{"name":"a","weight":1}]}]}`, "2 to 10"},
		"one name twice":        {with("", `{"name":"a","weight":1}`), "two variants"},
		"no weight":             {with("", `{"name":"b"}`), "weigh"},
		"no name":               {with("", `{"weight":1}`), "name"},
		"an unknown level":      {with("", `{"name":"b","weight":1,"show":"loud"}`), "none, quiet or normal"},
		"an unknown language":   {with("", `{"name":"b","weight":1,"texts":{"ru":{}}}`), "languages"},
		"an unknown placement":  {with("", `{"name":"b","weight":1,"texts":{"en":{"top":{}}}}`), "placement"},
		"a long text":           {with("", `{"name":"b","weight":1,"texts":{"en":{"mid":{"lead":"`+strings.Repeat("x", 161)+`"}}}}`), "160"},
		"stopped at none of it": {with(`,"stopped":"c"`, `{"name":"b","weight":1}`), "stopped"},
		"ends first":            {with(`,"from":"2026-12-02T00:00","until":"2026-12-01T00:00"`, `{"name":"b","weight":1}`), "ends before"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := Parse([]byte(tt.policy)); err == nil || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("got %v, want an error about %q", err, tt.says)
			}
		})
	}
}
