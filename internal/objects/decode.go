package objects

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// APIVersion is the version of Stripe's API whose objects are read here.
const APIVersion = "2023-10-16"

// A Said is one thing that was said about one object.
type Said struct {
	Ref      Ref
	Register Register
	Links    []Ref // the register's
}

func say(ref Ref, r Register) Said { return Said{ref, r, r.Links()} }

// A Source is when something was said, and how.
type Source struct {
	At    int64  // event.created, or the Date of the API's answer; seconds since 1970
	Event string // the event's type; "" for an answer of the API
}

// An Event is the envelope of a webhook delivery.
type Event struct {
	ID         string
	Type       string
	APIVersion string
	Livemode   bool
	Created    int64 // seconds since 1970
	Ref        Ref   // the object it is about, "" if it has no id
	Object     []byte
}

type envelope struct {
	ID         string `json:"id"`
	Object     string `json:"object"`
	Type       string `json:"type"`
	APIVersion string `json:"api_version"`
	Livemode   bool   `json:"livemode"`
	Created    int64  `json:"created"`
	Data       struct {
		Object jsontext.Value `json:"object"`
	} `json:"data"`
}

// opened is an envelope whose object is read at once, into a snapshot of its
// kind.
type opened struct {
	Data struct {
		Object snapshot `json:"object"`
	} `json:"data"`
}

// Unknown fields are ignored everywhere: Stripe adds some at any time. Names
// are matched exactly; should one stand twice the last holds, here as with
// everybody who reads the stored bytes through this package. Bytes that are no
// UTF-8 are replaced.
var lenient = json.JoinOptions(jsontext.AllowInvalidUTF8(true), jsontext.AllowDuplicateNames(true))

// ErrKind says that an object is of a kind that has no register.
var ErrKind = errors.New("objects of this kind are not kept")

// DecodeEvent reads the envelope of an event and names its object.
func DecodeEvent(body []byte) (Event, error) {
	var e envelope
	if err := readInto(&e, body); err != nil {
		return Event{}, fmt.Errorf("not an event: %w", err)
	}
	if e.ID == "" || e.Object != "event" || len(e.ID) > maxID {
		return Event{}, errors.New("not an event: no id, or not of type event")
	}
	event := Event{e.ID, e.Type, e.APIVersion, e.Livemode, e.Created, "", e.Data.Object}
	if len(e.Data.Object) == 0 || e.Data.Object.Kind() != '{' {
		return event, nil
	}
	kind, id, err := head(e.Data.Object)
	if err != nil {
		return event, fmt.Errorf("event %s: %w", e.ID, err)
	}
	event.Ref = NewRef(kind, id)
	return event, nil
}

// head reads what an object is and its id, which Stripe writes first: the rest
// is not looked at.
func head(object []byte) (kind Kind, id string, err error) {
	in := jsontext.NewDecoder(bytes.NewBuffer(object), lenient)
	if _, err := in.ReadToken(); err != nil {
		return "", "", err
	}
	for (kind == "" || id == "") && in.PeekKind() == '"' {
		name, err := in.ReadToken()
		if err != nil {
			return "", "", err
		}
		field := name.String()
		if field != "id" && field != "object" || in.PeekKind() != '"' {
			if err := in.SkipValue(); err != nil {
				return "", "", err
			}
			continue
		}
		value, err := in.ReadToken()
		if err != nil {
			return "", "", err
		}
		if field == "id" {
			id = value.String()
		} else {
			kind = Kind(value.String())
		}
	}
	return kind, id, nil
}

// maxID is the most characters of an id that is stored; Stripe's own limit is
// 255.
const maxID = 255

// Decode reads one object as it was said, with the objects expanded inside it.
// It returns [ErrKind] for a kind that has no register.
func Decode(object []byte, from Source) ([]Said, error) {
	object = withoutNUL(object)
	kind, id, err := head(object)
	if err != nil {
		return nil, fmt.Errorf("not an object: %w", err)
	}
	if kind == kindFact && from.Event == "" {
		return decodeFact(object)
	}
	if Empty(kind) == nil {
		return nil, fmt.Errorf("%q: %w", kind, ErrKind)
	}
	if id == "" || len(id) > maxID {
		return nil, fmt.Errorf("a %s without a usable id", kind)
	}
	d := decoder{from: from}
	said, err := d.read(kind, id, object)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", kind, err)
	}
	return append(d.inside, said), nil
}

// withoutNUL replaces characters that PostgreSQL has in no text. Nobody's name
// has one either.
func withoutNUL(text []byte) []byte {
	if !bytes.Contains(text, []byte(`\u0000`)) {
		return text
	}
	return bytes.ReplaceAll(text, []byte(`\u0000`), []byte(`\ufffd`))
}

// DecodeStored reads the object inside an event's body, as [DecodeEvent] and
// [Decode] do, but in one pass, for whoever knows already what they said of the
// event: which object it is about, its type and its time.
func DecodeStored(body []byte, ref Ref, from Source) ([]Said, error) {
	reading := emptySnapshot(ref.Kind())
	if reading == nil {
		return nil, fmt.Errorf("%q: %w", ref.Kind(), ErrKind)
	}
	var e opened
	e.Data.Object = reading
	if err := readInto(&e, withoutNUL(body)); err != nil {
		return nil, fmt.Errorf("read the %s in an event: %w", ref.Kind(), err)
	}
	d := decoder{from: from}
	register, err := reading.register(&d)
	if err != nil {
		return nil, fmt.Errorf("read the %s in an event: %w", ref.Kind(), err)
	}
	return append(d.inside, say(ref, register)), nil
}

type decoder struct {
	from   Source
	inside []Said // what was found expanded
}

func (d *decoder) stamp() Stamp {
	by := ByEvent
	switch {
	case d.from.Event == "":
		by = ByAnswer
	case strings.HasSuffix(d.from.Event, ".created"):
		by = ByCreation
	}
	return Stamp{At: d.from.At, By: by}
}

func (d *decoder) read(kind Kind, id string, object []byte) (Said, error) {
	reading := emptySnapshot(kind)
	if reading == nil {
		return Said{}, fmt.Errorf("%q: %w", kind, ErrKind)
	}
	if err := readInto(reading, object); err != nil {
		return Said{}, err
	}
	register, err := reading.register(d)
	if err != nil {
		return Said{}, err
	}
	return say(NewRef(kind, id), register), nil
}

// emptySnapshot returns what an object of a kind is read into, or nil for a
// kind that has no register.
func emptySnapshot(kind Kind) snapshot {
	switch kind {
	case KindCharge:
		return new(charge)
	case KindIntent:
		return new(intent)
	case KindInvoice:
		return new(invoice)
	case KindSubscription:
		return new(subscription)
	case KindSession:
		return new(session)
	case KindCustomer:
		return new(customer)
	case KindRefund:
		return new(refund)
	case KindDispute:
		return new(dispute)
	case KindTransaction:
		return new(transaction)
	case KindPayout:
		return new(payout)
	case KindWarning:
		return new(warning)
	}
	return nil
}

// A snapshot is the part of a Stripe object that we read.
type snapshot interface {
	// register returns the register that has seen just this snapshot.
	register(d *decoder) (Register, error)
}

// A link is a field that holds an object's id, or the object where Stripe was
// asked to expand it, or null.
type link struct {
	id     string
	object jsontext.Value
}

// link reads a field that is a link. Null leaves it as it is.
func (r *reader) link(to reflect.Value) error {
	l := to.Addr().Interface().(*link)
	value, err := r.in.ReadValue()
	if err != nil {
		return err
	}
	switch value.Kind() {
	case 'n':
	case '"':
		l.id = r.word(value)
	case '{':
		l.object = value.Clone()
		_, l.id, err = head(l.object)
	default:
		return r.wrong(value.Kind(), to.Type(), errors.New("it is neither an id nor an object"))
	}
	return err
}

// follow returns the link's id and keeps the object, if it is expanded.
func (d *decoder) follow(l link, kind Kind) (string, error) {
	if len(l.id) > maxID {
		return "", fmt.Errorf("the id of a %s is too long", kind)
	}
	if l.object == nil || l.id == "" {
		return l.id, nil
	}
	said, err := d.read(kind, l.id, l.object)
	if err != nil {
		return "", err
	}
	d.inside = append(d.inside, said)
	return l.id, nil
}

// links follows several links; the first error ends it.
type links struct {
	*decoder
	err error
}

func (l *links) follow(to link, kind Kind) string {
	id, err := l.decoder.follow(to, kind)
	if l.err == nil {
		l.err = err
	}
	return id
}

func latest[T any](d *decoder, value T) Latest[T] { return Latest[T]{d.stamp(), value} }

// upper returns a currency or country as it is answered outside.
func upper(code string) string { return strings.ToUpper(code) }
