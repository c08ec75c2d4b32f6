package deliver_test

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/grapnelhq/grapnel/internal/deliver"
	"github.com/grapnelhq/grapnel/internal/hook"
	"github.com/grapnelhq/grapnel/internal/store"
)

// BenchmarkEngine publishes from many callers at once, each waiting for its
// answer, to one endpoint that answers at once. One round is an event accepted,
// sent and recorded.
func BenchmarkEngine(b *testing.B) {
	for _, callers := range []int{64, 256} {
		b.Run(fmt.Sprintf("callers=%d", callers), func(b *testing.B) { benchmarkEngine(b, callers) })
	}
}

func benchmarkEngine(b *testing.B, callers int) {
	s := newBench(b)
	s.start()
	var n atomic.Int64
	var wg sync.WaitGroup
	for range callers {
		wg.Go(func() {
			for n.Add(1) <= int64(b.N) {
				if _, err := s.engine.Accept(b.Context(), s.events(1)); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	s.finish()
}

// BenchmarkBacklog drains deliveries that were due before the start, of one
// endpoint or of many.
func BenchmarkBacklog(b *testing.B) {
	for _, endpoints := range []int{1, 1000} {
		b.Run(fmt.Sprintf("endpoints=%d", endpoints), func(b *testing.B) {
			s := newBench(b)
			for i := 1; i < endpoints; i++ {
				s.newEndpoint()
			}
			for left := b.N; left > 0; {
				events := s.events(min(left, 1000))
				for i := range events {
					events[i].Only = s.endpoints[(left-i)%len(s.endpoints)]
				}
				left -= len(events)
				if _, err := s.store.Accept(b.Context(), hook.Node{}, noPlace{}, time.Now(), events); err != nil {
					b.Fatal(err)
				}
			}
			s.start()
			s.finish()
		})
	}
}

// bench is an engine on a real store that writes to disk.
type bench struct {
	*testing.B
	store     realStore
	env, app  hook.ID
	endpoints []hook.ID
	engine    *deliver.Engine
	body      []byte
	claimed   atomic.Int64
	settled   atomic.Int64
	done      chan struct{} // the observer of the last settled attempt closes it
	stop      context.CancelFunc
	ended     chan error // Run's result
	before    syscall.Rusage
}

func newBench(b *testing.B) *bench {
	b.ReportAllocs()
	db, err := store.Open(b.Context(), "sqlite:"+filepath.Join(b.TempDir(), "bench.db"), store.Options{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { db.Close() })
	now := time.Now()
	s := &bench{
		B: b, store: db, env: hook.NewID(now), app: hook.NewID(now),
		body: make([]byte, 1024), done: make(chan struct{}), ended: make(chan error, 1),
	}
	err = db.CreateEnvironment(b.Context(), &hook.Environment{ID: s.env, CreatedAt: now})
	if err == nil {
		_, _, err = db.CreateApplication(b.Context(), &hook.Application{ID: s.app, Env: s.env, CreatedAt: now, UpdatedAt: now}, nil)
	}
	if err != nil {
		b.Fatal(err)
	}
	s.newEndpoint()
	node, err := db.RegisterNode(b.Context(), "bench", time.Hour, now)
	if err != nil {
		b.Fatal(err)
	}
	s.engine = deliver.New(deliver.Options{Store: db, Now: time.Now, Send: answer, Observer: deliver.Observer{
		Claim: func(n int, _ time.Duration) { s.claimed.Add(int64(n)) },
		Settle: func(n int, _ time.Duration) {
			if s.settled.Add(int64(n)) == int64(b.N) {
				close(s.done)
			}
		},
	}})
	s.engine.Join(node)
	return s
}

func answer(context.Context, *hook.Lease) hook.Attempt {
	deepStack(40)
	return hook.Attempt{
		URL: "https://example.com/hook", Outcome: hook.Outcome{Status: 200},
		ResponseHeaders: []byte(`{}`), RequestHeaders: []byte(`{}`),
	}
}

func (s *bench) newEndpoint() {
	now := time.Now()
	e, _, err := s.store.CreateEndpoint(s.Context(), &hook.Endpoint{
		ID: hook.NewID(now), App: s.app, Env: s.env, CreatedAt: now, UpdatedAt: now,
	}, 0, nil)
	if err != nil {
		s.Fatal(err)
	}
	s.endpoints = append(s.endpoints, e.ID)
}

func (s *bench) events(n int) []hook.NewEvent {
	events := make([]hook.NewEvent, n)
	now := time.Now()
	for i := range events {
		events[i].Message = hook.Message{
			ID: hook.NewID(now), App: s.app, Env: s.env, EventType: "bench.made",
			ContentType: "application/json", Body: s.body, CreatedAt: now,
		}
	}
	return events
}

func (s *bench) start() {
	ctx, stop := context.WithCancel(s.Context())
	s.stop = stop
	syscall.Getrusage(syscall.RUSAGE_SELF, &s.before)
	s.ResetTimer()
	go func() { s.ended <- s.engine.Run(ctx) }()
	for s.engine.Hold(hook.ID{}).Hold == hook.HeldNoNode {
		time.Sleep(100 * time.Microsecond)
	}
}

func (s *bench) finish() {
	<-s.done
	s.StopTimer()
	var after syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &after)
	cpu := time.Duration(after.Utime.Nano() + after.Stime.Nano() - s.before.Utime.Nano() - s.before.Stime.Nano())
	s.ReportMetric(float64(cpu.Microseconds())/float64(s.N), "cpu-µs/op")
	s.ReportMetric(float64(s.claimed.Load())/float64(s.N), "claimed/op")
	s.stop()
	if err := <-s.ended; err != nil {
		s.Fatal(err)
	}
}

// deepStack uses about 150 bytes of stack per level, as a request would.
func deepStack(levels int) byte {
	var frame [128]byte
	frame[levels] = byte(levels)
	if levels == 0 {
		return frame[0]
	}
	return deepStack(levels-1) + frame[levels]
}
