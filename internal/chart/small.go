package chart

import (
	"fmt"
	"html/template"
	"strings"
)

// Spark returns a tiny line of values for a row of a table, or nothing for
// fewer than two. It is no more than a picture of numbers that stand beside it.
func Spark(values []int64) template.HTML {
	if len(values) < 2 {
		return ""
	}
	low, high := 0.0, 0.0
	for _, v := range values {
		low, high = min(low, float64(v)), max(high, float64(v))
	}
	s := scale{low, high, 1}
	if low == high {
		s.high = 1
	}
	const wide, tall = 100, 22
	var points []string
	for i, v := range values {
		x := float64(i) / float64(len(values)-1) * wide
		points = append(points, num(x)+","+num(1+s.y(float64(v))/height*tall))
	}
	return template.HTML(fmt.Sprintf( //nolint:gosec // numbers alone
		`<svg class="spark" viewBox="0 0 %d %d" preserveAspectRatio="none" aria-hidden="true" focusable="false"><polyline points="%s"/></svg>`,
		wide, tall+2, strings.Join(points, " ")))
}

// Share returns a bar as long as part is of whole, to lie behind a row's name.
func Share(part, whole int64) template.HTML {
	if part <= 0 || whole <= 0 {
		return ""
	}
	return template.HTML(fmt.Sprintf( //nolint:gosec // numbers alone
		`<svg class="share" aria-hidden="true" focusable="false"><rect width="%.1f%%" height="100%%"/></svg>`,
		min(float64(part)/float64(whole), 1)*100))
}

// Interval returns a mark for a value within the range it lies in, measured
// against most. Ends beyond it run out of the picture.
func Interval(value, low, high, most int64) template.HTML {
	if most <= 0 {
		return ""
	}
	at := func(v int64) float64 { return min(max(float64(v)/float64(most), 0), 1) * 100 }
	return template.HTML(fmt.Sprintf( //nolint:gosec // numbers alone
		`<svg class="interval" aria-hidden="true" focusable="false"><line x1="%.1f%%" x2="%.1f%%" y1="50%%" y2="50%%"/><circle cx="%.1f%%" cy="50%%" r="4"/></svg>`,
		at(low), at(high), at(value)))
}
