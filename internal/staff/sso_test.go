package staff_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/united24media/support/internal/staff/desk"
)

// A provider is an OpenID provider of our own: discovery, keys, authorization
// and token endpoints, with PKCE. A test says who signs in, and what is wrong.
type provider struct {
	*httptest.Server
	t   *testing.T
	key *ecdsa.PrivateKey

	mu    sync.Mutex
	codes map[string]url.Values // what was asked for, by code
	wrong map[string]any        // claims that are otherwise than they should be
	by    *ecdsa.PrivateKey     // who signs; key if nil
}

func newProvider(t *testing.T) *provider {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	p := &provider{t: t, key: key, codes: map[string]url.Values{}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", p.discovery)
	mux.HandleFunc("GET /keys", p.keys)
	mux.HandleFunc("GET /authorize", p.authorize)
	mux.HandleFunc("POST /token", p.token)
	p.Server = httptest.NewServer(mux)
	t.Cleanup(p.Close)
	return p
}

func (p *provider) discovery(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, map[string]any{
		"issuer": p.URL, "authorization_endpoint": p.URL + "/authorize", "token_endpoint": p.URL + "/token", "jwks_uri": p.URL + "/keys",
		"response_types_supported": []string{"code"}, "subject_types_supported": []string{"public"}, "id_token_signing_alg_values_supported": []string{"ES256"},
	})
}

func (p *provider) keys(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: &p.key.PublicKey, KeyID: "1", Algorithm: "ES256", Use: "sig"}}})
}

func writeJSON(w http.ResponseWriter, value any) {
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(value) //nolint:errcheck // the client went away
}

// authorize signs in whoever asks.
func (p *provider) authorize(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	if q.Get("client_id") != "support" || q.Get("code_challenge_method") != "S256" || q.Get("response_type") != "code" {
		http.Error(w, "not as it should be asked", http.StatusBadRequest)
		return
	}
	code := rand.Text()
	p.mu.Lock()
	p.codes[code] = q
	p.mu.Unlock()
	http.Redirect(w, r, q.Get("redirect_uri")+"?"+url.Values{"code": {code}, "state": {q.Get("state")}}.Encode(), http.StatusFound)
}

func (p *provider) token(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	asked, ok := p.codes[r.FormValue("code")]
	delete(p.codes, r.FormValue("code"))
	id, secret, _ := r.BasicAuth()
	sum := sha256.Sum256([]byte(r.FormValue("code_verifier")))
	if !ok || id != "support" || secret != "secret" || base64.RawURLEncoding.EncodeToString(sum[:]) != asked.Get("code_challenge") ||
		r.FormValue("redirect_uri") != asked.Get("redirect_uri") {
		w.WriteHeader(http.StatusBadRequest)
		writeJSON(w, map[string]string{"error": "invalid_grant"})
		return
	}
	claims := map[string]any{
		"iss": p.URL, "aud": "support", "sub": "1", "exp": time.Now().Add(30 * 24 * time.Hour).Unix(), "iat": time.Now().Unix(),
		"nonce": asked.Get("nonce"), "email": "olha@news.example", "email_verified": true,
	}
	for name, value := range p.wrong {
		claims[name] = value
	}
	key := p.key
	if p.by != nil {
		key = p.by
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: key, KeyID: "1"}}, nil)
	if err != nil {
		p.t.Error(err)
		return
	}
	token, err := jwt.Signed(signer).Claims(claims).Serialize()
	if err != nil {
		p.t.Error(err)
	}
	writeJSON(w, map[string]any{"access_token": "x", "token_type": "Bearer", "id_token": token})
}

// sign goes through a sign-on and returns the last answer. between may change
// the address that the provider sends the browser back to.
func sign(t *testing.T, c *browser, between func(back string) string) answer {
	t.Helper()
	begun := c.get(t, "/staff/sso?to=/staff/account")
	if begun.status != http.StatusSeeOther {
		t.Fatalf("beginning: %+v", begun)
	}
	there := c.get(t, begun.to)
	if there.status != http.StatusFound {
		t.Fatalf("at the provider: %+v", there)
	}
	back := there.to
	if between != nil {
		back = between(back)
	}
	return c.get(t, back)
}

func TestSingleSignOn(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	b := newBench(t, p.URL)
	b.employ(t, "Olha@News.example", desk.Viewer)
	other, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name    string
		wrong   map[string]any
		by      *ecdsa.PrivateKey
		between func(string) string
		status  int
		to      string
	}{
		{name: "right", status: http.StatusSeeOther, to: "/staff/account"},
		{name: "not on the team", wrong: map[string]any{"email": "eve@news.example"}, status: http.StatusSeeOther, to: desk.SignInPath + "?why=unknown"},
		{name: "an address that is not verified", wrong: map[string]any{"email_verified": false}, status: http.StatusForbidden},
		{name: "no word of whether it is", wrong: map[string]any{"email_verified": nil}, status: http.StatusForbidden},
		{name: "no address", wrong: map[string]any{"email": ""}, status: http.StatusForbidden},
		{name: "another nonce", wrong: map[string]any{"nonce": "x"}, status: http.StatusForbidden},
		{name: "no nonce", wrong: map[string]any{"nonce": nil}, status: http.StatusForbidden},
		{name: "for another client", wrong: map[string]any{"aud": "other"}, status: http.StatusForbidden},
		{name: "of another issuer", wrong: map[string]any{"iss": "https://evil.example"}, status: http.StatusForbidden},
		{name: "over", wrong: map[string]any{"exp": time.Now().Add(-time.Hour).Unix()}, status: http.StatusForbidden},
		{name: "signed by somebody else", by: other, status: http.StatusForbidden},
		{name: "another state", between: func(s string) string { return strings.Replace(s, "state=", "state=x", 1) }, status: http.StatusBadRequest},
		{name: "another code", between: func(s string) string { return strings.Replace(s, "code=", "code=x", 1) }, status: http.StatusForbidden},
		{name: "canceled there", between: func(s string) string { return strings.Replace(s, "code=", "error=access_denied&x=", 1) }, status: http.StatusBadRequest},
	} {
		b.later(10 * time.Minute) // attempts are limited
		p.mu.Lock()
		p.wrong, p.by = tt.wrong, tt.by
		p.mu.Unlock()
		c := b.browser()
		if got := sign(t, c, tt.between); got.status != tt.status || got.to != tt.to {
			t.Errorf("%s: %d to %q, want %d to %q", tt.name, got.status, got.to, tt.status, tt.to)
		}
		if in := tt.name == "right"; c.inside(t) != in {
			t.Errorf("%s: signed in is %v", tt.name, !in)
		}
	}
	want := map[string]bool{
		"somebody  by single sign-on": true, "somebody  by single sign-on, with an address that is not on the team": true,
	}
	if got := b.failures(t); !maps.Equal(got, want) {
		t.Errorf("the audit log has %v; want %v", got, want)
	}
}

// A sign-on that one browser began does not sign another one in.
func TestSingleSignOnIsBoundToTheBrowser(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	b := newBench(t, p.URL)
	b.employ(t, "olha@news.example", desk.Viewer)
	attacker, victim := b.browser(), b.browser()
	var back string
	sign(t, attacker, func(address string) string { back = address; return "/staff/sign-in" })
	if got := victim.get(t, back); got.status != http.StatusBadRequest || victim.inside(t) {
		t.Errorf("the victim's browser: %+v", got)
	}
	if got := attacker.get(t, back); got.status != http.StatusSeeOther {
		t.Errorf("the one that began: %+v", got)
	}
	if got := attacker.get(t, back); got.status != http.StatusBadRequest {
		t.Errorf("a second time: %+v", got)
	}
	b.later(24 * time.Hour)
	var late string
	sign(t, attacker, func(address string) string { late = address; return "/staff/sign-in" })
	b.later(time.Hour)
	if got := attacker.get(t, late); got.status != http.StatusBadRequest {
		t.Errorf("an hour later: %+v", got)
	}
}
