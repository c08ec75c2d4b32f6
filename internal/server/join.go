package server

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"time"

	"github.com/grapnelhq/grapnel/internal/node"
	"github.com/grapnelhq/grapnel/internal/trace"
)

// join makes this process one of the nodes on the store. From here on the clock is
// the one that all of them go by.
func (s *Server) join(ctx context.Context) error {
	name := nodeName()
	k := node.New(node.Options{
		Store: s.store, Name: name, Delivers: s.cfg.Role.Delivers(),
		Heartbeat: s.cfg.Heartbeat, Lease: s.cfg.NodeLease, Elapsed: s.elapsed, Clock: s.clock, Log: s.log,
	})
	if err := k.Start(ctx); err != nil {
		return err
	}
	s.keeper, s.nodeName = k, name
	s.metrics.watchNode(k)
	s.traces = trace.New(ctx, trace.Options{Version: s.version, Node: name, Log: s.log})
	s.metrics.watchTraces(s.traces)
	return nil
}

// nodeName tells this process from every other: two with one name would take each
// other's deliveries. Neither hosts nor process ids are unique among containers.
func nodeName() string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	return fmt.Sprintf("%s:%d:%s", host, os.Getpid(), rand.Text()[:8])
}

const (
	// environmentWait is how long a node leaves it to the leader to make the first
	// environment, and environmentLook how often it looks.
	environmentWait = 5 * time.Second
	environmentLook = 100 * time.Millisecond
)

// awaitEnvironment waits until there is an environment or this node may make one:
// nodes that start together on an empty database must not make one each.
func (s *Server) awaitEnvironment(ctx context.Context) error {
	tick := time.NewTicker(environmentLook)
	defer tick.Stop()
	began := s.elapsed()
	for !s.keeper.Leads() && s.elapsed()-began < environmentWait {
		envs, err := s.store.ListEnvironments(ctx)
		if err != nil || len(envs) > 0 {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// leave ends this node, unless its engine still has deliveries: then they are
// taken over when the lease has run out.
func (s *Server) leave(ctx context.Context) {
	if s.keeper == nil {
		return
	}
	if s.engine != nil {
		if left := s.engine.Stats(); left.Leased+left.Unsettled > 0 {
			return
		}
	}
	if err := s.keeper.Leave(ctx); err != nil {
		s.log.WarnContext(ctx, "the other nodes will find out that this one has ended when its lease runs out", "error", err)
	}
}
