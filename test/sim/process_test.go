package sim_test

import (
	"context"
	"encoding/base64"
	"net"
	"path/filepath"
	"strconv"
	"syscall"
	"testing/synctest"
	"time"

	"github.com/grapnelhq/grapnel/internal/config"
	"github.com/grapnelhq/grapnel/internal/hook"
	"github.com/grapnelhq/grapnel/internal/server"
	"github.com/grapnelhq/grapnel/internal/store"
	"github.com/grapnelhq/grapnel/internal/testx"
)

const (
	database   = "grapnel.db"
	apiAddress = "10.0.0.1:8080"
	apiKey     = "the-key-of-the-simulation"

	attemptTimeout = 5 * time.Second
	drainTimeout   = 3 * time.Second
	disableAfter   = 4 * time.Minute
)

// schedule is short, so that a few minutes hold whole lives of deliveries.
var schedule = []time.Duration{2 * time.Second, 10 * time.Second, 30 * time.Second, 90 * time.Second}

// policyFloor is the shortest wait after a timeout.
const policyFloor = hook.DefaultTimeoutFloor

// process is one life of the server. World.mu guards what changes.
type process struct {
	w      *world
	number int
	folder string // of its disk
	next   string // where its successor finds the disk
	server *server.Server
	store  store.Store
	cancel context.CancelFunc
	exited chan error // Wait's, one

	up       time.Time // when it had started
	dead     bool      // the power was cut
	over     time.Time
	ended    bool // the process is gone, however it ended
	listener *testx.Listener
	conns    []*testx.Conn
	commits  int
	began    time.Time // the commit that runs
	good     time.Time // beginning of the last commit that succeeded
	trouble  time.Time // last time that a commit failed or took long
	dieAfter bool
	troubled bool // its disk had trouble
}

func name(n int) string { return strconv.Itoa(n) }

func (w *world) newProcess(folder string) *process {
	w.mu.Lock()
	defer w.mu.Unlock()
	number := 1
	if w.process != nil {
		number += w.process.number
	}
	w.process = &process{w: w, number: number, folder: folder, next: folder, exited: make(chan error, 1)}
	return w.process
}

func (p *process) config() (*config.Config, error) {
	steps := ""
	for _, s := range schedule {
		steps += "," + s.String()
	}
	return config.Load(config.Sources{
		IgnoreDatabaseURL: true,
		Env: []string{
			"GRAPNEL_API_KEY=" + apiKey,
			"GRAPNEL_MASTER_KEY=" + base64.StdEncoding.EncodeToString([]byte("a key for simulations, not secret")[:32]),
		},
		Flags: map[string]string{
			"listen": apiAddress, "db": "sqlite:" + filepath.Join(p.folder, database),
			"allow-http": "true", "allow-net": "203.0.113.0/24", "retry-schedule": steps[1:],
			"endpoint-timeout": attemptTimeout.String(), "drain-timeout": drainTimeout.String(), "disable-after": disableAfter.String(),
			"log-level": "info", "heartbeat": "2s",
		},
	})
}

// begin starts the first process; its disk is empty and well.
func (w *world) begin() {
	w.boot(w.dir)
}

// boot starts processes on a disk until one stays up.
func (w *world) boot(folder string) {
	for range 1000 {
		p := w.newProcess(folder)
		err := p.start()
		if err == nil {
			w.note("process %d is up", p.number)
			w.mu.Lock()
			p.up = time.Now()
			w.mu.Unlock()
			synctest.Wait()
			return
		}
		p.end()
		if !w.mayFail(p) {
			w.violate("process %d does not start: %v", p.number, err)
			return
		}
		w.note("process %d does not start: %v", p.number, err)
		folder = p.next
		w.pass(time.Second)
	}
	w.violate("no process starts any more")
}

func (p *process) start() error {
	cfg, err := p.config()
	if err != nil {
		return err
	}
	p.server = server.New(server.Options{
		Config: cfg, Version: "sim", Log: p.w.serverLog(p), Now: p.w.wall,
		World: server.World{Listen: p.listen, Connect: p.connect, OpenStore: p.openStore, Rand: p.jitter},
	})
	ctx, cancel := context.WithCancel(p.w.t.Context())
	p.cancel = cancel
	if err := p.server.Start(ctx); err != nil {
		return err
	}
	go func() { p.exited <- p.server.Wait(ctx) }()
	return nil
}

// jitter gives random numbers that follow from the seed and the time.
func (p *process) jitter() float64 { return p.w.chance("jitter", p.w.age()).Float64() }

// mayFail reports whether the process has an excuse to end with an error.
func (w *world) mayFail(p *process) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return p.dead || p.troubled || time.Now().Before(w.disk.failUntil) || time.Now().Before(w.disk.slowUntil)
}

// revive puts a new process in the place of one that died, and notes one that
// ended although it should not have.
func (w *world) revive() {
	p := w.process
	w.mu.Lock()
	dead := p.dead
	w.mu.Unlock()
	if dead {
		w.stops.Go(func() { w.halt(p) }) // nobody sees what it still does
		w.pass(time.Duration(10+w.dice.IntN(20_000)) * time.Millisecond)
		w.boot(p.next)
		return
	}
	select {
	case err := <-p.exited:
		p.exited <- err
		if !w.mayFail(p) {
			w.violate("process %d ended by itself: %v", p.number, err)
		}
		w.note("process %d ended by itself: %v", p.number, err)
		p.end()
		w.pass(time.Second)
		w.boot(p.next)
	default:
	}
}

// restart stops the process in order and starts another on the same disk.
func (w *world) restart() {
	p := w.process
	w.note("process %d is told to stop", p.number)
	w.halt(p)
	w.pass(time.Duration(w.dice.IntN(5000)) * time.Millisecond)
	w.boot(p.next)
}

// stopLimit is how long a stop may take: the drain, last words and the chores.
const stopLimit = drainTimeout + time.Minute

// halt tells a process to stop and waits for its end.
func (w *world) halt(p *process) {
	if p.cancel == nil {
		return
	}
	p.cancel()
	limit := time.NewTimer(stopLimit)
	defer limit.Stop()
	select {
	case err := <-p.exited:
		p.exited <- err
		if err != nil && !w.mayFail(p) {
			w.violate("process %d stopped with an error: %v", p.number, err)
		}
	case <-limit.C:
		w.violate("process %d does not stop", p.number)
	}
	p.end()
}

// end notes that a process is gone.
func (p *process) end() {
	if p.cancel != nil {
		p.cancel()
	}
	p.w.mu.Lock()
	defer p.w.mu.Unlock()
	p.ended = true
	if !p.dead {
		p.over = time.Now()
	}
	p.cutLocked()
}

// cutLocked breaks all connections, as the kernel does for a process that has died.
func (p *process) cutLocked() {
	for _, c := range p.conns {
		c.Reset()
	}
	p.conns = nil
	if p.listener != nil {
		_ = p.listener.Close()
	}
}

func (p *process) listen(_ context.Context, _, address string) (net.Listener, error) {
	l, err := p.w.net.Listen(address)
	if err != nil {
		return nil, err
	}
	p.w.mu.Lock()
	defer p.w.mu.Unlock()
	p.listener = l
	return l, nil
}

// connect is how deliveries leave a process.
func (p *process) connect(ctx context.Context, network, address string) (net.Conn, error) {
	w := p.w
	w.mu.Lock()
	state, dead := good, p.dead
	for _, g := range w.targets {
		if g.addr == address {
			state = g.mood
		}
	}
	w.mu.Unlock()
	if dead || state == down {
		return nil, &net.OpError{Op: "dial", Net: network, Err: syscall.ECONNREFUSED}
	}
	if state == silent {
		<-ctx.Done()
		return nil, &net.OpError{Op: "dial", Net: network, Err: ctx.Err()}
	}
	return w.dial(ctx, p, network, address)
}

// dial connects in the name of a process, with whose death the connection breaks.
func (w *world) dial(ctx context.Context, p *process, network, address string) (net.Conn, error) {
	c, err := w.net.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	conn, _ := c.(*testx.Conn) // DialContext gives nothing else
	w.mu.Lock()
	defer w.mu.Unlock()
	if p.dead || p.ended {
		conn.Reset()
	}
	p.conns = append(p.conns, conn)
	w.origins[conn.LocalAddr().String()] = p
	return conn, nil
}
