package server

import (
	"context"
	"io"
	"log/slog"
	"strconv"
	"sync"
	"time"

	"github.com/grapnelhq/grapnel/internal/config"
)

const (
	// flushEvery is how long a log line may wait for company.
	flushEvery = 100 * time.Millisecond
	// flushAt is how many bytes wake the writer at once, and maxWaiting how many
	// may wait: a reader of the log that stands still must not stop deliveries.
	flushAt    = 64 << 10
	maxWaiting = 4 << 20
)

// lineWriter gathers log lines and writes many at a time: at 20,000 deliveries
// a second one system call for each line would cost more than the lines.
type lineWriter struct {
	out  io.Writer
	wake chan struct{} // Write sends, run receives

	mu      sync.Mutex // guards what follows
	waiting []byte
	spare   []byte
	dropped int

	writing sync.Mutex // held while out is written, so that lines keep their order
}

func newLineWriter(out io.Writer) *lineWriter {
	return &lineWriter{out: out, wake: make(chan struct{}, 1)}
}

// Write takes one line. It never waits for the output.
func (w *lineWriter) Write(line []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.waiting)+len(line) > maxWaiting {
		w.dropped++
		return len(line), nil
	}
	w.waiting = append(w.waiting, line...)
	if len(w.waiting) >= flushAt {
		select {
		case w.wake <- struct{}{}:
		default:
		}
	}
	return len(line), nil
}

// Flush writes what is waiting.
func (w *lineWriter) Flush() error {
	w.writing.Lock()
	defer w.writing.Unlock()
	w.mu.Lock()
	lines, dropped := w.waiting, w.dropped
	w.waiting, w.spare, w.dropped = w.spare[:0], nil, 0
	w.mu.Unlock()
	if dropped > 0 {
		lines = append(lines, "log lines dropped because nobody read them: "+strconv.Itoa(dropped)+"\n"...)
	}
	var err error
	if len(lines) > 0 {
		_, err = w.out.Write(lines)
	}
	w.mu.Lock()
	if cap(lines) <= 2*flushAt {
		w.spare = lines
	}
	w.mu.Unlock()
	return err
}

// run flushes from time to time until ctx ends.
func (w *lineWriter) run(ctx context.Context) error {
	tick := time.NewTicker(flushEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-w.wake:
		case <-ctx.Done():
			_ = w.Flush() // who reads the log has gone; that must not end deliveries
			return nil
		}
		_ = w.Flush()
	}
}

// promptHandler writes what an operator must see without delay.
type promptHandler struct {
	slog.Handler
	lines *lineWriter
}

// Handle passes the record on, and flushes behind a warning.
func (h promptHandler) Handle(ctx context.Context, r slog.Record) error {
	err := h.Handler.Handle(ctx, r)
	if r.Level >= slog.LevelWarn {
		_ = h.lines.Flush()
	}
	return err
}

// WithAttrs keeps the promptness.
func (h promptHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return promptHandler{h.Handler.WithAttrs(attrs), h.lines}
}

// WithGroup keeps the promptness.
func (h promptHandler) WithGroup(name string) slog.Handler {
	return promptHandler{h.Handler.WithGroup(name), h.lines}
}

func newLogger(lines *lineWriter, cfg *config.Config) *slog.Logger {
	options := &slog.HandlerOptions{Level: cfg.LogLevel.Slog()}
	var h slog.Handler
	switch cfg.LogFormat {
	case config.LogText:
		h = slog.NewTextHandler(lines, options)
	case config.LogJSON:
		h = slog.NewJSONHandler(lines, options)
	}
	return slog.New(promptHandler{h, lines})
}
