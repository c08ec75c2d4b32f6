package provider

import (
	"context"
	"encoding/json"
	"fmt"
	"time"
)

// clientState compares the secret with the clientState of every notification: one body
// can hold those of several subscriptions.
type clientState struct{ plainSecret }

var _ scheme = clientState{}

type graphNotifications struct {
	Value []struct {
		ClientState string `json:"clientState"`
	} `json:"value"`
}

func (clientState) verify(_ context.Context, r *Request, k key, _ *Settings, _ time.Time) Verdict {
	var notifications graphNotifications
	if err := json.Unmarshal(r.Body, &notifications); err != nil || len(notifications.Value) == 0 {
		return Verdict{Reason: MalformedBody, Detail: "The body has no notifications."}
	}
	for i, notification := range notifications.Value {
		if !sameText(notification.ClientState, k.text) {
			return Verdict{Reason: SignatureMismatch, Detail: fmt.Sprintf("The clientState of notification %d is not the secret.", i)}
		}
	}
	return Verdict{Reason: Verified}
}

func (clientState) sign(r *Request, k key, _ *Settings, _ string, _ time.Time) error {
	members := map[string]json.RawMessage{}
	var notifications []map[string]json.RawMessage
	if err := json.Unmarshal(r.Body, &members); err != nil {
		return fmt.Errorf("read the notifications: %w", err)
	}
	if err := json.Unmarshal(members["value"], &notifications); err != nil {
		return fmt.Errorf("read the notifications: %w", err)
	}
	for _, notification := range notifications {
		notification["clientState"] = quoted(k.text)
	}
	var err error
	if members["value"], err = json.Marshal(notifications); err != nil {
		return fmt.Errorf("write the notifications: %w", err)
	}
	r.Body, err = json.Marshal(members)
	return err
}

func quoted(text string) json.RawMessage {
	raw, _ := json.Marshal(text) // a text always marshals
	return raw
}
