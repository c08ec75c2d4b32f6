package server_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/grapnelhq/grapnel/client"
	"github.com/grapnelhq/grapnel/internal/server"
	"github.com/grapnelhq/grapnel/internal/testx"
)

// slowBox is a server in simulated time, on a network in memory.
func slowBox(t *testing.T) (*box, *testx.Network, *http.Client) {
	t.Helper()
	time.Sleep(time.Until(time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC))) // ids begin in 2014, a bubble in 2000
	network := testx.NewNetwork()
	log := &logs{}
	s := server.New(server.Options{
		Config: settings(t, t.TempDir(), map[string]string{"listen": "192.0.2.1:80"}), Version: "test", Log: log,
		World: server.World{
			Listen:  func(_ context.Context, _, address string) (net.Listener, error) { return network.Listen(address) },
			Connect: network.DialContext,
		},
	})
	testx.NoError(t, s.Start(context.Background()))
	n := &node{Server: s, log: log, stop: func() error { return s.Stop(context.Background()) }}
	through := &http.Client{Transport: &http.Transport{DialContext: network.DialContext}}
	api, err := client.New(s.URL(), testKey, client.WithHTTPClient(through))
	testx.NoError(t, err)
	n.Client = api
	return &box{n, t}, network, through
}

func TestSlowSendersAreCutOff(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b, network, through := slowBox(t)
		defer func() {
			through.CloseIdleConnections()
			testx.NoError(t, b.stop())
		}()
		url := b.openBy(through)
		dial := func(head string) net.Conn {
			conn, err := network.DialContext(t.Context(), "tcp", "192.0.2.1:80")
			testx.NoError(t, err)
			_, err = io.WriteString(conn, head)
			testx.NoError(t, err)
			return conn
		}
		head := "POST " + path(url) + " HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n"
		before := runtime.NumGoroutine()

		idle := dial(head + "\r\nfirst bytes, then nothing") // X004
		if got := statusLine(idle); !strings.Contains(got, "408") {
			t.Errorf("idle sender: %q", got)
		}
		loris := dial(head) // X005
		began := time.Now()
		go func() {
			for range 20 {
				time.Sleep(5 * time.Second)
				if _, err := io.WriteString(loris, "X"); err != nil {
					return
				}
			}
		}()
		if got := statusLine(loris); strings.Contains(got, "200") || time.Since(began) > 15*time.Second {
			t.Errorf("header by single bytes: %q after %v", got, time.Since(began))
		}
		dripping := make([]net.Conn, 100) // X006
		for i := range dripping {
			dripping[i] = dial(head + "\r\n")
			go func() {
				for range 900 {
					time.Sleep(time.Second)
					if _, err := io.WriteString(dripping[i], "x"); err != nil {
						return
					}
				}
			}()
		}
		time.Sleep(10 * time.Second)
		began = time.Now()
		answer, err := through.Post(url, "text/plain", strings.NewReader("quick"))
		testx.NoError(t, err)
		answer.Body.Close()
		if answer.StatusCode/100 != 2 || time.Since(began) > time.Second {
			t.Errorf("a quick sender beside slow ones: %d after %v", answer.StatusCode, time.Since(began))
		}
		for _, conn := range dripping {
			if got := statusLine(conn); !strings.Contains(got, "408") {
				t.Errorf("body by single bytes: %q", got)
			}
		}
		if took := time.Since(began); took > 40*time.Second {
			t.Errorf("bodies were waited for %v", took)
		}
		for _, conn := range slices.Concat(dripping, []net.Conn{idle, loris}) {
			conn.Close()
		}
		time.Sleep(2 * time.Minute) // idle connections end as well
		if after := runtime.NumGoroutine(); after > before+10 {
			t.Errorf("%d goroutines, before it were %d", after, before)
		}
	})
}

// openBy is open over a network in memory.
func (b *box) openBy(through *http.Client) string {
	b.t.Helper()
	req, err := http.NewRequest("POST", b.URL()+"/ingest/api/v1/source", strings.NewReader(`{"name":"x","type":"none"}`))
	testx.NoError(b.t, err)
	req.Header.Set("Authorization", "Bearer "+testKey)
	req.Header.Set("Content-Type", "application/json")
	resp, err := through.Do(req)
	testx.NoError(b.t, err)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	testx.NoError(b.t, err)
	_, rest, ok := strings.Cut(string(text), `"ingestUrl":"`)
	url, _, _ := strings.Cut(rest, `"`)
	testx.True(b.t, ok, "an ingest URL in "+string(text))
	return url
}

// statusLine is the first line of an answer, or why there is none.
func statusLine(conn net.Conn) string {
	line, err := bufio.NewReader(conn).ReadString('\n')
	if err != nil {
		return err.Error()
	}
	return line
}

// secure is a server that speaks TLS, and how to reach it.
func secure(t *testing.T) (*box, *tls.Config) {
	t.Helper()
	cert, key, pool := writeCertificate(t, t.TempDir(), 1)
	b := &box{start(t, t.TempDir(), map[string]string{"tls-cert": cert, "tls-key": key}), t}
	return b, &tls.Config{RootCAs: pool}
}

func TestResetStreamsLeaveTheOthersAlone(t *testing.T) {
	t.Parallel()
	b, trust := secure(t)
	config := trust.Clone()
	config.NextProtos = []string{"h2"}
	address := strings.TrimPrefix(b.URL(), "https://")
	conn, err := tls.Dial("tcp", address, config)
	testx.NoError(t, err)
	defer conn.Close()
	go io.Copy(io.Discard, conn)
	_, err = io.WriteString(conn, http2.ClientPreface)
	testx.NoError(t, err)
	var block bytes.Buffer
	enc := hpack.NewEncoder(&block)
	for _, f := range [][2]string{{":method", "POST"}, {":scheme", "https"}, {":authority", "x"}, {":path", "/in/0123456789abcdef"}} {
		testx.NoError(t, enc.WriteField(hpack.HeaderField{Name: f[0], Value: f[1]}))
	}
	frames := http2.NewFramer(conn, nil)
	testx.NoError(t, frames.WriteSettings())
	for i := range uint32(10_000) {
		if frames.WriteHeaders(http2.HeadersFrameParam{StreamID: 2*i + 1, BlockFragment: block.Bytes(), EndHeaders: true}) != nil ||
			frames.WriteRSTStream(2*i+1, http2.ErrCodeCancel) != nil {
			break // the server has had enough
		}
	}
	other := &http.Client{Transport: &http.Transport{TLSClientConfig: trust, ForceAttemptHTTP2: true}}
	defer other.CloseIdleConnections()
	resp, err := other.Get(b.URL() + "/readyz")
	testx.NoError(t, err)
	resp.Body.Close()
	testx.Equal(t, resp.StatusCode, http.StatusOK)
}

func TestTooLongHeadersOverHTTP2AreRefused(t *testing.T) {
	t.Parallel()
	b, trust := secure(t)
	for name, length := range map[string]int{"a megabyte": 1 << 20, "over the limit": 100 << 10} {
		c := &http.Client{Transport: &http.Transport{TLSClientConfig: trust, ForceAttemptHTTP2: true}}
		req, err := http.NewRequest("POST", b.URL()+"/in/0123456789abcdef", strings.NewReader("{}"))
		testx.NoError(t, err)
		for i := range length / 8000 {
			req.Header.Set(fmt.Sprintf("X-Long-%d", i), strings.Repeat("x", 8000))
		}
		resp, err := c.Do(req)
		if err == nil {
			resp.Body.Close()
			if resp.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
				t.Errorf("%s: %d", name, resp.StatusCode)
			}
		}
		c.CloseIdleConnections()
	}
}
