package api

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"net/http"
	"regexp"
)

// docsHTML draws /api/openapi.json as a page. It loads nothing else.
//
//go:embed docs.html
var docsHTML []byte

// docsPage is the page and the policy that lets its own script and style run, by
// their hashes, and nothing more.
type docsPage struct{ policy string }

var inline = regexp.MustCompile(`(?s)<(script|style)>(.*?)</(?:script|style)>`)

func newDocsPage() docsPage {
	policy := "default-src 'none'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
	for _, m := range inline.FindAllSubmatch(docsHTML, -1) {
		sum := sha256.Sum256(m[2])
		policy += "; " + string(m[1]) + "-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
	}
	return docsPage{policy: policy}
}

func getDocs(c *call) (reply, error) {
	return reply{status: http.StatusOK, json: docsHTML, header: http.Header{
		"Content-Type":            {"text/html; charset=utf-8"},
		"Content-Security-Policy": {c.docs.policy},
		"X-Content-Type-Options":  {"nosniff"},
		"Referrer-Policy":         {"no-referrer"},
	}}, nil
}
