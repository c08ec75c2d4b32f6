package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// loader sends events and notes what the target acknowledged.
type loader struct {
	ad     adapter
	client *http.Client
	plan   plan
	run    string
	size   int   // payload bytes
	max    int64 // most events
	sdk    bool  // send the headers that SDKs send

	next     atomic.Int64 // first event nobody has taken
	sent     atomic.Int64
	rejected atomic.Int64

	mu         sync.Mutex // guards all below
	accepted   int64
	due        int64 // deliveries that the accepted events must cause
	latency    []int64
	lag        []int64
	acked      bitset
	firstError string
}

// progress returns the acknowledged events, how many they are and the
// deliveries they must cause.
func (l *loader) progress() (acked bitset, accepted, due int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.acked), l.accepted, l.due
}

// send posts the next request; lag is how late, in ns. It reports whether the
// target took it.
func (l *loader) send(ctx context.Context, lag int64) bool {
	batch := int64(l.plan.Batch)
	first := l.next.Add(batch) - batch
	n := min(batch, l.max-first)
	if n <= 0 {
		return true
	}
	l.sent.Add(n)
	start := now()
	events := make([]event, n)
	for i := range events {
		seq := first + int64(i)
		events[i] = event{l.run + "-" + strconv.FormatInt(seq, 10), payload(l.run, seq, start, l.size)}
	}
	accepted, refusal, err := l.exchange(ctx, l.plan.app(first), events)
	took := now() - start

	l.mu.Lock()
	defer l.mu.Unlock()
	if err != nil {
		refusal = err.Error()
		accepted = make([]bool, n)
	} else {
		l.latency = append(l.latency, took)
		l.lag = append(l.lag, lag)
	}
	if l.firstError == "" {
		l.firstError = refusal
	}
	for seq := first; seq < first+n; seq++ {
		if len(accepted) > 0 && !accepted[seq-first] {
			l.rejected.Add(1)
			continue
		}
		l.accepted++
		l.due += l.plan.due(seq)
		l.acked.add(seq)
	}
	return err == nil
}

func (l *loader) exchange(ctx context.Context, app int, events []event) (accepted []bool, refusal string, err error) {
	req, err := l.ad.publish(ctx, app, events)
	if err != nil {
		return nil, "", err
	}
	if l.sdk {
		addSDKHeaders(req.Header)
	}
	resp, err := l.client.Do(req)
	if err != nil {
		return nil, "", err
	}
	defer finish(resp)
	return readAnswer(resp, len(events))
}

// addSDKHeaders adds what every SDK sends with each POST: a key against
// doubles that it made up itself, and the number of the request.
func addSDKHeaders(h http.Header) {
	hi, lo := rand.Uint64(), rand.Uint64()
	hi = hi&^0xf000 | 0x4000     // version 4
	lo = lo&^(0x3<<62) | 0x2<<62 // variant of RFC 9562
	h.Set("Idempotency-Key", fmt.Sprintf("auto_%08x-%04x-%04x-%04x-%012x", hi>>32, hi>>16&0xffff, hi&0xffff, lo>>48, lo&(1<<48-1)))
	h.Set("Svix-Req-Id", strconv.FormatUint(rand.Uint64(), 10))
}

// closed keeps conns requests in flight for d, or until max events are sent.
func (l *loader) closed(ctx context.Context, conns int, d time.Duration) {
	end := time.Now().Add(d)
	var wg sync.WaitGroup
	for range conns {
		wg.Go(func() {
			for time.Now().Before(end) && ctx.Err() == nil && l.next.Load() < l.max {
				if !l.send(ctx, 0) {
					time.Sleep(5 * time.Millisecond) // do not spin on a target that is down
				}
			}
		})
	}
	wg.Wait()
}

// open sends rate events a second for d, however slow the answers are.
func (l *loader) open(ctx context.Context, rate float64, d time.Duration) {
	batch := float64(l.plan.Batch)
	n := int(min(rate*d.Seconds(), float64(l.max)) / batch)
	gap := float64(time.Second) * batch / rate
	start := time.Now()
	places := make(chan struct{}, 2048)
	var wg sync.WaitGroup
	for i := range n {
		due := start.Add(time.Duration(float64(i) * gap))
		time.Sleep(time.Until(due))
		if ctx.Err() != nil {
			break
		}
		places <- struct{}{}
		wg.Go(func() {
			l.send(ctx, int64(time.Since(due)))
			<-places
		})
	}
	wg.Wait()
}
