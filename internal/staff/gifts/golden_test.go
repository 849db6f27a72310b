package gifts

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/united24media/support/internal/staff/desk"
)

var update = flag.Bool("update", false, "write the files of testdata anew")

// TestGoldenCSV compares the list's file, as each role gets it, with the one of
// testdata, to the byte: whoever built a sheet on it is not surprised.
// `go test ./internal/staff/gifts -run GoldenCSV -update` writes them anew.
func TestGoldenCSV(t *testing.T) {
	t.Parallel()
	n := newNewsroom(t)
	n.hear(7, 12)
	for role, name := range map[desk.Role]string{desk.Viewer: "donations-viewer.csv", desk.Finance: "donations-finance.csv"} {
		got, file := n.ask(role, "/staff/donations.csv", nil).Body.String(), filepath.Join("testdata", name)
		if *update {
			ok(t, os.MkdirAll("testdata", 0o755))
			ok(t, os.WriteFile(file, []byte(got), 0o600))
			continue
		}
		want, err := os.ReadFile(file)
		ok(t, err)
		if got != string(want) {
			t.Errorf("%s is\n%s\nwant\n%s", name, got, want)
		}
	}
}
