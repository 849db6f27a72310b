package checkout

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/united24media/support/internal/clean"
	"github.com/united24media/support/internal/fault"
)

// Create handles POST /v1/checkouts: 201 with the id and the address to pay
// at, or 200 with those of the same attempt before.
func (s *Service) Create(c *gin.Context) error {
	if s.closed() {
		f := fault.Wrap(fault.Unavailable, ErrClosed, "No gifts are taken at this moment; nothing was charged. Please try again later.")
		f.RetryAfter = retryClosed
		return f
	}
	in, err := readInput(c.Writer, c.Request)
	if err != nil {
		return err
	}
	r, err := s.validate(in)
	if err != nil {
		return err
	}
	if r.attempt != "" {
		r.attempt = fromAPI + r.attempt
	}
	row, fresh, err := s.open(c.Request.Context(), r, s.network(c))
	if err != nil {
		return err
	}
	status := http.StatusOK
	if fresh {
		status = http.StatusCreated
	}
	c.Header("Cache-Control", "no-store")
	c.JSON(status, gin.H{"id": row.ID, "url": row.URL})
	return nil
}

// readInput reads the body of POST /v1/checkouts: one JSON object, whose
// fields are all known and stand once. Errors are [fault.Invalid], naming the
// field where there is one, [fault.MediaType] and [fault.TooLarge].
func readInput(w http.ResponseWriter, r *http.Request) (input, error) {
	in := input{anonymous: true} // a name is shown only to those who say so
	switch kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); kind {
	case "application/x-www-form-urlencoded", "multipart/form-data":
		return in, fault.New(fault.MediaType, "Send JSON (Content-Type: application/json); forms go to /support.")
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		return in, fault.New(fault.TooLarge, "The body may have up to %d bytes.", maxBody)
	}
	if err != nil {
		return in, fault.Wrap(fault.Invalid, err, "The body could not be read.")
	}
	fields, err := readFields(body)
	if err != nil {
		return in, err
	}
	for _, name := range slices.Sorted(maps.Keys(fields)) { // in order, so that the same body has the same answer
		if err := in.set(name, fields[name]); err != nil {
			return in, err
		}
	}
	return in, nil
}

// readFields reads the fields of a JSON object. By hand, and not into a struct:
// encoding/json takes "Currency" for "currency", its errors do not name the
// field, and of one that stands twice it takes the last.
func readFields(body []byte) (map[string]json.RawMessage, error) {
	const notOne = "The body must be one JSON object."
	fields := map[string]json.RawMessage{}
	in := json.NewDecoder(bytes.NewReader(body))
	if start, err := in.Token(); err != nil || start != json.Delim('{') {
		return nil, fault.Wrap(fault.Invalid, err, notOne)
	}
	for in.More() {
		name, err := in.Token()
		if err != nil {
			return nil, fault.Wrap(fault.Invalid, err, notOne)
		}
		key := name.(string) // nothing else is a name
		if _, twice := fields[key]; twice {
			return nil, fault.Field(clean.Cut(clean.Text(key), maxName), "The field stands twice; send it once.")
		}
		var value json.RawMessage
		if err := in.Decode(&value); err != nil {
			return nil, fault.Wrap(fault.Invalid, err, notOne)
		}
		fields[key] = value
	}
	if _, err := in.Token(); err != nil { // the closing brace
		return nil, fault.Wrap(fault.Invalid, err, notOne)
	}
	if _, err := in.Token(); !errors.Is(err, io.EOF) {
		return nil, fault.Wrap(fault.Invalid, err, notOne)
	}
	return fields, nil
}

// set reads the field called name. null is as good as leaving it out.
func (in *input) set(name string, raw json.RawMessage) error {
	if bytes.Equal(raw, []byte("null")) {
		raw = nil
	}
	switch name {
	case "amount_minor":
		return in.setAmount(raw)
	case "anonymous":
		return setBool(name, raw, &in.anonymous)
	case "message_public":
		return setBool(name, raw, &in.showMessage)
	}
	text := in.text(name)
	utm := text == nil && isUTM(name)
	if text == nil && !utm {
		return fault.Field(clean.Cut(clean.Text(name), maxName), "There is no such field.")
	}
	var value string
	if raw != nil && json.Unmarshal(raw, &value) != nil {
		return fault.Field(name, "The value must be a string.")
	}
	if utm {
		if in.utm == nil {
			in.utm = map[string]string{}
		}
		in.utm[name] = value
		return nil
	}
	*text = value
	return nil
}

func setBool(name string, raw json.RawMessage, to *bool) error {
	if raw != nil && json.Unmarshal(raw, to) != nil {
		return fault.Field(name, "Say true or false.")
	}
	return nil
}

func (in *input) setAmount(raw json.RawMessage) error {
	if raw == nil {
		return nil
	}
	minor, err := strconv.ParseInt(string(raw), 10, 64)
	if err != nil {
		return fault.Field("amount_minor", "The amount must be a whole number of minor units, such as 1000 for 10.00.")
	}
	in.amountMinor = &minor
	return nil
}

// text returns where the text field called name goes, nil if there is none.
func (in *input) text(name string) *string {
	return map[string]*string{
		"currency": &in.currency, "interval": &in.interval, "attempt": &in.attempt, "token": &in.token,
		"article": &in.article, "placement": &in.placement, "campaign": &in.campaign, "variant": &in.variant,
		"tier": &in.tier, "locale": &in.locale, "name": &in.name, "message": &in.message, "return_url": &in.returnURL,
	}[name]
}

// isUTM reports whether name is a campaign parameter: utm_ and small letters.
func isUTM(name string) bool {
	rest, ok := strings.CutPrefix(name, "utm_")
	return ok && rest != "" && len(rest) <= 30 && strings.Trim(rest, "abcdefghijklmnopqrstuvwxyz_") == ""
}
