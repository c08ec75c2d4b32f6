package send_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/grapnelhq/grapnel/internal/hook"
	"github.com/grapnelhq/grapnel/internal/send"
)

func TestRetryAfterIsReadOrIgnored(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]time.Duration{
		"":                                       0,
		"0":                                      0,
		"0.0":                                    0,
		"120":                                    2 * time.Minute,
		" 120 ":                                  2 * time.Minute,
		"1.2":                                    2 * time.Second,
		"1.0":                                    time.Second,
		"0.001":                                  time.Second,
		"-1":                                     0,
		"+5":                                     0,
		"1e9":                                    0,
		"5s":                                     0,
		"0x10":                                   0,
		"soon":                                   0,
		"5, 10":                                  5 * time.Second,
		"120.5.5":                                0,
		"86400":                                  24 * time.Hour,
		"86401":                                  24 * time.Hour,
		"86400.5":                                24 * time.Hour,
		"1000000000":                             24 * time.Hour,
		"99999999999999999999999999999999999999": 24 * time.Hour,
		at.Add(time.Minute).Format(http.TimeFormat): time.Minute,
		at.Add(-time.Hour).Format(http.TimeFormat):  0,
		"Fri, 31 Dec 9999 23:59:59 GMT":             24 * time.Hour,
		"Mon, 01 Jan 0001 00:00:00 GMT":             0,
		"Monday, 04-May-26 12:02:00 GMT":            2 * time.Minute,
		"Mon May  4 12:03:00 2026":                  3 * time.Minute,
		"Fri, 32 Dec 2026 23:59:59 GMT":             0,
	} {
		if got := send.RetryAfter(value, at); got != want {
			t.Errorf("Retry-After %q gives %v, want %v", value, got, want)
		}
	}
}

func FuzzRetryAfterStaysInItsBounds(f *testing.F) {
	for _, seed := range []string{"120", "1.5", "1e9", "-1", "5, 6", "Fri, 31 Dec 9999 23:59:59 GMT", "Sun Nov  6 08:49:37 1994", "9223372036854775808"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		if got := send.RetryAfter(value, at); got < 0 || got > hook.MaxRetryAfter {
			t.Errorf("Retry-After %q gives %v", value, got)
		}
	})
}

// FuzzAnswersAreReadAsNetHTTPReadsThem holds the direct transport against
// net/http: an endpoint is judged alike whichever of them speaks to it.
func FuzzAnswersAreReadAsNetHTTPReadsThem(f *testing.F) {
	for _, seed := range []string{
		"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
		"HTTP/1.1 200 OK\nContent-Length: 2\n\nok",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;a=b\r\nok\r\nA;b\r\n0123456789\r\n0\r\nT: x\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 7\r\n\r\n2\r\nok\r\n0\r\n\r\n",
		"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nhello",
		"HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nhello",
		"HTTP/1.1 103 Hints\r\nA: b\r\n\r\nHTTP/1.1 404 No\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx",
		"HTTP/1.1 200\r\nA:\tb\r\n c\r\n\r\nrest",
		"HTTP/1.1  200 OK\r\n: x\r\nA b: c\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\nok",
		"HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\n\r\nok",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + strings.Repeat("1;"+strings.Repeat("x", 900)+"\r\ny\r\n", 30) + "0\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + strings.Repeat("1\r\ny\r\n", 5000) + "0\r\n\r\n",
		"SSH-2.0-x\r\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		status, kept, whole, err := send.ReadAnswer(bytes.Clone(raw), 1<<20)
		wantStatus, want, wantWhole, wantErr := reference(raw)
		if (err != nil || status < 100) && (wantErr != nil || wantStatus < 100) {
			return // the same class, whichever of the two it is
		}
		if (err == nil) != (wantErr == nil) {
			t.Fatalf("%q: error %v, net/http has %v", raw, err, wantErr)
		}
		if err != nil {
			return
		}
		// A body that only we find broken costs no more than its connection.
		n := min(len(kept), len(want))
		if status != wantStatus || whole && !wantWhole || !bytes.Equal(kept[:n], want[:n]) || whole && len(kept) != len(want) {
			t.Errorf("%q:\n%d %q %v, net/http has\n%d %q %v", raw, status, kept, whole, wantStatus, want, wantWhole)
		}
	})
}

// reference reads an answer to a POST with net/http, interim ones skipped.
func reference(raw []byte) (status int, body []byte, whole bool, err error) {
	r := bufio.NewReader(bytes.NewReader(raw))
	for range 6 {
		answer, err := http.ReadResponse(r, &http.Request{Method: http.MethodPost})
		if err != nil {
			return 0, nil, false, err
		}
		if answer.ProtoMajor != 1 {
			return 0, nil, false, http.ErrNotSupported
		}
		if answer.StatusCode < 100 || answer.StatusCode > 199 || answer.StatusCode == 101 {
			body, err := io.ReadAll(answer.Body)
			answer.Body.Close()
			return answer.StatusCode, body, err == nil, nil
		}
	}
	return 0, nil, false, http.ErrNotSupported
}

// FuzzRecordedHeadersAreJSON makes sure that no answer spoils what is stored of it.
func FuzzRecordedHeadersAreJSON(f *testing.F) {
	for _, seed := range []string{"A: b\r\na: c\r\n\r\n", "X: \xff\xfe\"\\\t\r\n\r\n", "X: \xe2\x82\xac \xe2\x80\xa8\r\n\r\n", "Set-Cookie: s\r\n\r\n"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		recorded, err := send.RecordHeaders(text)
		if err != nil {
			return
		}
		var headers map[string]string
		if err := json.Unmarshal(recorded, &headers); err != nil || !utf8.Valid(recorded) {
			t.Errorf("%q is stored as %q: %v", text, recorded, err)
		}
	})
}

func TestAnswerHeadersAreRecordedLegibly(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"\r\n":                         `{}`,
		"A: 1\r\nB:\r\na:  2 \r\n\r\n": `{"A":"1, 2","B":""}`,
		"A: caf\xe9 \x80\r\n\r\n":      "{\"A\":\"café \u0080\"}",
		"A: caf\xc3\xa9\r\n\r\n":       `{"A":"café"}`,
		"A: \"q\" \\ \tx\r\n\r\n":      `{"A":"\"q\" \\ \u0009x"}`,
		"SET-COOKIE: s=1\r\nProxy-Authenticate: Basic\r\nX-Auth-Token: t\r\n\r\n": `{"SET-COOKIE":"***","Proxy-Authenticate":"***","X-Auth-Token":"***"}`,
	} {
		if got, err := send.RecordHeaders([]byte(text)); err != nil || string(got) != want {
			t.Errorf("%q is stored as %s, want %s (%v)", text, got, want, err)
		}
	}
	many := strings.Repeat("X-"+strings.Repeat("n", 20)+": "+strings.Repeat("v", 5000)+"\r\n", 10)
	if got, err := send.RecordHeaders([]byte(many + "\r\n")); err != nil || len(got) > 40<<10 {
		t.Errorf("stored %d bytes: %v", len(got), err)
	}
}

func TestSpansAreWrittenForPeople(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		0: "under 1 ms", 999 * time.Microsecond: "under 1 ms", 9400 * time.Microsecond: "9 ms", 250 * time.Millisecond: "250 ms",
		1540 * time.Millisecond: "1.5 s", 2 * time.Second: "2 s", 15003 * time.Millisecond: "15 s",
	} {
		if got := send.Span(d); got != want {
			t.Errorf("%v is written %q, want %q", d, got, want)
		}
	}
}
