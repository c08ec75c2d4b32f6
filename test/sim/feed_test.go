package sim_test

import (
	"context"
	"slices"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
)

// follower reads a feed from the beginning through all crashes and restarts, as a
// live page or a rollup does: it keeps nothing but its cursor.
type follower struct {
	kind hook.FeedKind
	at   hook.Cursor
	all  []fed
	seen map[hook.ID]int
}

// fed is one entry as it came.
type fed struct {
	hook.FeedItem
	when time.Time // of the bubble
}

// key is the id of what the entry is about.
func (f *follower) key(i hook.FeedItem) hook.ID {
	if f.kind == hook.FeedAttempts {
		return i.Attempt
	}
	return i.Message
}

func newFollowers() []*follower {
	var all []*follower
	for _, k := range hook.FeedKinds {
		all = append(all, &follower{kind: k, seen: map[hook.ID]int{}})
	}
	return all
}

// follow reads what is new.
func (w *world) follow(f *follower) {
	for {
		page, err := w.process.store.ReadFeed(w.t.Context(), f.kind, hook.ID{}, f.at, 1+w.dice.IntN(40))
		if err != nil {
			w.violate("the feed of %s cannot be read: %v", f.kind, err)
			return
		}
		for _, item := range page.Items {
			f.seen[f.key(item)]++
			if n := f.seen[f.key(item)]; n > 1 {
				w.violate("the feed of %s gave %v %d times", f.kind, f.key(item), n)
			}
			f.all = append(f.all, fed{item, time.Now()})
		}
		if len(page.Items) == 0 && page.Next != f.at && !page.More {
			w.violate("the cursor of the feed of %s moved from %v to %v and gave nothing", f.kind, f.at, page.Next)
		}
		f.at = page.Next
		if !page.More {
			return
		}
	}
}

// checkFeeds compares what the followers saw with all that is stored, and with
// what somebody sees who begins now.
func (w *world) checkFeeds() {
	if w.broken() {
		return
	}
	messages, attempts := w.everything()
	for _, f := range w.feeds {
		w.follow(f)
		want := messages
		if f.kind == hook.FeedAttempts {
			want = attempts
		}
		for id := range want {
			if f.seen[id] == 0 {
				w.violate("the feed of %s left %v out", f.kind, id)
			}
		}
		if len(f.seen) != len(want) {
			w.violate("the feed of %s gave %d entries, %d are stored", f.kind, len(f.seen), len(want))
		}
		again := &follower{kind: f.kind, seen: map[hook.ID]int{}}
		w.follow(again)
		same := slices.EqualFunc(f.all, again.all, func(a, b fed) bool { return a.FeedItem == b.FeedItem })
		if !same {
			w.violate("the feed of %s has another order from the beginning than it had while it grew", f.kind)
		}
	}
}

// everything gives the ids of all messages and all attempts that are stored.
func (w *world) everything() (messages, attempts map[hook.ID]bool) {
	messages, attempts = map[hook.ID]bool{}, map[hook.ID]bool{}
	for _, m := range w.stored() {
		messages[m.ID] = true
		for _, a := range w.attemptsOf(m.App, m.ID) {
			attempts[a.ID] = true
		}
	}
	return messages, attempts
}

// stored lists all messages.
func (w *world) stored() (all []hook.Message) {
	for _, a := range w.apps {
		page := hook.Page{Limit: 250, Ascending: true}
		for {
			got, err := w.process.store.ListMessages(w.t.Context(), hook.MessageFilter{Env: w.env, App: a.id, WithBody: true, Page: page})
			if err != nil {
				w.violate("messages cannot be listed: %v", err)
				return all
			}
			all = append(all, got.Items...)
			if !got.More {
				break
			}
			page.From = got.Items[len(got.Items)-1].ID
		}
	}
	return all
}

// attemptsOf lists the attempts of a message, by endpoint and number.
func (w *world) attemptsOf(app, message hook.ID) []hook.Attempt {
	page, err := w.process.store.ListAttempts(context.Background(), hook.AttemptFilter{
		Env: w.env, App: app, Message: message, StatusClass: -1, Page: hook.Page{Limit: 250},
	})
	if err != nil || page.More {
		w.violate("attempts of %v cannot be listed: %v", message, err)
	}
	slices.SortFunc(page.Items, func(a, b hook.Attempt) int { return a.Number - b.Number })
	return page.Items
}
