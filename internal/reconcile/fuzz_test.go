package reconcile

import (
	"bytes"
	"testing"
	"time"
)

// FuzzReadImport: no file that somebody exported from somewhere breaks an
// import, and each of its bad rows is told by its line.
func FuzzReadImport(f *testing.F) {
	for _, file := range []string{
		"", "\xef\xbb\xbfreference,date,amount,currency,email\nb1,2026-01-31,10.00,EUR,a@example.org\n", "date;amount;currency\n31.01.2026;10,00;EUR\n",
		"reference,date,amount,currency\n\"b1,2026-01-31", "reference,date,amount,currency\nb1,2026-02-30,x,EUR\nb1,2026-01-31,-1,eur\n", "a\n\n\n", "\x00,\x00\n",
	} {
		f.Add([]byte(file))
	}
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, file []byte) {
		m, bad, err := ReadImport(bytes.NewReader(file), time.UTC, now)
		if err != nil {
			return
		}
		for _, row := range bad {
			if row.Line < 1 || row.Reason == "" {
				t.Errorf("a bad row is told as %+v", row)
			}
		}
		if m.Gifts < 0 || m.Adopted < 0 || m.Skipped < 0 || len(bad) > maxBadRows {
			t.Errorf("%+v, %d bad rows", m, len(bad))
		}
	})
}
