package rig

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/grapnelhq/grapnel/apitype"
)

const (
	singlesPerApp = 3
	batchSize     = 20
	// wrongEvery is how often a publisher sends something that must be refused.
	wrongEvery = 10
	// refusedPause is how long a publisher waits after a server could not take its
	// message.
	refusedPause = 20 * time.Millisecond
)

// load publishes to all applications from many goroutines.
type load struct {
	world *World
	wg    sync.WaitGroup
}

// Wire is a message as it goes over the wire.
type Wire struct {
	EventType string     `json:"eventType"`
	Payload   any        `json:"payload"`
	Channels  []string   `json:"channels,omitempty"`
	DeliverAt *time.Time `json:"deliverAt,omitempty"`
}

// WireOf is the message of an item.
func WireOf(i Item) Wire {
	w := Wire{EventType: i.Kind, Payload: map[string]string{"mark": i.Mark, "pad": strings.Repeat("x", 200)}}
	if i.Channel != "" {
		w.Channels = []string{i.Channel}
	}
	return w
}

// Load starts publishers for all applications. They wait at the ledger's gate.
func (w *World) Load(t testing.TB) {
	t.Helper()
	l := &load{world: w}
	for app := range w.Apps {
		for n := range singlesPerApp {
			l.wg.Go(func() { l.singles(t.Context(), app, n) })
		}
		l.wg.Go(func() { l.batches(t.Context(), app) })
	}
	t.Cleanup(func() {
		w.Ledger.close()
		l.wg.Wait()
	})
}

// Publish publishes one message to a server and writes it into the ledger.
func (w *World) Publish(ctx context.Context, d Door, i Item) Outcome {
	_, o := w.PublishBody(ctx, d, i, WireOf(i))
	return o
}

// PublishBody is Publish with a body of the caller's, that must have the item's mark
// in its payload, and with the answer of the server.
func (w *World) PublishBody(ctx context.Context, d Door, i Item, body Wire) (Answered, Outcome) {
	a, o, id := (&load{world: w}).publish(ctx, d, i, "", body)
	w.Ledger.Published(i, o, id)
	return a, o
}

func (l *load) url(d Door, app int, more string) string {
	return d.URL + "/api/v1/app/" + l.world.Apps[app] + "/msg" + more
}

func makeItem(app, n, serial int, word string) Item {
	return Item{
		Mark: fmt.Sprintf("%s-%d-%d-%d", word, app, n, serial), App: app,
		Kind: Kinds[serial%len(Kinds)], Channel: channels[serial%len(channels)],
	}
}

// singles publishes one message after the other. The first publisher of each
// application has idempotency keys and tries again until it knows.
func (l *load) singles(ctx context.Context, app, n int) {
	for serial := 0; ; serial++ {
		door, ok := l.world.Ledger.begin(app)
		if !ok {
			return
		}
		i := makeItem(app, n, serial, "single")
		switch {
		case serial%wrongEvery == wrongEvery-1:
			l.publishWrong(ctx, door, i, serial/wrongEvery)
		case n == 0:
			l.publishUntilKnown(ctx, door, i)
		default:
			_, o, id := l.publish(ctx, door, i, "", WireOf(i))
			l.world.Ledger.Published(i, o, id)
		}
		l.world.Ledger.finish()
	}
}

// send posts to a server, and to the next one if nobody listens at the first: then
// nothing was sent.
func (l *load) send(ctx context.Context, d Door, app int, more, once string, body any) (Answered, error) {
	for {
		a, err := Post(ctx, l.world.http, l.url(d, app, more), Key, once, body)
		if err == nil {
			l.world.Ledger.said(d.Life, a.Status)
			if a.Status >= http.StatusInternalServerError {
				wait(ctx, refusedPause)
			}
			return a, nil
		}
		l.world.Ledger.Shut(d)
		if !errors.Is(err, syscall.ECONNREFUSED) {
			l.world.Ledger.unanswered(d.Life, err)
			return a, err
		}
		var ok bool
		if d, ok = l.world.Ledger.again(); !ok {
			return a, err
		}
	}
}

func wait(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// publish sends one message and says what came of it.
func (l *load) publish(ctx context.Context, d Door, i Item, once string, body Wire) (a Answered, o Outcome, id string) {
	a, err := l.send(ctx, d, i.App, "", once, body)
	switch {
	case err != nil:
		return a, Unknown, ""
	case a.Status == http.StatusAccepted:
		var out apitype.MessageOut
		if err := json.Unmarshal(a.Body, &out); err != nil {
			l.world.Ledger.Fault("the answer to a publish is no message: %s", a.Body)
		}
		return a, Accepted, out.ID
	case a.Status == http.StatusGatewayTimeout: // the server says that it does not know
		return a, Unknown, ""
	case a.Status != http.StatusServiceUnavailable:
		l.world.Ledger.Fault("a good message was answered %d: %s", a.Status, a.Body)
	}
	return a, Refused, ""
}

// publishUntilKnown repeats a message under one key until there is an answer. It
// must happen once, however often it was sent.
func (l *load) publishUntilKnown(ctx context.Context, d Door, i Item) {
	_, o, id := l.publish(ctx, d, i, "load-"+i.Mark, WireOf(i))
	// After an answer that was lost, a refusal tells nothing about the first try.
	for lost := o == Unknown; lost && o != Accepted && ctx.Err() == nil; {
		next, ok := l.world.Ledger.again()
		if !ok {
			o = Unknown
			break
		}
		_, o, id = l.publish(ctx, next, i, "load-"+i.Mark, WireOf(i))
	}
	l.world.Ledger.Published(i, o, id)
}

// publishWrong sends what the server must refuse, each time another fault.
func (l *load) publishWrong(ctx context.Context, d Door, i Item, turn int) {
	i.Mark = "wrong-" + i.Mark
	body, url, key, want := WireOf(i), l.url(d, i.App, ""), Key, http.StatusUnprocessableEntity
	switch turn % 4 {
	case 0:
		body.EventType = "no name"
	case 1:
		url, want = strings.Replace(url, l.world.Apps[i.App], "nobody", 1), http.StatusNotFound
	case 2:
		key, want = "not-a-key-of-this-server", http.StatusUnauthorized
	case 3:
		body.Channels = []string{"no channel!"}
	}
	a, err := Post(ctx, l.world.http, url, key, "", body)
	switch {
	case err != nil:
		l.world.Ledger.Shut(d)
	case a.Status == http.StatusServiceUnavailable:
		wait(ctx, refusedPause)
	case a.Status != want:
		l.world.Ledger.Fault("a wrong message was answered %d, want %d: %s", a.Status, want, a.Body)
	}
	// No answer is no excuse here: it must not be delivered either way.
	l.world.Ledger.Published(i, Refused, "")
}

// batches publishes many messages at once, one of them wrong.
func (l *load) batches(ctx context.Context, app int) {
	for serial := 0; ; serial++ {
		door, ok := l.world.Ledger.begin(app)
		if !ok {
			return
		}
		items := make([]Item, batchSize)
		bodies := make([]Wire, batchSize)
		for n := range items {
			items[n] = makeItem(app, n, serial*batchSize+n, "batch")
			bodies[n] = WireOf(items[n])
		}
		wrong := serial % batchSize
		items[wrong].Mark = "wrong-" + items[wrong].Mark
		bodies[wrong] = WireOf(items[wrong])
		bodies[wrong].EventType = "no name"
		l.publishBatch(ctx, door, items, bodies, wrong)
		l.world.Ledger.finish()
	}
}

func (l *load) publishBatch(ctx context.Context, d Door, items []Item, bodies []Wire, wrong int) {
	a, err := l.send(ctx, d, items[0].App, "/batch", "", bodies)
	var out apitype.MessageBatchOut
	if err == nil && a.Status == http.StatusAccepted {
		if err := json.Unmarshal(a.Body, &out); err != nil || len(out.Data) != len(items) {
			l.world.Ledger.Fault("the answer to a batch has not one result each: %s", a.Body)
			return
		}
	}
	for n, i := range items {
		o, id := Unknown, ""
		switch {
		case n == wrong || err == nil && a.Status == http.StatusServiceUnavailable:
			o = Refused
		case err != nil || a.Status == http.StatusGatewayTimeout:
		case a.Status != http.StatusAccepted:
			l.world.Ledger.Fault("a batch was answered %d: %s", a.Status, a.Body)
		case out.Data[n].Message != nil:
			o, id = Accepted, out.Data[n].Message.ID
		default:
			o = Refused
			if out.Data[n].Status != http.StatusServiceUnavailable {
				l.world.Ledger.Fault("a good item was answered %d: %v", out.Data[n].Status, out.Data[n].Error)
			}
		}
		l.world.Ledger.Published(i, o, id)
	}
	if len(out.Data) > 0 && out.Data[wrong].Status != http.StatusUnprocessableEntity {
		l.world.Ledger.Fault("the wrong item of a batch was answered %d", out.Data[wrong].Status)
	}
}

// Answered is what a server said to a request.
type Answered struct {
	Status int
	Header http.Header
	Body   []byte
}

// Post sends a request with a JSON body. The error means that no answer came.
func Post(ctx context.Context, h *http.Client, url, key, once string, body any) (a Answered, err error) {
	text, err := json.Marshal(body)
	if err != nil {
		return a, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(text))
	if err != nil {
		return a, err
	}
	// Without this the transport repeats a request by itself.
	req.GetBody = nil
	req.Header.Set("Authorization", "Bearer "+key)
	req.Header.Set("Content-Type", "application/json")
	if once != "" {
		req.Header.Set("Idempotency-Key", once)
	}
	resp, err := h.Do(req)
	if err != nil {
		return a, err
	}
	defer resp.Body.Close()
	a.Status, a.Header = resp.StatusCode, resp.Header
	a.Body, err = io.ReadAll(resp.Body)
	return a, err
}
