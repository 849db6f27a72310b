package objects

import (
	"maps"
	"testing"

	"github.com/go-json-experiment/json"
	"pgregory.net/rapid"
)

func TestWordsAreAMapInJSON(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		plain := rapid.MapOf(rapid.String(), rapid.String()).Draw(t, "metadata")
		should, err := json.Marshal(plain, json.Deterministic(true))
		if err != nil {
			t.Fatal(err)
		}
		if is, err := json.Marshal(Words(plain)); err != nil || string(is) != string(should) {
			t.Fatalf("written as %s, not as %s", is, should)
		}
		var back Words
		if err := json.Unmarshal(should, &back, lenient); err != nil || !maps.Equal(back, plain) {
			t.Fatalf("read back as %v: %v", back, err)
		}
	})
}

func TestWordsThatAreNone(t *testing.T) {
	t.Parallel()
	for text, should := range map[string]Words{`null`: nil, `{}`: {}, `{"a":null}`: {"a": ""}, `{"a":"b","a":"c"}`: {"a": "c"}} {
		is := Words{"left": "over"}
		if err := json.Unmarshal([]byte(text), &is, lenient); err != nil || !maps.Equal(is, should) {
			t.Errorf("%s is read as %v: %v", text, is, err)
		}
	}
	for _, text := range []string{`[]`, `"a"`, `{"a":1}`, `{"a":{"b":"c"}}`, `{"a":[]}`, `{"a"`} {
		if err := json.Unmarshal([]byte(text), new(Words), lenient); err == nil {
			t.Errorf("%s is taken for metadata", text)
		}
	}
}
