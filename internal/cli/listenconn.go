package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/coder/websocket"

	"github.com/grapnelhq/grapnel/apitype"
	"github.com/grapnelhq/grapnel/client"
)

// The patience of a link.
const (
	linkDial    = 15 * time.Second // for one connection to be made
	linkBeat    = 15 * time.Second // between our heartbeats
	linkSilence = 45 * time.Second // without a frame the server is taken for gone
	linkWrite   = 10 * time.Second // for one frame of ours
)

// linkPauses lie between attempts to connect; the last one repeats.
var linkPauses = []time.Duration{
	500 * time.Millisecond, time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second, 15 * time.Second, 30 * time.Second,
}

// linkState is how a connection stands, in words.
type linkState struct {
	word string // connecting, connected, lost
	text string // the whole sentence
}

// link follows a server's events and connects again when the connection is lost. It
// goes on where it was, so nothing is missed.
type link struct {
	server, key string
	query       url.Values // what is listened to
	cursor      string     // behind the last frame; empty: as query says
	// What follows is called from run's goroutine.
	state func(linkState)
	hello func(*apitype.ListenHello)
	// frame takes an event, a refused request or a heartbeat; it may block.
	frame func(context.Context, apitype.ListenFrame)
	// acks are cursors of what was dealt with; whoever deals with it sends.
	acks <-chan string
}

// run follows until ctx ends. The error is why it cannot: at first for any reason,
// later only because the server refuses.
func (l *link) run(ctx context.Context) error {
	l.state(linkState{"connecting", "connecting to " + l.server})
	ever, try := false, 0
	for {
		began := time.Now()
		conn, hello, err := l.dial(ctx)
		if err == nil {
			ever = true
			l.state(linkState{"connected", "connected in " + milliseconds(time.Since(began).Milliseconds())})
			l.hello(hello)
			// The place to begin at is one to go on from, if the run ends before anything came.
			l.frame(ctx, apitype.ListenFrame{Cursor: l.cursor})
			err = l.follow(ctx, conn, func() { try = 0 })
		} else if ctx.Err() == nil && (!ever || isFinal(err)) {
			return err
		}
		if ctx.Err() != nil {
			return nil //nolint:nilerr // it was told to end
		}
		pause := linkPauses[min(try, len(linkPauses)-1)]
		try++
		l.state(linkState{"lost", fmt.Sprintf("lost: %s; reconnecting in %s (%d)", reasonOf(err), shortDuration(pause), try)})
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return nil
		}
	}
}

// isFinal tells whether trying again is of no use: the server refuses.
func isFinal(err error) bool {
	var refused *client.Error
	return errors.As(err, &refused) && refused.Status < http.StatusInternalServerError && refused.Status != http.StatusTooManyRequests
}

// reasonOf says why a connection ended.
func reasonOf(err error) string {
	var closed websocket.CloseError
	var refused *client.Error
	var unreachable *client.UnreachableError
	switch {
	case errors.As(err, &closed) && closed.Reason != "":
		return closed.Reason
	case errors.As(err, &closed):
		return "the server closed the connection"
	case errors.As(err, &refused):
		return refused.Detail
	case errors.As(err, &unreachable):
		return shortError(unreachable.Err)
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Sprintf("no sign of life for %s", shortDuration(linkSilence))
	case errors.Is(err, io.EOF) || errors.Is(err, net.ErrClosed) || err == nil:
		return "the connection broke"
	}
	return shortError(err)
}

// dial connects and reads the hello.
func (l *link) dial(ctx context.Context) (*websocket.Conn, *apitype.ListenHello, error) {
	ctx, cancel := context.WithTimeout(ctx, linkDial)
	defer cancel()
	q := make(url.Values, len(l.query)+1)
	for name, values := range l.query {
		q[name] = values
	}
	if l.cursor != "" {
		q.Set("cursor", l.cursor)
		q.Del("since")
	}
	conn, resp, err := websocket.Dial( //nolint:bodyclose // the connection owns it; refusalOf closes that of a refusal
		ctx, l.server+"/api/v1/listen?"+q.Encode(), &websocket.DialOptions{
			HTTPClient: &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }},
			HTTPHeader: http.Header{"Authorization": {"Bearer " + l.key}, "User-Agent": {"grapnel-cli/" + version}},
		})
	if err != nil {
		if resp != nil && resp.StatusCode != http.StatusSwitchingProtocols {
			return nil, nil, refusalOf(resp)
		}
		return nil, nil, &client.UnreachableError{Server: l.server, Err: plainError(err)}
	}
	conn.SetReadLimit(-1) // the server bounds bodies
	frame, err := readFrame(ctx, conn)
	if err != nil || frame.Type != apitype.ListenFrameHello || frame.Hello == nil {
		_ = conn.CloseNow()
		return nil, nil, &client.UnreachableError{Server: l.server, Err: errors.Join(errors.New("it said no hello"), err)}
	}
	if l.cursor == "" {
		l.cursor = frame.Cursor
	}
	return conn, frame.Hello, nil
}

// refusalOf reads the error object of an answer that is no WebSocket.
func refusalOf(resp *http.Response) *client.Error {
	e := &client.Error{Status: resp.StatusCode, RequestID: resp.Header.Get("X-Request-Id")}
	text, _ := io.ReadAll(io.LimitReader(resp.Body, 64<<10)) // what arrived is enough
	var object apitype.Error
	if json.Unmarshal(text, &object) != nil || object.Code == "" {
		e.Code, e.Detail = "unexpected_answer", fmt.Sprintf("The answer has status %d and is no WebSocket.", resp.StatusCode)
		e.Hint = "Check the server's URL, and that a proxy in front of it passes WebSockets on."
		return e
	}
	e.Code, e.Title, e.Hint, e.Detail, e.Items = object.Code, object.Title, object.Hint, object.Detail.String(), object.Detail.Items
	return e
}

func readFrame(ctx context.Context, conn *websocket.Conn) (apitype.ListenFrame, error) {
	var frame apitype.ListenFrame
	_, text, err := conn.Read(ctx)
	if err != nil {
		return frame, err
	}
	if err := json.Unmarshal(text, &frame); err != nil {
		return frame, fmt.Errorf("a frame that is not JSON: %w", err)
	}
	return frame, nil
}

// follow hands frames on until the connection ends; alive is called with each.
func (l *link) follow(ctx context.Context, conn *websocket.Conn, alive func()) error {
	ctx, cancel := context.WithCancel(ctx)
	wrote := make(chan struct{})
	go func() {
		defer close(wrote)
		l.tell(ctx, conn)
	}()
	var err error
	for err == nil {
		var frame apitype.ListenFrame
		limited, stop := context.WithTimeout(ctx, linkSilence)
		frame, err = readFrame(limited, conn)
		stop()
		if err == nil {
			alive()
			l.frame(ctx, frame)
			if frame.Cursor != "" {
				l.cursor = frame.Cursor
			}
		}
	}
	cancel()
	<-wrote
	_ = conn.CloseNow() // if it is not closed yet
	return err
}

// tell sends acks and heartbeats until ctx ends; then it says goodbye.
func (l *link) tell(ctx context.Context, conn *websocket.Conn) {
	beat := time.NewTicker(linkBeat)
	defer beat.Stop()
	for {
		var frame apitype.ListenFrame
		select {
		case <-ctx.Done():
			return
		case <-beat.C:
			frame.Type = apitype.ListenFrameHeartbeat
		case frame.Cursor = <-l.acks:
			frame.Type = apitype.ListenFrameAck
		}
		if l.write(ctx, conn, frame) != nil {
			_ = conn.CloseNow() // wakes the reader
			return
		}
	}
}

func (l *link) write(ctx context.Context, conn *websocket.Conn, frame apitype.ListenFrame) error {
	text, err := json.Marshal(frame)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, linkWrite)
	defer cancel()
	return conn.Write(ctx, websocket.MessageText, text)
}

// plainError takes the words of the WebSocket library and the URL off.
func plainError(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}

// shortError is the last part of an error: "connection refused".
func shortError(err error) string {
	var op *net.OpError
	if errors.As(err, &op) && op.Err != nil {
		err = op.Err
	}
	for inner := errors.Unwrap(err); inner != nil; inner = errors.Unwrap(err) {
		err = inner
	}
	return err.Error()
}

// shortDuration writes "500 ms", "2 s" or "3 min".
func shortDuration(d time.Duration) string {
	switch {
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case d < time.Minute:
		return fmt.Sprintf("%g s", d.Seconds())
	}
	return fmt.Sprintf("%g min", d.Minutes())
}
