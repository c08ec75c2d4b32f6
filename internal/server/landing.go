package server

import (
	"crypto/sha256"
	"encoding/base64"
	"html/template"
	"net/http"
	"strings"
)

// landingStyle is the page's style sheet. The policy of the page names its hash,
// so that no other style or script has an effect there.
const landingStyle = `:root { color-scheme: light dark; --ink: #0e1a24; --paper: #f7f9fa; --quiet: #52626e; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6ecf0; --paper: #0b1218; --quiet: #93a3ae; } }
body { margin: 0; padding: 48px 24px; background: var(--paper); color: var(--ink); font: 14px/22px system-ui, sans-serif; }
main { max-width: 640px; margin: 0 auto; }
h1 { font-size: 20px; line-height: 28px; font-weight: 600; margin: 0 0 4px; }
p { margin: 0 0 24px; color: var(--quiet); }
dl { display: grid; grid-template-columns: 96px 1fr; gap: 4px 16px; margin: 0; }
dt { color: var(--quiet); }
dd { margin: 0; font-family: ui-monospace, monospace; font-size: 13px; overflow-wrap: anywhere; }
a { color: inherit; }`

var landingPolicy = func() string {
	sum := sha256.Sum256([]byte(landingStyle))
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) +
		"'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
}()

// landingPage is what a browser gets at the root of a server without the dashboard.
var landingPage = template.Must(template.New("landing").Parse(`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Grapnel</title>
<style>{{.Style}}</style>
</head>
<body>
<main>
<h1>Grapnel {{.Version}}</h1>
<p>This server sends webhooks and receives them: signed, verified, retried, recorded.</p>
<dl>
<dt>Sending</dt><dd>{{.URL}}/api/v1</dd>
<dt>Receiving</dt><dd>{{.URL}}/ingest/api/v1</dd>
<dt>Docs</dt><dd><a href="{{.Prefix}}/api/docs">{{.URL}}/api/docs</a></dd>
<dt>OpenAPI</dt><dd><a href="{{.Prefix}}/api/openapi.json">{{.URL}}/api/openapi.json</a></dd>
<dt>Health</dt><dd><a href="{{.Prefix}}/readyz">{{.URL}}/readyz</a></dd>
</dl>
</main>
</body>
</html>
`))

// landing names what is here, as a page to browsers and as text to all others.
func (s *Server) landing(w http.ResponseWriter, r *http.Request) {
	if !readOnly(w, r) {
		return
	}
	at := struct {
		Version, URL, Prefix string
		Style                template.CSS
	}{s.version, s.publicURL(r), s.pathPrefix(), landingStyle}
	h := w.Header()
	h.Set("Vary", "Accept")
	h.Set("X-Content-Type-Options", "nosniff")
	if !strings.Contains(r.Header.Get("Accept"), "text/html") {
		h.Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = w.Write([]byte("Grapnel " + at.Version + "\n\nSending    " + at.URL + "/api/v1\nReceiving  " + at.URL + "/ingest/api/v1\nDocs       " + at.URL + "/api/docs\nOpenAPI    " + at.URL + "/api/openapi.json\nHealth     " + at.URL + "/readyz\n"))
		return
	}
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", landingPolicy)
	h.Set("Referrer-Policy", "no-referrer")
	if err := landingPage.Execute(w, at); err != nil {
		s.log.DebugContext(r.Context(), "the landing page was not read to its end", "error", err)
	}
}
