package api_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/grapnelhq/grapnel/apitype"
	"github.com/grapnelhq/grapnel/internal/api"
	"github.com/grapnelhq/grapnel/internal/hook"
)

func TestAPayloadIsStoredByteForByte(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	app := r.app("acme")
	r.endpoint(app, map[string]any{})
	payload := "{ \"z\" : 1e400, \"a\":-0,\n\t\"n\":12345678901234567890,\"t\":\"<&>\\u00e9\\ud800\\u0000\", \"z\":0.1000 }"
	made := r.call("POST", app+"/msg", `{"channels":["c"],"eventId":"e-1.x","tags":["t/1"],"payload": `+payload+` ,"eventType":"a.b","more":[{}]}`).want(202)
	made.is("e-1.x", "eventId").is(`["c"]`, "channels").is(`["t/1"]`, "tags").is("null", "deliverAt")
	if !strings.Contains(string(made.body), payload) {
		t.Errorf("the answer changed the payload: %s", made.body)
	}
	got := r.call("GET", app+"/msg/e-1.x", nil).want(200)
	if string(got.body) != string(made.body) {
		t.Errorf("read back\n%s\nwant\n%s", got.body, made.body)
	}
	claimed := r.claimBodies()
	if len(claimed) != 1 || claimed[0] != payload {
		t.Errorf("sent is %q", claimed)
	}
	r.call("GET", app+"/msg/"+made.at("id")+"?with_content=false", nil).want(200).is("{}", "payload")
	r.call("POST", app+"/msg?with_content=false", `{"eventType":"a","data":{"x":1}}`).want(202).is("{}", "payload")
	r.call("POST", app+"/msg", `{"eventType":"a","payload":{},"eventId":"e-1.x"}`).refused(409, "conflict")
}

// claimBodies gives the bodies of what is due.
func (r *rig) claimBodies() (bodies []string) {
	r.t.Helper()
	lanes, err := r.store.Lanes(r.t.Context(), hook.ID{}, 100)
	must(r.t, err)
	for _, lane := range lanes {
		claimed, err := r.store.Claim(r.t.Context(), hook.ClaimRequest{
			Node: r.node, Now: r.now(), MaxBytes: 1 << 20, Lanes: []hook.ClaimLane{{Endpoint: lane.Endpoint, Retry: lane.Retry, Max: 100}},
		})
		must(r.t, err)
		for _, l := range claimed[0].Leases {
			bodies = append(bodies, string(l.Message.Body))
			must(r.t, r.store.Release(r.t.Context(), []*hook.Lease{l}, r.now()))
		}
	}
	return bodies
}

func TestTheAppendedAnswerIsTheDocumentedShape(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 4, 5, 6, 7, 123456000, time.UTC)
	for _, m := range []hook.Message{
		{ID: hook.NewID(now), EventType: "a", CreatedAt: now},
		{ID: hook.NewID(now), EventType: "a.b", EventID: `e-"1"`, Channels: []string{"a:b+c", "d"}, Tags: []string{`x\y/#`}, CreatedAt: now, DeliverAt: now.Add(time.Hour)},
	} {
		out := apitype.MessageOut{
			ID: hook.KindMessage.Format(m.ID), EventType: m.EventType, Payload: []byte(`{"a":1}`), Channels: m.Channels, Tags: m.Tags, Timestamp: m.CreatedAt,
		}
		if m.EventID != "" {
			out.EventID = &m.EventID
		}
		if !m.DeliverAt.IsZero() {
			out.DeliverAt = &m.DeliverAt
		}
		want, err := json.Marshal(out)
		must(t, err)
		if got := api.EncodeMessage(nil, &m, []byte(`{"a":1}`)); string(got) != string(want) {
			t.Errorf("appended\n%s\nwant\n%s", got, want)
		}
	}
}

func TestInvalidMessagesAreRefusedWithThePlaceOfTheFault(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	app := r.app("acme")
	at := func(d time.Duration) string { return r.now().Add(d).Format(time.RFC3339) }
	for body, loc := range map[string][]string{
		`{"payload":{}}`:                                   {"body", "eventType"},
		`{"eventType":null,"payload":{}}`:                  {"body", "eventType"},
		`{"eventType":7,"payload":{}}`:                     {"body", "eventType"},
		`{"eventType":"","payload":{}}`:                    {"body", "eventType"},
		`{"eventType":"a"}`:                                {"body", "payload"},
		`{"eventType":"a","payload":null}`:                 {"body", "payload"},
		`{"eventType":"a","payload":[1]}`:                  {"body", "payload"},
		`{"eventType":"a","data":"x"}`:                     {"body", "data"},
		`{"eventType":"a","payload":{},"eventId":"a b"}`:   {"body", "eventId"},
		`{"eventType":"a","payload":{},"eventId":5}`:       {"body", "eventId"},
		`{"eventType":"a","payload":{},"eventId":"msg_x"}`: {"body", "eventId"},
		`{"eventType":"a","payload":{},"channels":[]}`:     {"body", "channels"},
		`{"eventType":"a","payload":{},"channels":"a"}`:    {"body", "channels"},
		`{"eventType":"a","payload":{},"channels":[1]}`:    {"body", "channels"},
		`{"eventType":"a","payload":{},"channels":["a#"]}`: {"body", "channels", "[0]"},
		`{"eventType":"a","payload":{},"channels":["1","2","3","4","5","6","7","8","9","10","11"]}`:    {"body", "channels"},
		`{"eventType":"a","payload":{},"tags":["1","2","3","4","5","6"]}`:                              {"body", "tags"},
		`{"eventType":"a","payload":{},"payloadRetentionPeriod":91}`:                                   {"body", "payloadRetentionPeriod"},
		`{"eventType":"a","payload":{},"payloadRetentionPeriod":"5"}`:                                  {"body", "payloadRetentionPeriod"},
		`{"eventType":"a","payload":{},"payloadRetentionHours":0}`:                                     {"body", "payloadRetentionHours"},
		`{"eventType":"a","payload":{},"payloadRetentionHours":1,"payloadRetentionPeriod":1}`:          {"body", "payloadRetentionHours"},
		`{"eventType":"a","payload":{},"deliverAt":"soon"}`:                                            {"body", "deliverAt"},
		`{"eventType":"a","payload":{},"deliverAt":"` + at(30*time.Second) + `"}`:                      {"body", "deliverAt"},
		`{"eventType":"a","payload":{},"deliverAt":"` + at(25*time.Hour) + `"}`:                        {"body", "deliverAt"},
		`{"eventType":"a","payload":{},"transformationsParams":5}`:                                     {"body", "transformationsParams"},
		`{"eventType":"a","payload":{},"transformationsParams":{"headers":{"Content-Type":"a\r\nb"}}}`: {"body", "transformationsParams", "headers", "content-type"},
	} {
		r.call("POST", app+"/msg", body).refusedAt(loc...)
	}
	r.call("POST", "/app/nobody/msg", `{"eventType":"a","payload":{}}`).refused(404, "not_found")
	r.call("POST", "/app/app_2vgdKCdXyOEN1WcHxkYAbO6wTzm/msg", `{"eventType":"a","payload":{}}`).refused(404, "not_found")
	r.call("POST", app+"/msg?wait=later", `{"eventType":"a","payload":{}}`).refused(400, "bad_request")
	for _, query := range []string{"wait", "wait="} {
		a := r.call("POST", app+"/msg?"+query, `{"eventType":"a","payload":{}}`, "Prefer", "wait=5").refused(400, "bad_request")
		if !strings.Contains(a.at("detail"), "`wait=5s`") {
			t.Errorf("?%s is refused without the form: %s", query, a.body)
		}
	}
	r.call("POST", app+"/msg?wait=61", `{"eventType":"a","payload":{}}`).refusedAt("query", "wait")
}

func TestARawBodyIsSentAsItStands(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	app := r.app("acme")
	r.endpoint(app, map[string]any{})
	send := func(params string) string {
		return r.call("POST", app+"/msg", `{"eventType":"a","payload":{},"transformationsParams":`+params+`}`).want(202).is("{}", "payload").at("id")
	}
	text := send(`{"rawPayload":"a,b\n1,2","headers":{"Content-Type":"text/csv"},"other":1}`)
	send(`{"rawPayload":"{oops"}`)
	r.call("GET", app+"/msg/"+text, nil).want(200).is("{}", "payload")
	r.call("GET", app+"/msg", nil).want(200).is("{}", "data", 0, "payload").is("{}", "data", 1, "payload")
	got := r.claimBodies()
	if len(got) != 2 || got[0] != "a,b\n1,2" || got[1] != "{oops" {
		t.Errorf("sent is %q", got)
	}
}

func TestDeliverAtAndRetentionHaveTheirEffect(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	app := r.app("acme")
	r.endpoint(app, map[string]any{})
	at := r.now().Add(10 * time.Minute).UTC().Truncate(time.Second)
	id := r.call("POST", app+"/msg", `{"eventType":"a","payload":{"x":1},"deliverAt":"`+at.Format(time.RFC3339)+`","payloadRetentionHours":2}`).want(202).is(at.Format(time.RFC3339), "deliverAt").at("id")
	if n := r.deliver(succeed); n != 0 {
		t.Errorf("%d deliveries were due early", n)
	}
	r.clock.Add(int64(11 * time.Minute))
	if n := r.deliver(succeed); n != 1 {
		t.Errorf("%d deliveries were due", n)
	}
	r.clock.Add(int64(3 * time.Hour))
	for more := true; more; {
		slice, err := r.store.Expire(t.Context(), hook.Retention{Messages: 90 * 24 * time.Hour}, r.now())
		must(t, err)
		more = slice.More
	}
	r.call("GET", app+"/msg/"+id, nil).want(200).is("true", "payload", "expired")
}

func TestMessagesAreListedNewestFirstAndFiltered(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	app := r.app("acme")
	var ids []string
	for i := range 5 {
		r.clock.Add(int64(time.Minute))
		body := fmt.Sprintf(`{"eventType":"t%d","payload":{"i":%d},"channels":["c%d"],"tags":["g%d"]}`, i%2, i, i, i)
		ids = append(ids, r.call("POST", app+"/msg", body).want(202).at("id"))
	}
	list := func(query string) string {
		var found []string
		for _, m := range r.call("GET", app+"/msg"+query, nil).want(200).object()["data"].([]any) {
			id, _ := m.(map[string]any)["id"].(string)
			for i := range ids {
				if ids[i] == id {
					found = append(found, fmt.Sprint(i))
				}
			}
		}
		return strings.Join(found, "")
	}
	time3 := r.now().Add(-90 * time.Second).UTC().Format(time.RFC3339Nano)
	for query, want := range map[string]string{
		"": "43210", "?limit=2": "43", "?limit=2&iterator=" + ids[3]: "21", "?limit=2&iterator=-" + ids[1]: "32",
		"?event_types=t1": "31", "?event_types=t0,t1": "43210", "?event_types=t0&event_types=t1": "43210", "?event_types[]=t0": "420", "?event_types[0]=t1": "31",
		"?channel=c2": "2", "?tag=g4": "4", "?channel=none": "",
		"?before=" + time3: "210", "?after=" + time3: "43", "?limit=1&after=" + time3: "3",
		"?before=" + time3 + "&after=" + r.now().Add(-4*time.Minute-30*time.Second).UTC().Format(time.RFC3339):                   "210",
		"?after=" + strings.Replace(r.now().Add(-90*time.Second).In(time.FixedZone("", 3600)).Format(time.RFC3339), "T", "T", 1): "43",
	} {
		if got := list(query); got != want {
			t.Errorf("%s lists %q, want %q", query, got, want)
		}
	}
	r.call("GET", app+"/msg?with_content=false", nil).want(200).is("{}", "data", 0, "payload")
	r.call("GET", app+"/msg", nil).want(200).is("4", "data", 0, "payload", "i")
	r.call("GET", app+"/msg?before=yesterday", nil).refused(400, "bad_request")
	r.call("GET", app+"/msg?after="+r.now().Add(2*time.Hour).UTC().Format(time.RFC3339), nil).refusedAt("query", "after")
	r.call("GET", app+"/msg?event_types=a%20b", nil).refusedAt("query", "event_types")
	r.clock.Add(int64(91 * 24 * time.Hour))
	if got := list(""); got != "" {
		t.Errorf("lists %q from more than 90 days ago", got)
	}
	if got := list("?iterator=" + ids[4]); got != "3210" {
		t.Errorf("lists %q back from an iterator", got)
	}
}

func TestAnExpungedPayloadIsGone(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	app := r.app("acme")
	ep := r.endpoint(app, map[string]any{})
	id := r.publish(app, "a")
	r.deliver(succeed)
	r.call("DELETE", app+"/msg/"+id+"/content", nil).want(204)
	r.call("GET", app+"/msg/"+id, nil).want(200).is("true", "payload", "expired")
	r.call("POST", app+"/msg/"+id+"/endpoint/"+ep+"/resend", nil).refused(400, "missing_payload")
}

func TestAMessageCanBringItsApplication(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	body := func(application string) string {
		return `{"eventType":"a","payload":{},"application":` + application + `}`
	}
	r.call("POST", "/app/new/msg", body(`{"name":"New"}`)).want(422).is("application_uid_missing", "detail", 0, "type")
	r.call("POST", "/app/new/msg", body(`{"name":"New","uid":"other"}`)).want(422).is("application_uid_mismatch", "detail", 0, "type")
	r.call("POST", "/app/new/msg", body(`{"name":"","uid":"new"}`)).refusedAt("body", "application", "name")
	r.call("POST", "/app/new/msg", body(`{"uid":5}`)).refusedAt("body", "application", "uid")
	r.call("POST", "/app/new/msg", body(`{"name":"New","uid":"new"}`)).want(202)
	r.call("POST", "/app/new/msg", body(`{"name":"Ignored","uid":"new"}`)).want(202)
	r.call("GET", "/app/new", nil).want(200).is("New", "name")
}

func TestAPublishWithTheSameKeyGivesTheFirstMessage(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	app := r.app("acme")
	r.endpoint(app, map[string]any{})
	const body = `{"eventType":"a","eventId":"e","payload":{"n":1}}`
	first := r.call("POST", app+"/msg", body, "idempotency-key", "auto_x").want(202)
	again := r.call("POST", app+"/msg/", body, "idempotency-key", "auto_x").want(202)
	if string(first.body) != string(again.body) {
		t.Errorf("the answers differ:\n%s\n%s", first.body, again.body)
	}
	r.call("POST", app+"/msg", `{"eventType":"a","payload":{"n":2}}`, "idempotency-key", "auto_x").refused(422, "idempotency_key_reused")
	r.call("POST", app+"/msg?with_content=false", body, "idempotency-key", "auto_x").refused(422, "idempotency_key_reused")
	if n := r.deliver(succeed); n != 1 {
		t.Errorf("%d deliveries, want 1", n)
	}
	r.clock.Add(int64(11 * time.Minute))
	r.call("POST", app+"/msg", `{"eventType":"a","payload":{"n":2}}`, "idempotency-key", "auto_x").want(202)
	if r.counts["accepted"] != 2 || r.counts["duplicate"] != 1 || r.counts["refused"] != 2 {
		t.Errorf("counted %v", r.counts)
	}
}

func TestABatchHasOneResultForEachItem(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(d *api.Deps) { d.MaxBody = 4096 })
	app := r.app("acme")
	r.endpoint(app, map[string]any{})
	items := []string{
		`{"eventType":"a","payload":{"n":1},"eventId":"one"}`,
		`{"eventType":"a b","payload":{}}`,
		`{"eventType":"a","payload":{"n":2},"eventId":"one"}`,
		`{"eventType":"a","payload":{"big":"` + strings.Repeat("x", 4096) + `"}}`,
		`[]`,
		` {"eventType":"a","payload":{ "n": 3 }} `,
	}
	check := func(a answer) {
		t.Helper()
		a.want(202).is("2", "accepted").is("4", "refused")
		for i, status := range []string{"202", "422", "409", "413", "422", "202"} {
			a.is(status, "data", i, "status").is(fmt.Sprint(i), "data", i, "index")
		}
		a.is("one", "data", 0, "message", "eventId").is("{}", "data", 5, "message", "payload").is("conflict", "data", 2, "error", "code").is("eventType", "data", 1, "error", "detail", 0, "loc", 1)
	}
	check(r.call("POST", app+"/msg/batch", "["+strings.Join(items, ",")+"]"))
	if n := r.deliver(succeed); n != 2 {
		t.Errorf("%d deliveries, want 2", n)
	}
	items[0] = strings.Replace(items[0], "one", "two", 1)
	items[2] = strings.Replace(items[2], "one", "two", 1)
	a := r.call("POST", app+"/msg/batch", strings.Join(items, "\r\n")+"\n\n", "content-type", "application/x-ndjson; charset=utf-8")
	a.is("two", "data", 0, "message", "eventId").is("2", "accepted")
}

func TestABatchAsAWholeIsRefusedWhenItCannotBeRead(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(d *api.Deps) { d.MaxBody = 1 << 14 })
	app := r.app("acme")
	at := app + "/msg/batch"
	for _, body := range []string{``, `[]`, `{}`, `[{}`, `[{},]`, `[{}] x`, "[" + strings.Repeat(`{},`, 1000) + `{}]`} {
		r.call("POST", at, body).refusedAt("body")
	}
	r.call("POST", at, strings.Repeat(" ", 8<<14+1)).refused(413, "payload_too_large")
	r.call("GET", at, nil).refused(404, "not_found")
}

func TestABatchWithAnIdempotencyKeyHappensOnce(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	app := r.app("acme")
	body := `[{"eventType":"a","payload":{"n":1}},{"eventType":"a","payload":{"n":1}}]`
	first := r.call("POST", app+"/msg/batch", body, "idempotency-key", "k").want(202)
	if first.at("data", 0, "message", "id") == first.at("data", 1, "message", "id") {
		t.Error("two items became one message")
	}
	again := r.call("POST", app+"/msg/batch", body, "idempotency-key", "k").want(202)
	if string(first.body) != string(again.body) {
		t.Errorf("the answers differ:\n%s\n%s", first.body, again.body)
	}
	r.call("POST", app+"/msg/batch", `[{"eventType":"b","payload":{}}]`, "idempotency-key", "k").want(202).is("422", "data", 0, "status")
	r.call("GET", app+"/msg", nil).want(200).is("true", "done")
}
