package move

import (
	"bufio"
	"bytes"
	"compress/flate"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"slices"

	"github.com/grapnelhq/grapnel/internal/hook"
)

// maxLine is longer than the line of the largest body that the server can be
// told to take, which is 1 GiB.
const maxLine = 3 << 29

// gzipMagic begins every gzip file (RFC 1952, section 2.3.1).
const gzipMagic = "\x1f\x8b"

// Reader reads a backup. It believes nothing: see [Reader.Next].
type Reader struct {
	header Header
	in     *bufio.Reader // lines
	sum    hash.Hash
	meter  *meter
	last   hook.RecordKind
	number int // of the line read last, from 1 on
	buf    []byte
	over   error // what every further Next gives
}

// NewReader reads the header. The errors are those of [Reader.Next].
func NewReader(from io.Reader, tell Progress) (*Reader, error) {
	file := bufio.NewReaderSize(from, 1<<16)
	if start, err := file.Peek(len(gzipMagic)); err != nil && !errors.Is(err, io.EOF) {
		return nil, trouble(err)
	} else if string(start) != gzipMagic {
		return nil, &Error{Problem: NotABackup}
	}
	zip, err := gzip.NewReader(file)
	if err != nil {
		return nil, trouble(err)
	}
	r := &Reader{in: bufio.NewReaderSize(zip, 1<<16), sum: sha256.New(), meter: newMeter(tell)}
	line, err := r.line()
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(line, &r.header); err != nil || r.header.Format != formatName {
		return nil, &Error{Problem: NotABackup}
	}
	if r.header.Version > formatVersion {
		return nil, &Error{Problem: NewerFormat, Detail: fmt.Sprintf("version %s, format %d", r.header.Grapnel, r.header.Version)}
	}
	r.sumUp(line)
	return r, nil
}

// Header is the first line.
func (r *Reader) Header() Header { return r.header }

// Contents is what was read so far.
func (r *Reader) Contents() Contents { return r.meter.contents() }

// Next gives the next record, and io.EOF only when the trailer has proved that
// all of the backup was read as it was written. Other errors are an *Error with
// CutOff, Damaged, or, of the header, NotABackup or NewerFormat, or the file's own.
func (r *Reader) Next() (hook.Record, error) {
	if r.over != nil {
		return nil, r.over
	}
	rec, err := r.next()
	r.over = err
	return rec, err
}

func (r *Reader) next() (hook.Record, error) {
	line, err := r.line()
	if err != nil {
		return nil, err
	}
	if bytes.HasPrefix(line, []byte("{")) {
		return nil, r.finish(line)
	}
	rec, summed, err := parseLine(line)
	if err != nil {
		return nil, r.damaged(err)
	}
	kind := rec.RecordKind()
	if kind < r.last {
		return nil, r.damaged(fmt.Errorf("a record of kind %s after one of kind %s", kind, r.last))
	}
	r.last = kind
	r.sumUp(line)
	r.meter.note(rec)
	r.meter.counted(kind, line[:summed])
	return rec, nil
}

// finish compares the trailer with what was read, and looks for the file's end.
func (r *Reader) finish(line []byte) error {
	var last trailer
	if err := parseStrictly(line, &last); err != nil {
		return r.damaged(err)
	}
	all := r.Contents()
	switch {
	case last.SHA256 != hex.EncodeToString(r.sum.Sum(nil)):
		return r.damaged(errors.New("the checksum of its lines differs"))
	case !slices.Equal(last.Kinds, all.Sums.forTrailerOf(len(last.Kinds))):
		return r.damaged(errors.New("the counts or checksums of its records differ"))
	case !slices.Equal(last.MasterKeys, all.MasterKeys):
		return r.damaged(errors.New("the master keys that it names differ"))
	}
	// Only at the end does gzip compare its own checksum.
	switch _, err := r.in.ReadByte(); {
	case errors.Is(err, io.EOF):
		return io.EOF
	case err != nil:
		return trouble(err)
	}
	return r.damaged(errors.New("there is more behind its end"))
}

func (r *Reader) sumUp(line []byte) {
	r.sum.Write(line)
	r.sum.Write([]byte{'\n'})
}

// line gives the next line without its end, valid until the next call.
func (r *Reader) line() ([]byte, error) {
	r.number++
	r.buf = r.buf[:0]
	for {
		part, err := r.in.ReadSlice('\n')
		r.buf = append(r.buf, part...)
		switch {
		case err == nil:
			return r.buf[:len(r.buf)-1], nil
		case len(r.buf) > maxLine:
			return nil, r.damaged(fmt.Errorf("longer than %d bytes", maxLine))
		case errors.Is(err, io.EOF):
			return nil, &Error{Problem: CutOff, Detail: fmt.Sprintf("at line %d", r.number)}
		case !errors.Is(err, bufio.ErrBufferFull):
			return nil, trouble(err)
		}
	}
}

func (r *Reader) damaged(err error) error {
	return &Error{Problem: Damaged, Detail: fmt.Sprintf("line %d", r.number), Err: err}
}

// trouble says what an error of reading means for the backup.
func trouble(err error) error {
	var corrupt flate.CorruptInputError
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		return &Error{Problem: CutOff}
	case errors.Is(err, gzip.ErrChecksum), errors.Is(err, gzip.ErrHeader), errors.As(err, &corrupt):
		return &Error{Problem: Damaged, Err: err}
	}
	return fmt.Errorf("read the backup: %w", err)
}
