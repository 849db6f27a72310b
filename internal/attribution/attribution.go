// Package attribution makes and checks the tokens that carry what an ask was
// about from the article to the donation. It is pure.
//
// A token proves that we issued it, no more: whoever has one can use it again
// within its 30 days.
package attribution

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"time"
)

// Lifetime is how long after its hour a token verifies.
const Lifetime = 30 * 24 * time.Hour

// Limits of a token.
const (
	maxToken = 1200      // characters
	maxField = 200       // bytes in each field of a claim
	macSize  = 16        // bytes; 128 bits of HMAC-SHA256
	maxSkew  = time.Hour // how far another replica's clock may be ahead
)

// version starts every token, and is signed with it.
const version = 1

// purpose keeps these signatures apart from others made with the same secret.
const purpose = "support attribution\x00"

// Errors of [Signer.Verify].
var (
	ErrInvalid = errors.New("the token was not issued here")
	ErrExpired = errors.New("the token is older than 30 days")
)

// A Claim is what a token says.
type Claim struct {
	Article   string
	Placement string
	Campaign  string
	Variant   string
	Lang      string
	Hour      int64 // when it was issued, in whole hours since 1970; see [Hour]
}

// Hour returns t as a claim holds it. Tokens of one hour are equal, so that an
// answer that holds one can be cached.
func Hour(t time.Time) int64 { return t.Unix() / 3600 }

// A Signer makes and checks tokens. It is safe for concurrent use.
type Signer struct {
	secrets [][]byte // newest first
}

// NewSigner returns a signer that signs with the first secret and verifies
// with all of them, so that secrets can be rotated. It panics without one: an
// empty key would let anybody sign.
func NewSigner(secrets [][]byte) *Signer {
	if len(secrets) == 0 {
		panic("attribution: a signer needs a secret")
	}
	for _, secret := range secrets {
		if len(secret) == 0 {
			panic("attribution: a secret is empty")
		}
	}
	return &Signer{secrets}
}

// Sign returns the token of c, in characters that need no escaping in an
// address. Fields are cut to 200 bytes.
func (s *Signer) Sign(c Claim) string {
	data := []byte{version}
	data = binary.AppendVarint(data, c.Hour)
	for _, field := range [...]string{c.Article, c.Placement, c.Campaign, c.Variant, c.Lang} {
		field = field[:min(len(field), maxField)]
		data = binary.AppendUvarint(data, uint64(len(field)))
		data = append(data, field...)
	}
	return base64.RawURLEncoding.EncodeToString(append(data, mac(s.secrets[0], data)...))
}

// Verify returns what token says if one of the secrets signed it and its hour
// lies within [Lifetime] before now; else [ErrInvalid] or [ErrExpired]. With
// ErrExpired comes the claim too: it counts, unverified.
func (s *Signer) Verify(token string, now time.Time) (Claim, error) {
	if len(token) > maxToken {
		return Claim{}, ErrInvalid
	}
	// Strict: the spare bits of the last character must be zero, so that no
	// second spelling of a token passes.
	data, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil || len(data) <= macSize {
		return Claim{}, ErrInvalid
	}
	data, signature := data[:len(data)-macSize], data[len(data)-macSize:]
	if !s.signed(data, signature) {
		return Claim{}, ErrInvalid
	}
	claim, ok := parse(data)
	if !ok {
		return Claim{}, ErrInvalid
	}
	age := now.Sub(time.Unix(claim.Hour*3600, 0))
	switch {
	case age < -maxSkew:
		return Claim{}, ErrInvalid
	case age > Lifetime:
		return claim, ErrExpired
	}
	return claim, nil
}

func (s *Signer) signed(data, signature []byte) bool {
	for _, secret := range s.secrets {
		if hmac.Equal(mac(secret, data), signature) {
			return true
		}
	}
	return false
}

func mac(secret, data []byte) []byte {
	h := hmac.New(sha256.New, secret)
	h.Write([]byte(purpose))
	h.Write(data)
	return h.Sum(nil)[:macSize]
}

// parse reads what Sign wrote, after its signature was checked.
func parse(data []byte) (c Claim, ok bool) {
	if data[0] != version {
		return c, false
	}
	hour, n := binary.Varint(data[1:])
	if n <= 0 {
		return c, false
	}
	c.Hour, data = hour, data[1+n:]
	for _, field := range [...]*string{&c.Article, &c.Placement, &c.Campaign, &c.Variant, &c.Lang} {
		size, n := binary.Uvarint(data)
		if n <= 0 || size > uint64(len(data)-n) {
			return c, false
		}
		*field, data = string(data[n:n+int(size)]), data[n+int(size):]
	}
	return c, len(data) == 0
}
