// Package staff gathers the screens of the staff pages.
package staff

import (
	"github.com/gin-gonic/gin"

	"github.com/united24media/support/internal/look"
	"github.com/united24media/support/internal/staff/desk"
)

// A Screen is a part of the staff pages: a package below this one.
type Screen interface {
	// Routes returns the addresses of the screen, with the role each needs.
	Routes() []desk.Route
}

// Pages are all staff pages, ready to be mounted under /staff.
type Pages struct {
	Routes []desk.Mounted
	Assets []*look.Asset // what the screens' pages load besides the stylesheets

	// Trouble answers with a failure in the frame of the staff pages: with its
	// HTTP status, a sentence that is safe to show, and the request's id in the
	// log, each "" where there is none.
	Trouble func(c *gin.Context, status int, detail, id string) error
}

// New returns the pages of all screens. The navigation lists them in this
// order.
func New(d *desk.Desk, screens ...Screen) *Pages {
	var routes []desk.Route
	var assets []*look.Asset
	for _, s := range screens {
		routes = append(routes, s.Routes()...)
		if with, ok := s.(interface{ Assets() []*look.Asset }); ok {
			assets = append(assets, with.Assets()...)
		}
	}
	return &Pages{Routes: d.Mount(routes...), Assets: assets, Trouble: d.Trouble}
}
