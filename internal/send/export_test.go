package send

import (
	"bytes"
	"net/http"
)

// What the external tests look at from inside.

var (
	RetryAfter = retryAfter
	Classify   = classify

	StatusSentence = statusSentence
	Span           = span
)

// Phase is how far an exchange has come.
type Phase = phase

// UseStandard sends everything through net/http.
func (s *Sender) UseStandard() { s.direct = s.standard }

// UseDirect sends everything through the direct transport.
func (s *Sender) UseDirect() { s.standard = s.direct }

// Client is the transport of net/http.
func (s *Sender) Client() *http.Transport { return s.client }

// ReadAnswer reads an answer as the direct transport does: what it makes of the
// header, up to limit bytes of the body, and whether the body was whole.
func ReadAnswer(raw []byte, limit int) (status int, kept []byte, whole bool, err error) {
	r := &answerReader{}
	r.reset(bytes.NewReader(raw))
	a, err := r.head()
	if err != nil {
		return 0, nil, false, err
	}
	kept, whole = keep(a.body(r), a.length, limit)
	return a.status, kept, whole, nil
}

// RecordHeaders writes a header section, without status line, as it is stored.
func RecordHeaders(text []byte) ([]byte, error) {
	a, err := parseHead(append([]byte("HTTP/1.1 200 OK\r\n"), text...), nil)
	return appendFields(nil, a.fields), err
}
