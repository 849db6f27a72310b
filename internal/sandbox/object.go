package sandbox

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
)

// An Object is one of Stripe's objects, or a record of the sandbox's own:
// fields by name, holding string, int64, bool, nil, json.Number (decimals
// only), Object or []any. What is stored is never changed in place: [state.change]
// works on a copy, so an event can keep the object it was made from.
type Object map[string]any

// decodeObject reads one JSON object with its whole numbers as int64.
func decodeObject(data []byte) (Object, error) {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	var raw map[string]any
	if err := dec.Decode(&raw); err != nil {
		return nil, err
	}
	return typed(raw).(Object), nil
}

func typed(value any) any {
	switch v := value.(type) {
	case map[string]any:
		o := make(Object, len(v))
		for key, field := range v {
			o[key] = typed(field)
		}
		return o
	case []any:
		for i := range v {
			v[i] = typed(v[i])
		}
		return v
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return n
		}
	}
	return value
}

func (o Object) id() string { return o.str("id") }

// str returns the text at key, "" if it is null or absent.
func (o Object) str(key string) string { s, _ := o[key].(string); return s }

func (o Object) int(key string) int64 { n, _ := o[key].(int64); return n }

func (o Object) bool(key string) bool { b, _ := o[key].(bool); return b }

// obj returns the group at key; reads from a missing one are empty.
func (o Object) obj(key string) Object { g, _ := o[key].(Object); return g }

func (o Object) list(key string) []any { l, _ := o[key].([]any); return l }

// clone returns a deep copy.
func (o Object) clone() Object { return cloned(o).(Object) }

func cloned(value any) any {
	switch v := value.(type) {
	case Object:
		c := make(Object, len(v))
		for key, field := range v {
			c[key] = cloned(field)
		}
		return c
	case []any:
		c := make([]any, len(v))
		for i := range v {
			c[i] = cloned(v[i])
		}
		return c
	}
	return value
}

// with returns a copy of o with more's fields set over it.
func (o Object) with(more Object) Object {
	c := maps.Clone(o)
	maps.Copy(c, more)
	return c
}

// previous returns what differs between two states of an object, with the
// values before, as Stripe's previous_attributes. A field that was absent is null.
func previous(before, after Object) Object {
	diff := Object{}
	for key, now := range after {
		was, existed := before[key]
		if reflect.DeepEqual(was, now) && existed {
			continue
		}
		wasGroup, isGroup := was.(Object)
		nowGroup, stillGroup := now.(Object)
		if isGroup && stillGroup {
			diff[key] = previous(wasGroup, nowGroup)
			continue
		}
		diff[key] = was
	}
	for key, was := range before {
		if _, kept := after[key]; !kept {
			diff[key] = was
		}
	}
	return diff
}

// text returns s, or nil for "": Stripe answers null for texts that are not set.
func text(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// listOf is Stripe's form of a list inside an object.
func listOf(url string, items ...any) Object {
	if items == nil {
		items = []any{}
	}
	return Object{"object": "list", "data": items, "has_more": false, "url": url}
}

func mustJSON(value any) []byte {
	data, err := json.Marshal(value)
	if err != nil {
		panic(fmt.Sprintf("sandbox: an object does not encode: %v", err)) // only strings, numbers, bools, lists and groups are stored
	}
	return data
}
