package campaign

import (
	"bytes"
	"encoding/base64"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"strings"
	"testing"
)

// half returns a picture whose left half is red and whose right half is blue.
func half(w, h int, alpha uint8) image.Image {
	m := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			c := color.NRGBA{R: 255, A: alpha}
			if x >= w/2 {
				c = color.NRGBA{B: 255, A: alpha}
			}
			m.Set(x, y, c)
		}
	}
	return m
}

func asPNG(t *testing.T, m image.Image) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := png.Encode(&out, m); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// asJPEG returns m as a camera that was held in a way writes it.
func asJPEG(t *testing.T, m image.Image, held byte) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := jpeg.Encode(&out, m, nil); err != nil {
		t.Fatal(err)
	}
	exif := "Exif\x00\x00MM\x00*\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00" + string(held) + "\x00\x00GPS 50.45,30.52"
	segment := append([]byte{0xFF, 0xE1, 0, byte(len(exif) + 2)}, exif...)
	return append(append(bytes.Clone(out.Bytes()[:2]), segment...), out.Bytes()[2:]...)
}

// A WebP of 1 by 1 pixel, which is too small, and read as one.
const tinyWebP = "UklGRiIAAABXRUJQVlA4IBYAAAAwAQCdASoBAAEADsD+JaQAA3AAAAAA"

func TestNewPicture(t *testing.T) {
	t.Parallel()
	webp, err := base64.StdEncoding.DecodeString(tinyWebP)
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		file          []byte
		media, says   string
		width, height int
	}{
		"a PNG that is opaque":       {asPNG(t, half(400, 200, 255)), "image/jpeg", "", 400, 200},
		"a PNG one can look through": {asPNG(t, half(400, 200, 128)), "image/png", "", 400, 200},
		"a wide one":                 {asPNG(t, half(3200, 800, 255)), "image/jpeg", "", 1600, 400},
		"a JPEG":                     {asJPEG(t, half(400, 200, 255), 1), "image/jpeg", "", 400, 200},
		"held on its side":           {asJPEG(t, half(400, 200, 255), 6), "image/jpeg", "", 200, 400},
		"too narrow":                 {webp, "", "narrower", 0, 0},
		"a drawing with a script":    {[]byte(`<svg xmlns="http://www.w3.org/2000/svg"><script>1</script></svg>`), "", "PNG, JPEG or WebP", 0, 0},
		"a page":                     {[]byte("<!doctype html><script>1</script>"), "", "PNG, JPEG or WebP", 0, 0},
		"nothing":                    {nil, "", "PNG, JPEG or WebP", 0, 0},
		"cut":                        {asPNG(t, half(400, 200, 255))[:200], "", "damaged", 0, 0},
		"too large":                  {make([]byte, MaxUpload+1), "", "1 MiB", 0, 0},
		"too many pixels":            {asPNG(t, image.NewGray(image.Rect(0, 0, 6000, 5000))), "", "million pixels", 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, err := NewPicture(tt.file)
			if tt.says != "" {
				if err == nil || !strings.Contains(err.Error(), tt.says) {
					t.Errorf("got %v, want an error with %q", err, tt.says)
				}
				return
			}
			if err != nil || p.Media != tt.media || !hashes.MatchString(p.Hash) {
				t.Fatalf("got %s %s, %v", p.Media, p.Hash, err)
			}
			size, _, err := image.DecodeConfig(bytes.NewReader(p.Body))
			if err != nil || size.Width != tt.width || size.Height != tt.height {
				t.Errorf("it is %d × %d, %v; want %d × %d", size.Width, size.Height, err, tt.width, tt.height)
			}
			if bytes.Contains(p.Body, []byte("GPS")) || bytes.Contains(p.Body, []byte("Exif")) {
				t.Error("it still says where it was taken")
			}
		})
	}
}

// Where red is after a camera's eight ways to be held were undone.
func TestUpright(t *testing.T) {
	t.Parallel()
	for held, red := range map[int]image.Point{1: {5, 5}, 2: {95, 5}, 3: {95, 35}, 4: {5, 35}, 5: {5, 5}, 6: {35, 5}, 7: {35, 95}, 8: {5, 95}} {
		m := upright(half(100, 40, 255), held)
		if r, _, b, _ := m.At(red.X, red.Y).RGBA(); r < b {
			t.Errorf("held %d: no red at %v", held, red)
		}
	}
}

func FuzzOrientation(f *testing.F) {
	f.Add([]byte("\xff\xd8\xff\xe1\x00\x22Exif\x00\x00II*\x00\x08\x00\x00\x00\x01\x00\x12\x01\x03\x00\x01\x00\x00\x00\x06\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, file []byte) { orientation(file) })
}
