// Package house holds the tests of how the project itself is written: what may
// import what, where SQL and Stripe's library may stand, how long a file may
// be. It has no other code.
package house

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

const root = "../.."

// A goFile is one Go file of the project.
type goFile struct {
	path string // from the project's root, with slashes
	test bool   // named _test.go
	set  *token.FileSet
	ast  *ast.File
}

// room returns the room f is in.
func (f goFile) room() string { return room(path.Dir(f.path)) }

func (f goFile) imports() []string {
	var paths []string
	for _, spec := range f.ast.Imports {
		if p, err := strconv.Unquote(spec.Path.Value); err == nil {
			paths = append(paths, p)
		}
	}
	return paths
}

// where names the line of a node, for a message.
func (f goFile) where(n ast.Node) string {
	return f.path + ":" + strconv.Itoa(f.set.Position(n.Pos()).Line)
}

// room returns the room of a package's folder: internal/NAME, cmd/NAME, or
// the first part of its path.
func room(folder string) string {
	parts := strings.Split(folder, "/")
	if len(parts) > 1 && (parts[0] == "internal" || parts[0] == "cmd") {
		return path.Join(parts[0], parts[1])
	}
	return parts[0]
}

func contains(list []string, s string) bool { return slices.Contains(list, s) }

// goFiles returns every Go file of the project, read once.
func goFiles(t *testing.T) []goFile {
	t.Helper()
	files, err := readGoFiles()
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 10 {
		t.Fatalf("only %d Go files were found", len(files))
	}
	return files
}

var readGoFiles = sync.OnceValues(func() ([]goFile, error) {
	all, err := readTexts()
	if err != nil {
		return nil, err
	}
	var files []goFile
	for _, text := range all {
		if path.Ext(text.path) != ".go" {
			continue
		}
		set := token.NewFileSet()
		parsed, err := parser.ParseFile(set, text.path, text.content, parser.ParseComments)
		if err != nil {
			return nil, err
		}
		files = append(files, goFile{text.path, strings.HasSuffix(text.path, "_test.go"), set, parsed})
	}
	return files, nil
})

// A text is a file of the project that people wrote.
type text struct{ path, content string }

func texts(t *testing.T) []text {
	t.Helper()
	all, err := readTexts()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// skipped are folders whose files nobody wrote or that are not kept.
var skipped = []string{".git", "data", "artifacts", "bin", "node_modules"}

// written are the endings of files that people write.
var written = []string{
	".go", ".md", ".sql", ".ts", ".js", ".css", ".html", ".json", ".yaml", ".yml", ".svg", ".mod", "",
}

var readTexts = sync.OnceValues(func() ([]text, error) {
	var all []text
	err := filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			if contains(skipped, entry.Name()) {
				return filepath.SkipDir
			}
			return nil
		}
		if !entry.Type().IsRegular() || !contains(written, filepath.Ext(name)) {
			return nil
		}
		content, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		if slices.Contains(content, 0) { // a program that go build left in the root
			return nil
		}
		relative, err := filepath.Rel(root, name)
		all = append(all, text{filepath.ToSlash(relative), string(content)})
		return err
	})
	return all, err
})
