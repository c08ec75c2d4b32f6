package hook

import (
	"errors"
	"fmt"
	"time"
)

// ErrNotEmpty says that a store that was to be filled holds something already.
var ErrNotEmpty = errors.New("the store is not empty")

// SchemaError says that what a store holds has another schema than this
// program's, and was not to be brought to it.
type SchemaError struct{ Have, Newest int64 }

// Error names both versions.
func (e *SchemaError) Error() string {
	return fmt.Sprintf("the schema of the database has version %d, that of this program %d", e.Have, e.Newest)
}

// Hint says what an operator can do about it.
func (e *SchemaError) Hint() string {
	if e.Have < e.Newest {
		return "Use the version of Grapnel that serves this database, or bring it to this one's with `grapnel admin migrate`."
	}
	return "A newer version of Grapnel has used this database: use that one."
}

// Record is one thing that a store holds, in a form that every store can give
// and take: it names others by their ids, never by a store's row keys. Its kinds
// are a closed set, and what implements it are pointers to the types below.
//
// A stream of records is in the order of their kinds, so that every record comes
// after those that it names. Times are in UTC, to the microsecond; the zero time,
// the zero id and nil stand for nothing, but an empty body, answer or header that
// is not nil is one that exists.
//
// What is not in a stream: nodes, sessions, tickets, and leases. A delivery that is leased is given
// as due, as if its node had given it back.
type Record interface {
	RecordKind() RecordKind
}

// RecordKind is the kind of a Record.
type RecordKind uint8

// The kinds, in the order of a stream.
const (
	RecordEnvironment RecordKind = iota
	RecordKey
	RecordApplication
	RecordEventType
	RecordEndpoint
	RecordRevision
	RecordMessage
	RecordDelivery
	RecordAttempt
	RecordIdempotency
	RecordTask
	RecordRollup
	RecordSource
	RecordRequest
	RecordTraffic
	RecordIssue
	RecordMember
	RecordPasskey
	RecordAudit
)

// RecordKinds lists every kind once, in the order of a stream.
var RecordKinds = []RecordKind{
	RecordEnvironment, RecordKey, RecordApplication, RecordEventType, RecordEndpoint, RecordRevision,
	RecordMessage, RecordDelivery, RecordAttempt, RecordIdempotency, RecordTask, RecordRollup,
	RecordSource, RecordRequest, RecordTraffic, RecordIssue,
	RecordMember, RecordPasskey, RecordAudit,
}

// String gives the word that backups use for the kind.
func (k RecordKind) String() string {
	switch k {
	case RecordEnvironment:
		return "environment"
	case RecordKey:
		return "key"
	case RecordApplication:
		return "application"
	case RecordEventType:
		return "event_type"
	case RecordEndpoint:
		return "endpoint"
	case RecordRevision:
		return "endpoint_revision"
	case RecordMessage:
		return "message"
	case RecordDelivery:
		return "delivery"
	case RecordAttempt:
		return "attempt"
	case RecordIdempotency:
		return "idempotency_key"
	case RecordTask:
		return "task"
	case RecordRollup:
		return "rollup"
	case RecordSource:
		return "source"
	case RecordRequest:
		return "request"
	case RecordTraffic:
		return "traffic"
	case RecordIssue:
		return "issue"
	case RecordMember:
		return "member"
	case RecordPasskey:
		return "passkey"
	case RecordAudit:
		return "audit"
	}
	return "unknown"
}

// NewRecord makes an empty record of a kind; nil for one that is none.
func NewRecord(k RecordKind) Record {
	switch k {
	case RecordEnvironment:
		return new(EnvironmentRecord)
	case RecordKey:
		return new(KeyRecord)
	case RecordApplication:
		return new(ApplicationRecord)
	case RecordEventType:
		return new(EventTypeRecord)
	case RecordEndpoint:
		return new(EndpointRecord)
	case RecordRevision:
		return new(RevisionRecord)
	case RecordMessage:
		return new(MessageRecord)
	case RecordDelivery:
		return new(DeliveryRecord)
	case RecordAttempt:
		return new(AttemptRecord)
	case RecordIdempotency:
		return new(IdempotencyRecord)
	case RecordTask:
		return new(TaskRecord)
	case RecordRollup:
		return new(RollupRecord)
	case RecordSource:
		return new(SourceRecord)
	case RecordRequest:
		return new(RequestRecord)
	case RecordTraffic:
		return new(TrafficRecord)
	case RecordIssue:
		return new(IssueRecord)
	case RecordMember:
		return new(MemberRecord)
	case RecordPasskey:
		return new(PasskeyRecord)
	case RecordAudit:
		return new(AuditRecord)
	}
	return nil
}

// EnvironmentRecord is an Environment.
type EnvironmentRecord struct {
	ID        ID        `json:"id"`
	Name      string    `json:"name"`
	CreatedAt time.Time `json:"created_at"`
	Settings  *Settings `json:"settings,omitempty"` // without Env; nil: it set nothing

	Kind EnvironmentKind `json:"kind,omitzero"`
}

// RecordKind implements Record.
func (*EnvironmentRecord) RecordKind() RecordKind { return RecordEnvironment }

// KeyRecord is a Key. Hash has 32 bytes.
type KeyRecord struct {
	ID           ID        `json:"id"`
	Env          ID        `json:"env"`
	App          ID        `json:"app,omitzero"`
	Hash         []byte    `json:"hash"`
	Name         string    `json:"name"`
	CensoredText string    `json:"censored_text"`
	Scopes       []string  `json:"scopes,omitempty"`
	SessionID    string    `json:"session_id,omitzero"`
	FeatureFlags []string  `json:"feature_flags,omitempty"`
	CreatedAt    time.Time `json:"created_at"`
	ExpiresAt    time.Time `json:"expires_at,omitzero"`
	LastUsedAt   time.Time `json:"last_used_at,omitzero"`
}

// RecordKind implements Record.
func (*KeyRecord) RecordKind() RecordKind { return RecordKey }

// ApplicationRecord is an Application, deleted or not.
type ApplicationRecord struct {
	ID           ID                `json:"id"`
	Env          ID                `json:"env"`
	UID          string            `json:"uid,omitzero"`
	Name         string            `json:"name"`
	ThrottleRate int               `json:"throttle_rate,omitzero"`
	Metadata     map[string]string `json:"metadata,omitempty"`
	CreatedAt    time.Time         `json:"created_at"`
	UpdatedAt    time.Time         `json:"updated_at"`
	DeletedAt    time.Time         `json:"deleted_at,omitzero"`
	Source       bool              `json:"source,omitzero"`
	// Config is the application's number now: none of its revisions and messages has
	// a higher one. See RevisionRecord.
	Config int64 `json:"-"`
}

// RecordKind implements Record.
func (*ApplicationRecord) RecordKind() RecordKind { return RecordApplication }

// EventTypeRecord is an EventType.
type EventTypeRecord struct {
	ID            ID        `json:"id"`
	Env           ID        `json:"env"`
	Name          string    `json:"name"`
	Description   string    `json:"description"`
	GroupName     string    `json:"group_name,omitzero"`
	Archived      bool      `json:"archived,omitzero"`
	Deprecated    bool      `json:"deprecated,omitzero"`
	FeatureFlags  []string  `json:"feature_flags,omitempty"`
	Schemas       []byte    `json:"schemas,omitzero"`
	EnforceSchema bool      `json:"enforce_schema,omitzero"`
	CreatedAt     time.Time `json:"created_at"`
	UpdatedAt     time.Time `json:"updated_at"`
}

// RecordKind implements Record.
func (*EventTypeRecord) RecordKind() RecordKind { return RecordEventType }

// EndpointRecord is an Endpoint, deleted or not, with its encrypted secrets.
type EndpointRecord struct {
	ID             ID                `json:"id"`
	App            ID                `json:"app"`
	UID            string            `json:"uid,omitzero"`
	Description    string            `json:"description"`
	URL            string            `json:"url"`
	EventTypes     []string          `json:"event_types,omitempty"`
	Channels       []string          `json:"channels,omitempty"`
	ThrottleRate   int               `json:"throttle_rate,omitzero"`
	Metadata       map[string]string `json:"metadata,omitempty"`
	FeatureFlags   []string          `json:"feature_flags,omitempty"`
	SealedHeaders  []byte            `json:"sealed_headers,omitzero"`
	Secrets        []SecretRecord    `json:"secrets,omitempty"`
	DisabledReason DisableReason     `json:"disabled_reason,omitzero"` // NotDisabled: it is enabled
	DisabledAt     time.Time         `json:"disabled_at,omitzero"`
	FailingSince   time.Time         `json:"failing_since,omitzero"`
	Revision       int64             `json:"revision"`
	CreatedAt      time.Time         `json:"created_at"`
	UpdatedAt      time.Time         `json:"updated_at"`
	DeletedAt      time.Time         `json:"deleted_at,omitzero"`
}

// RecordKind implements Record.
func (*EndpointRecord) RecordKind() RecordKind { return RecordEndpoint }

// SecretRecord is a SealedSecret; either converts to the other.
type SecretRecord struct {
	Sealed    []byte    `json:"sealed"`
	ExpiresAt time.Time `json:"expires_at,omitzero"`
}

// RevisionRecord is an EndpointRevision.
type RevisionRecord struct {
	Endpoint   ID        `json:"endpoint"`
	Revision   int64     `json:"revision"`
	EventTypes []string  `json:"event_types,omitempty"`
	Channels   []string  `json:"channels,omitempty"`
	Disabled   bool      `json:"disabled,omitzero"`
	Since      time.Time `json:"since"`
	// Config says for which messages of the application the revision was in force:
	// those whose Config is the same or higher, up to the endpoint's next revision.
	// Of these numbers only the order within an application counts: a store may give
	// others for the same order, so no checksum has them.
	Config int64 `json:"-"`
}

// RecordKind implements Record.
func (*RevisionRecord) RecordKind() RecordKind { return RecordRevision }

// MessageRecord is a Message with what only the store keeps of it. Body is nil
// when the payload is gone.
type MessageRecord struct {
	ID            ID        `json:"id"`
	App           ID        `json:"app"`
	EventType     string    `json:"event_type"`
	EventID       string    `json:"event_id,omitzero"`
	Channels      []string  `json:"channels,omitempty"`
	Tags          []string  `json:"tags,omitempty"`
	ContentType   string    `json:"content_type"`
	BodySize      int       `json:"body_size"`
	CreatedAt     time.Time `json:"created_at"`
	DeliverAt     time.Time `json:"deliver_at,omitzero"`
	BodyExpiresAt time.Time `json:"body_expires_at,omitzero"`
	Body          []byte    `json:"body,omitzero"`
	Envelope      *Envelope `json:"envelope,omitzero"`
	// Config is the application's when the message was accepted. See RevisionRecord.
	Config int64 `json:"-"`
}

// RecordKind implements Record.
func (*MessageRecord) RecordKind() RecordKind { return RecordMessage }

// DeliveryRecord is a Delivery with what only the store keeps of it. State is
// never Sending.
type DeliveryRecord struct {
	Message    ID        `json:"message"`
	Endpoint   ID        `json:"endpoint"`
	State      State     `json:"state"`
	Reason     Reason    `json:"reason,omitzero"`
	Attempts   int       `json:"attempts,omitzero"`
	Step       int       `json:"step,omitzero"`
	Manual     bool      `json:"manual,omitzero"`
	Retry      bool      `json:"retry,omitzero"` // its lane
	Due        time.Time `json:"due,omitzero"`
	AutoDue    time.Time `json:"auto_due,omitzero"` // while Manual: when the automatic attempt is due
	LastStatus int       `json:"last_status,omitzero"`
	UpdatedAt  time.Time `json:"updated_at"`
}

// RecordKind implements Record.
func (*DeliveryRecord) RecordKind() RecordKind { return RecordDelivery }

// AttemptRecord is an Attempt. Response is nil when the answer was expunged.
type AttemptRecord struct {
	ID              ID            `json:"id"`
	Message         ID            `json:"message"`
	Endpoint        ID            `json:"endpoint"`
	Number          int           `json:"number"`
	Trigger         Trigger       `json:"trigger,omitzero"`
	URL             string        `json:"url"`
	Class           Class         `json:"class"`
	Status          int           `json:"status,omitzero"`
	Detail          string        `json:"detail,omitzero"`
	StartedAt       time.Time     `json:"started_at"`
	Timings         TimingsRecord `json:"timings"`
	NextDue         time.Time     `json:"next_due,omitzero"`
	Response        []byte        `json:"response,omitzero"`
	ResponseHeaders []byte        `json:"response_headers,omitzero"`
	RequestHeaders  []byte        `json:"request_headers,omitzero"`
}

// RecordKind implements Record.
func (*AttemptRecord) RecordKind() RecordKind { return RecordAttempt }

// TimingsRecord is Timings, in nanoseconds; either converts to the other. Stores
// keep whole microseconds.
type TimingsRecord struct {
	Queue     time.Duration `json:"queue,omitzero"`
	DNS       time.Duration `json:"dns,omitzero"`
	Connect   time.Duration `json:"connect,omitzero"`
	TLS       time.Duration `json:"tls,omitzero"`
	FirstByte time.Duration `json:"first_byte,omitzero"`
	Body      time.Duration `json:"body,omitzero"`
	Total     time.Duration `json:"total,omitzero"`
}

// IdempotencyRecord is an IdempotencyKey with what it led to. Hash and
// Fingerprint have 16 bytes. An environment has each Hash at most once.
type IdempotencyRecord struct {
	Env         ID        `json:"env"`
	Hash        []byte    `json:"hash"`
	Fingerprint []byte    `json:"fingerprint"`
	Object      ID        `json:"object"`
	ExpiresAt   time.Time `json:"expires_at"`
	Auto        bool      `json:"auto,omitzero"`
}

// RecordKind implements Record.
func (*IdempotencyRecord) RecordKind() RecordKind { return RecordIdempotency }

// TaskRecord is a Task.
type TaskRecord struct {
	ID        ID         `json:"id"`
	Env       ID         `json:"env"`
	App       ID         `json:"app"`
	Endpoint  ID         `json:"endpoint"`
	Kind      TaskKind   `json:"kind"`
	Status    TaskStatus `json:"status"`
	Since     time.Time  `json:"since,omitzero"`
	Until     time.Time  `json:"until,omitzero"`
	Cursor    ID         `json:"cursor,omitzero"`
	Queued    int64      `json:"queued,omitzero"`
	Canceled  bool       `json:"canceled,omitzero"`
	Rate      int        `json:"rate,omitzero"`
	Total     int64      `json:"total,omitzero"`
	CreatedAt time.Time  `json:"created_at"`
	UpdatedAt time.Time  `json:"updated_at"`
}

// RecordKind implements Record.
func (*TaskRecord) RecordKind() RecordKind { return RecordTask }

// RollupRecord is a Rollup that has every attempt of the stream in it, those too
// that the store itself did not come to yet.
type RollupRecord struct {
	Endpoint ID               `json:"endpoint"`
	Hour     time.Time        `json:"hour"`
	ByClass  [13]int64        `json:"by_class"`
	Took     [TookCells]int64 `json:"took"`
}

// RecordKind implements Record.
func (*RollupRecord) RecordKind() RecordKind { return RecordRollup }

// SourceRecord is a Source that is not deleted. Its owner is the ApplicationRecord
// with the same id.
type SourceRecord struct {
	ID        ID                `json:"id"`
	Env       ID                `json:"env"`
	UID       string            `json:"uid,omitzero"`
	Name      string            `json:"name"`
	Type      string            `json:"type"`
	Metadata  map[string]string `json:"metadata,omitempty"`
	Settings  SourceSettings    `json:"settings"`
	Secrets   []SecretRecord    `json:"secrets,omitempty"`
	Tokens    []TokenRecord     `json:"tokens"`
	Disabled  bool              `json:"disabled,omitzero"`
	NextFire  time.Time         `json:"next_fire,omitzero"`
	CreatedAt time.Time         `json:"created_at"`
	UpdatedAt time.Time         `json:"updated_at"`
}

// RecordKind implements Record.
func (*SourceRecord) RecordKind() RecordKind { return RecordSource }

// TokenRecord is a SourceToken. Hash has 32 bytes.
type TokenRecord struct {
	Hash      []byte    `json:"hash"`
	Sealed    []byte    `json:"sealed"`
	ExpiresAt time.Time `json:"expires_at,omitzero"`
	CreatedAt time.Time `json:"created_at"`
}

// RequestRecord is a Request. Envelope and Body are nil where the message has them.
type RequestRecord struct {
	ID          ID           `json:"id"`
	Source      ID           `json:"source"`
	State       RequestState `json:"state"`
	Reason      string       `json:"reason"`
	Detail      string       `json:"detail,omitzero"`
	Findings    []byte       `json:"findings,omitzero"`
	Envelope    *Envelope    `json:"envelope,omitzero"`
	Remote      string       `json:"remote"`
	EventType   string       `json:"event_type,omitzero"`
	Key         string       `json:"key,omitzero"`
	Message     ID           `json:"message,omitzero"`
	Fingerprint []byte       `json:"fingerprint"` // 16 bytes
	Status      int          `json:"status"`
	ContentType string       `json:"content_type,omitzero"`
	BodySize    int          `json:"body_size"`
	Body        []byte       `json:"body,omitzero"`
	ReceivedAt  time.Time    `json:"received_at"`
	Note        string       `json:"note,omitzero"`
}

// RecordKind implements Record.
func (*RequestRecord) RecordKind() RecordKind { return RecordRequest }

// MarshalText gives the 27 characters of the text form without a kind's prefix.
func (id ID) MarshalText() ([]byte, error) {
	return Kind("").Append(make([]byte, 0, idTextLen), id), nil
}

// UnmarshalText reads what MarshalText gives. The error is ErrBadID.
func (id *ID) UnmarshalText(text []byte) (err error) {
	*id, err = Kind("").Parse(string(text))
	return err
}

// TrafficRecord is the Traffic of an environment in one TrafficPeriod. What was not
// summed up when it was read, which is a moment's, is in none.
type TrafficRecord struct {
	Env      ID               `json:"env"`
	Start    time.Time        `json:"start"`
	Accepted int64            `json:"accepted,omitzero"`
	ByClass  [13]int64        `json:"by_class,omitzero"`
	Took     [TookCells]int64 `json:"took,omitzero"`
	Delay    Delays           `json:"delay,omitzero"`
}

// RecordKind implements Record.
func (*TrafficRecord) RecordKind() RecordKind { return RecordTraffic }

// TrafficRecordOf is the record of some traffic.
func TrafficRecordOf(env ID, t *Traffic) *TrafficRecord {
	return &TrafficRecord{Env: env, Start: t.Start, Accepted: t.Accepted, ByClass: t.Attempts.ByClass, Took: t.Attempts.Took, Delay: t.Delay}
}

// Traffic is what the record is of.
func (r *TrafficRecord) Traffic() *Traffic {
	return &Traffic{Start: r.Start, Accepted: r.Accepted, Attempts: Tally{ByClass: r.ByClass, Took: r.Took}, Delay: r.Delay}
}

// IssueRecord is an Issue without what reads fill in.
type IssueRecord struct {
	ID         ID         `json:"id"`
	Env        ID         `json:"env"`
	Endpoint   ID         `json:"endpoint"`
	Class      Class      `json:"class"`
	Status     int        `json:"status,omitzero"`
	FirstSeen  time.Time  `json:"first_seen"`
	LastSeen   time.Time  `json:"last_seen"`
	Attempts   int64      `json:"attempts"`
	Message    ID         `json:"message,omitzero"`
	Attempt    ID         `json:"attempt,omitzero"`
	State      IssueState `json:"state,omitzero"`
	MutedUntil time.Time  `json:"muted_until,omitzero"`
	ResolvedAt time.Time  `json:"resolved_at,omitzero"`
	HealedAt   time.Time  `json:"healed_at,omitzero"`
	Note       string     `json:"note,omitzero"`
	Assignee   string     `json:"assignee,omitzero"`
}

// RecordKind implements Record.
func (*IssueRecord) RecordKind() RecordKind { return RecordIssue }

// IssueRecordOf is the record of an issue.
func IssueRecordOf(i *Issue) *IssueRecord {
	return &IssueRecord{
		ID: i.ID, Env: i.Env, Endpoint: i.Endpoint, Class: i.Class, Status: i.Status, FirstSeen: i.FirstSeen, LastSeen: i.LastSeen,
		Attempts: i.Attempts, Message: i.Message, Attempt: i.Attempt, State: i.State, MutedUntil: i.MutedUntil, ResolvedAt: i.ResolvedAt,
		HealedAt: i.HealedAt, Note: i.Note, Assignee: i.Assignee,
	}
}
