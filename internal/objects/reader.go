package objects

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"sync"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// A reader reads what Stripe writes into structs with tags, and comes to what
// json.Unmarshal would, sooner: of the sixty fields of a charge we read a
// quarter, and json looks for each of the others in upper and lower case and
// goes through it token by token.
type reader struct {
	in   *jsontext.Decoder
	to   reflect.Value // a struct
	room []byte        // where texts with escapes are unquoted
	said [256]string   // the last word with each hash
}

var readers = sync.Pool{New: func() any { return new(reader) }}

func (r *reader) done() {
	r.in, r.to = nil, reflect.Value{}
	readers.Put(r)
}

// readInto reads a text, which is one object or null, into the struct that to
// points to.
func readInto(to any, text []byte) error {
	r := readers.Get().(*reader)
	defer r.done()
	r.to = reflect.ValueOf(to).Elem()
	return json.Unmarshal(text, r, lenient)
}

// UnmarshalJSONFrom implements json.UnmarshalerFrom.
func (r *reader) UnmarshalJSONFrom(in *jsontext.Decoder) error {
	r.in = in
	return r.object(shapeOf(r.to.Type()), r.to)
}

// A reading reads the next value into a Go value of the type that it is for.
type reading func(r *reader, to reflect.Value) error

// A shape is what is read of an object: the fields of a struct, by the hash of
// their names. Most names that are not read have a hash that none has.
type shape [64][]field

type field struct {
	name  string
	index int // in the struct
	read  reading
}

var shapes sync.Map // from a reflect.Type to its *shape, made when it is first needed

func shapeOf(t reflect.Type) *shape {
	if s, ok := shapes.Load(t); ok {
		return s.(*shape)
	}
	s := new(shape)
	for i := range t.NumField() {
		f := field{t.Field(i).Tag.Get("json"), i, readingOf(t.Field(i).Type)}
		at := &s[hash([]byte(f.name))%byte(len(s))]
		*at = append(*at, f)
	}
	shapes.Store(t, s)
	return s
}

// field returns the field of a name, or nil where it is not read.
func (s *shape) field(name []byte) *field {
	fields := s[hash(name)%byte(len(s))]
	for i := range fields {
		if fields[i].name == string(name) {
			return &fields[i]
		}
	}
	return nil
}

func hash(text []byte) byte {
	n := len(text)
	if n == 0 {
		return 0
	}
	return byte(n) + 3*text[0] + 5*text[n/2] + 7*text[n-1]
}

func readingOf(t reflect.Type) reading {
	switch t {
	case reflect.TypeFor[link]():
		return (*reader).link
	case reflect.TypeFor[Words]():
		return func(r *reader, to reflect.Value) error { return r.metadata(to.Addr().Interface().(*Words)) }
	case reflect.TypeFor[jsontext.Value]():
		return (*reader).value
	}
	switch t.Kind() {
	case reflect.Int64:
		return (*reader).number
	case reflect.String:
		return (*reader).text
	case reflect.Bool:
		return (*reader).flag
	case reflect.Struct:
		s := shapeOf(t)
		return func(r *reader, to reflect.Value) error { return r.object(s, to) }
	case reflect.Pointer:
		read := readingOf(t.Elem())
		return func(r *reader, to reflect.Value) error { return r.pointer(read, to) }
	case reflect.Slice:
		read := readingOf(t.Elem())
		return func(r *reader, to reflect.Value) error { return r.list(read, to) }
	case reflect.Interface:
		return (*reader).dynamic
	}
	panic(fmt.Sprintf("nothing is read into a Go %s", t))
}

// opens reads the beginning of an object or a list. It is false for null, and
// with an error.
func (r *reader) opens(sign jsontext.Kind, into reflect.Type) (bool, error) {
	token, err := r.in.ReadToken()
	switch {
	case err != nil || token.Kind() == 'n':
		return false, err
	case token.Kind() != sign:
		return false, r.wrong(token.Kind(), into, nil)
	}
	return true, nil
}

// object adds to a struct what an object says; null empties it.
func (r *reader) object(s *shape, to reflect.Value) error {
	if open, err := r.opens('{', to.Type()); !open {
		to.SetZero()
		return err
	}
	for r.in.PeekKind() != '}' {
		name, err := r.in.ReadValue()
		if err != nil {
			return err
		}
		f := s.field(name[1 : len(name)-1])
		if f == nil && bytes.IndexByte(name, '\\') >= 0 {
			f = s.field(r.unquote(name))
		}
		if f != nil {
			err = f.read(r, to.Field(f.index))
		} else {
			_, err = r.in.ReadValue() // sooner than SkipValue
		}
		if err != nil {
			return err
		}
	}
	_, err := r.in.ReadToken()
	return err
}

// pointer reads into what to points to, which is made first if it points to
// nothing; null makes it point to nothing.
func (r *reader) pointer(read reading, to reflect.Value) error {
	if r.in.PeekKind() == 'n' {
		to.SetZero()
		_, err := r.in.ReadToken()
		return err
	}
	if to.IsNil() {
		to.Set(reflect.New(to.Type().Elem()))
	}
	return read(r, to.Elem())
}

func (r *reader) list(read reading, to reflect.Value) error {
	if open, err := r.opens('[', to.Type()); !open {
		to.SetZero()
		return err
	}
	to.Set(reflect.MakeSlice(to.Type(), 0, 0))
	for n := 0; r.in.PeekKind() != ']'; n++ {
		to.Grow(1)
		to.SetLen(n + 1)
		if err := read(r, to.Index(n)); err != nil {
			return err
		}
	}
	_, err := r.in.ReadToken()
	return err
}

// dynamic reads into the struct that an interface holds a pointer to.
func (r *reader) dynamic(to reflect.Value) error {
	if to.IsNil() {
		return r.wrong(r.in.PeekKind(), to.Type(), errors.New("there is nothing to read it into"))
	}
	to = to.Elem().Elem()
	return r.object(shapeOf(to.Type()), to)
}

func (r *reader) number(to reflect.Value) error {
	value, err := r.in.ReadValue()
	if err != nil {
		return err
	}
	n := int64(0)
	switch value.Kind() {
	case 'n':
	case '0':
		if n, err = strconv.ParseInt(string(value), 10, 64); err != nil {
			return r.wrong('0', to.Type(), err)
		}
	default:
		return r.wrong(value.Kind(), to.Type(), nil)
	}
	to.SetInt(n)
	return nil
}

func (r *reader) text(to reflect.Value) error {
	value, err := r.in.ReadValue()
	if err != nil {
		return err
	}
	switch value.Kind() {
	case 'n':
		to.SetString("")
	case '"':
		to.SetString(r.word(value))
	default:
		return r.wrong(value.Kind(), to.Type(), nil)
	}
	return nil
}

func (r *reader) flag(to reflect.Value) error {
	value, err := r.in.ReadValue()
	if err != nil {
		return err
	}
	switch value.Kind() {
	case 'n', 'f':
		to.SetBool(false)
	case 't':
		to.SetBool(true)
	default:
		return r.wrong(value.Kind(), to.Type(), nil)
	}
	return nil
}

// value keeps a value as it is written.
func (r *reader) value(to reflect.Value) error {
	value, err := r.in.ReadValue()
	if err != nil {
		return err
	}
	to.SetBytes(value.Clone())
	return nil
}

// word returns what a text in JSON says. What was said a moment ago, as a
// currency, a status or a name in metadata, is not copied again.
func (r *reader) word(text jsontext.Value) string {
	said := r.unquote(text)
	if len(said) > 32 {
		return string(said)
	}
	last := &r.said[hash(said)]
	if *last != string(said) {
		*last = string(said)
	}
	return *last
}

// unquote returns what a text in JSON says, until the next one is unquoted.
// Bytes that are no UTF-8 are replaced.
func (r *reader) unquote(text jsontext.Value) []byte {
	for _, c := range text {
		if c == '\\' || c >= utf8.RuneSelf {
			r.room, _ = jsontext.AppendUnquote(r.room[:0], text) // the error says that bytes were replaced
			return r.room
		}
	}
	return text[1 : len(text)-1]
}

// wrong returns the error of a value that can't be read into a Go type. It
// names the place.
func (r *reader) wrong(kind jsontext.Kind, into reflect.Type, why error) error {
	return &json.SemanticError{JSONPointer: r.in.StackPointer(), JSONKind: kind, GoType: into, Err: why}
}
