//go:build fault

package fault_test

import (
	"context"
	"net"
	"sync"
	"testing"

	"github.com/grapnelhq/grapnel/test/rig"
)

// proxy stands between a node and its database.
type proxy struct {
	Port int

	listener net.Listener
	to       string

	mu    sync.Mutex // guards the rest
	conns map[net.Conn]struct{}
	hole  chan struct{} // closed while bytes flow
	reset bool          // connections are reset as they come
	wg    sync.WaitGroup
}

// newProxy listens until the test ends.
func newProxy(t *testing.T, to string) *proxy {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	rig.Check(t, err)
	p := &proxy{Port: l.Addr().(*net.TCPAddr).Port, listener: l, to: to, conns: map[net.Conn]struct{}{}, hole: make(chan struct{})}
	close(p.hole)
	p.wg.Go(p.accept)
	t.Cleanup(func() {
		p.listener.Close()
		p.heal()
		p.resetAll()
		p.wg.Wait()
	})
	return p
}

func (p *proxy) accept() {
	for {
		conn, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.wg.Go(func() { p.serve(conn) })
	}
}

// serve carries one connection, or lets it hang, or resets it.
func (p *proxy) serve(near net.Conn) {
	if !p.keep(near) {
		return
	}
	defer p.drop(near)
	p.flows()
	far, err := new(net.Dialer).DialContext(context.Background(), "tcp", p.to)
	if err != nil || !p.keep(far) {
		return
	}
	defer p.drop(far)
	ended := make(chan struct{}, 2)
	for _, way := range [][2]net.Conn{{near, far}, {far, near}} {
		go func() {
			p.carry(way[0], way[1])
			ended <- struct{}{}
		}()
	}
	<-ended
	near.Close()
	far.Close()
	<-ended
}

// carry copies bytes one way while they flow. What was read before a hole comes
// after it, as TCP sends again what got no answer.
func (p *proxy) carry(from, to net.Conn) {
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		p.flows()
		if _, failed := to.Write(buffer[:n]); err != nil || failed != nil {
			return
		}
	}
}

// keep notes a connection; false if it was reset instead.
func (p *proxy) keep(c net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.reset {
		abort(c)
		return false
	}
	p.conns[c] = struct{}{}
	return true
}

func (p *proxy) drop(c net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.conns, c)
	c.Close()
}

// abort closes a connection so that the other side sees a reset.
func abort(c net.Conn) {
	if tcp, ok := c.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // then it is an ordinary end
	}
	c.Close()
}

// flows waits until bytes flow.
func (p *proxy) flows() {
	p.mu.Lock()
	hole := p.hole
	p.mu.Unlock()
	<-hole
}

// blackhole lets nothing through any more and tells nobody.
func (p *proxy) blackhole() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.hole = make(chan struct{})
}

// resetAll resets all connections, and those to come.
func (p *proxy) resetAll() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.reset = true
	for c := range p.conns {
		abort(c)
	}
}

// heal ends what blackhole or resetAll began.
func (p *proxy) heal() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.reset = false
	select {
	case <-p.hole:
	default:
		close(p.hole)
	}
}
