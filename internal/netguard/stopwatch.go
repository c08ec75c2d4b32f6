package netguard

import (
	"context"
	"time"
)

// timeLeft is how long ctx, which has a deadline, goes on.
func timeLeft(ctx context.Context) time.Duration {
	deadline, _ := ctx.Deadline()
	return time.Until(deadline)
}
