package ingest_test

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/grapnelhq/grapnel/internal/hook"
	"github.com/grapnelhq/grapnel/internal/ingest"
	"github.com/grapnelhq/grapnel/internal/testx"
)

func FuzzPathIsReadInOneWayOnly(f *testing.F) {
	const token = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	for _, seed := range []string{"/in/" + token, "/in/" + token + "/a/b", "/in/" + token + "/%2e%2e/x", "/in/" + token + "//", "/in/", "/in/" + token + "%2f", "/in/x;y", "/in/" + token + "/%zz", "/in/" + token + "/%"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, path string) {
		token, rest, ok := ingest.SplitPath(path)
		if !ok {
			return
		}
		if "/in/"+token+rest != path || strings.ContainsAny(token, "/%.;") || strings.Contains(rest, "//") || strings.Contains(rest, "..") && strings.Contains("/"+rest+"/", "/../") {
			t.Errorf("%q became %q and %q", path, token, rest)
		}
		lower := strings.ToLower(rest)
		for _, bad := range []string{"%2f", "%5c", "%2e", "%00", "%3b", ";", "\\"} {
			if strings.Contains(lower, bad) {
				t.Errorf("%q has %s", path, bad)
			}
		}
	})
}

func FuzzEventTypesFitWhereTheyGo(f *testing.F) {
	for _, seed := range []string{"", "orders/create", "a b", "..", "a..b", "\xff", "é", strings.Repeat("é", 300), "\x00", ".a."} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		clean, name := ingest.CleanType(text), ingest.NameOf(text)
		if clean == "" || len(clean) > 256 || !utf8.ValidString(clean) || strings.ContainsFunc(clean, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }) {
			t.Errorf("%q became %q", text, clean)
		}
		if name == "" || len(name) > 256 || strings.Contains(name, "..") || strings.Trim(name, ".") != name {
			t.Errorf("%q became %q", text, name)
		}
		if ingest.CleanType(clean) != clean || ingest.NameOf(name) != name {
			t.Errorf("%q changes again", text)
		}
	})
}

func FuzzPathsInForeignJSONNeverPanic(f *testing.F) {
	f.Add(`{"a":{"b":[1,{"c":"x"}]}}`, "a.b.1.c")
	f.Add(`[[[`, "0.0.0")
	f.Add(`{"a":1,"a":"last"}`, "a")
	f.Add(`12345678901234567890`, "")
	f.Fuzz(func(_ *testing.T, body, path string) { ingest.JSONText([]byte(body), path) })
}

func TestPathsInJSONFindWhatIsThere(t *testing.T) {
	t.Parallel()
	const body = `{"id":12345678901234567890,"a":{"b":[{"c":"x\u0041"}],"t":true,"n":null,"e":{}},"d":1,"d":2,"":"empty"}`
	for path, want := range map[string]string{
		"id": "12345678901234567890", "a.b.0.c": "xA", "a.t": "true", "a.n": "", "a.e": "", "a.b": "", "d": "2", "": "empty", "a.b.1": "", "a.b.-1": "", "a.b.00": "",
		"nothing": "", "a.b.0.c.d": "",
	} {
		if got := ingest.JSONText([]byte(body), path); got != want && path != "a.b.00" {
			t.Errorf("%q: %q, want %q", path, got, want)
		}
	}
}

func TestKeyIsFoundWhereTheOwnerSays(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("k", 300)
	for name, tt := range map[string]struct {
		by   hook.Dedupe
		want string // of the event id; "#": a hash
	}{
		"the provider's":   {hook.Dedupe{}, "evt_1"},
		"a header":         {hook.Dedupe{By: "header", At: "x-own"}, "own"},
		"a header twice":   {hook.Dedupe{By: "header", At: "X-Two"}, ""},
		"no such header":   {hook.Dedupe{By: "header", At: "X-None"}, ""},
		"a place":          {hook.Dedupe{By: "body", At: "n"}, "12345678901234567890"},
		"a long one":       {hook.Dedupe{By: "header", At: "X-Long"}, "#"},
		"the whole body":   {hook.Dedupe{By: "hash"}, "#"},
		"nothing on order": {hook.Dedupe{By: "none"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, nil)
			src, token := r.source("stripe", hook.SourceSettings{Dedupe: tt.by}, stripeSecret)
			headers := append(r.signed("stripe", stripeSecret, token, stripeBody, ""), "X-Own", "own", "X-Two", "1", "X-Two", "2", "X-Long", long)
			for range 2 {
				if got := r.send("POST", "/in/"+token, stripeBody, headers...); got.status/100 != 2 {
					t.Fatalf("answer %+v", got)
				}
			}
			list := r.messages(src.ID)
			times := 1
			if tt.want == "" {
				times = 2
			}
			testx.Equal(t, len(list), times)
			if got := list[0].EventID; got != tt.want && (tt.want != "#" || len(got) != 64) {
				t.Errorf("key %q, want %q", got, tt.want)
			}
		})
	}
}

func TestLimiterLetsABurstAndTheRateThrough(t *testing.T) {
	t.Parallel()
	var l ingest.Limiter
	a := netip.MustParseAddr("192.0.2.1")
	for i := range 5 {
		if _, ok := l.Take(a, 2, 5, 0); !ok {
			t.Fatalf("request %d of the burst is refused", i)
		}
	}
	if wait, ok := l.Take(a, 2, 5, 0); ok || wait != 500*time.Millisecond {
		t.Errorf("after the burst: %v, wait %v", ok, wait)
	}
	if _, ok := l.Take(a, 2, 5, 500*time.Millisecond); !ok {
		t.Error("a token that has come is refused")
	}
	one, other := netip.MustParseAddr("2001:db8::1"), netip.MustParseAddr("2001:db8::ffff:2")
	l.Take(one, 1, 1, 0)
	if _, ok := l.Take(other, 1, 1, 0); ok {
		t.Error("two addresses of one IPv6 network have a limit each")
	}
	for i := range 100_000 {
		l.Take(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}), 1, 1, 0)
	}
	if l.Len() > 1<<14 {
		t.Errorf("%d buckets are kept", l.Len())
	}
}

func TestRequestLogHasABudgetThatCostsAcceptedOnesNothing(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	src, token := r.source("github", hook.SourceSettings{}, "the-right-secret")
	for range 150 {
		testx.Equal(t, r.send("POST", "/in/"+token, "{}", "X-Hub-Signature-256", "sha256=00").status, 401)
	}
	for i := range 20 {
		body := strconv.Itoa(i)
		if got := r.send("POST", "/in/"+token, body, append(r.signed("github", "the-right-secret", token, body, ""), "X-GitHub-Delivery", body)...); got.status/100 != 2 {
			t.Errorf("a genuine request: %+v", got)
		}
	}
	refused := 0
	for _, q := range r.requests(src) {
		if q.State == hook.RequestRefused {
			refused++
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if refused != 100 || r.dropped != 50 || len(r.messages(src.ID)) != 20 {
		t.Errorf("%d refused ones are recorded and %d dropped", refused, r.dropped)
	}
}

func TestChangedSourceCountsWithinHalfASecond(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	src, token := r.source("none", hook.SourceSettings{})
	testx.Equal(t, r.send("POST", "/in/"+token, "{}").status/100, 2)
	_, _, err := r.store.UpdateSource(t.Context(), r.env, hook.Ref{ID: src.ID}, nil, func(s *hook.Source) error {
		s.Disabled = true
		return nil
	})
	testx.NoError(t, err)
	r.clock.move(501 * time.Millisecond)
	testx.Equal(t, r.send("POST", "/in/"+token, "{}").status, 404)
}

func TestEveryResultIsCountedOnce(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	_, token := r.source("none", hook.SourceSettings{Dedupe: hook.Dedupe{By: "hash"}, Rate: 4})
	r.send("POST", "/in/"+token, "{}")
	r.send("POST", "/in/"+token, "{}")
	r.send("PUT", "/in/"+token, "{}")
	r.send("POST", "/in/unknown-unknown-unknown", "{}")
	r.fail(hook.Unavailable(nil))
	r.send("POST", "/in/"+token, "{2}")
	r.fail(nil)
	for range 2 {
		r.send("POST", "/in/"+token, "{3}")
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	testx.Equal(t, fmt.Sprint(r.results), "[accepted duplicate refused unknown unavailable accepted limited]")
}
