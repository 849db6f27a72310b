package web

import (
	_ "embed" // for the document below
	"net/http"

	"github.com/gin-gonic/gin"
)

// OpenAPI describes everything under /v1, by hand; a test compares it with the
// routes.
//
//go:embed openapi.json
var OpenAPI []byte

// openAPI handles GET /v1/openapi.json.
func openAPI(c *gin.Context) error {
	c.Header("Cache-Control", "public, max-age=300")
	c.Data(http.StatusOK, "application/json", OpenAPI)
	return nil
}
