package staff_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/cdproto/webauthn"
	"github.com/chromedp/chromedp"

	"github.com/united24media/support/internal/signin"
	"github.com/united24media/support/internal/staff/desk"
	"github.com/united24media/support/internal/store"
	"github.com/united24media/support/internal/testenv"
)

// A tab is a page in Chromium; what its console complains about fails the test.
type tab struct {
	context.Context
	mu     sync.Mutex
	faults []string
}

func newTab(t *testing.T) *tab {
	t.Helper()
	b := &tab{}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(testenv.Chromium(t)), chromedp.NoSandbox)
	ctx, cancel := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx, chromedp.WithListener(b.listen))
	t.Cleanup(cancel)
	b.Context, cancel = context.WithTimeout(ctx, 2*time.Minute)
	t.Cleanup(cancel)
	t.Cleanup(func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		for _, fault := range b.faults {
			t.Errorf("the console: %s", fault)
		}
	})
	return b
}

func (b *tab) listen(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := event.(type) {
	case *log.EventEntryAdded:
		if e.Entry.Level == log.EntryLevelError || e.Entry.Level == log.EntryLevelWarning {
			b.faults = append(b.faults, e.Entry.Text+" "+e.Entry.URL)
		}
	case *runtime.EventExceptionThrown:
		b.faults = append(b.faults, e.ExceptionDetails.Text)
	}
}

func (b *tab) do(t *testing.T, steps ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	if err := chromedp.Do(b, steps...); err != nil {
		t.Fatal(err)
	}
}

func (b *tab) eval(t *testing.T, script string) []string {
	t.Helper()
	v, err := chromedp.Run(b, chromedp.Evaluate[[]string](script, chromedp.EvalAwaitPromise))
	if err != nil {
		t.Fatalf("%.200s: %v", script, err)
	}
	return v
}

// until waits until an expression of the page is true.
func (b *tab) until(t *testing.T, expression string) {
	t.Helper()
	for {
		v, err := chromedp.Run(b, chromedp.Evaluate[bool](expression))
		switch {
		case err == nil && v:
			return
		case b.Err() != nil:
			text, _ := chromedp.Run(context.WithoutCancel(b), chromedp.Evaluate[string]("document.body.innerText"))
			t.Fatalf("never: %s\n%s", expression, text)
		}
		time.Sleep(10 * time.Millisecond) // the page works meanwhile
	}
}

// see makes the tab's page of a width and a scheme.
func (b *tab) see(t *testing.T, width int64, scheme string) {
	t.Helper()
	b.do(t, chromedp.EmulateViewport(width, 900))
	if _, err := chromedp.Call(b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
	}); err != nil {
		t.Fatal(err)
	}
}

// signIn opens a one-time address and presses its button.
func (b *tab) signIn(t *testing.T, on *bench, m store.Staff) {
	t.Helper()
	b.do(t, chromedp.Navigate(on.address(t, m)), chromedp.Click(".card .button"))
	b.until(t, `location.pathname.startsWith('/staff/') && document.querySelector('.side-who') !== null`)
}

func TestPasskey(t *testing.T) {
	t.Parallel()
	on := newBench(t, "")
	olha := on.employ(t, "olha@news.example", desk.Viewer)
	b := newTab(t)
	b.see(t, 1280, "light")
	if _, err := chromedp.Call(b, webauthn.Enable, webauthn.EnableParams{}); err != nil {
		t.Fatal(err)
	}
	if _, err := chromedp.Call(b, webauthn.AddVirtualAuthenticator, webauthn.AddVirtualAuthenticatorParams{Options: &webauthn.VirtualAuthenticatorOptions{
		Protocol: "ctap2", Ctap2version: "ctap2_1", Transport: "internal", HasResidentKey: true, HasUserVerification: true,
		AutomaticPresenceSimulation: true, IsUserVerified: true,
	}}); err != nil {
		t.Fatal(err)
	}
	b.signIn(t, on, olha)
	b.do(t, chromedp.Navigate(on.url+"/staff/account"))
	b.until(t, `document.querySelector('[data-passkey=add]')?.hidden === false`)
	b.do(t, chromedp.Click("[data-passkey=add] button"))
	b.until(t, `document.querySelector('.flash')?.innerText.startsWith('The passkey is added.')`)
	keys, err := on.store.Passkeys(t.Context(), olha.ID)
	if err != nil || len(keys) != 1 || !keys[0].Used.IsZero() {
		t.Fatalf("%+v, %v", keys, err)
	}
	b.do(t, chromedp.Evaluate[chromedp.Void](`document.querySelector('.menu-wide form').requestSubmit()`))
	b.until(t, `location.pathname === '/staff/sign-in' && document.querySelector('[data-passkey=enter]')?.hidden === false`)
	b.do(t, chromedp.Navigate(on.url+"/staff/sign-in?to=/staff/account%3Fx=1"))
	b.until(t, `document.querySelector('[data-passkey=enter]')?.hidden === false`)
	b.do(t, chromedp.Click("[data-passkey=enter] button"))
	b.until(t, `location.pathname + location.search === '/staff/account?x=1' && document.body.innerText.includes('by passkey')`)
	if keys, err = on.store.Passkeys(t.Context(), olha.ID); err != nil || keys[0].Used.IsZero() {
		t.Errorf("%+v, %v", keys, err)
	}
	if err := on.store.RemovePasskey(t.Context(), olha.ID, keys[0].ID, store.Entry{Action: "staff.passkey.remove"}); err != nil {
		t.Fatal(err)
	}
	b.do(t, chromedp.Evaluate[chromedp.Void](`document.querySelector('.menu-wide form').requestSubmit()`))
	b.until(t, `location.pathname === '/staff/sign-in' && document.querySelector('[data-passkey=enter]')?.hidden === false`)
	b.do(t, chromedp.Click("[data-passkey=enter] button"))
	b.until(t, `document.querySelector('[data-passkey=enter] .error')?.innerText.startsWith('This passkey does not open')`)
	b.mu.Lock()
	b.faults = nil // the refusal, which the console tells too
	b.mu.Unlock()
}

// TestPages looks at every page as each role, from a phone to a wide screen and
// in both schemes: nothing that keeps people out, nothing wider than the
// screen. Pictures go where SUPPORT_ARTIFACTS says.
func TestPages(t *testing.T) {
	t.Parallel()
	axe := testenv.Axe(t)
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
		desk.Admin:   {"/staff/account", "/staff/team", "/staff/team/" + members[desk.Viewer].ID, "/staff/audit?check=1", "/staff/audit?who=nobody"},
	}
	for role, paths := range pages {
		t.Run(string(role), func(t *testing.T) {
			t.Parallel()
			b := newTab(t)
			b.see(t, 1280, "light")
			if role != "" {
				b.signIn(t, on, members[role])
			}
			for _, path := range paths {
				b.do(t, chromedp.Navigate(on.url+path))
				for _, look := range []struct {
					width  int64
					scheme string
				}{{320, "light"}, {390, "dark"}, {768, "light"}, {1280, "dark"}, {1280, "light"}, {1920, "light"}} {
					b.see(t, look.width, look.scheme)
					where := fmt.Sprintf("%s at %d, %s", path, look.width, look.scheme)
					for _, wide := range b.eval(t, `[...document.querySelectorAll('body *')].filter(e => document.documentElement.scrollWidth > innerWidth && e.getBoundingClientRect().right > innerWidth + 1).map(e => e.tagName + '.' + e.className)`) {
						t.Errorf("%s: %s is wider than the screen", where, wide)
					}
					if look.width == 390 || look.width == 1280 { // the others differ in space alone
						for _, violation := range b.eval(t, axe+`; axe.run({exclude: ['.skip']}).then(r => r.violations.map(v => v.id + ': ' + v.nodes.map(n => n.target.join(' ') + ' ' + n.failureSummary).join('; ')))`) {
							t.Errorf("%s: %s", where, violation)
						}
					}
					if folder := os.Getenv("SUPPORT_ARTIFACTS"); folder != "" {
						picture, err := chromedp.Run(b, chromedp.FullScreenshot(100))
						if err != nil {
							t.Fatal(err)
						}
						name := strings.NewReplacer("/", "-", "?", "-", "=", "-").Replace(fmt.Sprintf("%s%s-%d-%s.png", role, path, look.width, look.scheme))
						if err := os.WriteFile(filepath.Join(folder, name), picture, 0o644); err != nil {
							t.Fatal(err)
						}
					}
				}
			}
			b.mu.Lock()
			b.faults = nil // pages that are refused on purpose are told by the console
			b.mu.Unlock()
		})
	}
}
