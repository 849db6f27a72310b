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

// distance returns how many letters must be added, removed or replaced to make
// b from a (Levenshtein's distance).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			diagonal, row[j+1] = row[j+1], min(diagonal+cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
