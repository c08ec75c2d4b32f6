package deliver

import "github.com/grapnelhq/grapnel/internal/hook"

// maxUnsettled bounds the attempts that have ended but are not recorded: with
// more of them waiting, no new leases are taken.
const maxUnsettled = 4096

// app is what the engine knows of an application while any of its endpoints is
// known. Guarded by Engine.mu.
type app struct {
	id        hook.ID
	endpoints int // known ones
	leased    int // places held by its endpoints
	bytes     int64
	rate      int // messages a second over all nodes; 0: no limit
	throttle  bucket

	ready  fifo[*endpoint] // those with work that may be claimed now
	queued bool            // waits in Engine.turns
	timer  timer           // waits for its throttle
}

// places are what all attempts share. Guarded by Engine.mu.
type places struct {
	max       int
	used      int // leases held, and asked for
	sending   int // attempts that run
	retries   int // of used, by retries
	maxBytes  int64
	bytes     int64 // of bodies in flight and of results that are not recorded
	unsettled int
}

// free is how many more deliveries may be leased.
func (p *places) free() int { return max(0, p.max-p.used) }

// freeForRetries is the part of free that retries may have.
func (p *places) freeForRetries() int { return max(0, min(p.free(), max(1, p.max*3/4)-p.retries)) }

// scarce reports whether endpoints that do not answer must step back.
func (p *places) scarce() bool { return p.used > p.max/4 }

// stuffed reports whether memory or the settling is so far behind that no new
// leases may be taken.
func (p *places) stuffed() bool { return p.bytes >= p.maxBytes || p.unsettled >= maxUnsettled }

// freeFor is how many places the application may take. It holds no more of them, and
// of memory, than it leaves free: one alone has half of all. The last eighth is for
// those that have next to none, so that an application finds a place while others hold
// theirs for endpoints that hang.
func (p *places) freeFor(a *app) int {
	if a.bytes > 0 && a.bytes >= p.maxBytes-p.bytes {
		return 0
	}
	free := p.free()
	if n := min((free-a.leased+1)/2, free-p.max/8); n > 0 {
		return n
	}
	return max(0, (free+31)/32-a.leased)
}

// tight reports whether new deliveries of the application must leave what is
// free to those that wait already.
func (p *places) tight(a *app) bool {
	return p.freeFor(a) <= p.max/16 || p.bytes >= p.maxBytes-p.maxBytes/16
}

// take holds n places for the endpoint, r of them for retries.
func (p *places) take(ep *endpoint, n, r int, t moment) {
	ep.take(n, r, t.mono)
	ep.app.leased += n
	p.used += n
	p.retries += r
}

// release gives places back.
func (p *places) release(ep *endpoint, n, r int) {
	ep.free(n, r)
	ep.app.leased -= n
	p.used -= n
	p.retries -= r
}

// hold counts bytes of the application; negative ones are given back.
func (p *places) hold(a *app, bytes int64) {
	a.bytes += bytes
	p.bytes += bytes
}
