package ingest

import "time"

// deadline is that of a connection, which goes by the clock of the machine.
func deadline(after time.Duration) time.Time { return time.Now().Add(after) }
