package ask

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"
	"sync"
)

// How long others may keep what changes with the counts, in seconds. Freshness,
// revalidation and [policyEvery] together are the 10 seconds within which the
// switch that turns all asks off must reach readers. On an error a cache may go
// on for a day, and the embed then shows only its quiet text.
const livingCache = "public, max-age=4, s-maxage=4, stale-while-revalidate=4, stale-if-error=86400"

// Header values are made once: assigning a ready slice to the header map
// allocates nothing, and Header.Set would.
var (
	jsonType   = []string{"application/json; charset=utf-8"}
	svgType    = []string{"image/svg+xml; charset=utf-8"}
	scriptType = []string{"text/javascript; charset=utf-8"}
	living     = []string{livingCache}
	immutable  = []string{"public, max-age=31536000, immutable"}
	ageExposed = []string{"Age"}
	byEncoding = []string{"Accept-Encoding"}
	gzipped    = []string{"gzip"}
)

// A ready is a whole public answer, made once and sent to everyone who asks
// with the same address.
type ready struct {
	contentType  []string
	cacheControl []string
	plain        variant
	zipped       variant
}

// A variant is the answer in one encoding.
type variant struct {
	body     []byte
	etag     []string
	length   []string
	encoding []string // nil for plain bytes
}

// newReady makes the answer of body.
func newReady(contentType, cacheControl []string, body []byte) *ready {
	sum := sha256.Sum256(body)
	tag := base64.RawURLEncoding.EncodeToString(sum[:12])
	zipped := zip(body)
	return &ready{
		contentType:  contentType,
		cacheControl: cacheControl,
		plain:        variant{body: body, etag: []string{`"` + tag + `"`}, length: lengthOf(body)},
		zipped:       variant{body: zipped, etag: []string{`"` + tag + `-gzip"`}, length: lengthOf(zipped), encoding: gzipped},
	}
}

// size is about how many bytes of memory the answer holds.
func (a *ready) size() int { return len(a.plain.body) + len(a.zipped.body) + readyOverhead }

const readyOverhead = 512 // bytes: the structs, the header values, the map's share

// write answers r with a. Who may read it from another origin is the route's
// rule, in package web.
func (a *ready) write(w http.ResponseWriter, r *http.Request) {
	v := &a.plain
	if accept := r.Header["Accept-Encoding"]; len(accept) > 0 && takesGzip(accept[0]) {
		v = &a.zipped
	}
	h := w.Header()
	h["Cache-Control"] = a.cacheControl
	h["Etag"] = v.etag
	h["Vary"] = byEncoding
	h["Access-Control-Expose-Headers"] = ageExposed
	if known := r.Header["If-None-Match"]; len(known) > 0 && matches(known[0], v.etag[0]) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	h["Content-Type"] = a.contentType
	h["Content-Length"] = v.length
	if v.encoding != nil {
		h["Content-Encoding"] = v.encoding
	}
	w.WriteHeader(http.StatusOK)
	if r.Method != http.MethodHead {
		w.Write(v.body) //nolint:errcheck // the reader is gone; there is nobody to tell
	}
}

// matches reports whether an If-None-Match header names etag. The comparison
// is the weak one: a CDN that compresses by itself weakens our tags.
func matches(header, etag string) bool {
	if header == etag {
		return true
	}
	for tag := range strings.SplitSeq(header, ",") {
		if tag = strings.TrimPrefix(strings.TrimSpace(tag), "W/"); tag == etag || tag == "*" {
			return true
		}
	}
	return false
}

// takesGzip reports whether an Accept-Encoding header allows gzip: it names
// it, and not with a weight of zero.
func takesGzip(header string) bool {
	for part := range strings.SplitSeq(header, ",") {
		name, weight, _ := strings.Cut(part, ";")
		if name = strings.TrimSpace(name); name != "gzip" && name != "*" {
			continue
		}
		q, weighted := strings.CutPrefix(strings.ReplaceAll(weight, " ", ""), "q=")
		return !weighted || strings.Trim(q, "0.") != ""
	}
	return false
}

func lengthOf(body []byte) []string { return []string{strconv.Itoa(len(body))} }

// writers keeps compressors: a new one costs more than the compressing.
var writers = sync.Pool{New: func() any {
	w, err := gzip.NewWriterLevel(nil, gzip.BestCompression)
	if err != nil {
		panic(err) // only for a level that doesn't exist
	}
	return w
}}

func zip(body []byte) []byte {
	var out bytes.Buffer
	w := writers.Get().(*gzip.Writer)
	defer writers.Put(w)
	w.Reset(&out)
	w.Write(body) //nolint:errcheck // a buffer takes everything
	w.Close()     //nolint:errcheck // likewise
	return bytes.Clone(out.Bytes())
}
