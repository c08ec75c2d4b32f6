package send

import (
	"net"
	"slices"
	"sync"
	"syscall"
	"time"
)

// place is what connections are kept by.
type place struct {
	secure  bool
	address string // host:port
}

// line is one HTTP/1.1 connection. It has one user at a time.
type line struct {
	place place
	conn  net.Conn
	raw   net.Conn // conn, or what is below it with TLS
	look  *looker  // nil: the connection cannot be looked at
	cut   func()   // ends every waiting for the connection; made once

	idleSince    time.Time
	older, newer *line // in the pool's order of idleness
}

func newLine(at place, raw, conn net.Conn) *line {
	l := &line{place: at, conn: conn, raw: raw}
	l.cut = func() { _ = conn.SetDeadline(longAgo) }
	if system, ok := raw.(syscall.Conn); ok {
		if control, err := system.SyscallConn(); err == nil {
			l.look = newLooker(control)
		}
	}
	return l
}

var longAgo = time.Unix(1, 0)

// readUntil sets the deadline of reading. On a connection that takes none any
// more, the reading itself will tell.
func (l *line) readUntil(t time.Time) { _ = l.conn.SetReadDeadline(t) }

// drop closes a connection that is of no use. Whether it minds is all the same.
func drop(conn net.Conn) { _ = conn.Close() }

// quiet reports whether the peer has neither closed the idle connection nor sent
// anything on it. Both make it useless: what has come unasked cannot belong to
// the next request, and over TLS it is a farewell as a rule. Looking costs one
// system call; a connection that the system cannot look at passes.
func (l *line) quiet() bool { return l.look == nil || l.look.quiet() }

// pool keeps idle connections. It has no goroutine of its own; a timer runs while
// there is something to expire.
type pool struct {
	most, mostPerPlace int
	keep               time.Duration

	mu             sync.Mutex // guards all below
	places         map[place][]*line
	oldest, newest *line
	count          int
	timer          *time.Timer // nil: not running
	closed         bool
}

func newPool(most, mostPerPlace int, keep time.Duration) *pool {
	return &pool{most: most, mostPerPlace: mostPerPlace, keep: keep, places: make(map[place][]*line)}
}

// take gives the connection that was used last, so that those not needed can
// grow old. Nil: there is none.
func (p *pool) take(at place) *line {
	p.mu.Lock()
	defer p.mu.Unlock()
	lines := p.places[at]
	if len(lines) == 0 {
		return nil
	}
	l := lines[len(lines)-1]
	lines[len(lines)-1] = nil
	// The empty slice stays for the connection's return; sweep drops it.
	p.places[at] = lines[:len(lines)-1]
	p.unlink(l)
	return l
}

// put keeps the connection, or closes it. Over the bound, the one that has been
// idle longest goes.
func (p *pool) put(l *line, now time.Time) {
	if over := p.add(l, now); over != nil {
		drop(over.conn)
	}
}

func (p *pool) add(l *line, now time.Time) (over *line) {
	p.mu.Lock()
	defer p.mu.Unlock()
	lines := p.places[l.place]
	if p.closed || len(lines) >= p.mostPerPlace {
		return l
	}
	l.idleSince = now
	p.places[l.place] = append(lines, l)
	l.older, p.newest = p.newest, l
	if l.older != nil {
		l.older.newer = l
	} else {
		p.oldest = l
	}
	p.count++
	if p.timer == nil {
		p.timer = time.AfterFunc(p.keep, p.sweep)
	}
	if p.count > p.most {
		over = p.oldest
		p.remove(over)
	}
	return over
}

// unlink takes l out of the order. The caller holds mu.
func (p *pool) unlink(l *line) {
	if l.older != nil {
		l.older.newer = l.newer
	} else {
		p.oldest = l.newer
	}
	if l.newer != nil {
		l.newer.older = l.older
	} else {
		p.newest = l.older
	}
	l.older, l.newer = nil, nil
	p.count--
}

// remove takes l out of the pool. The caller holds mu.
func (p *pool) remove(l *line) {
	p.unlink(l)
	lines := p.places[l.place]
	if i := slices.Index(lines, l); i >= 0 {
		p.places[l.place] = slices.Delete(lines, i, i+1)
	}
}

// sweep closes what has been idle too long.
func (p *pool) sweep() {
	now := time.Now()
	var expired []*line
	p.mu.Lock()
	for p.oldest != nil && now.Sub(p.oldest.idleSince) >= p.keep {
		expired = append(expired, p.oldest)
		p.remove(p.oldest)
	}
	for at, lines := range p.places {
		if len(lines) == 0 {
			delete(p.places, at)
		}
	}
	switch {
	case p.closed:
	case p.oldest != nil:
		p.timer.Reset(max(p.keep-now.Sub(p.oldest.idleSince), time.Second))
	default:
		p.timer = nil
	}
	p.mu.Unlock()
	for _, l := range expired {
		drop(l.conn)
	}
}

func (p *pool) close() {
	p.mu.Lock()
	p.closed = true
	if p.timer != nil {
		p.timer.Stop()
	}
	var all []*line
	for p.oldest != nil {
		all = append(all, p.oldest)
		p.remove(p.oldest)
	}
	p.mu.Unlock()
	for _, l := range all {
		drop(l.conn)
	}
}
