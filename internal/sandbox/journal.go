package sandbox

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

const (
	journalName = "sandbox.jsonl"
	maxLine     = 8 << 20 // bytes of one object
)

// A journal keeps the state in a file: a line for each change, the newest of
// an object counts. It is rewritten without what is outdated on opening. A nil
// journal keeps nothing.
type journal struct {
	file *os.File
}

type entry struct {
	Kind   kind            `json:"kind"`
	ID     string          `json:"id"`
	Object json.RawMessage `json:"object"` // null: the object is gone
}

// openJournal reads the journal in folder into st. The folder is made if it
// does not exist.
func openJournal(folder string, st *state) (*journal, error) {
	if folder == "" {
		return nil, nil
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, fmt.Errorf("sandbox: folder: %w", err)
	}
	path := filepath.Join(folder, journalName)
	if err := load(path, st); err != nil {
		return nil, fmt.Errorf("sandbox: read %s: %w", path, err)
	}
	file, err := compact(path, st)
	if err != nil {
		return nil, fmt.Errorf("sandbox: rewrite %s: %w", path, err)
	}
	return &journal{file: file}, nil
}

func load(path string, st *state) error {
	file, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer file.Close()
	lines := bufio.NewReaderSize(file, 1<<16)
	for {
		line, err := lines.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return nil // a last line without its end was never completed
		}
		if err != nil {
			return err
		}
		if len(line) > maxLine {
			return errors.New("a line is too long")
		}
		if err := st.apply(line); err != nil {
			return err
		}
	}
}

func (st *state) apply(line []byte) error {
	var e entry
	if err := json.Unmarshal(line, &e); err != nil {
		return err
	}
	if bytes.Equal(e.Object, []byte("null")) {
		st.table(e.Kind).remove(e.ID)
		return nil
	}
	o, err := decodeObject(e.Object)
	if err != nil {
		return err
	}
	st.table(e.Kind).put(e.ID, o)
	return nil
}

// compact replaces the file by one with a line for each object, atomically,
// and returns it open for more.
func compact(path string, st *state) (*os.File, error) {
	next := path + ".next"
	file, err := os.OpenFile(next, os.O_CREATE|os.O_TRUNC|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	w := bufio.NewWriter(file)
	for k, t := range st.tables {
		for _, id := range t.ids {
			w.Write(line(k, id, t.byID[id]))
		}
	}
	err = errors.Join(w.Flush(), file.Sync(), os.Rename(next, path))
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}

func line(k kind, id string, o Object) []byte {
	return append(mustJSON(entry{k, id, mustJSON(o)}), '\n')
}

// write appends the changes since the last commit, each object once, in one
// write to the file.
func (j *journal) write(st *state) error {
	if j == nil || len(st.changes) == 0 {
		return nil
	}
	type place struct {
		kind kind
		id   string
	}
	written := map[place]bool{}
	var lines []byte
	for _, c := range st.changes {
		if at := (place{c.kind, c.id}); !written[at] {
			written[at] = true
			lines = append(lines, line(c.kind, c.id, st.get(c.kind, c.id))...)
		}
	}
	_, err := j.file.Write(lines)
	return err
}

func (j *journal) close() error {
	if j == nil {
		return nil
	}
	return errors.Join(j.file.Sync(), j.file.Close())
}
