package cli

import (
	"bytes"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
)

// saver writes each request into a folder: NAME.http for editors, NAME.sh for a shell,
// and NAME.body, the bytes as they came.
func saver(dir string) func(*arrival, string) error {
	return func(a *arrival, target string) error {
		base := filepath.Join(dir, a.ReceivedAt.UTC().Format("20060102T150405.000Z")+"-"+fileName(a.EventType)+"-"+fileName(a.ID))
		if target == "" {
			target = "http://localhost:3000/"
		}
		files := []struct {
			name, text string
			mode       os.FileMode
		}{
			{base + ".body", string(a.Body), 0o600},
			{base + ".http", string(httpFile(a, target)), 0o600},
			{base + ".sh", "#!/bin/sh\ncd \"$(dirname \"$0\")\" || exit 1\n" + curlOf(a, target, "@"+filepath.Base(base)+".body"), 0o700},
		}
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return fmt.Errorf("saving a request: %w", err)
		}
		for _, file := range files {
			if err := os.WriteFile(file.name, []byte(file.text), file.mode); err != nil {
				return fmt.Errorf("saving a request: %w", err)
			}
		}
		return nil
	}
}

// fileName keeps what is plain in a name on every system.
func fileName(text string) string {
	const most = 60
	plain := strings.Map(func(c rune) rune {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '_', c == '.', c == '-':
			return c
		}
		return '-'
	}, text)
	return plain[:min(len(plain), most)]
}

// httpFile is the request as editors know it: a first line, headers, an empty line and
// the body.
func httpFile(a *arrival, target string) []byte {
	method := a.Method
	if method == "" {
		method = "POST"
	}
	full, err := targetURL(target, a.Path, a.Query)
	if err != nil {
		full = target
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s %s\n", method, full)
	for _, h := range headersOf(a) {
		fmt.Fprintf(&b, "%s: %s\n", h[0], h[1])
	}
	b.WriteByte('\n')
	b.Write(a.Body)
	return b.Bytes()
}

// headersOf are those that are passed on, in the order in which they came.
func headersOf(a *arrival) [][2]string {
	if a.Method == "" {
		return [][2]string{{"Content-Type", a.ContentType}}
	}
	kept, _ := passedOn(a.Headers)
	var lines [][2]string
	for _, h := range a.Headers {
		if kept.Get(h[0]) != "" || len(kept.Values(h[0])) > 0 {
			lines = append(lines, h)
		}
	}
	return lines
}

// curlOf is the request as a command. data is what --data-binary takes; empty: the body
// stands in the command, if that can hold it.
func curlOf(a *arrival, target, data string) string {
	full, err := targetURL(target, a.Path, a.Query)
	if err != nil {
		full = target
	}
	var b strings.Builder
	b.WriteString("curl")
	if a.Method != "" && a.Method != "POST" || len(a.Body) == 0 {
		method := a.Method
		if method == "" {
			method = "POST"
		}
		b.WriteString(" -X " + shellQuote(method))
	}
	b.WriteString(" " + shellQuote(full) + " \\\n")
	for _, h := range headersOf(a) {
		line := h[0] + ": " + h[1]
		if h[1] == "" {
			line = h[0] + ";" // how curl is told to send an empty one
		}
		b.WriteString("  -H " + shellQuote(line) + " \\\n")
	}
	if data == "" {
		data = string(a.Body)
		if strings.HasPrefix(data, "@") || strings.ContainsRune(data, 0) {
			data = "@" + fileName(a.ID) + ".body"
		}
	}
	b.WriteString("  --data-binary " + shellQuote(data) + "\n")
	return b.String()
}

// requestFile is a request read from a file.
type requestFile struct {
	method, url string
	headers     [][2]string
	body        []byte
}

// errNoRequest: a text is no request in a file.
var errNoRequest = errors.New("it does not begin like a request: a line such as `POST https://example.com/hooks HTTP/1.1`, or headers, and an empty line before the body")

// parseRequestFile reads a request: an optional first line, header lines, an empty line,
// and everything else as the body, byte for byte. Lines of the head end in LF or CRLF.
// A Content-Length that is shorter by line ends which an editor has put at the end of
// the file cuts them off.
func parseRequestFile(text []byte) (requestFile, error) {
	var r requestFile
	length := -1
	for first := true; ; first = false {
		line, rest, found := bytes.Cut(text, []byte{'\n'})
		line = bytes.TrimSuffix(line, []byte{'\r'})
		text = rest
		if len(line) == 0 {
			if first || !found && len(r.headers) == 0 && r.method == "" {
				return r, errNoRequest
			}
			break
		}
		if name, value, ok := strings.Cut(string(line), ":"); ok && isToken(name) {
			value = strings.Trim(value, " \t")
			r.headers = append(r.headers, [2]string{name, value})
			if strings.EqualFold(name, "Content-Length") {
				_, _ = fmt.Sscanf(value, "%d", &length) // what is no number says nothing
			}
		} else if fields := strings.Fields(string(line)); first && len(fields) >= 2 && len(fields) <= 3 && isToken(fields[0]) {
			r.method, r.url = fields[0], fields[1]
		} else {
			return r, errNoRequest
		}
		if !found {
			break
		}
	}
	r.body = text
	if length >= 0 && length < len(r.body) && len(bytes.Trim(r.body[length:], "\r\n")) == 0 {
		r.body = r.body[:length]
	}
	if r.url != "" {
		if _, err := url.Parse(r.url); err != nil {
			return r, errNoRequest
		}
	}
	return r, nil
}

// isToken reports whether a text can be the name of a header or a method (RFC 9110 5.6.2).
func isToken(text string) bool {
	for i := range len(text) {
		c := text[i]
		if c <= ' ' || c >= 0x7f || strings.IndexByte(`"(),/:;<=>?@[\]{}`, c) >= 0 {
			return false
		}
	}
	return text != ""
}
