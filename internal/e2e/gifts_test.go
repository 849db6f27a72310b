package e2e

import (
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/united24media/support/internal/testenv/chromium"
)

// TestStaffAndAGift walks through the screens of donations: a viewer, who must
// not learn who gave, and finance, who finds a gift, reads its story, gives a
// part of it back, and sees the sums follow.
func TestStaffAndAGift(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	p := start(t, folder)
	settings := []string{"SUPPORT_ADDR=" + strings.TrimPrefix(p.url, "http://")}
	pay(t, p, 1000, "once", "olena@example.org", "Олена Коваленко")
	pay(t, p, 2500, "month", "taras@example.org", "Taras")
	eventually(t, "both gifts count", func() bool { return supporters(t, p) == 2 })

	for look, r := range map[string]reader{
		"wide":          {1280, 800, "light", true},
		"narrow, plain": {320, 640, "dark", false},
	} {
		t.Run("viewer "+look, func(t *testing.T) { viewGifts(t, newTab(t, "viewer "+look, r), p, folder, settings) })
		t.Run("finance "+look, func(t *testing.T) { refundAGift(t, newTab(t, "finance "+look, r), p, folder, settings) })
	}
}

// pay makes a gift on the sandbox's page.
func pay(t *testing.T, p *program, amount int64, interval, email, name string) {
	t.Helper()
	body, err := json.Marshal(map[string]any{
		"amount_minor": amount, "currency": "EUR", "interval": interval, "article": article, "placement": "mid",
	})
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.Post(p.url+"/v1/checkouts", "application/json", strings.NewReader(string(body)))
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	var session struct{ URL string }
	if err := json.NewDecoder(answer.Body).Decode(&session); err != nil || answer.StatusCode != http.StatusCreated {
		t.Fatalf("a checkout: %d, %v", answer.StatusCode, err)
	}
	paid, err := http.PostForm(session.URL, url.Values{"email": {email}, "name": {name}, "outcome": {"paid"}})
	if err != nil {
		t.Fatal(err)
	}
	paid.Body.Close()
}

// enter signs somebody in by the address that the command line prints.
func (b *tab) enter(p *program, folder string, settings []string, role string) {
	b.t.Helper()
	email := strings.NewReplacer(" ", "", ",", "").Replace(b.name) + "@example.org"
	printed := command(b.t, folder, settings, "staff", "add", email, "--role", role)
	link := regexp.MustCompile(`http\S+/staff/link\S+`).FindString(printed)
	b.host = strings.TrimPrefix(p.url, "http://")
	b.Follow(chromedp.Navigate(link))
	b.Follow(chromedp.Click(chromedp.CSS("main button")))
}

// text returns what the page says.
func (b *tab) text() string { return chromium.Eval[string](b.Tab, "document.body.innerText") }

func viewGifts(t *testing.T, b *tab, p *program, folder string, settings []string) {
	b.enter(p, folder, settings, "viewer")
	b.Follow(chromedp.Navigate(p.url + "/staff/donations"))
	b.inspect("gifts-1-list")
	if text := b.text(); !strings.Contains(text, "€10") || strings.Contains(text, "olena") || strings.Contains(text, "Олена") {
		t.Errorf("a viewer's list:\n%s", text)
	}
	// Whatever a viewer searches for, nobody is found by it.
	b.Follow(chromedp.SendKeys(chromedp.ID("text"), "olena"), chromedp.Click(chromedp.CSS("form.find button")))
	if text := b.text(); !strings.Contains(text, "No donation fits") {
		t.Errorf("a viewer found:\n%s", text)
	}
	b.Follow(chromedp.Navigate(p.url + "/staff/donations"))
	b.Follow(chromedp.Click(chromedp.CSS("tbody th a")))
	b.inspect("gifts-2-story")
	if text := b.text(); !strings.Contains(text, "Chose to give") || strings.Contains(text, "example.org\n") && strings.Contains(text, "taras@") {
		t.Errorf("a viewer's story:\n%s", text)
	}
	if can := chromium.Eval[int](b.Tab, `document.querySelectorAll('a[href*="/do/"], a[href*="/supporters"]').length`); can != 0 {
		t.Errorf("a viewer is shown %d things to do", can)
	}
}

func refundAGift(t *testing.T, b *tab, p *program, folder string, settings []string) {
	b.enter(p, folder, settings, "finance")
	b.Follow(chromedp.Navigate(p.url + "/staff/donations"))
	b.Follow(chromedp.SendKeys(chromedp.ID("text"), "ОЛЕНА КОВ"), chromedp.Click(chromedp.CSS("form.find button")))
	b.inspect("gifts-1-found")
	if address := chromium.Eval[string](b.Tab, "location.href"); strings.Contains(address, "%D0") {
		t.Errorf("a name stands in the address %s", address)
	}
	if rows := chromium.Eval[int](b.Tab, `document.querySelectorAll('tbody tr').length`); rows != 1 {
		t.Fatalf("%d gifts found:\n%s", rows, b.text())
	}
	b.Follow(chromedp.Click(chromedp.CSS("tbody th a")))
	b.Follow(chromedp.Click(chromedp.CSS(`a[href$="/do/refund"]`)))
	b.inspect("gifts-2-refund")
	before := received(t, p, folder, settings)
	b.Follow(chromedp.SetValue(chromedp.ID("amount"), "2.50"), chromedp.SendKeys(chromedp.ID("reason"), "asked by phone"),
		chromedp.Click(chromedp.CSS("form.deed button")))
	b.inspect("gifts-3-story")
	if text := b.text(); !strings.Contains(text, "€2.50 given back") || !strings.Contains(strings.ToLower(text), "partly refunded") ||
		!strings.Contains(text, "asked by phone") {
		t.Errorf("after the refund:\n%s", text)
	}
	if after := received(t, p, folder, settings); after != before-250 {
		t.Errorf("received %d before and %d after", before, after)
	}
	b.Follow(chromedp.Click(chromedp.CSS(`dd a[href*="/supporters/"]`)))
	b.inspect("gifts-4-supporter")
	b.Follow(chromedp.Navigate(p.url + "/staff/donations?interval=month"))
	b.Follow(chromedp.Click(chromedp.CSS("tbody th a")))
	b.Follow(chromedp.Click(chromedp.CSS(`a[href*="/memberships/"]`)))
	b.inspect("gifts-5-membership")
	if strings.Contains(b.text(), "Audit") {
		t.Error("finance sees the audit log")
	}
}

// received returns what a report says was received in EUR.
func received(t *testing.T, _ *program, folder string, settings []string) int64 {
	t.Helper()
	var report struct {
		Totals []struct {
			Received int64 `json:"received_minor"`
		}
	}
	printed := command(t, folder, settings, "report", "--from", "2020-01-01", "--to", "2100-01-01", "--by", "currency", "--format", "json")
	if err := json.Unmarshal([]byte(printed), &report); err != nil || len(report.Totals) != 1 {
		t.Fatalf("%s: %v", printed, err)
	}
	return report.Totals[0].Received
}
