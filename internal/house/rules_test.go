package house

import (
	"go/ast"
	"go/token"
	"path"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// longest is how many lines a file has at most: one that is longer has more
// than one subject.
const longest = 500

func TestFilesAreShort(t *testing.T) {
	t.Parallel()
	for _, f := range texts(t) {
		switch path.Ext(f.path) {
		case ".go", ".ts", ".css", ".html", ".sql":
			if n := strings.Count(f.content, "\n"); n > longest {
				t.Errorf("%s has %d lines; split it by subject so that none has over %d", f.path, n, longest)
			}
		}
	}
}

// sqlText matches the beginning of a statement in a string.
var sqlText = regexp.MustCompile(
	`(?s)\bSELECT\s.*\bFROM\b|\bINSERT\s+INTO\b|\bUPDATE\s+\w+\s+SET\b|\bDELETE\s+FROM\b|\bCREATE\s+(TABLE|INDEX|VIEW|UNIQUE)\b`)

func TestSQLStandsInTheStore(t *testing.T) {
	t.Parallel()
	for _, f := range goFiles(t) {
		if f.test || f.room() == "internal/store" || contains(forTests, f.room()) {
			continue
		}
		ast.Inspect(f.ast, func(n ast.Node) bool {
			if s, ok := n.(*ast.BasicLit); ok && s.Kind == token.STRING && sqlText.MatchString(s.Value) {
				t.Errorf("%s: SQL outside internal/store", f.where(n))
			}
			return true
		})
		for _, imported := range f.imports() {
			if imported == "database/sql" || strings.HasPrefix(imported, "github.com/jackc/pgx") ||
				strings.HasPrefix(imported, "modernc.org/sqlite") {
				t.Errorf("%s imports %s: only internal/store talks to a database", f.path, imported)
			}
		}
	}
}

// TestCallsOutAreMadeInOnePlace: whoever asks another service has its client
// from package outward, which knows no proxy and no old TLS.
func TestCallsOutAreMadeInOnePlace(t *testing.T) {
	t.Parallel()
	made := map[string][]string{
		"net/http":   {"Client", "Transport", "DefaultClient", "DefaultTransport", "Get", "Head", "Post", "PostForm", "ProxyFromEnvironment"},
		"crypto/tls": {"Config", "Dial", "DialWithDialer", "Dialer"},
	}
	for _, f := range goFiles(t) {
		_, standsApart := apart[f.room()]
		if f.test || f.room() == "internal/outward" || standsApart || contains(forTests, f.room()) {
			continue
		}
		use := func(n ast.Node) {
			if s, ok := n.(*ast.SelectorExpr); ok {
				if in, ok := s.X.(*ast.Ident); ok {
					for imported, names := range made {
						if contains(f.imports(), imported) && in.Name == path.Base(imported) && contains(names, s.Sel.Name) {
							t.Errorf("%s: %s.%s; take outward.Client or outward.TLS", f.where(n), in.Name, s.Sel.Name)
						}
					}
				}
			}
		}
		ast.Inspect(f.ast, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.CompositeLit:
				use(n.Type)
			case *ast.CallExpr:
				use(n.Fun)
				for _, argument := range n.Args {
					use(argument)
				}
			case *ast.AssignStmt:
				for _, value := range n.Rhs {
					use(value)
				}
			}
			return true
		})
	}
}

func TestStripesLibraryStaysAtTheEdge(t *testing.T) {
	t.Parallel()
	for _, f := range goFiles(t) {
		if f.test || f.room() == "internal/stripeapi" || f.room() == "webhooks" {
			continue
		}
		for _, imported := range f.imports() {
			if strings.HasPrefix(imported, "github.com/stripe/stripe-go") {
				t.Errorf("%s imports %s: only internal/stripeapi and webhooks do", f.path, imported)
			}
		}
	}
}

// handlesMoney are the rooms through which amounts pass.
var handlesMoney = []string{
	"internal/money", "internal/giving", "internal/objects", "internal/ledger", "internal/store",
	"internal/stripeapi", "internal/reports", "internal/reconcile", "internal/checkout", "internal/offer", "internal/counts",
}

// countsNoMoney are files in those rooms whose numbers are no amounts, each with
// what they are.
var countsNoMoney = map[string]string{
	"internal/reconcile/silence.go": "how likely it is that nothing was paid for so long",
	"internal/reports/chance.go":    "how likely it is that a reader gives",
}

// TestNoFloats: a sum of money that was a float once has lost a cent somewhere.
func TestNoFloats(t *testing.T) {
	t.Parallel()
	for _, f := range goFiles(t) {
		if f.test || countsNoMoney[f.path] != "" || !contains(handlesMoney, f.room()) {
			continue
		}
		ast.Inspect(f.ast, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.Ident:
				if n.Name == "float64" || n.Name == "float32" || n.Name == "ParseFloat" {
					t.Errorf("%s: %s where money passes", f.where(n), n.Name)
				}
			case *ast.BasicLit:
				if n.Kind == token.FLOAT {
					t.Errorf("%s: %s where money passes", f.where(n), n.Value)
				}
			}
			return true
		})
	}
}

func TestNothingRunsBeforeMain(t *testing.T) {
	t.Parallel()
	for _, f := range goFiles(t) {
		for _, d := range f.ast.Decls {
			if d, ok := d.(*ast.FuncDecl); ok && d.Name.Name == "init" && d.Recv == nil {
				t.Errorf("%s: init runs unseen; call it where it is needed", f.where(d))
			}
		}
	}
}

// unkept are texts that mean something on one machine only, each with the one
// file that may hold it. They are put together here so as not to find
// themselves.
var unkept = map[string]string{
	"../" + "shared": ".ci/run",
	"/wo" + "rk/":    "",
	"/ro" + "ot/":    "",
	"/ho" + "me/":    "",
}

func TestNothingNamesOneMachine(t *testing.T) {
	t.Parallel()
	for _, f := range texts(t) {
		for line, text := range strings.Split(f.content, "\n") {
			for word, allowed := range unkept {
				if strings.Contains(text, word) && f.path != allowed {
					t.Errorf("%s:%d names %s, which only one machine has", f.path, line+1, word)
				}
			}
		}
	}
}

// TestExportedNamesAreDocumented leaves out methods of unexported types and
// what is for tests.
func TestExportedNamesAreDocumented(t *testing.T) {
	t.Parallel()
	for _, f := range goFiles(t) {
		if f.test || f.ast.Name.Name == "main" {
			continue
		}
		for _, d := range f.ast.Decls {
			for _, name := range undocumented(d) {
				t.Errorf("%s: %s has no comment", f.where(d), name)
			}
		}
	}
}

// speaksForItself are methods whose contract the standard library has written.
var speaksForItself = []string{"Error", "String", "Unwrap", "ServeHTTP"}

// undocumented returns the exported names d declares without saying what they
// are.
func undocumented(d ast.Decl) []string {
	switch d := d.(type) {
	case *ast.FuncDecl:
		wellKnown := d.Recv != nil && contains(speaksForItself, d.Name.Name)
		if d.Name.IsExported() && d.Doc == nil && !wellKnown && (d.Recv == nil || exportedReceiver(d.Recv)) {
			return []string{d.Name.Name}
		}
	case *ast.GenDecl:
		if d.Doc != nil {
			return nil
		}
		var names []string
		for _, spec := range d.Specs {
			switch spec := spec.(type) {
			case *ast.TypeSpec:
				if spec.Name.IsExported() && spec.Doc == nil {
					names = append(names, spec.Name.Name)
				}
			case *ast.ValueSpec:
				if spec.Doc == nil && spec.Comment == nil && spec.Names[0].IsExported() {
					names = append(names, spec.Names[0].Name)
				}
			}
		}
		return names
	}
	return nil
}

func exportedReceiver(list *ast.FieldList) bool {
	kind := list.List[0].Type
	if star, ok := kind.(*ast.StarExpr); ok {
		kind = star.X
	}
	if generic, ok := kind.(*ast.IndexExpr); ok {
		kind = generic.X
	}
	name, ok := kind.(*ast.Ident)
	return !ok || name.IsExported()
}

// TestDependenciesHaveAReason holds docs/dependencies.md to go.mod.
func TestDependenciesHaveAReason(t *testing.T) {
	t.Parallel()
	var mod, reasons string
	for _, f := range texts(t) {
		switch f.path {
		case "go.mod":
			mod = f.content
		case "docs/dependencies.md":
			reasons = f.content
		}
	}
	imported := map[string]bool{}
	for _, f := range goFiles(t) {
		for _, p := range f.imports() {
			imported[p] = true
		}
	}
	direct := 0
	for _, line := range strings.Split(mod, "\n") {
		fields := strings.Fields(strings.TrimPrefix(line, "require "))
		if len(fields) < 2 || !strings.Contains(fields[0], ".") || !imports(imported, fields[0]) {
			continue
		}
		direct++
		if !strings.Contains(reasons, "`"+fields[0]+"`") {
			t.Errorf("docs/dependencies.md does not say why %s is used", fields[0])
		}
	}
	if direct == 0 {
		t.Error("go.mod names no module that the code imports: " + strconv.Itoa(len(mod)) + " bytes were read")
	}
}

// imports reports whether any of the packages is of the module.
func imports(packages map[string]bool, module string) bool {
	for p := range packages {
		if p == module || strings.HasPrefix(p, module+"/") {
			return true
		}
	}
	return false
}
