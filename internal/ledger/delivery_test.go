package ledger

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"testing"

	"pgregory.net/rapid"
)

// What is stored with a dictionary can be read only with the very same bytes.
func TestDictionaryIsAsItWas(t *testing.T) {
	t.Parallel()
	const first = "92e875e74c2ab0fc6d149058d5e4e92ccb3b729bce5d19513d131d1dc7ff76e0"
	if sum := sha256.Sum256(dictionary1); hex.EncodeToString(sum[:]) != first {
		t.Errorf("dictionary/1.txt has changed: nothing stored with it could be read; add dictionary/2.txt instead")
	}
}

func TestUnpackRefusesWhatItDidNotPack(t *testing.T) {
	t.Parallel()
	for _, stored := range [][]byte{nil, {}, {2, 1, 1}, {1}, {1, 0xff, 0xff, 0xff, 0xff, 0xff}, []byte("{}")} {
		if body, err := Unpack(stored); err == nil {
			t.Errorf("%v unpacks to %q", stored, body)
		}
	}
}

func TestStoredBytesComeBack(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		body := rapid.SliceOf(rapid.Byte()).Draw(t, "body")
		if back, err := Unpack(Pack(body)); err != nil || !bytes.Equal(back, body) {
			t.Fatalf("%q comes back as %q, %v", body, back, err)
		}
	})
}
