package listen

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/grapnelhq/grapnel/apitype"
	"github.com/grapnelhq/grapnel/internal/hook"
)

const (
	// refusedEvery is how often refused requests are looked for.
	refusedEvery = time.Second
	// mostRefused are told of a source at once; the request log has them all.
	mostRefused = 20
	// mostWatched bounds the sources that are looked at for them.
	mostWatched = 20
)

// startRefused remembers where each source's refused requests end now.
func (l *listener) startRefused(ctx context.Context) (goodbye, bool) {
	l.refused = make(map[hook.ID]hook.ID)
	return l.eachRefused(ctx, 1, func(s hook.ID, r []hook.Request) bool {
		l.refused[s] = hook.IDAt(l.hub.Now())
		if len(r) > 0 {
			l.refused[s] = r[0].ID
		}
		return true
	})
}

// tellRefused sends what the sources did not take since. It is told as it is found,
// outside the order and the window of events.
func (l *listener) tellRefused(ctx context.Context) (goodbye, bool) {
	return l.eachRefused(ctx, mostRefused, func(s hook.ID, newest []hook.Request) bool {
		for _, r := range slices.Backward(newest) {
			if string(r.ID[:]) <= string(bytesOf(l.refused[s])) {
				continue
			}
			l.refused[s] = r.ID
			if !l.send(ctx, apitype.ListenFrame{Type: apitype.ListenFrameRefused, Refused: refusedOut(&r)}) {
				return false
			}
		}
		return true
	})
}

func bytesOf(id hook.ID) []byte { return id[:] }

// eachRefused reads the newest refused requests of each source.
func (l *listener) eachRefused(ctx context.Context, limit int, do func(hook.ID, []hook.Request) bool) (goodbye, bool) {
	watched := 0
	for _, id := range l.order {
		if l.owners[id].source == nil {
			continue
		}
		if watched++; watched > mostWatched {
			break
		}
		page, err := l.hub.Store.ListRequests(ctx, hook.RequestFilter{
			Env: l.key.Env, Source: id, States: []hook.RequestState{hook.RequestRefused}, Page: hook.Page{Limit: limit},
		})
		if isCode(err, hook.CodeNotFound) {
			continue // the source was deleted
		}
		if err != nil {
			l.hub.Log.WarnContext(ctx, "refused requests cannot be read", "error", err)
			return goodbyeStore, false
		}
		if !do(id, page.Items) {
			return goodbyeSlow, false
		}
	}
	return goodbye{}, true
}

func refusedOut(r *hook.Request) *apitype.ListenRefused {
	out := &apitype.ListenRefused{
		ID: hook.KindRequest.Format(r.ID), Source: hook.KindSource.Format(r.Source), Reason: r.Reason, Detail: r.Detail,
		EventType: r.EventType, Status: r.Status, BodySize: r.BodySize, ReceivedAt: r.ReceivedAt,
	}
	var findings []struct{ Text string }
	if json.Unmarshal(r.Findings, &findings) == nil {
		for _, f := range findings {
			out.Findings = append(out.Findings, f.Text)
		}
	}
	return out
}
