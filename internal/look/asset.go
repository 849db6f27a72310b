package look

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"path"
	"strconv"
	"strings"
)

// AssetPrefix starts the address of every asset.
const AssetPrefix = "/assets/"

// immutable is for an address that holds the hash of what it serves.
const immutable = "public, max-age=31536000, immutable"

// An Asset is a file of the pages, served under an address that holds its
// hash, so that browsers keep it for a year and still get every change.
type Asset struct {
	Path string // /assets/NAME.HASH.EXT

	name, ext string
	mediaType string
	etag      string
	body      []byte
	zipped    []byte // nil where gzip does not help
}

// NewAsset returns the asset of a file such as "look.css".
func NewAsset(file, mediaType string, body []byte) *Asset {
	sum := sha256.Sum256(body)
	hash := hex.EncodeToString(sum[:8])
	ext := path.Ext(file)
	name := strings.TrimSuffix(file, ext)
	return &Asset{
		Path: AssetPrefix + name + "." + hash + ext,
		name: name, ext: ext, mediaType: mediaType, etag: `"` + hash + `"`,
		body: body, zipped: zipped(body),
	}
}

// zipped returns body compressed, or nil if that is not shorter.
func zipped(body []byte) []byte {
	var out bytes.Buffer
	w, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err != nil {
		return nil
	}
	if _, err := w.Write(body); err != nil || w.Close() != nil || out.Len() >= len(body) {
		return nil
	}
	return out.Bytes()
}

// Assets serves a fixed set of assets. An address with the hash of another
// release gets today's file, uncached: during a rolling update a page of one
// replica asks another for its style.
type Assets struct{ list []*Asset }

// NewAssets returns the handler of list.
func NewAssets(list ...*Asset) *Assets { return &Assets{list} }

func (a *Assets) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	for _, asset := range a.list {
		if asset.matches(r.URL.Path) {
			asset.serve(w, r)
			return
		}
	}
	http.NotFound(w, r)
}

func (a *Asset) matches(address string) bool {
	rest, ok := strings.CutPrefix(address, AssetPrefix+a.name+".")
	if !ok {
		return false
	}
	hash, ok := strings.CutSuffix(rest, a.ext)
	return ok && !strings.ContainsAny(hash, "./")
}

func (a *Asset) serve(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Type", a.mediaType)
	h.Set("ETag", a.etag)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Add("Vary", "Accept-Encoding")
	if r.URL.Path == a.Path {
		h.Set("Cache-Control", immutable)
	} else {
		h.Set("Cache-Control", "no-cache")
	}
	if strings.Contains(r.Header.Get("If-None-Match"), a.etag) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	body := a.body
	if a.zipped != nil && strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		h.Set("Content-Encoding", "gzip")
		body = a.zipped
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	if r.Method != http.MethodHead {
		w.Write(body) //nolint:errcheck // the reader went away
	}
}
