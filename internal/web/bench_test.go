package web

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/gin-gonic/gin"
)

// A sink is a response that costs nothing.
type sink struct{ header http.Header }

func (s *sink) Header() http.Header         { return s.header }
func (s *sink) Write(b []byte) (int, error) { return len(b), nil }
func (s *sink) WriteHeader(int)             {}

var answerBody = make([]byte, 4000)

var answerType = []string{"application/json"}

// BenchmarkAskRoute measures what a request of the ask costs besides its
// handler: routing, the rules of the route, and their headers.
func BenchmarkAskRoute(b *testing.B) {
	h := everything()
	h.Ask = func(c *gin.Context) error {
		c.Writer.Header()["Content-Type"] = answerType
		_, err := c.Writer.Write(answerBody)
		return err
	}
	s, _ := server(h)
	r := httptest.NewRequest(http.MethodGet, "/v1/ask?article=a&placement=mid", nil)
	w := &sink{header: http.Header{}}
	b.ReportAllocs()
	for b.Loop() {
		s.ServeHTTP(w, r)
	}
}

// TestAskRouteAllocatesNothing keeps the busiest route free of garbage.
func TestAskRouteAllocatesNothing(t *testing.T) {
	most := 0.0
	if raceDetector {
		most = 1 // it makes sync.Pool forget gin's contexts now and then
	}
	h := everything()
	h.Ask = func(*gin.Context) error { return nil }
	s, _ := server(h)
	r := httptest.NewRequest(http.MethodGet, "/v1/ask?article=a", nil)
	w := &sink{header: http.Header{}}
	if allocs := testing.AllocsPerRun(100, func() { s.ServeHTTP(w, r) }); allocs > most {
		t.Errorf("%v allocations a request", allocs)
	}
}

// BenchmarkBareHandler is what the route is compared with.
func BenchmarkBareHandler(b *testing.B) {
	h := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header()["Content-Type"] = answerType
		_, _ = w.Write(answerBody)
	})
	r := httptest.NewRequest(http.MethodGet, "/v1/ask?article=a&placement=mid", nil)
	w := &sink{header: http.Header{}}
	b.ReportAllocs()
	for b.Loop() {
		h.ServeHTTP(w, r)
	}
}
