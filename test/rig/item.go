package rig

import (
	"context"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/grapnelhq/grapnel/apitype"
)

// The event types and channels of the load.
var (
	Kinds    = []string{"load.paid", "load.void"}
	channels = []string{"", "eu", "us"} // the first stands for none
)

// Item is one message of the load. Its mark is unique and part of the payload.
type Item struct {
	Mark    string
	App     int
	Kind    string
	Channel string
}

// Target is one endpoint and how it behaves.
type Target struct {
	Name   string
	App    int
	Wants  func(Item) bool
	Filter apitype.EndpointIn
	Answer Answer
	// Backlog is how many deliveries of the application may be outstanding before
	// its publishers wait: the next server finds work, but not the work of minutes.
	// The least of the application's targets counts; 0: 600.
	Backlog int

	ID     string // once it is furnished
	verify func([]byte, http.Header) error
	mu     sync.Mutex // guards count
	count  int
}

// Visit is a webhook that has arrived and waits for its answer.
type Visit struct {
	Target *Target
	Mark   string
	Life   int  // of the server that sent it
	Seen   bool // the endpoint has seen the message before
}

// Answer gives the status for a webhook. It returns when ctx ends, at the latest.
type Answer func(ctx context.Context, v Visit) int

// Everything wants all messages of the application.
func Everything(Item) bool { return true }

// Prompt takes everything at once.
func Prompt(context.Context, Visit) int { return http.StatusNoContent }

// Flaky fails every fourth request with 500, but each message at most once.
func Flaky(_ context.Context, v Visit) int {
	t := v.Target
	t.mu.Lock()
	defer t.mu.Unlock()
	t.count++
	if t.count%4 == 0 && !v.Seen {
		return http.StatusInternalServerError
	}
	return http.StatusNoContent
}

// Slow hangs for up to 200 ms, depending on the message.
func Slow(ctx context.Context, v Visit) int {
	var sum int
	for _, c := range []byte(v.Mark) {
		sum = (sum*31 + int(c)) % 200
	}
	timer := time.NewTimer(time.Duration(sum) * time.Millisecond)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
	return http.StatusNoContent
}

// Targets are eight endpoints of four applications that differ in what they want
// and in how they answer.
func Targets() []*Target {
	only := func(kind string) apitype.EndpointIn {
		return apitype.EndpointIn{EventTypes: apitype.Some([]string{kind})}
	}
	in := func(channel string) apitype.EndpointIn {
		return apitype.EndpointIn{Channels: apitype.Some([]string{channel})}
	}
	return []*Target{
		{Name: "plain", App: 0, Wants: Everything, Answer: Prompt},
		{Name: "by type", App: 0, Wants: func(i Item) bool { return i.Kind == Kinds[0] }, Filter: only(Kinds[0]), Answer: Prompt},
		{Name: "flaky", App: 1, Wants: Everything, Answer: Flaky},
		{Name: "beside flaky", App: 1, Wants: Everything, Answer: Prompt},
		{Name: "slow", App: 2, Wants: Everything, Answer: Slow, Backlog: 100},
		{Name: "eu", App: 3, Wants: func(i Item) bool { return i.Channel == "eu" }, Filter: in("eu"), Answer: Prompt},
		{Name: "us", App: 3, Wants: func(i Item) bool { return i.Channel == "us" }, Filter: in("us"), Answer: Flaky},
		{Name: "beside channels", App: 3, Wants: Everything, Answer: Prompt},
	}
}

// Check ends the test if there is an error.
func Check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
