package sandbox

import (
	"github.com/united24media/support/internal/sandbox/params"
)

const (
	defaultPage = 10  // objects
	maxPage     = 100 // objects
)

// listParams are the parameters of a list, with the filters given.
func listParams(filters params.Schema) params.Schema {
	return params.Schema{
		"limit": params.Int(), "starting_after": params.Text(), "ending_before": params.Text(),
	}.With(filters)
}

// list answers one page of a kind, newest first, of what keep accepts. The
// filter "created" is applied here, where the endpoint takes it.
func (s *Sandbox) list(c *call, k kind, keep func(Object) bool) (Object, error) {
	limit := int64(defaultPage)
	if c.params.Has("limit") {
		limit = c.params.Int("limit")
	}
	after, before := c.params.Text("starting_after"), c.params.Text("ending_before")
	switch {
	case limit < 1:
		return nil, invalidCode("parameter_invalid_integer", "limit", "Invalid integer: limit must be greater than or equal to 1.")
	case limit > maxPage:
		return nil, invalidCode("parameter_invalid_integer", "limit", "Invalid integer: limit must be less than or equal to 100.")
	case after != "" && before != "":
		return nil, invalid("ending_before", "You can only specify one of these parameters: starting_after, ending_before.")
	}
	t := s.st.table(k)
	at, step, cursor, param := len(t.ids), -1, after, "starting_after"
	if before != "" {
		step, cursor, param = 1, before, "ending_before"
	}
	if cursor != "" {
		if at = t.position(cursor); at < 0 {
			return nil, missingParam(string(k), param, cursor)
		}
	}
	var page []any
	more := false
	for i := at + step; i >= 0 && i < len(t.ids); i += step {
		o := t.byID[t.ids[i]]
		if o.bool("deleted") || !within(c.params["created"], o.int("created")) || (keep != nil && !keep(o)) {
			continue
		}
		if int64(len(page)) == limit {
			more = true
			break
		}
		page = append(page, s.view(o))
	}
	if step > 0 { // read from the cursor upwards, but every page is newest first
		for i, j := 0, len(page)-1; i < j; i, j = i+1, j-1 {
			page[i], page[j] = page[j], page[i]
		}
	}
	l := listOf(c.url, page...)
	l["has_more"] = more
	return l, nil
}

// within reports whether a time passes a filter: none, one time, or bounds.
func within(filter any, when int64) bool {
	switch f := filter.(type) {
	case int64:
		return when == f
	case params.Values:
		return (!f.Has("gt") || when > f.Int("gt")) && (!f.Has("gte") || when >= f.Int("gte")) &&
			(!f.Has("lt") || when < f.Int("lt")) && (!f.Has("lte") || when <= f.Int("lte"))
	}
	return true
}

// equal keeps the objects whose field of each name equals the parameter of
// that name, where it was sent.
func equal(c *call, names ...string) func(Object) bool {
	return func(o Object) bool {
		for _, name := range names {
			if c.params.Has(name) && c.params[name] != o[name] {
				return false
			}
		}
		return true
	}
}
