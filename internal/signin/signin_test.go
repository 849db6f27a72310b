package signin

import (
	"bytes"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

var (
	older = bytes.Repeat([]byte("o"), 32)
	newer = bytes.Repeat([]byte("n"), 32)
)

func TestToken(t *testing.T) {
	t.Parallel()
	keys, id := New([][]byte{newer}), NewID()
	token := keys.Token(Account, id)
	if got, ok := keys.ID(Account, token); !ok || got != id {
		t.Errorf("ID = %q, %v; want %q", got, ok, id)
	}
	tests := map[string]struct {
		keys    *Keys
		purpose Purpose
		token   string
		ok      bool
	}{
		"another door":        {keys, Staff, token, false},
		"another secret":      {New([][]byte{older}), Account, token, false},
		"an older secret":     {New([][]byte{older, newer}), Account, token, true},
		"nothing":             {keys, Account, "", false},
		"a changed character": {keys, Account, "A" + token[1:], token[0] == 'A'},
		"cut short":           {keys, Account, token[:len(token)-4], false},
		"longer":              {keys, Account, token + "AAAA", false},
		"no base64":           {keys, Account, "§" + token, false},
		"far too long":        {keys, Account, strings.Repeat("A", 1<<20), false},
	}
	for name, tt := range tests {
		if _, ok := tt.keys.ID(tt.purpose, tt.token); ok != tt.ok {
			t.Errorf("%s: ok = %v", name, ok)
		}
	}
}

func TestCode(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		id := rapid.String().Draw(t, "id")
		keys := New([][]byte{newer})
		code := keys.Code(Account, id)
		if len(code) != CodeDigits || strings.Trim(code, "0123456789") != "" {
			t.Fatalf("code %q", code)
		}
		rotated := New([][]byte{older, newer})
		if !keys.IsCode(Account, id, " "+code[:3]+"-"+code[3:]) || !rotated.IsCode(Account, id, code) {
			t.Fatal("a code as it was mailed is not taken")
		}
		if keys.IsCode(Account, id, "") || keys.IsCode(Account, id, code+"0") || keys.IsCode(Account, id, code[1:]) {
			t.Fatal("another text is taken for the code")
		}
	})
	keys, same := New([][]byte{newer}), 0
	for range 100 {
		id := NewID()
		if keys.Code(Account, id) == keys.Code(Staff, id) {
			same++
		}
	}
	if same > 2 {
		t.Errorf("%d of 100 codes open both doors", same)
	}
}

func FuzzID(f *testing.F) {
	keys := New([][]byte{newer})
	token := keys.Token(Account, "id")
	f.Add(token)
	f.Add(token[:5] + "\n" + token[5:])
	f.Fuzz(func(t *testing.T, token string) {
		if id, ok := keys.ID(Account, token); ok && keys.Token(Account, id) != token {
			t.Errorf("%q is a second spelling of a token", token)
		}
	})
}
