package reportpages_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"

	"github.com/united24media/support/internal/staff/desk"
	"github.com/united24media/support/internal/store"
	"github.com/united24media/support/internal/testenv/chromium"
	"github.com/united24media/support/internal/world"
)

// newTab opens a tab in which an admin is signed in.
func newTab(t *testing.T, n *newsroom) *chromium.Tab {
	t.Helper()
	b := chromium.New(t, 1280, 900)
	chromium.Call(b, network.SetCookie, network.SetCookieParams{Name: "support_staff", Value: n.cookies[desk.Admin], URL: n.URL})
	return b
}

// TestWalk opens every screen with everything on it opened, on four widths and
// in both schemes: no barrier for anybody, and nothing beside the page.
func TestWalk(t *testing.T) {
	t.Parallel()
	n := newNewsroom(t)
	b := newTab(t, n)
	payout := ""
	for id := range n.world.AfterFetches.Payouts {
		payout = max(payout, id)
	}
	ok(t, n.store.AddArticles(t.Context(), []store.Article{
		{Slug: "grain", Title: "Grain and Bread: How the Corridor Was Opened, Closed and Opened Again", Address: "https://news.example/grain"},
		{Slug: "a-slug-of-which-nothing-more-is-known-than-that-it-is-a-long-one-indeed", Address: "https://news.example/long"},
	}))
	for _, address := range []string{
		"/staff?" + always, "/staff/reports?by=day&" + always, "/staff/reports?by=placement&across=month&" + always,
		"/staff/reports?show=currencies&by=country&" + always, "/staff/reports/articles?" + always, "/staff/reports/experiments?" + always,
		"/staff/reports/members?" + always, "/staff/reports/payouts?" + always, "/staff/reports/payouts/" + payout, "/staff/reports/months", "/staff/reports/months/2026-03",
		"/staff/articles", "/staff/articles?find=nothing+like+it", "/staff/articles/edit?article=grain",
	} {
		b.Open(n.URL + address)
		chromium.Eval[bool](b, `document.querySelectorAll("details").forEach(d => d.open = true), true`)
		for _, width := range []int64{320, 768, 1280, 1920} {
			b.Size(width, 900)
			if over := chromium.Eval[int](b, `document.documentElement.scrollWidth - innerWidth`); over > 0 {
				t.Errorf("%s at %d px is %d px too wide", address, width, over)
			}
			// Cohorts of years, and each of many currencies, have a column of their own, and scroll.
			if width == 768 && !strings.Contains(address, "show=currencies") && !strings.Contains(address, "/members?") {
				for _, cell := range b.CutOff() {
					t.Errorf("%s on a tablet: %s", address, cell)
				}
			}
		}
		b.Picture("desk" + strings.NewReplacer("/", "-", "?", "-", "&", "-", "=", "-").Replace(address))
		b.Size(1280, 900)
		for _, scheme := range []string{"light", "dark"} {
			b.Scheme(scheme)
			for _, barrier := range b.Barriers() {
				t.Errorf("%s, %s: %s", address, scheme, barrier)
			}
		}
		if !strings.Contains(address, "show=currencies") {
			for _, wrong := range b.OnPaper() {
				t.Errorf("%s on paper: %s", address, wrong)
			}
		}
		b.Scheme("light")
	}
}

// TestTheOverviewIsLive: a gift is on the page within two seconds of being
// recorded, and what somebody has opened stays open.
func TestTheOverviewIsLive(t *testing.T) {
	t.Parallel()
	n := newNewsroom(t)
	b := newTab(t, n)
	b.Open(n.URL + "/staff?" + always)
	const donations = `[...document.querySelectorAll(".figures dt")].find(d => d.textContent === "Donations").nextElementSibling.textContent.trim()`
	before := chromium.Eval[string](b, donations)
	chromium.Eval[bool](b, `document.querySelector(".chart-data").open = true`)
	for seed := uint64(1); ; seed++ { // the first gift that was received
		w := world.OneGift(world.Seeded(seed, 200), world.Options{Name: fmt.Sprint("x", seed)})
		if len(w.AfterFetches.Donations) > 0 {
			n.tell(t, w)
			break
		}
	}
	told := time.Now()
	b.Await(donations + ` !== ` + "`" + strings.ReplaceAll(before, "`", "") + "`")
	if took := time.Since(told); took > 2*time.Second && !raced {
		t.Errorf("it took %s", took)
	}
	if !chromium.Eval[bool](b, `document.querySelector(".chart-data").open`) {
		t.Error("what was opened is closed")
	}
}
