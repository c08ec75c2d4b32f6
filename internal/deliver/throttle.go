package deliver

import "time"

// bucket is a token bucket: it lets rate messages a second pass, and a tenth of
// that at once. Times are readings of the monotonic clock. The zero value lets
// everything pass.
type bucket struct {
	rate   float64 // tokens a second; 0: no limit
	tokens float64
	at     time.Duration // when tokens was right
}

// SetRate gives the bucket one of nodes equal shares of a rate; 0 takes the limit
// away. A new limit starts with its share of what a single node starts with, so
// that all of them together let no more pass.
func (b *bucket) SetRate(rate, nodes int, at time.Duration) {
	share := float64(rate) / float64(nodes)
	if share == b.rate {
		return
	}
	b.refill(at)
	fresh := b.rate == 0
	b.rate, b.at = share, at
	if fresh {
		b.tokens = burst(float64(rate)) / float64(nodes)
	}
	b.tokens = min(b.tokens, burst(share))
}

// Available gives how many may pass now, at most limit.
func (b *bucket) Available(limit int, at time.Duration) int {
	if b.rate == 0 {
		return limit
	}
	b.refill(at)
	return min(limit, int(b.tokens))
}

// Take lets n pass, of those that Available gave.
func (b *bucket) Take(n int) {
	if b.rate > 0 {
		b.tokens -= float64(n)
	}
}

// Return gives tokens back that were not used.
func (b *bucket) Return(n int) {
	if b.rate > 0 {
		b.tokens = min(b.tokens+float64(n), burst(b.rate))
	}
}

// ReadyAt gives the time from which it is worth looking again: at once while a
// token is there, else when a fiftieth of a second's tokens have gathered, so
// that a high rate does not mean a claim for each message.
func (b *bucket) ReadyAt(at time.Duration) time.Duration {
	if b.rate == 0 {
		return at
	}
	b.refill(at)
	if b.tokens >= 1 {
		return at
	}
	missing := max(1, b.rate/50) - b.tokens
	// One nanosecond more than computed, or rounding could leave it short of a token.
	return at + time.Duration(missing/b.rate*float64(time.Second)) + 1
}

func burst(rate float64) float64 { return max(1, rate/10) }

func (b *bucket) refill(at time.Duration) {
	if at > b.at {
		b.tokens = min(b.tokens+b.rate*(at-b.at).Seconds(), burst(b.rate))
		b.at = at
	}
}
