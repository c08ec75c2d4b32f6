//go:build crash

package crash_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/grapnelhq/grapnel/apitype"
	"github.com/grapnelhq/grapnel/test/rig"
)

// lastGeneration is one that no server has.
const lastGeneration = -1

const (
	singlesPerApp = 3
	batchSize     = 20
	// wrongEvery is how often a publisher sends something that must be refused.
	wrongEvery = 10
)

// load publishes to all applications from many goroutines.
type load struct {
	world *world
	http  *http.Client
	wg    sync.WaitGroup
}

// wire is a message as it goes over the wire.
type wire struct {
	EventType string   `json:"eventType"`
	Payload   any      `json:"payload"`
	Channels  []string `json:"channels,omitempty"`
}

func wireOf(i item) wire {
	w := wire{EventType: i.kind, Payload: map[string]string{"mark": i.mark, "pad": strings.Repeat("x", 200)}}
	if i.channel != "" {
		w.Channels = []string{i.channel}
	}
	return w
}

// newLoad starts the publishers. They wait at the ledger's gate.
func newLoad(t *testing.T, w *world) *load {
	t.Helper()
	l := &load{world: w, http: &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 64}}}
	for app := range w.apps {
		for n := range singlesPerApp {
			l.wg.Go(func() { l.singles(t.Context(), app, n) })
		}
		l.wg.Go(func() { l.batches(t.Context(), app) })
	}
	t.Cleanup(func() {
		w.ledger.end()
		w.ledger.gate(lastGeneration) // whoever tries again finds no server and gives up with the test's context
		l.wg.Wait()
	})
	return l
}

func (l *load) url(app int, more string) string {
	return "http://" + l.world.options.Listen + "/api/v1/app/" + l.world.apps[app] + "/msg" + more
}

func makeItem(app, n, serial int, word string) item {
	return item{
		mark: fmt.Sprintf("%s-%d-%d-%d", word, app, n, serial), app: app,
		kind: kinds[serial%len(kinds)], channel: channels[serial%len(channels)],
	}
}

// singles publishes one message after the other. The first publisher of each
// application has idempotency keys and tries again until it knows.
func (l *load) singles(ctx context.Context, app, n int) {
	for serial := 0; ; serial++ {
		generation := l.world.ledger.begin(app)
		if generation == 0 {
			return
		}
		i := makeItem(app, n, serial, "single")
		switch {
		case serial%wrongEvery == wrongEvery-1:
			l.publishWrong(ctx, generation, i, serial/wrongEvery)
		case n == 0:
			l.publishUntilKnown(ctx, generation, i)
		default:
			o, id := l.publish(ctx, generation, i, "")
			l.world.ledger.published(i, o, id)
		}
		l.world.ledger.finish()
	}
}

// publish sends one message and says what came of it.
func (l *load) publish(ctx context.Context, generation int, i item, once string) (o outcome, id string) {
	a, err := post(ctx, l.http, l.url(i.app, ""), rig.Key, once, wireOf(i))
	switch {
	case err != nil:
		l.world.ledger.lost(generation)
		return unknown, ""
	case a.status == http.StatusAccepted:
		var out apitype.MessageOut
		if err := json.Unmarshal(a.body, &out); err != nil {
			l.world.ledger.fault("the answer to a publish is no message: %s", a.body)
		}
		return accepted, out.ID
	case a.status != http.StatusServiceUnavailable:
		l.world.ledger.fault("a good message was answered %d: %s", a.status, a.body)
	}
	return refused, ""
}

// publishUntilKnown repeats a message under one key until there is an answer. It
// must happen once, however often it was sent.
func (l *load) publishUntilKnown(ctx context.Context, generation int, i item) {
	o, id := l.publish(ctx, generation, i, "crash-"+i.mark)
	// After an answer that was lost, a refusal tells nothing about the first try.
	for lost := o == unknown; lost && o != accepted && ctx.Err() == nil; {
		o, id = l.publish(ctx, l.world.ledger.next(), i, "crash-"+i.mark)
	}
	l.world.ledger.published(i, o, id)
}

// publishWrong sends what the server must refuse, each time another fault.
func (l *load) publishWrong(ctx context.Context, generation int, i item, turn int) {
	i.mark = "wrong-" + i.mark
	body, url, key, want := wireOf(i), l.url(i.app, ""), rig.Key, http.StatusUnprocessableEntity
	switch turn % 4 {
	case 0:
		body.EventType = "no name"
	case 1:
		url, want = strings.Replace(url, l.world.apps[i.app], "nobody", 1), http.StatusNotFound
	case 2:
		key, want = "not-a-key-of-this-server", http.StatusUnauthorized
	case 3:
		body.Channels = []string{"no channel!"}
	}
	a, err := post(ctx, l.http, url, key, "", body)
	if err != nil {
		l.world.ledger.lost(generation)
	} else if a.status != want && a.status != http.StatusServiceUnavailable {
		l.world.ledger.fault("a wrong message was answered %d, want %d: %s", a.status, want, a.body)
	}
	// No answer is no excuse here: it must not be delivered either way.
	l.world.ledger.published(i, refused, "")
}

// batches publishes many messages at once, one of them wrong.
func (l *load) batches(ctx context.Context, app int) {
	for serial := 0; ; serial++ {
		generation := l.world.ledger.begin(app)
		if generation == 0 {
			return
		}
		items := make([]item, batchSize)
		bodies := make([]wire, batchSize)
		for n := range items {
			items[n] = makeItem(app, n, serial*batchSize+n, "batch")
			bodies[n] = wireOf(items[n])
		}
		wrong := serial % batchSize
		items[wrong].mark = "wrong-" + items[wrong].mark
		bodies[wrong] = wireOf(items[wrong])
		bodies[wrong].EventType = "no name"
		l.publishBatch(ctx, generation, app, items, bodies, wrong)
		l.world.ledger.finish()
	}
}

func (l *load) publishBatch(ctx context.Context, generation, app int, items []item, bodies []wire, wrong int) {
	a, err := post(ctx, l.http, l.url(app, "/batch"), rig.Key, "", bodies)
	var out apitype.MessageBatchOut
	if err != nil {
		l.world.ledger.lost(generation)
	}
	if err == nil && a.status == http.StatusAccepted {
		if err := json.Unmarshal(a.body, &out); err != nil || len(out.Data) != len(items) {
			l.world.ledger.fault("the answer to a batch has not one result each: %s", a.body)
			return
		}
	}
	for n, i := range items {
		o, id := unknown, ""
		switch {
		case n == wrong || err == nil && a.status == http.StatusServiceUnavailable:
			o = refused
		case err != nil:
		case a.status != http.StatusAccepted:
			l.world.ledger.fault("a batch was answered %d: %s", a.status, a.body)
		case out.Data[n].Message != nil:
			o, id = accepted, out.Data[n].Message.ID
		default:
			o = refused
			if out.Data[n].Status != http.StatusServiceUnavailable {
				l.world.ledger.fault("a good item was answered %d: %v", out.Data[n].Status, out.Data[n].Error)
			}
		}
		l.world.ledger.published(i, o, id)
	}
	if len(out.Data) > 0 && out.Data[wrong].Status != http.StatusUnprocessableEntity {
		l.world.ledger.fault("the wrong item of a batch was answered %d", out.Data[wrong].Status)
	}
}
