package deliver

import (
	"sync"

	"github.com/grapnelhq/grapnel/internal/hook"
)

// watchers are those who wait for news of a message. The zero value has none.
type watchers struct {
	mu        sync.Mutex // guards what follows
	byMessage map[hook.ID][]chan struct{}
}

// Watch gives a channel on which a value arrives after an attempt of the
// message has been recorded or its delivery canceled. Signals that come while
// one waits are dropped, so a reader looks at the store after each. stop ends it.
func (e *Engine) Watch(message hook.ID) (changed <-chan struct{}, stop func()) {
	return e.watchers.add(message)
}

func (w *watchers) add(message hook.ID) (<-chan struct{}, func()) {
	c := make(chan struct{}, 1) // sent to by signal, read by the caller of Watch
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.byMessage == nil {
		w.byMessage = map[hook.ID][]chan struct{}{}
	}
	w.byMessage[message] = append(w.byMessage[message], c)
	return c, func() { w.remove(message, c) }
}

func (w *watchers) remove(message hook.ID, c chan struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	var left []chan struct{}
	for _, other := range w.byMessage[message] {
		if other != c {
			left = append(left, other)
		}
	}
	if len(left) == 0 {
		delete(w.byMessage, message)
		return
	}
	w.byMessage[message] = left
}

// signalSettled tells those who watch the messages of a batch.
func (w *watchers) signalSettled(batch []result) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.byMessage) == 0 {
		return
	}
	for _, r := range batch {
		signal(w.byMessage[r.Lease.Message.ID])
	}
}

// signalAll tells everyone: deliveries were canceled, and it is not known whose.
func (w *watchers) signalAll() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, cs := range w.byMessage {
		signal(cs)
	}
}

func signal(cs []chan struct{}) {
	for _, c := range cs {
		select {
		case c <- struct{}{}:
		default:
		}
	}
}
