package postgres

import (
	"context"
	"encoding/hex"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
	"github.com/jackc/pgx/v5"
)

const (
	// hintChannel is the channel of LISTEN and NOTIFY.
	hintChannel = "grapnel_due"
	// hintPause is the rest between two notifications: each takes a lock that all
	// commits of the database wait for.
	hintPause = 50 * time.Millisecond
	// hintLanes is how many lanes are told at a time; the others are found by the
	// nodes when they next look through the lanes.
	hintLanes = 100
	// listenAgain is the rest before listening is tried again.
	listenAgain = time.Second
)

// hints tell other nodes which lanes have new work, and hear it from them. All of
// it may be lost: the nodes look through the lanes by themselves.
type hints struct {
	store *Store

	mu    sync.Mutex // guards lanes
	lanes map[hook.ID]hook.Lane
	some  chan struct{} // tell sends, send receives
}

func newHints(s *Store) *hints {
	return &hints{store: s, lanes: map[hook.ID]hook.Lane{}, some: make(chan struct{}, 1)}
}

func (h *hints) start() {
	h.store.loops.Go(h.send)
	if h.store.opts.OnDue != nil {
		h.store.loops.Go(h.listen)
	}
}

// tell hands over lanes with work that this node leaves to others.
func (h *hints) tell(lanes []hook.Lane) {
	if len(lanes) == 0 {
		return
	}
	h.mu.Lock()
	for _, l := range lanes {
		if len(h.lanes) < hintLanes {
			h.lanes[l.Endpoint] = l
		}
	}
	h.mu.Unlock()
	select {
	case h.some <- struct{}{}:
	default:
	}
}

func (h *hints) take() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	out := make([]string, 0, len(h.lanes))
	for _, l := range h.lanes {
		out = append(out, formatHint(l))
	}
	clear(h.lanes)
	return out
}

func (h *hints) send() {
	for {
		select {
		case <-h.some:
		case <-h.store.ctx.Done():
			return
		}
		err := h.store.read(h.store.ctx, func(ctx context.Context, c *conn) error {
			_, err := c.exec(ctx, `SELECT pg_notify($1, hint) FROM unnest($2::text[]) AS hint`, hintChannel, h.take())
			return err
		})
		if err != nil {
			h.store.log.Debug("other nodes could not be told of new work; they find it by themselves", slog.Any("error", err))
		}
		if !h.pause(hintPause) {
			return
		}
	}
}

func (h *hints) pause(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-h.store.ctx.Done():
		return false
	}
}

func (h *hints) listen() {
	for {
		if err := h.hear(); err != nil && h.store.ctx.Err() == nil {
			h.store.log.Debug("listening for work of other nodes failed; it is found by looking", slog.Any("error", err))
		}
		if !h.pause(listenAgain) {
			return
		}
	}
}

// hear listens until the connection breaks.
func (h *hints) hear() error {
	c, err := pgx.Connect(h.store.ctx, h.store.direct)
	if err != nil {
		return err
	}
	defer c.Close(context.WithoutCancel(h.store.ctx)) //nolint:errcheck // it is not needed any more
	if _, err := c.Exec(h.store.ctx, "LISTEN "+hintChannel); err != nil {
		return err
	}
	for {
		n, err := c.WaitForNotification(h.store.ctx)
		if err != nil {
			return err
		}
		if lane, ok := parseHint(n.Payload); ok {
			h.store.opts.OnDue(lane)
		}
	}
}

// formatHint is a lane as text: endpoint, application, first or retry, time.
func formatHint(l hook.Lane) string {
	lane := "first"
	if l.Retry {
		lane = "retry"
	}
	return strings.Join([]string{hex.EncodeToString(l.Endpoint[:]), hex.EncodeToString(l.App[:]), lane, l.Due.UTC().Format(time.RFC3339Nano)}, " ")
}

func parseHint(text string) (l hook.Lane, ok bool) {
	parts := strings.Split(text, " ")
	if len(parts) != 4 {
		return l, false
	}
	endpoint, err1 := hex.DecodeString(parts[0])
	app, err2 := hex.DecodeString(parts[1])
	due, err3 := time.Parse(time.RFC3339Nano, parts[3])
	if firstError(err1, err2, err3) != nil || len(endpoint) != len(l.Endpoint) || len(app) != len(l.App) {
		return l, false
	}
	l.Retry, l.Due = parts[2] == "retry", due
	copy(l.Endpoint[:], endpoint)
	copy(l.App[:], app)
	return l, true
}
