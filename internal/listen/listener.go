package listen

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/coder/websocket"

	"github.com/grapnelhq/grapnel/apitype"
	"github.com/grapnelhq/grapnel/internal/hook"
)

// goodbye is why a connection ends: the code and the sentence of its last frame.
type goodbye struct {
	code   websocket.StatusCode
	reason string
}

var (
	goodbyeStopping = goodbye{websocket.StatusGoingAway, "the server is stopping"}
	goodbyeSilent   = goodbye{websocket.StatusPolicyViolation, "no frame for 45 s"}
	goodbyeFrame    = goodbye{websocket.StatusPolicyViolation, "a frame that is neither ack nor heartbeat"}
	goodbyeSlow     = goodbye{websocket.StatusPolicyViolation, "a frame took longer than 30 s: the connection is too slow"}
	goodbyeKey      = goodbye{websocket.StatusPolicyViolation, "the API key has ended"}
	goodbyeStore    = goodbye{websocket.StatusTryAgainLater, "the store is not available"}
)

// listener is one connection. Its own goroutine writes; another one reads.
type listener struct {
	hub    *Hub
	key    hook.Key
	token  string
	all    bool
	owners map[hook.ID]owner
	order  []hook.ID // of the owners that are wanted
	url    func(*hook.Source) string
	conn   *websocket.Conn

	wake  chan struct{} // the hub sends
	acks  chan string   // the reading goroutine sends
	ended chan goodbye  // whoever finds a reason sends the first one

	// What follows is the writing goroutine's.
	from    time.Time // older ones are left out; zero: none is
	at      place     // behind everything that was looked at
	page    hook.FeedPage
	left    []hook.FeedItem     // of the page
	unacked []string            // cursors of events, in order
	refused map[hook.ID]hook.ID // by source: the newest request that was told
}

// stop ends the connection; the first reason counts.
func (l *listener) stop(why goodbye) {
	select {
	case l.ended <- why:
	default:
	}
}

// serve runs the connection to its end.
func (l *listener) serve(ctx context.Context) {
	reading := make(chan struct{})
	go func() {
		defer close(reading)
		l.read(ctx)
	}()
	why := l.write(ctx)
	// A client that is gone does not answer; Close gives it a few seconds.
	_ = l.conn.Close(why.code, why.reason)
	_ = l.conn.CloseNow()
	<-reading
}

// read takes acks and signs of life until the connection ends.
func (l *listener) read(ctx context.Context) {
	silence := time.AfterFunc(Silence, func() { l.stop(goodbyeSilent) })
	defer silence.Stop()
	for {
		kind, text, err := l.conn.Read(ctx)
		if err != nil {
			l.stop(goodbye{websocket.StatusNormalClosure, ""})
			return
		}
		silence.Reset(Silence)
		var frame apitype.ListenFrame
		if kind != websocket.MessageText || json.Unmarshal(text, &frame) != nil {
			l.stop(goodbyeFrame)
			return
		}
		switch frame.Type {
		case apitype.ListenFrameHeartbeat:
		case apitype.ListenFrameAck:
			select {
			case l.acks <- frame.Cursor:
			default: // more acks than events: they are of no use
			}
		default:
			l.stop(goodbyeFrame)
			return
		}
	}
}

// write sends what there is to send and gives the reason of the end.
func (l *listener) write(ctx context.Context) goodbye {
	if !l.send(ctx, apitype.ListenFrame{Type: apitype.ListenFrameHello, Cursor: l.at.format(l.key.Env), Hello: l.hello()}) {
		return goodbyeSlow
	}
	beat := time.NewTicker(Heartbeat)
	defer beat.Stop()
	look := time.NewTicker(refusedEvery)
	defer look.Stop()
	if why, ok := l.startRefused(ctx); !ok {
		return why
	}
	for {
		if why, ok := l.pump(ctx); !ok {
			return why
		}
		select {
		case why := <-l.ended:
			return why
		case <-l.wake:
		case cursor := <-l.acks:
			l.ack(cursor)
		case <-look.C:
			if why, ok := l.tellRefused(ctx); !ok {
				return why
			}
		case <-beat.C:
			if why, ok := l.beat(ctx); !ok {
				return why
			}
		}
	}
}

// ack takes the events up to this cursor off the window. A cursor of an earlier
// connection is none of it.
func (l *listener) ack(cursor string) {
	if i := slices.Index(l.unacked, cursor); i >= 0 {
		l.unacked = append(l.unacked[:0], l.unacked[i+1:]...)
	}
}

// beat says that the server is there, and looks whether the key still is.
func (l *listener) beat(ctx context.Context) (goodbye, bool) {
	if _, err := l.hub.Authenticate(ctx, l.token); isCode(err, hook.CodeAuthentication) {
		return goodbyeKey, false
	}
	if !l.send(ctx, apitype.ListenFrame{Type: apitype.ListenFrameHeartbeat, Cursor: l.at.format(l.key.Env)}) {
		return goodbyeSlow, false
	}
	return goodbye{}, true
}

// send writes one frame; false: the connection did not take it in time.
func (l *listener) send(ctx context.Context, frame apitype.ListenFrame) bool {
	text, err := json.Marshal(frame)
	if err != nil {
		l.hub.Log.ErrorContext(ctx, "a frame cannot be written", "error", err)
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, writeLimit)
	defer cancel()
	return l.conn.Write(ctx, websocket.MessageText, text) == nil
}
