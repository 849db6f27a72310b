package objects

import (
	"bytes"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"pgregory.net/rapid"

	"github.com/united24media/support/internal/giving"
)

var allKinds = append(slices.Clone(kinds), KindErasure)

var texts = rapid.OneOf(
	rapid.SampledFrom([]string{
		"", "", "ch_1", "\"", `\`, "/", "</script>&", "\b\f\n\r\t", "\x00\x1f\x7f", "Олена", "\u2028\u2029\ufffd\ufeff", "😀", `\u0061`, "a\"b\\c\nd",
	}),
	rapid.String(),
)

// drawAny fills v with any values at all; a half of them are empty.
func drawAny(t *rapid.T, v reflect.Value) {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			if rapid.Bool().Draw(t, "filled") {
				drawAny(t, v.Field(i))
			}
		}
	case reflect.String:
		v.SetString(texts.Draw(t, "text"))
	case reflect.Int64:
		v.SetInt(rapid.OneOf(rapid.Int64(), rapid.SampledFrom([]int64{0, 1, -1, math.MaxInt64, math.MinInt64})).Draw(t, "number"))
	case reflect.Int8:
		v.SetInt(int64(rapid.Int8().Draw(t, "number")))
	case reflect.Bool:
		v.SetBool(rapid.Bool().Draw(t, "truth"))
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		for range rapid.IntRange(0, 20).Draw(t, "entries") {
			value := reflect.New(v.Type().Elem()).Elem()
			drawAny(t, value)
			v.SetMapIndex(reflect.ValueOf(texts.Draw(t, "name")), value)
		}
	default:
		t.Fatalf("a register has a field of kind %s", v.Kind())
	}
}

func drawRegister(t *rapid.T, kind Kind) Register {
	r := Empty(kind)
	drawAny(t, reflect.ValueOf(r).Elem())
	return r
}

// TestRegistersAreStoredAsByTags: what is stored is read by releases that have
// tags, and was written by them.
func TestRegistersAreStoredAsByTags(t *testing.T) {
	t.Parallel()
	for _, kind := range allKinds {
		sameAsTagged(t, kind, Empty(kind))
		sameAsTagged(t, kind, filled(kind))
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			rapid.Check(t, func(t *rapid.T) { sameAsTagged(t, kind, drawRegister(t, kind)) })
		})
	}
}

// TestRegistersAreReadInAnyOrder, and with names that nobody knows.
func TestRegistersAreReadInAnyOrder(t *testing.T) {
	t.Parallel()
	for _, kind := range allKinds {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			rapid.Check(t, func(t *rapid.T) {
				var mixed bytes.Buffer
				mix(t, &mixed, jsontext.NewDecoder(strings.NewReader(Encode(drawRegister(t, kind)))))
				readAsTagged(t, kind, mixed.String())
			})
		})
	}
}

// mix copies a value with the members of its objects in another order, and
// sometimes one more or one twice.
func mix(t *rapid.T, to *bytes.Buffer, from *jsontext.Decoder) {
	if from.PeekKind() != '{' {
		value, err := from.ReadValue()
		if err != nil {
			t.Fatal(err)
		}
		to.Write(value)
		return
	}
	var members []string
	for _, _ = from.ReadToken(); from.PeekKind() != '}'; {
		var member bytes.Buffer
		mix(t, &member, from)
		member.WriteByte(':')
		mix(t, &member, from)
		members = append(members, member.String())
	}
	_, _ = from.ReadToken()
	members = append(members, rapid.SliceOfN(rapid.SampledFrom(append(members,
		`"newer":[{"at":5}]`, `"twice":{"a":1,"a":2}`, `"a\u0074":6`, `"value":null`, `"":""`, `"created":true`)), 0, 1).Draw(t, "more")...)
	if rapid.Bool().Draw(t, "mixed") {
		members = rapid.Permutation(members).Draw(t, "order")
	}
	to.WriteString("{" + strings.Join(members, rapid.SampledFrom([]string{",", ", ", "\n,\t"}).Draw(t, "between")) + " }")
}

// TestEveryFieldIsStored: none was forgotten where its type is described.
func TestEveryFieldIsStored(t *testing.T) {
	t.Parallel()
	for _, kind := range allKinds {
		r := Empty(kind)
		empty := Encode(r)
		leaves(reflect.ValueOf(r).Elem(), string(kind), func(field reflect.Value, name string) {
			if name == "charge.Asked" {
				return // it is not kept
			}
			next := int64(0)
			fill(field, &next)
			text := Encode(r)
			again, err := DecodeRegister(kind, text)
			if text == empty || err != nil || Encode(again) != text {
				t.Errorf("%s is stored as %s, which is read as %+v: %v", name, text, again, err)
			}
			field.SetZero()
		})
	}
}

// leaves calls f for each field of v that has none itself.
func leaves(v reflect.Value, name string, f func(field reflect.Value, name string)) {
	if v.Kind() != reflect.Struct {
		f(v, name)
		return
	}
	for i := range v.NumField() {
		leaves(v.Field(i), name+"."+v.Type().Field(i).Name, f)
	}
}

// TestWhatCannotBeStored: texts that are not UTF-8 come from nowhere.
func TestWhatCannotBeStored(t *testing.T) {
	t.Parallel()
	for name, r := range map[string]Register{
		"a text":  &Charge{Intent: "pi_\xff"},
		"a word":  &Charge{Metadata: Metadata{Value: Words{"a": "\xc0"}}},
		"a name":  &Charge{Metadata: Metadata{Value: Words{"\xed\xa0\x80": ""}}},
		"in part": &Dispute{Transactions: map[string]bool{"\x80": true}},
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s is stored", name)
				}
			}()
			t.Errorf("%s is stored as %s", name, Encode(r))
		}()
	}
}

// TestFactsAreStoredAsByTags, and read as with tags.
func TestFactsAreStoredAsByTags(t *testing.T) {
	t.Parallel()
	type taggedFact struct {
		Object   Kind           `json:"object"`
		About    Ref            `json:"id"`
		Register jsontext.Value `json:"register"`
	}
	for _, kind := range allKinds {
		about, r := NewRef(kind, "a\"б"), filled(kind)
		want := encodeTagged(t, taggedFact{kindFact, about, jsontext.Value(encodeTagged(t, tagged(t, kind, r)))})
		got := Fact(about, r)
		if string(got) != want {
			t.Errorf("written as\n%s\nwant\n%s", got, want)
		}
		said, err := decodeFact(got)
		if err != nil || len(said) != 1 || said[0].Ref != about || Encode(said[0].Register) != Encode(r) {
			t.Errorf("%s is read as %+v: %v", got, said, err)
		}
	}
	for _, text := range []string{
		``, `{}`, `null`, `[]`, `{"object":"fact"}`,
		`{"object":"fact","id":"charge/ch_1"}`,
		`{"object":"fact","id":"charge/ch_1","register":null}`,
		`{"object":"fact","id":"charge/ch_1","register":""}`,
		`{"object":"fact","id":"charge/ch_1","register":{"created":5}}`,
		`{"object":"fact","id":"charge/ch_1","register": {"created" : 5} } `,
		`{"object":"fact","id":"charge/ch_1","register":{"created":5}}{}`,
		`{"object":"fact","id":"charge/ch_1","register":{"created":5`,
		`{"object":"fact","id":"charge/ch_1","register":{"created":5,"created":5}}`,
		`{"object":"fact","id":"charge/ch_1","register":{"newer":{"a":1,"a":1}}}`,
		`{"object":"fact","id":"charge/ch_1","register":{},"register":{}}`,
		`{"object":"fact","object":"fact","id":"charge/ch_1","register":{}}`,
		`{"register":{"created":5},"id":"charge/ch_1","object":"fact"}`,
		`{"object":"fact","newer":[{}],"id":"charge/ch_1","register":{"created":5},"at":5}`,
		`{"object":"fact","newer":{"a":1,"a":1},"id":"charge/ch_1","register":{}}`,
		`{"object":"fact","id":5,"register":{}}`,
		`{"object":"fact","id":null,"register":{}}`,
		`{"object":"fact","id":"","register":{}}`,
		`{"object":"fact","id":"tax/1","register":{}}`,
		`{"object":"fact","id":"charge/ch_1","register":[]}`,
	} {
		var f taggedFact
		var want Register
		refused := json.Unmarshal([]byte(text), &f)
		if refused == nil && Empty(f.About.Kind()) == nil {
			refused = ErrKind
		}
		if refused == nil {
			want, refused = decodeTagged(t, f.About.Kind(), string(f.Register))
		}
		said, err := decodeFact([]byte(text))
		switch {
		case (err != nil) != (refused != nil):
			t.Errorf("%s is read with %v, want %v", text, err, refused)
		case err == nil && (len(said) != 1 || said[0].Ref != f.About || !reflect.DeepEqual(said[0].Register, want)):
			t.Errorf("%s is read as %+v, want %+v", text, said, want)
		}
	}
}

// TestValuesOfOneInstant are ordered as they were by tags, also of two releases
// that run at once.
func TestValuesOfOneInstant(t *testing.T) {
	t.Parallel()
	ordered[Words, Words](t)
	ordered[Payer, taggedPayer](t)
	ordered[ChargeOutcome, taggedChargeOutcome](t)
	ordered[InvoiceState, taggedInvoiceState](t)
	ordered[SubState, taggedSubState](t)
	ordered[DisputeState, taggedDisputeState](t)
	ordered[PayoutState, taggedPayoutState](t)
	ordered[bool, bool](t)
	ordered[OfflineGift, taggedOfflineGift](t)
	ordered[giving.Attribution, taggedAttribution](t)
	ordered[Corrected, taggedCorrected](t)
}

func ordered[T, Tagged any](t *testing.T) {
	t.Run(fmt.Sprintf("%T", *new(T)), func(t *testing.T) {
		t.Parallel()
		rapid.Check(t, func(t *rapid.T) {
			var values [2]Latest[T]
			var written [2]string
			for i := range values {
				// Few values, so that many are equal or begin alike.
				draw(t, reflect.ValueOf(&values[i].Value).Elem())
				var v Tagged
				copyFields(t, reflect.ValueOf(&v).Elem(), reflect.ValueOf(&values[i].Value).Elem())
				written[i] = encodeTagged(t, v)
			}
			if got, want := compare(&values[0], &values[1]), strings.Compare(written[0], written[1]); got != want {
				t.Fatalf("%s and %s compare as %d, not %d", written[0], written[1], got, want)
			}
		})
	})
}
