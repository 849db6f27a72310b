package embed_test

import (
	"bytes"
	"os"
	"testing"

	"github.com/united24media/support/internal/ask/embed"
	"github.com/united24media/support/internal/ask/embed/bundle"
)

func TestVocabularyIsMadeOfTheSchema(t *testing.T) {
	t.Parallel()
	want, err := bundle.Vocabulary("../../policy/schema.json")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile("src/policy.ts"); err != nil || !bytes.Equal(got, want) {
		t.Errorf("src/policy.ts is not what the schema makes (%v): run go generate ./internal/ask/embed", err)
	}
}

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
