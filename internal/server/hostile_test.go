package server_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/grapnelhq/grapnel/internal/testx"
)

// deviations are the rows of the file of hostile inputs whose text the gateway does not
// follow to the letter, with the rule that it follows instead.
var deviations = map[string]string{
	"X009": "net/http takes LF alone as the end of a line and joins a folded line with a blank, so both are read in one way only; the other two are 400",
	"X008": "net/http does not tell who sent both a length and a coding; the coding counts, and no connection goes on after a body in chunks",
	"X015": "bounded by net/http, which answers a flood of resets with GOAWAY or closes the connection",
	"X017": "1,000 requests, for each waits for a commit of its own",
	"X020": "limits are per source that has one, and per address for URLs that do not exist",
	"X065": "the answer is that of the first one",
	"X068": "those of JWT are tests of package provider, by providers that use one",
	"X070": "certificates are tests of package provider; here: nothing is fetched from another host",
	"X072": "a source may be made without a secret and then takes nothing; an unusable one is 422",
	"X076": "a corpus of our own by the same categories",
	"X084": "there is no transformation yet: the bytes are kept",
}

// elsewhere are rows with a test of their own.
var elsewhere = map[string]string{
	"X004": "TestSlowSendersAreCutOff", "X005": "TestSlowSendersAreCutOff", "X006": "TestSlowSendersAreCutOff",
	"X015": "TestResetStreamsLeaveTheOthersAlone", "X016": "TestTooLongHeadersOverHTTP2AreRefused",
}

// box is a server and what a hostile row needs of it.
type box struct {
	*node
	t *testing.T
}

// reply is an answer to a sender.
type reply struct {
	status int
	header http.Header
	body   string
}

func (b *box) do(req *http.Request) reply {
	b.t.Helper()
	resp, err := http.DefaultTransport.RoundTrip(req)
	testx.NoError(b.t, err)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	testx.NoError(b.t, err)
	return reply{resp.StatusCode, resp.Header, string(text)}
}

// post sends a body; headers are name, value, name, value.
func (b *box) post(url, body string, headers ...string) reply {
	b.t.Helper()
	return b.with(http.MethodPost, url, body, headers...)
}

func (b *box) with(method, url, body string, headers ...string) reply {
	b.t.Helper()
	req, err := http.NewRequest(method, url, strings.NewReader(body))
	testx.NoError(b.t, err)
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header[headers[i]] = append(req.Header[headers[i]], headers[i+1])
	}
	return b.do(req)
}

// raw writes bytes to a connection and gives the statuses of the answers until the
// server closes it or has answered as often as expected.
func (b *box) raw(text string, answers int) (statuses []int, closed bool) {
	b.t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(b.URL(), "http://"))
	testx.NoError(b.t, err)
	defer conn.Close()
	go io.WriteString(conn, text)
	from := bufio.NewReader(conn)
	for range answers {
		resp, err := http.ReadResponse(from, nil)
		if err != nil {
			return statuses, true
		}
		io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
		statuses = append(statuses, resp.StatusCode)
		closed = resp.Close
	}
	return statuses, closed
}

func path(url string) string { return url[strings.Index(url, "/in/"):] }

// open makes a source that believes everybody and knows events by a header.
func (b *box) open(more map[string]any) (id, url string) {
	b.t.Helper()
	in := map[string]any{"type": "none", "dedupe": map[string]any{"by": "header", "at": "X-Id"}}
	for name, value := range more {
		in[name] = value
	}
	return b.source(b.t, in)
}

// stripe makes a source of that type.
func (b *box) stripe() (id, url string) {
	b.t.Helper()
	return b.source(b.t, map[string]any{"type": "stripe", "secrets": []any{map[string]any{"value": stripeSecret}}})
}

// log gives the requests of a source, newest first, once there are that many.
func (b *box) log(id string, atLeast int) []map[string]any {
	b.t.Helper()
	for {
		_, out := b.ask(b.t, "GET", "/ingest/api/v1/source/"+id+"/request?limit=250", nil)
		list, _ := out["data"].([]any)
		if len(list) >= atLeast {
			rows := make([]map[string]any, len(list))
			for i, row := range list {
				rows[i], _ = row.(map[string]any)
			}
			return rows
		}
		if b.t.Context().Err() != nil {
			b.t.Fatalf("%d requests in the log, want %d", len(list), atLeast)
		}
	}
}

// messages counts those of a source.
func (b *box) messages(id string) int {
	b.t.Helper()
	_, out := b.ask(b.t, "GET", "/api/v1/app/"+id+"/msg?limit=250", nil)
	list, _ := out["data"].([]any)
	return len(list)
}

func (b *box) body(id, request string) string {
	b.t.Helper()
	_, _, text := get(b.t, b.URL()+"/ingest/api/v1/source/"+id+"/request/"+request+"/body", "Authorization", "Bearer "+testKey)
	return text
}

// keeps sends a body that must be stored as it is.
func (b *box) keeps(id, url, body string, headers ...string) {
	b.t.Helper()
	got := b.post(url, body, headers...)
	if got.status/100 != 2 {
		b.t.Errorf("%.40q: answer %d", body, got.status)
		return
	}
	if kept := b.body(id, got.header.Get("Grapnel-Request-Id")); kept != body {
		b.t.Errorf("%.40q is kept as %.40q", body, kept)
	}
}

func TestHostileInputsToTheGatewayHaveTheOutcomeNamedThere(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("testdata/hostile-inputs.json")
	testx.NoError(t, err)
	var file struct {
		Inputs []struct{ ID, Area, Input string }
	}
	testx.NoError(t, json.Unmarshal(text, &file))
	rows := map[string]func(*box){}
	for _, part := range []map[string]func(*box){hostileHTTP, hostileHeaders, hostileSignatures, hostileJSON} {
		for id, check := range part {
			rows[id] = check
		}
	}
	ran := 0
	for _, row := range file.Inputs {
		check := rows[row.ID]
		mine := (row.ID <= "X020" || row.ID >= "X056" && row.ID <= "X084") && elsewhere[row.ID] == ""
		if mine != (check != nil) {
			t.Errorf("row %s (%s) has a check: %v", row.ID, row.Area, check != nil)
		}
		if check == nil {
			continue
		}
		ran++
		t.Run(row.ID, func(t *testing.T) {
			t.Parallel()
			check(&box{start(t, t.TempDir(), nil), t})
		})
	}
	testx.Equal(t, ran, len(rows), "rows that ran")
	for id := range deviations {
		if rows[id] == nil && elsewhere[id] == "" {
			t.Errorf("the deviation %s has no row", id)
		}
	}
}

// hostileHTTP are the rows of the area "ingest HTTP".
var hostileHTTP = map[string]func(*box){
	"X001": func(b *box) {
		_, url := b.stripe()
		for _, method := range []string{"GET", "PUT", "DELETE", "TRACE", "HEAD", "OPTIONS", "PATCH", "BREW"} {
			if got := b.with(method, url, ""); got.status != 405 || got.header.Get("Allow") != "POST" {
				b.t.Errorf("%s: %d, Allow %q", method, got.status, got.header.Get("Allow"))
			}
		}
		if statuses, _ := b.raw("CONNECT "+path(url)+" HTTP/1.1\r\nHost: x\r\n\r\n", 1); !slices.Equal(statuses, []int{405}) {
			b.t.Errorf("CONNECT: %v", statuses)
		}
		_, dropbox := b.source(b.t, map[string]any{"type": "dropbox", "secrets": []any{map[string]any{"value": "secret-of-the-app"}}})
		if got := b.with("GET", dropbox+"?challenge=abc", ""); got.status != 200 || got.body != "abc" || got.header.Get("X-Content-Type-Options") != "nosniff" {
			b.t.Errorf("challenge: %+v", got)
		}
		if got := b.with("GET", dropbox, ""); got.status != 405 {
			b.t.Errorf("GET that is no challenge: %d", got.status)
		}
	},
	"X002": func(b *box) {
		id, disabled := b.stripe()
		b.ask(b.t, "PATCH", "/ingest/api/v1/source/"+id, map[string]any{"disabled": true})
		_, live := b.stripe()
		other := live[:len(live)-1] + string(live[len(live)-1]^1)
		var bodies []string
		for _, url := range []string{disabled, other, b.URL() + "/in/0123456789abcdef", b.URL() + "/in/short", b.URL() + "/in/", b.URL() + "/in/" + strings.Repeat("x", 500)} {
			got := b.do(signedPost(b.t, "stripe", stripeSecret, url, stripeBody))
			if got.status != 404 || got.header.Get("Grapnel-Request-Id") != "" {
				b.t.Errorf("%s: %+v", url, got)
			}
			bodies = append(bodies, got.body)
		}
		if len(slices.Compact(bodies)) != 1 {
			b.t.Errorf("the answers differ: %q", bodies)
		}
		if n := b.messages(id) + len(b.log(id, 0)); n != 0 {
			b.t.Errorf("%d rows were stored for a disabled source", n)
		}
	},
	"X003": func(b *box) {
		id, url := b.open(nil)
		_, second := b.open(nil)
		token := strings.TrimPrefix(path(second), "/in/")
		for _, behind := range []string{"%2e%2e/" + token, "/%2e%2e/" + token, "/../" + token, "%2f" + token, "/a%2fb", "%2F", ";x", "/;x=1", "//", "//a", "/a//b", "%00", "/%00", "/a%5cb", "/.", "/..", "/%2E", "/%25", "/%0a"} {
			if statuses, _ := b.raw("POST "+path(url)+behind+" HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}", 1); len(statuses) != 1 || statuses[0] != 404 && statuses[0] != 400 {
				b.t.Errorf("%q: %v", behind, statuses)
			}
		}
		if n := b.messages(id); n != 0 {
			b.t.Errorf("%d were taken", n)
		}
		if got := b.post(url+"/orders/a%20b?x=1", "{}"); got.status/100 != 2 {
			b.t.Errorf("a plain path: %d", got.status)
		}
	},
	"X008": func(b *box) {
		_, url := b.open(nil)
		for name, lines := range map[string]string{
			"two lengths": "Content-Length: 2\r\nContent-Length: 3\r\n", "plus": "Content-Length: +2\r\n", "hex": "Content-Length: 0x2\r\n", "list": "Content-Length: 2,3\r\n", "negative": "Content-Length: -1\r\n",
		} {
			if statuses, closed := b.raw("POST "+path(url)+" HTTP/1.1\r\nHost: x\r\n"+lines+"\r\n{}", 2); !slices.Equal(statuses, []int{400}) || !closed {
				b.t.Errorf("%s: %v, closed %v", name, statuses, closed)
			}
		}
		// With both, the coding counts and the connection ends (RFC 9112, 6.3), so that the
		// length can smuggle nothing in.
		smuggled := "POST " + path(url) + " HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
		if statuses, closed := b.raw(smuggled, 2); len(statuses) != 1 || statuses[0] != 400 || !closed {
			b.t.Errorf("length and coding: %v, closed %v", statuses, closed)
		}
	},
	"X009": func(b *box) {
		id, url := b.open(map[string]any{"dedupe": map[string]any{"by": "none"}})
		for name, head := range map[string]string{
			"blank before the colon": "X-A : 1\r\n", "CR in a value": "X-A: 1\r2\r\n", "NUL in a value": "X-A: 1\x002\r\n", "CR in a name": "X\r-A: 1\r\n", "folded first line": " X-A: 1\r\n",
		} {
			if statuses, _ := b.raw("POST "+path(url)+" HTTP/1.1\r\nHost: x\r\n"+head+"Content-Length: 2\r\n\r\n{}", 1); !slices.Equal(statuses, []int{400}) {
				b.t.Errorf("%s: %v", name, statuses)
			}
		}
		if n := b.messages(id); n != 0 {
			b.t.Errorf("%d were taken", n)
		}
	},
	"X010": func(b *box) {
		_, url := b.open(map[string]any{"maxBody": 1000})
		for _, length := range []int{1001, 1 << 30} {
			conn, err := net.Dial("tcp", strings.TrimPrefix(b.URL(), "http://"))
			testx.NoError(b.t, err)
			fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: %d\r\n\r\n", path(url), length)
			line, err := bufio.NewReader(conn).ReadString('\n')
			if err != nil || !strings.HasPrefix(line, "HTTP/1.1 413 ") {
				b.t.Errorf("first line %q, %v", line, err)
			}
			conn.Close()
		}
	},
	"X007": func(b *box) {
		_, url := b.open(map[string]any{"maxBody": 100_000})
		sent := 0
		endless := readerFunc(func(p []byte) (int, error) {
			sent += len(p)
			return len(p), nil
		})
		req, err := http.NewRequest("POST", url, endless)
		testx.NoError(b.t, err)
		if got := b.do(req); got.status != 413 {
			b.t.Errorf("answer %d", got.status)
		}
		if sent > 64<<20 {
			b.t.Errorf("%d bytes were taken off an endless body", sent)
		}
	},
	"X011": func(b *box) {
		id, url := b.stripe()
		bomb := strings.Repeat("\x1f\x8b\x08\x00", 2500)
		req := signedPost(b.t, "stripe", stripeSecret, url, bomb)
		req.Header.Set("Content-Encoding", "gzip")
		got := b.do(req)
		if got.status/100 != 2 || b.body(id, got.header.Get("Grapnel-Request-Id")) != bomb {
			b.t.Errorf("answer %d, or the body was not kept", got.status)
		}
	},
	"X012": func(b *box) {
		id, url := b.open(nil)
		_, strict := b.open(map[string]any{"requireJson": true})
		for i, coding := range []string{"br", "identity;gzip", "unknown", "gzip, gzip", "\""} {
			b.keeps(id, url, "\x00\x01\x02", "Content-Encoding", coding, "X-Id", strconv.Itoa(i))
			if got := b.post(strict, "\x00\x01\x02", "Content-Encoding", coding); got.status != 415 {
				b.t.Errorf("%s: %d", coding, got.status)
			}
		}
	},
	"X013": func(b *box) {
		id, url := b.open(map[string]any{"maxBody": 1000})
		_, empty := b.open(map[string]any{"emptyBody": true})
		b.keeps(id, url, strings.Repeat("x", 1000), "X-Id", "full")
		for body, want := range map[string]int{strings.Repeat("x", 1001): 413, "": 400} {
			if got := b.post(url, body); got.status != want {
				b.t.Errorf("%d bytes: %d, want %d", len(body), got.status, want)
			}
			chunked, err := http.NewRequest("POST", url, io.MultiReader(strings.NewReader(body)))
			testx.NoError(b.t, err)
			if got := b.do(chunked); got.status != want {
				b.t.Errorf("%d bytes, chunked: %d, want %d", len(body), got.status, want)
			}
		}
		if got := b.post(empty, ""); got.status/100 != 2 {
			b.t.Errorf("empty body where it is an event: %d", got.status)
		}
		if reasons := reasonsOf(b.log(id, 5)); !slices.Contains(reasons, "too_large") || !slices.Contains(reasons, "empty_body") {
			b.t.Errorf("the log says %v", reasons)
		}
	},
	"X014": func(b *box) {
		id, url := b.open(nil)
		_, strict := b.open(map[string]any{"requireJson": true})
		for i, kind := range []string{"", "text/plain", "multipart/form-data", "application/json; charset=utf-16", ";;;", "\""} {
			headers := []string{"X-Id", strconv.Itoa(i)}
			if kind != "" {
				headers = append(headers, "Content-Type", kind)
			}
			b.keeps(id, url, "not JSON", headers...)
			if got := b.post(strict, "not JSON", headers...); got.status != 415 {
				b.t.Errorf("%q: %d", kind, got.status)
			}
			if got := b.post(strict, `{}`, headers...); got.status/100 != 2 {
				b.t.Errorf("JSON as %q: %d", kind, got.status)
			}
		}
	},
	"X017": func(b *box) {
		const requests, read = 1000, 600
		id, url := b.open(nil)
		conn, err := net.Dial("tcp", strings.TrimPrefix(b.URL(), "http://"))
		testx.NoError(b.t, err)
		var text bytes.Buffer
		for i := range requests {
			fmt.Fprintf(&text, "POST %s HTTP/1.1\r\nHost: x\r\nX-Id: %d\r\nContent-Length: 2\r\n\r\n{}", path(url), i)
		}
		go conn.Write(text.Bytes())
		from := bufio.NewReader(conn)
		for i := range read {
			resp, err := http.ReadResponse(from, nil)
			if err != nil || resp.StatusCode/100 != 2 {
				b.t.Fatalf("answer %d: %v %v", i, resp, err)
			}
			io.Copy(io.Discard, resp.Body)
		}
		conn.Close()
		seen := b.eventIDs(id)
		for i := range read {
			if seen[strconv.Itoa(i)] != 1 {
				b.t.Errorf("event %d was answered and is there %d times", i, seen[strconv.Itoa(i)])
			}
		}
		for key, times := range seen {
			if times != 1 {
				b.t.Errorf("event %s is there %d times", key, times)
			}
		}
	},
	"X018": func(b *box) {
		id, url := b.open(nil)
		for i := range 20 {
			conn, err := net.Dial("tcp", strings.TrimPrefix(b.URL(), "http://"))
			testx.NoError(b.t, err)
			fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: x\r\nX-Id: %d\r\nContent-Length: 2\r\n\r\n{}", path(url), i)
			conn.Close()
		}
		for i := range 20 { // the sender tries again
			if got := b.post(url, "{}", "X-Id", strconv.Itoa(i)); got.status/100 != 2 {
				b.t.Errorf("the retry of %d: %d", i, got.status)
			}
		}
		for key, times := range b.eventIDs(id) {
			if times != 1 {
				b.t.Errorf("event %s is there %d times", key, times)
			}
		}
		if n := len(b.eventIDs(id)); n != 20 {
			b.t.Errorf("%d events, want 20", n)
		}
	},
	"X019": func(b *box) {
		id, url := b.stripe()
		var wg sync.WaitGroup
		for range 50 {
			req := signedPost(b.t, "stripe", stripeSecret, url, stripeBody)
			wg.Go(func() {
				if got := b.do(req); got.status/100 != 2 {
					b.t.Errorf("answer %d", got.status)
				}
			})
		}
		wg.Wait()
		if n := b.messages(id); n != 1 {
			b.t.Errorf("%d messages, want 1", n)
		}
	},
	"X020": func(b *box) {
		_, limited := b.open(map[string]any{"rate": 5})
		_, other := b.open(nil)
		counts := map[int]int{}
		for i := range 100 {
			got := b.post(limited, "{}", "X-Id", strconv.Itoa(i))
			counts[got.status]++
			if got.status == 429 && got.header.Get("Retry-After") == "" {
				b.t.Error("429 without Retry-After")
			}
		}
		if counts[429] == 0 || counts[202] < 5 {
			b.t.Errorf("answers %v", counts)
		}
		for range 200 {
			counts[b.post(b.URL()+"/in/0123456789abcdef", "{}").status]++
		}
		if counts[404] < 50 || counts[429] < 100 {
			b.t.Errorf("answers %v", counts)
		}
		if got := b.post(other, "{}"); got.status/100 != 2 {
			b.t.Errorf("another source: %d", got.status)
		}
	},
}

// eventIDs counts the messages of a source by event id.
func (b *box) eventIDs(id string) map[string]int {
	b.t.Helper()
	seen, iterator := map[string]int{}, ""
	for {
		_, out := b.ask(b.t, "GET", "/api/v1/app/"+id+"/msg?limit=250"+iterator, nil)
		list, _ := out["data"].([]any)
		for _, m := range list {
			key, _ := m.(map[string]any)["eventId"].(string)
			seen[key]++
		}
		if done, _ := out["done"].(bool); done || len(list) == 0 {
			return seen
		}
		iterator = "&iterator=" + out["iterator"].(string)
	}
}

func reasonsOf(rows []map[string]any) []string {
	var reasons []string
	for _, row := range rows {
		reason, _ := row["reason"].(string)
		reasons = append(reasons, reason)
	}
	return reasons
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

func TestIngestURLsShareNothingWithOtherOrigins(t *testing.T) {
	t.Parallel()
	b := &box{start(t, t.TempDir(), nil), t}
	_, url := b.open(nil)
	for _, origin := range []string{"https://evil.example", "null"} {
		preflight := b.with("OPTIONS", url, "", "Origin", origin, "Access-Control-Request-Method", "POST")
		for name := range b.post(url, "{}", "Origin", origin).header {
			if strings.HasPrefix(name, "Access-Control") {
				b.t.Errorf("%s to %s", name, origin)
			}
		}
		if preflight.header.Get("Access-Control-Allow-Origin") != "" || preflight.status != 405 {
			b.t.Errorf("preflight %+v", preflight)
		}
	}
}
