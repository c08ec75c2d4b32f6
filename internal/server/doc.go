// Package server puts the product together: it is the only place that knows the
// concrete types of all rooms. New wires, Start starts, Stop stops, Run does all
// three.
//
// Start order: bind the listeners, load the master key, open the store, join the
// other nodes, make the first key, start the loops, answer. Stop order, each step
// bounded and logged:
//
//	not ready -> answer on for the drain delay -> stop accepting connections ->
//	stop claiming -> let requests and sends finish until the drain deadline ->
//	give unused leases back -> end the chores -> leave the other nodes ->
//	export the last spans -> close the store
//
// The chores write down what is left of the request log of sources before they end.
//
// A loop that ends by itself ends the server: nothing is half alive.
package server
