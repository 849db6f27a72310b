package objects

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// FuzzDecode: no answer of an API may panic, and a register that is read is
// stored and read again as the same, and joined with itself stays the same. It
// begins with the recorded objects, where they are.
func FuzzDecode(f *testing.F) {
	for _, object := range []string{
		`{"id":"ch_1","object":"charge","amount":5,"metadata":{"support_v":"1"},"billing_details":{"email":"a@example.org"}}`,
		`{"id":"in_1","object":"invoice","lines":{"data":[{"price":{"recurring":{"interval":"month"}}}]}}`, `{"object":"charge"}`, `[]`, `null`, `{`,
		`{"id":"sub_1","object":"subscription","items":{"data":[null]},"pause_collection":{}}`, `{"id":"po_1","object":"payout","amount":1e3}`,
	} {
		f.Add([]byte(object))
	}
	eachRecorded(f, func(body []byte) { f.Add(body) })
	f.Fuzz(func(t *testing.T, body []byte) {
		said, err := Decode(body, Source{At: 9})
		if err != nil {
			return
		}
		for _, s := range said {
			text := Encode(s.Register)
			again, err := DecodeRegister(s.Ref.Kind(), text)
			if err != nil || Encode(again) != text {
				t.Fatalf("%s is stored as %s, which reads as %v", s.Ref, text, err)
			}
			again.Join(s.Register)
			if Encode(again) != text {
				t.Errorf("%s joined with itself is %s, not %s", s.Ref, Encode(again), text)
			}
		}
	})
}

// FuzzDecodeRegister: a text is read, or refused, as with tags, and stored as
// with tags.
func FuzzDecodeRegister(f *testing.F) {
	for i, kind := range allKinds {
		f.Add(uint8(i), Encode(Empty(kind)))
		f.Add(uint8(i), Encode(filled(kind)))
	}
	for _, trap := range traps {
		f.Add(uint8(slices.Index(allKinds, trap.kind)), trap.text)
	}
	f.Fuzz(func(t *testing.T, i uint8, text string) {
		kind := allKinds[int(i)%len(allKinds)]
		readAsTagged(t, kind, text)
		if r, err := DecodeRegister(kind, text); err == nil {
			sameAsTagged(t, kind, r)
		}
	})
}

// eachRecorded calls add for each recorded object or event, where they are.
func eachRecorded(f *testing.F, add func(body []byte)) {
	folder := os.Getenv("SUPPORT_STRIPE_OBJECTS")
	if folder == "" {
		return
	}
	err := filepath.WalkDir(folder, func(path string, _ fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".json" {
			return err
		}
		body, err := os.ReadFile(path)
		if bytes.Contains(body, []byte(`"object"`)) {
			add(body)
		}
		return err
	})
	if err != nil {
		f.Fatal(err)
	}
}
