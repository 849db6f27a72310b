package counts

import "testing"

// FuzzShared: what somebody wrote into Redis is a count of ours or is passed
// over; a number that is read is written in one way alone.
func FuzzShared(f *testing.F) {
	for _, text := range []string{"0", "1234", "-1", "+1", "007", "1e3", "9223372036854775807", "", " 1", `"><script>`} {
		f.Add("article:troops", text)
		f.Add("", text)
	}
	f.Fuzz(func(t *testing.T, scope, text string) {
		row, asOf, ok := parse(scope, []any{text, "1", "2", "3"})
		if !ok {
			return
		}
		if row.Supporters < 0 || row.Supporters >= countLimit || row.Members != 1 || row.Revision != 2 || asOf != 3 || row.Scope != scope || scope == "" {
			t.Errorf("%q in %q is read as %+v, %d", text, scope, row, asOf)
		}
	})
}
