package listen_test

import (
	"bufio"
	"context"
	"encoding/json"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/grapnelhq/grapnel/apitype"
	"github.com/grapnelhq/grapnel/internal/hook"
	"github.com/grapnelhq/grapnel/internal/listen"
	"github.com/grapnelhq/grapnel/internal/testx"
)

// liveRig is a Live behind a real HTTP server with the limits of ours.
type liveRig struct {
	*rig
	live  *listen.Live
	ended atomic.Bool // the caller may not follow any more
	who   hook.ID
}

// inBubble runs a test with a Live in simulated time.
func inBubble(t *testing.T, test func(t *testing.T, r *liveRig)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		base := makeRig(t)
		r := &liveRig{rig: base, live: listen.NewLive(base.store, time.Now, slog.New(slog.DiscardHandler)), who: hook.NewID(time.Now())}
		network := testx.NewNetwork()
		server := &http.Server{Handler: http.HandlerFunc(r.serve), ReadTimeout: time.Minute, WriteTimeout: 3 * time.Minute}
		l := testx.Must(network.Listen("10.0.0.1:80"))(t)
		go func() { _ = server.Serve(l) }()
		defer server.Close()
		transport := &http.Transport{DialContext: func(ctx context.Context, n, a string) (net.Conn, error) { return network.DialContext(ctx, n, a) }}
		defer transport.CloseIdleConnections()
		r.client = &http.Client{Transport: transport}
		ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
		done := make(chan error, 1)
		go func() { done <- r.live.Run(ctx) }()
		test(t, r)
		stop()
		testx.NoError(t, <-done)
	})
}

func (r *liveRig) serve(w http.ResponseWriter, req *http.Request) {
	f := listen.Follow{
		Env: r.env, Follower: r.who, LastEventID: req.Header.Get("Last-Event-ID"),
		Topics: []apitype.LiveTopic{apitype.LiveMessages, apitype.LiveAttempts, apitype.LiveRequests, apitype.LiveTasks},
		Still: func(context.Context) error {
			if r.ended.Load() {
				return &hook.Error{Code: hook.CodeAuthentication, Detail: "ended"}
			}
			return nil
		},
	}
	if req.URL.Query().Get("app") != "" {
		f.App = r.app.ID
	}
	if other := req.URL.Query().Get("who"); other != "" {
		f.Follower[0] = other[0]
	}
	if err := r.live.Serve(w, req, f); err != nil {
		w.WriteHeader(http.StatusTooManyRequests)
	}
}

// stream is what a browser reads.
type stream struct {
	*liveRig
	body  *http.Response
	lines *bufio.Scanner
}

func (r *liveRig) open(query string, last string) *stream {
	r.Helper()
	req := testx.Must(http.NewRequestWithContext(r.Context(), http.MethodGet, "http://10.0.0.1/?"+query, nil))(r)
	if last != "" {
		req.Header.Set("Last-Event-ID", last)
	}
	resp := testx.Must(r.client.Do(req))(r)
	testx.Equal(r, resp.StatusCode, http.StatusOK)
	return &stream{liveRig: r, body: resp, lines: bufio.NewScanner(resp.Body)}
}

// next gives the next event, or a comment as its own event; nil: the end.
func (s *stream) next() map[string]string {
	fields := map[string]string{}
	for s.lines.Scan() {
		line := s.lines.Text()
		if line == "" {
			return fields
		}
		name, value, _ := strings.Cut(line, ": ")
		fields[name] = value
	}
	return nil
}

func (s *stream) event() (apitype.LiveEvent, string) {
	s.Helper()
	for {
		fields := s.next()
		if fields == nil {
			s.Fatal("the stream has ended")
		}
		if _, comment := fields[""]; comment {
			continue
		}
		var e apitype.LiveEvent
		testx.NoError(s, json.Unmarshal([]byte(fields["data"]), &e))
		return e, fields["id"]
	}
}

func TestLiveStreamBeatsAndOutlivesTheLimitsOfRequests(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, r *liveRig) {
		began := time.Now()
		s := r.open("", "")
		hello := s.next()
		testx.Equal(t, hello["retry"], "2000")
		testx.Equal(t, hello["data"], "{}")
		for beat := 1; beat <= 20; beat++ { // five minutes
			if fields := s.next(); fields == nil || fields[""] != "still here" {
				t.Fatalf("beat %d: %v", beat, fields)
			}
			testx.Equal(t, time.Since(began), time.Duration(beat)*listen.Heartbeat)
		}
		ids := r.accept(r.app.ID, time.Now(), "a")
		e, _ := s.event()
		testx.Equal(t, e.Messages, []apitype.LiveMessage{{ID: ids[0], AppID: hook.KindApplication.Format(r.app.ID), EventType: "a"}})
	})
}

func TestLiveStreamTellsAtMostFourTimesASecondAndSaysWhenThereIsMore(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, r *liveRig) {
		s := r.open("", "")
		s.event()
		types := make([]string, listen.MostTold+5)
		for i := range types {
			types[i] = "t" + strconv.Itoa(i)
		}
		r.accept(r.app.ID, time.Now(), types...)
		r.live.Wake()
		e, _ := s.event()
		for !e.More { // what was there when it looked first is told first
			e, _ = s.event()
		}
		if len(e.Messages) > listen.MostTold {
			t.Errorf("%d messages in one event", len(e.Messages))
		}
		last := time.Now()
		for i := range 5 {
			r.accept(r.app.ID, time.Now(), "n"+strconv.Itoa(i))
			r.live.Wake()
			s.event()
			if gap := time.Since(last); i > 0 && gap < listen.LiveGap {
				t.Errorf("two events %v apart", gap)
			}
			last = time.Now()
		}
	})
}

func TestLiveStreamOfAnApplicationHidesTheOthers(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, r *liveRig) {
		own, all := r.open("app=1", ""), r.open("", "")
		own.event()
		_, id := all.event()
		r.accept(r.source.ID, time.Now(), "of.source")
		ids := r.accept(r.app.ID, time.Now(), "of.app")
		e, _ := own.event()
		testx.Equal(t, len(e.Messages), 1)
		testx.Equal(t, e.Messages[0].ID, ids[0])
		again := r.open("", id) // from where all began
		first, _ := again.event()
		testx.Equal(t, len(first.Messages), 0)
		both, _ := again.event()
		for len(both.Messages) < 2 {
			more, _ := again.event()
			both.Messages = append(both.Messages, more.Messages...)
		}
		testx.Equal(t, both.Messages[0].SourceID, hook.KindSource.Format(r.source.ID))
		testx.Equal(t, both.Messages[0].AppID, "")
	})
}

func TestLiveStreamEndsSoonAfterItsCallerMayNotFollow(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, r *liveRig) {
		s := r.open("", "")
		s.event()
		r.ended.Store(true)
		began := time.Now()
		fields := s.next()
		testx.Equal(t, fields["event"], "end")
		if took := time.Since(began); took > 5*time.Second || !strings.Contains(fields["data"], "authentication_failed") {
			t.Errorf("after %v: %v", took, fields)
		}
		testx.Equal(t, s.next(), map[string]string(nil))
	})
}

func TestAStreamEndsAtOnceWhenItsCallerIsDoubtedAndOut(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, r *liveRig) {
		s := r.open("", "")
		s.event()
		r.live.LookAgain() // who still may follow goes on
		synctest.Wait()
		r.ended.Store(true)
		began := time.Now()
		r.live.LookAgain()
		testx.Equal(t, s.next()["event"], "end")
		testx.Equal(t, time.Since(began), 0)
	})
}

func TestNewsIsNotToldToACallerWhoMayNotFollow(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, r *liveRig) {
		s := r.open("", "")
		s.event()
		time.Sleep(3 * time.Second)
		r.ended.Store(true)
		r.accept(r.app.ID, time.Now(), "a")
		r.live.Wake()
		testx.Equal(t, s.next()["event"], "end")
	})
}

func TestLiveStreamsAreBounded(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, r *liveRig) {
		for range listen.MostOfOne {
			r.open("", "").event()
		}
		req := testx.Must(http.NewRequestWithContext(t.Context(), http.MethodGet, "http://10.0.0.1/", nil))(t)
		resp := testx.Must(r.client.Do(req))(t)
		resp.Body.Close()
		testx.Equal(t, resp.StatusCode, http.StatusTooManyRequests)
		other := r.open("who=x", "")
		other.event()
		r.live.Close()
		testx.Equal(t, other.next()["event"], "end")
	})
}

func FuzzLastEventIDNeverBreaksAStream(f *testing.F) {
	f.Add("messages:1:" + strings.Repeat("00", 20) + ",attempts:2:" + strings.Repeat("ff", 20) + ",time:1")
	f.Add("")
	f.Add(",,")
	f.Add("messages:-1:,attempts::,time:")
	f.Fuzz(func(t *testing.T, text string) {
		if again, ok := listen.ReformatLivePlace(text); ok {
			if twice, ok := listen.ReformatLivePlace(again); !ok || twice != again {
				t.Errorf("%q became %q, and that %q", text, again, twice)
			}
		}
	})
}
