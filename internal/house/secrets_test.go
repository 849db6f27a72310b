package house

import (
	"go/ast"
	"go/token"
	"regexp"
	"strings"
	"testing"
)

// secretName matches what names hold a secret, or what only who has one can
// make.
var secretName = regexp.MustCompile(`(?i)(token|secret|hash|mac|hmac|signature|nonce|digest|password|passcode|apikey)s?$`)

// comparedOpenly are the comparisons by == of such names, each with why it tells
// an attacker nothing: file, then both sides as they are written.
var comparedOpenly = map[string]string{
	"internal/account/door.go: hashOf(browser) == wish.Browser":                                  "a SHA-256 of 256 random bits, of which nobody can choose the beginning",
	"internal/staff/door/door.go: l.Browser != desk.Hash(d.Desk.Cookie(v.Context, askedCookie))": "a SHA-256 of 256 random bits, of which nobody can choose the beginning",
	"internal/counts/snapshot.go: l[i].hash == hash":                                             "of a scope's name, in a table in memory",
	"internal/checkout/form.go: in.token != clean.Text(in.token)":                                "what came, with itself cleaned",
	"internal/checkout/request.go: in.token != clean.Text(in.token)":                             "what came, with itself cleaned",
	"internal/checkout/open.go: row.Digest != digest":                                            "the fingerprint of what was asked for, which the caller knows",
	"internal/store/auditread.go: hash != state.Hash":                                            "the audit log's chain, which staff read",
	"internal/store/auditread.go: e.hashOf(a.Hash) != e.Hash":                                    "the audit log's chain, which staff read",
}

// TestSecretsAreComparedInConstantTime: a comparison by == ends at the first
// byte that differs, and its time tells how many did not.
func TestSecretsAreComparedInConstantTime(t *testing.T) {
	t.Parallel()
	found := map[string]bool{}
	for _, f := range goFiles(t) {
		if f.test || contains(forTests, f.room()) || f.room() == "internal/sandbox" {
			continue
		}
		ast.Inspect(f.ast, func(n ast.Node) bool {
			b, ok := n.(*ast.BinaryExpr)
			if !ok || b.Op != token.EQL && b.Op != token.NEQ || constant(b.X) || constant(b.Y) || !secret(b.X) && !secret(b.Y) {
				return true
			}
			what := f.path + ": " + source(b.X) + " " + b.Op.String() + " " + source(b.Y)
			if found[what] = true; comparedOpenly[what] == "" {
				t.Errorf("%s compares a secret by %s; take crypto/subtle or hmac.Equal, or say in this test why it may\n%s", f.where(n), b.Op, what)
			}
			return true
		})
	}
	for what := range comparedOpenly {
		if !found[what] {
			t.Errorf("nothing compares %s any more", what)
		}
	}
}

// secret reports whether an expression's name says that it holds one.
func secret(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.Ident:
		return secretName.MatchString(e.Name)
	case *ast.SelectorExpr:
		return secretName.MatchString(e.Sel.Name)
	case *ast.IndexExpr:
		return secret(e.X)
	case *ast.SliceExpr:
		return secret(e.X)
	case *ast.ParenExpr:
		return secret(e.X)
	case *ast.CallExpr:
		if name := source(e.Fun); name == "string" && len(e.Args) == 1 {
			return secret(e.Args[0])
		}
		called := strings.ToLower(source(e.Fun))
		return secret(e.Fun) || called == "code" || strings.Contains(called, "hash") || strings.Contains(called, "reveal")
	}
	return false
}

// constant reports whether an expression is known to who reads the code: a
// literal, nil, a length.
func constant(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.BasicLit:
		return true
	case *ast.Ident:
		return e.Name == "nil" || e.Name == "true" || e.Name == "false"
	case *ast.CallExpr:
		return source(e.Fun) == "len"
	}
	return false
}

// source returns an expression as text, near enough to be known by.
func source(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.BasicLit:
		return e.Value
	case *ast.SelectorExpr:
		return source(e.X) + "." + e.Sel.Name
	case *ast.IndexExpr:
		return source(e.X) + "[" + source(e.Index) + "]"
	case *ast.ParenExpr:
		return "(" + source(e.X) + ")"
	case *ast.SliceExpr:
		return source(e.X) + "[:]"
	case *ast.StarExpr:
		return "*" + source(e.X)
	case *ast.CallExpr:
		var args []string
		for _, a := range e.Args {
			args = append(args, source(a))
		}
		return source(e.Fun) + "(" + strings.Join(args, ", ") + ")"
	}
	return "…"
}
