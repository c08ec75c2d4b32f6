package apitype

import "time"

// TaskStatus is how a background task stands.
type TaskStatus string

// The statuses of a task. The set is closed.
const (
	TaskRunning  TaskStatus = "running"
	TaskFinished TaskStatus = "finished"
	TaskFailed   TaskStatus = "failed"
)

// TaskType is what a background task does.
type TaskType string

// The types of task that clients know. The set is closed.
const (
	TaskEndpointReplay     TaskType = "endpoint.replay"
	TaskEndpointRecover    TaskType = "endpoint.recover"
	TaskEndpointBulkReplay TaskType = "endpoint.bulk-replay"
	TaskApplicationStats   TaskType = "application.stats"
	TaskPurgeContent       TaskType = "application.purge_content"
	TaskMessageBroadcast   TaskType = "message.broadcast"
	TaskSDKGenerate        TaskType = "sdk.generate"
	TaskEventTypeAggregate TaskType = "event-type.aggregate"
)

// TaskRef answers a call that started a background task.
type TaskRef struct {
	ID        string     `json:"id" example:"qtask_2vgdKCdXyOEN1WcHxkYAbO6wTzm" doc:"Id to look the task up by."`
	Status    TaskStatus `json:"status" enum:"running,finished,failed" doc:"How it stands."`
	Task      TaskType   `json:"task" enum:"endpoint.replay,endpoint.recover,endpoint.bulk-replay,application.stats,application.purge_content,message.broadcast,sdk.generate,event-type.aggregate" doc:"What it does."`
	UpdatedAt time.Time  `json:"updatedAt" doc:"When it last moved on."`
}

// TaskOut is a background task with what it has done so far.
type TaskOut struct {
	TaskRef
	Data map[string]any `json:"data" doc:"What it has done so far, by the type of task; for a recover messagesSent. Empty, never null."`
}
