package postgres

import "time"

// stopwatch measures how long a transaction takes. It is the only clock in this
// package: what is stored comes in as a parameter, or is the database's own time.
type stopwatch struct{ began time.Time }

func startStopwatch() stopwatch { return stopwatch{time.Now()} }

func (s stopwatch) elapsed() time.Duration { return time.Since(s.began) }
