package acceptance_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/svix/svix-webhooks/go/models"

	"github.com/grapnelhq/grapnel/apitype"
	"github.com/grapnelhq/grapnel/client"
	"github.com/grapnelhq/grapnel/test/rig"
)

func ours(t *testing.T) *client.Client {
	t.Helper()
	c, err := client.New(server.URL, rig.Key)
	ok(t, err)
	return c
}

func message(eventType, payload string) apitype.MessageIn {
	return apitype.MessageIn{EventType: eventType, Payload: json.RawMessage(payload)}
}

func TestWaitTellsWhatEachEndpointAnswered(t *testing.T) {
	t.Parallel()
	c := admin(t)
	app := newApplication(t, c)
	good := newEndpoint(t, c, app, models.EndpointIn{Url: receiver.Hook(200).URL}).Id
	bad := newEndpoint(t, c, app, models.EndpointIn{Url: receiver.Hook(500).URL}).Id
	out, err := ours(t).Publish(t.Context(), app, message("invoice.paid", `{"amount":1200}`), client.PublishOptions{Wait: 10 * time.Second})
	ok(t, err)
	codes := map[string]int16{}
	for _, a := range out.Attempts {
		codes[a.EndpointID] = a.ResponseStatusCode
	}
	equal(t, "status codes", codes, map[string]int16{good: 200, bad: 500})
	states := map[string]apitype.DeliveryState{}
	for _, d := range out.Deliveries {
		states[d.EndpointID] = d.State
	}
	equal(t, "states", states, map[string]apitype.DeliveryState{good: apitype.DeliveryDelivered, bad: apitype.DeliveryPending})
	equal(t, "wait expired", out.WaitExpired, new(false))
}

func TestBatchHasOneResultForEachItem(t *testing.T) {
	t.Parallel()
	c := admin(t)
	app, hook := newApplication(t, c), receiver.Hook()
	newEndpoint(t, c, app, models.EndpointIn{Url: hook.URL})
	taken := message("a.b", `{"n":1}`)
	taken.EventID = apitype.Some(unique("event"))
	out, err := ours(t).PublishBatch(t.Context(), app, []apitype.MessageIn{
		taken, message("not a name", `{"n":2}`), taken, message("a.b", `{"n" :  4}`),
	}, client.PublishOptions{})
	ok(t, err)
	equal(t, "accepted", out.Accepted, 2)
	equal(t, "refused", out.Refused, 2)
	var statuses []int
	for i, item := range out.Data {
		equal(t, "index", item.Index, i)
		statuses = append(statuses, item.Status)
		if (item.Message == nil) == (item.Error == nil) {
			t.Errorf("item %d has both or none of message and error: %s", i, show(item))
		}
	}
	equal(t, "statuses", statuses, []int{202, 422, 409, 202})
	bodies := map[string]string{}
	for range 2 {
		got := hook.Next(t)
		bodies[got.ID()] = string(got.Body)
	}
	equal(t, "bodies", bodies, map[string]string{out.Data[0].Message.ID: `{"n":1}`, out.Data[3].Message.ID: `{"n" :  4}`})
}

func TestExplainHasAVerdictForEveryEndpoint(t *testing.T) {
	t.Parallel()
	c := admin(t)
	app := newApplication(t, c)
	kind := newEventType(t, c, models.EventTypeIn{})
	hook := receiver.Hook()
	fine := newEndpoint(t, c, app, models.EndpointIn{Url: hook.URL}).Id
	other := newEndpoint(t, c, app, models.EndpointIn{Url: hook.URL, FilterTypes: []string{kind}}).Id
	off := newEndpoint(t, c, app, models.EndpointIn{Url: hook.URL, Disabled: new(true)}).Id
	failing := newEndpoint(t, c, app, models.EndpointIn{Url: receiver.Hook(400).URL}).Id
	msg := publish(t, c, app, models.MessageIn{})
	awaitStatus(t, c, app, msg.Id, fine, models.MESSAGESTATUS_SUCCESS)
	awaitStatus(t, c, app, msg.Id, failing, models.MESSAGESTATUS_FAIL)
	out, err := ours(t).ExplainMessage(t.Context(), app, msg.Id)
	ok(t, err)
	verdicts := map[string]apitype.Verdict{}
	for _, e := range out.Endpoints {
		verdicts[e.EndpointID] = e.Verdict
		if e.Text == "" || e.Reason == "" && e.Verdict != apitype.VerdictDelivered {
			t.Errorf("a verdict without a why: %s", show(e))
		}
	}
	equal(t, "verdicts", verdicts, map[string]apitype.Verdict{
		fine: apitype.VerdictDelivered, other: apitype.VerdictNotMatched,
		off: apitype.VerdictCanceled, failing: apitype.VerdictFailed,
	})
}

func TestEnforcedSchemaRefusesWhatDoesNotFit(t *testing.T) {
	t.Parallel()
	c := admin(t)
	app, name := newApplication(t, c), unique("strict")
	status, body := call(t, "POST", "/api/v1/event-type", rig.Key,
		`{"name":"`+name+`","description":"","enforceSchema":true,"schemas":`+show(invoiceSchema())+`}`)
	if status != 201 {
		t.Fatalf("creating the type: %d %s", status, body)
	}
	publish(t, c, app, models.MessageIn{EventType: name, Payload: map[string]any{"amount": 3}})
	_, err := c.Message.Create(t.Context(), app, models.MessageIn{EventType: name, Payload: map[string]any{"amount": "three"}}, nil)
	refused(t, err, 422, "body.payload.amount")
}

func TestAPIDescribesItself(t *testing.T) {
	t.Parallel()
	status, body := call(t, "GET", "/api/openapi.json", "", "")
	equal(t, "status", status, 200)
	var described struct {
		OpenAPI string
		Paths   map[string]map[string]any
	}
	ok(t, json.Unmarshal(body, &described))
	if described.OpenAPI[:3] != "3.1" || described.Paths["/api/v1/app/{app}/msg"]["post"] == nil {
		t.Errorf("the description is of version %q and has %d paths", described.OpenAPI, len(described.Paths))
	}
	if status, _ := call(t, "GET", "/api/docs", "", ""); status != 200 {
		t.Errorf("GET /api/docs: %d", status)
	}
}
