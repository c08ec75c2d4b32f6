package client

import (
	"context"
	"net/http"
	"net/url"

	"github.com/grapnelhq/grapnel/apitype"
)

// CreateEventType creates an event type. Code "event_type_exists" if there is one.
func (c *Client) CreateEventType(ctx context.Context, in apitype.EventTypeIn) (apitype.EventTypeOut, error) {
	return call[apitype.EventTypeOut](ctx, c, request{method: http.MethodPost, path: apiPath("event-type"), body: in})
}

// FindEventType gives one event type, archived or not.
func (c *Client) FindEventType(ctx context.Context, name string) (apitype.EventTypeOut, error) {
	return call[apitype.EventTypeOut](ctx, c, request{method: http.MethodGet, path: apiPath("event-type", name)})
}

// ListEventTypes lists event types by name, without schemas and archived ones.
func (c *Client) ListEventTypes(ctx context.Context, o ListOptions) (apitype.List[apitype.EventTypeOut], error) {
	return call[apitype.List[apitype.EventTypeOut]](ctx, c, request{method: http.MethodGet, path: apiPath("event-type"), query: o.query()})
}

// PutEventType states all of an event type, and creates it if there is none.
func (c *Client) PutEventType(ctx context.Context, name string, in apitype.EventTypeUpdate) (apitype.EventTypeOut, error) {
	return call[apitype.EventTypeOut](ctx, c, request{method: http.MethodPut, path: apiPath("event-type", name), body: in})
}

// PatchEventType changes the members that are present.
func (c *Client) PatchEventType(ctx context.Context, name string, in apitype.EventTypePatch) (apitype.EventTypeOut, error) {
	return call[apitype.EventTypeOut](ctx, c, request{method: http.MethodPatch, path: apiPath("event-type", name), body: in})
}

// DeleteEventType archives an event type, or removes it for good.
func (c *Client) DeleteEventType(ctx context.Context, name string, forGood bool) error {
	q := url.Values{}
	if forGood {
		q.Set("expunge", "true")
	}
	_, err := c.do(ctx, request{method: http.MethodDelete, path: apiPath("event-type", name), query: q})
	return err
}
