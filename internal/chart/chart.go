// Package chart draws charts as SVG, on the server and without a script: bars,
// lines, stacked bars, and small ones for a row of a table. Each has a title
// and a description for those who can't see it, and its numbers in a table
// beneath. Colours come from classes alone, so that they follow the scheme, and
// shapes stretch while text keeps its size. It is pure.
package chart

import (
	_ "embed" // the template
	"fmt"
	"html/template"
	"math"
	"strings"
)

// A Kind is how a series is drawn.
type Kind int

// The kinds.
const (
	Bars Kind = iota
	Line
)

// A Chart is some series over the same points.
type Chart struct {
	ID      string   // letters, digits and hyphens; no other chart of the page has it
	Title   string   // what is shown: "Received by day"
	Desc    string   // what it comes to, in a sentence or two
	Points  []string // what each point is called, such as a day
	Names   []string // short forms of Points for the axis; nil for Points
	Along   string   // what a point is: "Day"
	Series  []Series
	Stacked bool // bars stand on each other, not side by side

	// Short writes a value at the axis, and Full anywhere else. nil writes the
	// number.
	Short, Full func(int64) string
}

// A Series is one row of values.
type Series struct {
	Name    string
	Kind    Kind
	Ghost   bool    // to compare with: behind the others, and paler
	Values  []int64 // one a point; what is not there is missing
	Missing []bool  // points of which nothing is known; nil for none
}

// at returns the value at a point, and whether it is known.
func (s *Series) at(i int) (int64, bool) {
	if i >= len(s.Values) || i < len(s.Missing) && s.Missing[i] {
		return 0, false
	}
	return s.Values[i], true
}

// Sizes, in CSS pixels; what stretches is drawn on a sheet of so many units.
const (
	height    = 200 // of the plot
	below     = 24  // of the axis under it
	sheet     = 1000
	mostHits  = 150 // points that tell their value under the pointer
	mostNames = 6   // along the axis
)

//go:embed chart.html
var chartHTML string

// sheetTemplate is parsed once; it is never changed.
var sheetTemplate = template.Must(template.New("chart").Parse(chartHTML))

// HTML returns the chart as a figure.
func (c Chart) HTML() (template.HTML, error) {
	var out strings.Builder
	if err := sheetTemplate.Execute(&out, c.draw()); err != nil {
		return "", fmt.Errorf("draw %q: %w", c.Title, err)
	}
	return template.HTML(out.String()), nil //nolint:gosec // the template has escaped it
}

// A drawing is a chart as coordinates.
type drawing struct {
	Chart
	Sheet, Plot, Height int
	Axis                []mark // from the top
	Zero                string // y of nothing
	Rects               []rect
	Paths               []path
	Dots                []dot
	Hits                []hit
	Labels              []label
	Rows                [][]string // of the table, each a point
}

type mark struct{ Y, Text string }

type rect struct{ Class, X, Y, Width, Height string }

type path struct{ Class, Points string }

type dot struct{ Class, X, Y string } // X in percent

type hit struct{ X, Width, Text string }

type label struct{ X, Anchor, Text, Class string }

func (c Chart) draw() drawing {
	if c.Short == nil {
		c.Short = func(n int64) string { return fmt.Sprint(n) }
	}
	if c.Full == nil {
		c.Full = c.Short
	}
	d := drawing{Chart: c, Sheet: sheet, Plot: height, Height: height + below}
	s := c.scale()
	for _, value := range s.ticks() {
		d.Axis = append(d.Axis, mark{num(s.y(value)), c.Short(int64(value))})
	}
	d.Zero = num(s.y(0))
	d.bars(s)
	for i := range c.Series {
		if c.Series[i].Kind == Line {
			d.line(s, i)
		}
	}
	d.texts()
	return d
}

// scale returns the range of what is drawn: nothing is always in it.
func (c *Chart) scale() scale {
	low, high := 0.0, 0.0
	for i := range c.Points {
		above, under := 0.0, 0.0
		for k := range c.Series {
			value, ok := c.Series[k].at(i)
			v := float64(value)
			switch {
			case !ok:
			case c.Stacked && c.Series[k].Kind == Bars && v > 0:
				above += v
			case c.Stacked && c.Series[k].Kind == Bars:
				under += v
			default:
				low, high = min(low, v), max(high, v)
			}
		}
		low, high = min(low, under), max(high, above)
	}
	return newScale(low, high)
}

// bars draws the series that are bars.
func (d *drawing) bars(s scale) {
	var kinds []int
	for i := range d.Series {
		if d.Series[i].Kind == Bars {
			kinds = append(kinds, i)
		}
	}
	if len(kinds) == 0 || len(d.Points) == 0 {
		return
	}
	step := sheet / float64(len(d.Points))
	wide := step * .72
	if len(d.Points) > 120 {
		wide = step * .9
	}
	wide = min(wide, 90)
	for i := range d.Points {
		above, under := 0.0, 0.0
		left := (float64(i)+.5)*step - wide/2
		for n, k := range kinds {
			value, ok := d.Series[k].at(i)
			if !ok || value == 0 {
				continue
			}
			v, from := float64(value), 0.0
			x, width := left, wide
			if !d.Stacked {
				width = wide / float64(len(kinds))
				x += float64(n) * width
			} else if v > 0 {
				from, above = above, above+v
			} else {
				from, under = under, under+v
			}
			top, bottom := s.y(max(from, from+v)), s.y(min(from, from+v))
			d.Rects = append(d.Rects, rect{d.class(k), num(x), num(top), num(width), num(max(bottom-top, 1))})
		}
	}
}

// line draws one series as lines between the points that are known.
func (d *drawing) line(s scale, k int) {
	step := sheet / float64(max(len(d.Points), 1))
	var run []string
	var last int
	end := func() {
		switch len(run) {
		case 0:
		case 1:
			_, y, _ := strings.Cut(run[0], ",")
			d.Dots = append(d.Dots, dot{d.class(k), percent((float64(last) + .5) * step), y})
		default:
			d.Paths = append(d.Paths, path{d.class(k), strings.Join(run, " ")})
		}
		run = nil
	}
	for i := range d.Points {
		value, ok := d.Series[k].at(i)
		if !ok {
			end()
			continue
		}
		last = i
		run = append(run, num((float64(i)+.5)*step)+","+num(s.y(float64(value))))
	}
	end()
}

// class is what a series looks like.
func (d *drawing) class(k int) string {
	if d.Series[k].Ghost {
		return "ghost"
	}
	return fmt.Sprintf("hue-%d", k%6+1)
}

// Class is what the legend's mark of a series looks like.
func (d drawing) Class(k int) string { return d.class(k) }

// texts writes what stands beside the shapes: names along the axis, values
// under the pointer, and the table.
func (d *drawing) texts() {
	names := d.Names
	if names == nil {
		names = d.Points
	}
	step := sheet / float64(max(len(d.Points), 1))
	every := max(1, (len(d.Points)+mostNames-1)/mostNames)
	for i, point := range d.Points {
		row := []string{point}
		var told []string
		for k := range d.Series {
			text := "–"
			if value, ok := d.Series[k].at(i); ok {
				text = d.Full(value)
				told = append(told, d.Series[k].Name+": "+text)
			}
			row = append(row, text)
		}
		d.Rows = append(d.Rows, row)
		if len(d.Points) <= mostHits {
			d.Hits = append(d.Hits, hit{percent(float64(i) * step), percent(step), point + "\n" + strings.Join(told, "\n")})
		}
		if i%every == 0 && i < len(names) {
			l := label{percent((float64(i) + .5) * step), "middle", names[i], ""}
			switch at := (float64(i) + .5) / float64(len(d.Points)); {
			case at < .03:
				l.Anchor = "start"
			case at > .97:
				l.Anchor = "end"
			}
			if i/every%2 == 1 {
				l.Class = "roomy"
			}
			d.Labels = append(d.Labels, l)
		}
	}
}

// num writes a coordinate, to a tenth.
func num(v float64) string {
	text := fmt.Sprintf("%.1f", v)
	return strings.TrimSuffix(text, ".0")
}

// percent writes a place on the sheet.
func percent(v float64) string { return fmt.Sprintf("%.2f%%", v/sheet*100) }

// A scale is what values are measured on.
type scale struct{ low, high, step float64 }

// newScale returns a scale with room for values from low to high, in steps that
// are easy to read.
func newScale(low, high float64) scale {
	span := high - low
	if span == 0 {
		return scale{0, 1, 2} // nothing at all: a line at the bottom
	}
	rough := span / 4
	power := math.Pow(10, math.Floor(math.Log10(rough)))
	step := 10 * power
	for _, m := range []float64{1, 2, 5} {
		if m*power >= rough {
			step = m * power
			break
		}
	}
	step = max(step, 1) // what is counted has no halves
	return scale{math.Floor(low/step) * step, math.Ceil(high/step) * step, step}
}

// y returns where a value is, from the top.
func (s scale) y(v float64) float64 { return (s.high - v) / (s.high - s.low) * height }

// ticks are the values at the axis, the highest first.
func (s scale) ticks() []float64 {
	if s.step > s.high-s.low {
		return []float64{0}
	}
	var all []float64
	for v := s.high; v > s.low-s.step/2; v -= s.step {
		all = append(all, v)
	}
	return all
}
