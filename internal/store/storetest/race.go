//go:build race

package storetest

// raceDetector says that everything takes several times as long.
const raceDetector = true
