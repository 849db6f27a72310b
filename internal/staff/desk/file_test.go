package desk

import (
	"net/http/httptest"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/united24media/support/internal/limits"
)

// A connection is an answer whose deadlines are noted.
type connection struct {
	*httptest.ResponseRecorder
	deadlines []time.Time
}

func (c *connection) SetWriteDeadline(at time.Time) error {
	c.deadlines = append(c.deadlines, at)
	return nil
}

// TestAFileHasTheTimeItTakes: each piece of a file has a minute of its own.
func TestAFileHasTheTimeItTakes(t *testing.T) {
	t.Parallel()
	to := &connection{ResponseRecorder: httptest.NewRecorder()}
	c, _ := gin.CreateTestContext(to)
	out := (&Visit{Context: c}).File()
	before := time.Now()
	for _, piece := range []string{"one", "two"} {
		if _, err := out.Write([]byte(piece)); err != nil {
			t.Fatal(err)
		}
	}
	if len(to.deadlines) != 2 || to.deadlines[1].Before(before.Add(fileTime)) || to.Body.String() != "onetwo" {
		t.Errorf("deadlines %v for %q", to.deadlines, to.Body)
	}
}

// TestOneMemberHasNotAllPlaces: what one member asks for at once is bounded,
// files more narrowly than pages, and each by itself.
func TestOneMemberHasNotAllPlaces(t *testing.T) {
	t.Parallel()
	d := &Desk{pages: limits.NewAtOnce(maxPages), files: limits.NewAtOnce(maxFiles)}
	for name, c := range map[string]struct {
		route Route
		most  int
	}{"pages": {Route{}, maxPages}, "files": {Route{Long: true}, maxFiles}} {
		bound := d.atOnce(c.route)
		for range c.most {
			if _, ok := bound.Enter("mem_olha"); !ok {
				t.Fatalf("%s: the first are kept out", name)
			}
		}
		for who, want := range map[string]bool{"mem_olha": false, "mem_petro": true} {
			if _, ok := bound.Enter(who); ok != want {
				t.Errorf("%s: one more of %s is let in: %v", name, who, ok)
			}
		}
	}
}
