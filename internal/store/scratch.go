package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"golang.org/x/sync/errgroup"
)

// derived are the tables that a rebuild makes anew.
var derived = slices.Concat(byKey, byIndex, summed)

// Of the derived tables some are only asked for rows by their key. Of others an
// index alone may answer, which it does once the table was vacuumed; some of
// these are made of parts.
var (
	byKey   = []string{"registers", "links", "supporter_scopes", "scopes"}
	byIndex = []string{"donations", "memberships", "membership_sums"}
	summed  = []string{"sums", "rankings"}
)

// scratchSchema is where a rebuild makes its tables: a schema on PostgreSQL,
// an attached file on SQLite.
const scratchSchema = "rebuilding"

// Scratch makes an empty database with our schema beside the live tables, for
// a rebuild. What an interrupted one left there is thrown away. Nothing in it
// needs to outlive a crash, and it takes no turns with the ledger.
func (s *Store) Scratch(ctx context.Context) (*Store, error) {
	var scratch *Store
	var err error
	if s.postgres {
		scratch, err = s.scratchPostgres(ctx)
	} else {
		scratch, err = scratchSQLite(s.file + "." + scratchSchema)
	}
	if err != nil {
		return nil, fmt.Errorf("make the tables to rebuild in: %w", err)
	}
	if _, err := scratch.Migrate(ctx); err != nil {
		return nil, errors.Join(err, scratch.Close())
	}
	if err := scratch.unused(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("make the tables to rebuild in: %w", err), scratch.Close())
	}
	if s.postgres {
		scratch.fresh.copyTo(ctx, scratch.write)
	}
	return scratch, nil
}

// unused makes a database that was migrated one that nobody has written to and
// nobody but one ledger will.
func (s *Store) unused(ctx context.Context) (err error) {
	s.fresh = &fresh{seen: newSeen()}
	if s.postgres {
		if err := s.each(ctx, derived, `ALTER TABLE %s SET (autovacuum_enabled = off)`); err != nil {
			return err
		}
	}
	if s.fresh.indexes, err = s.dropIndexes(ctx); err != nil {
		return err
	}
	return s.makeParts(ctx)
}

// each runs a statement for each of several tables.
func (s *Store) each(ctx context.Context, tables []string, statement string) error {
	for _, table := range tables {
		if _, err := s.write.ExecContext(ctx, fmt.Sprintf(statement, table)); err != nil {
			return err
		}
	}
	return nil
}

// kept are the indexes that stand while a rebuild fills the tables: the one by
// which the ledger looks donations up, and those of a few rows among many, to
// look for which afterwards costs more than to add each.
var kept = []string{"donations_supporter", "donations_attribution", "donations_status", "donations_method", "registers_watched"}

// dropIndexes drops the others, which only screens use, to be made when the
// tables are full: row by row they cost most of a rebuild. It returns the
// statements that make them.
func (s *Store) dropIndexes(ctx context.Context) (definitions []string, err error) {
	err = s.transact(ctx, s.write, s.begin(), func(t *Tx) error {
		definitions, err = t.dropIndexes(ctx)
		return err
	})
	return definitions, err
}

func (t *Tx) dropIndexes(ctx context.Context) (definitions []string, err error) {
	query := `SELECT indexname, indexdef FROM pg_indexes
		WHERE schemaname = current_schema() AND ` + t.any("tablename", 1) + ` AND indexdef LIKE 'CREATE INDEX %' AND NOT ` + t.any("indexname", 2) + ` ORDER BY indexname`
	if t.pg == nil {
		query = `SELECT name, sql FROM main.sqlite_master WHERE type = 'index' AND ` + t.any("tbl_name", 1) + ` AND sql <> '' AND NOT ` + t.any("name", 2) + ` ORDER BY name`
	}
	var names []string
	err = t.query(ctx, query, []any{t.list(derived), t.list(kept)}, func(r row) error {
		var name, definition string
		err := r.Scan(&name, &definition)
		names, definitions = append(names, name), append(definitions, definition)
		return err
	})
	for _, name := range names {
		err = errors.Join(err, t.query(ctx, `DROP INDEX `+name, nil, nil))
	}
	return definitions, err
}

// Finish makes a scratch database whole when everything was written to it and
// added up: on PostgreSQL the indexes are made that dropIndexes dropped, and the
// server looks after the tables from then on.
func (s *Store) Finish(ctx context.Context) error {
	if !s.postgres {
		return nil
	}
	var group errgroup.Group
	group.SetLimit(2) // each takes memory, and a processor of the server's
	for _, definition := range s.fresh.indexes {
		group.Go(func() error {
			_, err := s.write.ExecContext(ctx, definition)
			return err
		})
	}
	return errors.Join(group.Wait(), s.each(ctx, derived, `ALTER TABLE %s RESET (autovacuum_enabled)`))
}

// ScratchFile makes an empty database in a file that is removed with
// [Store.Close], to compare another one with.
func ScratchFile(ctx context.Context) (*Store, error) {
	folder, err := os.MkdirTemp("", "support-verify-")
	if err != nil {
		return nil, fmt.Errorf("make a place to recompute in: %w", err)
	}
	scratch, err := scratchSQLite(folder + "/scratch.db")
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(folder))
	}
	scratch.folder = folder
	if _, err := scratch.Migrate(ctx); err != nil {
		return nil, errors.Join(err, scratch.Close())
	}
	if err := scratch.unused(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("make a place to recompute in: %w", err), scratch.Close())
	}
	return scratch, nil
}

func scratchSQLite(file string) (*Store, error) {
	for _, suffix := range []string{"", "-wal", "-shm", ".migrate"} {
		if err := os.Remove(file + suffix); err != nil && !errors.Is(err, os.ErrNotExist) {
			return nil, err
		}
	}
	s, err := openSQLite(file)
	if err != nil {
		return nil, err
	}
	for _, pragma := range []string{`PRAGMA synchronous = OFF`, `PRAGMA cache_size = -65536`} {
		if _, err := s.write.Exec(pragma); err != nil {
			return nil, errors.Join(err, s.Close())
		}
	}
	return s, nil
}

func (s *Store) scratchPostgres(ctx context.Context) (*Store, error) {
	for _, statement := range []string{`DROP SCHEMA IF EXISTS ` + scratchSchema + ` CASCADE`, `CREATE SCHEMA ` + scratchSchema} {
		if _, err := s.write.ExecContext(ctx, statement); err != nil {
			return nil, err
		}
	}
	cfg, err := pgx.ParseConfig(s.address)
	if err != nil {
		return nil, errors.New("DATABASE_URL can't be read") // err may hold the password
	}
	if s.fence != nil {
		cfg.ValidateConnect = s.fence.validate
	}
	cfg.RuntimeParams["search_path"] = scratchSchema
	cfg.RuntimeParams["synchronous_commit"] = "off"
	cfg.RuntimeParams["maintenance_work_mem"] = "128MB" // for Finish
	cfg.RuntimeParams["work_mem"] = "64MB"              // the same
	cfg.RuntimeParams["enable_seqscan"] = "off"         // see turn
	cfg.RuntimeParams["application_name"] = "support rebuild"
	db := stdlib.OpenDB(*cfg)
	return &Store{write: db, read: reader{pool: db, most: boundedTime}, ledger: db, postgres: true, address: s.address}, nil
}

// Adopt puts the derived tables of a finished scratch database in the place of
// the live ones, in one transaction that excludes the ledger's. catchUp is called
// inside it first, to bring the scratch up to date, and then otherwise, to tell
// what is counted otherwise. Every public count gets the next revision; those
// that are no more fall to zero.
func (s *Store) Adopt(ctx context.Context, scratch *Store, catchUp, otherwise func(*Tx) error) ([]ScopeCount, error) {
	conn, err := s.write.Conn(ctx)
	if err != nil {
		return nil, fmt.Errorf("adopt: %w", err)
	}
	defer conn.Close()
	begin := s.begin()
	if !s.postgres {
		if _, err := conn.ExecContext(ctx, `ATTACH $1 AS `+scratchSchema, scratch.file); err != nil {
			return nil, fmt.Errorf("adopt: %w", err)
		}
		defer conn.ExecContext(context.WithoutCancel(ctx), `DETACH `+scratchSchema) //nolint:errcheck // the next one says so
		// BEGIN IMMEDIATE would lock the attached file too, to which catchUp
		// still writes; a write to ours locks ours alone.
		begin = `BEGIN; DELETE FROM scopes WHERE FALSE`
	}
	var moved []ScopeCount
	err = s.transactOn(ctx, conn, begin, func(t *Tx) (err error) {
		moved, err = t.exchange(ctx, func(t *Tx) error {
			if err := catchUp(t); err != nil {
				return err
			}
			return scratch.fresh.settle()
		}, otherwise)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("adopt: %w", err)
	}
	return moved, nil
}

// exchange takes the ledger's turn, brings the scratch up to date and puts its
// tables in the place of the live ones.
func (t *Tx) exchange(ctx context.Context, catchUp, otherwise func(*Tx) error) ([]ScopeCount, error) {
	t.turn()
	if err := catchUp(t); err != nil {
		return nil, err
	}
	if err := otherwise(t); err != nil {
		return nil, err
	}
	return t.adopt(ctx)
}

func (t *Tx) adopt(ctx context.Context) ([]ScopeCount, error) {
	before := map[string]ScopeCount{}
	revision := int64(0)
	err := t.query(ctx, `SELECT revision FROM scopes WHERE scope = ''`, nil, func(r row) error { return r.Scan(&revision) })
	if err != nil {
		return nil, err
	}
	if err := t.Scopes(ctx, func(c ScopeCount) { before[c.Scope] = c }); err != nil {
		return nil, err
	}
	if err := t.replaceAll(ctx); err != nil {
		return nil, err
	}
	r := scopeRows.rows(len(before))
	var moved []ScopeCount
	err = t.Scopes(ctx, func(c ScopeCount) { delete(before, c.Scope); moved = append(moved, c) })
	if err != nil {
		return nil, err
	}
	for scope := range before {
		r.add(scope, int64(0), int64(0), revision+1)
		moved = append(moved, ScopeCount{Scope: scope})
	}
	if err := t.write(ctx, r, func(row) error { return nil }); err != nil {
		return nil, err
	}
	for i := range moved {
		moved[i].Revision = revision + 1
	}
	return moved, t.query(ctx, `UPDATE scopes SET revision = $1`, []any{revision + 1}, nil)
}

// replaceAll puts the scratch tables in the place of the live ones. PostgreSQL
// moves them, which takes no time; SQLite has no schemas and copies, and has
// its indexes made when that is done.
func (t *Tx) replaceAll(ctx context.Context) error {
	var statements []string
	if t.pg != nil {
		var schema string
		if err := t.query(ctx, `SELECT current_schema()`, nil, func(r row) error { return r.Scan(&schema) }); err != nil {
			return err
		}
		for _, table := range derived {
			live := pgx.Identifier{schema, table}.Sanitize()
			statements = append(statements, `DROP TABLE `+live,
				`ALTER TABLE `+scratchSchema+`.`+table+` SET SCHEMA `+strings.Split(live, ".")[0])
		}
	} else {
		definitions, err := t.dropIndexes(ctx)
		if err != nil {
			return err
		}
		for _, table := range derived {
			statements = append(statements, `DELETE FROM `+table, `INSERT INTO `+table+` SELECT * FROM `+scratchSchema+`.`+table)
		}
		statements = append(statements, definitions...)
	}
	for _, statement := range statements {
		if err := t.query(ctx, statement, nil, nil); err != nil {
			return fmt.Errorf("%s: %w", statement, err)
		}
	}
	return nil
}

// DropScratch removes what a rebuild left beside the live tables.
func (s *Store) DropScratch(ctx context.Context) error {
	if s.postgres {
		_, err := s.write.ExecContext(ctx, `DROP SCHEMA IF EXISTS `+scratchSchema+` CASCADE`)
		return err
	}
	for _, suffix := range []string{"", "-wal", "-shm", ".migrate"} {
		if err := os.Remove(s.file + "." + scratchSchema + suffix); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	return nil
}
