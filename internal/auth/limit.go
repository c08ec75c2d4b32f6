package auth

import (
	"encoding/base64"
	"net/netip"
	"sync"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
)

// pace is how often something may be tried: burst times at once, then once in every.
type pace struct {
	burst int
	every time.Duration
}

// The paces of sign-ins that fail; one that succeeds gives back what it took. A whole
// company may share an IPv4 address, so an address has much more than a person at it
// needs; who tries one account from one address has little; and an account has so much
// that others who guess cannot soon keep its member out.
var (
	ofAddress = pace{60, 5 * time.Second}
	ofPair    = pace{8, 30 * time.Second}
	ofAccount = pace{100, 20 * time.Second}
)

// maxTracked bounds what a limiter remembers: twice as many, at about 100 bytes each.
const maxTracked = 10_000

// limiter counts tries by key. It forgets those of longest ago when there are too many.
type limiter struct {
	mu       sync.Mutex           // guards what follows
	now, old map[string]time.Time // when the key has all tries back
}

func newLimiter() *limiter { return &limiter{now: map[string]time.Time{}} }

// try is one key with its pace.
type try struct {
	key string
	pace
}

// take uses up one try of each key, or none and says how long to wait.
func (l *limiter) take(now time.Time, tries ...try) (wait time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, t := range tries {
		// A key owes `every` for each try it has not got back; it may owe burst times that.
		room := time.Duration(t.burst) * t.every
		if owed := l.full(t.key).Sub(now) + t.every; owed > room {
			wait = max(wait, owed-room)
		}
	}
	if wait > 0 {
		return wait
	}
	for _, t := range tries {
		full := l.full(t.key)
		if full.Before(now) {
			full = now
		}
		l.put(t.key, full.Add(t.every))
	}
	return 0
}

// give takes a use back.
func (l *limiter) give(tries ...try) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, t := range tries {
		l.put(t.key, l.full(t.key).Add(-t.every))
	}
}

func (l *limiter) full(key string) time.Time {
	if at, known := l.now[key]; known {
		return at
	}
	return l.old[key]
}

func (l *limiter) put(key string, at time.Time) {
	if len(l.now) >= maxTracked {
		l.now, l.old = map[string]time.Time{}, l.now
	}
	l.now[key] = at
}

// networkOf is what is counted as one address: an IPv6 host has a whole /64.
func networkOf(a netip.Addr) string {
	a = a.Unmap()
	if a.Is6() {
		if p, err := a.WithZone("").Prefix(64); err == nil {
			return p.String()
		}
	}
	return a.String()
}

func (p *People) triesOf(v hook.Visitor) []try {
	return []try{{"a " + networkOf(v.Address), ofAddress}}
}

// triesOn are those of a sign-in to an account, of which only a hash is remembered.
func (p *People) triesOn(v hook.Visitor, account string) []try {
	sum := Hash(account)
	short := base64.RawStdEncoding.EncodeToString(sum[:12])
	return append(p.triesOf(v), try{"p " + networkOf(v.Address) + " " + short, ofPair}, try{"u " + short, ofAccount})
}

// limited runs fn if there is a try left, and gives the try back if fn succeeds.
func (p *People) limited(tries []try, fn func() error) error {
	if wait := p.limits.take(p.now(), tries...); wait > 0 {
		return tooMany(wait)
	}
	err := fn()
	if err == nil {
		p.limits.give(tries...)
	}
	return err
}

func tooMany(wait time.Duration) error {
	return &hook.Error{
		Code: hook.CodeRateLimited, Detail: "Too many sign-ins were tried.", RetryAfter: wait,
		Hint: "Wait a moment and try again. An administrator can make a link that lets you in.",
	}
}
