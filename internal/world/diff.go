package world

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// Diff says in readable lines where got differs from the book, or returns nil.
// Parts that got leaves nil are not compared. Supporters may have other names
// in got: they must be the same people. In got's Daily, rows that are all zero
// are as good as absent, as are empty scopes.
func (b Book) Diff(got Book) []string {
	want := b.renamed()
	got = got.renamed()
	var lines []string
	if got.Donations != nil {
		lines = append(lines, differ("donation", want.Donations, got.Donations)...)
	}
	if got.Memberships != nil {
		lines = append(lines, differ("membership", want.Memberships, got.Memberships)...)
	}
	if got.Scopes != nil {
		lines = append(lines, differ("scope", want.Scopes, filled(got.Scopes))...)
	}
	if got.Daily != nil {
		lines = append(lines, differ("daily", want.Daily, filled(got.Daily))...)
	}
	if got.Moves != nil {
		lines = append(lines, differ("move", want.Moves, filled(got.Moves))...)
	}
	if got.Payouts != nil {
		lines = append(lines, differ("payout", want.Payouts, got.Payouts)...)
	}
	return lines
}

// filled is rows without those that are zero.
func filled[K, V comparable](rows map[K]V) map[K]V {
	rows = maps.Clone(rows)
	var zero V
	maps.DeleteFunc(rows, func(_ K, v V) bool { return v == zero })
	return rows
}

// renamed calls each person by the first of their donations and memberships.
func (b Book) renamed() Book {
	name := map[string]string{}
	call := func(person, key string) {
		if known, any := name[person]; !any || key < known {
			name[person] = key
		}
	}
	for key, d := range b.Donations {
		call(d.Supporter, key)
	}
	for id, m := range b.Memberships {
		call(m.Person, id)
	}
	if b.Donations = maps.Clone(b.Donations); b.Donations != nil {
		for key, d := range b.Donations {
			d.Supporter = name[d.Supporter]
			b.Donations[key] = d
		}
	}
	if b.Memberships = maps.Clone(b.Memberships); b.Memberships != nil {
		for id, m := range b.Memberships {
			m.Person = name[m.Person]
			b.Memberships[id] = m
		}
	}
	return b
}

// differ compares two maps and names what is missing, extra or unequal.
func differ[K comparable, V any](kind string, want, got map[K]V) []string {
	var lines []string
	for key, w := range want {
		g, found := got[key]
		switch {
		case !found:
			lines = append(lines, fmt.Sprintf("%s %+v: missing; want %+v", kind, key, w))
		case !reflect.DeepEqual(w, g):
			lines = append(lines, fmt.Sprintf("%s %+v:%s", kind, key, members(w, g)))
		}
	}
	for key, g := range got {
		if _, found := want[key]; !found {
			lines = append(lines, fmt.Sprintf("%s %+v: not in the book; got %+v", kind, key, g))
		}
	}
	slices.Sort(lines)
	return lines
}

// members lists the fields of two structs that differ.
func members(want, got any) string {
	var text strings.Builder
	w, g := reflect.ValueOf(want), reflect.ValueOf(got)
	for i := range w.NumField() {
		if a, b := w.Field(i).Interface(), g.Field(i).Interface(); !reflect.DeepEqual(a, b) {
			fmt.Fprintf(&text, " %s got %+v, want %+v;", w.Type().Field(i).Name, b, a)
		}
	}
	return text.String()
}

// others writes the sums in currencies besides settlement.
func others(sums map[string]Sums, settlement string) string {
	var texts []string
	for _, currency := range slices.Sorted(maps.Keys(sums)) {
		if sum := sums[currency]; currency != settlement && (sum.Fee != 0 || sum.Net != 0) {
			texts = append(texts, fmt.Sprintf("%s %d/%d", currency, sum.Fee, sum.Net))
		}
	}
	return strings.Join(texts, " ")
}

// Others is how a donation's fees and nets in yet other currencies are written
// in [Donation.Other]; each pair is fee and net in minor units.
func Others(pairs map[string][2]int64) string {
	sums := map[string]Sums{}
	for currency, pair := range pairs {
		sums[currency] = Sums{Fee: pair[0], Net: pair[1]}
	}
	return others(sums, "")
}
