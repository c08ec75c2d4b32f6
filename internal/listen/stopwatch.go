package listen

import "time"

// writeBy is when a write that begins now must have ended. Deadlines of connections go
// by this machine's clock and by no other.
func writeBy() time.Time { return time.Now().Add(writeLimit) }
