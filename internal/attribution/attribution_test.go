package attribution

import (
	"errors"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var (
	oldSecret = []byte("an older secret of thirty-two bytes")
	newSecret = []byte("the newest secret of thirty-two bytes")
	issued    = time.Date(2026, 3, 1, 12, 20, 0, 0, time.UTC)
	claim     = Claim{"uk-defense-secretary-troops", "mid", "spring", "b", "uk", Hour(issued)}
)

func TestVerify(t *testing.T) {
	t.Parallel()
	token := NewSigner([][]byte{newSecret}).Sign(claim)
	tests := map[string]struct {
		token string
		now   time.Time
		err   error
	}{
		"at once":              {token, issued, nil},
		"after 29 days":        {token, issued.AddDate(0, 0, 29), nil},
		"after 31 days":        {token, issued.AddDate(0, 0, 31), ErrExpired},
		"from a clock ahead":   {token, issued.Add(-50 * time.Minute), nil},
		"from the future":      {token, issued.Add(-3 * time.Hour), ErrInvalid},
		"by the secret before": {NewSigner([][]byte{oldSecret}).Sign(claim), issued, nil},
		"by a stranger":        {NewSigner([][]byte{[]byte("?")}).Sign(claim), issued, ErrInvalid},
		"empty":                {"", issued, ErrInvalid},
		"cut":                  {token[:len(token)-4], issued, ErrInvalid},
		"longer":               {token + "AAAA", issued, ErrInvalid},
		"first changed":        {"B" + token[1:], issued, ErrInvalid},
		"not base64":           {"!" + token[1:], issued, ErrInvalid},
		"huge":                 {strings.Repeat("A", 1<<20), issued, ErrInvalid},
	}
	signer := NewSigner([][]byte{newSecret, oldSecret})
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := signer.Verify(tt.token, tt.now)
			if !errors.Is(err, tt.err) || errors.Is(err, ErrInvalid) == (got == claim) {
				t.Errorf("Verify(%.40q) = %+v, %v; want error %v", tt.token, got, err, tt.err)
			}
		})
	}
}

func TestNewSignerRefusesNoSecret(t *testing.T) {
	t.Parallel()
	for name, secrets := range map[string][][]byte{"none": nil, "empty": {newSecret, {}}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			defer func() {
				if recover() == nil {
					t.Error("NewSigner accepted it")
				}
			}()
			NewSigner(secrets)
		})
	}
}

// Whatever a claim holds comes back, and no single changed character passes.
func TestTokenHoldsItsClaim(t *testing.T) {
	t.Parallel()
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	signer := NewSigner([][]byte{newSecret})
	rapid.Check(t, func(t *rapid.T) {
		field := rapid.StringN(0, 40, maxField)
		want := Claim{
			field.Draw(t, "article"), field.Draw(t, "placement"), field.Draw(t, "campaign"),
			field.Draw(t, "variant"), field.Draw(t, "lang"), Hour(issued),
		}
		token := signer.Sign(want)
		if got, err := signer.Verify(token, issued); err != nil || got != want {
			t.Fatalf("Verify(Sign(%+v)) = %+v, %v", want, got, err)
		}
		at := rapid.IntRange(0, len(token)-1).Draw(t, "at")
		other := alphabet[rapid.IntRange(0, 63).Draw(t, "other")]
		if forged := token[:at] + string(other) + token[at+1:]; forged != token {
			if got, err := signer.Verify(forged, issued); err == nil {
				t.Fatalf("a forged token passes as %+v", got)
			}
		}
	})
}

func FuzzVerify(f *testing.F) {
	signer := NewSigner([][]byte{newSecret})
	f.Add(signer.Sign(claim))
	f.Add("AQ")
	f.Fuzz(func(t *testing.T, token string) {
		if got, err := signer.Verify(token, issued); err == nil && signer.Sign(got) != token {
			t.Errorf("%q passes as %+v", token, got)
		}
	})
}
