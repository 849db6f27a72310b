// Command build makes support.js, the script that article pages load, from
// the TypeScript beside it. It is run by go generate.
package main

import (
	"fmt"
	"os"

	"github.com/united24media/support/internal/ask/embed/bundle"
)

func main() {
	words, err := bundle.Vocabulary("../../policy/schema.json")
	if err == nil {
		err = os.WriteFile("src/policy.ts", words, 0o644)
	}
	var script []byte
	if err == nil {
		script, err = bundle.Make("src")
	}
	if err == nil {
		err = os.WriteFile("support.js", script, 0o644)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "build:", err)
		os.Exit(1)
	}
}
