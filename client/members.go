package client

import (
	"context"
	"net/http"

	"github.com/grapnelhq/grapnel/apitype"
)

// Members belong to all environments, so of the keys only the one in the server's
// settings manages them.

// ListMembers lists members, the first one first.
func (c *Client) ListMembers(ctx context.Context, o ListOptions) (apitype.List[apitype.MemberOut], error) {
	return call[apitype.List[apitype.MemberOut]](ctx, c, request{method: http.MethodGet, path: memberPath(), query: o.query()})
}

// CreateMember invites a member; the link in the answer is for them.
func (c *Client) CreateMember(ctx context.Context, in apitype.MemberIn) (apitype.MemberCreateOut, error) {
	return call[apitype.MemberCreateOut](ctx, c, request{method: http.MethodPost, path: memberPath(), body: in})
}

// GetMember gets a member.
func (c *Client) GetMember(ctx context.Context, member string) (apitype.MemberOut, error) {
	return call[apitype.MemberOut](ctx, c, request{method: http.MethodGet, path: memberPath(member)})
}

// PatchMember changes the role or the name of a member.
func (c *Client) PatchMember(ctx context.Context, member string, in apitype.MemberPatch) (apitype.MemberOut, error) {
	return call[apitype.MemberOut](ctx, c, request{method: http.MethodPatch, path: memberPath(member), body: in})
}

// DeleteMember removes a member and ends all sessions of theirs.
func (c *Client) DeleteMember(ctx context.Context, member string) error {
	_, err := c.do(ctx, request{method: http.MethodDelete, path: memberPath(member)})
	return err
}

// CreateMemberLink makes a link that lets a member in once.
func (c *Client) CreateMemberLink(ctx context.Context, member string, in apitype.MemberLinkIn) (apitype.MemberLinkOut, error) {
	return call[apitype.MemberLinkOut](ctx, c, request{method: http.MethodPost, path: memberPath(member, "link"), body: in})
}

// ListAudit lists who did what in the key's environment, newest first.
func (c *Client) ListAudit(ctx context.Context, o ListOptions) (apitype.List[apitype.AuditOut], error) {
	return call[apitype.List[apitype.AuditOut]](ctx, c, request{method: http.MethodGet, path: apiPath("audit"), query: o.query()})
}

func memberPath(parts ...string) string { return apiPath(append([]string{"member"}, parts...)...) }
