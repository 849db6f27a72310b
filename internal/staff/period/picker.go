package period

import (
	_ "embed" // the template
	"maps"
	"net/url"
	"slices"
)

// HTML defines the template "period": what a screen's period is chosen with.
// Its dot is a [Picker].
//
//go:embed picker.html
var HTML string

// A Picker lets somebody choose the period of a screen.
type Picker struct {
	Period
	Path     string // of the screen
	Timezone string
	Presets  []Choice
	Against  []Choice    // what it may be compared with
	Keep     [][2]string // parameters of the screen that stay as they are
}

// A Choice is a link to the same screen with something else chosen.
type Choice struct {
	Name, URL string
	Current   bool
}

// NewPicker returns the picker of a screen at path with the given parameters.
func NewPicker(p Period, path string, values url.Values, zone string) Picker {
	k := Picker{Period: p, Path: path, Timezone: zone}
	for _, preset := range Presets() {
		q := p
		q.Preset = preset.Key
		k.Presets = append(k.Presets, Choice{preset.Name, Address(path, values, q), preset.Key == p.Preset})
	}
	for _, against := range []Choice{{Name: "The days before", URL: Before}, {Name: "The same days a year before", URL: Year}, {Name: "Nothing", URL: None}} {
		q := p
		q.Compare = against.URL
		k.Against = append(k.Against, Choice{against.Name, Address(path, values, q), q.Compare == p.Compare})
	}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if !slices.Contains([]string{"period", "from", "through"}, name) {
			k.Keep = append(k.Keep, [2]string{name, values.Get(name)})
		}
	}
	return k
}

// Named returns the preset's name, or "Chosen days".
func (k Picker) Named() string {
	for _, c := range k.Presets {
		if c.Current {
			return c.Name
		}
	}
	return "Chosen days"
}

// Address returns path with a period and other parameters.
func Address(path string, values url.Values, p Period) string {
	q := maps.Clone(values)
	if q == nil {
		q = url.Values{}
	}
	p.Put(q)
	if len(q) == 0 {
		return path
	}
	return path + "?" + q.Encode()
}

// With returns path with the present parameters, of which one is changed; ""
// takes it out.
func With(path string, values url.Values, name, value string) string {
	q := maps.Clone(values)
	if q == nil {
		q = url.Values{}
	}
	q.Set(name, value)
	if value == "" {
		q.Del(name)
	}
	if len(q) == 0 {
		return path
	}
	return path + "?" + q.Encode()
}
