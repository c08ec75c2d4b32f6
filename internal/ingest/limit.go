package ingest

import (
	"math"
	"net/netip"
	"sync"
	"time"
)

// maxBuckets is how many buckets a limiter keeps.
const maxBuckets = 1 << 14

// limiter has a token bucket for each key. The zero value works.
type limiter[K comparable] struct {
	mu      sync.Mutex // guards buckets
	buckets map[K]*bucket
}

type bucket struct {
	tokens float64
	rate   float64 // tokens a second
	burst  float64
	at     time.Duration // when tokens were counted
}

// fill adds what has come since.
func (b *bucket) fill(now time.Duration) {
	b.tokens = min(b.burst, b.tokens+b.rate*max(0, now-b.at).Seconds())
	b.at = now
}

// take takes one token, or says how long it is until there is one. now is monotonic.
func (l *limiter[K]) take(key K, rate, burst float64, now time.Duration) (wait time.Duration, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	b := l.buckets[key]
	if b == nil {
		l.makeRoom(now)
		b = &bucket{tokens: burst, at: now}
		l.buckets[key] = b
	}
	b.rate, b.burst = rate, burst
	b.fill(now)
	if b.tokens >= 1 {
		b.tokens--
		return 0, true
	}
	return time.Duration((1 - b.tokens) / rate * float64(time.Second)), false
}

// makeRoom forgets buckets that are full, which is what a new one would be, and if
// that is not enough any eighth.
func (l *limiter[K]) makeRoom(now time.Duration) {
	if l.buckets == nil {
		l.buckets = make(map[K]*bucket)
	}
	if len(l.buckets) < maxBuckets {
		return
	}
	for key, b := range l.buckets {
		if b.fill(now); b.tokens >= b.burst {
			delete(l.buckets, key)
		}
	}
	for key := range l.buckets {
		if len(l.buckets) <= maxBuckets/8*7 {
			return
		}
		delete(l.buckets, key)
	}
}

// The limit of requests for URLs that do not exist, from one address.
const (
	searchRate  = 10
	searchBurst = 50
)

// neighbourhood is what one client can have many addresses of: an IPv6 network.
func neighbourhood(a netip.Addr) netip.Prefix {
	bits := a.BitLen()
	if a.Is6() {
		bits = 64
	}
	p, err := a.Prefix(bits)
	if err != nil {
		return netip.Prefix{} // no address: all of these are one client
	}
	return p
}

// wholeSeconds is a Retry-After: at least one second.
func wholeSeconds(d time.Duration) int { return max(1, int(math.Ceil(d.Seconds()))) }
