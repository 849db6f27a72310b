package ledger

import (
	"cmp"
	"crypto/sha256"
	_ "embed" // the dictionary
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/klauspost/compress/s2"

	"github.com/united24media/support/internal/objects"
	"github.com/united24media/support/internal/store"
)

// A delivered event, with what it said.
type delivered struct {
	store.Event
	said     []objects.Said
	want     objects.Ref   // to be fetched at our API version; "" if not
	mentions []objects.Ref // of an event that says nothing: what its body names
}

// read makes of a signed body what is stored of it. It never fails: what it
// can't understand is parked.
func (l *Ledger) read(body []byte) *delivered {
	e, err := objects.DecodeEvent(body)
	d := &delivered{Event: store.Event{
		ID: e.ID, Type: e.Type, Ref: string(e.Ref), APIVersion: e.APIVersion, Livemode: e.Livemode,
		Created: time.Unix(e.Created, 0), Received: l.Now(), State: store.Applied, Body: Pack(body),
	}}
	switch {
	case e.ID == "":
		sum := sha256.Sum256(body)
		d.ID = "unreadable_" + hex.EncodeToString(sum[:16])
		d.Created = d.Received
		d.park(err)
	case err != nil:
		d.park(err)
	case e.Livemode != l.Livemode:
		d.ignore("of the other mode: livemode is %t", e.Livemode)
	case len(e.Object) == 0:
		d.park(errors.New("the event has no data.object"))
	case e.Ref == "":
		d.ignore("its object has no id")
	case e.APIVersion != objects.APIVersion:
		d.ignore("of API version %q; the object is fetched at %s", e.APIVersion, objects.APIVersion)
		d.want = e.Ref
	default:
		d.said, err = objects.Decode(e.Object, objects.Source{At: e.Created, Event: e.Type})
		if errors.Is(err, objects.ErrKind) {
			d.ignore("nothing is kept of a %s", e.Ref.Kind())
		} else if err != nil {
			d.park(err)
		}
	}
	if len(d.said) == 0 {
		d.mentions = objects.Mentions(body)
	}
	return d
}

// errOrphan is why a refund is parked that would else be passed over in silence.
var errOrphan = errors.New("a refund that names neither a charge nor a PaymentIntent: look in Stripe's Dashboard whose it is; applied again, it is passed over")

// hold parks an event about an orphaned refund. Replayed it is not held: by
// then somebody has seen it.
func (d *delivered) hold(body []byte) {
	said := d.said
	if d.want.Kind() == objects.KindRefund { // of another API version, in which a refund names what it gives back as in ours
		if e, err := objects.DecodeEvent(body); err == nil {
			said, _ = objects.Decode(e.Object, objects.Source{At: e.Created, Event: e.Type}) // what can't be read is fetched, as any other
		}
	}
	for _, s := range said {
		if r, ok := s.Register.(*objects.Refund); ok && r.Orphan() {
			d.park(errOrphan)
			d.said, d.mentions = nil, objects.Mentions(body)
			return
		}
	}
}

func (d *delivered) park(err error) { d.State, d.Error = store.Parked, err.Error() }

func (d *delivered) ignore(format string, args ...any) {
	d.State, d.Error = store.Ignored, fmt.Sprintf(format, args...)
}

// snapshotOf makes of an answer what is stored of it. Its id is the same for
// the same answer, so that it is kept once.
func snapshotOf(said []objects.Said, a Answer) store.Snapshot {
	hash := sha256.New()
	hash.Write(binary.BigEndian.AppendUint64(nil, uint64(a.At.Unix())))
	hash.Write(a.Object)
	return store.Snapshot{
		ID: hex.EncodeToString(hash.Sum(nil)[:16]), Ref: string(said[len(said)-1].Ref),
		AsOf: a.At.Truncate(time.Second), Body: Pack(a.Object),
	}
}

// Stored bodies are compressed with what all of Stripe's objects share: their
// fields' names and usual values. A gift's charge takes a quarter of the space
// so. A dictionary must stay as it is for as long as anything is stored with
// it; a better one gets the next number.
//
//go:embed dictionary/1.txt
var dictionary1 []byte

// shared is that dictionary, safe for concurrent use; sharedNumber stands
// before everything stored with it.
var shared = s2.MakeDict(dictionary1, nil)

const sharedNumber = 1

// maxObject is the most bytes that a stored body may unpack to.
const maxObject = 16 << 20

// Pack returns a body as it is stored.
func Pack(body []byte) []byte { return append([]byte{sharedNumber}, shared.Encode(nil, body)...) }

// Unpack returns the bytes of a stored event or snapshot as they came.
func Unpack(stored []byte) ([]byte, error) { return unpack(new([]byte), stored) }

// unpack does so in room, which it makes larger if need be.
func unpack(room *[]byte, stored []byte) ([]byte, error) {
	if len(stored) == 0 || stored[0] != sharedNumber {
		return nil, errors.New("unpack stored bytes: of a dictionary that this program does not know")
	}
	if n, err := s2.DecodedLen(stored[1:]); err != nil || n > maxObject {
		return nil, fmt.Errorf("unpack stored bytes: of length %d: %w", n, cmp.Or(err, s2.ErrTooLarge))
	}
	body, err := shared.Decode(*room, stored[1:])
	if err != nil {
		return nil, fmt.Errorf("unpack stored bytes: %w", err)
	}
	*room = body
	return body, nil
}
