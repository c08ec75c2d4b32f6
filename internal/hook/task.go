package hook

import "time"

// TaskKind is the kind of a background task, in the API's own words.
type TaskKind string

// The kinds of tasks that this server runs.
const (
	TaskRecover TaskKind = "endpoint.recover" // what failed or was canceled is sent again
	TaskReplay  TaskKind = "endpoint.replay"  // what the endpoint would get but never did is sent
)

// TaskStatus is where a task is, in the API's own words.
type TaskStatus string

// The states of a task.
const (
	TaskRunning  TaskStatus = "running"
	TaskFinished TaskStatus = "finished"
	TaskFailed   TaskStatus = "failed"
)

// Task is a stored job that works on in slices and survives a restart.
type Task struct {
	ID       ID
	Env      ID
	App      ID
	Endpoint ID
	Kind     TaskKind
	Status   TaskStatus
	Since    time.Time // messages created from here
	Until    time.Time // to here, exclusive
	Cursor   ID        // the last message looked at
	Queued   int64     // deliveries queued so far
	Canceled bool      // the caller stopped it; Status is then TaskFinished
	Rate     int       // deliveries queued a second at most; 0: no limit
	Total    int64     // deliveries there were to queue when it was made; 0: not known

	CreatedAt time.Time
	UpdatedAt time.Time
}

// Room is how many deliveries a step at now may queue, limit at most: what its rate
// allows for the time since the last step, of which no more than a second counts.
func (t *Task) Room(now time.Time, limit int) int {
	if t.Rate <= 0 {
		return limit
	}
	since := min(max(now.Sub(t.UpdatedAt), 0), time.Second)
	return min(limit, int(int64(t.Rate)*since.Milliseconds()/1000))
}

// TaskFilter selects tasks of one environment, newest first.
type TaskFilter struct {
	Env    ID
	Kind   TaskKind   // empty: all
	Status TaskStatus // empty: all
	Page   Page
}

// Retention says how long what is kept. A zero duration keeps it for ever.
type Retention struct {
	Messages time.Duration // the message with all that belongs to it
	Payloads time.Duration // bodies, unless the message has a time of its own
	Attempts time.Duration
	// Requests is for received requests that became no message; zero: as Messages.
	Requests time.Duration
}

// Expired counts what one slice of retention removed.
type Expired struct {
	Messages, Payloads, Attempts, Keys, Requests int
	// Unsent counts deliveries that were still pending when they expired.
	Unsent int
	// More says that another slice would find something to remove.
	More bool
}

// QueueStats are figures about the queue, for metrics.
type QueueStats struct {
	Due       int64     // deliveries waiting for an attempt; counted up to a bound
	OldestDue time.Time // of those due already; zero: none
}
