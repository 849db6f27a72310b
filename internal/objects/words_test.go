package objects

import (
	"maps"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"pgregory.net/rapid"
)

// UnmarshalJSONFrom is how json.Unmarshal, with which the tests compare, reads
// metadata: of two, the last one holds as a whole.
func (w *Words) UnmarshalJSONFrom(in *jsontext.Decoder) error {
	*w = nil
	return json.UnmarshalDecode(in, (*map[string]string)(w))
}

type worded struct {
	Metadata Words `json:"metadata"`
}

func readWords(text string, w *Words) error {
	object := worded{*w}
	err := readInto(&object, []byte(`{"metadata":`+text+`}`))
	*w = object.Metadata
	return err
}

func TestWordsAreAMapInJSON(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		plain := rapid.MapOf(rapid.String(), rapid.String()).Draw(t, "metadata")
		text, err := json.Marshal(plain)
		if err != nil {
			t.Fatal(err)
		}
		var back Words
		if err := readWords(string(text), &back); err != nil || !maps.Equal(back, plain) {
			t.Fatalf("%s is read as %v: %v", text, back, err)
		}
	})
}

func TestWordsThatAreNone(t *testing.T) {
	t.Parallel()
	for text, should := range map[string]Words{`null`: nil, `{}`: {}, `{"a":null}`: {"a": ""}, `{"a":"b","a":"c"}`: {"a": "c"}} {
		is := Words{"left": "over"}
		if err := readWords(text, &is); err != nil || !maps.Equal(is, should) {
			t.Errorf("%s is read as %v: %v", text, is, err)
		}
	}
	for _, text := range []string{`[]`, `"a"`, `{"a":1}`, `{"a":{"b":"c"}}`, `{"a":[]}`, `{"a"`} {
		if err := readWords(text, new(Words)); err == nil {
			t.Errorf("%s is taken for metadata", text)
		}
	}
}
