package gifts

import (
	"testing"

	"github.com/united24media/support/internal/staff/desk"
	"github.com/united24media/support/internal/testenv"
)

// TestGoldenCSV compares the list's file, as each role gets it, with the one of
// testdata, to the byte: whoever built a sheet on it is not surprised.
func TestGoldenCSV(t *testing.T) {
	t.Parallel()
	n := newNewsroom(t)
	n.hear(7, 12)
	for role, name := range map[desk.Role]string{desk.Viewer: "donations-viewer.csv", desk.Finance: "donations-finance.csv"} {
		testenv.Golden(t, name, n.ask(role, "/staff/donations.csv", nil).Body.Bytes())
	}
	testenv.Golden(t, "supporters.csv", n.ask(desk.Finance, "/staff/supporters.csv", nil).Body.Bytes())
	testenv.Golden(t, "memberships.csv", n.ask(desk.Finance, "/staff/memberships.csv?from=2020-01-01&through=2029-12-31", nil).Body.Bytes())
}
