package send_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
	"github.com/grapnelhq/grapnel/internal/netguard"
	"github.com/grapnelhq/grapnel/internal/send"
)

// names is a resolver that answers from a function.
type names func(ctx context.Context, host string) ([]netip.Addr, error)

func (n names) LookupNetIP(ctx context.Context, _, host string) ([]netip.Addr, error) {
	return n(ctx, strings.TrimSuffix(host, "."))
}

func addrs(texts ...string) (list []netip.Addr) {
	for _, text := range texts {
		list = append(list, netip.MustParseAddr(text))
	}
	return list
}

func TestNamesAreResolvedThroughTheGuard(t *testing.T) {
	for name, row := range map[string]struct {
		resolve names
		class   hook.Class
		detail  string
	}{
		"X038 leads to a private address": {func(context.Context, string) ([]netip.Addr, error) { return addrs("10.1.2.3"), nil },
			hook.FailPolicy, "leads to an address"},
		"X039 all addresses forbidden": {func(context.Context, string) ([]netip.Addr, error) { return addrs("fd00::5", "169.254.169.254"), nil },
			hook.FailPolicy, "leads to an address"},
		"F18 does not exist": {func(_ context.Context, host string) ([]netip.Addr, error) {
			return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
		}, hook.FailDNS, "does not exist"},
		"F18 server failure": {func(_ context.Context, host string) ([]netip.Addr, error) {
			return nil, &net.DNSError{Err: "server misbehaving", Name: host, Server: "10.9.9.9:53", IsTemporary: true}
		}, hook.FailDNS, "answered with a failure"},
		"X047 answer after the limit": {func(ctx context.Context, _ string) ([]netip.Addr, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}, hook.FailDNS, "no answer from DNS"},
	} {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, use func(*send.Sender)) {
				var dials atomic.Int32
				guard := &netguard.Dialer{
					Resolver: row.resolve,
					Connect: func(context.Context, string, string) (net.Conn, error) {
						dials.Add(1)
						return nil, io.EOF
					},
				}
				s := newSender(t, func(o *send.Options) { o.Dialer = guard; o.Timeouts.DNS = 50 * time.Millisecond })
				use(s)
				l, _ := lease("https://hooks.example.com/canary", []byte("{}"))
				a := s.Post(t.Context(), l)
				if a.Outcome.Class != row.class || !strings.Contains(a.Outcome.Detail, row.detail) {
					t.Errorf("outcome is %+v, want %v with %q", a.Outcome, row.class, row.detail)
				}
				for _, secret := range []string{"canary", "10.1.2.3", "169.254", "fd00::5", "10.9.9.9"} {
					if strings.Contains(a.Outcome.Detail, secret) {
						t.Errorf("the sentence tells %s: %q", secret, a.Outcome.Detail)
					}
				}
				if n := dials.Load(); n != 0 {
					t.Errorf("dialled %d times", n)
				}
				if row.class == hook.FailDNS && a.Timings.DNS == 0 {
					t.Errorf("timings are %+v", a.Timings)
				}
			})
		})
	}
}

func TestConnectFailuresAreOfTheirClass(t *testing.T) {
	closed := newPeer(t, nil)
	closed.listener.Close()
	for name, row := range map[string]struct {
		connect func(ctx context.Context, network, address string) (net.Conn, error)
		class   hook.Class
		detail  string
	}{
		"F23 refused": {nil, hook.FailConnect, "refused the connection"},
		"no answer": {func(ctx context.Context, _, _ string) (net.Conn, error) {
			<-ctx.Done()
			return nil, &net.OpError{Op: "dial", Err: ctx.Err()}
		}, hook.FailTimeout, "No connection in"},
	} {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, use func(*send.Sender)) {
				s := newSender(t, func(o *send.Options) {
					o.Timeouts.Connect = 50 * time.Millisecond
					if row.connect != nil {
						o.Dialer.Connect = row.connect
					}
				})
				use(s)
				l, _ := lease(closed.url(), []byte("{}"))
				a := s.Post(t.Context(), l)
				if a.Outcome.Class != row.class || !strings.Contains(a.Outcome.Detail, row.detail) || a.Timings.Connect == 0 {
					t.Errorf("outcome is %+v, timings %+v", a.Outcome, a.Timings)
				}
			})
		})
	}
}

// A connection in memory cannot be looked at; it works all the same.
func TestConnectionsInMemoryWork(t *testing.T) {
	each(t, func(t *testing.T, use func(*send.Sender)) {
		served := make(chan int, 1)
		s := newSender(t, func(o *send.Options) {
			o.Dialer.Connect = func(context.Context, string, string) (net.Conn, error) {
				ours, theirs := net.Pipe()
				go func() {
					c := &peerConn{Conn: theirs, peer: &peer{}, reader: bufio.NewReader(theirs)}
					n := 0
					for ; c.request() != nil; n++ {
						c.say(ok)
					}
					theirs.Close()
					served <- n
				}()
				return ours, nil
			}
		})
		use(s)
		l, _ := lease("http://127.0.0.1/", []byte("{}"))
		posts(t, s, l, 3)
		s.Close()
		if n := <-served; n != 3 {
			t.Errorf("the connection served %d requests, want 3", n)
		}
	})
}

func TestTheDefaultLimitsEndAnAttempt(t *testing.T) {
	for name, use := range transports {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSender(t, func(o *send.Options) {
					o.Timeouts = send.Timeouts{}
					o.Dialer.Connect = func(context.Context, string, string) (net.Conn, error) {
						ours, theirs := net.Pipe()
						go func() {
							time.Sleep(9 * time.Millisecond)
							io.Copy(io.Discard, theirs)
							theirs.Close()
						}()
						return ours, nil
					}
				})
				use(s)
				l, _ := lease("http://127.0.0.1/", []byte("{}"))
				began := time.Now()
				a := s.Post(t.Context(), l)
				if a.Outcome.Class != hook.FailTimeout || a.Outcome.Detail != "No answer in 15 s. Connected in under 1 ms, then nothing." {
					t.Errorf("outcome is %+v", a.Outcome)
				}
				if took := time.Since(began); took != 15*time.Second || a.Timings.Total != took || a.Timings.FirstByte < 14*time.Second {
					t.Errorf("took %v, timings %+v", took, a.Timings)
				}
				s.Close()
			})
		})
	}
}

func TestACharacterThatTheCapCutsIsLeftOut(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		"äöüäö":     "äöüäö", // ten bytes
		"äöüäöü":    "äöüäö",
		"xäöüäöü":   "xäöüä",
		"€€€€":      "€€€",
		"12345678€": "12345678",
		"1234567😀":  "1234567",
		"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff": "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
	} {
		p := newPeer(t, func(_ *peer, c *peerConn) { answer("HTTP/1.1 200 OK\r\n\r\n" + body)(c) })
		s := newSender(t, func(o *send.Options) { o.ResponseCap = 10 })
		l, _ := lease(p.url(), nil)
		if a := s.Post(t.Context(), l); string(a.Response) != want {
			t.Errorf("of %q is kept %q, want %q", body, a.Response, want)
		}
	}
}

// A peer may have enough before it has read everything.
func TestAnEarlyAnswerToALargeBodyCounts(t *testing.T) {
	t.Parallel()
	p := newPeer(t, func(_ *peer, c *peerConn) {
		http.ReadRequest(c.reader)
		c.say("HTTP/1.1 413 Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
		<-t.Context().Done() // keep it open, read no more
	})
	s := newSender(t, nil)
	l, _ := lease(p.url(), bytes.Repeat([]byte("x"), 64<<20))
	if a := s.Post(t.Context(), l); a.Outcome.Status != 413 {
		t.Errorf("outcome is %+v", a.Outcome)
	}
}

func TestProxiesInTheEnvironmentAreIgnored(t *testing.T) {
	for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"} {
		t.Setenv(name, "http://127.0.0.1:1")
	}
	for _, use := range transports {
		url, got := received(t)
		s := newSender(t, nil)
		use(s)
		l, _ := lease(url, []byte("{}"))
		posts(t, s, l, 1)
		<-got
		if s.Client().Proxy != nil {
			t.Error("the transport would ask for a proxy")
		}
	}
}

// tunnel copies both ways until one side ends.
func tunnel(a, b net.Conn) {
	go func() {
		io.Copy(a, b)
		a.Close()
	}()
	io.Copy(b, a)
	b.Close()
}

func TestTheEgressProxyIsTheWayOut(t *testing.T) {
	t.Parallel()
	answerTLS, config := secure(t, false, func(w http.ResponseWriter, r *http.Request) { io.Copy(w, r.Body) })
	target := strings.TrimPrefix(answerTLS.URL, "https://")
	connect := newPeer(t, func(_ *peer, c *peerConn) {
		r := c.request()
		if r == nil || r.Method != http.MethodConnect || r.Host != target || r.Header.Get("Proxy-Authorization") != "Basic dTpw" {
			c.say("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
			return
		}
		upstream, err := net.Dial("tcp", target)
		if err != nil {
			return
		}
		c.say("HTTP/1.1 200 OK\r\n\r\n")
		tunnel(upstream, c.Conn)
	})
	socks := newPeer(t, func(p *peer, c *peerConn) {
		greeting := make([]byte, 3)
		io.ReadFull(c.Conn, greeting)
		c.say("\x05\x00")
		request := make([]byte, 10) // version, connect, 0, IPv4, address, port
		io.ReadFull(c.Conn, request)
		to := netip.AddrPortFrom(netip.AddrFrom4([4]byte(request[4:8])), binary.BigEndian.Uint16(request[8:]))
		upstream, err := net.Dial("tcp", to.String())
		if err != nil {
			return
		}
		p.requests.Add(1)
		c.say("\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00")
		tunnel(upstream, c.Conn)
	})
	for name, row := range map[string]struct {
		proxy, url string
		class      hook.Class
		detail     string
		through    *peer
	}{
		"CONNECT":           {"http://u:p@" + connect.listener.Addr().String(), answerTLS.URL, hook.Success, "", connect},
		"CONNECT refused":   {"http://" + connect.listener.Addr().String(), answerTLS.URL, hook.FailConnect, "egress proxy refused", connect},
		"SOCKS5":            {"socks5://" + socks.listener.Addr().String(), answerTLS.URL, hook.Success, "", socks},
		"forbidden address": {"http://u:p@" + connect.listener.Addr().String(), "https://10.0.0.1/", hook.FailPolicy, "special_address", nil},
		"proxy is away":     {"http://127.0.0.1:1", answerTLS.URL, hook.FailConnect, "refused", nil},
	} {
		t.Run(name, func(t *testing.T) {
			proxy, err := url.Parse(row.proxy)
			if err != nil {
				t.Fatal(err)
			}
			before := connect.requests.Load() + socks.requests.Load()
			s := newSender(t, func(o *send.Options) { o.TLS = config; o.EgressProxy = proxy })
			l, _ := lease(row.url, []byte("{}"))
			a := s.Post(t.Context(), l)
			if a.Outcome.Class != row.class || !strings.Contains(a.Outcome.Detail, row.detail) {
				t.Errorf("outcome is %+v", a.Outcome)
			}
			if used := connect.requests.Load()+socks.requests.Load() > before; used != (row.through != nil) {
				t.Errorf("the proxy was used: %v", used)
			}
		})
	}
}
