package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/grapnelhq/grapnel/internal/api"
	"github.com/grapnelhq/grapnel/internal/auth"
	"github.com/grapnelhq/grapnel/internal/config"
	"github.com/grapnelhq/grapnel/internal/dash"
	"github.com/grapnelhq/grapnel/internal/deliver"
	"github.com/grapnelhq/grapnel/internal/hook"
	"github.com/grapnelhq/grapnel/internal/ingest"
	"github.com/grapnelhq/grapnel/internal/listen"
	"github.com/grapnelhq/grapnel/internal/node"
	"github.com/grapnelhq/grapnel/internal/send"
	"github.com/grapnelhq/grapnel/internal/store"
	"github.com/grapnelhq/grapnel/internal/trace"
)

// chores is how long loops other than the engine may take to end.
const chores = 10 * time.Second

// Options are what a server is made of.
type Options struct {
	Config  *config.Config
	Version string
	Log     io.Writer // log lines; nil: nowhere
	// Now is the wall clock; nil: time.Now.
	Now func() time.Time
	// Owner is the e-mail address of the first member, made at the start if there is
	// none; empty: the log gets a link for whoever reads it.
	Owner string
	// World is what is around the server; the zero value is the real one.
	World World
}

// Server is one node. Its methods are not for concurrent use, but for URL and
// MetricsURL after Start.
type Server struct {
	cfg       *config.Config
	version   string
	owner     string // e-mail address of the first member; empty: the log has a link
	world     World
	clock     *node.Clock
	now       func() time.Time     // the clock's
	elapsed   func() time.Duration // monotonic, since New
	wall      func() time.Time     // this machine's clock
	startedAt time.Time
	nodeName  string
	log       *slog.Logger
	lines     *lineWriter
	metrics   *metrics
	traces    *trace.Tracer // nil: traces are not exported

	main        *listener
	private     *listener // of metrics; nil: none
	store       store.Store
	keeper      *node.Keeper
	engine      *deliver.Engine                // nil on a node that does not deliver
	hinted      atomic.Pointer[deliver.Engine] // the engine, as soon as the store's hints may reach it
	sender      *send.Sender
	auth        *auth.Authenticator
	people      *auth.People // nil on a node without an API
	api         *api.API     // nil on a node without an API
	apiHandler  http.Handler
	gateway     *ingest.Gateway
	hub         *listen.Hub  // nil on a node without an API
	live        *listen.Live // nil on a node without an API
	site        *dash.Site   // nil: this binary has no dashboard, or the node no API
	showMetrics http.Handler
	ready       atomic.Bool
	unready     atomic.Pointer[string] // the reasons that the log was told last; nil or empty: ready
	delivery    *group                 // the engine
	chores      *group                 // all other loops
}

// New makes a server and starts nothing.
func New(o Options) *Server {
	if o.Log == nil {
		o.Log = io.Discard
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	o.World.setDefaults()
	began := time.Now()
	elapsed := func() time.Duration { return time.Since(began) }
	clock := node.NewClock(o.Now, elapsed)
	lines := newLineWriter(o.Log)
	s := &Server{
		cfg: o.Config, version: o.Version, owner: o.Owner, world: o.World, clock: clock, now: clock.Now, elapsed: elapsed, wall: o.Now, startedAt: o.Now(),
		lines: lines, log: newLogger(lines, o.Config), metrics: newMetrics(o.Version),
		delivery: newGroup(), chores: newGroup(),
	}
	s.showMetrics = s.metricsHandler()
	return s
}

// Run starts the server and stops it when ctx ends or something fails.
func (s *Server) Run(ctx context.Context) error {
	if err := s.Start(ctx); err != nil {
		return err
	}
	return s.Wait(ctx)
}

// Wait stops a started server when ctx ends or something fails. The error is
// what failed.
func (s *Server) Wait(ctx context.Context) error {
	var cause error
	select {
	case <-ctx.Done():
	case cause = <-s.delivery.ended:
	case cause = <-s.chores.ended:
	}
	delay := s.cfg.DrainDelay
	if cause != nil {
		s.log.ErrorContext(ctx, "stopping: a part of the server has ended", "error", cause)
		delay = 0
	}
	return errors.Join(cause, s.stop(context.WithoutCancel(ctx), delay))
}

// Start binds the addresses, opens the store and begins to answer. After an
// error nothing is left running.
func (s *Server) Start(ctx context.Context) error {
	began := s.elapsed()
	tuneMemory(int64(s.cfg.DeliveryMemory))
	s.chores.start("log", s.lines.run)
	if err := s.start(ctx); err != nil {
		return errors.Join(err, s.Stop(context.WithoutCancel(ctx)))
	}
	s.ready.Store(true)
	s.log.InfoContext(ctx, "listening", "url", s.URL(), "metrics", s.metricsPlace(), "role", string(s.cfg.Role),
		"version", s.version, "took", (s.elapsed() - began).Round(time.Millisecond))
	return nil
}

func (s *Server) start(ctx context.Context) error {
	for _, w := range s.cfg.Warnings {
		s.log.WarnContext(ctx, w)
	}
	if !s.cfg.Postgres() && s.cfg.Role != config.RoleAll {
		s.log.WarnContext(ctx, "no other node can share a SQLite file: what this one leaves to other roles is not done", "role", string(s.cfg.Role))
	}
	for _, l := range s.cfg.Lines() {
		s.log.DebugContext(ctx, "setting", "name", l.Name, "value", l.Value, "origin", string(l.Origin))
	}
	if err := s.listen(ctx); err != nil {
		return err
	}
	if !s.cfg.Postgres() {
		if err := lookAtDatabase(s.cfg.SQLitePath()); err != nil {
			return err
		}
	}
	keyring, err := s.masterKey(ctx)
	if err != nil {
		return err
	}
	if err := s.openStore(ctx); err != nil {
		return err
	}
	if err := s.join(ctx); err != nil {
		return err
	}
	sealIt, open := sealer(keyring)
	if err := s.tryMasterKey(ctx, open); err != nil {
		return err
	}
	if err := s.firstKey(ctx); err != nil {
		return err
	}
	if err := s.wire(sealIt, open); err != nil {
		return err
	}
	s.startLoops()
	s.serve()
	return s.tellSetup(ctx)
}

func (s *Server) openStore(ctx context.Context) error {
	st, err := s.world.OpenStore(ctx, s.cfg.DB, store.Options{
		Logger: s.log, Observe: s.metrics.commit,
		DirectURL: s.cfg.DBDirect, Connections: s.cfg.DBConnections, OnDue: s.leftDue, Retention: s.retention(),
	})
	if errors.Is(err, store.ErrInUse) {
		return &DatabaseInUseError{Path: s.cfg.SQLitePath()}
	}
	if errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EROFS) {
		return &DataFolderError{Path: filepath.Dir(s.cfg.SQLitePath()), Err: err}
	}
	if err != nil {
		return err
	}
	s.store = st
	s.metrics.watchDisk(s.cfg.SQLitePath())
	s.metrics.watchStore(s) //nolint:contextcheck // a scrape brings none; its reads have a limit of their own
	s.log.InfoContext(ctx, "database ready", "db", s.cfg.ShownDB())
	return nil
}

// leftDue takes the hint that another node has left due work in a lane.
func (s *Server) leftDue(l hook.Lane) {
	if e := s.hinted.Load(); e != nil {
		e.Wake(l)
	}
}

// firstKey makes the key that the operator has given.
func (s *Server) firstKey(ctx context.Context) error {
	token := s.cfg.APIKey.Reveal()
	if token == "" {
		envs, err := s.store.ListEnvironments(ctx)
		if err != nil || len(envs) > 0 || !s.cfg.Role.HasAPI() {
			return err
		}
		s.log.WarnContext(ctx, "there is no API key in the settings: set GRAPNEL_API_KEY to one (make it with: openssl rand -base64 32), or make one in the dashboard")
	}
	if err := s.awaitEnvironment(ctx); err != nil {
		return err
	}
	if token == "" { // whoever signs in first needs something to be in
		return auth.EnsureEnvironment(ctx, s.store, s.now())
	}
	now := s.now()
	key, made, err := auth.EnsureFirstKey(ctx, s.store, token, "first key", now)
	switch {
	case err != nil:
		return err
	case made:
		s.log.InfoContext(ctx, "API key made", "key", key.CensoredText, "environment", hook.KindEnvironment.Format(key.Env))
	case !key.Valid(now):
		s.log.WarnContext(ctx, "the API key of the settings was revoked; it stays so", "key", key.CensoredText)
	}
	return nil
}

// URL is the address of the main listener, for a caller on this machine.
func (s *Server) URL() string { return s.main.url() }

// MetricsURL is the address of the metrics listener; empty: there is none.
func (s *Server) MetricsURL() string {
	if s.private == nil {
		return ""
	}
	return s.private.url()
}

// metricsPlace is where the log says that metrics are.
func (s *Server) metricsPlace() string {
	if s.private == nil {
		return "main"
	}
	return s.MetricsURL()
}

// Stop ends everything in order; see the package comment. It can be called after
// a Start that failed.
func (s *Server) Stop(ctx context.Context) error { return s.stop(ctx, s.cfg.DrainDelay) }

// stop is Stop; delay is how long requests are still answered first.
func (s *Server) stop(ctx context.Context, delay time.Duration) error {
	told := s.ready.Swap(false) // of a server that never started there is nothing to tell
	s.tell(ctx, told, "stopping")
	if told && delay > 0 {
		<-time.After(delay)
		s.tell(ctx, told, "no more connections are taken")
	}
	deadline, cancel := context.WithTimeout(ctx, s.cfg.DrainTimeout)
	defer cancel()
	s.closeListeners()
	s.live.Close() // else the requests that they are in would not end
	engineDone := s.delivery.stop()
	cut := s.shutdown(deadline)
	s.tell(ctx, told, "requests have ended")
	// The engine ends attempts that outlast the deadline itself; the rest is the
	// time it takes to record and release.
	late := s.delivery.wait(engineDone, s.cfg.DrainTimeout+chores)
	s.tell(ctx, told, "deliveries have ended")
	err := errors.Join(cut, late, s.endChores())
	s.leave(ctx)
	s.traces.Stop(ctx)
	err = errors.Join(err, s.closeStore())
	if err != nil {
		s.log.ErrorContext(ctx, "stopped with an error", "error", err)
	} else {
		s.tell(ctx, told, "stopped")
	}
	return errors.Join(err, s.lines.Flush())
}

func (s *Server) tell(ctx context.Context, told bool, step string) {
	if told {
		s.log.InfoContext(ctx, step)
	}
}

func (s *Server) endChores() error {
	return s.chores.wait(s.chores.stop(), chores)
}

func (s *Server) closeStore() error {
	if s.sender != nil {
		s.sender.Close()
	}
	if s.store == nil {
		return nil
	}
	if err := s.store.Close(); err != nil {
		return fmt.Errorf("closing the database: %w", err)
	}
	return nil
}

// serve begins to answer on the listeners.
func (s *Server) serve() {
	s.main.serve(s.handler(), s.log)
	s.chores.start("listener", s.main.run)
	if s.private != nil {
		s.private.serve(http.HandlerFunc(s.servePrivate), s.log)
		s.chores.start("metrics listener", s.private.run)
	}
}
