package listen

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/grapnelhq/grapnel/apitype"
	"github.com/grapnelhq/grapnel/internal/hook"
)

// livePlace is where a stream is: in each feed, and for what has no feed in time.
type livePlace struct {
	feeds [2]hook.Cursor // by hook.FeedKind
	time  time.Time      // to the millisecond
}

// feedWords are the topics of the feeds in the text of a place.
var feedWords = [2]string{hook.FeedMessages: string(apitype.LiveMessages), hook.FeedAttempts: string(apitype.LiveAttempts)}

// String is the id of an event: topic:commit:within for each feed, and the time.
func (p livePlace) String() string {
	var b strings.Builder
	for kind, c := range p.feeds {
		fmt.Fprintf(&b, "%s:%d:%x,", feedWords[kind], c.Commit, c.Within[:])
	}
	fmt.Fprintf(&b, "time:%d", p.time.UnixMilli())
	return b.String()
}

// parseLivePlace reads what String wrote; false: it is none.
func parseLivePlace(text string) (p livePlace, ok bool) {
	parts := strings.Split(text, ",")
	if len(parts) != len(p.feeds)+1 || len(text) > 256 {
		return livePlace{}, false
	}
	for kind := range p.feeds {
		word, rest, _ := strings.Cut(parts[kind], ":")
		commit, within, _ := strings.Cut(rest, ":")
		n, err := strconv.ParseInt(commit, 10, 64)
		id := &p.feeds[kind].Within
		if word != feedWords[kind] || err != nil || n < 0 || len(within) != 2*len(id) {
			return livePlace{}, false
		}
		for i := range id {
			part, err := strconv.ParseUint(within[2*i:2*i+2], 16, 8)
			if err != nil {
				return livePlace{}, false
			}
			id[i] = byte(part)
		}
		p.feeds[kind].Commit = n
	}
	word, millis, _ := strings.Cut(parts[len(p.feeds)], ":")
	n, err := strconv.ParseInt(millis, 10, 64)
	if word != "time" || err != nil || n < 0 {
		return livePlace{}, false
	}
	p.time = time.UnixMilli(n)
	return p, true
}

// livePage is how many entries of a feed are looked at for one event.
const livePage = 500

// collect gathers what is new and puts the place behind it.
func (s *stream) collect(ctx context.Context, e *apitype.LiveEvent) error {
	for _, kind := range hook.FeedKinds {
		if !s.follows(apitype.LiveTopic(feedWords[kind])) {
			continue
		}
		if err := s.feed(ctx, kind, e); err != nil {
			return err
		}
	}
	now := s.live.now()
	if now.Sub(s.polled) < pollEvery-lookEvery {
		return nil
	}
	return s.look(ctx, e, time.Time{})
}

// feed reads what a feed has since. If there is more than one page, the rest is not
// told: whoever follows reads the list again.
func (s *stream) feed(ctx context.Context, kind hook.FeedKind, e *apitype.LiveEvent) error {
	page, err := s.live.store.ReadFeed(ctx, kind, s.Env, s.at.feeds[kind], livePage)
	if err != nil {
		return err
	}
	told := 0
	for _, item := range page.Items {
		if !s.App.IsZero() && item.App != s.App {
			continue
		}
		if told == MostTold {
			e.More = true
			break
		}
		added, err := s.item(ctx, kind, item, e)
		if err != nil {
			return err
		}
		if added {
			told++
		}
	}
	s.at.feeds[kind] = page.Next
	if !page.More {
		return nil
	}
	e.More = true
	s.at.feeds[kind], err = s.live.store.FeedEnd(ctx, kind)
	return err
}

// item tells of one entry; false: it is gone.
func (s *stream) item(ctx context.Context, kind hook.FeedKind, item hook.FeedItem, e *apitype.LiveEvent) (bool, error) {
	app, source, err := s.owner(ctx, item.App)
	if err != nil || app == "" && source == "" {
		return false, err
	}
	if kind == hook.FeedAttempts {
		e.Attempts = append(e.Attempts, apitype.LiveAttempt{
			ID: hook.KindAttempt.Format(item.Attempt), MsgID: hook.KindMessage.Format(item.Message), AppID: app, SourceID: source,
			EndpointID: hook.KindEndpoint.Format(item.Endpoint),
		})
		return true, nil
	}
	m, err := s.live.store.FindMessage(ctx, s.Env, item.App, hook.Ref{ID: item.Message}, false)
	if isCode(err, hook.CodeNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	e.Messages = append(e.Messages, apitype.LiveMessage{ID: hook.KindMessage.Format(m.ID), AppID: app, SourceID: source, EventType: m.EventType})
	return true, nil
}

// owner gives the id of the application, or of the source; both empty: it is gone.
func (s *stream) owner(ctx context.Context, id hook.ID) (app, source string, err error) {
	isSource, known := s.isSource[id]
	if !known {
		a, err := s.live.store.FindApplication(ctx, s.Env, hook.Ref{ID: id})
		if isCode(err, hook.CodeNotFound) {
			return "", "", nil
		}
		if err != nil {
			return "", "", err
		}
		if len(s.isSource) >= mostRemembered {
			clear(s.isSource)
		}
		isSource = a.Source
		s.isSource[id] = isSource
	}
	if isSource {
		return "", hook.KindSource.Format(id), nil
	}
	return hook.KindApplication.Format(id), "", nil
}

// look reads what has no feed. since is where a new stream begins, whose first look
// only learns what is there: what is not newer than that was told to somebody already.
func (s *stream) look(ctx context.Context, e *apitype.LiveEvent, since time.Time) error {
	if s.follows(apitype.LiveRequests) {
		if err := s.lookAtRequests(ctx, e, since); err != nil {
			return err
		}
	}
	if s.follows(apitype.LiveTasks) {
		if err := s.lookAtTasks(ctx, e, since); err != nil {
			return err
		}
	}
	s.polled = s.live.now()
	if since.IsZero() {
		s.at.time = s.polled
	}
	return nil
}

// lateBy is after how long a request is not new any more: an older one is seen because
// newer ones were removed.
const lateBy = time.Minute

// lookAtRequests tells of those that were not there at the last look. They are written
// a little after they were received, so their order is no help.
func (s *stream) lookAtRequests(ctx context.Context, e *apitype.LiveEvent, since time.Time) error {
	page, err := s.live.store.ListEnvironmentRequests(ctx, hook.RecentRequestFilter{Env: s.Env, Limit: 2 * MostTold})
	if err != nil {
		return err
	}
	before := s.requests
	s.requests = make(map[hook.ID]struct{}, len(page.Items))
	told := 0
	for i := range page.Items {
		r := &page.Items[i].Request
		if _, seen := before[r.ID]; seen || !since.IsZero() && !r.ReceivedAt.After(since) || s.at.time.Sub(r.ReceivedAt) > lateBy {
			s.requests[r.ID] = struct{}{}
			continue
		}
		if !since.IsZero() {
			continue // newer than the place: the first event tells of it
		}
		s.requests[r.ID] = struct{}{}
		if told == MostTold {
			e.More = true
			break
		}
		told++
		e.Requests = append(e.Requests, apitype.LiveRequest{
			ID: hook.KindRequest.Format(r.ID), SourceID: hook.KindSource.Format(r.Source), State: r.State.String(),
		})
	}
	return nil
}

// lookAtTasks tells of those that have changed since the last look.
func (s *stream) lookAtTasks(ctx context.Context, e *apitype.LiveEvent, since time.Time) error {
	page, err := s.live.store.ListTasks(ctx, hook.TaskFilter{Env: s.Env, Page: hook.Page{Limit: MostTold}})
	if err != nil {
		return err
	}
	told := make(map[hook.ID]hook.Task, len(page.Items))
	for _, t := range page.Items {
		if !s.App.IsZero() && t.App != s.App {
			continue
		}
		before, seen := s.tasks[t.ID]
		if !since.IsZero() && t.UpdatedAt.After(since) {
			continue // the first event tells of it
		}
		told[t.ID] = t
		if since.IsZero() && (!seen || before != t) {
			e.Tasks = append(e.Tasks, apitype.LiveTask{ID: hook.KindTask.Format(t.ID), Status: string(t.Status)})
		}
	}
	s.tasks = told
	return nil
}
