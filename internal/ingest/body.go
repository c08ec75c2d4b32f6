package ingest

import (
	"errors"
	"io"
	"net"
	"net/http"
	"sync/atomic"
)

const (
	// firstPiece is how much memory a body gets before anything of it is there.
	firstPiece = 4 << 10
	// minBodies is the smallest bound of bodies on their way in, in bytes.
	minBodies = 64 << 20
)

// budget bounds the bodies on their way in, all together.
type budget struct {
	most int64
	used atomic.Int64
}

func (b *budget) take(n int64) bool {
	if b.used.Add(n) <= b.most {
		return true
	}
	b.used.Add(-n)
	return false
}

func (b *budget) give(n int64) { b.used.Add(-n) }

var (
	errTooLong = errors.New("the body is longer than its limit")
	errNoRoom  = errors.New("too many long bodies are on their way")
)

// readBody reads a body of at most limit bytes, into memory that grows with what
// has arrived and not with what was announced. held is what it took of the budget,
// also after an error.
func (b *budget) readBody(from io.Reader, announced, limit int64) (body []byte, held int64, err error) {
	if announced > limit {
		return nil, 0, errTooLong
	}
	for announced < 0 || int64(len(body)) < announced {
		if len(body) == cap(body) {
			size := min(max(firstPiece, 2*int64(cap(body))), limit+1)
			if announced >= 0 {
				size = min(size, announced)
			}
			if !b.take(size - held) {
				return nil, held, errNoRoom
			}
			held = size
			body = append(make([]byte, 0, size), body...)
		}
		n, err := from.Read(body[len(body):cap(body)])
		body = body[:len(body)+n]
		switch {
		case int64(len(body)) > limit:
			return nil, held, errTooLong
		case errors.Is(err, io.EOF) && announced < 0:
			return body, held, nil
		case err != nil && int64(len(body)) != announced:
			return nil, held, err
		}
	}
	return body, held, nil
}

// bodyRefusal says what to answer to a body that did not arrive.
func bodyRefusal(err error, limit int64) refusal {
	var slow net.Error
	var over *http.MaxBytesError
	switch {
	case errors.Is(err, errTooLong), errors.As(err, &over):
		return tooLarge(limit)
	case errors.Is(err, errNoRoom):
		return refusal{status: http.StatusServiceUnavailable, reason: reasonBusy, retry: 1, close: true}
	case errors.As(err, &slow) && slow.Timeout():
		return refusal{status: http.StatusRequestTimeout, reason: reasonSlow, detail: "The body did not arrive in time.", close: true}
	}
	return refusal{status: http.StatusBadRequest, reason: reasonCut, detail: "The body ended before its announced length.", close: true}
}
