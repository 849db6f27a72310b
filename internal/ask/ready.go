package ask

import (
	"bytes"
	"compress/flate"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"hash/crc32"
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
	parts    [][]byte // written one after the other
	etag     []string
	length   []string
	encoding []string // nil for plain bytes
}

// newReady makes the answer of body, and of tail after it if that is not nil.
func newReady(contentType, cacheControl []string, body []byte, tail *ending) *ready {
	plain, zipped := [][]byte{body}, [][]byte{zip(body)}
	if tail != nil {
		plain, zipped = [][]byte{body, tail.plain}, tail.zipAfter(body)
	}
	sum := sha256.New()
	for _, part := range plain {
		sum.Write(part)
	}
	tag := base64.RawURLEncoding.EncodeToString(sum.Sum(nil)[:12])
	return &ready{
		contentType:  contentType,
		cacheControl: cacheControl,
		plain:        variant{parts: plain, etag: []string{`"` + tag + `"`}, length: lengthOf(plain)},
		zipped:       variant{parts: zipped, etag: []string{`"` + tag + `-gzip"`}, length: lengthOf(zipped), encoding: gzipped},
	}
}

// An ending is what many answers end with. They share its bytes, compressed
// too: a deflate stream may be continued by another that was made before.
type ending struct {
	plain    []byte
	deflated []byte // the last blocks of a stream
}

func newEnding(plain []byte) *ending {
	var out bytes.Buffer
	w := deflaters.Get().(*flate.Writer)
	defer deflaters.Put(w)
	w.Reset(&out)
	w.Write(plain) //nolint:errcheck // a buffer takes everything
	w.Close()      //nolint:errcheck // likewise
	return &ending{plain, bytes.Clone(out.Bytes())}
}

// gzipHeader starts a gzip stream (RFC 1952) that says nothing of its source.
const gzipHeader = "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"

// zipAfter returns body and the ending after it as one gzip stream.
func (e *ending) zipAfter(body []byte) [][]byte {
	var out bytes.Buffer
	out.WriteString(gzipHeader)
	w := deflaters.Get().(*flate.Writer)
	defer deflaters.Put(w)
	w.Reset(&out)
	w.Write(body) //nolint:errcheck // a buffer takes everything
	w.Flush()     //nolint:errcheck // likewise; it ends on a whole byte, and not the stream
	sum := crc32.Update(crc32.ChecksumIEEE(body), crc32.IEEETable, e.plain)
	trailer := binary.LittleEndian.AppendUint32(nil, sum)
	trailer = binary.LittleEndian.AppendUint32(trailer, uint32(len(body)+len(e.plain)))
	return [][]byte{bytes.Clone(out.Bytes()), e.deflated, trailer}
}

// size is about how many bytes of memory the answer holds for itself.
func (a *ready) size() int { return len(a.plain.parts[0]) + len(a.zipped.parts[0]) + readyOverhead }

const readyOverhead = 800 // bytes: the structs, the header values, the map's share

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
	if r.Method == http.MethodHead {
		return
	}
	for _, part := range v.parts {
		w.Write(part) //nolint:errcheck // the reader is gone; there is nobody to tell
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
	if rest, ok := strings.CutPrefix(header, "gzip"); ok && (rest == "" || rest[0] == ',') {
		return true // as all browsers and most caches say it
	}
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

func lengthOf(parts [][]byte) []string {
	n := 0
	for _, part := range parts {
		n += len(part)
	}
	return []string{strconv.Itoa(n)}
}

// deflaters keeps compressors: a new one costs more than the compressing.
var deflaters = sync.Pool{New: func() any {
	w, err := flate.NewWriter(nil, flate.BestCompression)
	if err != nil {
		panic(err) // only for a level that doesn't exist
	}
	return w
}}

// zip returns body as a gzip stream.
func zip(body []byte) []byte {
	return bytes.Join((&ending{deflated: lastBlock}).zipAfter(body), nil)
}

// lastBlock ends a deflate stream and holds nothing (RFC 1951, 3.2.6).
var lastBlock = []byte{0x03, 0x00}
