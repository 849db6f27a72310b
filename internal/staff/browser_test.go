package staff_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/chromedp/cdproto/webauthn"
	"github.com/chromedp/chromedp"

	"github.com/united24media/support/internal/signin"
	"github.com/united24media/support/internal/staff/desk"
	"github.com/united24media/support/internal/store"
	"github.com/united24media/support/internal/testenv/chromium"
)

// signIn opens a one-time address and presses its button.
func signIn(t *testing.T, b *chromium.Tab, on *bench, m store.Staff) {
	t.Helper()
	b.Do(chromedp.Navigate(on.address(t, m)), chromedp.Click(".card .button"))
	b.Await(`location.pathname.startsWith('/staff/') && document.querySelector('.side-who') !== null`)
}

func TestPasskey(t *testing.T) {
	t.Parallel()
	on := newBench(t, "")
	olha := on.employ(t, "olha@news.example", desk.Viewer)
	b := chromium.New(t, 1280, 900)
	chromium.Call(b, webauthn.Enable, webauthn.EnableParams{})
	chromium.Call(b, webauthn.AddVirtualAuthenticator, webauthn.AddVirtualAuthenticatorParams{Options: &webauthn.VirtualAuthenticatorOptions{
		Protocol: "ctap2", Ctap2version: "ctap2_1", Transport: "internal", HasResidentKey: true, HasUserVerification: true,
		AutomaticPresenceSimulation: true, IsUserVerified: true,
	}})
	signIn(t, b, on, olha)
	b.Do(chromedp.Navigate(on.url + "/staff/account"))
	b.Await(`document.querySelector('[data-passkey=add]')?.hidden === false`)
	b.Do(chromedp.Click("[data-passkey=add] button"))
	b.Await(`document.querySelector('.flash')?.innerText.startsWith('The passkey is added.')`)
	keys, err := on.store.Passkeys(t.Context(), olha.ID)
	if err != nil || len(keys) != 1 || !keys[0].Used.IsZero() {
		t.Fatalf("%+v, %v", keys, err)
	}
	b.Do(chromedp.Evaluate[chromedp.Void](`document.querySelector('.menu-wide form').requestSubmit()`))
	b.Await(`location.pathname === '/staff/sign-in' && document.querySelector('[data-passkey=enter]')?.hidden === false`)
	b.Do(chromedp.Navigate(on.url + "/staff/sign-in?to=/staff/account%3Fx=1"))
	b.Await(`document.querySelector('[data-passkey=enter]')?.hidden === false`)
	b.Do(chromedp.Click("[data-passkey=enter] button"))
	b.Await(`location.pathname + location.search === '/staff/account?x=1' && document.body.innerText.includes('by passkey')`)
	if keys, err = on.store.Passkeys(t.Context(), olha.ID); err != nil || keys[0].Used.IsZero() {
		t.Errorf("%+v, %v", keys, err)
	}

	// What takes a fresh sign-in asks for the key once more, and goes on.
	on.later(desk.FreshFor)
	b.Do(chromedp.Navigate(on.url + desk.Again("/staff/account?x=2")))
	b.Await(`document.querySelector('[data-passkey=enter]')?.hidden === false`)
	for _, barrier := range b.Barriers() {
		t.Errorf("the page that asks again: %s", barrier)
	}
	b.Picture("again")
	b.Do(chromedp.Click("[data-passkey=enter] button"))
	b.Await(`location.pathname + location.search === '/staff/account?x=2'`)
	if err := on.store.RemovePasskey(t.Context(), olha.ID, keys[0].ID, store.Entry{Action: "staff.passkey.remove"}); err != nil {
		t.Fatal(err)
	}
	b.Do(chromedp.Evaluate[chromedp.Void](`document.querySelector('.menu-wide form').requestSubmit()`))
	b.Await(`location.pathname === '/staff/sign-in' && document.querySelector('[data-passkey=enter]')?.hidden === false`)
	b.Do(chromedp.Click("[data-passkey=enter] button"))
	b.Await(`document.querySelector('[data-passkey=enter] .error')?.innerText.startsWith('This passkey does not open')`)
	if said := b.Complaints(); len(said) != 1 {
		t.Errorf("the console says %q, want the refusal alone", said)
	}
	if got := on.failures(t); len(got) != 1 || !got["somebody olha@news.example by a passkey"] {
		t.Errorf("the audit log has %v; want the key that is none any more", got)
	}
}

// TestPages looks at every page as each role, from a phone to a wide screen and
// in both schemes: nothing that keeps people out, nothing wider than the
// screen. Pictures go where SUPPORT_ARTIFACTS says.
func TestPages(t *testing.T) {
	t.Parallel()
	on := newBench(t, "")
	members := map[desk.Role]store.Staff{}
	for _, role := range desk.Roles() {
		members[role] = on.employ(t, string(role)+"@a-rather-long-name-of-a-newsroom.example", role)
	}
	for i := range 55 {
		e := store.Entry{At: on.desk.Now().Add(-time.Duration(i) * time.Hour), Who: "command line (root)", Action: "asks.publish", Subject: "policy", Detail: fmt.Sprintf("version %d", i)}
		if err := on.store.Audit(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	pages := map[desk.Role][]string{
		"":           {"/staff/sign-in", signin.StaffPath + "?token=x"},
		desk.Viewer:  {"/staff/account", "/staff/team"}, // the second is refused, in words
		desk.Finance: {"/staff/account"},
		desk.Admin:   {"/staff/account", "/staff/team", "/staff/team/" + members[desk.Viewer].ID, "/staff/tokens", "/staff/audit?check=1", "/staff/audit?who=nobody"},
	}
	for role, paths := range pages {
		t.Run(string(role), func(t *testing.T) {
			t.Parallel()
			b := chromium.New(t, 1280, 900)
			if role != "" {
				signIn(t, b, on, members[role])
			}
			for _, path := range paths {
				b.Do(chromedp.Navigate(on.url + path))
				for _, look := range []struct {
					width  int64
					scheme string
				}{{320, "light"}, {390, "dark"}, {768, "light"}, {1280, "dark"}, {1280, "light"}, {1920, "light"}} {
					b.Size(look.width, 900)
					b.Scheme(look.scheme)
					where := fmt.Sprintf("%s at %d, %s", path, look.width, look.scheme)
					for _, wide := range b.TooWide() {
						t.Errorf("%s: %s is wider than the screen", where, wide)
					}
					if look.width == 390 || look.width == 1280 { // the others differ in space alone
						for _, barrier := range b.Barriers() {
							t.Errorf("%s: %s", where, barrier)
						}
					}
					b.Picture(fmt.Sprintf("%s%s-%d-%s", role, path, look.width, look.scheme))
				}
			}
		})
	}
}
