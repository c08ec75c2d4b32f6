package storetest

import (
	"bytes"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
)

func (w *world) recoverSome() {
	if len(w.tasks) == 0 || w.chance(30) {
		w.createTask()
	}
	t := pick(w, w.tasks)
	limit := 1 + w.rng.IntN(4)
	before := t.value
	got, work, err := w.store.RecoverStep(w.ctx, before.ID, w.now, limit)
	w.ok(err)
	w.note("recover step of %d for %s, messages from %v to %v: %s", limit, w.endpointName(t.endpoint),
		before.Since.Sub(noon), before.Until.Sub(noon), got.Status)
	if before.Status != hook.TaskRunning {
		w.equal(got, before, "a task that has ended")
		w.equal(work, hook.Lane{}, "its work")
		return
	}
	w.true(bytes.Compare(got.Cursor[:], before.Cursor[:]) >= 0, "the cursor does not go back")
	var queued []*modelDelivery
	if t.endpoint.closed() == hook.ReasonNone {
		to := got.Cursor
		w.true(len(t.ahead(w.model, before.Cursor, to)) <= limit, "a step looks at no more than its limit")
		if got.Status != hook.TaskRunning {
			to = hook.ID(bytes.Repeat([]byte{0xff}, len(to)))
		}
		for _, d := range t.ahead(w.model, before.Cursor, to) {
			if d.recoverable() {
				queued = append(queued, d)
			}
		}
	} else {
		w.true(got.Status != hook.TaskRunning, "the task of a closed endpoint ends")
	}
	for _, d := range queued {
		d.plan(w.now, work.Retry)
		w.note("  queued %s", w.name(d))
	}
	want := before
	want.Queued += int64(len(queued))
	want.Cursor, want.Status, want.UpdatedAt = got.Cursor, got.Status, w.now
	w.equal(got, want, "progress")
	if len(queued) > 0 {
		w.equal(work, hook.Lane{Endpoint: t.endpoint.value.ID, App: w.apps[t.endpoint.app], Retry: work.Retry, Due: w.now}, "the lane that has new work")
	} else {
		w.equal(work, hook.Lane{}, "no work")
	}
	t.value = got
}

func (w *world) createTask() {
	e := pick(w, w.endpoints)
	since := noon
	if w.chance(50) {
		since = w.now.Add(-time.Hour)
	}
	task := hook.Task{
		ID: w.id(), Env: w.env, App: w.apps[e.app], Endpoint: e.value.ID, Kind: hook.TaskRecover, Status: hook.TaskRunning,
		Since: since, Until: w.now.Add(time.Second), CreatedAt: w.now, UpdatedAt: w.now,
	}
	got, _, err := w.store.CreateTask(w.ctx, &task, nil)
	w.ok(err)
	w.tasks = append(w.tasks, &modelTask{value: got, endpoint: e})
}

func (w *world) expireSome() {
	keep := hook.Retention{}
	if w.chance(40) {
		keep.Payloads = 2*time.Hour + 30*time.Minute
	}
	if w.chance(40) {
		keep.Attempts = 3 * time.Hour
	}
	if w.chance(30) {
		keep.Messages = 5 * time.Hour
	}
	var got hook.Expired
	for more := true; more; {
		e, err := w.store.Expire(w.ctx, keep, w.now)
		w.ok(err)
		got.Messages += e.Messages
		got.Payloads += e.Payloads
		got.Unsent += e.Unsent
		more = e.More
	}
	want := w.expire(keep)
	w.note("expire %+v: %+v", keep, got)
	w.equal(got.Messages, want.Messages, "messages removed")
	w.equal(got.Unsent, want.Unsent, "deliveries that were still to be sent")
	w.true(got.Payloads >= want.Payloads, "payloads removed: %d, at least %d", got.Payloads, want.Payloads)
}

// expungeOne drops a payload. What waited for it may end at once, or when the
// engine comes to it and finds nothing to send.
func (w *world) expungeOne() {
	if len(w.messages) == 0 {
		return
	}
	msg := pick(w, w.messages)
	w.note("expunge %s", w.messageName(msg))
	w.ok(w.store.ExpungeMessage(w.ctx, w.env, w.apps[msg.app], hook.Ref{ID: msg.value.ID}))
	msg.gone = true
	for _, d := range msg.deliveries {
		if d.waiting() && w.look(d).Due.IsZero() {
			d.drop(hook.ReasonExpired)
		}
	}
}

// rollUpSome sums up a few attempts. What lists show does not depend on it.
func (w *world) rollUpSome() {
	limit := 1 + w.rng.IntN(6)
	n, err := w.store.RollUp(w.ctx, limit)
	w.ok(err)
	w.note("roll up %d of %d", n, limit)
	w.true(n >= 0 && n <= limit, "it sums up %d, at most %d", n, limit)
}

// patience is how often a feed is read until what was committed shows: stores
// may hold it back while a transaction that began before is still open.
const patience = 100_000

// readOn reads a feed from where it was left to its end.
func (w *world) readOn() {
	kind := pick(w, hook.FeedKinds)
	commits := map[hook.FeedItem]int{}
	for _, e := range w.feeds[kind][w.read[kind]:] {
		if w.kept(e) {
			item := hook.FeedItem{Message: e.message.value.ID, Attempt: e.attempt, App: w.apps[e.message.app], Env: w.env}
			if e.delivery != nil {
				item.Endpoint = e.delivery.endpoint.value.ID
			}
			commits[item] = e.commit
		}
	}
	w.note("read on in the feed of %s: %d entries", kind, len(commits))
	env, limit, last := pick(w, []hook.ID{{}, w.env}), 1+w.rng.IntN(4), 0
	for tries := 0; ; tries++ {
		w.true(tries < patience, "all entries come; %d are missing", len(commits))
		page, err := w.store.ReadFeed(w.ctx, kind, env, w.cursors[kind], limit)
		w.ok(err)
		w.true(len(page.Items) <= limit, "a page has %d entries, at most %d", len(page.Items), limit)
		w.true(len(page.Items) == 0 || page.Next != w.cursors[kind], "the cursor moves on")
		w.cursors[kind] = page.Next
		for _, item := range page.Items {
			commit, ok := commits[item]
			w.true(ok, "%+v is an entry, and new", item)
			w.true(commit >= last, "entries are in the order of commits")
			last = commit
			delete(commits, item)
		}
		if len(commits) == 0 && !page.More {
			break
		}
	}
	w.read[kind] = len(w.feeds[kind])
}
