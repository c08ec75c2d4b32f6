package testx

import (
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// pipeBuffer is how many bytes one direction of a connection holds before a
// write blocks, as the buffers of a kernel do.
const pipeBuffer = 64 << 10

// Conn is one end of a connection inside the process. Unlike net.Pipe it has a
// buffer, can be closed for writing alone, and can be reset.
type Conn struct {
	in, out       *stream
	local, remote net.Addr
}

var _ net.Conn = (*Conn)(nil)

// NewPipe gives the two ends of a connection between two addresses.
func NewPipe(a, b net.Addr) (atA, atB *Conn) {
	ab, ba := newStream(), newStream()
	return &Conn{in: ba, out: ab, local: a, remote: b}, &Conn{in: ab, out: ba, local: b, remote: a}
}

// Read gives what the other side wrote; io.EOF after it closed.
func (c *Conn) Read(p []byte) (int, error) {
	n, err := c.in.read(p)
	return n, c.wrap("read", err)
}

// Write blocks while the buffer is full.
func (c *Conn) Write(p []byte) (int, error) {
	n, err := c.out.write(p)
	return n, c.wrap("write", err)
}

// Close ends both directions. What was written before still arrives.
func (c *Conn) Close() error {
	c.out.end(io.EOF)
	c.in.refuse()
	return nil
}

// CloseWrite ends this side's direction: the other side reads io.EOF.
func (c *Conn) CloseWrite() error {
	c.out.end(io.EOF)
	return nil
}

// Reset breaks the connection: the other side's reads and writes fail at once
// and what was not read yet is lost.
func (c *Conn) Reset() {
	c.out.breakOff(syscall.ECONNRESET, net.ErrClosed)
	c.in.breakOff(net.ErrClosed, syscall.ECONNRESET)
}

// LocalAddr is the address of this end.
func (c *Conn) LocalAddr() net.Addr { return c.local }

// RemoteAddr is the address of the other end.
func (c *Conn) RemoteAddr() net.Addr { return c.remote }

// SetDeadline bounds reads and writes.
func (c *Conn) SetDeadline(t time.Time) error {
	c.in.reads.set(&c.in.mu, c.in.changed, t)
	c.out.writes.set(&c.out.mu, c.out.changed, t)
	return nil
}

// SetReadDeadline bounds reads.
func (c *Conn) SetReadDeadline(t time.Time) error {
	c.in.reads.set(&c.in.mu, c.in.changed, t)
	return nil
}

// SetWriteDeadline bounds writes.
func (c *Conn) SetWriteDeadline(t time.Time) error {
	c.out.writes.set(&c.out.mu, c.out.changed, t)
	return nil
}

func (c *Conn) wrap(op string, err error) error {
	if err == nil || errors.Is(err, io.EOF) {
		return err
	}
	return &net.OpError{Op: op, Net: "tcp", Source: c.local, Addr: c.remote, Err: err}
}

// stream is one direction of a connection.
type stream struct {
	changed *sync.Cond // told after each change of what follows
	mu      sync.Mutex // guards what follows
	buf     []byte
	ended   error // the writer closed: what the reader gets after buf
	broken  *breach
	refused bool // the reader closed: writes fail
	reads   deadline
	writes  deadline
}

func newStream() *stream {
	s := &stream{}
	s.changed = sync.NewCond(&s.mu)
	return s
}

func (s *stream) read(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		switch {
		case s.broken != nil:
			return 0, s.broken.reader
		case s.refused:
			return 0, net.ErrClosed
		case s.reads.over:
			return 0, os.ErrDeadlineExceeded
		case len(s.buf) > 0:
			n := copy(p, s.buf)
			s.buf = s.buf[n:]
			s.changed.Broadcast()
			return n, nil
		case s.ended != nil:
			return 0, s.ended
		case len(p) == 0:
			return 0, nil
		}
		s.changed.Wait()
	}
}

func (s *stream) write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	written := 0
	for {
		switch {
		case s.broken != nil:
			return written, s.broken.writer
		case s.ended != nil:
			return written, net.ErrClosed
		case s.refused:
			return written, syscall.EPIPE
		case s.writes.over:
			return written, os.ErrDeadlineExceeded
		case written == len(p):
			return written, nil
		}
		if room := pipeBuffer - len(s.buf); room > 0 {
			n := min(room, len(p)-written)
			s.buf = append(s.buf, p[written:written+n]...)
			written += n
			s.changed.Broadcast()
			continue
		}
		s.changed.Wait()
	}
}

func (s *stream) end(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended == nil {
		s.ended = err
	}
	s.changed.Broadcast()
}

func (s *stream) refuse() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refused = true
	s.changed.Broadcast()
}

// breach is what the two sides of a broken stream get at once.
type breach struct{ reader, writer error }

func (s *stream) breakOff(reader, writer error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.broken == nil {
		s.broken = &breach{reader, writer}
	}
	s.buf = nil
	s.changed.Broadcast()
}

// deadline is the time after which one kind of call fails.
type deadline struct {
	timer *time.Timer
	round int // of settings, so that a timer of an earlier one does nothing
	over  bool
}

func (d *deadline) set(mu *sync.Mutex, changed *sync.Cond, t time.Time) {
	mu.Lock()
	defer mu.Unlock()
	if d.timer != nil {
		d.timer.Stop()
		d.timer = nil
	}
	d.round++
	d.over = false
	if !t.IsZero() {
		if left := time.Until(t); left > 0 {
			round := d.round
			d.timer = time.AfterFunc(left, func() {
				mu.Lock()
				defer mu.Unlock()
				if d.round == round {
					d.over = true
					changed.Broadcast()
				}
			})
		} else {
			d.over = true
		}
	}
	changed.Broadcast()
}
