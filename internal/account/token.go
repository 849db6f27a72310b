package account

import (
	"crypto/ed25519"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// tokenTime is how long a membership token is good for: to be handed over, not
// to be kept.
const tokenTime = 10 * time.Minute

// A Claim is what a membership token says of a supporter. It names nobody.
type Claim struct {
	Supporter bool             `json:"supporter"`              // has given
	Member    bool             `json:"member"`                 // is a member now
	Tier      string           `json:"tier,omitempty"`         // of the membership
	Until     *jwt.NumericDate `json:"member_until,omitempty"` // when to ask again
	jwt.RegisteredClaims
}

// tokens signs membership tokens, with keys that follow from SUPPORT_SECRET:
// the newest signs, and all of them are published, so that a token outlives the
// change of a secret.
type tokens struct {
	issuer string
	keys   []tokenKey
}

type tokenKey struct {
	id      string
	private ed25519.PrivateKey
	pseudo  []byte // makes the subject
}

// A jwk is a public key as RFC 8037 writes it.
type jwk struct {
	Type      string `json:"kty"`
	Curve     string `json:"crv"`
	X         string `json:"x"`
	ID        string `json:"kid"`
	Use       string `json:"use"`
	Algorithm string `json:"alg"`
}

func newTokens(secrets [][]byte, issuer string) *tokens {
	t := &tokens{issuer: issuer}
	for _, secret := range secrets {
		private := ed25519.NewKeyFromSeed(derived(secret, "support membership token"))
		t.keys = append(t.keys, tokenKey{thumbprint(private), private, derived(secret, "support membership subject")})
	}
	return t
}

// derived returns 32 bytes that follow from a secret for one purpose.
func derived(secret []byte, purpose string) []byte {
	key, err := hkdf.Key(sha256.New, secret, nil, purpose, 32)
	if err != nil {
		panic(fmt.Sprintf("account: 32 bytes can't be derived: %v", err)) // it never asks for too much
	}
	return key
}

func public(private ed25519.PrivateKey) string {
	return base64.RawURLEncoding.EncodeToString(private.Public().(ed25519.PublicKey))
}

// thumbprint names a key by its content, RFC 7638.
func thumbprint(private ed25519.PrivateKey) string {
	sum := sha256.Sum256([]byte(`{"crv":"Ed25519","kty":"OKP","x":"` + public(private) + `"}`))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// published returns the keys that verify tokens, the one that signs first.
func (t *tokens) published() []jwk {
	var keys []jwk
	for _, key := range t.keys {
		keys = append(keys, jwk{"OKP", "Ed25519", public(key.private), key.id, "sig", "EdDSA"})
	}
	return keys
}

// sign returns a token for an audience about an address, which only the
// audience can recognise again and nobody can read.
func (t *tokens) sign(claim Claim, address, audience string, now time.Time) (string, error) {
	key := t.keys[0]
	mac := hmac.New(sha256.New, key.pseudo)
	mac.Write([]byte(audience + "\x00" + address))
	claim.RegisteredClaims = jwt.RegisteredClaims{
		Issuer: t.issuer, Audience: jwt.ClaimStrings{audience}, Subject: base64.RawURLEncoding.EncodeToString(mac.Sum(nil)[:18]),
		IssuedAt: jwt.NewNumericDate(now), ExpiresAt: jwt.NewNumericDate(now.Add(tokenTime)),
	}
	token := jwt.NewWithClaims(jwt.SigningMethodEdDSA, claim)
	token.Header["kid"] = key.id
	signed, err := token.SignedString(key.private)
	if err != nil {
		return "", fmt.Errorf("sign a membership token: %w", err)
	}
	return signed, nil
}
