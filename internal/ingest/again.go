package ingest

import (
	"context"
	"fmt"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
	"github.com/grapnelhq/grapnel/provider"
)

// stored is a request that is looked at again, with its source as it is today.
type stored struct {
	request hook.Request
	src     *source
	arrival arrival
	now     time.Time
}

func (g *Gateway) recall(ctx context.Context, env, sourceID, requestID hook.ID) (*stored, error) {
	r, err := g.Store.FindRequest(ctx, env, sourceID, requestID, true)
	if err != nil {
		return nil, err
	}
	s, err := g.Store.FindSource(ctx, env, hook.Ref{ID: sourceID})
	if err != nil {
		return nil, err
	}
	if r.Envelope == nil {
		return nil, &hook.Error{Code: hook.CodeMissingPayload, Detail: "The headers of the request are gone."}
	}
	if r.BodyGone {
		return nil, &hook.Error{Code: hook.CodeMissingPayload, Detail: "The body of the request is gone."}
	}
	src, err := g.compile(s)
	if err != nil {
		return nil, err
	}
	now := g.Now().UTC().Truncate(time.Microsecond)
	return &stored{request: r, src: src, now: now, arrival: arrival{header: headerOf(r.Envelope), body: r.Body}}, nil
}

// Verify verifies a stored request with today's secrets and settings, as of the time
// when it was received, and gives it with reason, detail and findings anew. With
// process one that was refused and now verifies becomes a message; once, however
// often it is asked for.
func (g *Gateway) Verify(ctx context.Context, env, sourceID, requestID hook.ID, process bool) (hook.Request, error) {
	again, err := g.recall(ctx, env, sourceID, requestID)
	if err != nil {
		return hook.Request{}, err
	}
	reason, detail, findings := g.verdict(ctx, again)
	if process && again.request.State == hook.RequestRefused && again.arrival.verdict.OK() {
		done, err := g.process(ctx, again)
		if err != nil || done {
			return again.request, err
		}
		detail = "Its event is there already, as the message " + hook.KindMessage.Format(again.request.Message) + "."
	}
	return g.Store.UpdateRequest(ctx, env, sourceID, requestID, func(r *hook.Request) error {
		r.Reason, r.Detail, r.Findings = reason, detail, findings
		if r.State == hook.RequestAccepted && r.Message == again.request.Message {
			r.Detail = "" // somebody else processed it meanwhile
		}
		return nil
	})
}

// verdict decides about the request as decide would. A fault of the source, or of
// the request apart from its signature, is a reason as well.
func (g *Gateway) verdict(ctx context.Context, a *stored) (reason, detail string, findings []byte) {
	if a.src.verifier == nil {
		a.arrival.verdict = provider.Verdict{Reason: provider.SignatureMismatch}
		return a.src.fault.reason, a.src.fault.detail, nil
	}
	verifier, base, told, err := g.ofToday(a)
	if err != nil {
		a.arrival.verdict = provider.Verdict{Reason: provider.SignatureMismatch}
		return reasonSettings, err.Error(), nil
	}
	e := a.request.Envelope
	req := provider.Request{Method: e.Method, Header: a.arrival.header, Body: a.request.Body}
	for i := range a.src.Tokens { // nobody knows any more which of them it came by
		token, err := g.Open(hook.PurposeSourceToken, a.src.ID, a.src.Tokens[i].Sealed)
		if err != nil {
			continue
		}
		was := req.URL
		req.URL = urlOf(base, string(token), e)
		verdict := verifier.Verify(ctx, req, a.request.ReceivedAt)
		if i == 0 || verdict.OK() {
			a.arrival.verdict = verdict
		} else {
			req.URL = was
		}
		if verdict.OK() {
			break
		}
	}
	if refused := a.src.judge(e.Method, &a.arrival); refused != nil {
		if refused.diagnose {
			findings = diagnose(a.src, req, a.request.ReceivedAt, told)
		} else {
			a.arrival.verdict.Reason = provider.NotAllowed
		}
		return refused.reason, refused.detail, findings
	}
	return string(a.arrival.verdict.Reason), a.arrival.verdict.Detail, nil
}

// ofToday makes a verifier of the secrets that are in force today: a request is
// judged as of when it came, but a secret that has ended since counts no more.
func (g *Gateway) ofToday(a *stored) (v *provider.Verifier, base string, told bool, err error) {
	secrets, err := g.openSecrets(&a.src.Source)
	if err != nil {
		return nil, "", false, err
	}
	var inForce []provider.Secret
	for _, s := range secrets {
		if s.Until.IsZero() || a.now.Before(s.Until) {
			inForce = append(inForce, provider.Secret{Value: s.Value})
		}
	}
	v, err = newVerifier(a.src.Type, a.src.Settings.Verification, g.fetch, inForce)
	base, told = g.PublicURL(nil)
	return v, base, told, err
}

// process makes a message of a refused request that verifies. done is false if its
// event was there already.
func (g *Gateway) process(ctx context.Context, a *stored) (done bool, err error) {
	set := &a.src.Settings
	key, eventType := a.arrival.dedupeKey(set.Dedupe), a.arrival.eventType(set.EventType)
	if key == "" {
		key = hook.KindRequest.Format(a.request.ID) // so that it becomes one message only
	}
	row := a.request
	row.Reason, row.Detail, row.Findings = string(a.arrival.verdict.Reason), "", nil
	row.EventType, row.Key, row.Message = eventType, key, hook.NewID(a.now)
	forwarded := *a.request.Envelope
	forwarded.Forward = a.src.forward
	events := eventsOf(a.src, &a.arrival, &occurrence{
		message: row.Message, key: key, eventType: eventType, contentType: row.ContentType, now: a.now, envelope: &forwarded, request: &row,
	})
	accepted, err := g.Accept(ctx, events)
	if err != nil {
		return false, err
	}
	if err := accepted[0].Err; err != nil {
		return false, err
	}
	g.logRoutes(ctx, a.src, events, accepted)
	if accepted[0].Duplicate {
		a.request.Message = accepted[0].Message.ID
		return false, nil
	}
	a.request, err = g.Store.FindRequest(ctx, a.src.Env, a.src.ID, a.request.ID, false)
	return true, err
}

// Replay sends a stored request through the routes of its source again, as new
// messages; with a body, that one in place of its own. One that was never believed
// must be verified first.
func (g *Gateway) Replay(ctx context.Context, env, sourceID, requestID hook.ID, body []byte) ([]hook.Message, error) {
	a, err := g.recall(ctx, env, sourceID, requestID)
	if err != nil {
		return nil, err
	}
	if body != nil {
		a.arrival.body = body
	}
	switch a.request.State {
	case hook.RequestAccepted, hook.RequestDuplicate, hook.RequestDiffers:
	case hook.RequestRefused:
		return nil, &hook.Error{Code: hook.CodeConflict, Detail: "The request was refused.", Hint: "Verify it again with \"process\": true; then it becomes a message."}
	case hook.RequestHandshake:
		return nil, &hook.Error{Code: hook.CodeConflict, Detail: "The request was part of a subscription and no event.", Hint: "Choose a request that became a message."}
	}
	forwarded := *a.request.Envelope
	forwarded.Forward = a.src.forward
	eventType := a.request.EventType
	if eventType == "" || body != nil && a.src.Settings.EventType.Body != "" {
		eventType = a.arrival.eventType(a.src.Settings.EventType)
	}
	events := eventsOf(a.src, &a.arrival, &occurrence{
		message: hook.NewID(a.now), eventType: eventType, contentType: a.request.ContentType, now: a.now, envelope: &forwarded,
	})
	accepted, err := g.Accept(ctx, events)
	if err != nil {
		return nil, err
	}
	var made []hook.Message
	for i := range accepted {
		if err := accepted[i].Err; err != nil {
			if i == 0 {
				return nil, fmt.Errorf("replaying a request: %w", err)
			}
			continue
		}
		m := accepted[i].Message
		m.Body = nil
		made = append(made, m)
	}
	g.logRoutes(ctx, a.src, events, accepted)
	return made, nil
}
