package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// clockTick is USER_HZ, which is 100 on every Linux port Go supports.
const clockTick = 100

// usage is what a group of processes has used up to now.
type usage struct {
	CPU  float64 // seconds
	RSS  float64 // MiB
	Peak float64 // MiB, as the kernel noted it; 0 for more than one process
}

// parsePIDs reads NAME=PID,NAME=PID; one name may come more than once.
func parsePIDs(s string) (map[string][]int, error) {
	out := map[string][]int{}
	for _, part := range strings.Split(s, ",") {
		if part == "" {
			continue
		}
		name, v, ok := strings.Cut(part, "=")
		pid, err := strconv.Atoi(v)
		if !ok || err != nil {
			return nil, fmt.Errorf("bad NAME=PID %q", part)
		}
		out[name] = append(out[name], pid)
	}
	return out, nil
}

// sampleTrees adds up the processes under roots. CPU includes children that
// have been reaped. Memory is the private part of each process plus, once,
// the largest shared part, so shared buffers are not counted for each process
// that maps them. Without /proc it is all zero.
func sampleTrees(roots []int) usage {
	parent, stat := processTable()
	want := map[int]bool{}
	for _, r := range roots {
		want[r] = true
	}
	var u usage
	var anon, file, shm, peak int64
	n := 0
	for pid, f := range stat {
		if !under(pid, want, parent) {
			continue
		}
		n++
		for _, i := range []int{11, 12, 13, 14} { // utime stime cutime cstime
			t, _ := strconv.ParseInt(f[i], 10, 64)
			u.CPU += float64(t) / clockTick
		}
		m := memoryOf(pid)
		anon += m["RssAnon:"]
		file = max(file, m["RssFile:"])
		shm = max(shm, m["RssShmem:"])
		peak = m["VmHWM:"]
	}
	u.RSS = float64(anon+file+shm) / 1024
	if n == 1 {
		u.Peak = float64(peak) / 1024
	}
	return u
}

// processTable reads every process's parent and the fields of its stat after
// the name.
func processTable() (parent map[int]int, stat map[int][]string) {
	parent, stat = map[int]int{}, map[int][]string{}
	dirs, _ := os.ReadDir("/proc")
	for _, d := range dirs {
		pid, err := strconv.Atoi(d.Name())
		if err != nil {
			continue
		}
		b, err := os.ReadFile("/proc/" + d.Name() + "/stat")
		if err != nil {
			continue // it has ended since
		}
		i := bytes.LastIndexByte(b, ')')
		f := strings.Fields(string(b[i+1:]))
		if i < 0 || len(f) < 16 {
			continue
		}
		stat[pid] = f
		parent[pid], _ = strconv.Atoi(f[1])
	}
	return parent, stat
}

func under(pid int, roots map[int]bool, parent map[int]int) bool {
	for hops := 0; pid > 1 && hops < 32; hops++ {
		if roots[pid] {
			return true
		}
		pid = parent[pid]
	}
	return false
}

// memoryOf reads the sizes, in KiB, that the kernel tells of a process.
func memoryOf(pid int) map[string]int64 {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return nil
	}
	out := map[string]int64{}
	for _, line := range strings.Split(string(b), "\n") {
		if f := strings.Fields(line); len(f) == 3 && f[2] == "kB" {
			out[f[0]], _ = strconv.ParseInt(f[1], 10, 64)
		}
	}
	return out
}

// machineBusy is the CPU time all processors have spent not idle, in seconds,
// and what the hypervisor withheld.
func machineBusy() (busy, steal float64) {
	b, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, 0
	}
	line, _, _ := strings.Cut(string(b), "\n")
	for i, f := range strings.Fields(line) {
		t, _ := strconv.ParseFloat(f, 64)
		switch i {
		case 1, 2, 3, 6, 7: // user nice system irq softirq
			busy += t / clockTick
		case 8:
			steal = t / clockTick
		}
	}
	return busy, steal
}

// sizeOf adds up the files whose path begins with prefix: a store and what it
// keeps beside it.
func sizeOf(prefix string) int64 {
	if prefix == "" {
		return 0
	}
	files, _ := filepath.Glob(prefix + "*") // only a bad pattern fails
	var n int64
	for _, f := range files {
		if info, err := os.Stat(f); err == nil {
			n += info.Size()
		}
	}
	return n
}
