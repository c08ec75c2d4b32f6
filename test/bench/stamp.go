package main

import (
	"bytes"
	"fmt"
	"strconv"
	"time"
)

// epoch anchors every time stamp: wall clock at the start, monotonic from
// there, so two processes of one measurement share a time and no step of the
// clock shows up as latency.
var epoch = time.Now()

// now is in nanoseconds since 1970.
func now() int64 { return epoch.UnixNano() + int64(time.Since(epoch)) }

// payload makes a JSON object of about size bytes that the sink can recognise.
func payload(run string, seq, at int64, size int) []byte {
	var b bytes.Buffer
	b.Grow(size + 128)
	fmt.Fprintf(&b, `{"bench_run":"%s","bench_seq":"%d","bench_at":"%d","note":"`, run, seq, at)
	const text = "the quick brown fox jumps over the lazy dog 0123456789 "
	for b.Len() < size-2 {
		b.WriteString(text[:min(len(text), size-2-b.Len())])
	}
	b.WriteString(`"}`)
	return b.Bytes()
}

// stamp is what the sink reads back out of a delivered body.
type stamp struct {
	run string
	seq int64
	at  int64 // when the event was posted
}

// parseStamp looks for the keys only: a target may wrap, reorder or reformat
// the body.
func parseStamp(b []byte) (stamp, bool) {
	run := field(b, `"bench_run"`)
	seq, err1 := strconv.ParseInt(field(b, `"bench_seq"`), 10, 64)
	at, err2 := strconv.ParseInt(field(b, `"bench_at"`), 10, 64)
	ok := run != "" && err1 == nil && err2 == nil && seq >= 0 && seq < maxSeq
	return stamp{run, seq, at}, ok
}

// maxSeq bounds what a body can make the sink allocate.
const maxSeq = 1 << 30

func field(b []byte, key string) string {
	i := bytes.Index(b, []byte(key))
	if i < 0 {
		return ""
	}
	rest := bytes.TrimLeft(b[i+len(key):], " :\"\t\n")
	end := bytes.IndexAny(rest, "\",} \n")
	if end < 0 {
		return ""
	}
	return string(rest[:end])
}
