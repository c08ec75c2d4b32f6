package main

import (
	"bytes"
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func TestStampSurvivesReformatting(t *testing.T) {
	t.Parallel()
	b := payload("r1", 42, 123456789, 1024)
	if len(b) != 1024 || !json.Valid(b) {
		t.Fatalf("payload: %d bytes, valid %v", len(b), json.Valid(b))
	}
	var spaced bytes.Buffer
	if err := json.Indent(&spaced, slices.Concat([]byte(`{"data":`), b, []byte("}")), "", "  "); err != nil {
		t.Fatal(err)
	}
	for _, body := range [][]byte{b, spaced.Bytes()} {
		if got, ok := parseStamp(body); !ok || got != (stamp{"r1", 42, 123456789}) {
			t.Errorf("parseStamp: %+v %v", got, ok)
		}
	}
}

func TestForeignBodiesAreNoEvents(t *testing.T) {
	t.Parallel()
	for _, body := range []string{
		``, `{"ping":true}`, `{"bench_run":"r","bench_seq":"x","bench_at":"1"}`,
		`{"bench_run":"r","bench_seq":"-1","bench_at":"1"}`, `{"bench_run":"r","bench_seq":"99999999999","bench_at":"1"}`,
	} {
		if got, ok := parseStamp([]byte(body)); ok {
			t.Errorf("%s was taken for %+v", body, got)
		}
	}
}

func FuzzParseStamp(f *testing.F) {
	f.Add(payload("r1", 7, 1, 200))
	f.Add([]byte(`{"bench_run" : "r", "bench_seq":` + "\n" + `3, "bench_at": 4}`))
	f.Add([]byte(`"bench_run"`))
	f.Fuzz(func(t *testing.T, body []byte) {
		if got, ok := parseStamp(body); ok && (got.run == "" || got.seq < 0 || got.seq >= maxSeq) {
			t.Errorf("%+v", got)
		}
	})
}

func TestSinkCountsEachDeliveryOnceAndTheDoubles(t *testing.T) {
	t.Parallel()
	s := newSink(plan{Apps: 1, Endpoints: 2, Batch: 1}, "r", 0, 0)
	s.slots[0].record(0, 5, 0)
	s.slots[0].record(0, 9, 0)
	s.slots[1].record(0, 7, 0)
	s.slots[1].record(1, 8, 0)
	var acked bitset
	acked.add(0)
	if got := s.distinct(); got != 3 {
		t.Errorf("distinct = %d", got)
	}
	if got := s.matched(acked); got != 2 {
		t.Errorf("matched = %d", got)
	}
	healthy, hanging, duplicates := s.latencies()
	if !slices.Equal(healthy, []int64{5, 7, 8}) || len(hanging) != 0 || duplicates != 1 {
		t.Errorf("latencies = %v, %v, %d duplicates", healthy, hanging, duplicates)
	}
}

func TestSinkRefusesTheFirstAttempts(t *testing.T) {
	t.Parallel()
	l := &newSink(plan{Apps: 1, Endpoints: 1, Batch: 1}, "r", 0, 2).slots[0]
	for i, want := range []bool{false, false, true, true} {
		if got := l.record(3, 1, 2); got != want {
			t.Errorf("attempt %d taken: %v", i+1, got)
		}
	}
}

func TestBitsetGrowsAndCountsWhatIsShared(t *testing.T) {
	t.Parallel()
	var a, b bitset
	for _, i := range []int64{0, 63, 64, 1000} {
		if a.has(i) || !a.add(i) || !a.has(i) || a.add(i) {
			t.Errorf("%d is not new exactly once", i)
		}
	}
	b.add(64)
	b.add(65)
	if got := a.countBoth(b); got != 1 {
		t.Errorf("countBoth = %d", got)
	}
	if got := b.countBoth(a); got != 1 {
		t.Errorf("countBoth the other way = %d", got)
	}
}

func TestQuantileIsTheNearestRank(t *testing.T) {
	t.Parallel()
	xs := []int64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}
	for q, want := range map[float64]int64{0: 1, .5: 5, .99: 10, 1: 10} {
		if got := quantile(xs, q); got != want {
			t.Errorf("quantile(%v) = %d, want %d", q, got, want)
		}
	}
	if quantile(nil, .5) != 0 {
		t.Error("nothing has no quantile")
	}
}

func TestSDKHeadersAreAnAutomaticUUIDAndANumber(t *testing.T) {
	t.Parallel()
	uuid := regexp.MustCompile(`^auto_[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
	seen := map[string]bool{}
	for range 100 {
		h := http.Header{}
		addSDKHeaders(h)
		key := h.Get("idempotency-key")
		if !uuid.MatchString(key) || seen[key] {
			t.Fatalf("key %q, seen before: %v", key, seen[key])
		}
		seen[key] = true
		if !regexp.MustCompile(`^[0-9]+$`).MatchString(h.Get("svix-req-id")) {
			t.Fatalf("request number %q", h.Get("svix-req-id"))
		}
	}
}

func TestBatchResultsCountItemByItem(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, body string
		n          int
		want       []bool // nil: all
		refusal    string
		fails      bool
	}{
		{name: "all accepted", body: `{"data":[{"index":0,"status":202,"message":{}},{"index":1,"status":202}],"accepted":2}`, n: 2},
		{name: "written with spaces", body: `{"data": [{"status": 202}, {"status": 202}]}`, n: 2, want: []bool{true, true}},
		{name: "one refused", body: `{"data":[{"status":202},{"status":422,"error":{"status":422}}]}`, n: 2, want: []bool{true, false}, refusal: "422"},
		{name: "a result is missing", body: `{"data":[{"status":202}]}`, n: 2, fails: true},
		{name: "no list", body: `{"status":202}`, n: 2, fails: true},
		{name: "no JSON", body: `accepted`, n: 2, fails: true},
	} {
		got, refusal, err := parseBatch([]byte(c.body), c.n)
		if (err != nil) != c.fails || !slices.Equal(got, c.want) || !strings.Contains(refusal, c.refusal) {
			t.Errorf("%s: %v, %q, %v", c.name, got, refusal, err)
		}
	}
}

func TestPIDsAreNamed(t *testing.T) {
	t.Parallel()
	got, err := parsePIDs("a=1,b=2,a=3")
	if err != nil || !slices.Equal(got["a"], []int{1, 3}) || !slices.Equal(got["b"], []int{2}) {
		t.Errorf("parsePIDs = %v, %v", got, err)
	}
	for _, bad := range []string{"1", "a=", "a=x"} {
		if _, err := parsePIDs(bad); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}
