package campaign

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"image/png"
	"net/http"
	"path"
	"strings"

	"github.com/gin-gonic/gin"
	"golang.org/x/image/draw"
	"golang.org/x/image/webp"

	"github.com/united24media/support/internal/fault"
	"github.com/united24media/support/internal/store"
)

// Limits of pictures.
const (
	MaxUpload   = 1 << 20 // bytes of an uploaded file
	maxPixels   = 24_000_000
	maxWidth    = 1600 // pixels as served; wider ones are made smaller
	minWidth    = 200
	jpegQuality = 84
)

// NewPicture returns an uploaded PNG, JPEG or WebP as it is served: drawn anew,
// so that nothing else that the file held (a place, a device, a script) is in
// it, upright, and no wider than a page shows. The error is one sentence.
func NewPicture(file []byte) (store.Picture, error) {
	if len(file) > MaxUpload {
		return store.Picture{}, fmt.Errorf("picture: it is larger than 1 MiB; save it smaller")
	}
	var size func() (image.Config, error)
	var read func() (image.Image, error)
	switch http.DetectContentType(file) {
	case "image/png":
		size = func() (image.Config, error) { return png.DecodeConfig(bytes.NewReader(file)) }
		read = func() (image.Image, error) { return png.Decode(bytes.NewReader(file)) }
	case "image/jpeg":
		size = func() (image.Config, error) { return jpeg.DecodeConfig(bytes.NewReader(file)) }
		read = func() (image.Image, error) { return jpeg.Decode(bytes.NewReader(file)) }
	case "image/webp":
		size = func() (image.Config, error) { return webp.DecodeConfig(bytes.NewReader(file)) }
		read = func() (image.Image, error) { return webp.Decode(bytes.NewReader(file)) }
	default:
		return store.Picture{}, errors.New("picture: choose a PNG, JPEG or WebP file")
	}
	config, err := size()
	switch {
	case err != nil:
		return store.Picture{}, errors.New("picture: the file is damaged; save it anew")
	case config.Width*config.Height > maxPixels:
		return store.Picture{}, fmt.Errorf("picture: it has more than %d million pixels; save it smaller", maxPixels/1_000_000)
	case config.Width < minWidth:
		return store.Picture{}, fmt.Errorf("picture: it is narrower than %d pixels", minWidth)
	}
	drawn, err := read()
	if err != nil {
		return store.Picture{}, errors.New("picture: the file is damaged; save it anew")
	}
	return encode(upright(smaller(drawn), orientation(file)))
}

// smaller returns m no wider or higher than is served.
func smaller(m image.Image) image.Image {
	b := m.Bounds()
	most := max(b.Dx(), b.Dy())
	if most <= maxWidth {
		return m
	}
	out := image.NewNRGBA(image.Rect(0, 0, max(1, b.Dx()*maxWidth/most), max(1, b.Dy()*maxWidth/most)))
	draw.CatmullRom.Scale(out, out.Bounds(), m, b, draw.Src, nil)
	return out
}

func encode(m image.Image) (store.Picture, error) {
	var out bytes.Buffer
	media, err := "image/jpeg", error(nil)
	if opaque, ok := m.(interface{ Opaque() bool }); ok && !opaque.Opaque() {
		media, err = "image/png", png.Encode(&out, m)
	} else {
		err = jpeg.Encode(&out, m, &jpeg.Options{Quality: jpegQuality})
	}
	if err != nil {
		return store.Picture{}, fmt.Errorf("draw the picture: %w", err)
	}
	sum := sha256.Sum256(out.Bytes())
	return store.Picture{Hash: hex.EncodeToString(sum[:16]), Media: media, Body: out.Bytes()}, nil
}

// upright returns m turned as a camera's orientation (Exif 2.3, tag 0x0112, 1
// to 8) says.
func upright(m image.Image, orientation int) image.Image {
	if orientation < 2 || orientation > 8 {
		return m
	}
	b := m.Bounds()
	w, h := b.Dx(), b.Dy()
	size := image.Rect(0, 0, w, h)
	if orientation >= 5 { // it lies on its side
		size = image.Rect(0, 0, h, w)
	}
	out := image.NewNRGBA(size)
	for y := range h {
		for x := range w {
			to := [...]image.Point{
				{w - 1 - x, y}, {w - 1 - x, h - 1 - y}, {x, h - 1 - y}, {y, x}, {h - 1 - y, x}, {h - 1 - y, w - 1 - x}, {y, w - 1 - x},
			}[orientation-2]
			out.Set(to.X, to.Y, m.At(b.Min.X+x, b.Min.Y+y))
		}
	}
	return out
}

// orientation returns how a JPEG says it is to be turned; 0 where it does not.
func orientation(file []byte) int {
	const app1, startOfScan = 0xE1, 0xDA
	for at := 2; at+4 <= len(file) && file[at] == 0xFF && file[at+1] != startOfScan; {
		end := at + 2 + int(binary.BigEndian.Uint16(file[at+2:]))
		if end > len(file) {
			return 0
		}
		if tiff, ok := bytes.CutPrefix(file[at+4:max(end, at+4)], []byte("Exif\x00\x00")); ok && file[at+1] == app1 {
			return orientationOf(tiff)
		}
		at = end
	}
	return 0
}

// orientationOf reads the tag from the first directory of a TIFF header.
func orientationOf(tiff []byte) int {
	const header, entry, tag = 8, 12, 0x0112
	if len(tiff) < header {
		return 0
	}
	var order binary.ByteOrder = binary.BigEndian
	if string(tiff[:2]) == "II" {
		order = binary.LittleEndian
	}
	first := int64(order.Uint32(tiff[4:]))
	if first+2 > int64(len(tiff)) {
		return 0
	}
	entries := tiff[first+2:]
	for range order.Uint16(tiff[first:]) {
		if len(entries) < entry {
			return 0
		}
		if order.Uint16(entries) == tag {
			return int(order.Uint16(entries[8:]))
		}
		entries = entries[entry:]
	}
	return 0
}

// PicturePath returns the address of a picture below the public one.
func PicturePath(hash string) string { return "/pictures/" + hash }

// Pictures serves pictures by their hash.
type Pictures struct{ Store *store.Store }

// Serve handles GET /pictures/HASH.
func (p Pictures) Serve(c *gin.Context) error {
	hash := path.Base(c.Request.URL.Path)
	if !hashes.MatchString(hash) {
		return fault.New(fault.NotFound, "There is no such picture.")
	}
	h, etag := c.Writer.Header(), `"`+hash+`"`
	h.Set("ETag", etag)
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	if strings.Contains(c.GetHeader("If-None-Match"), etag) {
		c.Status(http.StatusNotModified)
		return nil
	}
	picture, err := p.Store.PictureByHash(c.Request.Context(), hash)
	if err != nil {
		h.Del("ETag")
		h.Set("Cache-Control", "no-store")
		return err
	}
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	c.Data(http.StatusOK, picture.Media, picture.Body)
	return nil
}
