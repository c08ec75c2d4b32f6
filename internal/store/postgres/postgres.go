// Package postgres is the store in a PostgreSQL database that several nodes share.
//
// Nothing here is one statement per row: accepted events of concurrent callers
// are gathered into one transaction (group.go), and each statement takes arrays.
// The road of an event is one insert per table and, when it is settled, one
// update in place:
//
//	accept   messages, deliveries (leased to this node); for sources requests too
//	settle   deliveries (HOT), attempts
//	else     queue: what waits for an attempt, as one index over all partitions
//
// Nodes see each other in nodes.go; what an application's endpoints are is cached
// by the version of the application (cache.go); partitions.go makes and drops the
// tables that messages, deliveries and attempts lie in.
package postgres

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"sync"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Options adjust a store; the zero value is what a server wants.
type Options struct {
	Logger *slog.Logger // nil: slog.Default()
	// Observe is called after each group commit; nil: not.
	Observe func(Commit)
	// Connections is how many connections the store opens at most; 0: 8.
	Connections int
	// MaxWait is the longest time that an operation waits for its turn before it
	// is refused with CodeUnavailable; 0: 5 s.
	MaxWait time.Duration
	// ReadTimeout is the longest time that a read takes before it is refused with
	// CodeUnavailable; 0: 1 s.
	ReadTimeout time.Duration
	// DirectURL is where to LISTEN if the store's own address leads through a pool
	// of connections; empty: the store's own address.
	DirectURL string
	// OnDue is told that another node has left due work in a lane; nil: nobody
	// listens. It is a hint: some are lost.
	OnDue func(hook.Lane)
	// PartitionWidth is the time that one partition covers, for partitions that are
	// yet to be made; 0: a day.
	PartitionWidth time.Duration
}

// Commit describes one group commit.
type Commit struct {
	Operations int
	Took       time.Duration // of the transaction
	Err        error
}

// Store is a database. It is safe for concurrent use.
type Store struct {
	opts       Options
	log        *slog.Logger
	pool       *pgxpool.Pool
	cache      *cache
	accepts    *group[*accepting]
	records    *group[*recording]
	open       *openLeases
	partitions *partitions
	orphans    *orphans
	hints      *hints
	direct     string // the address, without a pool of connections between

	ctx    context.Context // ends with Close
	cancel context.CancelFunc
	closed sync.Once
	loops  sync.WaitGroup
}

// Open connects to the database at url and brings it to the newest schema.
func Open(ctx context.Context, url string, opts Options) (*Store, error) {
	opts.setDefaults()
	cfg, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("the address of the database: %w", err)
	}
	cfg.MaxConns = int32(opts.Connections)
	prepare(cfg.ConnConfig, opts.DirectURL != "")
	if err := migrate(ctx, cfg.ConnConfig, opts.DirectURL); err != nil {
		return nil, err
	}
	pool, err := pgxpool.NewWithConfig(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("connect to the database: %w", err)
	}
	s := &Store{
		opts: opts, log: opts.Logger, pool: pool, cache: newCache(),
		open: newOpenLeases(), orphans: newOrphans(), direct: cmp.Or(opts.DirectURL, url),
	}
	s.partitions = newPartitions(s)
	s.accepts = newGroup(opts.MaxWait, s.acceptGroup)
	s.records = newGroup(opts.MaxWait, s.recordGroup)
	s.ctx, s.cancel = context.WithCancel(context.Background())
	if err := s.partitions.load(ctx); err != nil {
		pool.Close()
		return nil, s.explain(err)
	}
	s.accepts.start()
	s.records.start()
	s.hints = newHints(s)
	s.hints.start()
	return s, nil
}

// settings are those of our connections. All our statements look keys up; a
// planner that meets a partition of this morning without statistics must not think
// that reading the whole of it is cheaper, and keep that plan until it is analysed.
// Small tables without an index for a query are read all the same, at a price that
// would look worth compiling it. A statement is planned once for each connection, for over
// partitions planning takes longer than running it; and no workers are started for one,
// which takes longer than any of ours. And a transaction of ours never pauses for long: one
// that does is that of a node which stands still or is cut off, and must not keep its
// locks, or nobody could take over what it has leased.
var settings = map[string]string{
	"enable_seqscan": "off", "enable_mergejoin": "off", "jit": "off", "plan_cache_mode": "force_generic_plan",
	"max_parallel_workers_per_gather": "0", "idle_in_transaction_session_timeout": "3000",
}

// prepare sets connections up. A pool between us and the database takes neither
// settings nor prepared statements; there migrate has tied the settings to the role.
func prepare(cfg *pgx.ConnConfig, pooled bool) {
	if pooled {
		cfg.DefaultQueryExecMode = pgx.QueryExecModeCacheDescribe
		return
	}
	cfg.RuntimeParams["application_name"] = "grapnel"
	maps.Copy(cfg.RuntimeParams, settings)
}

func (o *Options) setDefaults() {
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.Observe == nil {
		o.Observe = func(Commit) {}
	}
	if o.Connections <= 0 {
		o.Connections = 8
	}
	// One for accepts and one for refused requests, and others must not have to wait
	// for them.
	o.Connections = max(o.Connections, 4)
	if o.MaxWait == 0 {
		o.MaxWait = 5 * time.Second
	}
	if o.ReadTimeout == 0 {
		o.ReadTimeout = time.Second
	}
	if o.PartitionWidth == 0 {
		o.PartitionWidth = 24 * time.Hour
	}
}

// Ping reports whether the store can be read and written.
func (s *Store) Ping(ctx context.Context) error {
	return s.write(ctx, func(ctx context.Context, c *conn) error {
		_, err := c.exec(ctx, `UPDATE cursors SET name = name WHERE name = 'rollups'`)
		return err
	})
}

// Close ends what runs and closes all connections.
func (s *Store) Close() error {
	s.closed.Do(func() {
		s.accepts.stop()
		s.records.stop()
		s.cancel()
		s.loops.Wait()
		s.pool.Close()
	})
	return nil
}

// read runs fn with a connection. Each statement has a snapshot of its own.
func (s *Store) read(ctx context.Context, fn func(ctx context.Context, c *conn) error) error {
	ctx, cancel := context.WithTimeout(ctx, s.opts.ReadTimeout)
	defer cancel()
	pc, err := s.pool.Acquire(ctx)
	if err != nil {
		return s.explain(err)
	}
	defer pc.Release()
	return s.explain(fn(ctx, &conn{pc.Conn()}))
}

// writeTries is how often a transaction is done when the database undoes it
// because it met another one.
const writeTries = 5

// write runs fn in a transaction. fn may run more than once; its error undoes all.
func (s *Store) write(ctx context.Context, fn func(ctx context.Context, c *conn) error) error {
	ctx, cancel := context.WithTimeout(ctx, s.opts.MaxWait)
	defer cancel()
	for try := 1; ; try++ {
		err := s.transaction(ctx, fn)
		if err == nil || try == writeTries || !metAnother(err) {
			return s.explain(err)
		}
	}
}

// autocommit runs fn, which is one statement, as write does.
func (s *Store) autocommit(ctx context.Context, fn func(ctx context.Context, c *conn) error) error {
	ctx, cancel := context.WithTimeout(ctx, s.opts.MaxWait)
	defer cancel()
	for try := 1; ; try++ {
		err := s.pool.AcquireFunc(ctx, func(pc *pgxpool.Conn) error { return fn(ctx, &conn{pc.Conn()}) })
		if err == nil || try == writeTries || !metAnother(err) {
			return s.explain(err)
		}
	}
}

// transaction runs fn in one transaction, once.
func (s *Store) transaction(ctx context.Context, fn func(ctx context.Context, c *conn) error) error {
	return pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		return fn(ctx, &conn{tx.Conn()})
	})
}

// errClosed says that the store was closed.
var errClosed = errors.New("the store is closed")
