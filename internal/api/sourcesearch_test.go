package api_test

import (
	"testing"
	"time"
)

func TestSourcesAreSearchedWithWhatReachedThemLast(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	_, hub := r.source("github", `"uid":"hub","metadata":{}`)
	r.clock.Add(int64(5 * time.Millisecond))
	quiet, _ := r.source("open-ai", `"disabled":true`)
	hubID, quietID := r.call("GET", sources+"/hub", nil).want(200).at("id"), r.call("GET", quiet, nil).want(200).at("id")
	for query, want := range map[string][]string{
		"": {hubID, quietID}, "name:in": {hubID, quietID}, "provider:github": {hubID}, "provider:openai": {quietID}, "provider:open-ai": {quietID}, "state:disabled": {quietID},
		"-state:disabled": {hubID}, "uid:hub": {hubID}, "hub": {hubID}, "git": {hubID}, "id:" + quietID: {quietID}, quietID: {quietID}, "routes:>0": {}, "after:1h": {hubID, quietID}, "before:1h": {}, "none": {},
	} {
		wantIDs(t, query, r.find(sources, query), want...)
	}
	wantIDs(t, "descending", r.find(sources+"?order=descending", ""), quietID, hubID)
	one := r.call("GET", sources+"?q=&limit=1", nil).want(200).is("false", "done").is(hubID, "data", 0, "id")
	two := r.call("GET", sources+"?q=&limit=1&iterator="+one.at("iterator"), nil).want(200).is("true", "done").is(quietID, "data", 0, "id")
	r.call("GET", sources+"?q=&limit=1&iterator="+two.at("prevIterator"), nil).want(200).is(hubID, "data", 0, "id")
	if row := one.object()["data"].([]any)[0].(map[string]any); row["lastRequest"] != nil {
		t.Errorf("nothing reached it, yet there is a last request: %v", row)
	}

	r.received(hub)
	r.clock.Add(int64(5 * time.Millisecond))
	_, last := r.accepted(hub, "push", `{}`)
	row := r.call("GET", sources+"?q=hub", nil).want(200)
	row.is(last, "data", 0, "lastRequest", "id").is("accepted", "data", 0, "lastRequest", "state").is("verified", "data", 0, "lastRequest", "reason")
	r.clock.Add(int64(5 * time.Millisecond))
	last = r.received(hub)
	r.call("GET", sources+"?q=hub", nil).want(200).is(last, "data", 0, "lastRequest", "id").is("refused", "data", 0, "lastRequest", "state").is("signature_mismatch", "data", 0, "lastRequest", "reason")
	plain := r.call("GET", sources, nil).want(200)
	if row := plain.object()["data"].([]any)[0].(map[string]any); row["lastRequest"] != nil {
		t.Errorf("the list that is not searched tells the last request: %v", row)
	}
	r.call("GET", sources+"?q=state:broken", nil).refusedAt("query", "q")
	r.call("GET", "/api/v1/search/fields?list=sources", nil).want(200).is("provider", "fields", 1, "name").is("api-key", "fields", 1, "values", 0)
}
