package testx_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/grapnelhq/grapnel/internal/testx"
	"github.com/grapnelhq/grapnel/webhook"
	"golang.org/x/net/nettest"
)

const receiverAddress = "203.0.113.7:80"

func client(n *testx.Network) *http.Client {
	return &http.Client{Transport: &http.Transport{DialContext: n.DialContext}}
}

func post(t *testing.T, c *http.Client, url, body string) (int, string) {
	t.Helper()
	r, err := c.Post(url, "text/plain", strings.NewReader(body))
	testx.NoError(t, err)
	defer r.Body.Close()
	answer, err := io.ReadAll(r.Body)
	testx.NoError(t, err)
	return r.StatusCode, string(answer)
}

// The standard suite for connections: deadlines, races, half-closing and more.
func TestPipeIsAConnectionAsTheStandardLibraryMeansIt(t *testing.T) {
	t.Parallel()
	nettest.TestConn(t, func() (net.Conn, net.Conn, func(), error) {
		a, b := testx.NewPipe(&net.TCPAddr{Port: 1}, &net.TCPAddr{Port: 2})
		return a, b, func() { a.Close(); b.Close() }, nil
	})
}

func TestClosedConnectionStillDeliversWhatWasWritten(t *testing.T) {
	t.Parallel()
	a, b := testx.NewPipe(&net.TCPAddr{Port: 1}, &net.TCPAddr{Port: 2})
	testx.Must(a.Write([]byte("last words")))(t)
	testx.NoError(t, a.CloseWrite())
	got, err := io.ReadAll(b)
	testx.NoError(t, err)
	testx.Equal(t, string(got), "last words")
	testx.Must(b.Write([]byte("still heard")))(t)
	testx.NoError(t, a.Close())
	_, err = b.Write([]byte("x"))
	testx.True(t, errors.Is(err, syscall.EPIPE), "writing to one who left fails with EPIPE")
}

func TestResetBreaksBothDirectionsAtOnce(t *testing.T) {
	t.Parallel()
	a, b := testx.NewPipe(&net.TCPAddr{Port: 1}, &net.TCPAddr{Port: 2})
	testx.Must(a.Write([]byte("lost")))(t)
	a.Reset()
	_, err := b.Read(make([]byte, 8))
	testx.True(t, errors.Is(err, syscall.ECONNRESET), "read gives ECONNRESET")
	_, err = a.Write([]byte("x"))
	testx.True(t, errors.Is(err, net.ErrClosed), "the end that did it is closed")
}

func TestDeadlineInSimulatedTimeEndsARead(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a, b := testx.NewPipe(&net.TCPAddr{Port: 1}, &net.TCPAddr{Port: 2})
		defer b.Close()
		start := time.Now()
		testx.NoError(t, a.SetReadDeadline(start.Add(time.Hour)))
		_, err := a.Read(make([]byte, 1))
		testx.True(t, errors.Is(err, os.ErrDeadlineExceeded), "the deadline ends the read")
		testx.Equal(t, time.Since(start), time.Hour)
	})
}

func TestNetworkRefusesWhereNobodyListens(t *testing.T) {
	t.Parallel()
	n := testx.NewNetwork()
	_, err := n.DialContext(t.Context(), "tcp", receiverAddress)
	testx.True(t, errors.Is(err, syscall.ECONNREFUSED), "no listener")
	l := testx.Must(n.Listen(receiverAddress))(t)
	_, err = n.Listen(receiverAddress)
	testx.True(t, errors.Is(err, syscall.EADDRINUSE), "the address is taken")
	c := testx.Must(n.DialContext(t.Context(), "tcp", receiverAddress))(t)
	testx.Equal(t, c.RemoteAddr().String(), receiverAddress)
	testx.NoError(t, l.Close())
	_, err = c.Read(make([]byte, 1))
	testx.True(t, errors.Is(err, syscall.ECONNRESET), "a connection that nobody accepted is reset")
	_, err = l.Accept()
	testx.True(t, errors.Is(err, net.ErrClosed), "nothing to accept any more")
	_, err = n.DialContext(t.Context(), "tcp", receiverAddress)
	testx.True(t, errors.Is(err, syscall.ECONNREFUSED), "the listener is gone")
	testx.Equal(t, n.Dials(), []string{receiverAddress, receiverAddress, receiverAddress})
}

func TestSilentAddressHangsUntilTheDialerGivesUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := testx.NewNetwork()
		n.Silence(receiverAddress)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		start := time.Now()
		_, err := n.DialContext(ctx, "tcp", receiverAddress)
		testx.True(t, errors.Is(err, context.DeadlineExceeded), "the context ends the dial")
		testx.Equal(t, time.Since(start), time.Minute)
	})
}

func TestReceiverAnswersByScriptInsideABubble(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n, r := testx.NewNetwork(), testx.NewReceiver()
		gate := make(chan struct{})
		r.On("/hook",
			testx.Answer{Status: 500, Body: []byte("no"), Header: http.Header{"Retry-After": {"7"}}},
			testx.Answer{Status: 200, Wait: gate},
			testx.Answer{Status: 201, After: time.Hour})
		r.Serve(t, n, receiverAddress)
		c := client(n)
		defer c.CloseIdleConnections()
		url := "http://" + receiverAddress

		status, body := post(t, c, url+"/hook?a=b", "one")
		testx.Equal(t, status, 500)
		testx.Equal(t, body, "no")
		got := r.Next(t)
		testx.Equal(t, []string{got.Method, got.Path, got.RawQuery, string(got.Body)}, []string{"POST", "/hook", "a=b", "one"})

		answered := make(chan int)
		go func() {
			status, _ := post(t, c, url+"/hook", "two")
			answered <- status
		}()
		r.Next(t)
		synctest.Wait()
		select {
		case <-answered:
			t.Fatal("answered before the gate opened")
		default:
		}
		close(gate)
		testx.Equal(t, testx.Receive(t, answered, "the answer"), 200)

		for range 2 { // the last answer stays
			start := time.Now()
			status, _ = post(t, c, url+"/hook", "three")
			testx.Equal(t, status, 201)
			testx.Equal(t, time.Since(start), time.Hour)
		}
		status, _ = post(t, c, url+"/other", "four")
		testx.Equal(t, status, 204, "a path without a script")
		testx.Equal(t, len(r.Requests()), 5)
	})
}

func TestReceiverHangsAndDrops(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n, r := testx.NewNetwork(), testx.NewReceiver()
		r.On("/hang", testx.Answer{Hang: true})
		r.On("/drop", testx.Answer{Drop: true})
		r.On("/body", testx.Answer{Status: 200, Body: []byte("part"), HangBody: true})
		r.Serve(t, n, receiverAddress)
		c := client(n)
		c.Timeout = time.Minute
		defer c.CloseIdleConnections()
		for _, path := range []string{"/hang", "/drop"} {
			_, err := c.Post("http://"+receiverAddress+path, "text/plain", strings.NewReader("x"))
			testx.True(t, err != nil, "no answer from "+path)
		}
		answer, err := c.Post("http://"+receiverAddress+"/body", "text/plain", strings.NewReader("x"))
		testx.NoError(t, err)
		defer answer.Body.Close()
		got, err := io.ReadAll(answer.Body)
		testx.True(t, err != nil, "the body never ends")
		testx.Equal(t, string(got), "part")
	})
}

func TestReceiverVerifiesSignatures(t *testing.T) {
	t.Parallel()
	key := webhook.NewSecret()
	signer := testx.Must(webhook.NewSigner(key))(t)
	n, r := testx.NewNetwork(), testx.NewReceiver()
	r.Verify(testx.Must(webhook.NewVerifier([]webhook.Key{key}))(t))
	r.Serve(t, n, receiverAddress)
	for body, tampered := range map[string]bool{"as signed": false, "changed": true} {
		req := testx.Must(http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+receiverAddress, strings.NewReader(body)))(t)
		signed := []byte(body)
		if tampered {
			signed = bytes.ToUpper(signed)
		}
		testx.NoError(t, signer.SetHeaders(req.Header, "msg_1", time.Now(), signed))
		answer, err := client(n).Do(req)
		testx.NoError(t, err)
		testx.NoError(t, answer.Body.Close())
		got := r.Next(t)
		testx.Equal(t, got.ID(), "msg_1")
		testx.Equal(t, errors.Is(got.Refused, webhook.ErrNoMatch), tampered, "refused")
	}
}

func TestReceiverSpeaksTLSAndLoopback(t *testing.T) {
	t.Parallel()
	n, r := testx.NewNetwork(), testx.NewReceiver()
	s := r.ServeTLS(t, n, "203.0.113.7:443")
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	c := client(n)
	tr := c.Transport.(*http.Transport)
	tr.TLSClientConfig = &tls.Config{RootCAs: roots, ServerName: "example.com"}
	tr.ForceAttemptHTTP2 = true
	defer c.CloseIdleConnections()
	status, _ := post(t, c, "https://203.0.113.7:443/hook", "x")
	testx.Equal(t, status, 204)
	testx.Equal(t, r.Next(t).Proto, "HTTP/2.0")

	open := testx.NewReceiver()
	status, _ = post(t, http.DefaultClient, open.ServeLoopback(t)+"/hook", "y")
	testx.Equal(t, status, 204)
	testx.Equal(t, string(open.Next(t).Body), "y")
}
