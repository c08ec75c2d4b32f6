package ingest

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
)

const (
	// sourceAge is how long a source is used without being looked up again.
	sourceAge = 500 * time.Millisecond
	// lookupTimeout bounds one look-up, which several requests may wait for.
	lookupTimeout = 5 * time.Second
	// maxSources is how many look-ups are remembered, of unknown tokens too.
	maxSources = 1 << 13
)

// cache remembers sources by the hash of a token, for a moment. Requests that come
// while one is looked up wait for that look-up.
type cache struct {
	mu      sync.Mutex // guards entries
	entries map[[32]byte]*lookup
}

type lookup struct {
	until time.Duration // it may be used
	done  chan struct{} // closed by the one who looks up, after the rest was set
	found *source       // nil: there is none
	err   error
}

func (c *cache) init() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.entries = make(map[[32]byte]*lookup)
}

// begin gives the look-up of a token, and whether the caller is the one to do it.
func (c *cache) begin(hash [32]byte, now time.Duration) (l *lookup, mine bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if l := c.entries[hash]; l != nil && now < l.until {
		return l, false
	}
	if len(c.entries) >= maxSources {
		c.makeRoom(now)
	}
	l = &lookup{until: now + sourceAge, done: make(chan struct{})}
	c.entries[hash] = l
	return l, true
}

// makeRoom forgets what is too old, and if that is not enough any eighth.
func (c *cache) makeRoom(now time.Duration) {
	for hash, l := range c.entries {
		if now >= l.until {
			delete(c.entries, hash)
		}
	}
	for hash := range c.entries {
		if len(c.entries) <= maxSources/8*7 {
			return
		}
		delete(c.entries, hash)
	}
}

func (c *cache) forget(hash [32]byte, l *lookup) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.entries[hash] == l {
		delete(c.entries, hash)
	}
}

// find gives the source of a token, nil if there is none.
func (g *Gateway) find(ctx context.Context, hash [32]byte) (*source, error) {
	l, mine := g.sources.begin(hash, g.Elapsed())
	if mine {
		// It is for others too: the end of this one request does not end it.
		inner, cancel := context.WithTimeout(context.WithoutCancel(ctx), lookupTimeout)
		defer cancel()
		l.found, l.err = g.look(inner, hash)
		if l.err != nil {
			g.sources.forget(hash, l)
		}
		close(l.done)
	}
	select {
	case <-l.done:
		return l.found, l.err
	case <-ctx.Done():
		return nil, hook.Unavailable(ctx.Err())
	}
}

func (g *Gateway) look(ctx context.Context, hash [32]byte) (*source, error) {
	s, err := g.Store.FindSourceByToken(ctx, hash, g.Now())
	var known *hook.Error
	if errors.As(err, &known) && known.Code == hook.CodeNotFound {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if s.Disabled || s.Type == TypeCron {
		return nil, nil
	}
	return g.compile(s)
}
