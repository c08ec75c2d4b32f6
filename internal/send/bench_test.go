package send_test

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"testing"

	"github.com/grapnelhq/grapnel/internal/hook"
	"github.com/grapnelhq/grapnel/internal/send"
	"github.com/grapnelhq/grapnel/webhook"
)

// sink answers every POST at once, with as little work as can be.
func sink(b *testing.B) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go swallow(conn)
		}
	}()
	return "http://" + l.Addr().String() + "/hook"
}

func swallow(conn net.Conn) {
	defer conn.Close()
	r := bufio.NewReaderSize(conn, 8192)
	answer := []byte("HTTP/1.1 200 OK\r\nDate: Mon, 04 May 2026 12:00:00 GMT\r\nContent-Length: 2\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nok")
	for {
		size := 0
		for {
			line, err := r.ReadSlice('\n')
			if err != nil {
				return
			}
			if len(line) == 2 {
				break
			}
			if name := []byte("Content-Length: "); bytes.HasPrefix(line, name) {
				for _, c := range bytes.TrimSpace(line[len(name):]) {
					size = 10*size + int(c-'0')
				}
			}
		}
		if _, err := r.Discard(size); err != nil {
			return
		}
		if _, err := conn.Write(answer); err != nil {
			return
		}
	}
}

func BenchmarkPost(b *testing.B) {
	body := bytes.Repeat([]byte("x"), 1024)
	for name, change := range map[string]func(*send.Sender){
		"direct": func(*send.Sender) {}, "standard": (*send.Sender).UseStandard,
	} {
		post := func(b *testing.B, parallel bool) {
			s := newSender(b, nil)
			change(s)
			l, _ := lease(sink(b), body)
			ctx, stop := context.WithCancel(b.Context())
			defer stop()
			one := func() {
				if a := s.Post(ctx, l); a.Outcome.Class != hook.Success {
					b.Error(a.Outcome)
				}
			}
			one()
			b.ReportAllocs()
			b.ResetTimer()
			if !parallel {
				for range b.N {
					one()
				}
				return
			}
			b.SetParallelism(32)
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					one()
				}
			})
		}
		b.Run(name+"/one", func(b *testing.B) { post(b, false) })
		b.Run(name+"/parallel", func(b *testing.B) { post(b, true) })
	}
}

// BenchmarkForwarder is what a plain net/http sender costs, as the yardstick.
func BenchmarkForwarder(b *testing.B) {
	url := sink(b)
	body := bytes.Repeat([]byte("x"), 1024)
	signer, err := webhook.NewSigner(webhook.NewSecret())
	if err != nil {
		b.Fatal(err)
	}
	client := &http.Client{Transport: &http.Transport{MaxIdleConns: 1024, MaxIdleConnsPerHost: 256, DisableCompression: true}}
	defer client.CloseIdleConnections()
	b.ReportAllocs()
	b.SetParallelism(32)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			req, _ := http.NewRequestWithContext(b.Context(), http.MethodPost, url, bytes.NewReader(body))
			req.Header.Set("Content-Type", "application/json")
			signer.SetHeaders(req.Header, "msg_2rVabcdefghijklmnopqrstuvwx", at, body)
			answer, err := client.Do(req)
			if err != nil {
				b.Error(err)
				return
			}
			io.Copy(io.Discard, answer.Body)
			answer.Body.Close()
		}
	})
}
