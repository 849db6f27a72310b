// Command vulndb lays out Go's vulnerability database, as its module holds it,
// the way govulncheck reads it from a folder (https://go.dev/doc/security/vuln/database),
// for machines that reach a module proxy and nothing else.
//
//	go run ./.ci/vulndb FROM TO
package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"
)

type entry struct {
	ID       string    `json:"id"`
	Modified time.Time `json:"modified"`
	Affected []struct {
		Package struct{ Name string }
		Ranges  []struct{ Events []struct{ Fixed string } }
	} `json:"affected,omitempty"`
	Aliases []string `json:"aliases,omitempty"`
}

type vuln struct {
	ID       string    `json:"id"`
	Modified time.Time `json:"modified"`
	Fixed    string    `json:"fixed,omitempty"`
	Aliases  []string  `json:"aliases,omitempty"`
}

type module struct {
	Path  string `json:"path"`
	Vulns []vuln `json:"vulns"`
}

func main() {
	if err := run(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "vulndb:", err)
		os.Exit(1)
	}
}

func run(from, to string) error {
	files, err := filepath.Glob(filepath.Join(from, "data", "osv", "*.json"))
	if err == nil && len(files) == 0 {
		err = fmt.Errorf("no reports in %s", from)
	}
	if err = errors.Join(err, os.MkdirAll(filepath.Join(to, "ID"), 0o755), os.MkdirAll(filepath.Join(to, "index"), 0o755)); err != nil {
		return err
	}
	modules, all := map[string]*module{}, []vuln{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		var e entry
		if err := json.Unmarshal(text, &e); err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		if err := os.WriteFile(filepath.Join(to, "ID", e.ID+".json"), text, 0o644); err != nil {
			return err
		}
		all = append(all, vuln{ID: e.ID, Modified: e.Modified, Aliases: e.Aliases})
		for _, a := range e.Affected {
			m := modules[a.Package.Name]
			if m == nil {
				m = &module{Path: a.Package.Name}
				modules[a.Package.Name] = m
			}
			fixed := ""
			for _, r := range a.Ranges {
				for _, event := range r.Events {
					fixed = cmp.Or(event.Fixed, fixed)
				}
			}
			m.Vulns = append(m.Vulns, vuln{ID: e.ID, Modified: e.Modified, Fixed: fixed})
		}
	}
	var list []*module
	for _, m := range modules {
		list = append(list, m)
	}
	slices.SortFunc(list, func(a, b *module) int { return cmp.Compare(a.Path, b.Path) })
	return errors.Join(
		write(filepath.Join(to, "index", "modules.json"), list),
		write(filepath.Join(to, "index", "vulns.json"), all),
		write(filepath.Join(to, "index", "db.json"), map[string]time.Time{"modified": time.Now().UTC()}))
}

func write(file string, v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return os.WriteFile(file, text, 0o644)
}
