package stripespec

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"sort"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Stripe's limits on metadata, and on what one request may expand.
const (
	maxMetadataKeys  = 50
	maxMetadataKey   = 40  // characters
	maxMetadataValue = 500 // characters
	maxExpandDepth   = 4   // levels, besides "data" of a list
	maxWords         = 20  // of an enumeration that a fault spells out
)

// maxItems are the limits of lists that the document does not state.
var maxItems = map[string]int{"line_items": 100, "custom_fields": 3, "images": 8, "preferred_locales": 20, "types": 20, "lookup_keys": 10}

// Lint checks the parameters of a request as Stripe does where its document
// tells: every key at every depth must be known, of the right type, in its
// enumeration, short enough, and there if it is required. Metadata and lists
// must keep Stripe's limits. It reports all faults, each on its own line.
//
// path is that of the request without its query, such as "/v1/checkout/sessions".
func Lint(method, path string, form url.Values) error {
	doc, err := load()
	if err != nil {
		return err
	}
	op, err := doc.operation(method, path)
	if err != nil {
		return err
	}
	root, faults := parse(form)
	l := &linter{doc: doc, faults: faults}
	l.group("", root, op.params())
	sort.Strings(l.faults)
	return join(l.faults)
}

func join(faults []string) error {
	var errs []error
	for _, f := range faults {
		errs = append(errs, errors.New(f))
	}
	return errors.Join(errs...)
}

// parse turns "a[b][0]" keys into nested maps of string or map.
func parse(form url.Values) (map[string]any, []string) {
	root := map[string]any{}
	var faults []string
	for path, values := range form {
		keys := strings.Split(strings.ReplaceAll(path, "]", ""), "[")
		for i, value := range values {
			at := root
			for _, key := range keys[:len(keys)-1] {
				next, ok := at[key].(map[string]any)
				if !ok {
					next = map[string]any{}
					at[key] = next
				}
				at = next
			}
			last := keys[len(keys)-1]
			if last == "" {
				last = strconv.Itoa(i)
			} else if i > 0 {
				faults = append(faults, path+": sent twice")
			}
			at[last] = value
		}
	}
	return root, faults
}

type linter struct {
	doc    *document
	faults []string
}

func (l *linter) fault(at, format string, args ...any) {
	l.faults = append(l.faults, at+": "+fmt.Sprintf(format, args...))
}

func (l *linter) group(at string, sent map[string]any, s *schema) {
	for key, value := range sent {
		path := key
		if at != "" {
			path = at + "[" + key + "]"
		}
		property, known := s.Properties[key]
		switch {
		case known:
			l.value(path, value, l.doc.resolve(property))
		case s.AdditionalProperties.schema != nil:
			l.value(path, value, l.doc.resolve(s.AdditionalProperties.schema))
		default:
			l.fault(path, "unknown parameter")
		}
	}
	for _, key := range s.Required {
		if _, there := sent[key]; !there {
			l.fault(at+"["+key+"]", "missing")
		}
	}
	if strings.HasSuffix(at, "metadata]") || at == "metadata" {
		l.metadata(at, sent)
	}
}

func (l *linter) metadata(at string, sent map[string]any) {
	if len(sent) > maxMetadataKeys {
		l.fault(at, "%d keys, at most %d are allowed", len(sent), maxMetadataKeys)
	}
	for key, value := range sent {
		if n := utf8.RuneCountInString(key); n > maxMetadataKey {
			l.fault(at+"["+key+"]", "the key has %d characters, at most %d are allowed", n, maxMetadataKey)
		}
		if text, ok := value.(string); ok && utf8.RuneCountInString(text) > maxMetadataValue {
			l.fault(at+"["+key+"]", "the value has %d characters, at most %d are allowed", utf8.RuneCountInString(text), maxMetadataValue)
		}
	}
}

// value checks one value; of alternatives, the one with the fewest faults speaks.
func (l *linter) value(at string, value any, s *schema) {
	if len(s.AnyOf) > 0 {
		var best []string
		for i, alternative := range s.AnyOf {
			try := &linter{doc: l.doc}
			try.value(at, value, l.doc.resolve(alternative))
			if len(try.faults) == 0 {
				return
			}
			if i == 0 || len(try.faults) < len(best) {
				best = try.faults
			}
		}
		l.faults = append(l.faults, best...)
		return
	}
	group, isGroup := value.(map[string]any)
	switch s.Type {
	case "object":
		if !isGroup {
			l.fault(at, "must be a group")
			return
		}
		l.group(at, group, s)
	case "array":
		if !isGroup {
			l.fault(at, "must be a list")
			return
		}
		l.list(at, group, s)
	default:
		text, isText := value.(string)
		if !isText {
			l.fault(at, "must be a single value")
			return
		}
		l.text(at, text, s)
	}
}

func (l *linter) list(at string, sent map[string]any, s *schema) {
	name := at[strings.LastIndex(at, "[")+1:]
	if limit, limited := maxItems[strings.TrimSuffix(name, "]")]; limited && len(sent) > limit {
		l.fault(at, "%d items, at most %d are allowed", len(sent), limit)
	}
	for key, item := range sent {
		if _, err := strconv.ParseUint(key, 10, 16); err != nil {
			l.fault(at, "must be a list, %q is no index", key)
			continue
		}
		l.value(at+"["+key+"]", item, l.doc.resolve(s.Items))
		if at == "expand" {
			l.expand(item)
		}
	}
}

func (l *linter) expand(item any) {
	path, _ := item.(string)
	levels := strings.Split(path, ".")
	if levels[0] == "data" {
		levels = levels[1:]
	}
	if len(levels) > maxExpandDepth {
		l.fault("expand", "%s expands more than %d levels", path, maxExpandDepth)
	}
}

// words tells an enumeration, a long one by its length.
func words(enum []any) string {
	if len(enum) > maxWords {
		return fmt.Sprintf("%d words", len(enum))
	}
	return fmt.Sprintf("%v", enum)
}

func (l *linter) text(at, text string, s *schema) {
	switch s.Type {
	case "integer":
		if _, err := strconv.ParseInt(text, 10, 64); err != nil {
			l.fault(at, "%q is no whole number", text)
		}
	case "number":
		if _, err := strconv.ParseFloat(text, 64); err != nil {
			l.fault(at, "%q is no number", text)
		}
	case "boolean":
		if text != "true" && text != "false" {
			l.fault(at, "%q is no boolean", text)
		}
	}
	if len(s.Enum) > 0 && !slices.Contains(s.Enum, any(text)) {
		l.fault(at, "%q is not one of %s", text, words(s.Enum))
	}
	if s.MaxLength > 0 && utf8.RuneCountInString(text) > s.MaxLength {
		l.fault(at, "%d characters, at most %d are allowed", utf8.RuneCountInString(text), s.MaxLength)
	}
}
