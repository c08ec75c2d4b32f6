package send_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
	"github.com/grapnelhq/grapnel/internal/netguard"
	"github.com/grapnelhq/grapnel/internal/send"
	"github.com/grapnelhq/grapnel/webhook"
)

// at is the wall clock of the tests.
var at = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

// open undoes seal: the sealed text is the plain one behind a mark, so that a test
// sees whether purpose and id are right.
func open(purpose string, id hook.ID, data []byte) ([]byte, error) {
	mark := purpose + string(id[:])
	if len(data) < len(mark) || string(data[:len(mark)]) != mark {
		return nil, errors.New("does not fit")
	}
	return data[len(mark):], nil
}

func seal(purpose string, id hook.ID, plain string) []byte {
	return []byte(purpose + string(id[:]) + plain)
}

// guard lets loopback through and counts the connections.
type guard struct {
	netguard.Dialer
	dials atomic.Int32
}

func newGuard() *guard {
	g := &guard{}
	g.Policy = &netguard.Policy{AllowNets: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, AllowHTTP: true}
	g.Connect = func(ctx context.Context, network, address string) (net.Conn, error) {
		g.dials.Add(1)
		dialer := net.Dialer{ControlContext: g.Policy.ControlContext}
		return dialer.DialContext(ctx, network, address)
	}
	return g
}

// newSender makes a Sender whose limits are short; change may set anything.
func newSender(t testing.TB, change func(*send.Options)) *send.Sender {
	t.Helper()
	opts := send.Options{
		Open: open, Dialer: &newGuard().Dialer, UserAgent: "Grapnel/test", Now: func() time.Time { return at },
		Timeouts: send.Timeouts{Total: 5 * time.Second},
	}
	if change != nil {
		change(&opts)
	}
	s, err := send.New(opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// lease makes a lease of a message for the URL, with a secret of its own.
func lease(url string, body []byte) (*hook.Lease, webhook.Key) {
	key := webhook.NewSecret()
	e := &hook.Endpoint{ID: hook.NewID(at), URL: url, Revision: 1}
	e.Secrets = []hook.SealedSecret{{Sealed: seal(hook.PurposeSecret, e.ID, key.Reveal())}}
	m := &hook.Message{ID: hook.NewID(at), ContentType: "application/json", Body: body, BodySize: len(body)}
	return &hook.Lease{Message: m, Endpoint: e, Number: 1, Due: at}, key
}

// transports are the ways that the same test runs over.
var transports = map[string]func(*send.Sender){"direct": (*send.Sender).UseDirect, "standard": (*send.Sender).UseStandard}

// peer accepts TCP connections and hands each to serve, with the number of
// connections before it. A connection is closed when serve returns.
type peer struct {
	listener net.Listener
	accepted atomic.Int32
	requests atomic.Int32
	done     sync.WaitGroup
}

func newPeer(t testing.TB, serve func(p *peer, c *peerConn)) *peer {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &peer{listener: l}
	var (
		mu   sync.Mutex
		open = map[net.Conn]bool{}
	)
	p.done.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			open[conn] = true
			mu.Unlock()
			c := &peerConn{Conn: conn, peer: p, reader: bufio.NewReader(conn), number: int(p.accepted.Add(1))}
			p.done.Go(func() {
				defer conn.Close()
				serve(p, c)
			})
		}
	})
	t.Cleanup(func() {
		l.Close()
		mu.Lock()
		for conn := range open {
			conn.Close()
		}
		mu.Unlock()
		p.done.Wait()
	})
	return p
}

func (p *peer) url() string { return "http://" + p.listener.Addr().String() + "/hook" }

// peerConn is one connection of a peer.
type peerConn struct {
	net.Conn
	peer   *peer
	reader *bufio.Reader
	number int // 1 for the first connection
}

// request reads one request with its body; nil at the end of the connection.
func (c *peerConn) request() *http.Request {
	r, err := http.ReadRequest(c.reader)
	if err != nil {
		return nil
	}
	c.peer.requests.Add(1)
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	return r
}

// say writes text as it is.
func (c *peerConn) say(text string) { io.WriteString(c.Conn, text) }

// hang waits until the other side closes.
func (c *peerConn) hang() { io.Copy(io.Discard, c.Conn) }

// reset closes with a reset instead of an orderly end.
func (c *peerConn) reset() {
	if tcp, ok := c.Conn.(*net.TCPConn); ok {
		tcp.SetLinger(0)
	}
	c.Close()
}
