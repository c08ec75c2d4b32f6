package ingest

import (
	"crypto/rand"
	"crypto/sha256"
	"strings"
)

// Prefix is where the paths of ingest URLs begin.
const Prefix = "/in/"

// Bounds of a path.
const (
	minToken = 16 // characters
	maxToken = 128
	maxRest  = 1024 // bytes after the token, escaped
)

// NewToken makes what an ingest URL ends in, and the hash to find its source by.
func NewToken() (token string, hash [32]byte) {
	token = rand.Text()
	return token, HashToken(token)
}

// HashToken gives the hash that a source is found by.
func HashToken(token string) [32]byte { return sha256.Sum256([]byte(token)) }

// splitPath takes an escaped path apart into the token and what follows it. It
// takes no path that two programs could read differently: one of them would see
// another source.
func splitPath(escaped string) (token, rest string, ok bool) {
	path, ok := strings.CutPrefix(escaped, Prefix)
	if !ok {
		return "", "", false
	}
	token, rest = path, ""
	if i := strings.IndexByte(path, '/'); i >= 0 {
		token, rest = path[:i], path[i:]
	}
	return token, rest, isToken(token) && plainRest(rest)
}

func isToken(s string) bool {
	if len(s) < minToken || len(s) > maxToken {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if c != '-' && c != '_' && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') {
			return false
		}
	}
	return true
}

// plainRest refuses empty segments, dots for folders, parameters of segments and
// everything that would be one of these, or a control character, when decoded.
func plainRest(rest string) bool {
	if len(rest) > maxRest || strings.Contains(rest, "//") {
		return false
	}
	for i := range len(rest) {
		if c := rest[i]; c <= ' ' || c >= 0x7f || c == ';' || c == '\\' {
			return false
		}
	}
	for segment := range strings.SplitSeq(rest, "/") {
		if segment == "." || segment == ".." || hidesSeparator(segment) {
			return false
		}
	}
	return true
}

// hidesSeparator reports whether a segment has an escaped byte that matters to the
// shape of a path, or a control character.
func hidesSeparator(segment string) bool {
	for {
		i := strings.IndexByte(segment, '%')
		if i < 0 {
			return false
		}
		if len(segment) < i+3 {
			return true
		}
		high, low := hexDigit(segment[i+1]), hexDigit(segment[i+2])
		if high < 0 || low < 0 {
			return true
		}
		if c := byte(high<<4 | low); c < ' ' || c == 0x7f || strings.IndexByte(`/\.;%`, c) >= 0 {
			return true
		}
		segment = segment[i+3:]
	}
}

func hexDigit(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10
	case c >= 'A' && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}
