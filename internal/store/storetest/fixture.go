package storetest

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
	"github.com/grapnelhq/grapnel/internal/store"
	"github.com/grapnelhq/grapnel/internal/testx"
)

// noon is when every test begins.
var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// nodeLease is how long nodes live that are not meant to die: longer than any
// test takes by a clock of the store's own.
const nodeLease = time.Hour

// policy is the retry schedule of the tests: four attempts in all.
var policy = hook.RetryPolicy{
	Steps:        []time.Duration{5 * time.Second, 5 * time.Minute, 30 * time.Minute},
	TimeoutFloor: time.Minute,
}

// What endpoints answer.
var (
	answerOK   = hook.Outcome{Class: hook.Success, Status: 200}
	answerFail = hook.Outcome{Class: hook.FailStatus5xx, Status: 500, Detail: "It answered 500."}
	answerGone = hook.Outcome{Class: hook.FailGone, Status: 410, Detail: "It answered 410."}
)

// fixture is one test at work: a store with an environment, an application and
// a node, and the time.
type fixture struct {
	*testing.T
	harness Harness
	store   store.Store
	ctx     context.Context
	env     hook.ID
	app     hook.ID
	node    hook.Node
	now     time.Time
}

func newFixture(t *testing.T, h Harness) *fixture {
	f := &fixture{T: t, harness: h, store: h.Store, ctx: t.Context(), now: noon}
	f.env = f.newEnvironment("first")
	f.app = f.newApp().ID
	f.register()
	return f
}

// pass lets time go by.
func (f *fixture) pass(d time.Duration) { f.now = f.now.Add(d) }

// must ends the test if a step that has to work does not.
func (f *fixture) must(err error) {
	f.Helper()
	testx.NoError(f, err)
}

// register makes the test's node anew.
func (f *fixture) register() {
	f.Helper()
	f.node = testx.Must(f.store.RegisterNode(f.ctx, "node", nodeLease, f.now))(f)
}

// crash goes on with what a killed process would have left.
func (f *fixture) crash() {
	f.Helper()
	f.store = f.harness.Crash(f.T)
}

func (f *fixture) newEnvironment(name string) hook.ID {
	f.Helper()
	e := &hook.Environment{ID: hook.NewID(f.now), Name: name, CreatedAt: f.now}
	f.must(f.store.CreateEnvironment(f.ctx, e))
	return e.ID
}

func (f *fixture) newApp(change ...func(*hook.Application)) hook.Application {
	f.Helper()
	a := f.appValue(change...)
	got, _, err := f.store.CreateApplication(f.ctx, &a, nil)
	f.must(err)
	return got
}

// appValue is an application that is not stored yet.
func (f *fixture) appValue(change ...func(*hook.Application)) hook.Application {
	a := hook.Application{ID: hook.NewID(f.now), Env: f.env, Name: "Customer", CreatedAt: f.now, UpdatedAt: f.now}
	for _, c := range change {
		c(&a)
	}
	return a
}

// newEndpoint stores an endpoint of the test's application.
func (f *fixture) newEndpoint(change ...func(*hook.Endpoint)) hook.Endpoint {
	f.Helper()
	e := f.endpointValue(change...)
	got, _, err := f.store.CreateEndpoint(f.ctx, &e, 0, nil)
	f.must(err)
	return got
}

func (f *fixture) endpointValue(change ...func(*hook.Endpoint)) hook.Endpoint {
	e := hook.Endpoint{
		ID: hook.NewID(f.now), App: f.app, Env: f.env, URL: "https://example.com/hook",
		Secrets:   []hook.SealedSecret{{Sealed: []byte("sealed")}},
		CreatedAt: f.now, UpdatedAt: f.now,
	}
	for _, c := range change {
		c(&e)
	}
	return e
}

// update changes an endpoint of the test's application.
func (f *fixture) update(endpoint hook.ID, change func(*hook.Endpoint)) hook.Endpoint {
	f.Helper()
	e, _, err := f.store.UpdateEndpoint(f.ctx, f.env, f.app, hook.Ref{ID: endpoint}, nil, func(e *hook.Endpoint) error {
		change(e)
		e.UpdatedAt = f.now
		return nil
	})
	f.must(err)
	return e
}

func (f *fixture) disable(endpoint hook.ID) {
	f.Helper()
	f.update(endpoint, func(e *hook.Endpoint) { e.Disable(hook.DisabledByUser, f.now) })
}

func (f *fixture) enable(endpoint hook.ID) {
	f.Helper()
	f.update(endpoint, func(e *hook.Endpoint) { e.Enable() })
}

func (f *fixture) deleteEndpoint(endpoint hook.ID) {
	f.Helper()
	testx.Equal(f, testx.Must(f.store.DeleteEndpoint(f.ctx, f.env, f.app, hook.Ref{ID: endpoint}, f.now))(f), endpoint)
}

// event is a message that is not stored yet.
func (f *fixture) event(change ...func(*hook.NewEvent)) hook.NewEvent {
	e := hook.NewEvent{Message: hook.Message{
		ID: hook.NewID(f.now), App: f.app, Env: f.env, EventType: "invoice.paid", ContentType: "application/json",
		Body: []byte(`{"amount":1200}`), CreatedAt: f.now,
	}}
	e.BodySize = len(e.Body)
	for _, c := range change {
		c(&e)
	}
	return e
}

// accept stores events for which there is no place: all their deliveries are due.
func (f *fixture) accept(events ...hook.NewEvent) []hook.Accepted {
	f.Helper()
	return f.acceptWith(&places{}, events...)
}

func (f *fixture) acceptWith(p *places, events ...hook.NewEvent) []hook.Accepted {
	f.Helper()
	out := testx.Must(f.store.Accept(f.ctx, f.node, p, f.now, events))(f)
	testx.Equal(f, len(out), len(events), "number of results")
	return out
}

// send stores one event that must be taken, and gives the id of its message.
func (f *fixture) send(change ...func(*hook.NewEvent)) hook.ID {
	f.Helper()
	a := f.accept(f.event(change...))[0]
	testx.NoError(f, a.Err)
	return a.Message.ID
}

// sendLeased stores one event whose deliveries are leased at once.
func (f *fixture) sendLeased(change ...func(*hook.NewEvent)) (hook.ID, []*hook.Lease) {
	f.Helper()
	a := f.acceptWith(&places{room: everywhere}, f.event(change...))[0]
	testx.NoError(f, a.Err)
	return a.Message.ID, a.Leased
}

// first and retry name the two lanes of an endpoint, to claim most of it.
func first(endpoint hook.ID, most int) hook.ClaimLane {
	return hook.ClaimLane{Endpoint: endpoint, Max: most}
}

func retry(endpoint hook.ID, most int) hook.ClaimLane {
	return hook.ClaimLane{Endpoint: endpoint, Retry: true, Max: most}
}

// claim leases from lanes, with bytes enough.
func (f *fixture) claim(lanes ...hook.ClaimLane) []hook.ClaimedLane {
	f.Helper()
	out := testx.Must(f.store.Claim(f.ctx, hook.ClaimRequest{Node: f.node, Now: f.now, Lanes: lanes, MaxBytes: 1 << 30}))(f)
	testx.Equal(f, len(out), len(lanes), "number of lanes")
	return out
}

// claimOne leases the one delivery that must be due to the endpoint now.
func (f *fixture) claimOne(endpoint hook.ID) *hook.Lease {
	f.Helper()
	var leases []*hook.Lease
	for _, c := range f.claim(first(endpoint, 10), retry(endpoint, 10)) {
		leases = append(leases, c.Leases...)
	}
	testx.Equal(f, len(leases), 1, "deliveries due")
	return leases[0]
}

// settlement is what the engine makes of an answer.
func (f *fixture) settlement(l *hook.Lease, o hook.Outcome) hook.Settlement {
	s := hook.Settlement{Lease: l, Now: f.now, Then: hook.Next(l.Tried, o, policy, f.now, 0.5)}
	s.Attempt = hook.Attempt{
		ID: hook.NewID(f.now), Message: l.Message.ID, Endpoint: l.Endpoint.ID, Number: l.Number,
		URL: l.Endpoint.URL, Outcome: o, StartedAt: f.now, NextDue: s.Then.Due,
		Response: []byte("answer"), ResponseHeaders: []byte(`{"server":"x"}`), RequestHeaders: []byte(`{"webhook-id":"y"}`),
		Timings: hook.Timings{Queue: time.Millisecond, Total: 20 * time.Millisecond},
	}
	if l.Tried.Manual {
		s.Attempt.Trigger = hook.TriggerManual
	}
	return s
}

// settle ends a lease that must still be ours.
func (f *fixture) settle(l *hook.Lease, o hook.Outcome) hook.Settled {
	f.Helper()
	out := f.settleAll(f.settlement(l, o))[0]
	testx.True(f, !out.Lost, "the lease is still ours")
	return out
}

func (f *fixture) settleAll(s ...hook.Settlement) []hook.Settled {
	f.Helper()
	out := testx.Must(f.store.Settle(f.ctx, s))(f)
	testx.Equal(f, len(out), len(s), "number of results")
	return out
}

// untried is a lease given up for good without an attempt, as the engine does
// when the payload is gone.
func (f *fixture) untried(l *hook.Lease) hook.Settlement {
	return hook.Settlement{Lease: l, Now: f.now, Then: hook.Transition{
		State: hook.Canceled, Reason: hook.ReasonExpired, Step: l.Tried.Step,
	}}
}

func (f *fixture) release(leases ...*hook.Lease) {
	f.Helper()
	f.must(f.store.Release(f.ctx, leases, f.now))
}

func (f *fixture) resend(message, endpoint hook.ID) hook.Lane {
	f.Helper()
	return testx.Must(f.store.Resend(f.ctx, f.env, f.app, hook.Ref{ID: message}, hook.Ref{ID: endpoint}, f.now, nil))(f)
}

// delivery gives the delivery of a message to an endpoint, which must exist.
func (f *fixture) delivery(message, endpoint hook.ID) hook.Delivery {
	f.Helper()
	e := f.explain(message, endpoint)
	if e == nil || e.Delivery == nil {
		f.Fatal("there is no such delivery")
	}
	testx.Equal(f, e.Delivery.Message, message)
	testx.Equal(f, e.Delivery.Endpoint, endpoint)
	return *e.Delivery
}

// explain gives what is known about one endpoint and a message; nil: nothing.
func (f *fixture) explain(message, endpoint hook.ID) *hook.EndpointExplanation {
	f.Helper()
	x := testx.Must(f.store.ExplainMessage(f.ctx, f.env, f.app, hook.Ref{ID: message}))(f)
	for i := range x.Endpoints {
		if x.Endpoints[i].Endpoint.ID == endpoint {
			return &x.Endpoints[i]
		}
	}
	return nil
}

// state is a delivery cut down to what most tests are about.
type state struct {
	State    hook.State
	Reason   hook.Reason
	Attempts int
	Step     int
	Manual   bool
	Due      time.Time
}

// expect compares the delivery of a message to an endpoint.
func (f *fixture) expect(message, endpoint hook.ID, want state) {
	f.Helper()
	d := f.delivery(message, endpoint)
	testx.Equal(f, state{d.State, d.Reason, d.Attempts, d.Step, d.Manual, d.Due}, want, "delivery")
}

// attempts gives the attempts of a message, the first one first.
func (f *fixture) attempts(message hook.ID) []hook.Attempt {
	f.Helper()
	p := testx.Must(f.store.ListAttempts(f.ctx, hook.AttemptFilter{
		Env: f.env, App: f.app, Message: message, StatusClass: -1, Page: hook.Page{Limit: 250, Ascending: true},
	}))(f)
	testx.True(f, !p.More, "one page holds all attempts")
	return p.Items
}

// numbers gives the numbers of the attempts of a message, ascending.
func (f *fixture) numbers(message hook.ID) []int {
	f.Helper()
	var out []int
	for _, a := range f.attempts(message) {
		out = append(out, a.Number)
	}
	slices.Sort(out)
	return out
}

// places answers Accept's question for room, and keeps what Accept said.
type places struct {
	room func(e *hook.Endpoint, size int) bool // nil: nowhere

	mu       sync.Mutex // guards what follows
	asked    []hook.ID
	reserved map[hook.ID]int // places held by endpoint
	bytes    int
	due      []dueCall
}

type dueCall struct {
	Endpoint hook.ID
	Retry    bool
	At       time.Time
}

func everywhere(*hook.Endpoint, int) bool { return true }

// Reserve implements hook.Placer.
func (p *places) Reserve(e *hook.Endpoint, size int) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked = append(p.asked, e.ID)
	if p.room == nil || !p.room(e, size) {
		return false
	}
	if p.reserved == nil {
		p.reserved = map[hook.ID]int{}
	}
	p.reserved[e.ID]++
	p.bytes += size
	return true
}

// Unreserve implements hook.Placer.
func (p *places) Unreserve(e *hook.Endpoint, size int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.reserved[e.ID]--; p.reserved[e.ID] == 0 {
		delete(p.reserved, e.ID)
	}
	p.bytes -= size
}

// Due implements hook.Placer.
func (p *places) Due(e *hook.Endpoint, retry bool, at time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.due = append(p.due, dueCall{e.ID, retry, at})
}
