package api

import (
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
)

// DecodePayload decodes a published message and gives its payload, for tests of
// the decoder alone.
func DecodePayload(body []byte) ([]byte, error) {
	p, err := decodeMessage(body, time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
	if p.raw {
		return emptyPayload, err
	}
	return p.payload, err
}

// ScanValid reports whether data is one JSON value, and whether it nests too deep.
func ScanValid(data []byte) (valid, deep bool) {
	s := scanner{data: data}
	_, valid = s.span(0)
	valid = valid && s.end() == nil
	return valid, s.deep
}

// EncodeMessage is the encoder of the publish answer.
func EncodeMessage(dst []byte, m *hook.Message, payload []byte) []byte {
	return appendMessage(dst, m, payload)
}

// RouteInfo is what tests over the whole table need of a route.
type RouteInfo struct {
	Method, Path, ID string
	Open, Hidden     bool
}

// Routes gives the whole table.
func Routes() []RouteInfo {
	var all []RouteInfo
	for _, rt := range allRoutes() {
		all = append(all, RouteInfo{rt.method, rt.path, rt.id, rt.right == rightNone, rt.hidden})
	}
	return all
}

// OpenAPIDocument is the document of the whole table.
func OpenAPIDocument(version string) []byte { return New(Deps{Version: version}).openAPI() }
