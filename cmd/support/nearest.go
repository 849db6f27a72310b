package main

// nearest returns the word of list that takes the fewest changed letters to
// make from word. list must not be empty.
func nearest(word string, list []string) string {
	best := list[0]
	for _, candidate := range list[1:] {
		if distance(word, candidate) < distance(word, best) {
			best = candidate
		}
	}
	return best
}

// distance returns how many letters must be added, removed, replaced or swapped
// with their neighbour to make b from a.
func distance(a, b string) int {
	d := make([][]int, len(a)+1) // d[i][j] is for the first i letters of a and j of b
	for i := range d {
		d[i] = make([]int, len(b)+1)
		for j := range d[i] {
			switch {
			case i == 0 || j == 0:
				d[i][j] = i + j
			case a[i-1] == b[j-1]:
				d[i][j] = d[i-1][j-1]
			default:
				d[i][j] = 1 + min(d[i-1][j], d[i][j-1], d[i-1][j-1])
			}
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				d[i][j] = min(d[i][j], d[i-2][j-2]+1)
			}
		}
	}
	return d[len(a)][len(b)]
}
