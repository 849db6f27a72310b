package house

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"github.com/google/licensecheck"
)

// allowed are the licences under which a newsroom may change and ship the
// program without publishing anything.
var allowed = []string{"MIT", "BSD-2-Clause", "BSD-3-Clause", "ISC", "Apache-2.0", "Unlicense", "CC0-1.0", "0BSD", "Zlib"}

// licenceFile matches the names under which modules keep their licence.
var licenceFile = regexp.MustCompile(`(?i)^(un)?licen[cs]e([-._].*)?$|^copying([-._].*)?$`)

// enough is how much of a licence's text must be known, in percent.
const enough = 75

// TestLicences reads the licence of every module that is linked into the
// program.
func TestLicences(t *testing.T) {
	t.Parallel()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-deps", "-json=Module", "../../cmd/support")
	printed, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for packages := json.NewDecoder(bytes.NewReader(printed)); packages.More(); {
		var p struct {
			Module *struct {
				Path, Dir string
				Main      bool
			}
		}
		if err := packages.Decode(&p); err != nil {
			t.Fatal(err)
		}
		if m := p.Module; m != nil && !m.Main && !seen[m.Path] {
			seen[m.Path] = true
			for _, found := range licences(t, m.Dir) {
				if !slices.Contains(allowed, found) {
					t.Errorf("%s is under %s, which is not among %v", m.Path, found, allowed)
				}
			}
		}
	}
	if len(seen) < 20 {
		t.Errorf("only %d modules were found", len(seen))
	}
}

// licences returns the licences a module's folder tells of, or "an unknown
// licence".
func licences(t *testing.T, folder string) []string {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, entry := range entries {
		if entry.IsDir() || !licenceFile.MatchString(entry.Name()) {
			continue
		}
		text, err := os.ReadFile(filepath.Join(folder, entry.Name()))
		if err != nil {
			t.Fatal(err)
		}
		coverage := licensecheck.Scan(text)
		if coverage.Percent < enough {
			continue
		}
		for _, match := range coverage.Match {
			found = append(found, match.ID)
		}
	}
	if len(found) == 0 {
		return []string{"an unknown licence"}
	}
	return found
}
