//go:build race

package reportpages_test

// raced leaves out what is measured: the detector makes everything slow.
const raced = true
