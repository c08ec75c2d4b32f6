package testx

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"syscall"
)

// Network is a network inside the process: listeners by address, and a dialer
// for them. Addresses are texts such as "203.0.113.7:443" or "example.com:80";
// nothing is resolved. An address nobody listens on refuses connections.
type Network struct {
	mu        sync.Mutex // guards what follows
	listeners map[string]*Listener
	silent    map[string]bool
	dials     []string
	ports     uint16
}

// NewNetwork makes an empty network.
func NewNetwork() *Network {
	return &Network{listeners: map[string]*Listener{}, silent: map[string]bool{}}
}

// Listen takes an address; it fails if somebody listens there.
func (n *Network) Listen(address string) (*Listener, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.listeners[address] != nil {
		return nil, &net.OpError{Op: "listen", Net: "tcp", Addr: addr(address), Err: syscall.EADDRINUSE}
	}
	l := &Listener{network: n, address: address, backlog: make(chan *Conn, 128), closed: make(chan struct{})}
	n.listeners[address] = l
	return l, nil
}

// Silence makes an address swallow what is sent to it: a dial there hangs until
// its context ends. It comes before a listener of that address.
func (n *Network) Silence(address string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.silent[address] = true
}

// Dials gives the addresses dialled so far, in order.
func (n *Network) Dials() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return append([]string(nil), n.dials...)
}

// DialContext connects to a listener of this network. It has the shape that
// http.Transport and net.Dialer users take.
func (n *Network) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	l, silent, local := n.reach(address)
	fail := func(err error) (net.Conn, error) {
		return nil, &net.OpError{Op: "dial", Net: network, Addr: addr(address), Err: err}
	}
	if err := ctx.Err(); err != nil {
		return fail(err)
	}
	if silent {
		<-ctx.Done()
		return fail(ctx.Err())
	}
	if l == nil {
		return fail(syscall.ECONNREFUSED)
	}
	client, server := NewPipe(local, addr(address))
	select {
	case l.backlog <- server:
		return client, nil
	case <-l.closed:
		return fail(syscall.ECONNREFUSED)
	case <-ctx.Done():
		return fail(ctx.Err())
	}
}

func (n *Network) reach(address string) (*Listener, bool, net.Addr) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.dials = append(n.dials, address)
	n.ports++
	return n.listeners[address], n.silent[address], addr(fmt.Sprintf("192.0.2.1:%d", 1024+n.ports%60000))
}

// Listener accepts the connections dialled to its address.
type Listener struct {
	network *Network
	address string
	backlog chan *Conn // DialContext sends; Accept receives
	once    sync.Once
	closed  chan struct{} // closed by Close
}

var _ net.Listener = (*Listener)(nil)

// Accept waits for the next connection.
func (l *Listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.backlog:
		return c, nil
	case <-l.closed:
		return nil, &net.OpError{Op: "accept", Net: "tcp", Addr: l.Addr(), Err: net.ErrClosed}
	}
}

// Close frees the address and resets connections that nobody accepted.
func (l *Listener) Close() error {
	l.once.Do(func() {
		l.network.mu.Lock()
		delete(l.network.listeners, l.address)
		l.network.mu.Unlock()
		close(l.closed)
		for {
			select {
			case c := <-l.backlog:
				c.Reset()
			default:
				return
			}
		}
	})
	return nil
}

// Addr is the address that it listens on.
func (l *Listener) Addr() net.Addr { return addr(l.address) }

// addr gives an IP and port as the *net.TCPAddr that a real connection has, and
// anything else as its text.
func addr(address string) net.Addr {
	if ap, err := netip.ParseAddrPort(address); err == nil {
		return net.TCPAddrFromAddrPort(ap)
	}
	return nameAddr(address)
}

type nameAddr string

func (nameAddr) Network() string  { return "tcp" }
func (a nameAddr) String() string { return string(a) }
