// Package passkey signs members in by a key in their device (WebAuthn), and
// lets them add and remove such keys.
package passkey

import (
	_ "embed" // for the script
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"strings"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"github.com/united24media/support/internal/fault"
	"github.com/united24media/support/internal/look"
	"github.com/united24media/support/internal/staff/desk"
	"github.com/united24media/support/internal/store"
)

//go:embed passkey.js
var scriptJS []byte

// Purposes of challenges, which are also the names of their cookies.
const (
	entering = "support_staff_passkey"
	adding   = "support_staff_passkey_new"
)

const (
	accountPath = "/staff/account"
	maxKeys     = 20 // of one member
)

// Options are what passkeys need.
type Options struct {
	Desk *desk.Desk
}

// Passkeys are the addresses that the script of the pages talks to.
type Passkeys struct {
	Options
	web    *webauthn.WebAuthn
	script *look.Asset
}

// Possible reports whether browsers have passkeys for a public address: its
// host must be a name, and so not 127.0.0.1.
func Possible(publicURL string) bool {
	u, err := url.Parse(publicURL)
	if err != nil || u.Hostname() == "" {
		return false
	}
	_, err = netip.ParseAddr(u.Hostname())
	return err != nil
}

// New returns passkeys for the desk's public address, which must be
// [Possible].
func New(o Options) (*Passkeys, error) {
	u, err := url.Parse(o.Desk.PublicURL)
	if err != nil {
		return nil, fmt.Errorf("passkeys: %w", err)
	}
	web, err := webauthn.New(&webauthn.Config{
		RPID: u.Hostname(), RPDisplayName: "UNITED24 Media Support", RPOrigins: []string{u.Scheme + "://" + u.Host},
		AttestationPreference: protocol.PreferNoAttestation,
		AuthenticatorSelection: protocol.AuthenticatorSelection{
			ResidentKey: protocol.ResidentKeyRequirementRequired, UserVerification: protocol.VerificationRequired,
		},
	})
	if err != nil {
		return nil, fmt.Errorf("passkeys: %w", err)
	}
	return &Passkeys{Options: o, web: web, script: look.NewAsset("passkey.js", "text/javascript; charset=utf-8", scriptJS)}, nil
}

// Script returns the script that pages with passkeys load.
func (p *Passkeys) Script() *look.Asset { return p.script }

// Assets returns what pages with passkeys load.
func (p *Passkeys) Assets() []*look.Asset { return []*look.Asset{p.script} }

// Routes returns the addresses.
func (p *Passkeys) Routes() []desk.Route {
	return []desk.Route{
		{Method: http.MethodPost, Path: desk.SignInPath + "/passkey/begin", Handle: p.beginEntering},
		{Method: http.MethodPost, Path: desk.SignInPath + "/passkey", Handle: p.enter},
		{Method: http.MethodPost, Path: accountPath + "/passkeys/begin", Need: desk.Viewer, Handle: p.beginAdding},
		{Method: http.MethodPost, Path: accountPath + "/passkeys", Need: desk.Viewer, Handle: p.add},
		{Method: http.MethodPost, Path: accountPath + "/passkeys/remove", Need: desk.Viewer, Handle: p.remove},
	}
}

// A holder is a member as the library sees one.
type holder struct {
	id, email string
	keys      []webauthn.Credential
}

func (h holder) WebAuthnID() []byte                         { return []byte(h.id) }
func (h holder) WebAuthnName() string                       { return h.email }
func (h holder) WebAuthnDisplayName() string                { return h.email }
func (h holder) WebAuthnCredentials() []webauthn.Credential { return h.keys }

// holder returns a member with the keys they have.
func (p *Passkeys) holder(v *desk.Visit, id, email string) (holder, error) {
	h := holder{id: id, email: email}
	stored, err := p.Desk.Store.Passkeys(v.Request.Context(), id)
	for _, s := range stored {
		var key webauthn.Credential
		if err := json.Unmarshal([]byte(s.Credential), &key); err != nil {
			return h, fmt.Errorf("passkey %s can't be read: %w", s.ID, err)
		}
		h.keys = append(h.keys, key)
	}
	return h, err
}

// refused is what somebody is told whose passkey is no good. Which of the
// reasons it is, is in the log alone.
func (p *Passkeys) refused(v *desk.Visit, err error) error {
	p.Desk.Log.InfoContext(v.Request.Context(), "staff: a passkey was refused", "err", err)
	return fault.New(fault.Invalid, "This passkey does not open the staff pages. Sign in another way.")
}

// begin keeps a session of the library's for the browser and answers with what
// the browser asks of the device.
func (p *Passkeys) begin(v *desk.Visit, purpose string, session *webauthn.SessionData, options any) error {
	data, err := json.Marshal(session)
	if err != nil {
		return err
	}
	if err := p.Desk.Challenge(v.Context, purpose, string(data)); err != nil {
		return err
	}
	v.JSON(http.StatusOK, options)
	return nil
}

// answered returns the session that was kept for the browser.
func (p *Passkeys) answered(v *desk.Visit, purpose string) (session webauthn.SessionData, err error) {
	data, err := p.Desk.Answer(v.Context, purpose)
	if err == nil {
		err = json.Unmarshal([]byte(data), &session)
	}
	return session, err
}

// beginEntering handles POST /staff/sign-in/passkey/begin. Who it is, the key
// says.
func (p *Passkeys) beginEntering(v *desk.Visit) error {
	if err := p.Desk.Allow(v); err != nil {
		return err
	}
	options, session, err := p.web.BeginDiscoverableLogin()
	if err != nil {
		return err
	}
	return p.begin(v, entering, session, options)
}

// enter handles POST /staff/sign-in/passkey.
func (p *Passkeys) enter(v *desk.Visit) error {
	session, err := p.answered(v, entering)
	if err != nil {
		return err
	}
	var who store.Staff
	_, key, err := p.web.FinishPasskeyLogin(func(_, handle []byte) (webauthn.User, error) {
		var err error
		if who, err = p.Desk.Store.StaffByID(v.Request.Context(), string(handle)); err != nil {
			return nil, err
		}
		return p.holder(v, who.ID, who.Email)
	}, session, v.Request)
	if store.Away(err) {
		return err
	}
	if err != nil || key.Authenticator.CloneWarning {
		p.Desk.Failed(v.Request.Context(), "by a passkey", who.Email)
	}
	switch {
	case err != nil:
		return p.refused(v, err)
	case key.Authenticator.CloneWarning:
		return p.refused(v, errors.New("its counter went back: there may be a copy of it"))
	}
	data, err := json.Marshal(key)
	if err != nil {
		return err
	}
	if err := p.Desk.Store.UsePasskey(v.Request.Context(), base64.RawURLEncoding.EncodeToString(key.ID), string(data), p.Desk.Now()); err != nil {
		return err
	}
	if err := p.Desk.SignIn(v, who, store.ByPasskey, p.Desk.Now()); err != nil {
		return err
	}
	v.Status(http.StatusNoContent)
	return nil
}

// beginAdding handles POST /staff/account/passkeys/begin. A passkey is a way in
// that lasts, so it takes a fresh sign-in.
func (p *Passkeys) beginAdding(v *desk.Visit) error {
	if err := p.Desk.Fresh(v, accountPath); err != nil {
		return err
	}
	h, err := p.holder(v, v.Member.ID, v.Member.Email)
	if err != nil {
		return err
	}
	if len(h.keys) >= maxKeys {
		return fault.New(fault.Invalid, "You have %d passkeys, which is the most; remove one first.", maxKeys)
	}
	options, session, err := p.web.BeginRegistration(h, webauthn.WithExclusions(webauthn.Credentials(h.keys).CredentialDescriptors()))
	if err != nil {
		return err
	}
	return p.begin(v, adding, session, options)
}

// add handles POST /staff/account/passkeys.
func (p *Passkeys) add(v *desk.Visit) error {
	session, err := p.answered(v, adding)
	if err != nil {
		return err
	}
	h, err := p.holder(v, v.Member.ID, v.Member.Email)
	if err != nil {
		return err
	}
	key, err := p.web.FinishRegistration(h, session, v.Request)
	if err != nil {
		return p.refused(v, err)
	}
	data, err := json.Marshal(key)
	if err != nil {
		return err
	}
	passkey := store.Passkey{
		ID: base64.RawURLEncoding.EncodeToString(key.ID), Staff: v.Member.ID, Name: desk.Device(v.Request.UserAgent()),
		Credential: string(data), Created: p.Desk.Now(),
	}
	if err := p.Desk.Store.AddPasskey(v.Request.Context(), passkey, p.Desk.By(v, "staff.passkey.add", passkey.Name)); err != nil {
		return err
	}
	p.Desk.Say(v, "The passkey is added. Next time, sign in with it.")
	v.Status(http.StatusNoContent)
	return nil
}

// remove handles POST /staff/account/passkeys/remove.
func (p *Passkeys) remove(v *desk.Visit) error {
	id := strings.TrimSpace(v.PostForm("id"))
	if err := p.Desk.Store.RemovePasskey(v.Request.Context(), v.Member.ID, id, p.Desk.By(v, "staff.passkey.remove", id)); err != nil {
		return err
	}
	return p.Desk.Back(v, accountPath, "The passkey is removed. Your device may still offer it; it opens nothing here.")
}
