package server

import (
	"context"
	"os"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/grapnelhq/grapnel/internal/hook"
	"github.com/grapnelhq/grapnel/internal/node"
)

// looked is something that is read from the store when somebody looks, at most once
// a second, for a scrape must not cost more than the traffic. If the read fails the
// last one counts.
type looked[T any] struct {
	read    func(context.Context) (T, error)
	elapsed func() time.Duration

	mu    sync.Mutex // guards what follows
	known bool
	at    time.Duration
	value T
}

// lookTimeout bounds the read.
const lookTimeout = 2 * time.Second

func (l *looked[T]) get() T {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.elapsed()
	if l.known && now-l.at < time.Second {
		return l.value
	}
	ctx, cancel := context.WithTimeout(context.Background(), lookTimeout)
	defer cancel()
	if value, err := l.read(ctx); err == nil {
		l.value, l.at, l.known = value, now, true
	}
	return l.value
}

// sized is a store that can say how large it is; one in a file need not.
type sized interface {
	Size(ctx context.Context) (bytes int64, err error)
}

// watchStore adds what is read from the store.
func (m *metrics) watchStore(s *Server) {
	m.watchQueue(s)
	m.watchNodes(s)
	if st, ok := s.store.(sized); ok {
		size := &looked[int64]{read: st.Size, elapsed: s.elapsed}
		m.databaseBytes("data", func() float64 { return float64(size.get()) })
		return
	}
	path := s.cfg.SQLitePath()
	if path == "" {
		return
	}
	for kind, file := range map[string]string{"data": path, "log": path + "-wal"} {
		m.databaseBytes(kind, func() float64 {
			info, err := os.Stat(file)
			if err != nil {
				return 0
			}
			return float64(info.Size())
		})
	}
}

func (m *metrics) databaseBytes(file string, read func() float64) {
	m.gauge("grapnel_database_bytes", "Size of the database.", prometheus.Labels{"file": file}, read)
}

func (m *metrics) watchQueue(s *Server) {
	queue := &looked[hook.QueueStats]{elapsed: s.elapsed, read: func(ctx context.Context) (hook.QueueStats, error) {
		return s.store.QueueStats(ctx, s.now())
	}}
	m.gauge("grapnel_queue_due", "Deliveries that wait for an attempt, counted up to a bound.", nil,
		func() float64 { return float64(queue.get().Due) })
	m.gauge("grapnel_queue_oldest_due_seconds", "For how long the oldest delivery that is due has been waiting.", nil, func() float64 {
		oldest := queue.get().OldestDue
		if oldest.IsZero() {
			return 0
		}
		return max(s.now().Sub(oldest).Seconds(), 0)
	})
}

// watchNodes adds what the store knows of all nodes.
func (m *metrics) watchNodes(s *Server) {
	nodes := &looked[[]hook.NodeInfo]{elapsed: s.elapsed, read: func(ctx context.Context) ([]hook.NodeInfo, error) {
		return s.store.ListNodes(ctx, s.now())
	}}
	for state, counts := range map[string]func(hook.NodeInfo) bool{
		"alive":      func(n hook.NodeInfo) bool { return n.Alive },
		"delivering": func(n hook.NodeInfo) bool { return n.Alive && n.Delivers },
	} {
		m.gauge("grapnel_nodes", "Nodes on the store that are alive, and those of them that deliver.", prometheus.Labels{"state": state}, func() float64 {
			sum := 0
			for _, n := range nodes.get() {
				if counts(n) {
					sum++
				}
			}
			return float64(sum)
		})
	}
}

// watchNode adds what this node knows of itself.
func (m *metrics) watchNode(k *node.Keeper) {
	m.gauge("grapnel_leader", "Whether this node does the chores for all: 1 or 0.", nil, func() float64 { return oneIf(k.Leads()) })
	m.gauge("grapnel_lease_fresh", "Whether this node has renewed its lease in time and may send: 1 or 0.", nil, func() float64 { return oneIf(k.Fresh()) })
}

func oneIf(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}
