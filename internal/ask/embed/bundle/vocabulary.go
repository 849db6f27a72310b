package bundle

import (
	"encoding/json"
	"fmt"
	"os"
)

// Vocabulary returns the TypeScript that holds what staff can say of asks, made
// of the schema file that package policy is tested against.
func Vocabulary(schema string) ([]byte, error) {
	data, err := os.ReadFile(schema)
	if err != nil {
		return nil, err
	}
	var words struct {
		Levels     json.RawMessage `json:"levels"`
		Attributes json.RawMessage `json:"attributes"`
	}
	if err := json.Unmarshal(data, &words); err != nil {
		return nil, fmt.Errorf("%s: %w", schema, err)
	}
	return fmt.Appendf(nil, `// Made of internal/policy/schema.json: run go generate ./internal/ask/embed.

// How an ask shows, from the least.
export const levels = %s as const;
export type Level = (typeof levels)[number];

// What of an element's attributes is part of the question, in the order the
// address has them, so that every page of a site makes the same address.
export const asked = %s as const;
`, words.Levels, words.Attributes), nil
}
