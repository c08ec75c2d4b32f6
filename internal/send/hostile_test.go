package send_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
	"github.com/grapnelhq/grapnel/internal/send"
)

// short are the limits of servers that hang.
var short = send.Timeouts{Total: 250 * time.Millisecond, Body: 100 * time.Millisecond}

// hostile is the table of servers that do not behave. Both transports must judge
// them alike. The names begin with the row of the table of hostile inputs that
// they show.
var hostile = []struct {
	name   string
	serve  func(*peerConn)
	class  hook.Class
	status int
	detail string // a part of the sentence
	body   string // what is kept of the answer
}{
	{"X104 accepts and never answers", func(c *peerConn) { c.request(); c.hang() },
		hook.FailTimeout, 0, "then nothing.", ""},
	{"X105 header that comes byte by byte", func(c *peerConn) {
		c.request()
		c.say("HTTP/1.1 200 OK\r\nX-Slow: ")
		for range time.Tick(10 * time.Millisecond) {
			if _, err := c.Write([]byte("x")); err != nil {
				return
			}
		}
	}, hook.FailTimeout, 0, "No complete answer", ""},
	{"X105 body that stops half way", func(c *peerConn) {
		c.request()
		c.say("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc")
		c.hang()
	}, hook.Success, 200, "", "abc"},
	{"X105 error whose body stops half way", func(c *peerConn) {
		c.request()
		c.say("HTTP/1.1 500 Oops\r\nContent-Length: 100\r\n\r\nabc")
		c.hang()
	}, hook.FailStatus5xx, 500, "500", "abc"},
	{"X105 gzip bomb", func(c *peerConn) {
		c.request()
		c.say("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nConnection: close\r\n\r\n" + bomb)
	}, hook.Success, 200, "", bomb[:min(len(bomb), 20_000)]},
	{"X106 interim answers without end", func(c *peerConn) {
		c.request()
		for {
			if _, err := c.Write([]byte("HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n")); err != nil {
				return
			}
		}
	}, hook.FailProtocol, 0, "", ""},
	{"X106 one interim answer", func(c *peerConn) {
		c.request()
		c.say("HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n")
	}, hook.Success, 204, "", ""},
	{"X106 status 099", answer("HTTP/1.1 099 Low\r\nContent-Length: 0\r\n\r\n"), hook.FailProtocol, 99, "status 99", ""},
	{"X106 status 600", answer("HTTP/1.1 600 High\r\nContent-Length: 0\r\n\r\n"), hook.FailProtocol, 600, "status 600", ""},
	{"X106 status 999", answer("HTTP/1.1 999 Higher\r\nContent-Length: 0\r\n\r\n"), hook.FailProtocol, 999, "status 999", ""},
	{"X106 status 101", answer("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"), hook.FailProtocol, 101, "status 101", ""},
	{"X106 status of four digits", answer("HTTP/1.1 2000 OK\r\n\r\n"), hook.FailProtocol, 0, "", ""},
	{"X106 no status line", answer("Content-Type: text/plain\r\n\r\nhello"), hook.FailProtocol, 0, "not", ""},
	{"X106 empty line first", answer("\r\nHTTP/1.1 200 OK\r\n\r\n"), hook.FailProtocol, 0, "not", ""},
	{"X106 HTTP/0.9", answer("<html>hello</html>\n"), hook.FailProtocol, 0, "not", ""},
	{"X106 HTTP/1.0", answer("HTTP/1.0 200 OK\r\n\r\nhello"), hook.Success, 200, "", "hello"},
	{"X106 header line without colon", answer("HTTP/1.1 200 OK\r\nnonsense\r\n\r\n"), hook.FailProtocol, 0, "", ""},
	{"X106 header name with a slash", answer("HTTP/1.1 200 OK\r\nA/b: c\r\n\r\n"), hook.FailProtocol, 0, "", ""},
	{"X106 header name with a blank", answer("HTTP/1.1 200 OK\r\nA b: c\r\n\r\n"), hook.Success, 200, "", ""},
	{"X106 folded header", answer("HTTP/1.1 200 OK\r\nA: b\r\n c\r\nContent-Length: 2\r\n\r\nok"), hook.Success, 200, "", "ok"},
	{"X106 length that is no number", answer("HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n"), hook.FailProtocol, 0, "", ""},
	{"X106 two lengths", answer("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab"), hook.FailProtocol, 0, "", ""},
	{"X106 unknown transfer coding", answer("HTTP/1.1 200 OK\r\nTransfer-Encoding: magic\r\n\r\nab"), hook.FailProtocol, 0, "", ""},
	{"X106 chunked", answer("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n2\r\nde\r\n0\r\nTrailer: t\r\n\r\n"), hook.Success, 200, "", "abcde"},
	{"X106 chunked that breaks", answer("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nzz\r\n"), hook.Success, 200, "", "abc"},
	{"X107 close in the middle of the body", answer("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 100\r\n\r\nabc"), hook.Success, 200, "", "abc"},
	{"X107 reset after the header", func(c *peerConn) {
		c.request()
		c.say("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
		c.reset()
	}, hook.Success, 200, "", ""},
	{"X107 close in the middle of the header", answer("HTTP/1.1 200 OK\r\nContent-Type: x\r\n"), hook.FailBody, 0, "in the middle of the answer", ""},
	{"X110 challenge", answer("HTTP/1.1 401 No\r\nWWW-Authenticate: Basic realm=x\r\nContent-Length: 0\r\n\r\n"), hook.FailStatus4xx, 401, "401 Unauthorized", ""},
	{"X110 proxy challenge", answer("HTTP/1.1 407 No\r\nProxy-Authenticate: Basic realm=x\r\nContent-Length: 0\r\n\r\n"), hook.FailStatus4xx, 407, "407", ""},
	{"X113 header of 1 MiB", answer("HTTP/1.1 200 OK\r\nX-Big: " + strings.Repeat("x", 1<<20) + "\r\n\r\n"), hook.FailProtocol, 0, "", ""},
	{"X113 a million header lines", answer("HTTP/1.1 200 OK\r\n" + strings.Repeat("A:b\r\n", 1<<20) + "\r\n"), hook.FailProtocol, 0, "", ""},
	{"X113 header of 50 KiB", answer("HTTP/1.1 200 OK\r\nX-Big: " + strings.Repeat("x", 50<<10) + "\r\nContent-Length: 2\r\n\r\nok"), hook.Success, 200, "", "ok"},
	{"X113 binary reason and value", answer("HTTP/1.1 200 \xff\xfe\x80\r\nX-Bin: \xff\xfe\"\\\r\nContent-Length: 2\r\n\r\nok"), hook.Success, 200, "", "ok"},
	{"X048 SSH banner", func(c *peerConn) { c.say("SSH-2.0-OpenSSH_9.6\r\n"); c.hang() }, hook.FailProtocol, 0, "not", ""},
	{"X048 SMTP banner", func(c *peerConn) { c.say("220 mail.example.com ESMTP\r\n"); c.hang() }, hook.FailProtocol, 0, "not", ""},
	{"F23 close without an answer", func(c *peerConn) { c.request() }, hook.FailBody, 0, "without an answer", ""},
	{"F23 reset after the request", func(c *peerConn) { c.request(); c.reset() }, hook.FailBody, 0, "without an answer", ""},
	{"S-21 gone", answer("HTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n"), hook.FailGone, 410, "410", ""},
	{"S-22 too many", answer("HTTP/1.1 429 Slow\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n"), hook.FailTooMany, 429, "429", ""},
}

// bomb is a gzip text that inflates a thousandfold.
var bomb = func() string {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	z.Write(make([]byte, 64<<20))
	z.Close()
	return b.String()
}()

// answer reads a request, says text and closes in order.
func answer(text string) func(*peerConn) {
	return func(c *peerConn) {
		if c.request() == nil {
			return
		}
		c.say(text)
		if tcp, ok := c.Conn.(interface{ CloseWrite() error }); ok {
			tcp.CloseWrite()
		}
		c.hang() // or what was not read would become a reset
	}
}

func TestHostileServersAreClassified(t *testing.T) {
	t.Parallel()
	for transport, use := range transports {
		for _, row := range hostile {
			t.Run(transport+"/"+row.name, func(t *testing.T) {
				t.Parallel()
				p := newPeer(t, func(_ *peer, c *peerConn) { row.serve(c) })
				s := newSender(t, func(o *send.Options) { o.Timeouts = short })
				use(s)
				l, _ := lease(p.url(), []byte(`{"a":1}`))
				began := time.Now()
				a := s.Post(t.Context(), l)
				if a.Outcome.Class != row.class || a.Outcome.Status != row.status {
					t.Errorf("outcome is %v %d, want %v %d", a.Outcome.Class, a.Outcome.Status, row.class, row.status)
				}
				if !strings.Contains(a.Outcome.Detail, row.detail) || (a.Outcome.Detail == "") != (row.class == hook.Success) {
					t.Errorf("detail is %q, want a sentence with %q", a.Outcome.Detail, row.detail)
				}
				if string(a.Response) != row.body {
					t.Errorf("kept %d bytes %.60q, want %.60q", len(a.Response), a.Response, row.body)
				}
				if took := time.Since(began); took > 2*time.Second {
					t.Errorf("took %v", took)
				}
				if n := p.accepted.Load(); n != 1 {
					t.Errorf("made %d connections, want 1", n)
				}
				checkHeaders(t, a)
			})
		}
	}
}

// checkHeaders makes sure that what is stored of the headers is sound JSON.
func checkHeaders(t *testing.T, a hook.Attempt) {
	t.Helper()
	for _, text := range [][]byte{a.RequestHeaders, a.ResponseHeaders} {
		var headers map[string]string
		if text != nil && json.Unmarshal(text, &headers) != nil || len(text) > 64<<10 {
			t.Errorf("headers are not a small JSON object of strings: %.200q", text)
		}
	}
	if a.Outcome.Status != 0 && a.ResponseHeaders == nil || a.RequestHeaders == nil {
		t.Error("headers are missing")
	}
}

func TestEndlessBodiesAreReadUpToTheCap(t *testing.T) {
	t.Parallel()
	for transport, use := range transports {
		for name, head := range map[string]string{
			"without a length": "HTTP/1.1 200 OK\r\n\r\n",
			"of 10 GiB":        "HTTP/1.1 200 OK\r\nContent-Length: 10737418240\r\n\r\n",
			"in chunks":        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n40000000\r\n",
		} {
			t.Run(transport+"/"+name, func(t *testing.T) {
				t.Parallel()
				taken := make(chan int, 1)
				p := newPeer(t, func(_ *peer, c *peerConn) {
					c.request()
					c.say(head)
					n, block := 0, bytes.Repeat([]byte("x"), 64<<10)
					for {
						m, err := c.Write(block)
						if n += m; err != nil {
							taken <- n
							return
						}
					}
				})
				s := newSender(t, nil)
				use(s)
				l, _ := lease(p.url(), nil)
				a := s.Post(t.Context(), l)
				if a.Outcome.Class != hook.Success || len(a.Response) != 20_000 {
					t.Errorf("outcome %v with %d bytes, want success with 20,000", a.Outcome, len(a.Response))
				}
				if n := <-taken; n > 32<<20 {
					t.Errorf("the server could write %d bytes", n)
				}
			})
		}
	}
}

func TestRedirectsAreNeverFollowed(t *testing.T) {
	t.Parallel()
	for transport, use := range transports {
		for _, status := range []int{300, 301, 302, 303, 304, 307, 308} {
			t.Run(fmt.Sprintf("%s/%d", transport, status), func(t *testing.T) {
				t.Parallel()
				var p *peer
				p = newPeer(t, func(_ *peer, c *peerConn) {
					for c.request() != nil {
						c.say(fmt.Sprintf("HTTP/1.1 %d Moved\r\nLocation: %s/latest/meta-data/\r\nContent-Length: 0\r\n\r\n", status, p.url()))
					}
				})
				s := newSender(t, nil)
				use(s)
				l, _ := lease(p.url(), []byte("{}"))
				a := s.Post(t.Context(), l)
				if a.Outcome.Class != hook.FailRedirect || a.Outcome.Status != status {
					t.Errorf("outcome is %v", a.Outcome)
				}
				if n := p.requests.Load(); n != 1 {
					t.Errorf("made %d requests", n)
				}
			})
		}
	}
}

func TestCookiesAndAltSvcAreIgnored(t *testing.T) {
	t.Parallel()
	for transport, use := range transports {
		t.Run(transport, func(t *testing.T) {
			t.Parallel()
			cookies := make(chan string, 2)
			p := newPeer(t, func(_ *peer, c *peerConn) {
				for r := c.request(); r != nil; r = c.request() {
					cookies <- r.Header.Get("Cookie")
					c.say("HTTP/1.1 200 OK\r\nSet-Cookie: a=secret\r\nSet-Cookie: b=secret\r\nAlt-Svc: h2=\"127.0.0.1:80\"; persist=1\r\nContent-Length: 0\r\n\r\n")
				}
			})
			g := newGuard()
			s := newSender(t, func(o *send.Options) { o.Dialer = &g.Dialer })
			use(s)
			l, _ := lease(p.url(), []byte("{}"))
			for range 2 {
				a := s.Post(t.Context(), l)
				if a.Outcome.Class != hook.Success {
					t.Fatal(a.Outcome)
				}
				if strings.Contains(string(a.ResponseHeaders), "secret") || !strings.Contains(string(a.ResponseHeaders), `"Set-Cookie":"***, ***"`) {
					t.Errorf("the cookie is kept: %s", a.ResponseHeaders)
				}
				if c := <-cookies; c != "" {
					t.Errorf("sent the cookie %q back", c)
				}
			}
			if n := g.dials.Load(); n != 1 {
				t.Errorf("dialled %d times", n)
			}
		})
	}
}
