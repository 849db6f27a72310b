// Package signin derives what is mailed to sign somebody in, or to let them do
// one thing without it: a token for a link, and a short code. Both follow from
// SUPPORT_SECRET and a random id, so that neither the outbox nor the database
// holds anything that opens a door. It is pure.
//
// A token proves that we made it for a purpose and an id, no more. That it is
// used once and in time is for the row with that id to say.
package signin

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"strings"
)

// A Purpose is the door that a token opens. A token of one opens no other.
type Purpose string

// The purposes.
const (
	Account Purpose = "account" // a supporter's pages; the id is of the wish to sign in
	Staff   Purpose = "staff"   // the newsroom's pages; the id is of the wish to sign in
	Recover Purpose = "recover" // a failing membership's payment page; the id is the subscription
	Leave   Purpose = "leave"   // no more mails of a kind; the id is that of a mail of it
)

// Where mailed links lead, below the public URL. The token follows as ?token=.
// A GET of any uses nothing up: some mail scanners open what they find.
const (
	AccountPath = "/account/enter"
	StaffPath   = "/staff/link"
	RecoverPath = "/account/recover"
	LeavePath   = "/account/leave"
)

// Limits of a token.
const (
	maxToken = 400 // characters
	macSize  = 18  // bytes: 144 bits of HMAC-SHA256
)

// CodeDigits is how long a short code is. Whoever asks for one must count the
// tries: of a million codes one opens.
const CodeDigits = 6

// Keys derive and check. They are safe for concurrent use.
type Keys struct{ secrets [][]byte }

// New returns keys that derive from the first secret and check with all of
// them, so that secrets can be rotated. It panics without one, or with an
// empty one.
func New(secrets [][]byte) *Keys {
	if len(secrets) == 0 {
		panic("signin: a secret is needed")
	}
	for _, secret := range secrets {
		if len(secret) == 0 {
			panic("signin: a secret is empty")
		}
	}
	return &Keys{secrets}
}

// NewID returns a random id of 128 bits, in letters, digits, - and _.
func NewID() string {
	var random [16]byte
	rand.Read(random[:]) //nolint:errcheck // never fails, by its documentation
	return base64.RawURLEncoding.EncodeToString(random[:])
}

// Token returns the token of an id, in characters that need no escaping in an
// address.
func (k *Keys) Token(purpose Purpose, id string) string {
	return base64.RawURLEncoding.EncodeToString(append(mac(k.secrets[0], "token", purpose, id)[:macSize], id...))
}

// ID returns the id of a token that was made for the purpose; ok is false for
// any other text.
func (k *Keys) ID(purpose Purpose, token string) (id string, ok bool) {
	if len(token) > maxToken || strings.ContainsAny(token, "\r\n") { // which the decoder passes over
		return "", false
	}
	data, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil || len(data) <= macSize {
		return "", false
	}
	id = string(data[macSize:])
	for _, secret := range k.secrets {
		if hmac.Equal(mac(secret, "token", purpose, id)[:macSize], data[:macSize]) {
			return id, true
		}
	}
	return "", false
}

// Code returns the short code of an id.
func (k *Keys) Code(purpose Purpose, id string) string { return code(k.secrets[0], purpose, id) }

// IsCode reports whether what somebody typed is the code of an id. Spaces and
// hyphens don't matter.
func (k *Keys) IsCode(purpose Purpose, id, typed string) bool {
	typed = strings.NewReplacer(" ", "", "\u00a0", "", "-", "").Replace(typed)
	is := false
	for _, secret := range k.secrets {
		is = hmac.Equal([]byte(code(secret, purpose, id)), []byte(typed)) || is
	}
	return is
}

func code(secret []byte, purpose Purpose, id string) string {
	return fmt.Sprintf("%06d", binary.BigEndian.Uint64(mac(secret, "code", purpose, id))%1_000_000)
}

// mac keeps tokens, codes and purposes apart by what it signs before the id.
func mac(secret []byte, what string, purpose Purpose, id string) []byte {
	h := hmac.New(sha256.New, secret)
	h.Write([]byte("support sign-in\x00" + what + "\x00" + string(purpose) + "\x00" + id))
	return h.Sum(nil)
}
