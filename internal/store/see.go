package store

import (
	"context"

	"github.com/grapnelhq/grapnel/internal/hook"
)

// Recent looks over a whole environment. Its lists look at a bounded number of rows
// in one call and say how far they came, so that a caller can go on.
type Recent interface {
	// ListRecent lists messages newest first. CodeNotFound if Endpoint is gone;
	// applications that are gone have no messages.
	ListRecent(ctx context.Context, f hook.RecentFilter) (hook.RecentPage, error)
	// CountRecent counts the messages that ListRecent lists, at most bound of them;
	// From, Newer and Limit do not matter.
	CountRecent(ctx context.Context, f hook.RecentFilter, bound int) (hook.BoundedCount, error)
	// RecentOf gives the rows of what a feed of messages gave, in its order, without
	// bodies. What is gone or of another environment is left out.
	RecentOf(ctx context.Context, env hook.ID, items []hook.FeedItem) ([]hook.RecentMessage, error)
	// FindMessageAnywhere gives a message of any application or source; CodeNotFound.
	FindMessageAnywhere(ctx context.Context, env, message hook.ID, withBody bool) (hook.RecentMessage, error)
	// FindEndpointAnywhere gives an endpoint of any application or source; CodeNotFound.
	FindEndpointAnywhere(ctx context.Context, env, endpoint hook.ID) (hook.EndpointOf, error)
	// FindAttemptAnywhere gives an attempt with the owner of its message; CodeNotFound.
	FindAttemptAnywhere(ctx context.Context, env, attempt hook.ID) (hook.Attempt, hook.Owner, error)
	// ListEnvironmentRequests lists what reached all sources, newest first.
	ListEnvironmentRequests(ctx context.Context, f hook.RecentRequestFilter) (hook.RecentRequestPage, error)
	// ListEnvironmentEndpoints lists endpoints of all owners, newest first.
	ListEnvironmentEndpoints(ctx context.Context, f hook.EnvironmentEndpointFilter) (hook.EndpointPage, error)
	// ListApplicationsWithCounts lists applications by id.
	ListApplicationsWithCounts(ctx context.Context, f hook.ApplicationFilter) (hook.PageOf[hook.ApplicationOf], error)
}

// Issues keeps what endpoints fail for. RollUp makes and opens them; an endpoint
// that is deleted takes its issues along.
type Issues interface {
	// ListIssues lists issues; that with the newest LastSeen comes first.
	ListIssues(ctx context.Context, f hook.IssueFilter) (hook.PageOf[hook.Issue], error)
	// FindIssue gives one; CodeNotFound.
	FindIssue(ctx context.Context, env, issue hook.ID) (hook.Issue, error)
	// UpdateIssue changes State, MutedUntil, ResolvedAt, Note and Assignee inside the
	// transaction; an error of change is returned and nothing written.
	UpdateIssue(ctx context.Context, env, issue hook.ID, change func(*hook.Issue) error) (hook.Issue, error)
	// CountIssues counts those of a state, up to bound.
	CountIssues(ctx context.Context, env hook.ID, state hook.IssueState, bound int) (int, error)
}

// Traffic tells what went through.
type Traffic interface {
	// ListTraffic gives the steps in which anything was, oldest first. What RollUp did
	// not come to yet is counted in, as long as it is not more than a few seconds of a
	// full load.
	ListTraffic(ctx context.Context, f hook.TrafficFilter) ([]hook.Traffic, error)
	// ListRollupsOf gives the hours of endpoints that have attempts, oldest first, as
	// ListRollups does. Endpoints that are not there are left out.
	ListRollupsOf(ctx context.Context, f hook.RollupFilter) (map[hook.ID][]hook.Rollup, error)
}

// Sizes tells about the store itself and about work to come.
type Sizes interface {
	// Figures says how large the store is.
	Figures(ctx context.Context) (hook.StoreFigures, error)
	// CountRecoverable counts what a task of this kind, endpoint and time range would
	// queue now, up to bound. CodeNotFound.
	CountRecoverable(ctx context.Context, t *hook.Task, bound int) (hook.BoundedCount, error)
}
