package main

import (
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/united24media/support/internal/account"
	"github.com/united24media/support/internal/mail"
	"github.com/united24media/support/internal/privacy"
	"github.com/united24media/support/internal/store"
)

// privacyPage is found before the tests leave the package's folder.
var privacyPage, _ = filepath.Abs("../../docs/privacy.md")

// TestPrivacyPageIsTrue: docs/privacy.md names every table there is and none
// that is not, and its times are those of the code.
func TestPrivacyPageIsTrue(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile(privacyPage)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "support.db")
	s, err := store.Open("sqlite:" + file)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.Close()
	db, err := sql.Open("sqlite", file)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	tables := map[string]bool{}
	for _, table := range column(t, db, `SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'`) {
		tables[table] = true
		if !strings.Contains(string(page), "`"+table+"`") {
			t.Errorf("the page does not say what is in the table %s", table)
		}
	}
	kept, rest, _ := strings.Cut(string(page), "## What is removed by itself")
	for _, name := range regexp.MustCompile("`([a-z_]+)`").FindAllStringSubmatch(kept, -1) {
		if !tables[name[1]] {
			t.Errorf("the page speaks of a table %s, which is not there", name[1])
		}
	}
	for what, want := range map[string]time.Duration{
		"attempts to give that were not paid": privacy.KeepCheckouts, "addresses and contents of mails that are done": mail.KeepFor,
		"wishes to sign in, after their end": account.KeepWishes, "sessions of `/account` that are not used": account.IdleTime,
		"sessions of `/account` in all": account.AbsoluteTime, "what staff searched for": store.SearchLife,
		"people who are kept out of sight, after their last gift or their membership's end": privacy.KeepDiscreet,
	} {
		_, row, found := strings.Cut(rest, "| "+what+" | ")
		row, _, _ = strings.Cut(row, " |")
		if !found || row != inWords(want) {
			t.Errorf("%s: the page says %q, the code %q", what, row, inWords(want))
		}
	}
	if !strings.Contains(rest, "- "+inWords(privacy.KeepDiscreet)+" after the last gift") {
		t.Error("the page's part about readers in danger has another time")
	}
}

// inWords writes a time as the page does: days, or hours below two days.
func inWords(d time.Duration) string {
	if d < 48*time.Hour {
		return fmt.Sprintf("%d hours", d/time.Hour)
	}
	return fmt.Sprintf("%d days", d/(24*time.Hour))
}
