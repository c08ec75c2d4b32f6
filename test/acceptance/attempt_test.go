package acceptance_test

import (
	"fmt"
	"testing"
	"time"

	svix "github.com/svix/svix-webhooks/go"
	"github.com/svix/svix-webhooks/go/models"
)

func same[T comparable](got, want T) error {
	if got != want {
		return fmt.Errorf("got %s, want %s", show(got), show(want))
	}
	return nil
}

// awaitStatus waits until the message stands like this at the endpoint.
func awaitStatus(t *testing.T, c *svix.Svix, app, msg, ep string, want models.MessageStatus) models.EndpointMessageOut {
	t.Helper()
	var found models.EndpointMessageOut
	eventually(t, func() error {
		// With options the client asks for canceled deliveries too.
		list, err := c.MessageAttempt.ListAttemptedMessages(t.Context(), app, ep, &svix.MessageAttemptListAttemptedMessagesOptions{})
		ok(t, err)
		for _, found = range list.Data {
			if found.Id == msg {
				return same(found.Status, want)
			}
		}
		return fmt.Errorf("message %s is not among %s", msg, show(list.Data))
	})
	return found
}

// awaitDisabled waits until the endpoint is disabled, or enabled.
func awaitDisabled(t *testing.T, c *svix.Svix, app, ep string, want bool) {
	t.Helper()
	eventually(t, func() error {
		found, err := c.Endpoint.Get(t.Context(), app, ep)
		ok(t, err)
		return same(found.Disabled != nil && *found.Disabled, want)
	})
}

func TestFailingReceiverIsRetriedUntilItSucceeds(t *testing.T) {
	t.Parallel()
	c := admin(t)
	app, hook := newApplication(t, c), receiver.Hook(500, 404, 200)
	ep := newEndpoint(t, c, app, models.EndpointIn{Url: hook.URL}).Id
	verify := verifier(t, c, app, ep)
	msg := publish(t, c, app, models.MessageIn{EventType: "retry.me", Tags: []string{"red"}, Channels: []string{"one"}})
	for _, status := range []int{500, 404, 200} {
		got := hook.Next(t)
		ok(t, verify.Verify(got.Body, got.Header))
		equal(t, "id", got.ID(), msg.Id)
		equal(t, "status", got.Status, status)
	}
	done := awaitStatus(t, c, app, msg.Id, ep, models.MESSAGESTATUS_SUCCESS)
	equal(t, "next attempt", done.NextAttempt, nil)
	equal(t, "status text", done.StatusText, models.MESSAGESTATUSTEXT_SUCCESS)
	destinations, err := c.MessageAttempt.ListAttemptedDestinations(t.Context(), app, msg.Id, nil)
	ok(t, err)
	if len(destinations.Data) != 1 || destinations.Data[0].Id != ep || destinations.Data[0].Url != hook.URL ||
		destinations.Data[0].Status != models.MESSAGESTATUS_SUCCESS {
		t.Errorf("destinations are %s", show(destinations.Data))
	}

	byMessage, err := c.MessageAttempt.ListByMsg(t.Context(), app, msg.Id, nil)
	ok(t, err)
	byEndpoint, err := c.MessageAttempt.ListByEndpoint(t.Context(), app, ep, nil)
	ok(t, err)
	equal(t, "attempts of the endpoint", byEndpoint.Data, byMessage.Data)
	equal(t, "number of attempts", len(byMessage.Data), 3)
	for i, want := range []struct {
		status models.MessageStatus
		text   models.MessageStatusText
		code   int16
	}{
		{models.MESSAGESTATUS_SUCCESS, models.MESSAGESTATUSTEXT_SUCCESS, 200},
		{models.MESSAGESTATUS_FAIL, models.MESSAGESTATUSTEXT_FAIL, 404},
		{models.MESSAGESTATUS_FAIL, models.MESSAGESTATUSTEXT_FAIL, 500},
	} {
		a := byMessage.Data[i]
		equal(t, "status", a.Status, want.status)
		equal(t, "status text", a.StatusText, want.text)
		equal(t, "status code", a.ResponseStatusCode, want.code)
		equal(t, "response", a.Response, fmt.Sprintf("answer %d", want.code))
		equal(t, "message", a.MsgId, msg.Id)
		equal(t, "endpoint", a.EndpointId, ep)
		equal(t, "url", a.Url, hook.URL)
		equal(t, "trigger", a.TriggerType, models.MESSAGEATTEMPTTRIGGERTYPE_SCHEDULED)
		one, err := c.MessageAttempt.Get(t.Context(), app, msg.Id, a.Id, nil)
		ok(t, err)
		equal(t, "attempt by its id", *one, a)
	}
	filterAttempts(t, c, app, ep, msg, byMessage.Data)
}

// filterAttempts lists attempts that answered 200, 404 and 500, newest first, by every filter.
func filterAttempts(t *testing.T, c *svix.Svix, app, ep string, msg *models.MessageOut, all []models.MessageAttemptOut) {
	t.Helper()
	past := time.Now().Add(-time.Hour)
	type filter = svix.MessageAttemptListByEndpointOptions
	for _, test := range []struct {
		name string
		o    filter
		want []models.MessageAttemptOut
	}{
		{"success", filter{Status: new(models.MESSAGESTATUS_SUCCESS)}, all[:1]},
		{"fail", filter{Status: new(models.MESSAGESTATUS_FAIL)}, all[1:]},
		{"class 400", filter{StatusCodeClass: new(models.STATUSCODECLASS_CODE4XX)}, all[1:2]},
		{"type", filter{EventTypes: &[]string{"retry.me"}}, all},
		{"other type", filter{EventTypes: &[]string{"other"}}, nil},
		{"tag", filter{Tag: new("red")}, all},
		{"other tag", filter{Tag: new("blue")}, nil},
		{"channel", filter{Channel: new("one")}, all},
		{"other channel", filter{Channel: new("two")}, nil},
		{"before", filter{Before: &past}, nil},
		{"first page", filter{Limit: new(uint64(2))}, all[:2]},
		{"second page", filter{Limit: new(uint64(2)), Iterator: &all[1].Id}, all[2:]},
	} {
		list, err := c.MessageAttempt.ListByEndpoint(t.Context(), app, ep, &test.o)
		ok(t, err)
		equal(t, "attempts by "+test.name, append([]models.MessageAttemptOut(nil), list.Data...), test.want)
	}
	with, err := c.MessageAttempt.ListByEndpoint(t.Context(), app, ep, &filter{WithMsg: new(true), WithContent: new(false)})
	ok(t, err)
	for _, a := range with.Data {
		if a.Msg == nil || a.Msg.Id != msg.Id || len(a.Msg.Payload) != 0 || a.Response != "{}" {
			t.Errorf("attempt with its message and without content: %s", show(a))
		}
	}
	mine, err := c.MessageAttempt.ListByMsg(t.Context(), app, msg.Id, &svix.MessageAttemptListByMsgOptions{EndpointId: &ep})
	ok(t, err)
	equal(t, "attempts of the message at the endpoint", mine.Data, all)
}

func TestAttemptedMessagesShowWhereTheyStand(t *testing.T) {
	t.Parallel()
	c := admin(t)
	app, hook := newApplication(t, c), receiver.Hook(204, 400)
	ep := newEndpoint(t, c, app, models.EndpointIn{Url: hook.URL}).Id
	good := publish(t, c, app, models.MessageIn{EventType: "good.one"})
	hook.Next(t)
	bad := publish(t, c, app, models.MessageIn{EventType: "bad.one"})
	failed := awaitStatus(t, c, app, bad.Id, ep, models.MESSAGESTATUS_FAIL)
	equal(t, "next attempt", failed.NextAttempt, nil)

	type filter = svix.MessageAttemptListAttemptedMessagesOptions
	for _, test := range []struct {
		name string
		o    *filter
		want []string
	}{
		{"all", nil, []string{bad.Id, good.Id}},
		{"failed", &filter{Status: new(models.MESSAGESTATUS_FAIL)}, []string{bad.Id}},
		{"delivered", &filter{Status: new(models.MESSAGESTATUS_SUCCESS)}, []string{good.Id}},
		{"waiting", &filter{Status: new(models.MESSAGESTATUS_SENDING)}, nil},
		{"of a type", &filter{EventTypes: &[]string{"good.one"}}, []string{good.Id}},
	} {
		list, err := c.MessageAttempt.ListAttemptedMessages(t.Context(), app, ep, test.o)
		ok(t, err)
		var ids []string
		for _, m := range list.Data {
			ids = append(ids, m.Id)
			if m.Id == bad.Id {
				equal(t, "status text", m.StatusText, models.MESSAGESTATUSTEXT_FAIL)
			}
			equal(t, "payload", m.Payload, map[string]any{"hello": "world"})
		}
		equal(t, test.name, ids, test.want)
	}
	attempts, err := c.MessageAttempt.ListByMsg(t.Context(), app, bad.Id, nil)
	ok(t, err)
	equal(t, "attempts until it was given up", len(attempts.Data), 4)
}

func TestNextAttemptIsShownWhileARetryIsPlanned(t *testing.T) {
	t.Parallel()
	c := admin(t)
	app, hook := newApplication(t, c), receiver.Hook(503, 204)
	ep := newEndpoint(t, c, app, models.EndpointIn{Url: hook.URL}).Id
	msg := publish(t, c, app, models.MessageIn{})
	eventually(t, func() error {
		list, err := c.MessageAttempt.ListAttemptedDestinations(t.Context(), app, msg.Id, nil)
		ok(t, err)
		if len(list.Data) != 1 || list.Data[0].Status != models.MESSAGESTATUS_SENDING || list.Data[0].NextAttempt == nil {
			return fmt.Errorf("no attempt is planned: %s", show(list.Data))
		}
		if in := time.Until(*list.Data[0].NextAttempt); in > 5*time.Second {
			t.Errorf("the next attempt is planned in %s", in)
		}
		return nil
	})
	awaitStatus(t, c, app, msg.Id, ep, models.MESSAGESTATUS_SUCCESS)
}

func TestAttemptContentCanBeExpunged(t *testing.T) {
	t.Parallel()
	c := admin(t)
	app, hook := newApplication(t, c), receiver.Hook(200)
	ep := newEndpoint(t, c, app, models.EndpointIn{Url: hook.URL}).Id
	msg := publish(t, c, app, models.MessageIn{})
	awaitStatus(t, c, app, msg.Id, ep, models.MESSAGESTATUS_SUCCESS)
	list, err := c.MessageAttempt.ListByMsg(t.Context(), app, msg.Id, nil)
	ok(t, err)
	equal(t, "number of attempts", len(list.Data), 1)
	ok(t, c.MessageAttempt.ExpungeContent(t.Context(), app, msg.Id, list.Data[0].Id))
	gone, err := c.MessageAttempt.Get(t.Context(), app, msg.Id, list.Data[0].Id, nil)
	ok(t, err)
	equal(t, "response", gone.Response, "EXPUNGED")
}
