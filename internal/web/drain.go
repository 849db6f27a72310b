package web

import (
	"io"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"
)

// Limits of what is read of a body that is too large, after the answer.
const (
	drainBytes = 32 << 20
	drainTime  = 3 * time.Second
)

// drain reads on, for a bounded while, the body of a request that was answered
// 413. A client that sends all of it before it reads would otherwise meet a
// closed connection and never see why.
func drain(c *gin.Context, body io.Reader) {
	if body == nil || c.Writer.Status() != http.StatusRequestEntityTooLarge {
		return
	}
	c.Writer.WriteHeaderNow()
	connection := http.NewResponseController(c.Writer)
	if connection.Flush() != nil || connection.SetReadDeadline(time.Now().Add(drainTime)) != nil {
		return // no connection of which the reading can be bounded
	}
	_, _ = io.CopyN(io.Discard, body, drainBytes) // whatever it meets, the answer is sent
}
