package listen

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/grapnelhq/grapnel/apitype"
	"github.com/grapnelhq/grapnel/internal/hook"
)

// pump sends events until there are no more or the window is full.
func (l *listener) pump(ctx context.Context) (goodbye, bool) {
	for len(l.unacked) < Window {
		if len(l.ended) > 0 {
			return goodbye{}, true
		}
		if len(l.left) == 0 {
			more, err := l.turn(ctx)
			if err != nil {
				l.hub.Log.WarnContext(ctx, "the feed cannot be read", "error", err)
				return goodbyeStore, false
			}
			if !more {
				return goodbye{}, true
			}
			continue
		}
		event, err := l.event(ctx, l.left[0])
		if err != nil {
			l.hub.Log.WarnContext(ctx, "a message cannot be read", "error", err)
			return goodbyeStore, false
		}
		l.advance()
		if event == nil {
			continue
		}
		cursor := l.at.format(l.key.Env)
		l.unacked = append(l.unacked, cursor)
		if !l.send(ctx, apitype.ListenFrame{Type: apitype.ListenFrameEvent, Cursor: cursor, Event: event}) {
			return goodbyeSlow, false
		}
	}
	return goodbye{}, true
}

// advance puts the place behind the next entry of the page.
func (l *listener) advance() {
	l.at.after = l.left[0].Message
	if l.left = l.left[1:]; len(l.left) == 0 {
		l.at = place{before: l.page.Next}
	}
}

// turn reads the next page; false: there is nothing new.
func (l *listener) turn(ctx context.Context) (bool, error) {
	page, err := l.hub.Store.ReadFeed(ctx, hook.FeedMessages, l.key.Env, l.at.before, pageSize)
	if err != nil {
		return false, err
	}
	l.page, l.left = page, page.Items
	if !l.at.after.IsZero() {
		l.left = behind(page.Items, l.at.after)
	}
	if len(l.left) == 0 {
		l.at = place{before: page.Next}
		return page.More, nil
	}
	return true, nil
}

// behind gives the items after that message. If retention has removed it, all of them:
// rather twice than never.
func behind(items []hook.FeedItem, message hook.ID) []hook.FeedItem {
	for i := range items {
		if items[i].Message == message {
			return items[i+1:]
		}
	}
	return items
}

// credentials are the headers that a source passes on only if its owner says so: they
// are for the receiver, and who may read is not always who may have them.
var credentials = []string{"authorization", "cookie", "cookie2", "proxy-authorization"}

// event gives the message of an entry, or nil if it is not wanted or is gone.
func (l *listener) event(ctx context.Context, item hook.FeedItem) (*apitype.ListenEvent, error) {
	o, err := l.ownerOf(ctx, item.App)
	if err != nil || !o.wanted() {
		return nil, err
	}
	if !l.from.IsZero() && item.Message.Time().Before(l.from) {
		return nil, nil
	}
	m, err := l.hub.Store.FindMessage(ctx, l.key.Env, item.App, hook.Ref{ID: item.Message}, true)
	if isCode(err, hook.CodeNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	e := &apitype.ListenEvent{
		ID: hook.KindMessage.Format(m.ID), EventType: m.EventType, EventID: m.EventID, ReceivedAt: m.CreatedAt,
		ContentType: m.ContentType, Body: m.Body, BodyGone: m.BodyGone,
	}
	if o.source != nil {
		e.Source = hook.KindSource.Format(item.App)
	} else {
		e.App = hook.KindApplication.Format(item.App)
	}
	if v := m.Envelope; v != nil {
		e.Method, e.Path, e.Query = v.Method, v.Path, v.Query
		for _, line := range v.Headers {
			if name := strings.ToLower(line[0]); !slices.Contains(credentials, name) || slices.Contains(v.Forward, name) {
				e.Headers = append(e.Headers, line)
			}
		}
	}
	return e, nil
}

// start finds the place to begin at.
func (l *listener) start(ctx context.Context, r request) (place, error) {
	if r.cursor != "" {
		return parsePlace(l.key.Env, r.cursor)
	}
	end, err := l.hub.Store.FeedEnd(ctx, hook.FeedMessages)
	if err != nil || r.since == 0 {
		return place{before: end}, err
	}
	l.from = l.hub.Now().Add(-r.since)
	before, err := l.search(ctx, l.from.Add(-commitSlack), end)
	return place{before: before}, err
}

// commitSlack is how much later than its id a message may have been committed.
const commitSlack = 2 * time.Minute

// search finds a cursor before all messages that were made since that time. Commits
// are numbers that grow, so halving finds it in a few dozen steps.
func (l *listener) search(ctx context.Context, since time.Time, end hook.Cursor) (hook.Cursor, error) {
	low, high := int64(0), end.Commit // what is before low is too old; behind high it is not
	for low < high {
		middle := low + (high-low)/2
		page, err := l.hub.Store.ReadFeed(ctx, hook.FeedMessages, hook.ID{}, hook.Cursor{Commit: middle}, 1)
		if err != nil {
			return hook.Cursor{}, err
		}
		if len(page.Items) > 0 && page.Items[0].Message.Time().Before(since) {
			low = middle + 1
		} else {
			high = middle
		}
	}
	return hook.Cursor{Commit: low}, nil
}
