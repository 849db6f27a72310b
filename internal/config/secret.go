package config

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// A Secret is a text that no print, log or JSON shows by accident.
type Secret struct{ text string }

// NewSecret returns text as a secret.
func NewSecret(text string) Secret { return Secret{text} }

// Reveal returns the secret's text.
func (s Secret) Reveal() string { return s.text }

// Empty reports whether there is no secret.
func (s Secret) Empty() bool { return s.text == "" }

// String says only whether there is a secret.
func (s Secret) String() string {
	if s.Empty() {
		return "(none)"
	}
	return "(set)"
}

// Format keeps every verb of package fmt, %#v too, from showing the text.
func (s Secret) Format(f fmt.State, _ rune) { fmt.Fprint(f, s.String()) }

// MarshalText keeps the text out of JSON and structured logs.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// redactAddress returns an address without user, password and query, each of
// which can hold a secret: ?password=… is PostgreSQL's.
func redactAddress(address string) string {
	scheme, rest, ok := strings.Cut(address, "://")
	if !ok {
		return address
	}
	hosts, _, _ := strings.Cut(rest, "?")
	at := strings.LastIndex(hosts, "@")
	if at < 0 && strings.Contains(rest, "@") {
		return scheme + "://(kept back)" // a password with a ? in it
	}
	return scheme + "://" + hosts[at+1:]
}

// Keep returns the secret in the file at path, which it makes, with 32 random
// bytes after prefix, if there is none. Of several processes that start at
// once, one makes it and all return the same.
func Keep(path, prefix string) (Secret, error) {
	secret, err := readKept(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return secret, err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return Secret{}, fmt.Errorf("make the data folder: %w", err)
	}
	var random [32]byte
	rand.Read(random[:])                                             //nolint:errcheck // never fails, by its documentation
	temporary, err := os.CreateTemp(filepath.Dir(path), ".secret-*") // mode 0600
	if err != nil {
		return Secret{}, fmt.Errorf("keep a secret: %w", err)
	}
	defer os.Remove(temporary.Name()) //nolint:errcheck // gone or not, the secret stands
	_, err = temporary.WriteString(prefix + hex.EncodeToString(random[:]) + "\n")
	if err := errors.Join(err, temporary.Sync(), temporary.Close()); err != nil {
		return Secret{}, fmt.Errorf("keep a secret: %w", err)
	}
	// A link fails if the name is taken: the first to make it wins, whole.
	if err := os.Link(temporary.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return Secret{}, fmt.Errorf("keep a secret: %w", err)
	}
	return readKept(path)
}

func readKept(path string) (Secret, error) {
	body, err := os.ReadFile(path)
	if err != nil {
		return Secret{}, fmt.Errorf("read the kept secret: %w", err)
	}
	text := strings.TrimSpace(string(body))
	if len(text) < minSecret {
		return Secret{}, fmt.Errorf("the kept secret in %s is shorter than %d bytes; remove the file to have one made", path, minSecret)
	}
	return Secret{text}, nil
}
