//go:build race

package sim_test

// shortSet is how many seeds plain go test runs. The race detector makes each
// about ten times as expensive.
const shortSet = 3
