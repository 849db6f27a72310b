package chart

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// drawn returns a chart's HTML, which must be well-formed.
func drawn(t interface {
	Helper()
	Fatal(...any)
}, c Chart,
) string {
	t.Helper()
	html, err := c.HTML()
	if err != nil {
		t.Fatal(err)
	}
	in := xml.NewDecoder(strings.NewReader(string(html)))
	in.Strict = true
	in.Entity = xml.HTMLEntity
	for {
		if _, err := in.Token(); errors.Is(err, io.EOF) {
			return string(html)
		} else if err != nil {
			t.Fatal(err, string(html))
		}
	}
}

func of(n int, value func(i int) int64) Chart {
	c := Chart{ID: "c", Title: "Received <by> day", Desc: "It came to this.", Along: "Day"}
	s := Series{Name: "Received"}
	for i := range n {
		c.Points = append(c.Points, fmt.Sprintf("day %d", i))
		s.Values = append(s.Values, value(i))
	}
	c.Series = []Series{s}
	return c
}

func TestAccessible(t *testing.T) {
	t.Parallel()
	c := of(3, func(i int) int64 { return int64(i) * 100 })
	html := drawn(t, c)
	for _, want := range []string{
		`role="img" aria-labelledby="c-title c-desc"`, `<title id="c-title">Received &lt;by&gt; day</title>`, `<desc id="c-desc">It came to this.</desc>`,
		`<th scope="row">day 2</th><td class="number">200</td>`, `<title>day 1` + "\n" + `Received: 100</title>`,
	} {
		if !strings.Contains(html, want) {
			t.Errorf("it lacks %s:\n%s", want, html)
		}
	}
	if found := regexp.MustCompile(`(?i) style=|<style| on[a-z]+=|<script`).FindString(html); found != "" {
		t.Errorf("%q needs what our policy refuses", found)
	}
}

func TestSizes(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 1, 2, 31, 1000} {
		for _, kind := range []Kind{Bars, Line} {
			c := of(n, func(i int) int64 { return int64(i%7) * 1000 })
			c.Series[0].Kind = kind
			html := drawn(t, c)
			if rows := strings.Count(html, `<th scope="row">`); rows != n {
				t.Errorf("%d points have %d rows in the table", n, rows)
			}
			if labels := strings.Count(html, "<text "); labels > mostNames+1 || n > 0 && labels == 0 {
				t.Errorf("%d points have %d names along the axis", n, labels)
			}
			if n == 1 && kind == Line && !strings.Contains(html, "<circle") {
				t.Error("a single point is not seen")
			}
		}
	}
}

// Missing points are gaps, not zeros.
func TestMissing(t *testing.T) {
	t.Parallel()
	c := of(5, func(int) int64 { return 10 })
	c.Series[0].Kind = Line
	c.Series[0].Missing = []bool{false, false, true}
	html := drawn(t, c)
	if n := strings.Count(html, "<polyline"); n != 2 {
		t.Errorf("a gap leaves %d lines, want 2", n)
	}
	if !strings.Contains(html, `<th scope="row">day 2</th><td class="number">–</td>`) {
		t.Error("what is missing is not a dash in the table")
	}
}

func TestNegative(t *testing.T) {
	t.Parallel()
	c := of(2, func(i int) int64 { return []int64{30, -10}[i] })
	d := c.draw()
	zero, _ := strconv.ParseFloat(d.Zero, 64)
	up, down := d.Rects[0], d.Rects[1]
	if number(t, up.Y)+number(t, up.Height) != zero || number(t, down.Y) != zero || zero <= 0 || zero >= height {
		t.Errorf("bars %+v and %+v do not meet at %s", up, down, d.Zero)
	}
}

func TestStacked(t *testing.T) {
	t.Parallel()
	c := of(1, func(int) int64 { return 10 })
	c.Stacked = true
	c.Series = append(c.Series, Series{Name: "Other", Values: []int64{20}})
	d := c.draw()
	if number(t, d.Rects[1].Y)+number(t, d.Rects[1].Height) != number(t, d.Rects[0].Y) {
		t.Errorf("%+v does not stand on %+v", d.Rects[1], d.Rects[0])
	}
}

// Whatever the values, everything is drawn inside, and ticks are round, few and
// in order.
func TestInside(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(rapid.Int64Range(-1<<50, 1<<50), 0, 40).Draw(t, "values")
		c := Chart{ID: "c", Series: []Series{{Values: values, Kind: Kind(rapid.IntRange(0, 1).Draw(t, "kind"))}, {Values: values}}, Stacked: rapid.Bool().Draw(t, "stacked")}
		for i := range values {
			c.Points = append(c.Points, fmt.Sprint(i))
		}
		drawn(t, c)
		d := c.draw()
		for _, r := range d.Rects {
			x, y, w, h := number(t, r.X), number(t, r.Y), number(t, r.Width), number(t, r.Height)
			if x < 0 || x+w > sheet+.2 || y < -.1 || y+h > height+1.1 || math.IsNaN(y+h) {
				t.Fatalf("%+v is outside", r)
			}
		}
		for i, m := range d.Axis {
			if y := number(t, m.Y); y < 0 || y > height || i > 0 && y <= number(t, d.Axis[i-1].Y) {
				t.Fatalf("ticks are %+v", d.Axis)
			}
		}
		if len(d.Axis) == 0 || len(d.Axis) > 8 {
			t.Fatalf("%d ticks", len(d.Axis))
		}
	})
}

func number(t interface{ Fatal(...any) }, text string) float64 {
	n, err := strconv.ParseFloat(text, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestSmall(t *testing.T) {
	t.Parallel()
	if Spark(nil) != "" || Spark([]int64{1}) != "" || Share(0, 10) != "" || Share(1, 0) != "" || Interval(1, 0, 2, 0) != "" {
		t.Error("a picture of nothing")
	}
	if got := string(Spark([]int64{0, 10, 5})); !strings.Contains(got, `points="0,23 50,1 100,12"`) {
		t.Error(got)
	}
	if got := string(Share(1, 4)); !strings.Contains(got, `width="25.0%"`) {
		t.Error(got)
	}
	if got := string(Interval(50, 25, 300, 100)); !strings.Contains(got, `x1="25.0%" x2="100.0%"`) || !strings.Contains(got, `cx="50.0%"`) {
		t.Error(got)
	}
}
