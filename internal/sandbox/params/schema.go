package params

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Limits of Stripe's metadata. https://docs.stripe.com/api/metadata
const (
	maxMetadataKeys  = 50
	maxMetadataKey   = 40  // characters
	maxMetadataValue = 500 // characters
	maxText          = 5000
)

type kind int

const (
	text kind = iota
	whole
	flag
	group
	list
	metadata
	timeRange
)

// A Schema names the parameters an endpoint takes. Any other is refused.
type Schema map[string]Field

// A Field is what one parameter may hold.
type Field struct {
	kind      kind
	max       int // characters of a text, items of a list
	enum      []string
	fields    Schema
	item      *Field
	required  bool
	clearable bool
}

// Text is a text of at most Stripe's usual 5000 characters.
func Text() Field { return Field{kind: text, max: maxText} }

// TextUpTo is a text of at most max characters.
func TextUpTo(max int) Field { return Field{kind: text, max: max} }

// OneOf is one of the given words.
func OneOf(words ...string) Field { return Field{kind: text, max: maxText, enum: words} }

// Int is a whole number, amounts in minor units and Unix times included.
func Int() Field { return Field{kind: whole} }

// IntOr is a whole number or one of the given words.
func IntOr(words ...string) Field { return Field{kind: whole, enum: words} }

// Bool is "true" or "false".
func Bool() Field { return Field{kind: flag} }

// Group is a set of named parameters.
func Group(s Schema) Field { return Field{kind: group, fields: s} }

// List is a list of at most max items.
func List(item Field, max int) Field { return Field{kind: list, item: &item, max: max} }

// Metadata is a set of texts by free keys, within Stripe's limits.
func Metadata() Field { return Field{kind: metadata, clearable: true} }

// Range is a time: one Unix time, or bounds named gt, gte, lt and lte.
func Range() Field {
	return Field{kind: timeRange, fields: Schema{"gt": Int(), "gte": Int(), "lt": Int(), "lte": Int()}}
}

// Required returns f as a parameter that must be sent.
func (f Field) Required() Field { f.required = true; return f }

// Optional returns f as a parameter that may be left out.
func (f Field) Optional() Field { f.required = false; return f }

// Clearable returns f as a parameter that an empty text unsets.
func (f Field) Clearable() Field { f.clearable = true; return f }

// With returns the union of s and more, which wins.
func (s Schema) With(more Schema) Schema {
	union := Schema{}
	for key, f := range s {
		union[key] = f
	}
	for key, f := range more {
		union[key] = f
	}
	return union
}

// Leaves returns the path of each parameter that holds a value, such as
// line_items[0][price], with an example value, or with all it may be.
func (s Schema) Leaves() url.Values {
	leaves := url.Values{}
	for key, f := range s {
		f.leaves(key, leaves)
	}
	return leaves
}

func (f Field) leaves(path string, into url.Values) {
	switch f.kind {
	case group, timeRange:
		for key, child := range f.fields {
			child.leaves(path+"["+key+"]", into)
		}
	case list:
		f.item.leaves(path+"[0]", into)
	case metadata:
		into.Set(path+"[key]", "value")
	case whole:
		into[path] = append([]string{"1"}, f.enum...)
	case flag:
		into.Set(path, "true")
	default:
		into.Set(path, "text")
		if len(f.enum) > 0 {
			into[path] = f.enum
		}
	}
}

// Check reads form as s describes. The first fault found, in the order of the
// parameters' names, comes back as an [*Error].
func (s Schema) Check(form url.Values) (Values, *Error) {
	root, err := parse(form)
	if err != nil {
		return nil, err
	}
	return s.group("", root)
}

func (s Schema) group(path string, n *node) (Values, *Error) {
	values := Values{}
	for _, key := range n.keys {
		at := join(path, key)
		f, known := s[key]
		if !known {
			return nil, &Error{Code: "parameter_unknown", Param: at, Message: "Received unknown parameter: " + at}
		}
		value, err := f.value(at, n.children[key])
		if err != nil {
			return nil, err
		}
		values[key] = value
	}
	for _, key := range s.names() {
		if _, sent := values[key]; s[key].required && !sent {
			at := join(path, key)
			return nil, &Error{Code: "parameter_missing", Param: at, Message: "Missing required param: " + at + "."}
		}
	}
	return values, nil
}

func (s Schema) names() []string {
	names := make([]string, 0, len(s))
	for name := range s {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "[" + key + "]"
}

// value returns what n holds: a string, int64, bool, [Values], []any, or nil
// where the parameter was cleared.
func (f Field) value(at string, n *node) (any, *Error) {
	if n.leaf && n.text == "" {
		if f.clearable {
			return nil, nil
		}
		return nil, &Error{Code: "parameter_invalid_empty", Param: at, Message: "You passed an empty string for '" + at +
			"'. We assume empty values are an attempt to unset a parameter; however '" + at +
			"' cannot be unset. You should remove '" + at + "' from your request or supply a non-empty value."}
	}
	switch f.kind {
	case group, metadata:
		if n.leaf {
			return nil, &Error{Param: at, Message: "Invalid object"}
		}
		if f.kind == metadata {
			return readMetadata(at, n)
		}
		return f.fields.group(at, n)
	case timeRange:
		if !n.leaf {
			return f.fields.group(at, n)
		}
		return readInt(at, n.text)
	case list:
		return f.list(at, n)
	}
	if !n.leaf {
		return nil, &Error{Param: at, Message: "Invalid " + at + ": must be a single value"}
	}
	switch f.kind {
	case whole:
		if slices.Contains(f.enum, n.text) {
			return n.text, nil
		}
		return readInt(at, n.text)
	case flag:
		if n.text != "true" && n.text != "false" {
			return nil, &Error{Param: at, Message: "Invalid boolean: " + n.text}
		}
		return n.text == "true", nil
	}
	return f.text(at, n.text)
}

func (f Field) text(at, value string) (any, *Error) {
	if !utf8.ValidString(value) {
		return nil, &Error{Param: at, Message: "Invalid UTF-8 in " + at}
	}
	if utf8.RuneCountInString(value) > f.max {
		return nil, &Error{Param: at, Message: "Invalid string: " + at + " must be at most " + strconv.Itoa(f.max) + " characters"}
	}
	if len(f.enum) > 0 && !slices.Contains(f.enum, value) {
		return nil, &Error{Param: at, Message: "Invalid " + at + ": must be one of " + strings.Join(f.enum, ", ")}
	}
	return value, nil
}

func (f Field) list(at string, n *node) (any, *Error) {
	keys, ok := n.items()
	if n.leaf || !ok {
		return nil, &Error{Param: at, Message: "Invalid array"}
	}
	if len(keys) > f.max {
		return nil, &Error{Param: at, Message: "Array " + at + " exceeded maximum " + strconv.Itoa(f.max) + " allowed elements."}
	}
	items := make([]any, 0, len(keys))
	for _, key := range keys {
		item, err := f.item.value(join(at, key), n.children[key])
		if err != nil {
			return nil, err
		}
		items = append(items, item)
	}
	return items, nil
}

func readInt(at, value string) (any, *Error) {
	n, err := strconv.ParseInt(value, 10, 64)
	if err != nil {
		return nil, &Error{Code: "parameter_invalid_integer", Param: at, Message: "Invalid integer: " + value}
	}
	return n, nil
}

func readMetadata(at string, n *node) (any, *Error) {
	if len(n.keys) > maxMetadataKeys {
		return nil, &Error{Param: at, Message: "You can have up to " + strconv.Itoa(maxMetadataKeys) + " metadata keys."}
	}
	values := Values{}
	for _, key := range n.keys {
		child, here := n.children[key], join(at, key)
		switch {
		case !child.leaf:
			return nil, &Error{Param: here, Message: "Metadata values must be strings, but for key '" + key + "' you passed in a value of type object"}
		case utf8.RuneCountInString(key) > maxMetadataKey:
			return nil, &Error{Param: here, Message: "Metadata keys must be at most " + strconv.Itoa(maxMetadataKey) + " characters long."}
		case utf8.RuneCountInString(child.text) > maxMetadataValue:
			return nil, &Error{Param: here, Message: "Metadata values can have up to " + strconv.Itoa(maxMetadataValue) +
				" characters, but you passed in a value that is " + strconv.Itoa(utf8.RuneCountInString(child.text)) + " characters."}
		}
		values[key] = child.text
	}
	return values, nil
}
