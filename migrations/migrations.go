// Package migrations holds the database schema as numbered SQL files. One text
// serves PostgreSQL and SQLite; each file is one transaction and goes forward
// only, so that the version before it and the version after it both run on it.
package migrations

import "embed"

// FS holds the files, in the form goose reads.
//
//go:embed *.sql
var FS embed.FS
