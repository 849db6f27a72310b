package chromium

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha512"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"

	"github.com/united24media/support/internal/testenv"
)

// axe-core checks pages for barriers. Its licence is MPL-2.0, so it is fetched
// for tests and is no part of what is shipped.
const (
	axePackage = "axe-core-4.14.1"
	axeName    = "axe-core@4.14.1"
	axeSum     = "1477dafa598d8d065f273d6af302aa203c02e83131707b7fa648cd41bd3d6b73" +
		"4f8c22a0dab86ee6a6f64b8afbe804b214d36db85a2826965edfb3a0b9d546b5" // SHA-512
	axeMost = 16 << 20 // bytes of its script
)

// axe returns the script of axe-core, which defines `axe` in a page. npm
// fetches it the first time; later it comes from the user's cache folder.
var axe = sync.OnceValues(func() (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = os.TempDir() // no home: fetched into a folder that may be swept
	}
	folder := filepath.Join(cache, "support-tests")
	archive := filepath.Join(folder, axePackage+".tgz")
	packed, err := os.ReadFile(archive)
	if err != nil || axeMatches(packed) != nil {
		if err := fetchAxe(archive); err != nil {
			return "", err
		}
		if packed, err = os.ReadFile(archive); err != nil {
			return "", err
		}
	}
	if err := axeMatches(packed); err != nil {
		return "", err
	}
	return unpack(packed, "package/axe.min.js")
})

func axeMatches(packed []byte) error {
	if sum := sha512.Sum512(packed); hex.EncodeToString(sum[:]) != axeSum {
		return errors.New("what npm fetched as " + axeName + " is not the release the tests were written with")
	}
	return nil
}

// fetchAxe has npm write the archive.
func fetchAxe(archive string) error {
	npm, err := testenv.Program("npm")
	if err != nil {
		return err
	}
	folder := filepath.Dir(archive)
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	// In a folder of its own, so that two processes do not write one file.
	fresh, err := os.MkdirTemp(folder, "fetch-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(fresh)
	cmd := exec.CommandContext(context.Background(), npm, "pack", axeName)
	cmd.Dir = fresh
	if printed, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("npm pack %s: %w: %s", axeName, err, printed)
	}
	return os.Rename(filepath.Join(fresh, filepath.Base(archive)), archive)
}

// unpack returns one file of a packed archive.
func unpack(packed []byte, name string) (string, error) {
	plain, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return "", err
	}
	for files := tar.NewReader(plain); ; {
		header, err := files.Next()
		if err != nil {
			return "", fmt.Errorf("%s in %s: %w", name, axePackage, err)
		}
		if header.Name == name {
			text, err := io.ReadAll(io.LimitReader(files, axeMost))
			return string(text), err
		}
	}
}
