package sqlite

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
)

// nodesKept is how long a node that has ended is listed and remembered.
const nodesKept = 24 * time.Hour

// RegisterNode implements store.Nodes. The file lock proves that no other
// process lives, so every other node has ended and every lease in the file is free.
func (s *Store) RegisterNode(ctx context.Context, name string, lease time.Duration, now time.Time) (hook.Node, error) {
	var n hook.Node
	err := s.writeWith(ctx, func(w *writer) error {
		if _, err := w.conn.exec(`DELETE FROM nodes WHERE seen <= ? AND name <> ?`, now.Add(-nodesKept), name); err != nil {
			return err
		}
		if _, err := w.conn.exec(`UPDATE nodes SET until = NULL WHERE until IS NOT NULL`); err != nil {
			return err
		}
		if _, err := w.conn.exec(`INSERT INTO nodes (name, epoch, delivers, started, seen, until) VALUES (?1, 1, 0, ?2, ?2, ?3)
		  ON CONFLICT (name) DO UPDATE SET epoch = epoch + 1, delivers = 0, started = ?2, seen = ?2, until = ?3`,
			name, now, now.Add(lease)); err != nil {
			return err
		}
		if _, err := w.conn.one(ctx, `SELECT id, epoch FROM nodes WHERE name = ?`, []any{name}, func(r *row) error {
			n = hook.Node{ID: r.int(0), Epoch: r.int(1)}
			return nil
		}); err != nil {
			return err
		}
		return w.freeLeases(now)
	})
	if err == nil {
		s.life.begin(n, now, now.Add(lease))
	}
	return n, err
}

// backInLane is the part of an UPDATE that takes a delivery whose attempt was
// not made out of the hands of a node. A resend that was asked for meanwhile
// comes first, and the attempt that was not made is the automatic one after it.
// ?1 is when a delivery leased at accept is due, ?2 hook.ReasonReleased.
const backInLane = `node = NULL, epoch = NULL, due = coalesce(due, ?1),
    reason = CASE state WHEN 1 THEN ?2 ELSE reason END, state = CASE state WHEN 1 THEN 0 ELSE state END,
    auto_due = CASE WHEN again = 1 AND manual = 0 THEN coalesce(due, ?1) ELSE auto_due END,
    lane = max(lane, again), manual = max(manual, again), again = 0`

// freeLeases makes every leased delivery due: claimed ones again at their time,
// those leased at accept at now, in the lane they were in.
func (w *writer) freeLeases(now time.Time) error {
	if _, err := w.conn.exec(`UPDATE deliveries SET `+backInLane+`, updated = ?3 WHERE due IS NOT NULL AND node IS NOT NULL`,
		now, int(hook.ReasonReleased), now); err != nil {
		return err
	}
	if _, err := w.conn.exec(`UPDATE deliveries SET `+backInLane+`, updated = ?3 WHERE message >= ?4 AND node IS NOT NULL`,
		now, int(hook.ReasonReleased), now, w.savedOpen); err != nil {
		return err
	}
	w.open.free()
	for ref := range w.again {
		w.againEnded = append(w.againEnded, ref)
	}
	clear(w.again)
	return nil
}

// life is what the node that has the file has said since it registered. It is not
// written with each beat, which would flush to disk twice a second on an idle
// machine: whoever opens the file next knows that the node has ended.
type life struct {
	mu       sync.Mutex // guards the rest
	node     hook.Node  // zero: none, or it has left
	seen     time.Time
	written  time.Time // the time on disk
	until    time.Time
	delivers bool
}

// beatsWritten is how often a beat is written all the same, for the list of nodes.
const beatsWritten = time.Hour

func (l *life) begin(n hook.Node, now, until time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.node, l.seen, l.written, l.until, l.delivers = n, now, now, until, false
}

func (l *life) end(n hook.Node) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.node == n {
		l.node = hook.Node{}
	}
}

// complete fills in what the file does not have of a node.
func (l *life) complete(n *hook.NodeInfo, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if n.Node == l.node {
		n.Seen, n.Delivers, n.Alive = l.seen, l.delivers, l.until.After(now)
	}
}

// Beat implements store.Nodes. The node that registered last has the file to
// itself, however late it beats; so it is the leader, and there is nobody who
// could have news for it or take its signals.
func (s *Store) Beat(ctx context.Context, b hook.Beat) (hook.Pulse, error) {
	if s.closed.Load() {
		return hook.Pulse{}, hook.Unavailable(errors.New("the store is closed"))
	}
	known, write := s.life.beat(&b)
	if !known {
		return hook.Pulse{Lost: true}, nil
	}
	p := hook.Pulse{Leader: true}
	if b.Delivers {
		p.Delivering = 1
	}
	if !write {
		return p, nil
	}
	return p, s.write(ctx, func(c *conn) error {
		_, err := c.exec(`UPDATE nodes SET seen = ? WHERE id = ? AND epoch = ? AND until IS NOT NULL`, b.Now, b.Node.ID, b.Node.Epoch)
		return err
	})
}

// beat notes a beat of the node. It reports whether the node is the one that has
// the file, and whether the beat is to be written.
func (l *life) beat(b *hook.Beat) (known, write bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if b.Node != l.node || b.Node == (hook.Node{}) {
		return false, false
	}
	l.seen, l.until, l.delivers = b.Now, b.Now.Add(b.Lease), b.Delivers
	if write = b.Now.Sub(l.written).Abs() >= beatsWritten; write {
		l.written = b.Now
	}
	return true, write
}

// LeaveNode implements store.Nodes.
func (s *Store) LeaveNode(ctx context.Context, n hook.Node, now time.Time) error {
	err := s.write(ctx, func(c *conn) error {
		_, err := c.exec(`UPDATE nodes SET seen = ?, until = NULL WHERE id = ? AND epoch = ? AND until IS NOT NULL`, now, n.ID, n.Epoch)
		return err
	})
	if err == nil {
		s.life.end(n)
	}
	return err
}

// Rescue implements store.Nodes. There is never anything to do: what a node had
// leased is free as soon as the next one registers, and until then nobody else
// could send it.
func (s *Store) Rescue(context.Context, time.Time) (hook.Rescued, error) { return hook.Rescued{}, nil }

// ListNodes implements store.Nodes.
func (s *Store) ListNodes(ctx context.Context, now time.Time) ([]hook.NodeInfo, error) {
	var out []hook.NodeInfo
	err := s.read(ctx, func(ctx context.Context, c *conn) error {
		return c.query(ctx, `SELECT id, epoch, name, delivers, started, seen, until FROM nodes WHERE seen > ?`,
			[]any{now.Add(-nodesKept)}, func(r *row) error {
				n := hook.NodeInfo{
					Node: hook.Node{ID: r.int(0), Epoch: r.int(1)}, Name: r.text(2), Delivers: r.bool(3),
					Started: r.time(4), Seen: r.time(5), Alive: r.time(6).After(now),
				}
				s.life.complete(&n, now)
				out = append(out, n)
				return nil
			})
	})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(out, func(a, b hook.NodeInfo) int { return -compareStarts(a, b) })
	return out, nil
}

// compareStarts orders nodes by when they registered.
func compareStarts(a, b hook.NodeInfo) int {
	return cmp.Or(a.Started.Compare(b.Started), cmp.Compare(a.ID, b.ID))
}
