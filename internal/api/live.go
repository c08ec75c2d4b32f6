package api

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/grapnelhq/grapnel/apitype"
	"github.com/grapnelhq/grapnel/internal/hook"
)

// LiveRequest is a caller that may follow what is new.
type LiveRequest struct {
	Env    hook.ID
	App    hook.ID // zero: all of the environment
	Topics []apitype.LiveTopic
	// LastEventID is where the caller was before, empty: now.
	LastEventID string
	// Follower tells one caller from another, for the bound of streams.
	Follower hook.ID
	// Still says whether the caller may go on; the error is why not.
	Still func(ctx context.Context) error
}

// LiveFunc streams to a caller until it goes. An error means that nothing was written.
type LiveFunc func(w http.ResponseWriter, r *http.Request, l LiveRequest) error

var (
	environmentTopics = []apitype.LiveTopic{apitype.LiveMessages, apitype.LiveAttempts, apitype.LiveRequests, apitype.LiveTasks}
	applicationTopics = []apitype.LiveTopic{apitype.LiveMessages, apitype.LiveAttempts, apitype.LiveTasks}
)

// followEnvironment streams what is new in an environment.
func followEnvironment(c *call) (reply, error) { return c.follow(hook.ID{}, environmentTopics) }

// followApplication streams what is new of an application.
func followApplication(c *call) (reply, error) {
	ref, err := c.appRef()
	if err != nil {
		return reply{}, err
	}
	app, err := c.Store.FindApplication(c.ctx(), c.key.Env, ref)
	if err == nil && app.Source {
		err = hook.NotFound("application")
	}
	if err != nil {
		return reply{}, err
	}
	return c.follow(app.ID, applicationTopics)
}

func (c *call) follow(app hook.ID, topics []apitype.LiveTopic) (reply, error) {
	q := c.params()
	last := c.r.Header.Get("Last-Event-ID")
	if last == "" {
		last = q.text("last_event_id") // a page that opens a new EventSource cannot set the header
	}
	asked := q.text("topics")
	if err := q.err(); err != nil {
		return reply{}, err
	}
	if asked != "" {
		var wanted []apitype.LiveTopic
		for word := range strings.SplitSeq(asked, ",") {
			topic := apitype.LiveTopic(word)
			if !slices.Contains(topics, topic) {
				return reply{}, badRequest("The query value `topics` names one that there is not here: the topics are " + joinTopics(topics) + ".")
			}
			if !slices.Contains(wanted, topic) {
				wanted = append(wanted, topic)
			}
		}
		topics = wanted
	}
	if c.r.Method == http.MethodHead {
		return reply{status: http.StatusOK}, nil
	}
	return reply{}, c.Live(c.w, c.r, LiveRequest{
		Env: c.key.Env, App: app, Topics: topics, LastEventID: last, Follower: c.key.ID, Still: c.still(app),
	})
}

// still looks again whether the caller may follow: the session, the key or the
// application may have ended since.
func (c *call) still(app hook.ID) func(context.Context) error {
	return func(ctx context.Context) error {
		again := &call{API: c.API, w: c.w, r: c.r.WithContext(ctx), id: c.id, route: c.route, values: c.values, now: c.Now()}
		if err := c.authorize(again); err != nil {
			return err
		}
		if app.IsZero() {
			return nil
		}
		_, err := c.Store.FindApplication(ctx, c.key.Env, hook.Ref{ID: app})
		return err
	}
}

func joinTopics(topics []apitype.LiveTopic) string {
	words := make([]string, len(topics))
	for i, t := range topics {
		words[i] = string(t)
	}
	return strings.Join(words, ", ")
}
