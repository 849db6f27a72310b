// Package params reads the parameters of a request to Stripe's API: forms
// whose keys are paths, such as line_items[0][price_data][currency], checked
// against a [Schema] as Stripe checks them.
package params

import (
	"net/url"
	"slices"
	"sort"
	"strconv"
	"strings"
)

// maxDepth bounds how deeply a key may nest; Stripe's own parameters end at 5.
const maxDepth = 8

// An Error says what Stripe would say about a parameter.
type Error struct {
	Code    string // Stripe's error code, "" where Stripe gives none
	Param   string // the parameter's path, as it was sent
	Message string
}

func (e *Error) Error() string { return e.Message }

// A node is one level of a form: either text, or children by key in the order
// in which they were sent.
type node struct {
	text     string
	leaf     bool
	keys     []string
	children map[string]*node
}

// parse turns a form into a tree. Of a key sent twice the last text counts,
// except for "key[]", which adds to a list.
func parse(form url.Values) (*node, *Error) {
	root := &node{children: map[string]*node{}}
	paths := make([]string, 0, len(form))
	for path := range form {
		paths = append(paths, path)
	}
	sort.Strings(paths)
	for _, path := range paths {
		keys, ok := split(path)
		if !ok || len(keys) > maxDepth {
			return nil, &Error{Code: "parameter_unknown", Param: path, Message: "Received unknown parameter: " + path}
		}
		for _, text := range form[path] {
			if !root.set(keys, text) {
				return nil, &Error{Param: path, Message: "Invalid " + path + ": it is used both as a value and as a group"}
			}
		}
	}
	return root, nil
}

// split cuts "a[b][0]" into a, b and 0.
func split(path string) ([]string, bool) {
	head, rest, nested := strings.Cut(path, "[")
	if head == "" || strings.Contains(head, "]") {
		return nil, false
	}
	keys := []string{head}
	for nested {
		key, after, closed := strings.Cut(rest, "]")
		if !closed || strings.Contains(key, "[") {
			return nil, false
		}
		keys = append(keys, key)
		if after == "" {
			return keys, true
		}
		if after[0] != '[' {
			return nil, false
		}
		rest = after[1:]
	}
	return keys, true
}

func (n *node) set(keys []string, text string) bool {
	for _, key := range keys {
		if n.leaf {
			return false
		}
		if n.children == nil {
			n.children = map[string]*node{}
		}
		if key == "" { // "expand[]": the next free place in the list
			key = strconv.Itoa(len(n.keys))
		}
		child := n.children[key]
		if child == nil {
			child = &node{}
			n.children[key] = child
			n.keys = append(n.keys, key)
		}
		n = child
	}
	if n.children != nil {
		return false
	}
	n.leaf, n.text = true, text
	return true
}

// items returns the children of a list in the order of their indexes, or
// false if a key is no index.
func (n *node) items() ([]string, bool) {
	keys := slices.Clone(n.keys)
	for _, key := range keys {
		if _, err := strconv.ParseUint(key, 10, 16); err != nil {
			return nil, false
		}
	}
	slices.SortFunc(keys, func(a, b string) int {
		x, _ := strconv.Atoi(a)
		y, _ := strconv.Atoi(b)
		return x - y
	})
	return keys, true
}
