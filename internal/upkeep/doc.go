// Package upkeep does the chores of a running server: it removes what retention
// no longer keeps, and works stored tasks off.
//
// Both are loops that yield to the traffic: retention goes in small slices and
// rests after each as long as the slice took; tasks queue deliveries at a bounded
// rate. A failing store is waited for, it does not end a loop.
package upkeep
