package embed_test

import (
	"bytes"
	"testing"

	"github.com/united24media/support/internal/ask/embed"
	"github.com/united24media/support/internal/ask/embed/bundle"
)

func TestScriptIsMadeOfItsSource(t *testing.T) {
	t.Parallel()
	want, err := bundle.Make("src")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(embed.Script, want) {
		t.Error("support.js is not what src makes: run go generate ./internal/ask/embed")
	}
}
