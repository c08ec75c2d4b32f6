package main

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// forwarder is the least a Go webhook sender can do: accept, sign, post on.
// It stores nothing, so what it reaches is the ceiling for net/http here. A
// POST to /A goes to the endpoints of application A as a plan numbers them.
type forwarder struct {
	to        string // base URL of the sink
	endpoints int    // of each application
	async     bool   // answer before the delivery
	client    *http.Client
	jobs      chan job // sent by ServeHTTP, received by the workers
}

type job struct {
	url  string
	body []byte
}

func cmdLimit(ctx context.Context, args []string) error {
	f := &forwarder{}
	fs := flag.NewFlagSet("limit", flag.ContinueOnError)
	addr := fs.String("addr", "127.0.0.1:18800", "listen address")
	fs.StringVar(&f.to, "to", "http://127.0.0.1:18900", "base URL of the sink")
	fs.IntVar(&f.endpoints, "endpoints", 1, "endpoints each event goes to")
	fs.BoolVar(&f.async, "async", true, "answer before the delivery")
	workers := fs.Int("workers", 64, "concurrent deliveries")
	depth := fs.Int("queue", 100000, "deliveries held in memory")
	if err := fs.Parse(args); err != nil {
		return fmt.Errorf("flags: %w", err)
	}
	f.client = &http.Client{Timeout: 10 * time.Second, Transport: tunedTransport(*workers)}
	f.jobs = make(chan job, *depth)
	for range *workers {
		go func() {
			for j := range f.jobs {
				f.post(j)
			}
		}()
	}
	srv, err := serveOn(ctx, *addr, f)
	if err != nil {
		return err
	}
	<-ctx.Done()
	return srv.Close()
}

func (f *forwarder) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodGet {
		return // 200: it is up
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, 16<<20))
	app, err2 := strconv.Atoi(strings.TrimPrefix(r.URL.Path, "/"))
	if err != nil || err2 != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	for i := app * f.endpoints; i < (app+1)*f.endpoints; i++ {
		j := job{f.to + hookPath + strconv.Itoa(i), body}
		if f.async {
			f.jobs <- j
		} else {
			f.post(j)
		}
	}
	w.WriteHeader(http.StatusAccepted)
}

var limitSecret = []byte("not-a-real-secret")

func (f *forwarder) post(j job) {
	mac := hmac.New(sha256.New, limitSecret)
	mac.Write(j.body)
	req, err := http.NewRequestWithContext(context.Background(), http.MethodPost, j.url, bytes.NewReader(j.body))
	if err != nil {
		log.Print(err)
		return
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-Signature", hex.EncodeToString(mac.Sum(nil)))
	resp, err := f.client.Do(req)
	if err != nil {
		log.Print(err)
		return
	}
	finish(resp)
}

// finish reads an answer to its end, so that the connection is used again.
func finish(resp *http.Response) {
	_, _ = io.Copy(io.Discard, resp.Body) // a cut answer only costs a connection
	_ = resp.Body.Close()
}

func tunedTransport(conns int) *http.Transport {
	return &http.Transport{
		DialContext:         (&net.Dialer{Timeout: 5 * time.Second}).DialContext,
		MaxIdleConns:        4 * conns,
		MaxIdleConnsPerHost: conns,
		IdleConnTimeout:     90 * time.Second,
		DisableCompression:  true,
	}
}
