package objects

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/go-json-experiment/json/jsontext"
)

// described is what a form writes and reads. A type says once what its fields
// are called, in the order in which they are written. That order is for good:
// equal registers are equal text, and of two values of one instant all releases
// have to take the same.
type described interface {
	fields(f *form)
}

// A form is JSON that is written, or read, as a type describes it. There is a
// method for each kind of field.
//
// What is written leaves out empty fields. What is read may be of an older or a
// newer release: a name that nobody knows is skipped, a missing one or null
// leaves its field empty, and the order is any. A doubled name and a value of
// another kind are errors.
type form struct {
	out  []byte
	keep bool // the next member is written even if it is empty
	said bool // a member that is not empty was written

	reading bool
	source  string // what is read; the texts in it are parts of it
	end     int    // of what was read of source
	buffer  bytes.Buffer
	in      jsontext.Decoder
	sorted  bool   // members come in the order of the description
	more    bool   // the value of a member comes next
	name    string // of that
	err     error
}

var forms = sync.Pool{New: func() any { return new(form) }}

// write returns a form with v in it, which goes back to forms when it is no
// longer needed.
func write(v described) *form {
	f := forms.Get().(*form)
	f.out, f.said = f.out[:0], false
	f.write(v)
	return f
}

// write adds an object. Each member begins with a comma, of which the first
// makes room for the brace.
func (f *form) write(v described) {
	begin := len(f.out)
	v.fields(f)
	if len(f.out) == begin {
		f.out = append(f.out, ',')
	}
	f.out[begin] = '{'
	f.out = append(f.out, '}')
}

// compare orders values by what is written of them.
func compare(a, b described) int {
	one, other := write(a), write(b)
	defer forms.Put(one)
	defer forms.Put(other)
	return bytes.Compare(one.out, other.out)
}

// errUnsorted is that members come in another order than that of the
// description, are doubled or unknown.
var errUnsorted = errors.New("members in another order")

// Where all come in order none is doubled, and names need not be compared with
// each other: of what is read, that is nearly everything.
var (
	anyNames    = jsontext.AllowDuplicateNames(true)
	uniqueNames = jsontext.AllowDuplicateNames(false)
)

// read fills v, which is empty, with what was written.
func read(text string, v described) error {
	f := forms.Get().(*form)
	defer forms.Put(f)
	f.reading, f.source, f.sorted = true, text, true
	err := f.read(v, anyNames)
	if err == errUnsorted {
		f.sorted = false
		err = f.read(v, uniqueNames)
	}
	f.reading, f.source = false, ""
	return err
}

func (f *form) read(v described, names jsontext.Options) error {
	f.buffer.Reset()
	f.buffer.WriteString(f.source)
	f.in.Reset(&f.buffer, names)
	f.end, f.err = 0, nil
	f.members(v)
	if f.err != nil || f.end == len(f.source) {
		return f.err
	}
	_, err := f.in.ReadToken()
	switch err {
	case nil:
		return errors.New("more than one value")
	case io.EOF:
		return nil
	}
	return err
}

// members reads an object. Each field takes its value if it comes next, and so
// one call of fields takes all that come in the order of the description.
func (f *form) members(v described) {
	if !f.opens() {
		return
	}
	for f.next(); f.more; {
		begin := f.end
		v.fields(f)
		switch {
		case !f.more:
		case f.sorted:
			f.fail(errUnsorted)
		case f.end == begin: // nobody knows the name
			f.value()
			f.next()
		}
	}
}

// opens reads the beginning of an object; it is false for null.
func (f *form) opens() bool { return f.is(f.token(), '{', "object") }

// next reads the name of a member, or the end of the object.
func (f *form) next() {
	quoted := f.token()
	f.more = quoted != "" && quoted != "}"
	switch {
	case !f.more:
		f.name = ""
	case f.sorted: // of ours, none has an escape
		f.name = quoted[1 : len(quoted)-1]
	default:
		f.name = f.unquote(quoted)
	}
}

// token reads a token and returns how it is written: "" after an error.
func (f *form) token() string {
	if f.err != nil {
		return ""
	}
	if _, err := f.in.ReadToken(); err != nil {
		f.fail(err)
		return ""
	}
	written := f.source[f.end:f.in.InputOffset()]
	f.end += len(written)
	for written[0] == ',' || written[0] == ':' || written[0] <= ' ' {
		written = written[1:]
	}
	return written
}

// value reads a whole value and returns how it is written.
func (f *form) value() string {
	value, err := f.in.ReadValue()
	if err != nil {
		f.fail(err)
	}
	f.end = int(f.in.InputOffset())
	return f.source[f.end-len(value) : f.end]
}

func (f *form) unquote(quoted string) string {
	if strings.IndexByte(quoted, '\\') < 0 {
		return quoted[1 : len(quoted)-1]
	}
	f.out, _ = jsontext.AppendUnquote(f.out[:0], quoted) // it was read as a token
	return string(f.out)
}

// is reports whether what is written begins with a sign, as what is wanted
// does. It may be null instead.
func (f *form) is(written string, sign byte, want string) bool {
	if written != "" && written[0] == sign {
		return true
	}
	f.isNot(written, want)
	return false
}

func (f *form) isNot(written, want string) {
	if written != "null" {
		f.fail(fmt.Errorf("no %s at %q", want, f.in.StackPointer()))
	}
}

func (f *form) fail(err error) {
	if f.err == nil {
		f.err = err
	}
	f.more, f.name = false, ""
}

// reads reports whether the value of a name comes next.
func (f *form) reads(name string) bool { return f.name == name }

// writes begins a member that is to be written.
func (f *form) writes(name string, empty bool) bool {
	if f.reading || empty && !f.keep {
		return false
	}
	f.said = f.said || !empty
	f.keep = false
	f.begin(name)
	return true
}

func (f *form) begin(name string) {
	out := append(f.out, `,"`...)
	out = append(out, name...)
	f.out = append(out, `":`...)
}

// always has the next member written even if it is empty.
func (f *form) always() *form {
	f.keep = !f.reading
	return f
}

func (f *form) number(name string, v *int64) {
	if f.reads(name) {
		*v = f.int()
		f.next()
	} else if f.writes(name, *v == 0) {
		f.out = strconv.AppendInt(f.out, *v, 10)
	}
}

// small is a number of eight bits.
func (f *form) small(name string, v *int8) {
	wide := int64(*v)
	f.number(name, &wide)
	if *v = int8(wide); int64(*v) != wide {
		f.isNot("", "number of eight bits")
	}
}

func (f *form) truth(name string, v *bool) {
	if f.reads(name) {
		*v = f.bool()
		f.next()
	} else if f.writes(name, !*v) {
		f.out = strconv.AppendBool(f.out, *v)
	}
}

func (f *form) text(name string, v *string) {
	if f.reads(name) {
		*v = f.string()
		f.next()
	} else if f.writes(name, *v == "") {
		f.quote(*v)
	}
}

// object is empty if all that is in it is.
func (f *form) object(name string, v described) {
	if f.reads(name) {
		f.members(v)
		f.next()
	} else if !f.reading {
		begin, keep, said := len(f.out), f.keep, f.said
		f.keep, f.said = false, false
		f.begin(name)
		f.write(v)
		if !keep && !f.said {
			f.out = f.out[:begin]
		}
		f.said = f.said || said
	}
}

// words are written in the order of their names.
func (f *form) words(name string, v *Words) {
	if f.reads(name) {
		*v = readMap(f, f.string)
		f.next()
	} else if f.writes(name, *v == nil) {
		writeMap(f, *v, f.quote)
	}
}

// set is as [form.words].
func (f *form) set(name string, v *map[string]bool) {
	if f.reads(name) {
		*v = readMap(f, f.bool)
		f.next()
	} else if f.writes(name, *v == nil) {
		writeMap(f, *v, func(b bool) { f.out = strconv.AppendBool(f.out, b) })
	}
}

// json is what another form has written, or is to read.
func (f *form) json(name string, v *string) {
	if f.reads(name) {
		*v = f.value()
		f.next()
	} else if f.writes(name, false) {
		f.out = append(f.out, *v...)
	}
}

// An entry is one of a map. Few have more than 16: our metadata has twelve.
type entry[V any] struct {
	name  string
	value V
}

func writeMap[V any](f *form, m map[string]V, value func(V)) {
	var few [16]entry[V]
	entries := few[:0]
	for name, v := range m {
		entries = append(entries, entry[V]{name, v})
	}
	slices.SortFunc(entries, func(a, b entry[V]) int { return strings.Compare(a.name, b.name) })
	f.out = append(f.out, '{')
	for i, e := range entries {
		if i > 0 {
			f.out = append(f.out, ',')
		}
		f.quote(e.name)
		f.out = append(f.out, ':')
		value(e.value)
	}
	f.out = append(f.out, '}')
}

func (f *form) quote(text string) {
	var err error
	if f.out, err = jsontext.AppendQuote(f.out, text); err != nil {
		panic("objects: a register that can't be written: " + err.Error()) // no field has such a text
	}
}

func readMap[V any](f *form, value func() V) map[string]V {
	if !f.opens() {
		return nil
	}
	var few [16]entry[V]
	entries := few[:0]
	for name := f.token(); name != "" && name != "}"; name = f.token() {
		entries = append(entries, entry[V]{f.unquote(name), value()})
	}
	m := make(map[string]V, len(entries))
	for _, e := range entries {
		m[e.name] = e.value
	}
	if len(m) < len(entries) {
		f.fail(jsontext.ErrDuplicateName)
	}
	return m
}

func (f *form) string() string {
	quoted := f.token()
	if !f.is(quoted, '"', "text") {
		return ""
	}
	return f.unquote(quoted)
}

func (f *form) bool() bool {
	word := f.token()
	return word != "false" && f.is(word, 't', "truth")
}

func (f *form) int() int64 {
	digits := f.token()
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil {
		f.isNot(digits, "whole number of 64 bits")
	}
	return n
}
