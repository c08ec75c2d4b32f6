package acceptance_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	svix "github.com/svix/svix-webhooks/go"
	"github.com/svix/svix-webhooks/go/models"
)

func TestMessageIsDeliveredSignedAndAsItCame(t *testing.T) {
	t.Parallel()
	c := admin(t)
	app, hook := newApplication(t, c), receiver.Hook()
	ep := newEndpoint(t, c, app, models.EndpointIn{Url: hook.URL}).Id
	payload := map[string]any{"html": "<a href='x'>&</a>", "n": 12345678901234.5, "nested": map[string]any{"ü": nil}}
	eventID := unique("event")
	sent, err := c.Message.Create(t.Context(), app, models.MessageIn{
		EventType: "user.signup", EventId: &eventID, Payload: payload, Channels: []string{"one"}, Tags: []string{"red"},
	}, nil)
	ok(t, err)
	if !strings.HasPrefix(sent.Id, "msg_") || sent.Timestamp.IsZero() {
		t.Errorf("the message is %s", show(sent))
	}
	equal(t, "event id", sent.EventId, &eventID)
	equal(t, "channels", sent.Channels, []string{"one"})
	equal(t, "tags", sent.Tags, []string{"red"})

	got := hook.Next(t)
	ok(t, verifier(t, c, app, ep).Verify(got.Body, got.Header))
	equal(t, "id", got.ID(), sent.Id)
	equal(t, "content type", got.Header.Get("Content-Type"), "application/json")
	if want, _ := json.Marshal(payload); string(got.Body) != string(want) {
		t.Errorf("body is %s, want the bytes of the request %s", got.Body, want)
	}
	for _, name := range []string{sent.Id, eventID} {
		found, err := c.Message.Get(t.Context(), app, name, nil)
		ok(t, err)
		equal(t, "message by "+name, found, sent)
	}
	bare, err := c.Message.Get(t.Context(), app, sent.Id, &svix.MessageGetOptions{WithContent: new(false)})
	ok(t, err)
	equal(t, "payload without content", bare.Payload, map[string]any{})

	_, err = c.Message.Create(t.Context(), app, models.MessageIn{EventType: "user.signup", EventId: &eventID, Payload: payload}, nil)
	refused(t, err, 409, "conflict")
}

func TestRawBodiesKeepTheirBytesAndType(t *testing.T) {
	t.Parallel()
	c := admin(t)
	app, hook := newApplication(t, c), receiver.Hook()
	ep := newEndpoint(t, c, app, models.EndpointIn{Url: hook.URL}).Id
	verify := verifier(t, c, app, ep)
	for _, test := range []struct {
		body, given, want string
	}{
		{"<note>grüße &amp; co</note>\n", "application/xml", "application/xml"},
		{`{ "spaces" : "kept" }`, "", "application/json"},
		{"", "text/plain", "text/plain"},
	} {
		var contentType *string
		if test.given != "" {
			contentType = &test.given
		}
		in := svix.NewMessageInRaw("raw.event", test.body, contentType)
		sent, err := c.Message.Create(t.Context(), app, *in, nil)
		ok(t, err)
		got := hook.Next(t)
		ok(t, verify.Verify(got.Body, got.Header))
		equal(t, "id", got.ID(), sent.Id)
		equal(t, "body", string(got.Body), test.body)
		equal(t, "content type", got.Header.Get("Content-Type"), test.want)
	}
}

func TestIdempotencyKeyMakesAMessageHappenOnce(t *testing.T) {
	t.Parallel()
	c := admin(t)
	app, hook := newApplication(t, c), receiver.Hook()
	newEndpoint(t, c, app, models.EndpointIn{Url: hook.URL})
	in := models.MessageIn{EventType: "order.placed", Payload: map[string]any{"order": 1}}
	once := &svix.MessageCreateOptions{IdempotencyKey: new(unique("key"))}
	first, err := c.Message.Create(t.Context(), app, in, once)
	ok(t, err)
	again, err := c.Message.Create(t.Context(), app, in, once)
	ok(t, err)
	equal(t, "second answer", again, first)

	in.Payload = map[string]any{"order": 2}
	_, err = c.Message.Create(t.Context(), app, in, once)
	refused(t, err, 422, "header.idempotency-key")

	last := publish(t, c, app, in)
	equal(t, "first delivery", hook.Next(t).ID(), first.Id)
	equal(t, "second delivery", hook.Next(t).ID(), last.Id)

	key := &svix.ApplicationCreateOptions{IdempotencyKey: new(unique("key"))}
	one, err := c.Application.Create(t.Context(), models.ApplicationIn{Name: "once"}, key)
	ok(t, err)
	two, err := c.Application.Create(t.Context(), models.ApplicationIn{Name: "once"}, key)
	ok(t, err)
	equal(t, "second application", two, one)
}

func TestEndpointsGetOnlyWhatTheyAskFor(t *testing.T) {
	t.Parallel()
	c := admin(t)
	app := newApplication(t, c)
	paid, void := newEventType(t, c, models.EventTypeIn{}), newEventType(t, c, models.EventTypeIn{})
	all, byType, byChannel := receiver.Hook(), receiver.Hook(), receiver.Hook()
	newEndpoint(t, c, app, models.EndpointIn{Url: all.URL})
	newEndpoint(t, c, app, models.EndpointIn{Url: byType.URL, FilterTypes: []string{paid}})
	newEndpoint(t, c, app, models.EndpointIn{Url: byChannel.URL, Channels: []string{"eu", "us"}})

	var ids []string
	for _, in := range []models.MessageIn{
		{EventType: void},
		{EventType: void, Channels: []string{"asia"}},
		{EventType: void, Channels: []string{"asia", "eu"}},
		{EventType: paid},
	} {
		msg := publish(t, c, app, in)
		ids = append(ids, msg.Id)
		equal(t, "delivery to the endpoint for all", all.Next(t).ID(), msg.Id)
	}
	equal(t, "first delivery by type", byType.Next(t).ID(), ids[3])
	equal(t, "first delivery by channel", byChannel.Next(t).ID(), ids[2])
}

func TestMessagesAreListedAndFiltered(t *testing.T) {
	t.Parallel()
	c := admin(t)
	app, start, end := newApplication(t, c), time.Now().Add(-time.Minute), time.Now().Add(time.Minute)
	var all []string
	for _, in := range []models.MessageIn{
		{EventType: "list.a", Channels: []string{"one"}},
		{EventType: "list.b", Tags: []string{"red"}},
		{EventType: "list.a"},
		{EventType: "list.c", Channels: []string{"two", "one"}},
		{EventType: "list.b", Tags: []string{"red", "blue"}},
	} {
		all = append(all, publish(t, c, app, in).Id)
	}
	oldest, err := c.Message.List(t.Context(), app, &svix.MessageListOptions{After: &start, Limit: new(uint64(2))})
	ok(t, err)
	equal(t, "first page after a time", []string{oldest.Data[1].Id, oldest.Data[0].Id}, sorted(all)[:2])
	pick := func(indexes ...int) (ids []string) {
		for _, i := range indexes {
			ids = append(ids, all[i])
		}
		return ids
	}
	for _, test := range []struct {
		name string
		o    svix.MessageListOptions
		want []string
	}{
		{"everything, newest first", svix.MessageListOptions{}, pick(4, 3, 2, 1, 0)},
		{"one type", svix.MessageListOptions{EventTypes: &[]string{"list.a"}}, pick(2, 0)},
		{"two types", svix.MessageListOptions{EventTypes: &[]string{"list.a", "list.c"}}, pick(3, 2, 0)},
		{"channel", svix.MessageListOptions{Channel: new("one")}, pick(3, 0)},
		{"tag", svix.MessageListOptions{Tag: new("blue")}, pick(4)},
		{"after", svix.MessageListOptions{After: &start, Before: &end}, pick(4, 3, 2, 1, 0)},
		{"before", svix.MessageListOptions{Before: &start}, nil},
		{"without content", svix.MessageListOptions{WithContent: new(false)}, pick(4, 3, 2, 1, 0)},
	} {
		var seen []string
		each(t, func(iterator *string) (*models.ListResponseMessageOut, error) {
			o := test.o
			o.Limit, o.Iterator = new(uint64(2)), iterator
			return c.Message.List(t.Context(), app, &o)
		}, func(p *models.ListResponseMessageOut) ([]models.MessageOut, *string, bool) {
			return p.Data, p.Iterator, p.Done
		}, func(m models.MessageOut) {
			seen = append(seen, m.Id)
			if bare := test.o.WithContent != nil; (len(m.Payload) == 0) != bare {
				t.Errorf("%s: payload is %v", test.name, m.Payload)
			}
		})
		equal(t, test.name, sorted(seen), sorted(test.want))
		if !slices.IsSortedFunc(seen, func(a, b string) int { return strings.Compare(b, a) }) {
			t.Errorf("%s: the list is not newest first: %q", test.name, seen)
		}
	}
}

func TestExpungedPayloadIsGoneForGood(t *testing.T) {
	t.Parallel()
	c := admin(t)
	app, hook := newApplication(t, c), receiver.Hook()
	ep := newEndpoint(t, c, app, models.EndpointIn{Url: hook.URL}).Id
	msg := publish(t, c, app, models.MessageIn{})
	hook.Next(t)
	awaitStatus(t, c, app, msg.Id, ep, models.MESSAGESTATUS_SUCCESS)
	ok(t, c.Message.ExpungeContent(t.Context(), app, msg.Id))
	found, err := c.Message.Get(t.Context(), app, msg.Id, nil)
	ok(t, err)
	equal(t, "payload", found.Payload, map[string]any{"expired": true})
	_, err = c.MessageAttempt.Resend(t.Context(), app, msg.Id, ep, nil)
	refused(t, err, 400, "missing_payload")
}

func TestDeliverAtIsWaitedFor(t *testing.T) {
	t.Parallel()
	c := admin(t)
	app, hook := newApplication(t, c), receiver.Hook()
	newEndpoint(t, c, app, models.EndpointIn{Url: hook.URL})
	at := time.Now().Add(10 * time.Minute).UTC().Truncate(time.Second)
	later := publish(t, c, app, models.MessageIn{DeliverAt: &at})
	if later.DeliverAt == nil || !later.DeliverAt.Equal(at) {
		t.Errorf("deliverAt is %v, want %v", later.DeliverAt, at)
	}
	now := publish(t, c, app, models.MessageIn{})
	equal(t, "first delivery", hook.Next(t).ID(), now.Id)
	list, err := c.MessageAttempt.ListAttemptedDestinations(t.Context(), app, later.Id, nil)
	ok(t, err)
	if len(list.Data) != 1 || list.Data[0].NextAttempt == nil || !list.Data[0].NextAttempt.Equal(at) {
		t.Errorf("destinations of the later message: %s", show(list.Data))
	}
	_, err = c.Message.Create(t.Context(), app, models.MessageIn{EventType: "a.b", Payload: map[string]any{}, DeliverAt: new(at.Add(48 * time.Hour))}, nil)
	refused(t, err, 422, "body.deliverAt")
}

func TestMessageCanBringItsApplication(t *testing.T) {
	t.Parallel()
	c := admin(t)
	uid := unique("implicit")
	_, err := c.Message.Create(t.Context(), uid, models.MessageIn{
		EventType: "a.b", Payload: map[string]any{}, Application: &models.ApplicationIn{Name: "Implicit", Uid: &uid},
	}, nil)
	ok(t, err)
	app, err := c.Application.Get(t.Context(), uid)
	ok(t, err)
	equal(t, "name", app.Name, "Implicit")
	other := unique("other")
	_, err = c.Message.Create(t.Context(), other, models.MessageIn{
		EventType: "a.b", Payload: map[string]any{}, Application: &models.ApplicationIn{Name: "Implicit", Uid: &uid},
	}, nil)
	refused(t, err, 422, "body.application.uid")
}
