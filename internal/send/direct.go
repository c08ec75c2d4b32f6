package send

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http/httptrace"
	"time"
)

// direct is the transport that speaks HTTP/1.1 by itself.
type direct struct {
	opts *Options
	pool *pool
	tls  *tls.Config
}

func newDirect(opts *Options, p *pool) *direct {
	config := opts.tlsConfig()
	config.NextProtos = []string{"http/1.1"}
	return &direct{opts: opts, pool: p, tls: config}
}

func (d *direct) roundTrip(ctx context.Context, x *exchange) {
	x.writeRequest()
	for l := d.kept(x); l != nil; l = nil {
		x.reused = true
		if d.use(ctx, x, l); x.phase == answered || !x.answer.first.IsZero() || !isBroken(x.err) {
			return
		}
		// Closed by the peer while it was idle; see the package comment.
		x.reused, x.phase, x.err = false, connecting, nil
	}
	l, err := d.dial(ctx, x)
	if err != nil {
		x.err = err
		return
	}
	d.use(ctx, x, l)
}

// kept gives an idle connection that looks sound.
func (d *direct) kept(x *exchange) *line {
	at := place{x.to.secure, x.to.address}
	for {
		l := d.pool.take(at)
		if l == nil {
			return nil
		}
		// An expired deadline of the last request would forbid the look.
		if l.conn.SetDeadline(x.deadline) == nil && l.quiet() {
			return l
		}
		drop(l.raw)
	}
}

// dial makes a new connection. Phase and timings tell how far it came.
func (d *direct) dial(ctx context.Context, x *exchange) (*line, error) {
	ctx, stop := context.WithDeadline(ctx, x.deadline)
	defer stop()
	watch := newProbe(time.Now())
	defer func() {
		x.phase, x.timings, _ = watch.result()
	}()
	raw, err := d.opts.Dialer.DialContext(httptrace.WithClientTrace(ctx, watch.dialTrace()), "tcp", x.to.address)
	if err != nil {
		return nil, err
	}
	conn := raw
	if x.to.secure {
		watch.step(handshaking)
		if conn, err = d.handshake(ctx, raw, x.to.host); err != nil {
			drop(raw)
			return nil, err
		}
	}
	watch.step(sending)
	if err := conn.SetDeadline(x.deadline); err != nil {
		drop(raw)
		return nil, err
	}
	return newLine(place{x.to.secure, x.to.address}, raw, conn), nil
}

func (d *direct) handshake(ctx context.Context, raw net.Conn, host string) (net.Conn, error) {
	ctx, stop := context.WithTimeout(ctx, d.opts.Timeouts.TLS)
	defer stop()
	config := d.tls.Clone()
	config.ServerName = host
	conn := tls.Client(raw, config)
	err := conn.HandshakeContext(ctx)
	return conn, err
}

// use sends the request over the connection and reads the answer. Afterwards the
// connection is either kept or closed.
func (d *direct) use(ctx context.Context, x *exchange, l *line) {
	// Whoever cancels ctx ends the waiting for the connection.
	stop := context.AfterFunc(ctx, l.cut)
	sound := d.exchange(x, l)
	if stop() && sound {
		d.pool.put(l, time.Now())
		return
	}
	// Not the TLS connection: its farewell could wait for a peer that takes nothing.
	drop(l.raw)
}

// exchange reports whether the connection is fit for another request.
func (d *direct) exchange(x *exchange, l *line) (sound bool) {
	r := &x.answer
	r.reset(l.conn)
	x.phase = sending
	_, writeErr := l.conn.Write(x.wire)
	wrote := time.Now()
	if writeErr == nil {
		x.phase = waiting
		if d.opts.Timeouts.FirstByte < d.opts.Timeouts.Total {
			l.readUntil(earlier(x.deadline, wrote.Add(d.opts.Timeouts.FirstByte)))
		}
	}
	// An answer may be there although the request could not be written: a peer
	// that has had enough answers and closes.
	a, err := r.head()
	if err != nil {
		x.fail(writeErr, err, wrote)
		return false
	}
	x.timings.FirstByte = max(r.first.Sub(wrote), 0)
	x.arrived(a.status, 1, a.fields)
	ended := d.body(x, l, a)
	x.timings.Body = time.Since(r.first)
	return ended && writeErr == nil && !a.close && r.buffered() == 0
}

// fail notes why there is no answer.
func (x *exchange) fail(writeErr, readErr error, wrote time.Time) {
	x.err = readErr
	switch r := &x.answer; {
	case !r.first.IsZero():
		x.phase = heading
		x.timings.FirstByte = max(r.first.Sub(wrote), 0)
	case writeErr != nil:
		x.err = writeErr
	default:
		x.timings.FirstByte = time.Since(wrote)
	}
	if errors.Is(x.err, io.ErrNoProgress) {
		x.err = io.ErrUnexpectedEOF
	}
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// body reads the answer's body and reports whether it ended as it should.
func (d *direct) body(x *exchange, l *line, a answerHead) (ended bool) {
	r := &x.answer
	if a.length == 0 {
		return true
	}
	if a.length < 0 || a.length > int64(r.buffered()) {
		l.readUntil(earlier(x.deadline, time.Now().Add(d.opts.Timeouts.Body)))
	}
	x.response, ended = keep(a.body(r), a.length, d.opts.ResponseCap)
	return ended
}

// writeRequest writes the whole request into one buffer: one system call, and
// over TLS as few records as possible.
func (x *exchange) writeRequest() {
	b := x.wire[:0]
	if x.passed == nil {
		b = append(b, x.to.head...)
	} else {
		b = x.passed.appendHead(b)
	}
	if x.contentType != "" {
		b = append(b, "Content-Type: "...)
		b = append(b, x.contentType...)
		b = append(b, "\r\n"...)
	}
	if x.passed == nil || countsBody(x.passed.method, x.body) {
		b = append(b, "Content-Length: "...)
		b = appendInt(b, len(x.body))
		b = append(b, "\r\n"...)
	}
	for _, n := range x.to.names {
		b = appendLine(b, n.id, x.id)
		b = appendLine(b, n.timestamp, x.timestamp)
		b = appendLine(b, n.signature, x.signature)
	}
	if len(x.parent) > 0 {
		b = appendLine(b, headerParent, x.parent)
	}
	b = append(b, "\r\n"...)
	b = append(b, x.body...)
	x.wire = b
}

func appendLine(b []byte, name string, value []byte) []byte {
	b = append(b, name...)
	b = append(b, ": "...)
	b = append(b, value...)
	return append(b, "\r\n"...)
}
