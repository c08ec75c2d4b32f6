package api_test

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/grapnelhq/grapnel/internal/api"
	"github.com/grapnelhq/grapnel/internal/hook"
)

const everywhere = "/api/v1/message"

// find gives the ids of a list of the environment that a query finds.
func (r *rig) find(at, query string) []string {
	r.t.Helper()
	sign := "?"
	if strings.Contains(at, "?") {
		sign = "&"
	}
	return r.call("GET", at+sign+"q="+url.QueryEscape(query), nil).list("id")
}

func wantIDs(t *testing.T, query string, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s finds %v, want %v", query, got, want)
	}
}

func TestMessagesOfAnEnvironmentAreSearched(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	acme, zeta := r.app("acme"), r.app("zeta")
	ep := r.endpoint(acme, map[string]any{})
	good, bad := r.publish(acme, "invoice.paid"), r.publish(zeta, "user.created")
	r.deliver(succeed)
	sad := r.publish(acme, "invoice.voided")
	r.deliver(fail)
	src, id := r.source("github", `"uid":"hub"`)
	r.clock.Add(int64(5 * time.Millisecond))
	in, _ := r.accepted(id, "push", `{"ref":"refs/heads/main","n":2}`)
	for query, want := range map[string][]string{
		"": {in, sad, bad, good}, "type:invoice.*": {sad, good}, "type:invoice.paid,push": {in, good}, "-type:invoice.*": {in, bad},
		"app:acme": {sad, good}, "app:ac*": {sad, good}, "app:ACME type:invoice.paid": {good}, "app:nobody": {}, "app:acme,zeta": {sad, bad, good}, "-app:acme": {in, bad},
		"source:hub": {in}, "source:" + strings.TrimPrefix(src, sources+"/"): {in}, "source:nope": {}, "app:hub": {},
		"status:failed": {}, "status:retrying": {sad}, "status:retrying,failed": {sad}, "status:delivered": {good}, "status:none": {in, bad}, "-status:none": {sad, good},
		"status:retrying endpoint:" + ep: {sad}, "status:failed endpoint:" + ep: {},
		"body.n:1": {sad, bad, good}, "body.n:>1": {in}, "body.ref:~MAIN": {in}, "body:heads": {in}, "type:invoice.paid body.n:1": {good},
		"heads": {in}, "invoice": {sad, good}, "zeta": {bad}, good: {good}, "id:" + bad: {bad}, good + " type:user.*": {},
		"after:1h": {in, sad, bad, good}, "before:1h": {}, "at:today..now": {in, sad, bad, good}, "size:>7": {in}, "size:7": {sad, bad, good},
		"type:push OR app:zeta": {in, bad}, "contentType:~charset": {in}, "eventId:*": {},
	} {
		wantIDs(t, query, r.find(everywhere, query), want...)
		n := r.call("GET", everywhere+"/count?q="+url.QueryEscape(query), nil).want(200).is("false", "more").at("count")
		if n != fmt.Sprint(len(want)) {
			t.Errorf("%s counts %s, want %d", query, n, len(want))
		}
	}
	attempt := r.call("GET", acme+"/attempt/msg/"+sad, nil).want(200).at("data", 0, "id")
	wantIDs(t, attempt, r.find(everywhere, attempt), sad)
	row := r.call("GET", everywhere+"?q="+sad, nil).want(200)
	row.is("1", "data", 0, "deliveries", "total").is("1", "data", 0, "deliveries", "retrying").is("acme", "data", 0, "appName").is("null", "data", 0, "sourceId").is("{}", "data", 0, "payload")
	if row.at("data", 0, "nextAttemptAt") == "null" {
		t.Error("the next attempt is not shown")
	}
	r.call("GET", everywhere+"?q=type:push&with_content=true", nil).want(200).is("refs/heads/main", "data", 0, "payload", "ref")
	r.call("GET", everywhere+"/"+in, nil).want(200).is("in", "appName").is(strings.TrimPrefix(src, sources+"/"), "sourceId").is("2", "payload", "n").is("31", "size")
	r.call("GET", everywhere+"/msg_x", nil).refusedAt("path", "msg_id")
	r.call("GET", everywhere+"/"+hook.KindMessage.Format(hook.NewID(r.now())), nil).refused(404, "not_found")
}

func TestAPageOfASearchGoesOnInBothDirections(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	app := r.app("acme")
	var all []string
	for i := range 9 {
		id := r.publish(app, fmt.Sprintf("t%d", i%2))
		if i%2 == 0 {
			all = append([]string{id}, all...)
		}
	}
	for _, at := range []string{everywhere, "/api/v1" + app + "/message", "/api/v1" + app + "/msg"} {
		first := r.call("GET", at+"?limit=2&q=type:t0", nil).want(200).is("false", "done")
		second := r.call("GET", at+"?limit=2&q=type:t0&iterator="+first.at("iterator"), nil).want(200)
		third := r.call("GET", at+"?limit=2&q=type:t0&iterator="+second.at("iterator"), nil).want(200).is("true", "done")
		wantIDs(t, at, slices.Concat(first.list("id"), second.list("id"), third.list("id")), all...)
		back := r.call("GET", at+"?limit=2&q=type:t0&iterator="+third.at("prevIterator"), nil).want(200)
		wantIDs(t, at+" back", back.list("id"), all[2:4]...)
		wantIDs(t, at+" to the beginning", r.call("GET", at+"?limit=9&q=type:t0&iterator="+back.at("prevIterator"), nil).list("id"), all[:2]...)
		wantIDs(t, at+" and down again", r.call("GET", at+"?limit=9&q=type:t0&iterator="+back.at("iterator"), nil).list("id"), all[4:]...)
		r.call("GET", at+"?q=x&iterator=nonsense", nil).refusedAt("query", "iterator")
	}
}

// A query that fits little must not look at all of history in one call.
func TestASearchAnswersInTimeWithWhatItHas(t *testing.T) {
	t.Parallel()
	var late time.Duration
	r := newRig(t, func(d *api.Deps) {
		now := d.Now
		d.Now = func() time.Time { // each look at the clock costs a tenth of a second
			late += 100 * time.Millisecond
			return now().Add(late)
		}
	})
	app := r.app("acme")
	for i := range 600 {
		r.call("POST", app+"/msg", fmt.Sprintf(`{"eventType":"a","payload":{"n":%d}}`, i)).want(202)
	}
	at, found, calls := everywhere+"?limit=5&q=body.n:0", []string{}, 0
	for next := ""; ; calls++ {
		page := r.call("GET", at+next, nil).want(200)
		found = append(found, page.list("id")...)
		if page.at("done") == "true" {
			break
		}
		if page.at("searchedTo") == "null" {
			t.Fatalf("does not say how far it came: %s", page.body)
		}
		next = "&iterator=" + page.at("iterator")
	}
	if len(found) != 1 || calls < 2 {
		t.Errorf("found %v in %d calls that ended early", found, calls)
	}
	r.call("GET", everywhere+"/count?q=body.n:0", nil).want(200).is("true", "more")
}

func TestAFaultInAQueryIsToldWithItsPlace(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	app := r.app("acme")
	for _, at := range []string{
		everywhere, everywhere + "/count", "/api/v1/endpoint", "/api/v1/issue", "/ingest/api/v1/request", "/api/v1/app", "/api/v1/event-type", "/api/v1" + app + "/message", "/api/v1" + app + "/msg",
	} {
		a := r.call("GET", at+"?q=at:today+odd:x", nil).refusedAt("query", "q")
		if !strings.HasPrefix(a.at("detail", 0, "msg"), "at character 10: there is no field") {
			t.Errorf("%s: %s", at, a.body)
		}
	}
	for _, query := range []string{"endpoint:x", "endpoint:" + hook.KindEndpoint.Format(hook.NewID(r.now())), "status:delivered endpoint:" + hook.KindEndpoint.Format(hook.NewID(r.now()))} {
		a := r.call("GET", everywhere+"?q="+url.QueryEscape(query), nil).refusedAt("query", "q")
		if !strings.Contains(a.at("detail", 0, "msg"), "endpoint takes one id") {
			t.Errorf("%s: %s", query, a.body)
		}
	}
}

func TestATokenOfAnApplicationSearchesItsOwnMessagesOnly(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	acme, zeta := r.app("acme"), r.app("zeta")
	mine := r.publish(acme, "a")
	other := r.publish(zeta, "a")
	id, err := hook.KindApplication.Parse(r.call("GET", acme, nil).want(200).at("id"))
	must(t, err)
	token := r.addKey(r.env.ID, id)
	for _, query := range []string{"", "a", "type:a", "app:zeta OR type:a", other + " OR " + mine, "body.n:1"} {
		got := r.callAs(token, "GET", "/api/v1"+acme+"/message?q="+url.QueryEscape(query), nil).list("id")
		wantIDs(t, query, got, mine)
	}
	for _, query := range []string{other, "id:" + other, "app:zeta"} {
		wantIDs(t, query, r.callAs(token, "GET", "/api/v1"+acme+"/message?q="+url.QueryEscape(query), nil).list("id"))
	}
	r.callAs(token, "GET", "/api/v1"+zeta+"/message", nil).refused(404, "not_found")
	r.callAs(token, "GET", everywhere, nil).refused(403, "insufficient access")
}

func TestEnvironmentsDoNotFindEachOthersRows(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	app := r.app("acme")
	ep := r.endpoint(app, map[string]any{})
	msg := r.publish(app, "a")
	other := hook.Environment{ID: hook.NewID(r.now()), Name: "other", CreatedAt: r.now()}
	must(t, r.store.CreateEnvironment(t.Context(), &other))
	token := r.addKey(other.ID, hook.ID{})
	for _, at := range []string{everywhere, everywhere + "?q=" + msg, everywhere + "?q=app:acme", "/api/v1/endpoint", "/api/v1/issue", "/ingest/api/v1/request"} {
		if got := r.callAs(token, "GET", at, nil).list("id"); len(got) > 0 {
			t.Errorf("%s shows %v to another environment", at, got)
		}
	}
	r.callAs(token, "GET", everywhere+"/"+msg, nil).refused(404, "not_found")
	r.callAs(token, "GET", "/api/v1/endpoint/"+ep, nil).refused(404, "not_found")
	r.callAs(token, "GET", everywhere+"/count", nil).want(200).is("0", "count")
}
