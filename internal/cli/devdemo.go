package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/grapnelhq/grapnel/apitype"
	"github.com/grapnelhq/grapnel/client"
)

// The demo objects of `grapnel dev`. They are found again at the next start.
const (
	demoApp      = "demo"
	demoEndpoint = "demo"
	demoFlaky    = "demo-flaky"
	demoType     = "user.created"
	demoTypeTwo  = "demo.flaky"
	demoInvoice  = "invoice.paid"
	demoWait     = 5 * time.Second
)

// firstWebhook is what came of the webhook that dev sends to itself.
type firstWebhook struct {
	Message  string `json:"message"`
	Status   int    `json:"status"`
	Millis   int64  `json:"durationMs"`
	Verified bool   `json:"verified"`
	Problem  string `json:"problem,omitempty"` // empty: delivered and verified
}

// demo makes the demo objects through the public API and sends the first webhook.
func demo(ctx context.Context, c *client.Client, r *receiver) (firstWebhook, error) {
	if err := demoObjects(ctx, c, r); err != nil {
		return firstWebhook{}, err
	}
	out, err := c.Publish(ctx, demoApp, apitype.MessageIn{
		EventType: demoType, Payload: json.RawMessage(`{"type":"user.created","id":1,"name":"Ada"}`),
	}, client.PublishOptions{Wait: demoWait})
	if err != nil {
		return firstWebhook{}, fmt.Errorf("sending the first webhook: %w", err)
	}
	first := firstWebhook{Message: out.ID}
	for _, d := range out.Deliveries {
		if d.EndpointUID == nil || *d.EndpointUID != demoEndpoint {
			continue
		}
		if d.LastStatusCode != nil {
			first.Status = int(*d.LastStatusCode)
		}
		if d.LastDurationMs != nil {
			first.Millis = *d.LastDurationMs
		}
		if d.State != apitype.DeliveryDelivered {
			first.Problem = "it is " + string(d.State)
			if why := lastWords(d, out.Attempts); why != "" {
				first.Problem += ": " + why
			}
		}
	}
	arrived, err := r.verified(out.ID)
	switch {
	case first.Problem != "":
	case !arrived:
		first.Problem = "it has not arrived at the receiver"
	case err != nil:
		first.Problem = "its signature is wrong: " + err.Error()
	default:
		first.Verified = true
	}
	return first, nil
}

// demoObjects finds or makes application, event types and endpoints, and tells
// the receiver their secret.
func demoObjects(ctx context.Context, c *client.Client, r *receiver) error {
	if _, err := c.GetOrCreateApplication(ctx, apitype.ApplicationIn{Name: "Demo customer", UID: apitype.Some(demoApp)}); err != nil {
		return fmt.Errorf("making the demo application: %w", err)
	}
	for _, t := range []apitype.EventTypeIn{
		{Name: demoType, Description: "A user has signed up."},
		{Name: demoInvoice, Description: "An invoice has been paid."},
		{Name: demoTypeTwo, Description: "Fails twice at the built-in receiver, then arrives."},
	} {
		var refused *client.Error
		if _, err := c.CreateEventType(ctx, t); err != nil && (!errors.As(err, &refused) || refused.Code != "event_type_exists") {
			return fmt.Errorf("making the event type %s: %w", t.Name, err)
		}
	}
	secret, err := demoTarget(ctx, c, demoEndpoint, r.url()+"/ok", "The built-in receiver.", "", demoType, demoInvoice)
	if err != nil {
		return err
	}
	if _, err := demoTarget(ctx, c, demoFlaky, r.url()+"/flaky", "The built-in receiver, failing twice for each event.", secret, demoTypeTwo); err != nil {
		return err
	}
	return r.trust(secret)
}

// demoTarget finds or makes one endpoint, leads it to the receiver, and gives
// its secret. The receiver may have another port than last time.
func demoTarget(ctx context.Context, c *client.Client, uid, url, description, secret string, eventTypes ...string) (string, error) {
	found, err := c.FindEndpoint(ctx, demoApp, uid)
	var refused *client.Error
	switch {
	case err == nil && found.URL != url:
		_, err = c.PatchEndpoint(ctx, demoApp, uid, apitype.EndpointPatch{URL: apitype.Some(url)})
	case errors.As(err, &refused) && refused.Status == 404:
		in := apitype.EndpointIn{URL: url, UID: apitype.Some(uid), Description: apitype.Some(description), EventTypes: apitype.Some(eventTypes)}
		if secret != "" {
			in.Secret = apitype.Some(secret)
		}
		_, err = c.CreateEndpoint(ctx, demoApp, in)
	}
	if err != nil {
		return "", fmt.Errorf("making the demo endpoint %s: %w", uid, err)
	}
	out, err := c.EndpointSecret(ctx, demoApp, uid)
	if err != nil {
		return "", fmt.Errorf("reading the secret of %s: %w", uid, err)
	}
	return out.Key, nil
}
