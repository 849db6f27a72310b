// Package stripespec checks requests to and answers of Stripe's API against
// Stripe's own OpenAPI document for API 2023-10-16, more strictly than that
// document asks: a key it does not name is refused at every depth. It is for
// tests only.
package stripespec

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"

	"github.com/stripe/stripe-mock/embedded"
)

// A schema is the part of an OpenAPI schema that Stripe's document uses.
type schema struct {
	Ref                  string             `json:"$ref"`
	Type                 string             `json:"type"`
	Properties           map[string]*schema `json:"properties"`
	Required             []string           `json:"required"`
	AdditionalProperties additional         `json:"additionalProperties"`
	Items                *schema            `json:"items"`
	AnyOf                []*schema          `json:"anyOf"`
	Enum                 []any              `json:"enum"`
	Nullable             bool               `json:"nullable"`
	MaxLength            int                `json:"maxLength"`
}

// additional is OpenAPI's additionalProperties: absent, a bool, or a schema.
type additional struct {
	allowed bool
	schema  *schema
}

func (a *additional) UnmarshalJSON(data []byte) error {
	if string(data) == "true" || string(data) == "false" {
		a.allowed = string(data) == "true"
		return nil
	}
	a.allowed, a.schema = true, new(schema)
	return json.Unmarshal(data, a.schema)
}

type content map[string]struct {
	Schema *schema `json:"schema"`
}

type operation struct {
	Parameters []struct {
		Name     string  `json:"name"`
		In       string  `json:"in"`
		Required bool    `json:"required"`
		Schema   *schema `json:"schema"`
	} `json:"parameters"`
	RequestBody struct {
		Content content `json:"content"`
	} `json:"requestBody"`
	Responses map[string]struct {
		Content content `json:"content"`
	} `json:"responses"`
}

// params is the schema of everything a request may carry: query and body.
func (op *operation) params() *schema {
	all := &schema{Type: "object", Properties: map[string]*schema{}}
	for _, p := range op.Parameters {
		if p.In != "query" {
			continue
		}
		all.Properties[p.Name] = p.Schema
		if p.Required {
			all.Required = append(all.Required, p.Name)
		}
	}
	for _, c := range op.RequestBody.Content {
		for name, property := range c.Schema.Properties {
			all.Properties[name] = property
		}
		all.Required = append(all.Required, c.Schema.Required...)
	}
	return all
}

type document struct {
	Info struct {
		Version string `json:"version"`
	} `json:"info"`
	Paths      map[string]map[string]*operation `json:"paths"`
	Components struct {
		Schemas map[string]*schema `json:"schemas"`
	} `json:"components"`
}

// load reads the document once; it is some megabytes.
var load = sync.OnceValues(func() (*document, error) {
	doc := new(document)
	if err := json.Unmarshal(embedded.OpenAPISpec, doc); err != nil {
		return nil, fmt.Errorf("stripespec: %w", err)
	}
	if doc.Info.Version != "2023-10-16" {
		return nil, fmt.Errorf("stripespec: the document is of version %s, want 2023-10-16", doc.Info.Version)
	}
	return doc, nil
})

// resolve follows references.
func (d *document) resolve(s *schema) *schema {
	for s != nil && s.Ref != "" {
		s = d.Components.Schemas[strings.TrimPrefix(s.Ref, "#/components/schemas/")]
	}
	return s
}

// operation finds the operation of a request. Of several paths that match, the
// one with the fewest placeholders is meant.
func (d *document) operation(method, path string) (*operation, error) {
	var best *operation
	fewest := 0
	for template, methods := range d.Paths {
		op, exists := methods[strings.ToLower(method)]
		if !exists {
			continue
		}
		if n, ok := matchPath(template, path); ok && (best == nil || n < fewest) {
			best, fewest = op, n
		}
	}
	if best == nil {
		return nil, fmt.Errorf("stripespec: Stripe has no %s %s", method, path)
	}
	return best, nil
}

// matchPath reports whether a path fits a template, and in how many placeholders.
func matchPath(template, path string) (placeholders int, ok bool) {
	want, have := strings.Split(template, "/"), strings.Split(path, "/")
	if len(want) != len(have) {
		return 0, false
	}
	for i := range want {
		if strings.HasPrefix(want[i], "{") {
			placeholders++
		} else if want[i] != have[i] {
			return 0, false
		}
	}
	return placeholders, true
}
