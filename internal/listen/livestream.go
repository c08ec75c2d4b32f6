package listen

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/grapnelhq/grapnel/apitype"
	"github.com/grapnelhq/grapnel/internal/hook"
)

// stream is one connection. All but wake and doubt is of the goroutine that serves it.
type stream struct {
	Follow
	live  *Live
	wake  chan struct{} // the Live sends: something may be new
	doubt chan struct{} // the Live sends: the caller may be out
	w     http.ResponseWriter
	rc    *http.ResponseController

	at       livePlace
	isSource map[hook.ID]bool      // owners that were looked up
	requests map[hook.ID]struct{}  // of the last look
	tasks    map[hook.ID]hook.Task // as they were told
	polled   time.Time             // the last look at requests and tasks
	allowed  time.Time             // the last time that the caller still was
}

// mostRemembered bounds the owners that a stream remembers.
const mostRemembered = 1000

// follows reports whether the caller asked for the topic.
func (s *stream) follows(t apitype.LiveTopic) bool { return slices.Contains(s.Topics, t) }

// start finds the place to begin at and sends the header.
func (s *stream) start(ctx context.Context) error {
	s.isSource, s.tasks = make(map[hook.ID]bool), make(map[hook.ID]hook.Task)
	s.allowed = s.live.now()
	at, resumed := parseLivePlace(s.LastEventID)
	for _, kind := range hook.FeedKinds {
		end, err := s.live.store.FeedEnd(ctx, kind)
		if err != nil {
			return err
		}
		// A place behind the end is of a database that this one was before.
		if !resumed || at.feeds[kind].Commit > end.Commit {
			at.feeds[kind] = end
		}
	}
	now := s.live.now()
	if !resumed || at.time.After(now) || now.Sub(at.time) > time.Hour {
		at.time = now
	}
	s.at = at
	if err := s.look(ctx, &apitype.LiveEvent{}, at.time); err != nil {
		return err
	}
	h := s.w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no") // nginx would hold events back
	// The limits for requests do not fit one that has no end; each write has its own.
	_ = s.rc.SetReadDeadline(time.Time{})
	s.w.WriteHeader(http.StatusOK)
	return nil
}

// serve sends what is new until there is a reason to end.
func (s *stream) serve(ctx context.Context) {
	hello := fmt.Appendf(nil, "retry: %d\n", retryAfter.Milliseconds())
	if !s.write(s.frame(hello, &apitype.LiveEvent{})) {
		return
	}
	beat := time.NewTicker(Heartbeat)
	defer beat.Stop()
	look := time.NewTicker(lookAtCaller)
	defer look.Stop()
	var polls <-chan time.Time // nil: nothing is polled
	if s.follows(apitype.LiveRequests) || s.follows(apitype.LiveTasks) {
		ticker := time.NewTicker(pollEvery)
		defer ticker.Stop()
		polls = ticker.C
	}
	var rest <-chan time.Time // nil: the gap behind the last event is over
	for {
		wake, poll := s.wake, polls
		if rest != nil {
			wake, poll = nil, nil // they wait in their channels
		}
		select {
		case <-ctx.Done():
			return
		case <-s.live.closed:
			s.end(&hook.Error{Code: hook.CodeUnavailable, Detail: "The server is stopping."})
			return
		case <-rest:
			rest = nil
			continue
		case <-s.doubt:
			if !s.may(ctx, true) {
				return
			}
			continue
		case <-look.C:
			if !s.may(ctx, true) {
				return
			}
			continue
		case <-beat.C:
			if !s.write([]byte(": still here\n\n")) {
				return
			}
			continue
		case <-wake:
		case <-poll:
		}
		if !s.tell(ctx) {
			return
		}
		rest = time.After(LiveGap)
	}
}

// tell sends one event if there is something new; false: the stream has ended.
func (s *stream) tell(ctx context.Context) bool {
	var e apitype.LiveEvent
	err := s.collect(ctx, &e)
	if err != nil && ctx.Err() == nil {
		s.live.log.WarnContext(ctx, "a live stream cannot be read", "error", err)
		s.end(&hook.Error{Code: hook.CodeUnavailable, Detail: "The store is not available."})
	}
	if err != nil {
		return false
	}
	if len(e.Messages)+len(e.Attempts)+len(e.Requests)+len(e.Tasks) == 0 && !e.More {
		return true
	}
	return s.may(ctx, false) && s.write(s.frame(nil, &e))
}

// may asks whether the caller still may follow, at once or if it was not asked of
// late, and ends the stream if not.
func (s *stream) may(ctx context.Context, now bool) bool {
	if at := s.live.now(); now || at.Sub(s.allowed) >= stillEvery {
		err := s.Still(ctx)
		var e *hook.Error
		if errors.As(err, &e) && e.Code != hook.CodeUnavailable {
			s.end(e)
			return false
		}
		if err == nil {
			s.allowed = at
		}
	}
	return true
}

// end tells why the stream ends.
func (s *stream) end(why *hook.Error) {
	text, err := json.Marshal(apitype.Error{
		Code: string(why.Code), Title: why.Code.Info().Title, Status: why.Code.Info().Status, Hint: why.Hint, Detail: apitype.ErrorDetail{Text: why.Detail},
	})
	if err == nil {
		s.write(fmt.Appendf(nil, "event: end\ndata: %s\n\n", text))
	}
}

// frame is an event with the place behind it.
func (s *stream) frame(before []byte, e *apitype.LiveEvent) []byte {
	text, err := json.Marshal(e)
	if err != nil {
		s.live.log.Error("a live event cannot be written", "error", err)
		return nil
	}
	return fmt.Appendf(before, "id: %s\ndata: %s\n\n", s.at, bytes.TrimSpace(text))
}

// write sends a frame; false: the connection did not take it in time.
func (s *stream) write(frame []byte) bool {
	if frame == nil {
		return false
	}
	_ = s.rc.SetWriteDeadline(writeBy()) // a writer without deadlines has other bounds
	if _, err := s.w.Write(frame); err != nil {
		return false
	}
	return s.rc.Flush() == nil
}
