package sandbox

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"net/url"
)

const (
	maxIdempotencyKey = 255              // characters
	idempotencyFor    = int64(24 * 3600) // seconds an answer is kept for its key
)

// forgetAnswers drops the answers whose keys can be used anew.
func (s *Sandbox) forgetAnswers() {
	var old []string
	s.st.each(kindIdempotency, func(o Object) bool {
		if s.now()-o.int("created") < idempotencyFor {
			return false
		}
		old = append(old, o.id())
		return true
	})
	for _, key := range old {
		s.st.remove(kindIdempotency, key)
	}
}

// once runs f, unless it is a POST whose Idempotency-Key was used before: then
// the stored answer comes again, or an error if the parameters differ. A
// request that was refused before it did anything is not stored.
// https://docs.stripe.com/api/idempotent_requests
func (s *Sandbox) once(r *http.Request, c *call, form url.Values, f func() (Object, error)) (status int, body []byte, replayed bool, err error) {
	keyed := r.Method == http.MethodPost && c.idempotencyKey != ""
	if keyed && len(c.idempotencyKey) > maxIdempotencyKey {
		return 0, nil, false, &apiError{status: http.StatusBadRequest, kind: "idempotency_error", message: "Idempotency keys may be at most 255 characters."}
	}
	hash := sha256.Sum256([]byte(r.Method + " " + c.url + "?" + form.Encode()))
	request := hex.EncodeToString(hash[:])
	if keyed {
		if stored := s.st.get(kindIdempotency, c.idempotencyKey); stored != nil && s.now()-stored.int("created") < idempotencyFor {
			if stored.str("request") != request {
				return 0, nil, false, &apiError{status: http.StatusBadRequest, kind: "idempotency_error",
					message: "Keys for idempotent requests can only be used with the same parameters they were first used with. Try using a key other than '" +
						c.idempotencyKey + "' if you meant to execute a different request."}
			}
			return int(stored.int("status")), []byte(stored.str("body")), true, nil
		}
	}
	o, err := f()
	status, body = http.StatusOK, nil
	if e, ok := errors.AsType[*apiError](err); ok && e.effectsStay {
		status, body = e.status, encode(e.body(c.id))
	} else if err != nil {
		return 0, nil, false, err
	} else {
		body = encode(o)
	}
	if keyed {
		s.st.put(kindIdempotency, Object{"id": c.idempotencyKey, "created": s.now(), "request": request, "status": int64(status), "body": string(body)})
	}
	return status, body, false, err
}
