package ask

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/united24media/support/internal/ask/embed/bundle"
	"github.com/united24media/support/internal/i18n"
	"github.com/united24media/support/internal/policy"
	"github.com/united24media/support/internal/testenv/chromium"
)

// A schema is internal/policy/schema.json: everything that staff can say of where
// and to whom asks show. The embed's policy.ts is made of it.
type schema struct {
	Levels      []policy.Level
	Placements  []string
	Attributes  []string
	Targets     map[string]aim
	Sensitivity map[string]policy.Level
}

// An aim is one kind of value that a rule includes or excludes.
type aim struct {
	Attribute string   // of the element, which says it of the page
	List      bool     // the page says several
	Values    []string // all there are, or examples with every sign that is allowed
	Pattern   string   // of values, in place of a list of them
}

// all returns the values of an aim that are tried.
func (g aim) all() []string {
	if g.Pattern == "" {
		return g.Values
	}
	var codes []string
	for a := 'A'; a <= 'Z'; a++ {
		for b := 'A'; b <= 'Z'; b++ {
			codes = append(codes, string([]rune{a, b}))
		}
	}
	return codes
}

func readSchema(t *testing.T) schema {
	t.Helper()
	data, err := os.ReadFile("../policy/schema.json")
	if err != nil {
		t.Fatal(err)
	}
	var s schema
	if err := json.Unmarshal(data, &s); err != nil {
		t.Fatal(err)
	}
	return s
}

// TestSchemaIsWhatStaffCanChoose keeps the schema to the policy's own words.
func TestSchemaIsWhatStaffCanChoose(t *testing.T) {
	t.Parallel()
	s := readSchema(t)
	if !slices.Equal(s.Levels, policy.Levels()) || !slices.Equal(s.Placements, policy.Placements()) {
		t.Errorf("levels %v and placements %v are not the policy's", s.Levels, s.Placements)
	}
	if kinds := slices.Sorted(maps.Keys(s.Sensitivity)); !slices.Equal(kinds, new(policy.Policy).Sensitivities()) {
		t.Errorf("types of sensitivity are %v", kinds)
	}
	for kind, level := range s.Sensitivity {
		if built, _ := policy.BuiltIn(kind); built != level {
			t.Errorf("%s shows %s, not %s", kind, built, level)
		}
	}
	var targets []string
	for _, field := range reflect.VisibleFields(reflect.TypeFor[policy.Rule]()) {
		if field.Type == reflect.TypeFor[policy.Targets]() {
			name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
			targets = append(targets, name)
		}
	}
	if slices.Sort(targets); !slices.Equal(targets, slices.Sorted(maps.Keys(s.Targets))) {
		t.Errorf("a rule is about %v", targets)
	}
	if !slices.Equal(s.Targets["languages"].Values, i18n.Languages()) {
		t.Errorf("languages are %v", i18n.Languages())
	}
	for name, g := range s.Targets {
		if !slices.Contains(s.Attributes, g.Attribute) {
			t.Errorf("no attribute says the %s of a page", name)
		}
		if g.Pattern != "" && !regexp.MustCompile(g.Pattern).MatchString(g.all()[0]) {
			t.Errorf("%s: %s does not fit", name, g.all()[0])
		}
	}
}

// A targeting is a policy, a page and a moment, and how an ask must show there.
type targeting struct {
	name       string
	policy     string
	attributes map[string]string
	placement  string
	at         time.Time
	want       policy.Level
}

// cases makes all of them from the schema.
func (s schema) cases(t *testing.T) []targeting {
	t.Helper()
	var all []targeting
	add := func(c targeting, attributes ...string) {
		c.attributes = map[string]string{"article": "an-article"}
		for pair := range slices.Chunk(attributes, 2) {
			c.attributes[pair[0]] = pair[1]
		}
		if c.placement == "" {
			c.placement = policy.Mid
		}
		if c.at.IsZero() {
			c.at = start
		}
		all = append(all, c)
	}
	for _, name := range slices.Sorted(maps.Keys(s.Targets)) {
		g := s.Targets[name]
		values := g.all()
		for i, value := range values {
			show, other := s.Levels[i%2], values[(i+1)%len(values)]
			including := fmt.Sprintf(`{"rules":[{"name":"x","show":%q,%q:{"include":[%q]}}]}`, show, name, value)
			excluding := strings.Replace(including, "include", "exclude", 1)
			add(targeting{name: "included", policy: including, want: show}, g.Attribute, value)
			add(targeting{name: "not included", policy: including, want: policy.Normal}, g.Attribute, other)
			add(targeting{name: "excluded", policy: excluding, want: policy.Normal}, g.Attribute, value)
			add(targeting{name: "not excluded", policy: excluding, want: show}, g.Attribute, other)
			if g.List {
				add(targeting{name: "among several", policy: including, want: show}, g.Attribute, other+", "+value)
				add(targeting{name: "excluded among several", policy: excluding, want: policy.Normal}, g.Attribute, other+","+value)
			}
			if g.Attribute != "article" && g.Attribute != "lang" { // these two are never unknown
				add(targeting{name: "unknown", policy: including, want: policy.Normal})
				add(targeting{name: "unknown, so not excluded", policy: excluding, want: show})
			}
		}
	}
	for _, rule := range s.Levels {
		for _, placement := range s.Placements {
			only := fmt.Sprintf(`{"rules":[{"name":"x","show":%q,"placements":[%q]}]}`, rule, placement)
			for _, at := range s.Placements {
				want := policy.Normal
				if at == placement {
					want = rule
				}
				add(targeting{name: "placement", policy: only, placement: at, want: want})
			}
		}
		everywhere := fmt.Sprintf(`{"rules":[{"name":"x","show":%q}],"sensitive":{"obituary":"quiet"}}`, rule)
		lesser := func(a, b policy.Level) policy.Level {
			return s.Levels[min(slices.Index(s.Levels, a), slices.Index(s.Levels, b))]
		}
		for kind, most := range s.Sensitivity {
			add(targeting{name: "sensitivity", policy: everywhere, want: lesser(rule, most)}, "sensitivity", kind)
		}
		add(targeting{name: "staff's sensitivity", policy: everywhere, want: lesser(rule, policy.Quiet)}, "sensitivity", "Obituary")
		add(targeting{name: "unknown sensitivity", policy: everywhere, want: policy.None}, "sensitivity", "no such thing")
		add(targeting{name: "no sensitivity", policy: everywhere, want: rule})
		for _, zone := range []string{"", "UTC", "Europe/Kyiv", "America/St_Johns", "Asia/Tokyo"} {
			where, err := time.LoadLocation(zone)
			if err != nil {
				t.Fatal(err)
			}
			from, until := time.Date(2026, 11, 23, 22, 0, 0, 0, where), time.Date(2026, 12, 1, 6, 30, 0, 0, where)
			for _, ends := range []string{`"from":"2026-11-23T22:00",`, `"until":"2026-12-01T06:30",`, `"from":"2026-11-23T22:00","until":"2026-12-01T06:30",`} {
				timed := fmt.Sprintf(`{"rules":[{"name":"x","priority":2,"show":%q,%s"time_zone":%q},{"name":"below","show":"quiet"}]}`, rule, ends, zone)
				for _, at := range []time.Time{from.Add(-time.Second), from, until.Add(-time.Second), until} {
					want := rule
					if at.Before(from) && strings.Contains(ends, "from") || !at.Before(until) && strings.Contains(ends, "until") {
						want = policy.Quiet
					}
					add(targeting{name: "schedule in " + zone, policy: timed, at: at, want: want})
				}
			}
		}
	}
	return all
}

// TestTargetingIsTheSameInGoAndTypeScript goes each case's whole way: the device
// makes the question of the element's attributes, the service answers an hour or
// a month before the moment, and the device decides at it; what Go says of that
// moment must be the same, and what the schema says.
func TestTargetingIsTheSameInGoAndTypeScript(t *testing.T) {
	t.Parallel()
	module, err := bundle.Module("embed/src", "testing.ts", "embed")
	if err != nil {
		t.Fatal(err)
	}
	f := serveSite(t, map[string]http.HandlerFunc{"/page": func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprintf(w, `<!doctype html><title>x</title><link rel=icon href=data:,><script>%s</script>`, module)
	}})
	b := chromium.New(t, 390, 800)
	b.Open(f.URL + "/page")
	cases := readSchema(t).cases(t)
	pages := make([]map[string]string, len(cases))
	for i, c := range cases {
		pages[i] = c.attributes
	}
	questions := chromium.Eval[[]string](b, encoded(t, pages)+`.map((attributes) => {
		const element = document.createElement("u24-support")
		for (const name in attributes) element.setAttribute(name, attributes[name])
		return String(embed.question(element))
	})`)
	said, err := f.newVocabulary(&policy.State{}, i18n.Languages()...)
	if err != nil {
		t.Fatal(err)
	}
	type asked struct {
		Placed *placed `json:"placed"`
		At     int64   `json:"at"` // milliseconds since 1970
	}
	answers := make([]asked, len(cases))
	for i, c := range cases {
		p, err := policy.Parse([]byte(c.policy))
		if err != nil {
			t.Fatalf("%s: %v", c.policy, err)
		}
		q, err := readQuestion(questions[i])
		if err != nil {
			t.Fatalf("%s: %v", questions[i], err)
		}
		if got := policy.At(p.Schedule(q.page(language(q.lang)), c.placement), c.at); got != c.want {
			t.Errorf("%s: Go shows %s under %s to %s at %s, want %s", c.name, got, c.policy, questions[i], c.at, c.want)
		}
		made := c.at.Add([]time.Duration{-time.Hour, -30 * 24 * time.Hour}[i%2])
		s := &Service{policies: policy.Fixed(p), signer: f.signer, now: func() time.Time { return made }}
		there, _ := s.place(q, placements, said.words[language(q.lang)])
		answers[i] = asked{there[c.placement], c.at.UnixMilli()}
	}
	got := chromium.Eval[[]policy.Level](b, encoded(t, answers)+`.map(({ placed, at }) => placed ? embed.levelAt(placed, at) : "none")`)
	for i, c := range cases {
		if got[i] != c.want {
			t.Errorf("%s: TypeScript shows %q under %s to %s at %s, want %s", c.name, got[i], c.policy, questions[i], c.at, c.want)
		}
	}
	t.Logf("%d cases", len(cases))
}

func encoded(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
