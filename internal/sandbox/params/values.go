package params

// Values are the parameters of one request or of one group in it: strings,
// int64s, bools, Values, lists of these, and nil where one was cleared.
type Values map[string]any

// Has reports whether key was sent, cleared ones included.
func (v Values) Has(key string) bool { _, ok := v[key]; return ok }

// Text returns the text at key, or "".
func (v Values) Text(key string) string { s, _ := v[key].(string); return s }

// Int returns the number at key, or 0.
func (v Values) Int(key string) int64 { n, _ := v[key].(int64); return n }

// Bool returns the flag at key, or false.
func (v Values) Bool(key string) bool { b, _ := v[key].(bool); return b }

// Group returns the group at key, or nil, from which every read is empty.
func (v Values) Group(key string) Values { g, _ := v[key].(Values); return g }

// List returns the list at key, or nil.
func (v Values) List(key string) []any { l, _ := v[key].([]any); return l }

// Texts returns the list of texts at key, or nil.
func (v Values) Texts(key string) []string {
	var texts []string
	for _, item := range v.List(key) {
		if s, ok := item.(string); ok {
			texts = append(texts, s)
		}
	}
	return texts
}

// Groups returns the list of groups at key, or nil.
func (v Values) Groups(key string) []Values {
	var groups []Values
	for _, item := range v.List(key) {
		if g, ok := item.(Values); ok {
			groups = append(groups, g)
		}
	}
	return groups
}
