package send

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
)

// Sender makes attempts. It is used by many goroutines. Close it at the end.
type Sender struct {
	opts     Options
	names    []signatureNames
	targets  targets
	direct   transport
	standard transport
	pool     *pool
	client   *http.Transport
	// exchanges holds idle *exchange values.
	exchanges sync.Pool
}

// transport carries a signed exchange to its target and back. It fills in phase,
// reused, timings but Queue and Total, and either what came back or err.
type transport interface {
	roundTrip(ctx context.Context, x *exchange)
}

// New validates the options and makes a Sender. It starts nothing.
func New(opts Options) (*Sender, error) {
	opts, err := opts.withDefaults()
	if err != nil {
		return nil, err
	}
	s := &Sender{
		opts:    opts,
		names:   opts.SignatureHeaders.names(),
		targets: targets{max: opts.MaxPrepared, byID: make(map[hook.ID]*target)},
		pool:    newPool(opts.MaxIdle, opts.MaxIdlePerHost, opts.IdleTimeout),
	}
	s.exchanges.New = func() any { return new(exchange) }
	s.client = newClient(&s.opts)
	s.standard = &standard{client: s.client, opts: &s.opts}
	s.direct = newDirect(&s.opts, s.pool)
	return s, nil
}

// Close drops the connections that are idle. Attempts in flight end as they
// would; their connections are not kept.
func (s *Sender) Close() {
	s.pool.close()
	s.client.CloseIdleConnections()
}

// Post makes the next attempt of the delivery that l is the lease of, within the
// limits of Options.Timeouts and ctx. It fills in everything but ID, NextDue and
// Timings.Queue.
//
// A caller that cancels ctx learns from Outcome.Status whether the answer was
// faster: with Status 0 the attempt was cut off by the caller and says nothing
// about the endpoint.
func (s *Sender) Post(ctx context.Context, l *hook.Lease) hook.Attempt {
	start, now := time.Now(), s.opts.Now()
	a := hook.Attempt{
		Message: l.Message.ID, Endpoint: l.Endpoint.ID, Number: l.Number, Trigger: hook.TriggerScheduled,
		URL: l.Endpoint.URL, StartedAt: now,
	}
	if l.Tried.Manual {
		a.Trigger = hook.TriggerManual
	}
	s.attempt(ctx, &a, s.target(l.Endpoint, now), l, start, now)
	return a
}

// attempt makes the attempt and fills in what came of it.
func (s *Sender) attempt(ctx context.Context, a *hook.Attempt, to *target, l *hook.Lease, start, now time.Time) {
	contentType := l.Message.ContentType
	if contentType == "" && l.Message.Envelope == nil {
		contentType = "application/json"
	}
	if refusal := refuse(to, l.Message, contentType); refusal != "" {
		a.Outcome = hook.Outcome{Class: hook.FailPolicy, Detail: refusal}
		a.Timings.Total = time.Since(start)
		return
	}

	x := s.exchanges.Get().(*exchange)
	x.to, x.body, x.contentType = to, l.Message.Body, contentType
	x.start, x.now = start, now
	x.deadline = start.Add(s.opts.Timeouts.Total)
	if limit, ok := ctx.Deadline(); ok && limit.Before(x.deadline) {
		x.deadline = limit
	}
	if to.signer != nil {
		x.sign(l.Message.ID)
	}
	if s.opts.Traceparent != nil && !to.ownParent {
		x.parent = s.opts.Traceparent(x.parent[:0], l)
	}
	if e := l.Message.Envelope; e != nil {
		x.passed = to.pass(e, len(x.parent) > 0)
	}
	if s.opts.Fresh != nil && !s.opts.Fresh() {
		a.Unsent = true
		x.err = context.Canceled
	} else {
		s.choose(x).roundTrip(ctx, x)
	}
	x.timings.Total = time.Since(start)
	if x.phase != answered && errors.Is(ctx.Err(), context.Canceled) {
		x.err = context.Canceled // whatever it looked like from inside
	}
	to.learn(x)
	a.Outcome = x.outcome()
	a.Timings = x.timings
	a.Response, a.ResponseHeaders, a.RequestHeaders = x.response, x.responseHeaders, x.requestHeaders()
	x.clear()
	s.exchanges.Put(x)
}

// target gives the prepared endpoint. One that cannot be sent to is kept as such,
// so that the log tells it once for each revision.
func (s *Sender) target(e *hook.Endpoint, now time.Time) *target {
	if t := s.targets.find(e, now); t != nil {
		return t
	}
	t, err := s.prepare(e, now)
	if err != nil {
		var cause *prepareError
		t = &target{revision: e.Revision, refusal: sentenceURL}
		if errors.As(err, &cause) {
			t.refusal = cause.sentence
		}
		if cause != nil && cause.fault {
			s.opts.Log.Error("an endpoint cannot be sent to", "endpoint", hook.KindEndpoint.Format(e.ID), "reason", cause.sentence, "cause", cause.err)
		}
	}
	s.targets.keep(e.ID, t)
	return t
}

func refuse(to *target, m *hook.Message, contentType string) string {
	switch {
	case to.refusal != "":
		return to.refusal
	case m.BodyGone:
		return sentenceBody
	case !validValue(contentType):
		return sentenceContent
	}
	return ""
}

// sign writes id, time and signature. The time is that of this attempt.
func (x *exchange) sign(message hook.ID) {
	unix := x.now.Unix()
	x.id = hook.KindMessage.Append(x.id[:0], message)
	x.timestamp = strconv.AppendInt(x.timestamp[:0], unix, 10)
	x.signature = x.to.signer.AppendSignature(x.signature[:0], string(x.id), unix, x.body)
}

// learn notes whether the host answers in HTTP/1.1 over TLS.
func (t *target) learn(x *exchange) {
	switch {
	case !t.secure:
	case x.phase == answered:
		t.http1.Store(x.major == 1)
	case x.phase == handshaking:
		t.http1.Store(false) // perhaps it has stopped to offer it
	}
}

// maxDirectBody is the largest body that the direct transport writes without
// reading at the same time, in bytes. A peer's kernel takes that much, head
// included, before its program reads, so an early answer cannot be missed.
const maxDirectBody = 32 << 10

func (s *Sender) choose(x *exchange) transport {
	if s.opts.EgressProxy != nil || len(x.body) > maxDirectBody || x.to.secure && !x.to.http1.Load() {
		return s.standard
	}
	if x.passed != nil && x.passed.method == http.MethodHead {
		return s.standard // which knows that such an answer has no body, whatever it says
	}
	return s.direct
}
