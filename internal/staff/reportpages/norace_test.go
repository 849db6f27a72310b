//go:build !race

package reportpages_test

const raced = false
