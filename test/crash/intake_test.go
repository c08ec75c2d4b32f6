//go:build crash

package crash_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/grapnelhq/grapnel/apitype"
	"github.com/grapnelhq/grapnel/provider"
	"github.com/grapnelhq/grapnel/test/rig"
	"github.com/grapnelhq/grapnel/webhook"
)

// intake is all around the sources of a server: the providers that send to them, the
// receiver of what they pass on, and the books about both.
type intake struct {
	origins  []*origin
	gate     *gate
	receiver *httptest.Server
	http     *http.Client
	senders  sync.WaitGroup

	mu      sync.Mutex // guards everything below
	changed *sync.Cond
	events  []map[string]*received // by source and id
	kills   []time.Time
	faults  []string
	books   intakeBooks
}

// received is what is known about one event.
type received struct {
	sent     int
	acked    int // answers with 2xx
	arrivals []time.Time
	message  string // as the first arrival named it
}

type intakeBooks struct {
	sent, silent, sentAgain                  int
	accepted, unknown, unknownStored, forged int
	delivered, doubles                       int
}

func newIntake(t *testing.T, all []*origin) *intake {
	n := &intake{origins: all, gate: newGate(), http: &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 16}}}
	n.changed = sync.NewCond(&n.mu)
	for range all {
		n.events = append(n.events, map[string]*received{})
	}
	n.receiver = httptest.NewServer(http.HandlerFunc(n.serve))
	t.Cleanup(func() {
		n.http.CloseIdleConnections()
		n.receiver.CloseClientConnections()
		n.receiver.Close()
	})
	return n
}

// begin starts the providers. They end by finish, or with the test.
func (n *intake) begin(t *testing.T) {
	for index := range n.origins {
		for sender := range sendersPerSource {
			n.senders.Go(func() { n.provide(t.Context(), index, sender) })
		}
	}
	t.Cleanup(func() {
		n.gate.end()
		n.senders.Wait()
	})
}

// kill kills a server while the providers send to it.
func (n *intake) kill(s *rig.Server) {
	n.mu.Lock()
	n.kills = append(n.kills, time.Now())
	n.mu.Unlock()
	s.Kill()
	n.gate.shut(s.Door())
}

// finish lets the providers end and waits until everything acknowledged has arrived.
func (n *intake) finish() {
	n.gate.end()
	n.senders.Wait()
	late := false
	timer := time.AfterFunc(drainWithin, func() {
		n.mu.Lock()
		defer n.mu.Unlock()
		late = true
		n.changed.Broadcast()
	})
	defer timer.Stop()
	n.mu.Lock()
	defer n.mu.Unlock()
	for !late && n.outstanding() > 0 {
		n.changed.Wait()
	}
}

func (n *intake) outstanding() (count int) {
	for _, events := range n.events {
		for _, e := range events {
			if e.acked > 0 && len(e.arrivals) == 0 {
				count++
			}
		}
	}
	return count
}

func (n *intake) fault(format string, args ...any) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.faultHeld(format, args...)
}

func (n *intake) faultHeld(format string, args ...any) {
	if len(n.faults) < 30 {
		n.faults = append(n.faults, fmt.Sprintf(format, args...))
	}
}

func (n *intake) event(index int, id string) *received {
	e := n.events[index][id]
	if e == nil {
		e = &received{}
		n.events[index][id] = e
	}
	return e
}

// answered notes what a provider was told.
func (n *intake) answered(index int, id string, status int, request string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	e := n.event(index, id)
	e.sent++
	n.books.sent++
	forged := strings.HasSuffix(id, "-forged")
	switch {
	case status == 0:
		n.books.silent++
	case forged && status == http.StatusUnauthorized:
		n.books.forged++
	case forged:
		n.faultHeld("the forged event %s was answered %d", id, status)
	case status/100 == 2:
		if request == "" {
			n.faultHeld("the answer to %s names no request", id)
		}
		if e.acked > 0 {
			n.books.sentAgain++
		}
		e.acked++
	case status == http.StatusServiceUnavailable: // it could not be stored, and the provider knows
	default:
		n.faultHeld("the event %s was answered %d", id, status)
	}
}

// serve takes what the sources pass on. It looks at both signatures: the provider's,
// which shows that not a byte has changed, and the server's own.
func (n *intake) serve(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the server died while it sent
	}
	index, err := strconv.Atoi(strings.TrimPrefix(r.URL.Path, "/"))
	if err != nil || index >= len(n.origins) {
		n.fault("a request for nobody arrived at %s", r.URL.Path)
		return
	}
	o := n.origins[index]
	theirs, err := o.verifier(o.secret)
	if err != nil {
		n.fault("%v", err)
		return
	}
	verdict := theirs.Verify(r.Context(), provider.Request{Method: r.Method, Header: r.Header, Body: body}, time.Now())
	if !verdict.OK() {
		n.fault("what arrived from %s is no longer what was sent: %s %s", o.provider, verdict.Reason, verdict.Detail)
	}
	if err := webhook.MustVerifier(o.key).Verify(r.Header, body); err != nil {
		n.fault("what arrived from %s: %v", o.provider, err)
	}
	if _, want := o.event(verdict.EventID); !bytes.Equal(body, want) {
		n.fault("the body of event %q arrived as %q", verdict.EventID, body)
	}
	n.arrived(index, verdict.EventID, r.Header.Get(webhook.HeaderID))
}

func (n *intake) arrived(index int, id, message string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	e := n.event(index, id)
	if e.message != "" && e.message != message {
		n.faultHeld("event %s arrived as %s and as %s: it was processed twice", id, e.message, message)
	}
	e.message = message
	e.arrivals = append(e.arrivals, time.Now())
	n.changed.Broadcast()
}

// compare looks at every event of a source.
func (n *intake) compare(index int, accepted map[string]apitype.RequestFacts, messages map[string]bool, rows map[string]int, refused int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for id, e := range n.events[index] {
		r, stored := accepted[id]
		if stored && (r.MessageID == nil || !messages[*r.MessageID] || e.message != "" && e.message != *r.MessageID) {
			n.faultHeld("event %s was accepted as message %v, which there is not, and arrived as %s", id, r.MessageID, e.message)
		}
		if rows[id] > e.sent {
			n.faultHeld("event %s was sent %d times and is there %d times", id, e.sent, rows[id])
		}
		switch {
		case e.acked > 0:
			n.books.accepted++
			if !stored {
				n.faultHeld("event %s was acknowledged and is not there", id)
			}
			if len(e.arrivals) == 0 {
				n.faultHeld("event %s was acknowledged and did not arrive", id)
			}
		case strings.HasSuffix(id, "-forged"):
			refused--
			if stored || len(e.arrivals) > 0 {
				n.faultHeld("the forged event %s was believed", id)
			}
		default:
			n.books.unknown++
			if stored {
				n.books.unknownStored++
			}
		}
		n.compareArrivals(id, e)
	}
	if refused > 0 {
		n.faultHeld("%d more requests of %s were refused than were forged", refused, n.origins[index].provider)
	}
	for id := range accepted {
		if n.events[index][id] == nil {
			n.faultHeld("nobody sent event %s, but it is there", id)
		}
	}
}

// compareArrivals holds that an event comes again only after a kill.
func (n *intake) compareArrivals(id string, e *received) {
	if len(e.arrivals) > 0 {
		n.books.delivered++
	}
	for i := 1; i < len(e.arrivals); i++ {
		n.books.doubles++
		because := false
		for _, kill := range n.kills {
			// What was answered up to a second before it may not have been recorded.
			because = because || e.arrivals[i].After(kill) && e.arrivals[i-1].Add(time.Second).After(kill)
		}
		if !because {
			n.faultHeld("event %s arrived at %v: twice, and no kill was between", id, e.arrivals)
		}
	}
}

// gate lets the providers through to the server while it runs.
type gate struct {
	mu      sync.Mutex // guards the rest
	changed *sync.Cond
	door    rig.Door
	isOpen  bool
	ended   bool
}

func newGate() *gate {
	g := &gate{}
	g.changed = sync.NewCond(&g.mu)
	return g
}

func (g *gate) open(d rig.Door) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.door, g.isOpen = d, true
	g.changed.Broadcast()
}

// shut lets nobody through to a server that is dead. It may be said late, when the next
// one runs already.
func (g *gate) shut(d rig.Door) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.isOpen = g.isOpen && g.door.Life > d.Life
}

func (g *gate) end() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.ended = true
	g.changed.Broadcast()
}

// pass waits for a server; false: nothing more is sent.
func (g *gate) pass() (rig.Door, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for !g.isOpen && !g.ended {
		g.changed.Wait()
	}
	return g.door, !g.ended
}
