package account_test

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/united24media/support/internal/account"
)

// keyOf reads the published keys as a news site does.
func (b *browser) keyOf(token *jwt.Token) (any, error) {
	var set struct {
		Keys []struct{ Kty, Crv, X, Kid, Alg string }
	}
	if err := json.Unmarshal([]byte(b.get("/.well-known/jwks.json").text), &set); err != nil {
		return nil, err
	}
	for _, key := range set.Keys {
		if key.Kid == token.Header["kid"] && key.Crv == "Ed25519" && key.Alg == "EdDSA" {
			x, err := base64.RawURLEncoding.DecodeString(key.X)
			return ed25519.PublicKey(x), err
		}
	}
	return nil, jwt.ErrTokenUnverifiable
}

// read verifies a token as a news site does.
func (b *browser) read(token string, options ...jwt.ParserOption) (account.Claim, error) {
	var claim account.Claim
	options = append(options, jwt.WithValidMethods([]string{"EdDSA"}), jwt.WithIssuer(b.w.URL), jwt.WithExpirationRequired())
	_, err := jwt.ParseWithClaims(token, &claim, b.keyOf, options...)
	return claim, err
}

func TestConnect(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	const ann = "ann@example.org"
	w.give(t, ann, "month", 1000, "tier", "camera")
	w.give(t, "bob@example.org", "once", 1000)
	back := "/account/connect?" + url.Values{"return_url": {site + "/story?a=b#part"}}.Encode()

	b := w.browser(t)
	door := "/account?" + url.Values{"to": {site + "/story?a=b#part"}}.Encode()
	if got := b.get(back); got.location != door {
		t.Errorf("before the sign-in one is led to %q", got.location)
	}
	for _, evil := range []string{"https://evil.example/", "https://news.example.evil.example/", "javascript:alert(1)", "//news.example/", ""} {
		query := url.Values{"return_url": {evil}}.Encode()
		if got := b.get("/account/connect?" + query); got.status != http.StatusBadRequest {
			t.Errorf("a way back to %q: %d to %q", evil, got.status, got.location)
		}
	}

	b = w.signIn(t, ann)
	got := b.get(back)
	address, fragment, _ := strings.Cut(got.location, "#")
	token, ok := strings.CutPrefix(fragment, "support_membership=")
	if got.status != http.StatusSeeOther || address != site+"/story?a=b" || !ok || got.header.Get("Cache-Control") != "no-store" {
		t.Fatalf("one is led to %q", got.location)
	}
	claim, err := b.read(token, jwt.WithAudience(site))
	if err != nil || !claim.Member || !claim.Supporter || claim.Tier != "camera" || claim.Until.Before(time.Now().Add(27*24*time.Hour)) ||
		claim.Until.After(time.Now().Add(31*24*time.Hour+time.Minute)) || claim.ExpiresAt.After(time.Now().Add(11*time.Minute)) {
		t.Errorf("the token says %+v, %v", claim, err)
	}
	if plain, _ := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[1]); strings.Contains(strings.ToLower(string(plain)), "ann") {
		t.Errorf("the token names somebody: %s", plain)
	}
	if _, err := b.read(token, jwt.WithAudience("https://other.example")); err == nil {
		t.Error("another audience may use it")
	}
	if _, err := b.read(token, jwt.WithTimeFunc(func() time.Time { return time.Now().Add(11 * time.Minute) })); err == nil {
		t.Error("it is good for longer than ten minutes")
	}
	other := b.get("/account/connect?" + url.Values{"return_url": {w.URL + "/"}}.Encode())
	_, second, _ := strings.Cut(other.location, "=")
	if again, err := b.read(second); err != nil || again.Subject == claim.Subject {
		t.Errorf("two audiences know somebody by the same name: %v, %v", again.Subject, err)
	}

	bob := w.signIn(t, "bob@example.org")
	var answered struct {
		Token             string
		Supporter, Member bool
		Tier              *string
		Until             *string `json:"member_until"`
	}
	got = bob.get("/v1/membership")
	if err := json.Unmarshal([]byte(got.text), &answered); err != nil || got.status != http.StatusOK || !answered.Supporter || answered.Member ||
		answered.Tier != nil || answered.Until != nil || got.header.Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("GET /v1/membership: %d %s, %v", got.status, got.text, err)
	}
	if claim, err := bob.read(answered.Token, jwt.WithAudience(site)); err != nil || claim.Member {
		t.Errorf("Bob's token says %+v, %v", claim, err)
	}
	if got := bob.get("/v1/membership?audience=https://evil.example"); got.status != http.StatusBadRequest {
		t.Errorf("an audience that is none of ours: %d", got.status)
	}
	if got := w.browser(t).get("/v1/membership"); got.status != http.StatusUnauthorized {
		t.Errorf("nobody's membership: %d", got.status)
	}
	// A secret that goes leaves its key published as long as it is listed.
	var set struct{ Keys []struct{ Kid string } }
	if err := json.Unmarshal([]byte(bob.get("/.well-known/jwks.json").text), &set); err != nil || len(set.Keys) != len(secrets) || set.Keys[0].Kid == set.Keys[1].Kid {
		t.Errorf("the published keys are %+v, %v", set, err)
	}
}
