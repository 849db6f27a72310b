package e2e

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// TestStaffEraseSomebody: an admin who is asked what is known of a supporter
// shows it, and then removes it, with the membership that runs.
func TestStaffEraseSomebody(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	p := start(t, folder)
	settings := []string{"SUPPORT_ADDR=" + strings.TrimPrefix(p.url, "http://")}
	pay(t, p, 2500, "month", "taras@example.org", "Taras Hrytsenko")
	eventually(t, "the gift counts", func() bool { return supporters(t, p) == 1 })

	eraseForm(t, newTab(t, "admin narrow", reader{320, 640, "dark", false}), p, folder, settings)
	b := newTab(t, "admin wide", reader{1280, 800, "light", true})
	eraseForm(t, b, p, folder, settings)
	b.Follow(chromedp.SetValue(chromedp.ID("ground"), "asked"), chromedp.Click(chromedp.CSS("[name=sure]")),
		chromedp.Click(chromedp.CSS("form.deed button")))
	b.inspect("erase-4-erased")

	b.Follow(chromedp.Navigate(p.url + "/staff/donations"))
	b.Follow(chromedp.Click(chromedp.CSS("tbody th a")))
	if text := strings.ToLower(b.text()); strings.Contains(text, "taras") || !strings.Contains(text, "€25") {
		t.Errorf("the gift afterwards:\n%s", text)
	}
	b.Follow(chromedp.Click(chromedp.CSS(`a[href*="/memberships/"]`)))
	if text := strings.ToLower(b.text()); !strings.Contains(text, "ended") {
		t.Errorf("the membership afterwards:\n%s", text)
	}
}

// eraseForm signs an admin in and goes by what is known of the supporter of the
// only gift to the form that erases them.
func eraseForm(t *testing.T, b *tab, p *program, folder string, settings []string) {
	b.enter(p, folder, settings, "admin")
	b.Follow(chromedp.Navigate(p.url + "/staff/donations"))
	b.Follow(chromedp.Click(chromedp.CSS("tbody th a")))
	b.Follow(chromedp.Click(chromedp.CSS(`dd a[href*="/supporters/"]`)))
	b.inspect("erase-1-supporter")
	b.Follow(chromedp.Click(chromedp.CSS(`a[href$="/data"]`)))
	b.inspect("erase-2-data")
	if text := b.text(); !strings.Contains(text, "taras@example.org") || !strings.Contains(text, "€25") {
		t.Errorf("what is known:\n%s", text)
	}
	b.Follow(chromedp.Click(chromedp.CSS(".crumbs a:last-child")))
	b.Follow(chromedp.Click(chromedp.CSS(`a[href$="/erase"]`)))
	b.inspect("erase-3-form")
}
