package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"time"
)

// phase is the part of a measurement that one process does.
type phase string

const (
	phaseAll     phase = "all"     // publish and receive
	phasePreload phase = "preload" // only publish; the sink is closed, the server must not deliver
	phaseDrain   phase = "drain"   // start the server on the preloaded store and only receive
)

func (p *phase) String() string { return string(*p) }

func (p *phase) Set(text string) error {
	switch v := phase(text); v {
	case phaseAll, phasePreload, phaseDrain:
		*p = v
		return nil
	default:
		return errors.New("want all, preload or drain")
	}
}

// options are the flags of bench run.
type options struct {
	target, base, key, label string
	sinkAddr, state          string
	phase                    phase
	plan                     plan

	conns       int
	rate        float64
	warm, load  time.Duration
	max         int64
	size        int
	sdk         bool
	settle      time.Duration
	drain       time.Duration
	quiet       time.Duration
	linger      time.Duration
	timeout     time.Duration
	delay       time.Duration
	failFirst   int
	faultAt     time.Duration
	fault       string
	showHeaders bool

	pids    map[string][]int
	file    string
	server  []string
	health  string
	logFile string
}

// maxBatch is what the batch route takes.
const maxBatch = 1000

func parseOptions(args []string) (options, error) {
	var o options
	var keyFile, pids string
	var preload int64
	fs := flag.NewFlagSet("run", flag.ContinueOnError)
	o.targetFlags(fs)
	o.loadFlags(fs)
	o.waitFlags(fs)
	fs.StringVar(&keyFile, "key-file", "", "file that holds the API key")
	fs.StringVar(&pids, "pids", "", "NAME=PID,... to account CPU and memory to, beside the server command")
	fs.Int64Var(&preload, "preload", 0, "publish exactly this many events (with -phase preload)")
	if err := fs.Parse(args); err != nil {
		return o, fmt.Errorf("flags: %w", err)
	}
	o.server = fs.Args()
	var err error
	if o.pids, err = parsePIDs(pids); err != nil {
		return o, err
	}
	if keyFile != "" {
		b, err := os.ReadFile(keyFile)
		if err != nil {
			return o, fmt.Errorf("key: %w", err)
		}
		o.key = strings.TrimSpace(string(b))
	}
	if o.health == "" {
		o.health = bases(o.base)[0] + "/healthz"
	}
	if preload > 0 {
		o.max, o.load = preload, o.timeout
	}
	err = o.check(preload)
	return o, err
}

func (o *options) check(preload int64) error {
	switch {
	case (o.phase == phasePreload) != (preload > 0):
		return errors.New("-phase preload and -preload N go together")
	case o.phase != phaseAll && o.state == "":
		return fmt.Errorf("-phase %s needs -state", o.phase)
	case o.phase == phaseDrain && len(o.server) == 0:
		return errors.New("-phase drain needs the server command, so that the sink listens before the server starts")
	case o.plan.Batch > maxBatch:
		return fmt.Errorf("at most %d events a request", maxBatch)
	case o.target == "limit" && o.plan.Batch > 1:
		return errors.New("the forwarder takes one event a request")
	case o.max > maxSeq:
		return fmt.Errorf("at most %d events", maxSeq)
	default:
		return nil
	}
}

func (o *options) targetFlags(fs *flag.FlagSet) {
	o.phase = phaseAll
	fs.StringVar(&o.target, "target", "limit", "one of "+strings.Join(targetNames(), ", "))
	fs.StringVar(&o.base, "base", "http://127.0.0.1:18800", "base URL of the target; several with commas between: nodes of one store, which get the requests in turn")
	fs.StringVar(&o.key, "key", "", "API key")
	fs.StringVar(&o.label, "label", "", "name of the row, put in the result")
	fs.StringVar(&o.sinkAddr, "sink", "127.0.0.1:18900", "listen address of the sink")
	fs.StringVar(&o.state, "state", "", "file that keeps the set-up between runs (made when absent) and what preload published")
	fs.Var(&o.phase, "phase", "all, preload (only publish) or drain (start the server and only receive)")
	fs.StringVar(&o.health, "health", "", "URL that answers 200 when the server command is up (default: base/healthz)")
	fs.StringVar(&o.logFile, "log", "", "file that takes the server command's output (default: stderr)")
	fs.StringVar(&o.file, "file", "", "path of the target's store; the size of all files that begin with it is reported")
}

func (o *options) loadFlags(fs *flag.FlagSet) {
	fs.IntVar(&o.plan.Apps, "apps", 1, "applications")
	fs.IntVar(&o.plan.Endpoints, "endpoints", 1, "endpoints of each application; an event goes to all of them")
	fs.BoolVar(&o.plan.Spread, "spread", false, "send events to random applications instead of the first")
	fs.Var(&o.plan.Hang, "hang", "share of the endpoints that never answer, such as 5%")
	fs.Uint64Var(&o.plan.Seed, "seed", 1, "seed of the random choices")
	fs.IntVar(&o.plan.Batch, "batch", 1, "events of one request")
	fs.BoolVar(&o.sdk, "sdk-headers", false, "send the idempotency key and request number that SDKs send")
	fs.IntVar(&o.conns, "c", 64, "closed loop: connections")
	fs.Float64Var(&o.rate, "rate", 0, "open loop: events a second (0: closed loop)")
	fs.DurationVar(&o.load, "d", 20*time.Second, "how long to send")
	fs.DurationVar(&o.warm, "warm", 0, "send this long before that without counting deliveries/s")
	fs.Int64Var(&o.max, "max", 5_000_000, "most events to send")
	fs.IntVar(&o.size, "size", 1024, "payload bytes")
}

func (o *options) waitFlags(fs *flag.FlagSet) {
	fs.DurationVar(&o.settle, "settle", 0, "wait this long after set-up")
	fs.DurationVar(&o.drain, "drain", 300*time.Second, "longest wait for the deliveries")
	fs.DurationVar(&o.quiet, "quiet", 30*time.Second, "stop waiting after this long without a delivery")
	fs.DurationVar(&o.linger, "linger", 2*time.Second, "watch this long for late duplicates")
	fs.DurationVar(&o.timeout, "timeout", 15*time.Minute, "end the run after this long, whatever happens")
	fs.DurationVar(&o.delay, "sink-delay", 0, "sink: sleep before each answer")
	fs.IntVar(&o.failFirst, "fail-first", 0, "sink: refuse the first K attempts of each event")
	fs.DurationVar(&o.faultAt, "fault-at", 0, "when to run the fault command")
	fs.StringVar(&o.fault, "fault", "", "shell command run once in the middle of the load")
	fs.BoolVar(&o.showHeaders, "headers", false, "put the names of one delivery's headers in the result")
}
