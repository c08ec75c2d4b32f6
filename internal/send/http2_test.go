package send_test

import (
	"crypto/tls"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/grapnelhq/grapnel/internal/hook"
	"github.com/grapnelhq/grapnel/internal/send"
)

// frames runs a hostile HTTP/2 server: act gets the framer once the connection is
// set up, and is called for every request.
func frames(t *testing.T, ca *authority, act func(f *http2.Framer, stream uint32) (more bool)) *peer {
	t.Helper()
	config := &tls.Config{Certificates: []tls.Certificate{ca.issue(t, nil)}, NextProtos: []string{"h2"}}
	return newPeer(t, func(p *peer, c *peerConn) {
		secured := tls.Server(c.Conn, config)
		preface := make([]byte, len(http2.ClientPreface))
		if _, err := readFull(secured, preface); err != nil {
			return
		}
		f := http2.NewFramer(secured, secured)
		f.WriteSettings()
		for {
			frame, err := f.ReadFrame()
			if err != nil {
				return
			}
			switch frame := frame.(type) {
			case *http2.SettingsFrame:
				if !frame.IsAck() {
					f.WriteSettingsAck()
				}
			case *http2.HeadersFrame:
				p.requests.Add(1)
				if !act(f, frame.StreamID) {
					return
				}
			}
		}
	})
}

func readFull(c *tls.Conn, p []byte) (n int, err error) {
	for n < len(p) && err == nil {
		var m int
		m, err = c.Read(p[n:])
		n += m
	}
	return n, err
}

// head encodes a header block.
func head(fields ...string) []byte {
	var b strings.Builder
	e := hpack.NewEncoder(&b)
	for i := 0; i < len(fields); i += 2 {
		e.WriteField(hpack.HeaderField{Name: fields[i], Value: fields[i+1]})
	}
	return []byte(b.String())
}

func TestHostileHTTP2ServersAreClassified(t *testing.T) {
	ca := newAuthority(t)
	for name, row := range map[string]struct {
		act     func(f *http2.Framer, stream uint32) bool
		classes []hook.Class
		status  int
	}{
		"X112 GOAWAY on every request": {func(f *http2.Framer, _ uint32) bool {
			f.WriteGoAway(0, http2.ErrCodeNo, nil)
			return true
		}, []hook.Class{hook.FailProtocol, hook.FailBody, hook.FailTimeout}, 0},
		"X112 GOAWAY with an error": {func(f *http2.Framer, _ uint32) bool {
			f.WriteGoAway(0, http2.ErrCodeEnhanceYourCalm, []byte("too_many_pings"))
			return true
		}, []hook.Class{hook.FailProtocol, hook.FailBody, hook.FailTimeout}, 0},
		"X112 RST_STREAM on every request": {func(f *http2.Framer, stream uint32) bool {
			f.WriteRSTStream(stream, http2.ErrCodeInternal)
			return true
		}, []hook.Class{hook.FailProtocol}, 0},
		"X112 refused streams": {func(f *http2.Framer, stream uint32) bool {
			f.WriteRSTStream(stream, http2.ErrCodeRefusedStream)
			return true
		}, []hook.Class{hook.FailProtocol, hook.FailTimeout}, 0},
		"X112 flood of SETTINGS": {func(f *http2.Framer, _ uint32) bool {
			for {
				if f.WriteSettings(http2.Setting{ID: http2.SettingMaxFrameSize, Val: 1 << 20}) != nil {
					return false
				}
			}
		}, []hook.Class{hook.FailProtocol, hook.FailBody, hook.FailTimeout}, 0},
		"X112 header block that cannot be decoded": {func(f *http2.Framer, stream uint32) bool {
			f.WriteHeaders(http2.HeadersFrameParam{StreamID: stream, BlockFragment: []byte{0xff, 0xff, 0xff}, EndHeaders: true})
			return true
		}, []hook.Class{hook.FailProtocol}, 0},
		"X106 interim answers without end": {func(f *http2.Framer, stream uint32) bool {
			block := head(":status", "103", "x", strings.Repeat("y", 1000))
			for {
				if f.WriteHeaders(http2.HeadersFrameParam{StreamID: stream, BlockFragment: block, EndHeaders: true}) != nil {
					return false
				}
			}
		}, []hook.Class{hook.FailProtocol}, 0},
		"X106 status 999": {func(f *http2.Framer, stream uint32) bool {
			f.WriteHeaders(http2.HeadersFrameParam{StreamID: stream, BlockFragment: head(":status", "999"), EndHeaders: true, EndStream: true})
			return true
		}, []hook.Class{hook.FailProtocol}, 999},
		"X107 reset after the header": {func(f *http2.Framer, stream uint32) bool {
			f.WriteHeaders(http2.HeadersFrameParam{StreamID: stream, BlockFragment: head(":status", "200"), EndHeaders: true})
			f.WriteRSTStream(stream, http2.ErrCodeInternal)
			return true
		}, []hook.Class{hook.Success}, 200},
		"X113 header of 1 MiB": {func(f *http2.Framer, stream uint32) bool {
			block := head(":status", "200", "x", strings.Repeat("\x01", 1<<20))
			f.WriteHeaders(http2.HeadersFrameParam{StreamID: stream, BlockFragment: block[:16<<10]})
			for block = block[16<<10:]; len(block) > 0 && f.WriteContinuation(stream, len(block) <= 16<<10, block[:min(16<<10, len(block))]) == nil; {
				block = block[min(16<<10, len(block)):]
			}
			return true
		}, []hook.Class{hook.FailProtocol, hook.FailBody}, 0},
		"X104 never answers": {func(*http2.Framer, uint32) bool { return true }, []hook.Class{hook.FailTimeout}, 0},
		"F23 closes":         {func(*http2.Framer, uint32) bool { return false }, []hook.Class{hook.FailBody}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := frames(t, ca, row.act)
			s := newSender(t, func(o *send.Options) {
				o.TLS = &tls.Config{RootCAs: ca.pool}
				o.Timeouts.Total = time.Second
			})
			l, _ := lease(strings.Replace(p.url(), "http:", "https:", 1), []byte("{}"))
			a := s.Post(t.Context(), l)
			fits := false
			for _, class := range row.classes {
				fits = fits || a.Outcome.Class == class
			}
			if !fits || a.Outcome.Status != row.status {
				t.Errorf("outcome is %+v, want one of %v with %d", a.Outcome, row.classes, row.status)
			}
			t.Logf("%v: %d requests, %s", a.Outcome.Class, p.requests.Load(), a.Outcome.Detail)
			if n := p.requests.Load(); n > 3 {
				t.Errorf("made %d requests", n)
			}
		})
	}
}
