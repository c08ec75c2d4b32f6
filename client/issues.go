package client

import (
	"context"
	"net/http"

	"github.com/grapnelhq/grapnel/apitype"
)

// ListIssues finds failures by endpoint and cause, the last seen first.
func (c *Client) ListIssues(ctx context.Context, s Search) (apitype.IssueRows, error) {
	return call[apitype.IssueRows](ctx, c, request{method: http.MethodGet, path: apiPath("issue"), query: s.query()})
}

// FindIssue gives one with how many messages it affects.
func (c *Client) FindIssue(ctx context.Context, issue string) (apitype.IssueOut, error) {
	return call[apitype.IssueOut](ctx, c, request{method: http.MethodGet, path: apiPath("issue", issue)})
}

// PatchIssue changes the members that are present.
func (c *Client) PatchIssue(ctx context.Context, issue string, in apitype.IssuePatch) (apitype.IssueOut, error) {
	return call[apitype.IssueOut](ctx, c, request{method: http.MethodPatch, path: apiPath("issue", issue), body: in})
}

// RecoverIssue sends again what failed for good at the endpoint of an issue since it began.
func (c *Client) RecoverIssue(ctx context.Context, issue string, in apitype.IssueRecoverIn) (apitype.TaskRef, error) {
	return call[apitype.TaskRef](ctx, c, request{method: http.MethodPost, path: apiPath("issue", issue, "recover"), body: in})
}
