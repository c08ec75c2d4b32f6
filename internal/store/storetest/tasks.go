package storetest

import (
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
	"github.com/grapnelhq/grapnel/internal/testx"
)

var taskTests = []test{
	{"a task comes back as it was stored", taskComesBack},
	{"running tasks are given oldest first", runningTasks},
	{"a canceled task stays canceled", taskCancel},
	{"recover sends what has failed, and nothing else", recoverSelects},
	{"recover keeps to its range of time", recoverRange},
	{"recover goes in slices and survives a crash", recoverSlices},
	{"recover stops when it is canceled", recoverCanceled},
	{"recover of a closed endpoint ends without sending", recoverClosed},
	{"recover of an endpoint without deliveries ends", recoverNothing},
	{"recover keeps to its rate", recoverRate},
	{"replay sends what would match and never was sent, and nothing else", replayMissing},
	{"what a task would queue can be counted before", countBefore},
}

// taskValue is a recover task, not stored yet, over the last two weeks.
func (f *fixture) taskValue(endpoint hook.ID, change ...func(*hook.Task)) hook.Task {
	t := hook.Task{
		ID: hook.NewID(f.now), Env: f.env, App: f.app, Endpoint: endpoint, Kind: hook.TaskRecover, Status: hook.TaskRunning,
		Since: f.now.Add(-14 * 24 * time.Hour), Until: f.now.Add(time.Second), CreatedAt: f.now, UpdatedAt: f.now,
	}
	for _, c := range change {
		c(&t)
	}
	return t
}

func (f *fixture) newTask(endpoint hook.ID, change ...func(*hook.Task)) hook.Task {
	f.Helper()
	t := f.taskValue(endpoint, change...)
	got, repeated, err := f.store.CreateTask(f.ctx, &t, nil)
	f.must(err)
	testx.True(f, !repeated, "it is new")
	testx.Equal(f, got, t)
	return got
}

func (f *fixture) step(task hook.ID, limit int) (hook.Task, hook.Lane) {
	f.Helper()
	t, lane, err := f.store.RecoverStep(f.ctx, task, f.now, limit)
	f.must(err)
	stored := testx.Must(f.store.FindTask(f.ctx, f.env, task))(f)
	testx.Equal(f, stored, t, "the progress that is stored")
	return t, lane
}

// work takes a task to its end.
func (f *fixture) work(task hook.ID, limit int) hook.Task {
	f.Helper()
	for range 1000 {
		if t, _ := f.step(task, limit); t.Status != hook.TaskRunning {
			return t
		}
	}
	f.Fatal("the task does not end")
	return hook.Task{}
}

func taskComesBack(f *fixture) {
	e := f.newEndpoint()
	want := f.newTask(e.ID)
	testx.Equal(f, testx.Must(f.store.FindTask(f.ctx, f.env, want.ID))(f), want)
	_, err := f.store.FindTask(f.ctx, f.env, hook.NewID(f.now))
	testx.Code(f, err, hook.CodeNotFound)
	_, err = f.store.CancelTask(f.ctx, f.env, hook.NewID(f.now), f.now)
	testx.Code(f, err, hook.CodeNotFound)
	_, _, err = f.store.RecoverStep(f.ctx, hook.NewID(f.now), f.now, 1)
	testx.Code(f, err, hook.CodeNotFound)
}

func runningTasks(f *fixture) {
	e := f.newEndpoint()
	var want []hook.ID
	for range 4 {
		f.pass(time.Second)
		want = append(want, f.newTask(e.ID).ID)
	}
	running := func(limit int) []hook.ID {
		return idsOf(testx.Must(f.store.RunningTasks(f.ctx, limit))(f), func(t hook.Task) hook.ID { return t.ID })
	}
	testx.Equal(f, running(10), want)
	testx.Equal(f, running(2), want[:2])
	f.work(want[0], 10)
	_, err := f.store.CancelTask(f.ctx, f.env, want[2], f.now)
	f.must(err)
	testx.Equal(f, running(10), []hook.ID{want[1], want[3]}, "without those that have ended")
}

func taskCancel(f *fixture) {
	e := f.newEndpoint()
	task := f.newTask(e.ID)
	f.pass(time.Minute)
	got := testx.Must(f.store.CancelTask(f.ctx, f.env, task.ID, f.now))(f)
	want := task
	want.Status, want.Canceled, want.UpdatedAt = hook.TaskFinished, true, f.now
	testx.Equal(f, got, want)
	f.pass(time.Minute)
	testx.Equal(f, testx.Must(f.store.CancelTask(f.ctx, f.env, task.ID, f.now))(f), want, "canceled again")

	done := f.work(f.newTask(e.ID).ID, 10)
	testx.Equal(f, []any{done.Status, done.Canceled}, []any{hook.TaskFinished, false})
	f.pass(time.Minute)
	testx.Equal(f, testx.Must(f.store.CancelTask(f.ctx, f.env, done.ID, f.now))(f), done, "a finished task stays as it is")
}

func recoverSelects(f *fixture) {
	e := f.newEndpoint()
	other := f.newEndpoint(func(e *hook.Endpoint) { e.EventTypes = []string{"nothing"} })
	before := map[hook.ID]state{}
	queued := map[hook.ID]state{}
	for name, c := range ended {
		id := c.end(f, e.ID)
		before[id] = c.want
		if name != "by user" {
			queued[id] = c.want
		}
		f.resendAndFail(id, other.ID) // failed there, too
	}
	gone := ended["by user"].end(f, e.ID)
	before[gone] = ended["by user"].want
	emptied := ended["disabled since"].end(f, e.ID)
	f.must(f.store.ExpungeMessage(f.ctx, f.env, f.app, hook.Ref{ID: emptied}))
	before[emptied] = ended["disabled since"].want
	delivered, leases := f.sendLeased()
	f.settle(leases[0], answerOK)
	before[delivered] = state{State: hook.Delivered, Attempts: 1, Step: 1}
	waiting, leases := f.sendLeased()
	out := f.settle(leases[0], answerFail)
	before[waiting] = state{Reason: hook.ReasonRetry, Attempts: 1, Step: 1, Due: out.Due}
	inFlight, leases := f.sendLeased()
	elsewhere := f.lanes()[lane{other.ID, true}]

	task := f.newTask(e.ID)
	f.pass(time.Minute)
	got, work := f.step(task.ID, 100)
	testx.Equal(f, got.Queued, int64(len(queued)), "deliveries queued")
	testx.Equal(f, work, hook.Lane{Endpoint: e.ID, App: f.app, Retry: true, Due: f.now}, "the lane that has new work")
	done := f.work(task.ID, 100)
	testx.Equal(f, []any{done.Status, done.Canceled, done.Queued}, []any{hook.TaskFinished, false, int64(len(queued))})
	for id, want := range before {
		if was, ok := queued[id]; ok {
			d := f.delivery(id, e.ID)
			testx.Equal(f, []any{d.Manual, d.Due, d.Attempts}, []any{true, f.now, was.Attempts}, "what is queued")
		} else {
			f.expect(id, e.ID, want)
		}
	}
	testx.Equal(f, f.lanes()[lane{other.ID, true}], elsewhere, "the lane of another endpoint")
	f.settle(leases[0], answerOK)
	f.expect(inFlight, e.ID, state{State: hook.Delivered, Attempts: 1, Step: 1})

	manual := 0
	for _, l := range f.claim(first(e.ID, 100), retry(e.ID, 100))[1].Leases {
		if was, ok := queued[l.Message.ID]; ok {
			manual++
			testx.Equal(f, l.Tried, hook.Tried{State: was.State, Reason: was.Reason, Step: was.Step, Manual: true})
			f.settle(l, answerFail)
			was.Attempts++
			f.expect(l.Message.ID, e.ID, was)
		}
	}
	testx.Equal(f, manual, len(queued), "attempts by hand")
}

// resendAndFail makes a delivery of the message to an endpoint that failed.
func (f *fixture) resendAndFail(message, endpoint hook.ID) {
	f.Helper()
	f.resend(message, endpoint)
	f.settle(f.claimOne(endpoint), answerFail)
}

// missed stores n messages, a second apart, while the endpoint is disabled.
func (f *fixture) missed(endpoint hook.ID, n int) []hook.ID {
	f.Helper()
	f.disable(endpoint)
	var ids []hook.ID
	for range n {
		ids = append(ids, f.send())
		f.pass(time.Second)
	}
	f.enable(endpoint)
	return ids
}

func recoverRange(f *fixture) {
	e := f.newEndpoint()
	start := f.now
	ids := f.missed(e.ID, 6)
	done := f.work(f.newTask(e.ID, func(t *hook.Task) {
		t.Since, t.Until = start.Add(time.Second), start.Add(4*time.Second)
	}).ID, 100)
	testx.Equal(f, done.Queued, int64(3))
	f.freed(e.ID, ids[1:4]...)
}

func recoverSlices(f *fixture) {
	e := f.newEndpoint()
	ids := f.missed(e.ID, 10)
	task := f.newTask(e.ID).ID
	for done, rounds := false, 0; !done; rounds++ {
		testx.True(f, rounds < 100, "the task ends")
		before := testx.Must(f.store.FindTask(f.ctx, f.env, task))(f)
		t, _ := f.step(task, 3)
		testx.True(f, t.Queued-before.Queued <= 3, "a step looks at no more than its limit")
		testx.Equal(f, t.UpdatedAt, f.now)
		done = t.Status != hook.TaskRunning
		f.pass(time.Minute)
		if rounds%2 == 0 {
			f.crash()
			f.register()
		}
		f.send() // new messages do not disturb it
	}
	got := testx.Must(f.store.FindTask(f.ctx, f.env, task))(f)
	testx.Equal(f, []any{got.Status, got.Queued}, []any{hook.TaskFinished, int64(10)})
	leases := f.claim(retry(e.ID, 100))[0].Leases
	testx.Equal(f, set(idsOf(leases, func(l *hook.Lease) hook.ID { return l.Message.ID })), set(ids))
	again, work := f.step(task, 3)
	testx.Equal(f, again, got, "a step of a finished task")
	testx.Equal(f, work, hook.Lane{}, "no work from it")
}

func recoverCanceled(f *fixture) {
	e := f.newEndpoint()
	f.missed(e.ID, 6)
	task := f.newTask(e.ID).ID
	f.step(task, 2)
	canceled := testx.Must(f.store.CancelTask(f.ctx, f.env, task, f.now))(f)
	got, work := f.step(task, 100)
	testx.Equal(f, got, canceled)
	testx.Equal(f, work, hook.Lane{})
	testx.Equal(f, len(f.claim(retry(e.ID, 100))[0].Leases), int(got.Queued), "deliveries queued before")
	testx.Equal(f, got.Queued, int64(2))
}

func recoverClosed(f *fixture) {
	for name, shut := range map[string]func(hook.ID){"disabled": f.disable, "deleted": f.deleteEndpoint} {
		e := f.newEndpoint()
		ids := f.missed(e.ID, 3)
		task := f.newTask(e.ID).ID
		shut(e.ID)
		got := f.work(task, 100)
		testx.Equal(f, got.Queued, int64(0), name)
		for _, id := range ids {
			f.expect(id, e.ID, state{State: hook.Canceled, Reason: hook.ReasonEndpointDisabled})
		}
	}
}

func recoverNothing(f *fixture) {
	got := f.work(f.newTask(f.newEndpoint().ID).ID, 100)
	testx.Equal(f, []any{got.Status, got.Queued}, []any{hook.TaskFinished, int64(0)})
}

func recoverRate(f *fixture) {
	e := f.newEndpoint()
	f.missed(e.ID, 10)
	task := f.newTask(e.ID, func(t *hook.Task) { t.Rate, t.Total = 2, 10 })
	before, lane := f.step(task.ID, 100)
	testx.Equal(f, []any{before.Queued, before.UpdatedAt, lane}, []any{int64(0), task.UpdatedAt, hook.Lane{}}, "at once")
	for i, d := range []time.Duration{500 * time.Millisecond, 400 * time.Millisecond, 100 * time.Millisecond, time.Second, time.Hour} {
		f.pass(d)
		got, _ := f.step(task.ID, 100)
		testx.Equal(f, got.Queued, []int64{1, 1, 2, 4, 6}[i], "no more than a second counts")
	}
	for range 4 {
		f.pass(time.Second)
		task, _ = f.step(task.ID, 100)
	}
	testx.Equal(f, []any{task.Queued, task.Status, task.Rate, task.Total}, []any{int64(10), hook.TaskFinished, 2, int64(10)})
}

func replayMissing(f *fixture) {
	start := f.now
	var before []hook.ID
	for i := range 6 {
		before = append(before, f.send(func(e *hook.NewEvent) {
			if i == 2 {
				e.EventType = "other"
			}
		}))
		f.pass(time.Second)
	}
	e := f.newEndpoint(func(e *hook.Endpoint) { e.EventTypes = []string{"invoice.paid"} })
	f.resend(before[4], e.ID) // it has a delivery
	had := f.send()
	f.must(f.store.ExpungeMessage(f.ctx, f.env, f.app, hook.Ref{ID: before[5]}))
	task := f.newTask(e.ID, func(t *hook.Task) { t.Kind, t.Since = hook.TaskReplay, start.Add(time.Second) })
	n := testx.Must(f.store.CountRecoverable(f.ctx, &task, 100))(f)
	testx.Equal(f, n, hook.BoundedCount{Count: 2})
	got, lane := f.step(task.ID, 2)
	testx.Equal(f, lane.Retry, false)
	if got.Status == hook.TaskRunning {
		got = f.work(task.ID, 2)
	}
	testx.Equal(f, []any{got.Status, got.Queued}, []any{hook.TaskFinished, int64(2)})
	var sent []hook.ID
	for _, l := range f.claim(first(e.ID, 100))[0].Leases {
		testx.Equal(f, []any{l.Number, l.Tried.Manual}, []any{1, false}, "it is a first attempt")
		sent = append(sent, l.Message.ID)
		f.settle(l, answerFail)
		if l.Message.ID != had {
			testx.Equal(f, f.delivery(l.Message.ID, e.ID).Reason, hook.ReasonRetry, "with its schedule")
		}
	}
	testx.Equal(f, set(sent), set([]hook.ID{before[1], before[3], had}))
	testx.Equal(f, f.work(f.newTask(e.ID, func(t *hook.Task) { t.Kind, t.Since = hook.TaskReplay, start.Add(time.Second) }).ID, 10).Queued, int64(0), "again")
}

func countBefore(f *fixture) {
	e := f.newEndpoint()
	f.missed(e.ID, 5)
	task := f.taskValue(e.ID)
	testx.Equal(f, testx.Must(f.store.CountRecoverable(f.ctx, &task, 100))(f), hook.BoundedCount{Count: 5})
	testx.Equal(f, testx.Must(f.store.CountRecoverable(f.ctx, &task, 3))(f), hook.BoundedCount{Count: 3, More: true})
	f.work(f.newTask(e.ID).ID, 10)
	testx.Equal(f, testx.Must(f.store.CountRecoverable(f.ctx, &task, 100))(f), hook.BoundedCount{}, "after it was queued")
	task.Endpoint = hook.NewID(f.now)
	_, err := f.store.CountRecoverable(f.ctx, &task, 100)
	testx.Code(f, err, hook.CodeNotFound)
}
