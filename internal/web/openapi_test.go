package web

import (
	"context"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
)

func document(t *testing.T) *openapi3.T {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromData(OpenAPI)
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

func TestOpenAPIIsValid(t *testing.T) {
	t.Parallel()
	if err := document(t).Validate(context.Background()); err != nil {
		t.Error(err)
	}
}

// TestOpenAPIHasEveryRoute compares the routes under /v1 with the document,
// both ways. HEAD and preflights go without saying.
func TestOpenAPIHasEveryRoute(t *testing.T) {
	t.Parallel()
	var described []string
	for path, item := range document(t).Paths.Map() {
		for method := range item.Operations() {
			described = append(described, method+" "+path)
		}
	}
	s, _ := server(everything())
	var served []string
	parameter := regexp.MustCompile(`:(\w+)`)
	for _, route := range s.Routes() {
		if strings.HasPrefix(route, "HEAD ") || strings.HasPrefix(route, "OPTIONS ") || !strings.Contains(route, " /v1/") {
			continue
		}
		route = strings.Replace(route, "/v1/support.0123.js", "/v1/support.{hash}.js", 1)
		served = append(served, parameter.ReplaceAllString(route, "{$1}"))
	}
	slices.Sort(described)
	slices.Sort(served)
	if !slices.Equal(described, served) {
		t.Errorf("described: %q\nserved:    %q", described, served)
	}
}
