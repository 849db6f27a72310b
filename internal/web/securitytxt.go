package web

import (
	"net/http"
	"net/url"
	"time"

	"github.com/gin-gonic/gin"
)

// contactLife is how long what security.txt says counts for who keeps it.
const contactLife = 90 * 24 * time.Hour

// securityText handles GET /.well-known/security.txt: where to report a hole
// (RFC 9116).
func (s *Server) securityText(c *gin.Context) error {
	contact := url.URL{Scheme: "mailto", Opaque: url.PathEscape(s.Contact)}
	expires := time.Now().UTC().Add(contactLife).Truncate(24 * time.Hour)
	c.Header("Cache-Control", "public, max-age=3600")
	c.Data(http.StatusOK, "text/plain; charset=utf-8", []byte("Contact: "+contact.String()+
		"\nExpires: "+expires.Format(time.RFC3339)+
		"\nPreferred-Languages: en, uk\nCanonical: "+s.PublicURL+"/.well-known/security.txt\n"))
	return nil
}
