package desk

import (
	"io"
	"net/http"
	"time"
)

// fileTime is how long the reader of a file may take for each piece of it, as
// for a whole page elsewhere.
const fileTime = time.Minute

// File returns where to write an answer of any length: a slow reader is cut off
// where they take nothing for a minute, and not because the whole takes longer.
func (v *Visit) File() io.Writer {
	return file{v.Writer, http.NewResponseController(v.Writer)}
}

type file struct {
	to         io.Writer
	connection *http.ResponseController
}

func (f file) Write(b []byte) (int, error) {
	_ = f.connection.SetWriteDeadline(time.Now().Add(fileTime)) // where there is no connection there is no deadline
	return f.to.Write(b)
}
