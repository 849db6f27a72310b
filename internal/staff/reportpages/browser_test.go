package reportpages_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"github.com/united24media/support/internal/staff/desk"
	"github.com/united24media/support/internal/testenv"
	"github.com/united24media/support/internal/world"
)

// A tab is a browser's, signed in.
type tab struct{ context.Context }

func newTab(t *testing.T, n *newsroom) *tab {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(testenv.Chromium(t)), chromedp.NoSandbox)
	ctx, cancel := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	ctx, cancel = context.WithTimeout(ctx, 2*time.Minute)
	t.Cleanup(cancel)
	b := &tab{ctx}
	b.do(t, chromedp.EmulateViewport(1280, 900))
	cookie := network.SetCookieParams{Name: "support_staff", Value: n.cookies[desk.Admin], URL: n.URL}
	if _, err := chromedp.Call(b, network.SetCookie, cookie); err != nil {
		t.Fatal(err)
	}
	return b
}

func (b *tab) do(t *testing.T, steps ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	if err := chromedp.Do(b, steps...); err != nil {
		t.Fatal(err)
	}
}

func eval[T any](t *testing.T, b *tab, expression string) T {
	t.Helper()
	value, err := chromedp.Run(b, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		t.Fatalf("%s: %v", expression, err)
	}
	return value
}

func (b *tab) await(t *testing.T, expression string) {
	t.Helper()
	for end := time.Now().Add(15 * time.Second); time.Now().Before(end); {
		ok, err := chromedp.Run(b, chromedp.Evaluate[bool](expression))
		if err == nil && ok {
			return
		}
		b.do(t, chromedp.Sleep(20*time.Millisecond))
	}
	t.Fatalf("never: %s", expression)
}

func (b *tab) open(t *testing.T, address string) {
	t.Helper()
	b.do(t, chromedp.Navigate(address))
	b.await(t, `document.readyState === "complete"`)
}

func (b *tab) media(t *testing.T, medium, scheme string) {
	t.Helper()
	params := emulation.SetEmulatedMediaParams{
		Media: medium, Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"}},
	}
	if _, err := chromedp.Call(b, emulation.SetEmulatedMedia, params); err != nil {
		t.Fatal(err)
	}
}

// TestWalk opens every screen with everything on it opened, on four widths and
// in both schemes: no barrier for anybody, and nothing beside the page.
func TestWalk(t *testing.T) {
	t.Parallel()
	n := newNewsroom(t)
	b := newTab(t, n)
	axe := testenv.Axe(t)
	payout := ""
	for id := range n.world.AfterFetches.Payouts {
		payout = max(payout, id)
	}
	for _, address := range []string{
		"/staff?" + always, "/staff/reports?by=day&" + always, "/staff/reports?by=placement&across=month&" + always,
		"/staff/reports?show=currencies&by=country&" + always, "/staff/reports/articles?" + always, "/staff/reports/experiments?" + always,
		"/staff/reports/members?" + always, "/staff/reports/payouts?" + always, "/staff/reports/payouts/" + payout, "/staff/reports/months", "/staff/reports/months/2026-03",
	} {
		b.open(t, n.URL+address)
		eval[bool](t, b, axe+";!!axe")
		eval[bool](t, b, `document.querySelectorAll("details").forEach(d => d.open = true), true`)
		for _, width := range []int64{320, 768, 1280, 1920} {
			b.do(t, chromedp.EmulateViewport(width, 900))
			if over := eval[int](t, b, `document.documentElement.scrollWidth - innerWidth`); over > 0 {
				t.Errorf("%s at %d px is %d px too wide", address, width, over)
			}
		}
		b.do(t, chromedp.EmulateViewport(1280, 900))
		for _, scheme := range []string{"light", "dark"} {
			b.media(t, "", scheme)
			found := eval[string](t, b, `axe.run({ resultTypes: ["violations"] }).then(r => r.violations.map(v => v.id + ": " + v.nodes.map(n => n.html).join(" | ").slice(0, 400)).join("\n"))`)
			if found != "" {
				t.Errorf("%s, %s:\n%s", address, scheme, found)
			}
		}
		b.media(t, "print", "light")
		if eval[bool](t, b, `getComputedStyle(document.querySelector(".side")).display !== "none"`) {
			t.Errorf("%s is printed with the navigation", address)
		}
		b.media(t, "", "light")
	}
}

// TestTheOverviewIsLive: a gift is on the page within two seconds of being
// recorded, and what somebody has opened stays open.
func TestTheOverviewIsLive(t *testing.T) {
	t.Parallel()
	n := newNewsroom(t)
	b := newTab(t, n)
	b.open(t, n.URL+"/staff?"+always)
	const donations = `[...document.querySelectorAll(".figures dt")].find(d => d.textContent === "Donations").nextElementSibling.textContent.trim()`
	before := eval[string](t, b, donations)
	eval[bool](t, b, `document.querySelector(".chart-data").open = true`)
	for seed := uint64(1); ; seed++ { // the first gift that was received
		w := world.OneGift(world.Seeded(seed, 200), world.Options{Name: fmt.Sprint("x", seed)})
		if len(w.AfterFetches.Donations) > 0 {
			n.tell(t, w)
			break
		}
	}
	told := time.Now()
	b.await(t, donations+` !== `+"`"+strings.ReplaceAll(before, "`", "")+"`")
	if took := time.Since(told); took > 2*time.Second && !raced {
		t.Errorf("it took %s", took)
	}
	if !eval[bool](t, b, `document.querySelector(".chart-data").open`) {
		t.Error("what was opened is closed")
	}
}
