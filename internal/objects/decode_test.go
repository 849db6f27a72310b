package objects

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/united24media/support/internal/testenv"
)

// TestRecordedObjects reads every object that Stripe really sent: each is read
// or refused with a reason, and none panics.
func TestRecordedObjects(t *testing.T) {
	t.Parallel()
	read, refused := map[Kind]int{}, 0
	each := func(object json.RawMessage, path string) {
		said, err := Decode(object, Source{At: 1700000000, Event: "charge.succeeded"})
		kind, id, _ := head(object)
		switch {
		case errors.Is(err, ErrKind):
			if Empty(kind) != nil {
				t.Errorf("%s: a %s is refused: %v", path, kind, err)
			}
			refused++
		case err != nil:
			t.Errorf("%s: %s: %v", path, id, err)
		default:
			read[said[len(said)-1].Ref.Kind()]++
			body := []byte(`{"id":"evt_1","data":{"object":` + string(object) + `}}`)
			stored, err := DecodeStored(body, said[len(said)-1].Ref, Source{At: 1700000000, Event: "charge.succeeded"})
			if err != nil || !reflect.DeepEqual(stored, said) {
				t.Errorf("%s: %s reads otherwise once it is stored: %v", path, id, err)
			}
			for _, s := range said {
				if again, err := DecodeRegister(s.Ref.Kind(), Encode(s.Register)); err != nil || Encode(again) != Encode(s.Register) {
					t.Errorf("%s: a stored %s reads back as another: %v", path, s.Ref.Kind(), err)
				}
				sameAsTagged(t, s.Ref.Kind(), s.Register)
			}
		}
	}
	err := filepath.WalkDir(testenv.StripeObjects(t), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".json" {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		walkObjects(text, func(object json.RawMessage) { each(object, path) })
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("read %v, refused %d of other kinds", read, refused)
	for _, kind := range []Kind{KindCharge, KindIntent, KindRefund, KindSubscription, KindInvoice, KindSession} {
		if read[kind] == 0 {
			t.Errorf("no %s was among them", kind)
		}
	}
}

// walkObjects calls f for each Stripe object in a JSON text, however deep.
func walkObjects(text json.RawMessage, f func(json.RawMessage)) {
	var fields map[string]json.RawMessage
	var list []json.RawMessage
	switch {
	case json.Unmarshal(text, &fields) == nil:
		var kind, id string
		_ = json.Unmarshal(fields["object"], &kind)
		_ = json.Unmarshal(fields["id"], &id)
		if kind != "" && id != "" && kind != "event" {
			f(text)
		}
		for _, value := range fields {
			walkObjects(value, f)
		}
	case json.Unmarshal(text, &list) == nil:
		for _, value := range list {
			walkObjects(value, f)
		}
	}
}

func TestDecodeEventRefuses(t *testing.T) {
	t.Parallel()
	tests := map[string]string{
		"no JSON":               `hello`,
		"nothing":               ``,
		"a list":                `[]`,
		"null":                  `null`,
		"no id":                 `{"object":"event","data":{"object":{}}}`,
		"an object, no event":   `{"id":"ch_1","object":"charge"}`,
		"an id without end":     `{"id":"` + strings.Repeat("x", maxID+1) + `","object":"event"}`,
		"an amount as text":     `{"id":"evt_1","object":"event","created":"now"}`,
		"an amount in fraction": `{"id":"evt_1","object":"event","created":1.5}`,
		"cut off":               `{"id":"evt_1","object":"event","data":{"object":{"id":"ch_1"`,
	}
	for name, body := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if e, err := DecodeEvent([]byte(body)); err == nil {
				t.Errorf("read as %+v", e)
			}
		})
	}
}

func TestDecodeEvent(t *testing.T) {
	t.Parallel()
	const envelope = `{"id":"evt_1","object":"event","type":"charge.succeeded","api_version":"2023-10-16","livemode":true,"created":7,"data":%s}`
	event := func(ref Ref, object string) Event {
		return Event{ID: "evt_1", Type: "charge.succeeded", APIVersion: "2023-10-16", Livemode: true, Created: 7, Ref: ref, Object: []byte(object)}
	}
	tests := map[string]struct {
		data string
		want Event
	}{
		"an object":              {`{"object":{"id":"ch_1","object":"charge","amount":5}}`, event("charge/ch_1", `{"id":"ch_1","object":"charge","amount":5}`)},
		"a name behind others":   {`{"object":{"a":{"id":"x"},"b":["object"],"object":"charge","id":"ch_1"}}`, event("charge/ch_1", `{"a":{"id":"x"},"b":["object"],"object":"charge","id":"ch_1"}`)},
		"a name that is no text": {`{"object":{"id":5,"object":"charge"}}`, event("", `{"id":5,"object":"charge"}`)},
		"an object without a name, as an upcoming invoice": {`{"object":{"object":"invoice"}}`, event("", `{"object":"invoice"}`)},
		"no data":           {`null`, event("", "")},
		"no object":         {`{}`, event("", "")},
		"an object of null": {`{"object":null}`, event("", "null")},
		"a text":            {`{"object":"ch_1"}`, event("", `"ch_1"`)},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := DecodeEvent(fmt.Appendf(nil, envelope, tt.data))
			if err != nil || fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", tt.want) {
				t.Errorf("read as %+v, %v; want %+v", got, err, tt.want)
			}
		})
	}
	long := strings.Repeat("x", maxID)
	if e, err := DecodeEvent([]byte(`{"id":"` + long + `","object":"event"}`)); err != nil || e.ID != long {
		t.Errorf("an id of %d characters: %v", maxID, err)
	}
}

func TestDecodeRefuses(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", maxID+1)
	tests := map[string]struct {
		object string
		kind   bool // it is ErrKind
	}{
		"no JSON":                      {`hello`, false},
		"cut off":                      {`{"id":"ch_1","object":"charge","created":`, false},
		"a list":                       {`[]`, true},
		"no id":                        {`{"object":"charge"}`, false},
		"an id without end":            {`{"id":"` + long + `","object":"charge"}`, false},
		"a kind that is not kept":      {`{"id":"prod_1","object":"product"}`, true},
		"a fact of ours, misspelled":   {`{"id":"charge/ch_1","object":"fact","register":5}`, false},
		"a fact of no kind":            {`{"id":"product/prod_1","object":"fact","register":{}}`, false},
		"no JSON that begins as one":   {`{"object":"fact","id":"charge/ch_1"`, false},
		"a link that is a number":      {`{"id":"ch_1","object":"charge","customer":5}`, false},
		"a link without end":           {`{"id":"ch_1","object":"charge","customer":"` + long + `"}`, false},
		"the first of two bad links":   {`{"id":"ch_1","object":"charge","payment_intent":"` + long + `","customer":"cus_1"}`, false},
		"what is expanded and bad":     {`{"id":"ch_1","object":"charge","customer":{"id":"cus_1","object":"customer","email":5}}`, false},
		"a refund inside that is bad":  {`{"id":"ch_1","object":"charge","refunds":{"data":[{"id":"re_1","object":"refund","amount":"x"}]}}`, false},
		"a refund inside without name": {`{"id":"ch_1","object":"charge","refunds":{"data":[{"object":"refund"}]}}`, false},
		"an amount as text":            {`{"id":"ch_1","object":"charge","amount_captured":"1000"}`, false},
		"an amount in fraction":        {`{"id":"ch_1","object":"charge","amount_captured":1000.5}`, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			said, err := Decode([]byte(tt.object), Source{At: 9})
			if err == nil || errors.Is(err, ErrKind) != tt.kind {
				t.Errorf("read as %+v, %v", said, err)
			}
			body, ref := []byte(`{"data":{"object":`+tt.object+`}}`), Ref("charge/ch_1")
			if strings.Contains(tt.object, `"id":"ch_1"`) {
				if said, err := DecodeStored(body, ref, Source{At: 9, Event: "charge.succeeded"}); err == nil {
					t.Errorf("stored, it is read as %+v", said)
				}
			}
		})
	}
	if said, err := DecodeStored([]byte(`{}`), "product/prod_1", Source{At: 9}); !errors.Is(err, ErrKind) {
		t.Errorf("a kind that is not kept is read as %+v, %v", said, err)
	}
	if said, err := Decode([]byte(`{"id":"`+strings.Repeat("x", maxID)+`","object":"charge","customer":"`+strings.Repeat("x", maxID)+`"}`), Source{At: 9}); err != nil || len(said) != 1 {
		t.Errorf("ids of %d characters: %v", maxID, err)
	}
	if r, err := DecodeRegister("product", "{}"); err == nil {
		t.Errorf("a register of no kind reads as %+v", r)
	}
	if r, err := DecodeRegister(KindCharge, "{"); err == nil {
		t.Errorf("half a register reads as %+v", r)
	}
}

func TestDecodeStored(t *testing.T) {
	t.Parallel()
	const object = `{"id":"ch_1","object":"charge","created":5,"metadata":{"name":"a\u0000b"},"balance_transaction":{"id":"txn_1","object":"balance_transaction","fee":59}}`
	from := Source{At: 9, Event: "charge.succeeded"}
	want, err := Decode([]byte(object), from)
	if err != nil {
		t.Fatal(err)
	}
	got, err := DecodeStored([]byte(`{"id":"evt_1","data":{"object":`+object+`}}`), "charge/ch_1", from)
	if err != nil || len(got) != 2 || !reflect.DeepEqual(got, want) || got[1].Ref != "charge/ch_1" {
		t.Errorf("read as %+v, %v; want %+v", got, err, want)
	}
}

func TestDecodeReadsWhatIsUnusual(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		object string
		want   string // among what is said, as JSON
	}{
		"an unknown field":             {`{"id":"ch_1","object":"charge","brand_new":{"a":[1]},"created":5}`, `{"created":5,`},
		"an unknown status":            {`{"id":"re_1","object":"refund","status":"on_hold"}`, `"status":"on_hold"`},
		"fields in another order":      {`{"created":5,"object":"charge","metadata":{"id":"x"},"id":"ch_1"}`, `{"created":5,`},
		"nulls":                        {`{"id":"ch_1","object":"charge","created":5,"metadata":null,"billing_details":null,"customer":null}`, `{"created":5,`},
		"an expanded link":             {`{"id":"ch_1","object":"charge","balance_transaction":{"id":"txn_1","object":"balance_transaction","fee":59}}`, `"transaction":"txn_1"`},
		"what was expanded":            {`{"id":"ch_1","object":"charge","balance_transaction":{"id":"txn_1","object":"balance_transaction","fee":59}}`, `{"fee":59}`},
		"a deleted customer":           {`{"id":"cus_1","object":"customer","deleted":true}`, `{"deleted":true}`},
		"a lone surrogate":             {`{"id":"cus_1","object":"customer","name":"\ud800"}`, `"name":"�"`},
		"a NUL":                        {`{"id":"cus_1","object":"customer","name":"a\u0000b"}`, `"name":"a�b"`},
		"an exchange rate, as written": {`{"id":"txn_1","object":"balance_transaction","exchange_rate":1.0750}`, `"rate":"1.0750"`},
		"twelve months are a year": {`{"id":"in_1","object":"invoice","lines":{"data":[{"type":"subscription",
			"price":{"recurring":{"interval":"month","interval_count":12}}}]}}`, `"interval":"year"`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			said, err := Decode([]byte(tt.object), Source{At: 9})
			if err != nil {
				t.Fatal(err)
			}
			all := ""
			for _, s := range said {
				all += Encode(s.Register) + "\n"
			}
			if !strings.Contains(all, tt.want) {
				t.Errorf("read as %s want %s in it", all, tt.want)
			}
		})
	}
}

func TestOnlyWeSayFacts(t *testing.T) {
	t.Parallel()
	fact := Fact(NewRef(KindOffline, "import_1"), &Offline{})
	if _, err := Decode(fact, Source{At: 9, Event: "charge.succeeded"}); !errors.Is(err, ErrKind) {
		t.Errorf("a fact in an event gives %v, want %v", err, ErrKind)
	}
	said, err := Decode(fact, Source{At: 9})
	if err != nil || len(said) != 1 || said[0].Ref != "offline/import_1" {
		t.Errorf("a fact of ours reads as %v, %v", said, err)
	}
}

// FuzzDecodeEvent: no bytes that Stripe's secret signed may panic, and what is
// read must be storable.
func FuzzDecodeEvent(f *testing.F) {
	f.Add([]byte(`{"id":"evt_1","object":"event","type":"charge.succeeded","created":5,"data":{"object":{"id":"ch_1","object":"charge"}}}`))
	f.Add([]byte(`{"id":"evt_1","object":"event","data":null}`))
	f.Add([]byte(`{"id":"evt_1","object":"event","data":{"object":null}}`))
	f.Add([]byte(`{"id":"evt_1","object":"event","data":{"object":{"object":"fact","id":"charge/ch_1","register":{}}}}`))
	f.Add([]byte(`{"id":"evt_1","object":"event","data":{"object":{"id":"dp_1","object":"dispute","balance_transactions":[null,"x",{}]}}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		e, err := DecodeEvent(body)
		if err != nil || len(e.Object) == 0 {
			return
		}
		said, err := Decode(e.Object, Source{At: e.Created, Event: e.Type})
		if err != nil {
			return
		}
		g := NewGraph()
		for _, s := range said {
			if strings.ContainsRune(Encode(s.Register), 0) {
				t.Errorf("%s would be stored with a NUL", s.Ref)
			}
			r := Empty(s.Ref.Kind())
			r.Join(s.Register)
			g.Put(s.Ref, r)
		}
		for _, s := range said {
			for _, root := range g.Roots([]Change{{s.Ref, true}}) {
				g.Donation(root)
				g.Membership(root, 0, 0)
				g.Needs(root)
			}
		}
	})
}
