package storetest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/grapnelhq/grapnel/internal/testx"
)

// RunBetween tries that what goes from one kind of store to another, and back, is
// the same, and is used there as it would have been used where it came from.
func RunBetween(t *testing.T, one, other Open) {
	t.Run("there and back", func(t *testing.T) {
		t.Parallel()
		records := fullStream()
		want := lines(t, records)
		for range 2 {
			for _, open := range []Open{one, other} {
				s := open(t, false).Store
				load(t, s, records)
				records = dump(t, s)
				testx.Equal(t, lines(t, records), want)
			}
		}
	})
	histories := 12
	if testing.Short() || raceDetector {
		histories = 4
	}
	for seed := range histories {
		t.Run(fmt.Sprintf("history-%d", seed), func(t *testing.T) {
			t.Parallel()
			turns := []Open{one, other}
			if seed%2 == 1 {
				turns = []Open{other, one}
			}
			open := func(t *testing.T, durable bool) Harness {
				next := turns[0]
				turns = turns[1:]
				return next(t, durable)
			}
			if failure, trace := playMoved(t, open, uint64(seed)); failure != "" {
				t.Fatalf("%s\n\nafter these operations (t: seconds since the start):\n%s", failure, strings.Join(trace, "\n"))
			}
		})
	}
}
