package server

import (
	"os"
	"runtime/debug"
)

const (
	// gcPercent trades memory for time: under load little of the heap lives long,
	// and collecting it four times as seldom took a tenth off the CPU per event.
	gcPercent = 400
	// heapBase is the memory at which the collector works harder after all, beside
	// three times the bodies that may be in flight.
	heapBase = 128 << 20
)

// tuneMemory sets the collector up, unless the operator did by Go's own
// variables GOGC and GOMEMLIMIT.
func tuneMemory(deliveryMemory int64) {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(heapBase + 3*deliveryMemory)
	}
}
