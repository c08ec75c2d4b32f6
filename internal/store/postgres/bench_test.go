package postgres_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
	"github.com/grapnelhq/grapnel/internal/store/postgres"
	"github.com/jackc/pgx/v5"
)

// fill is how many messages, each with a delivery and an attempt, are stored
// before the benchmarks of steps begin.
var fill = flag.Int("postgres.fill", 1000, "messages that are stored before the benchmarks begin")

// benchmark is a database with an application, an endpoint and many messages.
type benchmark struct {
	*testing.B
	store    *postgres.Store
	node     hook.Node
	env, app hook.ID
	endpoint hook.ID
	now      time.Time
}

func newBenchmark(b *testing.B) *benchmark {
	b.Helper()
	name := fmt.Sprintf("bench_%d", databases.Add(1))
	url := cluster.URL(name)
	if err := cluster.Run(b.Context(), "postgres", "CREATE DATABASE "+name+" TEMPLATE "+template); err != nil {
		b.Fatal(err)
	}
	s, err := postgres.Open(b.Context(), url, suiteOptions())
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { s.Close() })
	bm := &benchmark{B: b, store: s, now: time.Now().UTC()}
	bm.env, bm.app, bm.endpoint = hook.NewID(bm.now), hook.NewID(bm.now), hook.NewID(bm.now)
	bm.must(s.CreateEnvironment(b.Context(), &hook.Environment{ID: bm.env, Name: "bench", CreatedAt: bm.now}))
	_, _, err = s.CreateApplication(b.Context(), &hook.Application{ID: bm.app, Env: bm.env, Name: "a", CreatedAt: bm.now, UpdatedAt: bm.now}, nil)
	bm.must(err)
	_, _, err = s.CreateEndpoint(b.Context(), &hook.Endpoint{
		ID: bm.endpoint, App: bm.app, Env: bm.env, URL: "https://example.com", CreatedAt: bm.now, UpdatedAt: bm.now,
	}, 0, nil)
	bm.must(err)
	bm.node, err = s.RegisterNode(b.Context(), "bench", time.Hour, bm.now)
	bm.must(err)
	bm.fill(url, *fill)
	return bm
}

func (b *benchmark) must(err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

// fill stores delivered messages of the last ten days.
func (b *benchmark) fill(url string, n int) {
	b.Helper()
	const days = 10
	for d := days; d >= 0; d-- { // makes the partitions
		b.accept(1, b.now.AddDate(0, 0, -d), nowhere{})
	}
	for more := true; more; {
		more = b.claimAndSettle(1000, b.now) > 0
	}
	c, err := pgx.Connect(b.Context(), url)
	b.must(err)
	defer c.Close(context.Background())
	const rows = `CREATE TEMP TABLE made AS SELECT
	    (extract(epoch FROM clock_timestamp()) * 1000000)::bigint - ($1 - g)::bigint * ($2::bigint * 86400000000 / $1) AS at,
	    decode(lpad(to_hex((extract(epoch FROM clock_timestamp()) - ($1 - g) * ($2 * 86400.0 / $1))::bigint - 1400000000), 8, '0')
	      || md5(g::text), 'hex') AS id FROM generate_series(1, $1) AS g`
	_, err = c.Exec(b.Context(), rows, pgx.QueryExecModeSimpleProtocol, n, days)
	b.must(err)
	for _, q := range []string{
		`INSERT INTO messages SELECT (SELECT seq FROM applications), id, 1, 3, 'invoice.paid', NULL, NULL, NULL, NULL, 300, at, NULL, NULL,
		  convert_to(repeat('{"amount":1200}', 20), 'UTF8') FROM made`,
		`INSERT INTO deliveries SELECT id, (SELECT seq FROM endpoints), 2, 0, false, false, true, 1, 1, 200, NULL, NULL, NULL, NULL, at FROM made`,
		`INSERT INTO attempts SELECT id, id, (SELECT seq FROM endpoints), 3, 1, false, 0, 200, NULL, 'https://example.com', at, '\x', NULL,
		  '\x', NULL, NULL FROM made`,
		`DROP TABLE made`, `VACUUM ANALYZE`, `CHECKPOINT`,
	} {
		_, err := c.Exec(b.Context(), q)
		b.must(err)
	}
}

// accept stores n events from as many callers.
func (b *benchmark) accept(n int, now time.Time, places hook.Placer) []*hook.Lease {
	b.Helper()
	body := make([]byte, 1024)
	var mu sync.Mutex
	var leases []*hook.Lease
	var all sync.WaitGroup
	for range n {
		all.Go(func() {
			out, err := b.store.Accept(b.Context(), b.node, places, now, []hook.NewEvent{{Message: hook.Message{
				ID: hook.NewID(now), App: b.app, Env: b.env, EventType: "invoice.paid", ContentType: "application/json",
				Body: body, BodySize: len(body), CreatedAt: now,
			}}})
			if err != nil {
				b.Error(err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			leases = append(leases, out[0].Leased...)
		})
	}
	all.Wait()
	return leases
}

func (b *benchmark) settle(leases []*hook.Lease, now time.Time) {
	b.Helper()
	batch := make([]hook.Settlement, len(leases))
	for i, l := range leases {
		batch[i] = hook.Settlement{
			Lease: l, Now: now, Then: hook.Transition{State: hook.Delivered, Step: 1},
			Attempt: hook.Attempt{ID: hook.NewID(now), Message: l.Message.ID, Endpoint: l.Endpoint.ID, Number: l.Number,
				URL: l.Endpoint.URL, Outcome: hook.Outcome{Class: hook.Success, Status: 200}, StartedAt: now},
		}
	}
	out, err := b.store.Settle(b.Context(), batch)
	b.must(err)
	for _, s := range out {
		if s.Lost {
			b.Fatal("a lease was lost")
		}
	}
}

func (b *benchmark) claimAndSettle(most int, now time.Time) int {
	b.Helper()
	lanes, err := b.store.Claim(b.Context(), hook.ClaimRequest{
		Node: b.node, Now: now.Add(time.Minute), MaxBytes: 1 << 30, Lanes: []hook.ClaimLane{{Endpoint: b.endpoint, Max: most}},
	})
	b.must(err)
	if len(lanes[0].Leases) > 0 {
		b.settle(lanes[0].Leases, now)
	}
	return len(lanes[0].Leases)
}

type nowhere struct{}

func (nowhere) Reserve(*hook.Endpoint, int) bool    { return false }
func (nowhere) Unreserve(*hook.Endpoint, int)       {}
func (nowhere) Due(*hook.Endpoint, bool, time.Time) {}

type everywhere struct{ nowhere }

func (everywhere) Reserve(*hook.Endpoint, int) bool { return true }

// stepBatch is how many events the benchmarks take at a time.
const stepBatch = 64

// BenchmarkSteps measures each step of the road, and the lists that a page shows
// first, with -postgres.fill messages stored before.
func BenchmarkSteps(b *testing.B) {
	bm := newBenchmark(b)
	b.Run("accept and settle", func(b *testing.B) {
		one := *bm
		one.B = b
		defer reportCPU(b, cpuSeconds())
		for b.Loop() {
			now := time.Now()
			one.settle(one.accept(stepBatch, now, everywhere{}), now)
		}
	})
	b.Run("accept, claim and settle", func(b *testing.B) {
		one := *bm
		one.B = b
		defer reportCPU(b, cpuSeconds())
		for b.Loop() {
			now := time.Now()
			one.accept(stepBatch, now, nowhere{})
			if n := one.claimAndSettle(stepBatch, now); n != stepBatch {
				b.Fatalf("claimed %d of %d", n, stepBatch)
			}
		}
	})
	for name, list := range bm.lists() {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if err := list(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// reportCPU reports the processor time of an event, of this process and of the
// database.
func reportCPU(b *testing.B, before [2]float64) {
	b.Helper()
	after := cpuSeconds()
	events := float64(b.N * stepBatch)
	b.ReportMetric(1e6*(after[0]-before[0])/events, "own-cpu-µs/event")
	b.ReportMetric(1e6*(after[1]-before[1])/events, "db-cpu-µs/event")
	b.ReportMetric(float64(b.Elapsed().Microseconds())/events, "µs/event")
}

// cpuSeconds gives what this process and those of the database have used so far
// (proc(5): fields 4, 14 and 15 of stat; 100 ticks a second).
func cpuSeconds() (out [2]float64) {
	stats, _ := filepath.Glob("/proc/[0-9]*/stat") // the pattern is right
	for _, path := range stats {
		text, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended
		}
		_, rest, _ := strings.Cut(string(text), ") ")
		f := strings.Fields(rest)
		if len(f) < 13 {
			continue
		}
		parent, _ := strconv.Atoi(f[1])
		user, _ := strconv.ParseFloat(f[11], 64)
		system, _ := strconv.ParseFloat(f[12], 64)
		switch {
		case path == fmt.Sprintf("/proc/%d/stat", os.Getpid()):
			out[0] += (user + system) / 100
		case parent == cluster.PID():
			out[1] += (user + system) / 100
		}
	}
	return out
}

// lists are what pages and metrics ask for.
func (b *benchmark) lists() map[string]func() error {
	ctx, page := b.Context(), hook.Page{Limit: 50}
	return map[string]func() error{
		"list messages": func() error {
			_, err := b.store.ListMessages(ctx, hook.MessageFilter{Env: b.env, App: b.app, Page: page})
			return err
		},
		"list attempts of an endpoint": func() error {
			_, err := b.store.ListAttempts(ctx, hook.AttemptFilter{Env: b.env, App: b.app, Endpoint: b.endpoint, StatusClass: -1, Page: page})
			return err
		},
		"list deliveries of an endpoint": func() error {
			_, err := b.store.ListDeliveries(ctx, hook.DeliveryFilter{Env: b.env, App: b.app, Endpoint: b.endpoint, Page: page})
			return err
		},
		"lanes": func() error {
			_, err := b.store.Lanes(ctx, hook.ID{}, 500)
			return err
		},
		"queue stats": func() error {
			_, err := b.store.QueueStats(ctx, b.now)
			return err
		},
		"read the end of the feed": func() error {
			end, err := b.store.FeedEnd(ctx, hook.FeedAttempts)
			if err != nil {
				return err
			}
			_, err = b.store.ReadFeed(ctx, hook.FeedAttempts, hook.ID{}, end, 100)
			return err
		},
	}
}
