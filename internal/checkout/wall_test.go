package checkout

import (
	"net/http"
	"strings"
	"testing"
)

// A message is meant for the public only by those who say so, and they are asked
// only where it may be shown.
func TestMessagesForThePublic(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ wall, ticked bool }{
		"no wall":       {false, false},
		"a wall":        {true, false},
		"a wall, asked": {true, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			b.Wall = func() bool { return tt.wall }
			p := b.view(t, "lang=en&currency=EUR")
			form := p.form()
			text := b.do(http.MethodGet, "/support?lang=en", "", "").Body.String()
			for words, want := range map[string]bool{
				`name="show_message"`: tt.wall, "Only our team reads it": !tt.wall, "others only if you allow it": tt.wall, `href="/wall?lang=en"`: tt.wall,
			} {
				if strings.Contains(text, words) != want {
					t.Errorf("the form has %q: %v; want %v", words, !want, want)
				}
			}
			form.Set("name", "Ann")
			form.Set("public", "1")
			form.Set("message", "Keep going")
			if tt.ticked {
				form.Set("show_message", "1")
			}
			if w := b.send(form); w.Code != http.StatusSeeOther {
				t.Fatalf("%d: %s", w.Code, w.Body)
			}
			if row := b.row(t, "cs_test_1"); row.ShowMessage != tt.ticked || row.Anonymous {
				t.Errorf("the row is %+v", row)
			}
		})
	}
}
