package main

import (
	"os"
	"sync"
	"time"
)

// watcher follows named process trees during a run.
type watcher struct {
	groups map[string][]int
	base   map[string]usage
	busy   float64 // of the machine at the start
	steal  float64
	self   float64

	mu   sync.Mutex // guards peak and cpu
	peak map[string]float64
	cpu  map[string]float64

	stop, stopped chan struct{}
}

// newWatcher notes what the machine and this program have used so far.
func newWatcher() *watcher {
	w := &watcher{base: map[string]usage{}, peak: map[string]float64{}, cpu: map[string]float64{},
		stop: make(chan struct{}), stopped: make(chan struct{})}
	w.busy, w.steal = machineBusy()
	w.self = sampleTrees([]int{os.Getpid()}).CPU
	return w
}

// follow samples the groups from now on. What they used before counts only if
// they were started for this measurement.
func (w *watcher) follow(groups map[string][]int, startedForThis bool) {
	w.groups = groups
	if !startedForThis {
		for name, roots := range groups {
			w.base[name] = sampleTrees(roots)
		}
	}
	go w.loop()
}

func (w *watcher) loop() {
	defer close(w.stopped)
	t := time.NewTicker(time.Second)
	defer t.Stop()
	for {
		w.sample()
		select {
		case <-t.C:
		case <-w.stop:
			return
		}
	}
}

func (w *watcher) sample() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for name, roots := range w.groups {
		u := sampleTrees(roots)
		w.peak[name] = max(w.peak[name], u.RSS, u.Peak)
		w.cpu[name] = max(w.cpu[name], u.CPU) // a process that died keeps what it used
	}
}

// done returns CPU-seconds spent since watch and the peak memory in MiB, by
// name, and under the names of the noise map what this program, strangers to
// the run and the hypervisor took.
func (w *watcher) done() (cpu, rss, noise map[string]float64) {
	close(w.stop)
	<-w.stopped
	w.sample()
	busy, steal := machineBusy()
	self := sampleTrees([]int{os.Getpid()}).CPU - w.self
	cpu, rss = map[string]float64{}, map[string]float64{}
	for name := range w.groups {
		cpu[name] = round(w.cpu[name]-w.base[name].CPU, 2)
		rss[name] = round(w.peak[name], 1)
	}
	others := busy - w.busy - self
	for _, c := range cpu {
		others -= c
	}
	noise = map[string]float64{"bench": round(self, 2), "others": round(others, 2), "steal": round(steal-w.steal, 2)}
	return cpu, rss, noise
}
