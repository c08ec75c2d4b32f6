package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"time"
)

// run is one measurement: what it talks to and when its parts happened.
type run struct {
	opt   options
	state state
	plan  plan
	ad    adapter

	server   *child // nil: somebody else started the target
	sink     *sink
	listener *http.Server
	load     *loader
	watch    *watcher

	setUpS    float64
	start     int64 // counting began (ns, as now)
	sendEnd   int64
	warmed    int64 // deliveries before start
	warmedIn  int64 // events accepted before start
	fileStart int64
	fileEnd   int64
}

func cmdRun(ctx context.Context, args []string) error {
	opt, err := parseOptions(args)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, opt.timeout, errors.New("-timeout is over"))
	defer cancel()
	out, err := perform(ctx, opt)
	if err != nil {
		return fmt.Errorf("%s %s: %w", opt.label, opt.target, err)
	}
	return json.NewEncoder(os.Stdout).Encode(out)
}

// perform does one run and stops what it started.
func perform(ctx context.Context, opt options) (result, error) {
	r, err := newRun(opt)
	if err != nil {
		return result{}, err
	}
	defer r.close()
	switch opt.phase {
	case phaseAll:
		err = r.publishAndReceive(ctx)
	case phasePreload:
		err = r.preload(ctx)
	case phaseDrain:
		err = r.drain(ctx)
	}
	if err == nil {
		err = context.Cause(ctx)
	}
	if err != nil {
		return result{}, err
	}
	return r.result(), nil
}

func newRun(opt options) (*run, error) {
	ad, err := newAdapter(opt.target, opt.base, opt.key)
	if err != nil {
		return nil, err
	}
	r := &run{opt: opt, ad: ad, plan: opt.plan}
	if opt.phase == phaseDrain {
		if r.state, err = readState(opt.state, ad); err != nil {
			return nil, err
		}
		r.plan = r.state.Plan
	} else {
		r.state.Run = "r" + strconv.FormatInt(time.Now().UnixNano(), 36)
	}
	if r.plan, err = newPlan(r.plan); err != nil {
		return nil, err
	}
	r.sink = newSink(r.plan, r.state.Run, opt.delay, opt.failFirst)
	r.load = &loader{ad: ad, plan: r.plan, run: r.state.Run, size: opt.size, max: opt.max, sdk: opt.sdk,
		client: &http.Client{Timeout: 30 * time.Second, Transport: tunedTransport(1024)}}
	return r, nil
}

// close ends the sink first: attempts that hang at it must not hold up the
// server's stop.
func (r *run) close() {
	if r.listener != nil {
		if err := r.listener.Close(); err != nil {
			log.Printf("closing the sink: %v", err)
		}
	}
	if r.server != nil {
		r.server.stop()
	}
}

func (r *run) publishAndReceive(ctx context.Context) (err error) {
	if r.listener, err = serveOn(ctx, r.opt.sinkAddr, r.sink); err != nil {
		return err
	}
	if err := r.prepare(ctx); err != nil {
		return err
	}
	pause(ctx, r.opt.settle)
	r.watch = newWatcher()
	r.watch.follow(r.processes(), false)
	if r.opt.warm > 0 {
		r.send(ctx, r.opt.warm)
		r.warmed = r.sink.distinct()
		_, r.warmedIn, _ = r.load.progress()
	}
	r.fileStart = sizeOf(r.opt.file)
	r.start = now()
	r.armFault(ctx)
	r.send(ctx, r.opt.load)
	r.sendEnd = now()
	r.fileEnd = sizeOf(r.opt.file)
	r.await(ctx, func() (int64, int64) {
		acked, _, due := r.load.progress()
		return r.sink.matched(acked), due
	})
	return nil
}

// preload publishes to a server that must not deliver and keeps what it
// acknowledged for drain.
func (r *run) preload(ctx context.Context) error {
	if err := r.prepare(ctx); err != nil {
		return err
	}
	r.watch = newWatcher()
	r.watch.follow(r.processes(), false)
	r.start = now()
	r.send(ctx, r.opt.load)
	r.sendEnd = now()
	acked, accepted, due := r.load.progress()
	if accepted == 0 {
		return fmt.Errorf("nothing was accepted: %s", r.load.firstError)
	}
	r.state.Plan, r.state.Acked, r.state.Due = r.plan, acked, due
	return r.state.write(r.opt.state, r.ad)
}

// drain opens the sink, starts the server on the preloaded store and counts
// from the moment of that start.
func (r *run) drain(ctx context.Context) (err error) {
	if r.listener, err = serveOn(ctx, r.opt.sinkAddr, r.sink); err != nil {
		return err
	}
	r.watch = newWatcher()
	r.start = now()
	r.sendEnd = r.start
	if err := r.startServer(ctx); err != nil {
		return err
	}
	r.watch.follow(r.processes(), true)
	r.await(ctx, func() (int64, int64) { return r.sink.matched(r.state.Acked), r.state.Due })
	return nil
}

// prepare starts the server, if that is ours to do, and makes the endpoints.
func (r *run) prepare(ctx context.Context) error {
	if err := r.startServer(ctx); err != nil {
		return err
	}
	if r.opt.state != "" && r.opt.phase == phaseAll {
		old, err := readState(r.opt.state, r.ad)
		if err == nil {
			return old.fits(r.plan)
		}
		if !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	begin := now()
	if err := r.ad.setUp(ctx, r.plan.urls(r.opt.sinkAddr)); err != nil {
		return fmt.Errorf("set-up: %w", err)
	}
	r.setUpS = float64(now()-begin) / 1e9
	if r.opt.state == "" || r.opt.phase == phasePreload {
		return nil
	}
	return (&state{Plan: r.plan}).write(r.opt.state, r.ad)
}

func (r *run) startServer(ctx context.Context) (err error) {
	if len(r.opt.server) > 0 {
		r.server, err = startChild(ctx, r.opt.server, r.opt.logFile, r.opt.health)
	}
	return err
}

// processes names what CPU and memory are accounted to.
func (r *run) processes() map[string][]int {
	groups := r.opt.pids
	if r.server != nil {
		groups[r.opt.target] = append(groups[r.opt.target], r.server.pid())
	}
	return groups
}

func (r *run) send(ctx context.Context, d time.Duration) {
	if r.opt.rate > 0 {
		r.load.open(ctx, r.opt.rate, d)
	} else {
		r.load.closed(ctx, r.opt.conns, d)
	}
}

func (r *run) armFault(ctx context.Context) {
	if r.opt.fault == "" {
		return
	}
	time.AfterFunc(r.opt.faultAt, func() {
		cmd := exec.CommandContext(ctx, "sh", "-c", r.opt.fault)
		cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
		if err := cmd.Run(); err != nil {
			log.Printf("fault command: %v", err)
		}
	})
}

// await returns when all that is due was delivered, nothing comes any more,
// or the time is up; then it watches for late duplicates.
func (r *run) await(ctx context.Context, count func() (got, want int64)) {
	deadline := time.Now().Add(r.opt.drain)
	progress, seen := time.Now(), int64(-1)
	for ctx.Err() == nil {
		got, want := count()
		if got >= want {
			break
		}
		if got != seen {
			progress, seen = time.Now(), got
		}
		if time.Since(progress) > r.opt.quiet || time.Now().After(deadline) {
			log.Printf("gave up waiting: %d of %d", got, want)
			break
		}
		pause(ctx, 50*time.Millisecond)
	}
	pause(ctx, r.opt.linger)
}

// pause sleeps unless the run is over.
func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
