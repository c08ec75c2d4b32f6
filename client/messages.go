package client

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/grapnelhq/grapnel/apitype"
)

// PublishOptions go with a message.
type PublishOptions struct {
	// IdempotencyKey makes the message happen once, however often it is
	// published within 12 h. Empty: one is made for this call.
	IdempotencyKey string
	// Wait asks the server to answer when every delivery has been tried once,
	// or when the time is up: whole seconds up to 30. 0: it answers at once.
	Wait time.Duration
}

// Publish sends a message to the endpoints of an application that ask for it.
// The payload goes out byte for byte as it stands in in.
func (c *Client) Publish(ctx context.Context, app string, in apitype.MessageIn, o PublishOptions) (apitype.MessageCreateOut, error) {
	body, err := EncodeMessage(in)
	if err != nil {
		return apitype.MessageCreateOut{}, err
	}
	q := url.Values{"with_content": {"false"}}
	if o.Wait > 0 {
		q.Set("wait", strconv.Itoa(int((o.Wait+time.Second-1)/time.Second)))
	}
	return call[apitype.MessageCreateOut](ctx, c, request{
		method: http.MethodPost, path: apiPath("app", app, "msg"), query: q, body: body, once: o.IdempotencyKey,
	})
}

// PublishBatch publishes up to 1,000 messages in one request and one commit.
// The answer has one result for each; an error means that none was accepted.
func (c *Client) PublishBatch(ctx context.Context, app string, in []apitype.MessageIn, o PublishOptions) (apitype.MessageBatchOut, error) {
	var buf bytes.Buffer
	buf.WriteByte('[')
	for i, m := range in {
		if i > 0 {
			buf.WriteByte(',')
		}
		body, err := EncodeMessage(m)
		if err != nil {
			return apitype.MessageBatchOut{}, fmt.Errorf("message %d: %w", i, err)
		}
		buf.Write(body)
	}
	buf.WriteByte(']')
	return call[apitype.MessageBatchOut](ctx, c, request{
		method: http.MethodPost, path: apiPath("app", app, "msg", "batch"), body: json.RawMessage(buf.Bytes()), once: o.IdempotencyKey,
	})
}

// noPayload is how encoding/json writes a missing payload. A quote inside a
// string is escaped, so its first occurrence is the member itself.
const noPayload = `"payload":null`

// EncodeMessage gives the JSON that Publish sends, with the payload as it
// stands: encoding/json by itself would take the spaces out of it.
func EncodeMessage(in apitype.MessageIn) (json.RawMessage, error) {
	payload := bytes.Trim(in.Payload, " \t\r\n")
	if !json.Valid(payload) {
		return nil, fmt.Errorf("the payload is not JSON")
	}
	in.Payload = nil
	frame, err := encode(in)
	if err != nil {
		return nil, fmt.Errorf("encoding the message: %w", err)
	}
	before, after, _ := bytes.Cut(bytes.TrimSpace(frame), []byte(noPayload))
	body := make([]byte, 0, len(frame)+len(payload))
	body = append(body, before...)
	body = append(body, noPayload[:len(noPayload)-len("null")]...)
	body = append(body, payload...)
	return append(body, after...), nil
}

// MessageFilter chooses messages of an application or deliveries of an endpoint.
type MessageFilter struct {
	EventTypes    []string // empty: all
	Channel, Tag  string
	Before, After time.Time
	WithContent   bool // with payloads or answers
}

func (f MessageFilter) query(o ListOptions) url.Values {
	q := o.query()
	if len(f.EventTypes) > 0 {
		q.Set("event_types", strings.Join(f.EventTypes, ","))
	}
	if f.Channel != "" {
		q.Set("channel", f.Channel)
	}
	if f.Tag != "" {
		q.Set("tag", f.Tag)
	}
	setTime(q, "before", f.Before)
	setTime(q, "after", f.After)
	q.Set("with_content", strconv.FormatBool(f.WithContent))
	return q
}

// ListMessages lists messages of an application, newest first.
func (c *Client) ListMessages(ctx context.Context, app string, f MessageFilter, o ListOptions) (apitype.List[apitype.MessageOut], error) {
	return call[apitype.List[apitype.MessageOut]](ctx, c, request{method: http.MethodGet, path: apiPath("app", app, "msg"), query: f.query(o)})
}

// FindMessage gives one message with its payload.
func (c *Client) FindMessage(ctx context.Context, app, message string) (apitype.MessageOut, error) {
	return call[apitype.MessageOut](ctx, c, request{method: http.MethodGet, path: apiPath("app", app, "msg", message)})
}

// ExpungeMessage drops the payload of a message.
func (c *Client) ExpungeMessage(ctx context.Context, app, message string) error {
	_, err := c.do(ctx, request{method: http.MethodDelete, path: apiPath("app", app, "msg", message, "content")})
	return err
}

// ExplainMessage says for each endpoint what became of a message, and why.
func (c *Client) ExplainMessage(ctx context.Context, app, message string) (apitype.ExplainOut, error) {
	return call[apitype.ExplainOut](ctx, c, request{method: http.MethodGet, path: apiPath("app", app, "msg", message, "explain")})
}
