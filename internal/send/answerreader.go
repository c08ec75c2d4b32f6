package send

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"time"
)

// maxInterim is how many interim answers (1xx) may come before the final one.
const maxInterim = 5

// answerReader reads one answer from a connection. Its buffer holds the header
// section in one piece, so that nothing of it is copied.
type answerReader struct {
	conn   io.Reader
	buf    []byte // what has come and is not used up, from at
	at     int
	fields []field
	first  time.Time // when the first byte came; zero: none has

	sized  sizedReader
	chunks chunkReader
}

func (r *answerReader) reset(conn io.Reader) {
	r.conn, r.buf, r.at, r.first = conn, r.buf[:0], 0, time.Time{}
}

// fill reads once more from the connection, behind what is there.
func (r *answerReader) fill() error {
	if len(r.buf) == cap(r.buf) {
		grown := make([]byte, len(r.buf), max(2*cap(r.buf), 4096))
		copy(grown, r.buf)
		r.buf = grown
	}
	n, err := r.conn.Read(r.buf[len(r.buf):cap(r.buf)])
	if n > 0 && r.first.IsZero() {
		r.first = time.Now()
	}
	r.buf = r.buf[:len(r.buf)+n]
	if n > 0 {
		return nil // the error comes again
	}
	if err == nil {
		err = io.ErrNoProgress
	}
	if errors.Is(err, io.EOF) && !r.first.IsZero() {
		return io.ErrUnexpectedEOF
	}
	return err
}

// head reads the header of the final answer; interim ones are skipped.
func (r *answerReader) head() (answerHead, error) {
	for range maxInterim + 1 {
		end, err := r.headEnd()
		if err != nil {
			return answerHead{}, err
		}
		a, err := parseHead(r.buf[r.at:end], r.fields)
		r.fields = a.fields[:0]
		if err != nil {
			return answerHead{}, err
		}
		r.at = end
		if a.status < 100 || a.status > 199 || a.status == http.StatusSwitchingProtocols {
			return a, nil
		}
	}
	return answerHead{}, errInformational
}

// headEnd reads until a header section is complete and gives the place behind it.
func (r *answerReader) headEnd() (int, error) {
	line, scan := r.at, r.at // where the current line begins, where to look for its end
	for {
		i := bytes.IndexByte(r.buf[scan:], '\n')
		if line == r.at && !beginsHTTP(r.buf[line:]) {
			return 0, errNotHTTP // told at once: whoever greets otherwise waits for us
		}
		if i >= 0 {
			end := scan + i
			if len(trimCR(r.buf[line:end])) == 0 {
				return end + 1, nil
			}
			line, scan = end+1, end+1
			continue
		}
		scan = len(r.buf)
		if len(r.buf) >= maxHead {
			return 0, errLongHead
		}
		if err := r.fill(); err != nil {
			return 0, err
		}
	}
}

// beginsHTTP reports whether text can be the beginning of a status line.
func beginsHTTP(text []byte) bool {
	const version = "HTTP/1."
	n := min(len(text), len(version))
	return string(text[:n]) == version[:n]
}

// Read gives what follows the header: first what is buffered, then from the
// connection.
func (r *answerReader) Read(p []byte) (int, error) {
	if r.at < len(r.buf) {
		n := copy(p, r.buf[r.at:])
		r.at += n
		return n, nil
	}
	return r.conn.Read(p)
}

// buffered is how many bytes have come and are not used up.
func (r *answerReader) buffered() int { return len(r.buf) - r.at }

// ReadByte reads through the buffer, whose header part is done with by then.
func (r *answerReader) ReadByte() (byte, error) {
	if r.at == len(r.buf) {
		r.buf, r.at = r.buf[:0], 0
		if err := r.fill(); err != nil {
			return 0, err
		}
	}
	c := r.buf[r.at]
	r.at++
	return c, nil
}

// body gives what belongs to the body, once the header is read.
func (a *answerHead) body(r *answerReader) io.Reader {
	switch {
	case a.chunked:
		r.chunks = chunkReader{from: r, text: r.chunks.text}
		return &r.chunks
	case a.length >= 0:
		r.sized = sizedReader{from: r, left: a.length}
		return &r.sized
	}
	return r
}

// sizedReader gives a body of known length.
type sizedReader struct {
	from *answerReader
	left int64
}

func (s *sizedReader) Read(p []byte) (int, error) {
	if s.left == 0 {
		return 0, io.EOF
	}
	n, err := s.from.Read(p[:min(int64(len(p)), s.left)])
	s.left -= int64(n)
	if s.left > 0 && errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

// Bounds of the chunked coding (RFC 9112, 7.1), in bytes.
const (
	maxChunkLine = 1024    // size and extensions
	maxTrailer   = 8 << 10 // all trailer lines, which are not kept
)

// maxOverhead is how much more framing than content may come, in bytes. Chunks of
// one byte are fine; a kilobyte of extensions for each is not.
const maxOverhead = 16 << 10

// chunkReader takes the chunked coding off.
type chunkReader struct {
	from *answerReader
	left int64 // of the current chunk
	open bool  // a chunk has begun whose end is not read
	done bool
	over int64  // framing that no content makes up for
	text []byte // of the current line
}

func (c *chunkReader) Read(p []byte) (int, error) {
	if c.done {
		return 0, io.EOF
	}
	if c.left == 0 {
		if err := c.next(); err != nil {
			return 0, err
		}
		if c.done {
			return 0, io.EOF
		}
	}
	n, err := c.from.Read(p[:min(int64(len(p)), c.left)])
	c.left -= int64(n)
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

// next reads the line before a chunk, and what follows the last one.
func (c *chunkReader) next() error {
	if c.open {
		if line, err := c.line(2); err != nil || len(line) > 0 {
			return errFraming
		}
	}
	line, err := c.line(maxChunkLine)
	if err != nil {
		return err
	}
	c.left, err = parseChunkSize(line)
	if err != nil {
		return err
	}
	c.open = true
	if c.over = max(c.over+int64(len(line))-16-2*c.left, 0); c.over > maxOverhead {
		return errFraming
	}
	if c.left > 0 {
		return nil
	}
	for left := maxTrailer; ; {
		line, err := c.line(left)
		if err != nil {
			return err
		}
		if len(line) == 0 {
			c.done = true
			return nil
		}
		if _, err := parseField(line); err != nil {
			return err
		}
		left -= len(line)
	}
}

// line reads up to CR LF, at most limit bytes with them. Here a bare line feed is
// no end: there were proxies that saw one, and servers that did not.
func (c *chunkReader) line(limit int) ([]byte, error) {
	c.text = c.text[:0]
	for range limit {
		b, err := c.from.ReadByte()
		if err != nil {
			return nil, err
		}
		if c.text = append(c.text, b); b == '\n' {
			text, ok := bytes.CutSuffix(c.text, []byte("\r\n"))
			if !ok || bytes.IndexByte(text, '\r') >= 0 {
				return nil, errFraming
			}
			return text, nil
		}
	}
	return nil, errFraming
}

// parseChunkSize reads hexadecimal digits; extensions behind a semicolon are skipped.
func parseChunkSize(line []byte) (int64, error) {
	digits, _, _ := bytes.Cut(line, []byte{';'})
	digits = bytes.TrimRight(digits, " \t")
	if len(digits) == 0 || len(digits) > 15 {
		return 0, errFraming
	}
	var n int64
	for _, c := range digits {
		switch {
		case c >= '0' && c <= '9':
			n = n<<4 | int64(c-'0')
		case c >= 'a' && c <= 'f':
			n = n<<4 | int64(c-'a'+10)
		case c >= 'A' && c <= 'F':
			n = n<<4 | int64(c-'A'+10)
		default:
			return 0, errFraming
		}
	}
	return n, nil
}
