package sim_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/grapnelhq/grapnel/apitype"
	"github.com/grapnelhq/grapnel/internal/hook"
)

// newEvent draws an event. World.mu is not held.
func (w *world) newEvent() *event {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := len(w.events)
	e := &event{
		number: n, app: w.apps[w.dice.IntN(len(w.apps))], kind: kinds[w.dice.IntN(len(kinds))], resends: map[int]*resending{},
	}
	if w.dice.IntN(2) == 0 {
		e.channels = []string{channels[w.dice.IntN(len(channels))]}
	}
	if w.dice.IntN(2) == 0 {
		e.key = fmt.Sprintf("key-%d", n)
	}
	if w.dice.IntN(4) == 0 {
		e.eventID = fmt.Sprintf("id-%d", n)
	}
	if w.dice.IntN(12) == 0 {
		e.deliverAt = time.Now().Add(w.clock.offset + time.Minute + time.Duration(5+w.dice.IntN(120))*time.Second).UTC().Truncate(time.Millisecond)
	}
	size := []int{0, 50, 2000, 40_000}[w.dice.IntN(4)]
	m := fmt.Sprintf("%d-%d", w.seed, n)
	e.body = fmt.Appendf(nil, `{"mark": %q,  "big": 12345678901234567890.10, "fill": %q}`, m, string(slices.Repeat([]byte("x"), w.dice.IntN(size+1))))
	w.events = append(w.events, e)
	w.byMark[m] = e
	return e
}

func (e *event) in() apitype.MessageIn {
	in := apitype.MessageIn{EventType: e.kind}
	if e.eventID != "" {
		in.EventID = apitype.Some(e.eventID)
	}
	if len(e.channels) > 0 {
		in.Channels = apitype.Some(e.channels)
	}
	if !e.deliverAt.IsZero() {
		in.DeliverAt = apitype.Some(e.deliverAt)
	}
	return in
}

// encode gives the request's bytes, the payload as it is.
func (e *event) encode() []byte {
	frame, _ := json.Marshal(e.in()) // only what JSON can say is asked
	const none = `"payload":null`
	for i := range frame {
		if string(frame[i:min(len(frame), i+len(none))]) == none {
			return slices.Concat(frame[:i+len(none)-len("null")], e.body, frame[i+len(none):])
		}
	}
	return frame
}

// publish lets a caller publish one event; one with an idempotency key asks again
// until there is an answer.
func (w *world) publish() {
	e := w.newEvent()
	if w.dice.IntN(15) == 0 {
		w.twin(e)
	}
	lose := w.lost()
	w.calls.Go(func() { w.send(e, lose, 6) })
}

// twin gives the event an id that another one of its application has.
func (w *world) twin(e *event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, other := range w.events {
		if other != e && other.eventID != "" && other.app == e.app && other.twin == nil && other.accepted() {
			e.twin, e.eventID = other, other.eventID
			return
		}
	}
}

// republish sends an event again that was accepted long ago, under its key.
func (w *world) republish() {
	if e := w.anyEvent(); e != nil && e.key != "" && e.finishedNow(w) {
		w.calls.Go(func() { w.send(e, false, 1) })
	}
}

func (e *event) finishedNow(w *world) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return e.finished
}

func (w *world) send(e *event, lose bool, most int) {
	for try := range most {
		r := w.call(request{method: "POST", path: "/app/" + e.app.text + "/msg", key: e.key, raw: e.encode(), lose: lose && try == 0})
		w.book(e, r)
		if e.key == "" || r.outcome == accepted || r.outcome == refused && r.status != 0 && r.status != http.StatusServiceUnavailable {
			break
		}
		time.Sleep(time.Duration(100<<try) * time.Millisecond)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	e.finished = true
}

// book writes down what a caller was told about an event.
func (w *world) book(e *event, r reply) {
	out, err := into[apitype.MessageOut](r)
	w.bookAs(e, r, r.status, out.ID, err)
}

func (w *world) bookAs(e *event, r reply, status int, id string, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !slices.ContainsFunc(e.tries, func(o outcome) bool { return o != refused }) {
		e.sent = r.sent
	}
	if !e.accepted() {
		e.back = r.back
	}
	e.tries = append(e.tries, r.outcome)
	w.noteLocked("%s (%s %v, key %q, id %q) to application %d: %d %s %v", e, e.kind, e.channels, e.key, e.eventID, e.app.number, status, id, r.err)
	switch r.outcome {
	case unknown:
	case refused:
		w.checkRefusal(e, r, status)
	case accepted:
		message, ierr := hook.KindMessage.Parse(id)
		switch {
		case err != nil || ierr != nil:
			w.violateLocked("%s is accepted with an answer that has no id: %s", e, r.body)
		case e.id.IsZero():
			e.id = message
		case e.id != message:
			w.violateLocked("%s is %s and %s", e, e.text(), id)
		}
		if e.twin != nil && e.twin.accepted() {
			w.violateLocked("%s is accepted although %s has its eventId", e, e.twin)
		}
	}
}

// checkRefusal holds that a good request is refused only for a reason.
func (w *world) checkRefusal(e *event, r reply, status int) {
	switch {
	case status == 0, status == http.StatusServiceUnavailable:
	case status == http.StatusConflict && e.twin != nil:
	case status == http.StatusUnprocessableEntity && !e.deliverAt.IsZero(): // the clock has jumped
	default:
		w.violateLocked("%s is refused with %d: %s", e, status, r.body)
	}
}

// publishBatch lets a caller publish several events in one request.
func (w *world) publishBatch() {
	var batch []*event
	of := w.newEvent()
	for len(batch) < 2+w.dice.IntN(12) {
		e := w.newEvent()
		e.app, e.key = of.app, ""
		batch = append(batch, e)
	}
	batch = append(batch, of)
	of.key = ""
	lose := w.lost()
	w.calls.Go(func() { w.sendBatch(batch, lose) })
}

func (w *world) sendBatch(batch []*event, lose bool) {
	text := []byte{'['}
	for i, e := range batch {
		if i > 0 {
			text = append(text, ',')
		}
		text = append(text, e.encode()...)
	}
	text = append(text, ']')
	r := w.call(request{method: "POST", path: "/app/" + batch[0].app.text + "/msg/batch", raw: text, lose: lose})
	out, err := into[apitype.MessageBatchOut](r)
	if r.outcome == accepted && (err != nil || len(out.Data) != len(batch)) {
		w.violate("a batch of %d is answered with %s", len(batch), r.body)
		return
	}
	for i, e := range batch {
		one, status, id := r, r.status, ""
		if r.outcome == accepted {
			status = out.Data[i].Status
			if out.Data[i].Message != nil {
				id = out.Data[i].Message.ID
			} else {
				one.outcome = refused
			}
		}
		w.bookAs(e, one, status, id, nil)
		w.mu.Lock()
		e.finished = true
		w.mu.Unlock()
	}
}
