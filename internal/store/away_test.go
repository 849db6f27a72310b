package store

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
)

func TestAway(t *testing.T) {
	t.Parallel()
	refused, err := Open("postgres://u:p@127.0.0.1:1/d")
	if err != nil {
		t.Fatal(err)
	}
	near, far := net.Pipe()
	far.Close()
	_, ended := marked{near, &pulse{}}.Read(make([]byte, 1))
	for name, tt := range map[string]struct {
		err  error
		want bool
	}{
		"nothing wrong":        {nil, false},
		"nobody listens":       {refused.Ping(t.Context()), true},
		"it was cut off":       {fmt.Errorf("read: %w", ended), true},
		"it shuts down":        {&pgconn.PgError{Code: "57P01"}, true},
		"no more connections":  {&pgconn.PgError{Code: "53300"}, true},
		"a bad connection":     {driver.ErrBadConn, true},
		"a key that is taken":  {&pgconn.PgError{Code: "23505"}, false},
		"another's connection": {&net.OpError{Op: "read", Err: io.ErrUnexpectedEOF}, false},
		"something else":       {errors.New("x"), false},
	} {
		if got := Away(tt.err); got != tt.want {
			t.Errorf("%s: Away(%v) = %v", name, tt.err, got)
		}
	}
}

func TestCurrent(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	s, err := Open("sqlite:" + filepath.Join(t.TempDir(), "support.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if current, err := s.Current(ctx); current || err != nil {
		t.Errorf("no file: %v, %v", current, err)
	}
	if _, err := s.Migrations(ctx); err != nil { // which makes the file and the table of versions
		t.Fatal(err)
	}
	if current, err := s.Current(ctx); current || err != nil {
		t.Errorf("before: %v, %v", current, err)
	}
	if _, err := s.Migrate(ctx); err != nil {
		t.Fatal(err)
	}
	if current, err := s.Current(ctx); !current || err != nil {
		t.Errorf("after: %v, %v", current, err)
	}
}
