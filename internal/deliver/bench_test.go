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
	b.ReportAllocs()
	ctx := b.Context()
	s, err := store.Open(ctx, "sqlite:"+filepath.Join(b.TempDir(), "bench.db"), store.Options{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	now := time.Now()
	env, app := hook.NewID(now), hook.NewID(now)
	if err := s.CreateEnvironment(ctx, &hook.Environment{ID: env, CreatedAt: now}); err != nil {
		b.Fatal(err)
	}
	if _, _, err := s.CreateApplication(ctx, &hook.Application{ID: app, Env: env, CreatedAt: now, UpdatedAt: now}, nil); err != nil {
		b.Fatal(err)
	}
	if _, _, err := s.CreateEndpoint(ctx, &hook.Endpoint{ID: hook.NewID(now), App: app, Env: env, CreatedAt: now, UpdatedAt: now}, 0, nil); err != nil {
		b.Fatal(err)
	}
	var claimed atomic.Int64
	done := make(chan struct{}) // the observer of the last settled attempt closes it
	var settled atomic.Int64
	engine := deliver.New(deliver.Options{
		Store: s,
		Now:   time.Now,
		Send: func(context.Context, *hook.Lease) hook.Attempt {
			deepStack(40)
			return hook.Attempt{URL: "https://example.com/hook", Outcome: hook.Outcome{Status: 200}, ResponseHeaders: []byte(`{}`), RequestHeaders: []byte(`{}`)}
		},
		Observer: deliver.Observer{
			Claim: func(n int, _ time.Duration) { claimed.Add(int64(n)) },
			Settle: func(n int, _ time.Duration) {
				if settled.Add(int64(n)) >= int64(b.N) {
					close(done)
				}
			},
		},
	})
	runCtx, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- engine.Run(runCtx) }()
	for engine.Hold(hook.ID{}).Hold == hook.HeldNoNode {
		time.Sleep(time.Millisecond)
	}
	body := make([]byte, 1024)
	var before, after syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &before)
	b.ResetTimer()
	var n atomic.Int64
	var wg sync.WaitGroup
	for range callers {
		wg.Go(func() {
			for n.Add(1) <= int64(b.N) {
				t := time.Now()
				if _, err := engine.Accept(ctx, []hook.NewEvent{{Message: hook.Message{
					ID: hook.NewID(t), App: app, Env: env, EventType: "bench.made", ContentType: "application/json", Body: body, CreatedAt: t,
				}}}); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	<-done
	b.StopTimer()
	syscall.Getrusage(syscall.RUSAGE_SELF, &after)
	cpu := time.Duration(after.Utime.Nano() + after.Stime.Nano() - before.Utime.Nano() - before.Stime.Nano())
	b.ReportMetric(float64(cpu.Microseconds())/float64(b.N), "cpu-µs/op")
	b.ReportMetric(float64(claimed.Load())/float64(b.N), "claimed/op")
	stop()
	if err := <-ended; err != nil {
		b.Fatal(err)
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
