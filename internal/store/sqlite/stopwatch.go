package sqlite

import "time"

// stopwatch measures how long a commit takes. It is the only clock in this
// package: what is stored comes in as a parameter.
type stopwatch struct{ began time.Time }

func startStopwatch() stopwatch { return stopwatch{time.Now()} }

func (s stopwatch) elapsed() time.Duration { return time.Since(s.began) }
