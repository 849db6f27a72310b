//go:build race

package web

// raceDetector says that the race detector is on.
const raceDetector = true
