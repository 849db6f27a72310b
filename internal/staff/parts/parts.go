// Package parts is what screens that publish share: how changes, previews and
// problems are shown, and how a reason is read.
package parts

import (
	_ "embed" // for the templates
	"strings"
)

//go:embed parts.html
var html string

// HTML returns the templates "changes", "frames" and "problem".
func HTML() string { return html }

// maxReason bounds a reason, in bytes.
const maxReason = 500

// Reason returns a reason as it was typed, on one line.
func Reason(typed string) string {
	reason := strings.Join(strings.Fields(strings.ToValidUTF8(typed, "")), " ")
	return strings.ToValidUTF8(reason[:min(len(reason), maxReason)], "")
}

// Sentence returns an error as a sentence.
func Sentence(err error) string {
	text := err.Error()
	return strings.ToUpper(text[:1]) + text[1:] + "."
}
