package gifts

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/united24media/support/internal/staff/desk"
)

var hiddenField = regexp.MustCompile(`<input type="hidden" name="([a-z]+)" value="([^"]*)">`)

// Who has two memberships is listed, and one press ends the later one.
func TestDoubled(t *testing.T) {
	t.Parallel()
	n := newNewsroom(t)
	n.give(1000, "EUR", "month", "once@example.org")
	_, _, first := n.give(1000, "EUR", "month", "Twice@example.org")
	ok(t, n.box.Advance(2*time.Second))
	key, _, second := n.give(5000, "EUR", "year", "twice@example.org")
	ok(t, n.box.Advance(2*time.Second))
	if count, err := n.store.CountDoubled(t.Context()); err != nil || count != 1 {
		t.Errorf("CountDoubled = %d, %v; want 1", count, err)
	}
	if w := n.ask(desk.Viewer, DoubledPath, nil); w.Code != http.StatusForbidden {
		t.Errorf("a viewer is answered %d", w.Code)
	}
	deed := membershipsPath + "/" + second + "/do/cancel"
	supporter := supportersPath + "/" + key
	for _, page := range []string{DoubledPath, supporter} {
		body := n.ask(desk.Finance, page, nil).Body.String()
		if strings.Contains(body, membershipsPath+"/"+first+"/do/cancel") || strings.Count(body, deed) != 1 {
			t.Errorf("%s ends another membership than the later one: %s", page, body)
		}
		if strings.Contains(body, "once@example.org") {
			t.Errorf("%s lists somebody with one membership", page)
		}
	}
	body := n.ask(desk.Finance, DoubledPath, nil).Body.String()
	if !strings.Contains(body, `href="`+supporter+`"`) {
		t.Errorf("the list does not lead to the supporter: %s", body)
	}
	form := url.Values{}
	_, body, _ = strings.Cut(body, deed)
	for _, field := range hiddenField.FindAllStringSubmatch(body, -1) {
		form.Set(field[1], field[2])
	}
	for range 2 {
		if w := n.ask(desk.Finance, deed, form); w.Code != http.StatusSeeOther {
			t.Fatalf("the press answers %d: %s", w.Code, w.Body)
		}
	}
	if w := n.ask(desk.Finance, membershipsPath+"/"+second, nil); !strings.Contains(w.Body.String(), "ends with its period") {
		t.Errorf("after the press: %s", w.Body)
	}
	if count, err := n.store.CountDoubled(t.Context()); err != nil || count != 0 {
		t.Errorf("after the press CountDoubled = %d, %v; want 0", count, err)
	}
	if w := n.ask(desk.Finance, supporter, nil); strings.Contains(w.Body.String(), "are charged") {
		t.Errorf("after the press the supporter's page still warns")
	}
	if w := n.ask(desk.Finance, DoubledPath, nil); !strings.Contains(w.Body.String(), "Nobody has more") {
		t.Errorf("after the press: %s", w.Body)
	}
}
