package store

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"
)

// A condition is a part of a WHERE with its arguments, which it calls ?.
type condition struct {
	text string
	args []any
}

// A query is a statement in the making.
type query struct {
	text strings.Builder
	args []any
}

// add appends text, in which ? stands for the next of args.
func (q *query) add(text string, args ...any) {
	for i, part := range strings.Split(text, "?") {
		if i > 0 {
			q.args = append(q.args, args[i-1])
			fmt.Fprintf(&q.text, "$%d", len(q.args))
		}
		q.text.WriteString(part)
	}
}

func (q *query) where(all ...condition) {
	if len(all) == 0 {
		q.add("TRUE")
	}
	for i, c := range all {
		if i > 0 {
			q.add(" AND ")
		}
		q.add(c.text, c.args...)
	}
}

// narrow finds the donations that a text or amount chooses, if they are few.
func (l *lister) narrow(ctx context.Context) error {
	var ways []way
	switch {
	case l.Text != nil:
		if ways = l.Text.ways(l.tx); len(ways) == 0 {
			l.keys = []string{}
			return nil
		}
	case l.AmountFrom != 0 || l.AmountTo != 0:
		w := way{condition{"currency = ?", []any{l.Equal["currency"]}}, "gross_minor"}
		for _, c := range l.amount() {
			w.text, w.args = w.text+" AND "+c.text, append(w.args, c.args...)
		}
		ways = []way{w}
	default:
		return nil
	}
	few := map[string]bool{}
	for _, w := range ways {
		var q query
		q.add("SELECT key FROM donations WHERE ")
		q.where(w.condition)
		q.add(" ORDER BY "+w.by+" LIMIT ?", l.limits.few+1)
		n := 0
		err := l.tx.query(ctx, q.text.String(), q.args, func(r row) error {
			var key string
			err := r.Scan(&key)
			few[key] = true
			n++
			return err
		})
		if err != nil || n > l.limits.few {
			return err
		}
	}
	l.keys = append([]string{}, slices.Collect(maps.Keys(few))...)
	return nil
}

func (l *lister) amount() (all []condition) {
	if l.AmountFrom != 0 {
		all = append(all, condition{"gross_minor >= ?", []any{l.AmountFrom}})
	}
	if l.AmountTo != 0 {
		all = append(all, condition{"gross_minor <= ?", []any{l.AmountTo}})
	}
	return all
}

func (l *lister) text() []condition {
	if l.Text == nil {
		return nil
	}
	parts := condition{text: "FALSE"}
	for _, c := range l.Text.ways(l.tx) {
		parts.text += " OR " + c.text
		parts.args = append(parts.args, c.args...)
	}
	parts.text = "(" + parts.text + ")"
	return []condition{parts}
}

// A way is a condition by which few donations may be found.
type way struct {
	condition
	by string // the column whose index leads there, whatever the database expects to find
}

// ways returns how a donation can fit.
func (t *Text) ways(tx *Tx) (all []way) {
	if t.Person != "" {
		from, to := []byte(t.Person), prefixEnd(t.Person)
		all = append(all, way{condition{"email_folded >= ? AND email_folded < ?", []any{from, to}}, "email_folded"},
			way{condition{"name_folded >= ? AND name_folded < ?", []any{from, to}}, "name_folded"})
	}
	if t.Key != "" {
		// No key goes on with z after z. The bounds let every collation use the
		// index, and the rest is exact.
		all = append(all, way{condition{"key >= ? AND key <= ? AND substr(key, 1, CAST(? AS INTEGER)) = ?",
			[]any{t.Key, t.Key + lastKey, utf8.RuneCountInString(t.Key), t.Key}}, "key"})
	}
	if len(t.Keys) > 0 {
		all = append(all, way{tx.oneOf(t.Keys), "key"})
	}
	return all
}

// oneOf returns the condition that a donation is one of several.
func (t *Tx) oneOf(keys []string) condition {
	return condition{strings.Replace(t.any("key", 0), "$0", "?", 1), []any{t.list(keys)}}
}

// lastKey, by itself or after the beginning of a key, comes after every key
// that begins so.
const lastKey = "zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz"

// prefixEnd returns the first bytes after all that begin with a UTF-8 text.
func prefixEnd(text string) []byte {
	end := []byte(text)
	end[len(end)-1]++ // no byte of UTF-8 is 0xff
	return end
}
