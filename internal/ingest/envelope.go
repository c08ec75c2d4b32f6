package ingest

import (
	"crypto/sha256"
	"maps"
	"net/http"
	"slices"
	"strconv"

	"github.com/grapnelhq/grapnel/internal/hook"
)

// HeaderHops counts how often an event was handed on from one source to another
// address. It ends a circle of sources that feed each other.
const HeaderHops = "Grapnel-Hops"

// maxHops is how often that may be.
const maxHops = 8

// hops reads the header; what cannot be read counts as the end.
func hops(h http.Header) int {
	values := h[HeaderHops]
	if len(values) == 0 {
		return 0
	}
	n, err := strconv.ParseUint(values[0], 10, 16)
	if err != nil || len(values) > 1 {
		return maxHops
	}
	return int(n)
}

// envelope takes down everything of a request but its body.
func envelope(r *http.Request, rest string, forward []string) *hook.Envelope {
	e := &hook.Envelope{Method: r.Method, Path: rest, Query: r.URL.RawQuery, Forward: forward}
	n := 0
	for _, values := range r.Header {
		n += len(values)
	}
	e.Headers = make([]hook.HeaderLine, 0, n)
	for _, name := range slices.Sorted(maps.Keys(r.Header)) {
		for _, value := range r.Header[name] {
			e.Headers = append(e.Headers, hook.HeaderLine{name, value})
		}
	}
	return e
}

// headerOf gives the header of an envelope back.
func headerOf(e *hook.Envelope) http.Header {
	h := make(http.Header, len(e.Headers))
	for _, line := range e.Headers {
		h[line[0]] = append(h[line[0]], line[1])
	}
	return h
}

// fingerprint tells bodies apart.
func fingerprint(body []byte) (f [16]byte) {
	sum := sha256.Sum256(body)
	copy(f[:], sum[:])
	return f
}
