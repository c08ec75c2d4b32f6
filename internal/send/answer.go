package send

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"net/http"
)

// Errors about what came back. They say nothing that the peer has sent.
var (
	errNotHTTP       = errors.New("the answer is not HTTP")
	errHead          = errors.New("the answer's header is malformed")
	errFraming       = errors.New("the answer's length is contradictory")
	errLongHead      = errors.New("the answer's header is too large")
	errInformational = errors.New("too many interim answers")
)

// answerHead is the header of an HTTP/1 answer. Its fields point into the text
// that it was read from.
type answerHead struct {
	status  int
	fields  []field
	length  int64 // of the body; -1: until the connection ends
	chunked bool  // the body is in chunks
	close   bool  // the connection ends after the body
}

// parseHead reads a complete header section (RFC 9112, 2 to 6): everything up to
// and with the empty line. It is as lenient as net/http, so that an endpoint is
// judged alike on both transports: lines may end in a bare line feed, and a folded
// line counts as a blank, which parseHead writes into head.
func parseHead(head []byte, fields []field) (answerHead, error) {
	line, rest, _ := bytes.Cut(head, []byte{'\n'})
	a := answerHead{length: -1, fields: fields[:0]}
	minor, err := a.parseStatusLine(trimCR(line))
	if err != nil {
		return a, err
	}
	if len(rest) > 0 && isBlank(rest[0]) {
		return a, errHead // a folded line that continues nothing
	}
	for {
		line, rest = nextLine(rest)
		if len(line) == 0 {
			break
		}
		f, err := parseField(line)
		if err != nil {
			return a, err
		}
		a.fields = append(a.fields, f)
	}
	err = a.frame(minor)
	return a, err
}

// parseStatusLine reads such as "HTTP/1.1 200 OK" and gives the minor version.
func (a *answerHead) parseStatusLine(line []byte) (minor byte, err error) {
	const version = "HTTP/1."
	if len(line) < len(version)+1 || string(line[:len(version)]) != version {
		return 0, errNotHTTP
	}
	minor = line[len(version)]
	rest := line[len(version)+1:]
	if minor < '0' || minor > '9' || len(rest) < 4 || rest[0] != ' ' {
		return 0, errNotHTTP
	}
	code, _, _ := bytes.Cut(bytes.TrimLeft(rest, " "), []byte{' '})
	if len(code) != 3 {
		return 0, errNotHTTP
	}
	for _, c := range code {
		if c < '0' || c > '9' {
			return 0, errNotHTTP
		}
		a.status = 10*a.status + int(c-'0')
	}
	return minor, nil
}

// nextLine takes a line, with the folded lines that continue it.
func nextLine(text []byte) (line, rest []byte) {
	end := bytes.IndexByte(text, '\n')
	if end < 0 {
		return trimCR(text), nil
	}
	folds := bytes.IndexByte(text[:end], ':') >= 0 // a name is never folded
	for folds && end+1 < len(text) && isBlank(text[end+1]) {
		text[end] = ' '
		if text[end-1] == '\r' {
			text[end-1] = ' '
		}
		next := bytes.IndexByte(text[end:], '\n')
		if next < 0 {
			return trimCR(text), nil
		}
		end += next
	}
	return trimCR(text[:end]), text[end+1:]
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' }

func trimCR(line []byte) []byte { return bytes.TrimSuffix(line, []byte{'\r'}) }

// parseField admits blanks in the name, as net/http does. Such a field has no
// meaning to us: its name is none that we look for.
func parseField(line []byte) (field, error) {
	name, value, ok := bytes.Cut(line, []byte{':'})
	value = bytes.Trim(value, " \t")
	if !ok || len(name) == 0 || !validValue(value) {
		return field{}, errHead
	}
	for _, c := range name {
		if !tokenByte[c] && c != ' ' {
			return field{}, errHead
		}
	}
	return field{name, value}, nil
}

// frame finds out where the body ends (RFC 9112, 6.3).
func (a *answerHead) frame(minor byte) error {
	a.close = minor == '0'
	var codings int
	for _, f := range a.fields {
		switch {
		case is(f, "transfer-encoding") && minor != '0':
			codings++
			a.chunked = bytes.EqualFold(f.value, []byte("chunked"))
			if codings > 1 || !a.chunked {
				return errFraming
			}
		case is(f, "content-length"):
			length, err := parseLength(f.value)
			if err != nil || a.length >= 0 && a.length != length {
				return errFraming
			}
			a.length = length
		case is(f, "connection") && hasToken(f.value, "close"):
			a.close = true
		}
	}
	switch {
	case a.status/100 == 1 || a.status == http.StatusNoContent || a.status == http.StatusNotModified:
		a.length, a.chunked = 0, false
	case a.chunked:
		// Both kinds of length together are a smuggler's mark: no reuse.
		a.close = a.close || a.length >= 0
		a.length = -1
	case a.length < 0:
		a.close = true
	}
	return nil
}

func is(f field, name string) bool {
	return len(f.name) == len(name) && bytes.EqualFold(f.name, []byte(name))
}

// parseLength reads a Content-Length: digits only, no overflow.
func parseLength(value []byte) (int64, error) {
	if len(value) == 0 {
		return 0, errFraming
	}
	var n int64
	for _, c := range value {
		if c < '0' || c > '9' || n > (math.MaxInt64-9)/10 {
			return 0, fmt.Errorf("%w: content length", errFraming)
		}
		n = 10*n + int64(c-'0')
	}
	return n, nil
}

// hasToken looks for a word in a comma-separated list.
func hasToken(list []byte, token string) bool {
	for len(list) > 0 {
		var item []byte
		item, list, _ = bytes.Cut(list, []byte{','})
		if bytes.EqualFold(bytes.Trim(item, " \t"), []byte(token)) {
			return true
		}
	}
	return false
}
