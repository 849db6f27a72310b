package web

import (
	"errors"
	"mime"
	"net/http"
	"net/url"

	"github.com/gin-gonic/gin"

	"github.com/united24media/support/internal/fault"
)

// single are the parameters on which money, a way back or a sign-in depends.
// Which of two values would count depends on who reads them, here and in front
// of us: so they are taken once or not at all.
var single = []string{
	"amount", "amount_once", "amount_month", "amount_year", "amount_minor", "other", "currency", "interval", "shown", "tier",
	"article", "placement", "campaign", "variant", "attempt", "work", "session_id",
	"return_url", "to", "token", "code", "state", "email", "address", "id", "key", "revision", "role", "sure", "reason",
}

// once returns a [fault.Invalid] for a request whose query or form has one of
// those twice. What is answered from memory, and JSON, is checked where it is
// read.
func once(c *gin.Context, p policy) error {
	if err := onceIn(c.Request.URL.Query()); err != nil {
		return err
	}
	if c.Request.Method != http.MethodPost || p.maxBody == 0 || p.maxBody > maxForm {
		return nil // of large forms nothing is read before it is known who sends them
	}
	switch kind, _, _ := mime.ParseMediaType(c.GetHeader("Content-Type")); kind {
	case "application/x-www-form-urlencoded":
		if err := c.Request.ParseForm(); err != nil {
			return unreadable(c, err)
		}
		return onceIn(c.Request.PostForm)
	case "multipart/form-data":
		if err := c.Request.ParseMultipartForm(p.maxBody); err != nil {
			return unreadable(c, err)
		}
		return onceIn(c.Request.MultipartForm.Value)
	}
	return nil
}

// unreadable is the answer to a form that can't be read. One that is too large
// is the handler's to answer, which meets the same error.
func unreadable(c *gin.Context, err error) error {
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		c.Request.Form, c.Request.PostForm = nil, nil
		return nil
	}
	return fault.Wrap(fault.Invalid, err, "The form can't be read.")
}

func onceIn(values url.Values) error {
	for _, name := range single {
		if len(values[name]) > 1 {
			return fault.Field(name, "Send %s once.", name)
		}
	}
	return nil
}
