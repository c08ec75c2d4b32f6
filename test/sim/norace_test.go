//go:build !race

package sim_test

// shortSet is how many seeds plain go test runs.
const shortSet = 30
