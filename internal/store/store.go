// Package store is the contract of Grapnel's one store and the place that
// picks an implementation by its address. The delivery row is the queue: there
// is no other broker.
//
// Every method is one transaction. Methods that write return only after the
// commit is on disk; concurrent callers share commits. Errors that a caller of
// the API may see are *hook.Error: CodeNotFound, CodeConflict and so on, and
// CodeUnavailable when the store cannot take or give anything right now, in
// which case nothing was written. Every read and write names its environment,
// so that one tenant never sees another's objects. The store never asks what
// time it is; now comes in.
package store

import (
	"context"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
)

// Store is the whole contract. The rooms that use it declare the few methods
// they need; only server and storetest see all of it.
type Store interface {
	Tenants
	People
	Audits
	Portal
	Applications
	EventTypes
	Endpoints
	Sources
	Requests
	Messages
	Attempts
	Nodes
	Queue
	Tasks
	Feed
	Rollups
	Traffic
	Recent
	Issues
	Sizes
	Upkeep

	// Ping reports whether the store can be read and written.
	Ping(ctx context.Context) error
	// Close finishes the running group commit and closes the store.
	Close() error
}

// Tenants keeps environments and the keys that open them.
type Tenants interface {
	// CreateEnvironment stores a new environment.
	CreateEnvironment(ctx context.Context, e *hook.Environment) error
	// ListEnvironments gives all environments, oldest first.
	ListEnvironments(ctx context.Context) ([]hook.Environment, error)
	// UpdateEnvironment changes one inside the transaction; CodeNotFound.
	UpdateEnvironment(ctx context.Context, env hook.ID, change func(*hook.Environment) error) (hook.Environment, error)
	// CreateKey stores a key; CodeConflict if its hash exists.
	CreateKey(ctx context.Context, k *hook.Key) error
	// FindKeyByHash gives the key with this hash, expired or not.
	FindKeyByHash(ctx context.Context, hash [32]byte) (hook.Key, error)
	// ListKeys gives the environment's own keys (not app tokens), newest first.
	ListKeys(ctx context.Context, env hook.ID, p hook.Page) (hook.PageOf[hook.Key], error)
	// ExpireKey ends one key at that time, or leaves an earlier end.
	ExpireKey(ctx context.Context, env, key hook.ID, at time.Time) error
	// ExpireAppKeys ends the app tokens of an application, all or those of the sessions.
	ExpireAppKeys(ctx context.Context, env, app hook.ID, sessions []string, at time.Time) error
	// TouchKeys records last uses.
	TouchKeys(ctx context.Context, uses []hook.KeyUse) error
}

// People keeps the members, who are those of all environments, and what they sign
// in with.
type People interface {
	// CreateMember stores m; CodeConflict if its e-mail address or subject is taken.
	// The first one is stored only while there is no member, else CodeConflict.
	CreateMember(ctx context.Context, m *hook.Member, first bool) error
	// FindMember gives one; CodeNotFound.
	FindMember(ctx context.Context, member hook.ID) (hook.Member, error)
	// FindMemberByEmail gives the one with this folded address; CodeNotFound.
	FindMemberByEmail(ctx context.Context, email string) (hook.Member, error)
	// FindMemberBySubject gives the one with this subject; CodeNotFound.
	FindMemberBySubject(ctx context.Context, subject string) (hook.Member, error)
	// ListMembers lists by id.
	ListMembers(ctx context.Context, p hook.Page) (hook.PageOf[hook.Member], error)
	// UpdateMember changes one inside the transaction; an error of change is returned
	// and nothing written. CodeConflict if the new subject or address is taken, or if
	// no owner would be left.
	UpdateMember(ctx context.Context, member hook.ID, change func(*hook.Member) error) (hook.Member, error)
	// DeleteMember removes one with all sessions, tickets and passkeys, if check lets
	// it; CodeConflict if no owner would be left.
	DeleteMember(ctx context.Context, member hook.ID, check func(*hook.Member) error) error

	// CreateSession stores s; CodeNotFound if there is no such member.
	CreateSession(ctx context.Context, s *hook.Session) error
	// FindSession gives the session with this hash, ended or not, and its member;
	// CodeNotFound.
	FindSession(ctx context.Context, hash [32]byte) (hook.Session, hook.Member, error)
	// ListSessions gives those of a member, newest first, at most limit.
	ListSessions(ctx context.Context, member hook.ID, limit int) ([]hook.Session, error)
	// EndSession removes one of a member; CodeNotFound.
	EndSession(ctx context.Context, member, session hook.ID) error
	// EndSessions removes all of a member but one (zero: all).
	EndSessions(ctx context.Context, member, except hook.ID) error
	// TouchSessions records last uses, of the sessions and of their members. An earlier
	// one than the one known changes nothing.
	TouchSessions(ctx context.Context, uses []hook.SessionUse) error

	// CreateTicket stores t in place of older ones of the same member and kind;
	// CodeNotFound if there is no such member.
	CreateTicket(ctx context.Context, t *hook.Ticket) error
	// FindTicket gives one that has not ended by now; CodeNotFound.
	FindTicket(ctx context.Context, hash [32]byte, now time.Time) (hook.Ticket, error)
	// TakeTicket is FindTicket and removes it: of several callers one gets it.
	TakeTicket(ctx context.Context, hash [32]byte, now time.Time) (hook.Ticket, error)

	// CreatePasskey stores p; CodeConflict if its credential is known, CodeNotFound if
	// there is no such member.
	CreatePasskey(ctx context.Context, p *hook.Passkey) error
	// ListPasskeys gives those of a member, oldest first.
	ListPasskeys(ctx context.Context, member hook.ID) ([]hook.Passkey, error)
	// UsePasskey stores what a use changes: Data and UsedAt. CodeNotFound.
	UsePasskey(ctx context.Context, passkey hook.ID, data []byte, at time.Time) error
	// DeletePasskey removes one of a member; CodeNotFound.
	DeletePasskey(ctx context.Context, member, passkey hook.ID) error
}

// Audits keeps the log of who did what.
type Audits interface {
	// WriteAudit stores an entry.
	WriteAudit(ctx context.Context, e *hook.AuditEntry) error
	// ListAudits lists newest first.
	ListAudits(ctx context.Context, f hook.AuditFilter) (hook.PageOf[hook.AuditEntry], error)
}

// Portal keeps the settings of environments, and what browsers open the customer
// portal with.
type Portal interface {
	// FindSettings gives those of an environment, the zero ones if it set nothing;
	// CodeNotFound if there is no such environment.
	FindSettings(ctx context.Context, env hook.ID) (hook.Settings, error)
	// ListSettings gives those of all environments that set something.
	ListSettings(ctx context.Context) ([]hook.Settings, error)
	// UpdateSettings changes them inside the transaction; an error of change is
	// returned and nothing written.
	UpdateSettings(ctx context.Context, env hook.ID, change func(*hook.Settings) error) (hook.Settings, error)
	// CreatePortalGrant stores a grant, and drops some that ended before now.
	CreatePortalGrant(ctx context.Context, g *hook.PortalGrant, now time.Time) error
	// UsePortalGrant gives the grant and the key of its link if PortalGrant.Usable
	// lets it pass, and makes a code used: of several callers with one code, one gets
	// it. CodeNotFound if there is none.
	UsePortalGrant(ctx context.Context, hash [32]byte, now time.Time) (hook.PortalGrant, hook.Key, error)
	// DeletePortalGrant drops one; it may be gone already.
	DeletePortalGrant(ctx context.Context, hash [32]byte) error
}

// Applications keeps the customers of an environment. Deleted ones are kept
// out of sight, and their uid is free again.
type Applications interface {
	// CreateApplication stores a; CodeConflict if its uid is taken. With a key
	// that was used before it gives the first application and true.
	CreateApplication(ctx context.Context, a *hook.Application, once *hook.IdempotencyKey) (hook.Application, bool, error)
	// FindApplication gives one; CodeNotFound.
	FindApplication(ctx context.Context, env hook.ID, ref hook.Ref) (hook.Application, error)
	// ListApplications lists by id.
	ListApplications(ctx context.Context, env hook.ID, p hook.Page) (hook.PageOf[hook.Application], error)
	// UpdateApplication changes one inside the transaction; an error of change
	// is returned and nothing written. CodeConflict if the new uid is taken.
	UpdateApplication(ctx context.Context, env hook.ID, ref hook.Ref, change func(*hook.Application) error) (hook.Application, error)
	// DeleteApplication deletes one with its endpoints, whose ids it gives, and
	// ends its app tokens; pending deliveries are canceled by the engine as it
	// comes to them.
	DeleteApplication(ctx context.Context, env hook.ID, ref hook.Ref, now time.Time) ([]hook.ID, error)
}

// EventTypes keeps the catalogue of an environment, ordered by name.
type EventTypes interface {
	// CreateEventType stores t, or revives an archived one of the same name;
	// CodeEventTypeTaken if a live one exists.
	CreateEventType(ctx context.Context, t *hook.EventType, once *hook.IdempotencyKey) (hook.EventType, bool, error)
	// FindEventType gives one, archived or not.
	FindEventType(ctx context.Context, env hook.ID, name string) (hook.EventType, error)
	// FindEventTypes gives those of the names that exist, in no order.
	FindEventTypes(ctx context.Context, env hook.ID, names []string) ([]hook.EventType, error)
	// ListEventTypes lists by name; Page.FromName is the place.
	ListEventTypes(ctx context.Context, env hook.ID, archived bool, p hook.Page) (hook.PageOf[hook.EventType], error)
	// UpdateEventType changes one inside the transaction.
	UpdateEventType(ctx context.Context, env hook.ID, name string, change func(*hook.EventType) error) (hook.EventType, error)
	// DeleteEventType removes it for good.
	DeleteEventType(ctx context.Context, env hook.ID, name string) error
}

// Endpoints keeps the targets of applications. A change is acknowledged only
// when no later claim or accept can use the data from before.
type Endpoints interface {
	// CreateEndpoint stores e; CodeConflict if its uid is taken in the
	// application, CodeNotFound if the application is gone, CodeLimitReached
	// if it has limit endpoints already (0: no limit).
	CreateEndpoint(ctx context.Context, e *hook.Endpoint, limit int, once *hook.IdempotencyKey) (hook.Endpoint, bool, error)
	// FindEndpoint gives one; CodeNotFound.
	FindEndpoint(ctx context.Context, env, app hook.ID, ref hook.Ref) (hook.Endpoint, error)
	// ListEndpoints lists by id.
	ListEndpoints(ctx context.Context, env, app hook.ID, p hook.Page) (hook.PageOf[hook.Endpoint], error)
	// UpdateEndpoint changes one inside the transaction and counts its revision
	// up. With a key that was used before, change is not called and true is given.
	UpdateEndpoint(ctx context.Context, env, app hook.ID, ref hook.Ref, once *hook.IdempotencyKey, change func(*hook.Endpoint) error) (hook.Endpoint, bool, error)
	// DeleteEndpoint deletes one and gives its id; its pending deliveries are
	// canceled by the engine as it comes to them.
	DeleteEndpoint(ctx context.Context, env, app hook.ID, ref hook.Ref, now time.Time) (hook.ID, error)
}

// Sources keeps the ingest URLs of an environment. A source owns endpoints and
// messages under its id, wherever an application's id is asked for.
type Sources interface {
	// CreateSource stores s; CodeConflict if its uid or a token is taken.
	CreateSource(ctx context.Context, s *hook.Source, once *hook.IdempotencyKey) (hook.Source, bool, error)
	// FindSource gives one; CodeNotFound.
	FindSource(ctx context.Context, env hook.ID, ref hook.Ref) (hook.Source, error)
	// FindSourceByToken gives the source with this token, whatever its environment;
	// CodeNotFound if there is none or the token had ended by now.
	FindSourceByToken(ctx context.Context, hash [32]byte, now time.Time) (hook.Source, error)
	// ListSources lists by id.
	ListSources(ctx context.Context, env hook.ID, p hook.Page) (hook.PageOf[hook.Source], error)
	// UpdateSource changes one inside the transaction; an error of change is
	// returned and nothing written. CodeConflict if the new uid or a token is taken.
	UpdateSource(ctx context.Context, env hook.ID, ref hook.Ref, once *hook.IdempotencyKey, change func(*hook.Source) error) (hook.Source, bool, error)
	// DeleteSource deletes one with its tokens and endpoints, whose ids it gives;
	// pending deliveries are canceled by the engine as it comes to them.
	DeleteSource(ctx context.Context, env hook.ID, ref hook.Ref, now time.Time) ([]hook.ID, error)
	// DueSources gives sources, of all environments, whose NextFire has come, the
	// longest due first.
	DueSources(ctx context.Context, now time.Time, limit int) ([]hook.Source, error)
}

// Requests keeps what reached sources. Those that were accepted are stored by
// Accept, with their messages.
type Requests interface {
	// RecordRequests stores requests that became no message, in one transaction
	// shared with other callers, and removes the oldest of their sources beyond the
	// bound. Those of sources that are gone are dropped. A State of RequestDuplicate
	// becomes RequestDiffers if Fingerprint is not that of the request that Message
	// was received as; only then the body is kept.
	RecordRequests(ctx context.Context, bound hook.RequestBound, rs []hook.Request) error
	// FindRequest gives one; CodeNotFound.
	FindRequest(ctx context.Context, env, source, request hook.ID, withBody bool) (hook.Request, error)
	// ListRequests lists newest first, without bodies.
	ListRequests(ctx context.Context, f hook.RequestFilter) (hook.PageOf[hook.Request], error)
	// UpdateRequest changes Note, Reason, Detail and Findings inside the transaction.
	UpdateRequest(ctx context.Context, env, source, request hook.ID, change func(*hook.Request) error) (hook.Request, error)
	// PurgeRequests removes at most limit requests of the source that became no
	// message and were received before that time (zero: all), and reports how many.
	PurgeRequests(ctx context.Context, env, source hook.ID, before time.Time, limit int) (int, error)
}

// Messages takes events in and shows them.
type Messages interface {
	// Accept stores events with their deliveries and idempotency keys in one
	// transaction, shared with other callers. Results are in the order of the
	// events. Deliveries for which places has room are leased to node; the
	// others are due. A disabled endpoint that matches gets a canceled delivery.
	// An error means that nothing of this call was stored.
	Accept(ctx context.Context, node hook.Node, places hook.Placer, now time.Time, events []hook.NewEvent) ([]hook.Accepted, error)
	// FindMessage gives one by id or eventId; CodeNotFound.
	FindMessage(ctx context.Context, env, app hook.ID, ref hook.Ref, withBody bool) (hook.Message, error)
	// ListMessages lists newest first.
	ListMessages(ctx context.Context, f hook.MessageFilter) (hook.PageOf[hook.Message], error)
	// ExpungeMessage drops the payload.
	ExpungeMessage(ctx context.Context, env, app hook.ID, ref hook.Ref) error
	// ExplainMessage gives what is known about each endpoint of the application.
	ExplainMessage(ctx context.Context, env, app hook.ID, ref hook.Ref) (hook.Explanation, error)
}

// Attempts shows deliveries and attempts.
type Attempts interface {
	// FindAttempt gives one attempt of a message; CodeNotFound.
	FindAttempt(ctx context.Context, env, app, message, attempt hook.ID) (hook.Attempt, error)
	// ListAttempts lists newest first.
	ListAttempts(ctx context.Context, f hook.AttemptFilter) (hook.PageOf[hook.Attempt], error)
	// ListDeliveries lists deliveries that were tried or are planned.
	ListDeliveries(ctx context.Context, f hook.DeliveryFilter) (hook.PageOf[hook.DeliveryOf], error)
	// CountAttempts counts, for an endpoint and a range of time, the attempts that
	// succeeded and failed, and the deliveries of messages created in it that
	// wait, are in flight or were canceled. Of whole hours (UTC) the attempts are
	// those of ListRollups, so they count even if retention removed them since; of
	// the hours that the range cuts they are those still kept.
	CountAttempts(ctx context.Context, env, app, endpoint hook.ID, since, until time.Time) (hook.AttemptCounts, error)
	// ExpungeAttempt drops the stored answer.
	ExpungeAttempt(ctx context.Context, env, app, message, attempt hook.ID) error
}

// Nodes keeps the servers that share the store. Deliveries are leased to a node,
// and a node has one lease of its own that it renews with each beat; there is no
// renewal per delivery.
type Nodes interface {
	// RegisterNode makes the caller a node with a new epoch, alive for lease. What
	// an earlier life of the same name had leased is due again. On SQLite, where
	// only one process can have the file open, all leases are free.
	RegisterNode(ctx context.Context, name string, lease time.Duration, now time.Time) (hook.Node, error)
	// Beat renews the node's lease and gives the news.
	Beat(ctx context.Context, b hook.Beat) (hook.Pulse, error)
	// LeaveNode ends a node that has given back its deliveries; another can be leader at once.
	LeaveNode(ctx context.Context, n hook.Node, now time.Time) error
	// Rescue makes due what is leased to nodes whose lease has run out, and ends
	// those nodes.
	Rescue(ctx context.Context, now time.Time) (hook.Rescued, error)
	// ListNodes gives the nodes that beat within the last day, newest first.
	ListNodes(ctx context.Context, now time.Time) ([]hook.NodeInfo, error)
}

// Feed tells what was committed, in the order of commits.
type Feed interface {
	// ReadFeed gives at most limit entries after a cursor, of all environments or
	// of one (zero: all). What retention removed meanwhile is left out.
	ReadFeed(ctx context.Context, kind hook.FeedKind, env hook.ID, after hook.Cursor, limit int) (hook.FeedPage, error)
	// FeedEnd gives the cursor behind everything that is committed now.
	FeedEnd(ctx context.Context, kind hook.FeedKind) (hook.Cursor, error)
}

// Rollups keeps attempts summed up by endpoint and hour, so that statistics do
// not read history. They follow the feed of attempts and survive the attempts.
type Rollups interface {
	// RollUp sums up at most limit further attempts, for rollups, traffic and issues, and
	// counts further messages for traffic. It reports how many attempts there were;
	// fewer than limit: it has caught up. Each attempt counts once.
	RollUp(ctx context.Context, limit int) (int, error)
	// ListRollups gives the hours that have attempts, oldest first. Attempts that
	// RollUp did not come to yet are counted in, and those of an application's
	// deleted endpoints. CodeNotFound.
	ListRollups(ctx context.Context, f hook.StatsFilter) ([]hook.Rollup, error)
}

// Queue is what the engine drives.
type Queue interface {
	// Lanes lists lanes with due work, in the store's own order of endpoints,
	// after the given one; both lanes of an endpoint come together, so there may
	// be one more than limit.
	Lanes(ctx context.Context, after hook.ID, limit int) ([]hook.Lane, error)
	// Claim leases due deliveries. Its cost grows with what it leases, not with
	// what is due.
	Claim(ctx context.Context, r hook.ClaimRequest) ([]hook.ClaimedLane, error)
	// Settle ends leases: attempt rows, delivery rows and the endpoints' failure
	// clocks in one transaction, each only where the lease is still the node's.
	Settle(ctx context.Context, s []hook.Settlement) ([]hook.Settled, error)
	// Release gives leases back unused: the deliveries are due as before.
	Release(ctx context.Context, leases []*hook.Lease, now time.Time) error
	// CancelLane cancels at most limit deliveries that wait in the lanes of an
	// endpoint; it reports how many, 0 when none is left. With another reason
	// than ReasonByUser it does so only while the endpoint is disabled or deleted.
	CancelLane(ctx context.Context, endpoint hook.ID, reason hook.Reason, now time.Time, limit int) (int, error)
	// Resend queues one manual attempt of a message for an endpoint, whatever
	// its filters say. CodeDisabled, CodeMissingPayload, CodeNotFound.
	Resend(ctx context.Context, env, app hook.ID, message, endpoint hook.Ref, now time.Time, once *hook.IdempotencyKey) (hook.Lane, error)
	// QueueStats counts what is due, up to a bound.
	QueueStats(ctx context.Context, now time.Time) (hook.QueueStats, error)
}

// Tasks keeps stored jobs.
type Tasks interface {
	// CreateTask stores t, or gives the first one of the key and true.
	CreateTask(ctx context.Context, t *hook.Task, once *hook.IdempotencyKey) (hook.Task, bool, error)
	// FindTask gives one; CodeNotFound.
	FindTask(ctx context.Context, env, task hook.ID) (hook.Task, error)
	// ListTasks lists newest first.
	ListTasks(ctx context.Context, f hook.TaskFilter) (hook.PageOf[hook.Task], error)
	// CancelTask stops one; a finished task stays as it is.
	CancelTask(ctx context.Context, env, task hook.ID, now time.Time) (hook.Task, error)
	// RunningTasks gives tasks to work on, oldest first.
	RunningTasks(ctx context.Context, limit int) ([]hook.Task, error)
	// RecoverStep looks at most limit deliveries (of TaskReplay: messages) further and queues the
	// recoverable ones as manual attempts, or the missing ones as first attempts, no more
	// than Task.Room of them; it stores progress in the task and
	// gives the lane that has new work.
	RecoverStep(ctx context.Context, task hook.ID, now time.Time, limit int) (hook.Task, hook.Lane, error)
}

// Upkeep removes what is no longer kept.
type Upkeep interface {
	// Expire removes one small slice of what retention no longer keeps, and
	// idempotency keys, sessions, tickets and audit entries that have ended. An
	// attempt goes only after it is in its rollup, a rollup when its whole hour is
	// older than Retention.Messages.
	Expire(ctx context.Context, r hook.Retention, now time.Time) (hook.Expired, error)
}
