package objects

import (
	"fmt"
	"maps"
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
	token, err := in.ReadToken()
	if err != nil || token.Kind() == 'n' {
		*w = nil
		return err
	}
	if token.Kind() != '{' {
		return fmt.Errorf("metadata is %s, not an object", token.Kind())
	}
	*w = Words{}
	for in.PeekKind() != '}' {
		name, err := in.ReadToken()
		if err != nil {
			return err
		}
		key := name.String()
		value, err := in.ReadToken()
		if err != nil {
			return err
		}
		switch value.Kind() {
		case '"':
			(*w)[key] = value.String()
		case 'n':
			(*w)[key] = ""
		default:
			return fmt.Errorf("the value of metadata's %s is %s, not a text", key, value.Kind())
		}
	}
	_, err = in.ReadToken()
	return err
}
