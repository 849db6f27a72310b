package policy

import (
	"encoding/json"
	"reflect"
	"testing"
)

const whole = `{
	"texts":{"uk":{"mid":{"lead":"Ми поруч.","action":"Підтримати"}}},
	"amounts":{"EUR":{"once":{"amounts":[1000,2500],"default":2500}}},
	"rules":[{"name":"night","priority":2,"show":"quiet","placements":["mid"],"articles":{"include":["a"]},"sections":{"exclude":["b"]},
		"tags":{"include":["c"]},"languages":{"include":["uk"]},"countries":{"exclude":["DE"]},"from":"2026-12-01T00:00","until":"2026-12-02T00:00","time_zone":"Europe/Kyiv"},
		{"name":"rest","show":"normal"}],
	"sensitive":{"obituary":"none"},
	"experiments":[{"id":"x","placements":["end"],"stopped":"b","variants":[{"name":"a","weight":1},{"name":"b","weight":2,"show":"quiet","texts":{"en":{"end":{"rest":"Stay."}}}}]}]}`

func TestDiff(t *testing.T) {
	t.Parallel()
	before := parsed(t, `{"texts":{"uk":{"mid":{"lead":"Ми з вами."}}},"rules":[{"name":"old","show":"none"}]}`)
	got := Diff(*before, *parsed(t, `{"texts":{"uk":{"mid":{"lead":"Ми поруч."}}},"amounts":{"EUR":{"once":{"amounts":[1000,2500],"default":2500}}},"rules":[{"name":"new","show":"quiet"}]}`))
	want := []Change{
		{"Texts, Українська, mid, opening", "Ми з вами.", "Ми поруч."},
		{"Amounts, EUR, once", "", "10.00, 25.00 (first) EUR"},
		{"Rule “new”", "", "shows quiet"},
		{"Rule “old”", "shows none", ""},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("Diff() = %q, want %q", got, want)
	}
	if same := Diff(*before, *before); len(same) > 0 {
		t.Errorf("a policy differs from itself: %q", same)
	}
}

// TestDiffMissesNothing takes each value of a whole policy away or changes it:
// whatever JSON can say, the diff must tell.
func TestDiffMissesNothing(t *testing.T) {
	t.Parallel()
	full := parsed(t, whole)
	var tree map[string]any
	if err := json.Unmarshal([]byte(whole), &tree); err != nil {
		t.Fatal(err)
	}
	tried := 0
	var walk func(node any, put func(any))
	check := func(path any) {
		data, err := json.Marshal(tree)
		if err != nil {
			t.Fatal(err)
		}
		changed, err := Parse(data)
		if err != nil {
			return // not a policy any more
		}
		tried++
		if a, b := mustJSON(t, changed), mustJSON(t, *full); a != b && len(Diff(*full, changed)) == 0 {
			t.Errorf("without %v nothing differs: %s", path, a)
		}
	}
	walk = func(node any, put func(any)) {
		switch v := node.(type) {
		case map[string]any:
			for key, child := range v {
				delete(v, key)
				check(key)
				v[key] = child
				walk(child, func(other any) { v[key] = other })
			}
		case []any:
			put([]any{})
			check(v)
			put(v)
			for i, child := range v {
				walk(child, func(other any) { v[i] = other })
			}
		case float64:
			put(v + 1)
			check(v)
			put(v)
		}
	}
	walk(tree, func(any) {})
	if tried < 20 {
		t.Errorf("only %d changes were tried", tried)
	}
}

func mustJSON(t *testing.T, p Policy) string {
	t.Helper()
	data, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
