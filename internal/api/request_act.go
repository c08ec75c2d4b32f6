package api

import (
	"net/http"
	"time"

	"github.com/grapnelhq/grapnel/apitype"
	"github.com/grapnelhq/grapnel/internal/hook"
)

// verifyRequest looks at a stored request with the secrets and settings of today.
func verifyRequest(c *call) (reply, error) {
	s, id, err := c.sourceAndRequest()
	if err != nil {
		return reply{}, err
	}
	in, err := decodeOptional[apitype.RequestVerifyIn](c)
	if err != nil {
		return reply{}, err
	}
	r, err := c.VerifyRequest(c.ctx(), c.key.Env, s.ID, id, in.Process.Else(false))
	if err != nil {
		return reply{}, err
	}
	return ok(c.requestOut(&s, &r))
}

// replayRequest sends a stored request again: as a new message on the ways that the
// source has now, or once to a URL, of which nothing is kept.
func replayRequest(c *call) (reply, error) {
	s, id, err := c.sourceAndRequest()
	if err != nil {
		return reply{}, err
	}
	in, err := decodeOptional[apitype.RequestReplayIn](c)
	if err != nil {
		return reply{}, err
	}
	var body []byte // nil: as it came
	if text, given := in.Body.Get(); given {
		body = []byte(text)
	}
	if to, given := in.To.Get(); given {
		return c.replayTo(&s, id, to.URL, body)
	}
	messages, err := c.ReplayRequest(c.ctx(), c.key.Env, s.ID, id, body)
	if err != nil {
		return reply{}, err
	}
	out := apitype.RequestReplayOut{Messages: []apitype.ReplayedMessage{}}
	for i := range messages {
		m := &messages[i]
		owner := hook.KindApplication
		if m.App == s.ID {
			owner = hook.KindSource
		}
		out.Messages = append(out.Messages, apitype.ReplayedMessage{ID: messageKey(m), OwnerID: owner.Format(m.App), EventType: m.EventType})
	}
	return reply{status: http.StatusAccepted, body: out}, nil
}

func (c *call) replayTo(s *hook.Source, id hook.ID, raw string, body []byte) (reply, error) {
	if c.hidesPayloads() { // who names the address could read the body there
		return reply{}, payloadsHidden()
	}
	var k checker
	if raw == "" || len(raw) > maxURL {
		k.bad("must be 1 to 65536 characters", "to", "url")
		return reply{}, k.err()
	}
	clean, userinfo, err := c.CheckURL(raw)
	switch {
	case err != nil:
		k.bad(messageOf(err), "to", "url")
	case userinfo != "":
		k.bad("must not have a user and password", "to", "url")
	}
	if err := k.err(); err != nil {
		return reply{}, err
	}
	r, err := c.Store.FindRequest(c.ctx(), c.key.Env, s.ID, id, true)
	if err != nil {
		return reply{}, err
	}
	if r.BodyGone {
		return reply{}, &hook.Error{Code: hook.CodeMissingPayload, Detail: "The body of this request is not kept any more."}
	}
	if body != nil {
		r.Body, r.BodySize = body, len(body)
	}
	a, err := c.SendTo(c.ctx(), clean, r)
	if err != nil {
		return reply{}, err
	}
	return ok(apitype.RequestReplayOut{Messages: []apitype.ReplayedMessage{}, Attempt: replayAttempt(&a, clean)})
}

func replayAttempt(a *hook.Attempt, url string) *apitype.ReplayAttempt {
	out := &apitype.ReplayAttempt{
		URL: url, Outcome: a.Outcome.Class.String(), ResponseStatusCode: int16(a.Outcome.Status),
		ResponseDurationMs: a.Timings.Total.Milliseconds(), Timings: timingsOut(&a.Timings), Timestamp: a.StartedAt.UTC(),
		Response: responseOf(a),
	}
	return out
}

const (
	purgeSlice  = 500
	purgeRounds = 40 // so that one call ends within seconds
)

// purgeRequests removes requests that became no message, some at a time so that no
// one else waits long for the store.
func purgeRequests(c *call) (reply, error) {
	s, err := c.source()
	if err != nil {
		return reply{}, err
	}
	in, err := decodeOptional[apitype.RequestPurgeIn](c)
	if err != nil {
		return reply{}, err
	}
	out, before := apitype.RequestPurgeOut{}, in.Before.Else(time.Time{})
	for range purgeRounds {
		n, err := c.Store.PurgeRequests(c.ctx(), c.key.Env, s.ID, before, purgeSlice)
		if err != nil {
			return reply{}, err
		}
		if out.Removed += n; n < purgeSlice {
			out.Done = true
			break
		}
	}
	return ok(out)
}
