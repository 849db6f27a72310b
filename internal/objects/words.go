package objects

import (
	"maps"
	"reflect"
	"slices"

	"github.com/go-json-experiment/json/jsontext"
)

// Words are metadata: words of ours under names of ours. They read and write
// their own JSON, which of every object is read most, many times faster than by
// reflection.
type Words map[string]string

// MarshalJSONTo implements json.MarshalerTo, in the order of names.
func (w Words) MarshalJSONTo(out *jsontext.Encoder) error {
	if err := out.WriteToken(jsontext.BeginObject); err != nil {
		return err
	}
	names := slices.AppendSeq(make([]string, 0, len(w)), maps.Keys(w))
	slices.Sort(names)
	for _, name := range names {
		if err := out.WriteToken(jsontext.String(name)); err != nil {
			return err
		}
		if err := out.WriteToken(jsontext.String(w[name])); err != nil {
			return err
		}
	}
	return out.WriteToken(jsontext.EndObject)
}

// UnmarshalJSONFrom implements json.UnmarshalerFrom.
func (w *Words) UnmarshalJSONFrom(in *jsontext.Decoder) error {
	r := readers.Get().(*reader)
	defer r.done()
	r.in = in
	return r.metadata(w)
}

// ownWords is how many words of ours an object of ours has at most.
const ownWords = 12

func (r *reader) metadata(w *Words) error {
	token, err := r.in.ReadToken()
	if err != nil {
		return err
	}
	*w = nil
	switch token.Kind() {
	case 'n':
		return nil
	case '{':
	default:
		return r.wrong(token.Kind(), reflect.TypeFor[Words](), nil)
	}
	words := Words{}
	if r.in.PeekKind() == '"' {
		words = make(Words, ownWords)
	}
	for r.in.PeekKind() != '}' {
		name, err := r.in.ReadValue()
		if err != nil {
			return err
		}
		key := r.word(name)
		value, err := r.in.ReadValue()
		if err != nil {
			return err
		}
		switch value.Kind() {
		case '"':
			words[key] = r.word(value)
		case 'n':
			words[key] = ""
		default:
			return r.wrong(value.Kind(), reflect.TypeFor[string](), nil)
		}
	}
	*w = words
	_, err = r.in.ReadToken()
	return err
}
