package house

import (
	"strings"
	"testing"
)

const module = "github.com/united24media/support/"

// floors is the house from docs/architecture.md. A room is a package and the
// packages below its folder. An import runs from a higher floor to a lower
// one; rooms of one floor do not know each other.
var floors = map[string]int{
	"cmd/support": 8,

	"internal/web": 7,

	"webhooks":          6,
	"internal/ask":      6,
	"internal/checkout": 6,
	"internal/account":  6,
	"internal/recovery": 6,
	"internal/staff":    6,

	"internal/reconcile":  5,
	"internal/demo":       5,
	"internal/reports":    5,
	"internal/privacy":    5,
	"internal/quarantine": 5,
	"internal/articles":   5,
	"internal/counts":     5,
	"internal/policy":     5,
	"internal/campaign":   5,
	"internal/wall":       5,

	"internal/ledger": 4,
	"internal/mail":   4,

	"internal/store":     3,
	"internal/stripeapi": 3,
	"internal/i18n":      3,
	"internal/notice":    3,

	"internal/objects": 2,

	"internal/giving":      1,
	"internal/attribution": 1,
	"internal/risk":        1,
	"internal/signin":      1,
	"internal/offer":       1,
	"internal/trace":       1,

	"internal/money":   0,
	"internal/fault":   0,
	"internal/clean":   0,
	"internal/config":  0,
	"internal/look":    0,
	"internal/chart":   0,
	"internal/limits":  0,
	"internal/redisdb": 0,
	"migrations":       0,
	"docs":             0,
	"internal/outward": 0,
}

// apart are the rooms outside the floors, with all they may know of the rest.
// Only cmd/support, which wires the parts, and tests may know them.
var apart = map[string][]string{
	"internal/sandbox": {"internal/money"},
}

// forTests are the rooms that only tests, and each other, may know.
var forTests = []string{"internal/testenv", "internal/house", "internal/world", "internal/bench", "internal/e2e"}

// pure are the rooms that do nothing but compute: what none of them imports.
var pure = map[string][]string{
	"internal/chart":   {"net", "net/http", "os", "database/sql", "gin-gonic", "stripe-go", "log/slog", "context"},
	"internal/money":   {"net", "net/http", "os", "database/sql", "gin-gonic", "stripe-go", "log/slog", "context"},
	"internal/giving":  {"net", "net/http", "os", "database/sql", "gin-gonic", "stripe-go", "log/slog", "context"},
	"internal/objects": {"net", "net/http", "os", "database/sql", "gin-gonic", "stripe-go", "log/slog", "context"},
	"internal/notice":  {"net", "net/http", "os", "database/sql", "gin-gonic", "stripe-go", "log/slog", "context"},
}

func TestImportsRunDownTheFloors(t *testing.T) {
	t.Parallel()
	for _, f := range goFiles(t) {
		if f.test {
			continue
		}
		for _, imported := range f.imports() {
			path, ours := strings.CutPrefix(imported, module)
			if !ours {
				continue
			}
			if why := refuse(f.room(), room(path)); why != "" {
				t.Errorf("%s imports %s: %s", f.path, path, why)
			}
		}
	}
}

// refuse says why from may not import to; "" if it may.
func refuse(from, to string) string {
	if from == to || contains(forTests, from) {
		return ""
	}
	if contains(forTests, to) {
		return "it is for tests only"
	}
	if known, ok := apart[from]; ok {
		if contains(known, to) {
			return ""
		}
		return from + " stands apart from the house"
	}
	if _, ok := apart[to]; ok {
		if from == "cmd/support" {
			return ""
		}
		return to + " stands apart from the house; only cmd/support wires it in"
	}
	above, known := floors[from]
	if !known {
		return from + " has no floor: give it one in internal/house"
	}
	below, known := floors[to]
	if !known {
		return to + " has no floor: give it one in internal/house"
	}
	if above <= below {
		return "an import runs down the floors, never up or along one"
	}
	return ""
}

func TestRefuse(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		from, to string
		allowed  bool
	}{
		"down":                       {"internal/web", "internal/fault", true},
		"up":                         {"internal/store", "internal/ledger", false},
		"along":                      {"internal/ask", "internal/checkout", false},
		"inside a room":              {"internal/ask", "internal/ask", true},
		"tests' own from the house":  {"internal/store", "internal/testenv", false},
		"the house from tests' own":  {"internal/bench", "internal/store", true},
		"sandbox to money":           {"internal/sandbox", "internal/money", true},
		"sandbox to anything else":   {"internal/sandbox", "internal/fault", false},
		"wiring the sandbox":         {"cmd/support", "internal/sandbox", true},
		"relying on the sandbox":     {"internal/stripeapi", "internal/sandbox", false},
		"a room that has no floor":   {"internal/nobody", "internal/money", false},
		"into one that has no floor": {"internal/web", "internal/nobody", false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if why := refuse(tt.from, tt.to); (why == "") != tt.allowed {
				t.Errorf("refuse(%q, %q) = %q, allowed should be %v", tt.from, tt.to, why, tt.allowed)
			}
		})
	}
}

func TestPureRoomsDoNoInputOrOutput(t *testing.T) {
	t.Parallel()
	for _, f := range goFiles(t) {
		if f.test {
			continue
		}
		for _, imported := range f.imports() {
			for _, banned := range pure[f.room()] {
				if imported == banned || strings.Contains(imported, "/"+banned+"/") {
					t.Errorf("%s imports %s: its package only computes", f.path, imported)
				}
			}
		}
	}
}
