// Package upkeep does the chores of a running server that one node does for all:
// it takes over what dead nodes had leased, sums attempts up, works stored tasks
// off, and removes what retention no longer keeps.
//
// Each chore is a loop of small steps that yields to the traffic, and asks before
// each step whether this node is the one to do it. A failing store is waited for,
// it does not end a loop.
package upkeep
