package sim_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
	"github.com/grapnelhq/grapnel/internal/testx"
	"github.com/grapnelhq/grapnel/webhook"
)

// parcelKey names a delivery as a receiver sees it.
type parcelKey struct{ event, target int }

// parcel is all that one target got of one event. World.mu guards it.
type parcel struct {
	event    *event
	target   *target
	receipts []*receipt
}

// receipt is one request that reached a target.
type receipt struct {
	process   *process
	timestamp string // of the attempt, in the header
	start     time.Time
	wall      time.Time        // the same, by the wall clock
	end       time.Time        // zero: it is still there
	status    int              // whose header was sent; 0: none
	asked     [2]time.Duration // Retry-After as the sender reads it: at least, at most
}

func (w *world) parcelLocked(e *event, g *target) *parcel {
	k := parcelKey{e.number, g.number}
	if w.parcels[k] == nil {
		w.parcels[k] = &parcel{event: e, target: g}
	}
	return w.parcels[k]
}

// open lets a target listen at its address.
func (w *world) open(g *target) error {
	l, err := w.net.Listen(g.addr)
	if err != nil {
		return err
	}
	s := &http.Server{Handler: &site{w, g}, ReadHeaderTimeout: time.Minute}
	w.sites = append(w.sites, s)
	go func() { _ = s.Serve(l) }()
	return nil
}

// site is the HTTP server of a target.
type site struct {
	w *world
	g *target
}

// ServeHTTP looks at a request, keeps a receipt and misbehaves.
func (s *site) ServeHTTP(rw http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return // the sender died in the middle
	}
	p, r, nth := s.arrive(req, body)
	if p == nil {
		return
	}
	defer s.leave(r)
	b := s.w.behave(s.g, p.event, nth)
	b.play(rw, req, func() {
		s.w.mu.Lock()
		defer s.w.mu.Unlock()
		r.status, r.asked = b.status, b.asked()
		s.g.answered(s.w, r)
	})
}

// arrive checks what came and makes the receipt.
func (s *site) arrive(req *http.Request, body []byte) (*parcel, *receipt, int) {
	w, g := s.w, s.g
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.finished {
		return nil, nil, 0
	}
	e := w.byMark[markOf(body)]
	if e == nil {
		w.violateLocked("%s got a body that nobody sent: %.100q", g, body)
		return nil, nil, 0
	}
	if !bytes.Equal(body, e.body) {
		w.violateLocked("%s got %s with other bytes: %.200q", g, e, body)
	}
	if err := g.check.Verify(req.Header, body); err != nil {
		w.violateLocked("%s got %s with a signature that is not good: %v", g, e, err)
	}
	if g.app != e.app {
		w.violateLocked("%s got %s, of another application", g, e)
	}
	r := &receipt{process: w.origins[req.RemoteAddr], timestamp: req.Header.Get(webhook.HeaderTimestamp), start: time.Now(), wall: time.Now().Add(w.clock.offset)}
	g.checkArrival(w, e, r, req.Header.Get(webhook.HeaderID))
	p := w.parcelLocked(e, g)
	p.receipts = append(p.receipts, r)
	w.touched[p] = true
	w.noteLocked("%s got %s, time %d", g, e, len(p.receipts))
	return p, r, len(p.receipts)
}

func (s *site) leave(r *receipt) {
	s.w.mu.Lock()
	defer s.w.mu.Unlock()
	r.end = time.Now()
}

// checkArrival holds what can be said of a request by itself.
func (g *target) checkArrival(w *world, e *event, r *receipt, id string) {
	message, err := hook.KindMessage.Parse(id)
	switch {
	case err != nil:
		w.violateLocked("%s got %s with the id %q", g, e, id)
	case e.id.IsZero():
		e.id = message
	case e.id != message:
		w.violateLocked("%s got %s as %s, but it is %s", g, e, id, hook.KindMessage.Format(e.id))
	}
	if e.refusedAll() {
		w.violateLocked("%s got %s, which was refused", g, e)
	}
	if !e.deliverAt.IsZero() {
		if latest := time.Now().Add(w.clock.peak); latest.Before(e.deliverAt) && !g.resent(e) {
			w.violateLocked("%s got %s %v before the time that was asked for", g, e, e.deliverAt.Sub(latest))
		}
	}
	if h := g.hold; h.process == r.process && r.start.After(h.from) && r.start.Before(h.until) && !w.repeats(e, g, r) {
		w.violateLocked("%s got %s although it had asked for a pause %v before", g, e, r.start.Sub(h.from))
	}
}

// repeats reports whether a request is the last one once more, because its
// connection broke before an answer: the attempt began before.
func (w *world) repeats(e *event, g *target, r *receipt) bool {
	p := w.parcels[parcelKey{e.number, g.number}]
	if p == nil {
		return false
	}
	last := p.receipts[len(p.receipts)-1]
	return last.status == 0 && last.process == r.process && last.timestamp == r.timestamp
}

// hold is a pause that a target asked a process for with 429 and Retry-After.
type hold struct {
	process     *process
	from, until time.Time
}

// answered notes what the sender will make of an answer. World.mu is held.
func (g *target) answered(w *world, r *receipt) {
	switch r.status {
	case http.StatusGone:
		g.everGone, g.everDisabled = true, true
	case http.StatusTooManyRequests:
		if until := time.Now().Add(r.asked[0]); r.asked[0] > 0 && (g.hold.process != r.process || until.After(g.hold.until)) {
			g.hold = hold{r.process, time.Now(), until}
		}
	}
}

// behavior is what a target does with one request.
type behavior struct {
	after      time.Duration
	status     int // 0: no header is sent
	retryAfter time.Duration
	date       bool // Retry-After as a date
	wall       time.Time
	then       ending
}

// ending is how an answer goes on behind its header, or instead of it.
type ending int

const (
	proper    ending = iota
	hang             // nothing comes
	cut              // the connection breaks without a byte
	cutHeader        // it breaks inside the header
	cutBody          // it breaks inside the body
	trickle          // a byte now and then, without end
	endless          // bytes without end
	shortBody        // fewer bytes than the header says, then nothing
	gibberish        // something that is not HTTP
)

// lies are the endings of an answer that the sender takes for one.
var lies = []ending{cutBody, trickle, endless, shortBody}

// play does it; sent is called as the header leaves.
func (b *behavior) play(rw http.ResponseWriter, req *http.Request, sent func()) {
	timer := time.NewTimer(b.after)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-req.Context().Done():
		return
	}
	if b.then == hang {
		<-req.Context().Done()
		return
	}
	if b.then == proper {
		if b.retryAfter > 0 {
			rw.Header().Set("Retry-After", b.retryAfterText())
		}
		sent()
		rw.WriteHeader(b.status)
		_, _ = io.WriteString(rw, "thanks")
		return
	}
	conn, _, err := http.NewResponseController(rw).Hijack()
	if err != nil {
		return
	}
	defer conn.Close()
	left := make(chan struct{}) // closed when the sender has gone
	go func() {
		defer close(left)
		_, _ = io.Copy(io.Discard, conn)
	}()
	c, _ := conn.(*testx.Conn) // the network knows no other
	b.lie(c, left, sent)
	conn.Close()
	<-left
}

func (b *behavior) lie(c *testx.Conn, left <-chan struct{}, sent func()) {
	head := fmt.Sprintf("HTTP/1.1 %d Whatever\r\nContent-Type: text/plain\r\n", b.status)
	write := func(text string) bool {
		_, err := io.WriteString(c, text)
		return err == nil
	}
	switch b.then {
	case proper, hang:
	case cut:
		c.Reset()
	case cutHeader:
		write(head)
	case gibberish:
		write("SSH-2.0-OpenSSH_9.9\r\n\r\n")
	case cutBody:
		sent()
		write(head + "Content-Length: 1000\r\n\r\nhalf")
	case shortBody:
		sent()
		write(head + "Content-Length: 1000\r\n\r\nhalf")
		<-left
	case endless:
		sent()
		write(head + "\r\n")
		more := true
		for chunk := string(make([]byte, 16<<10)); more; {
			more = write(chunk)
		}
	case trickle:
		sent()
		write(head + "Transfer-Encoding: chunked\r\n\r\n")
		tick := time.NewTicker(300 * time.Millisecond)
		defer tick.Stop()
		for write("1\r\nx\r\n") {
			select {
			case <-tick.C:
			case <-left:
				return
			}
		}
	}
}

// asked bounds Retry-After as the sender reads it: a date has whole seconds.
func (b *behavior) asked() [2]time.Duration {
	if b.date {
		return [2]time.Duration{max(0, b.retryAfter-time.Second), b.retryAfter}
	}
	return [2]time.Duration{b.retryAfter, b.retryAfter}
}

func (b *behavior) retryAfterText() string {
	if b.date {
		return b.wall.Add(b.retryAfter).UTC().Format(http.TimeFormat)
	}
	return strconv.Itoa(int(b.retryAfter / time.Second))
}
