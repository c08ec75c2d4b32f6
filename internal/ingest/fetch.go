package ingest

import (
	"context"
	"errors"
	"sync"
	"time"
)

const (
	fetchAge     = 15 * time.Minute
	fetchRetry   = 10 * time.Second // how long a failure is remembered
	fetchTimeout = 5 * time.Second
	maxFetched   = 128
)

type fetchFunc = func(ctx context.Context, url string) ([]byte, error)

var errFetchBusy = errors.New("too many certificates are being fetched")

// fetchCache remembers certificates and key sets, whose addresses a scheme has
// pinned. Requests that come while one is fetched wait for it.
type fetchCache struct {
	mu      sync.Mutex // guards entries
	entries map[string]*fetching
}

type fetching struct {
	until  time.Duration
	failed bool
	done   chan struct{} // closed by the one who fetches, after the rest was set
	text   []byte
	err    error
}

func (c *fetchCache) init() { c.entries = make(map[string]*fetching) }

// begin gives the fetching of an address, and whether the caller is the one to do
// it; nil if there is no room for another.
func (c *fetchCache) begin(url string, now time.Duration) (f *fetching, mine bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if f := c.entries[url]; f != nil && now < f.until {
		return f, false
	}
	for old, f := range c.entries {
		// Of those that failed strangers can name as many as they like.
		if len(c.entries) >= maxFetched && (f.failed || now >= f.until) {
			delete(c.entries, old)
		}
	}
	if len(c.entries) >= maxFetched {
		return nil, false
	}
	f = &fetching{until: now + fetchAge, done: make(chan struct{})}
	c.entries[url] = f
	return f, true
}

func (c *fetchCache) failed(f *fetching, now time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f.until, f.failed = now+fetchRetry, true
}

// fetch is Deps.Fetch with a memory, for provider.Settings.
func (g *Gateway) fetch(ctx context.Context, url string) ([]byte, error) {
	f, mine := g.fetched.begin(url, g.Elapsed())
	if f == nil {
		return nil, errFetchBusy
	}
	if mine {
		inner, cancel := context.WithTimeout(context.WithoutCancel(ctx), fetchTimeout)
		defer cancel()
		f.text, f.err = g.Fetch(inner, url)
		if f.err != nil {
			g.fetched.failed(f, g.Elapsed())
		}
		close(f.done)
	}
	select {
	case <-f.done:
		return f.text, f.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
