package stripespec

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"sort"
	"strconv"
	"strings"
)

// CheckAnswer checks the body of a 200 answer against what the document says
// that the operation answers: every key at every depth known, every required
// one there, types, enumerations and nulls as allowed.
func CheckAnswer(method, path string, body []byte) error {
	doc, err := load()
	if err != nil {
		return err
	}
	op, err := doc.operation(method, path)
	if err != nil {
		return err
	}
	c, ok := op.Responses["200"].Content["application/json"]
	if !ok {
		return fmt.Errorf("stripespec: %s %s has no JSON answer", method, path)
	}
	return doc.check(body, c.Schema)
}

// CheckError checks the body of a refusal.
func CheckError(body []byte) error { return checkNamed("error", body) }

// CheckObject checks one object, such as an event's data.object, against the
// schema its "object" field names.
func CheckObject(body []byte) error {
	var head struct {
		Object  string `json:"object"`
		Deleted bool   `json:"deleted"`
	}
	if err := json.Unmarshal(body, &head); err != nil {
		return fmt.Errorf("stripespec: %w", err)
	}
	if head.Deleted {
		head.Object = "deleted_" + head.Object
	}
	return checkNamed(head.Object, body)
}

func checkNamed(name string, body []byte) error {
	doc, err := load()
	if err != nil {
		return err
	}
	s, known := doc.Components.Schemas[name]
	if !known {
		return fmt.Errorf("stripespec: Stripe has no object %q", name)
	}
	return doc.check(body, s)
}

func (d *document) check(body []byte, s *schema) error {
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	var value any
	if err := dec.Decode(&value); err != nil {
		return fmt.Errorf("stripespec: %w", err)
	}
	c := &checker{doc: d}
	c.value("", value, s)
	sort.Strings(c.faults)
	return join(c.faults)
}

type checker struct {
	doc    *document
	faults []string
}

func (c *checker) fault(at, format string, args ...any) {
	c.faults = append(c.faults, at+": "+fmt.Sprintf(format, args...))
}

func (c *checker) value(at string, value any, s *schema) {
	nullable := s.Nullable
	s = c.doc.resolve(s)
	nullable = nullable || s.Nullable
	if value == nil {
		if !nullable {
			c.fault(at, "is null")
		}
		return
	}
	if len(s.AnyOf) > 0 {
		c.anyOf(at, value, s)
		return
	}
	switch v := value.(type) {
	case map[string]any:
		if c.typed(at, s, "object") {
			c.object(at, v, s)
		}
	case []any:
		if c.typed(at, s, "array") {
			for i, item := range v {
				c.value(at+"["+strconv.Itoa(i)+"]", item, s.Items)
			}
		}
	case string:
		if c.typed(at, s, "string") && len(s.Enum) > 0 && !slices.Contains(s.Enum, value) {
			c.fault(at, "%q is not one of %s", v, words(s.Enum))
		}
		if s.MaxLength > 0 && len([]rune(v)) > s.MaxLength {
			c.fault(at, "is longer than %d characters", s.MaxLength)
		}
	case bool:
		c.typed(at, s, "boolean")
	case json.Number:
		if _, err := v.Int64(); err == nil && s.Type == "integer" {
			return
		}
		c.typed(at, s, "number")
	}
}

func (c *checker) typed(at string, s *schema, got string) bool {
	if s.Type != got {
		c.fault(at, "is of type %s, want %s", got, s.Type)
	}
	return s.Type == got
}

// anyOf takes the alternative that fits, an object by its "object" field.
func (c *checker) anyOf(at string, value any, s *schema) {
	var best []string
	for i, alternative := range s.AnyOf {
		try := &checker{doc: c.doc}
		try.value(at, value, alternative)
		if len(try.faults) == 0 {
			return
		}
		meant := c.meant(value, c.doc.resolve(alternative))
		if i == 0 || meant {
			best = try.faults
		}
		if meant {
			break
		}
	}
	c.faults = append(c.faults, best...)
}

// meant reports whether an alternative is the one an object names by its
// "object" field, so that its faults are worth telling.
func (c *checker) meant(value any, s *schema) bool {
	o, ok := value.(map[string]any)
	if !ok || s == nil || s.Type != "object" {
		return false
	}
	property := s.Properties["object"]
	if property == nil {
		return o["object"] == nil
	}
	_, deleted := s.Properties["deleted"]
	return slices.Contains(property.Enum, o["object"]) && deleted == (o["deleted"] == true)
}

func (c *checker) object(at string, o map[string]any, s *schema) {
	if strings.HasSuffix(at, ".data.object") { // an event's: the document leaves it free
		name, _ := o["object"].(string)
		named, known := c.doc.Components.Schemas[name]
		if !known {
			c.fault(at, "Stripe has no object %q", name)
			return
		}
		s = named
	}
	for key, value := range o {
		property, known := s.Properties[key]
		path := at + "." + key
		switch {
		case known:
			c.value(path, value, property)
		case s.AdditionalProperties.schema != nil:
			c.value(path, value, s.AdditionalProperties.schema)
		case len(s.Properties) > 0 || !s.AdditionalProperties.allowed && !strings.HasSuffix(at, ".previous_attributes"):
			// An object without properties is free only where the document says
			// so, and in previous_attributes.
			c.fault(path, "is unknown to Stripe's document")
		}
	}
	for _, key := range s.Required {
		if _, there := o[key]; !there {
			c.fault(at+"."+key, "is missing")
		}
	}
}
