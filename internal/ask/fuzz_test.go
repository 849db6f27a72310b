package ask

import (
	"errors"
	"strings"
	"testing"

	"github.com/united24media/support/internal/fault"
)

// FuzzQuestion: whatever stands in an address, it is read or refused in words,
// and what is read is bounded.
func FuzzQuestion(f *testing.F) {
	for _, query := range []string{
		"article=troops&placement=mid&lang=en", "article=troops&article=other", "tags=a,b,,c&article=x", "article=%00", "article=%zz", "%61rticle=x&country=de",
		"article=x;placement=mid", "article=x&lang=uk_UA&country=XX&section=news&sensitivity= High ", strings.Repeat("tags=a,", 200), "article=" + strings.Repeat("a", 300),
	} {
		f.Add(query)
	}
	f.Fuzz(func(t *testing.T, query string) {
		q, err := readQuestion(query)
		if err != nil && !errors.Is(err, fault.Invalid) {
			t.Errorf("%q: %v", query, err)
		}
		if err == nil && (q.article == "" || len(q.tags) > maxTags || strings.ContainsAny(q.article+q.section+q.campaign+strings.Join(q.tags, ""), "\x00\r\n<>\"'")) {
			t.Errorf("%q is read as %+v", query, q)
		}
		if _, _, err := readScope(query, scopeParameters); err != nil && !errors.Is(err, fault.Invalid) {
			t.Errorf("%q: %v", query, err)
		}
	})
}
