package dash_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/grapnelhq/grapnel/internal/dash"
	"github.com/grapnelhq/grapnel/internal/testx"
)

func gzipped(text string) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = w.Write([]byte(text))
	_ = w.Close()
	return b.Bytes()
}

const script = "console.log(1)"

// build is a small build of the pages.
func build() fstest.MapFS {
	page := func(name string) *fstest.MapFile {
		return &fstest.MapFile{Data: []byte(`<!doctype html><base href="{{.Base}}"><meta property="csp-nonce" nonce="{{.Nonce}}"><h1>` + name + `</h1>`)}
	}
	return fstest.MapFS{
		"index.html": page("dashboard"), "portal.html": page("portal"),
		"assets/app-1a2b.js.br": {Data: []byte("brotli")}, "assets/app-1a2b.js.gz": {Data: gzipped(script)},
		"assets/app-1a2b.css.gz": {Data: gzipped("a{}")}, "embed.js.br": {Data: []byte("embed")}, "embed.js.gz": {Data: gzipped("embed")},
		"favicon.svg.gz": {Data: gzipped("<svg/>")}, "assets/secret.map.gz": {Data: gzipped("{}")},
	}
}

func newSite(t *testing.T, files fs.FS, fresh bool) *dash.Site {
	t.Helper()
	return testx.Must(dash.New(dash.Options{Files: files, Fresh: fresh, Policy: func(_ context.Context, env string) dash.Policy {
		if env == "org_1" {
			return dash.Policy{Ancestors: []string{"'self'", "https://app.example.com"}, Images: []string{"https://img.example.com"}}
		}
		return dash.Policy{}
	}}))(t)
}

// ask gives the answer; nil: the site left it to others.
func ask(s *dash.Site, method, path string, headers ...string) *http.Response {
	r := httptest.NewRequest(method, "http://example.com/", nil)
	u, err := url.ParseRequestURI(path)
	if err != nil {
		return nil
	}
	r.URL = u
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	if !s.Serve(w, r) {
		return nil
	}
	return w.Result()
}

func text(t *testing.T, resp *http.Response) string {
	t.Helper()
	var b bytes.Buffer
	_, err := b.ReadFrom(resp.Body)
	testx.NoError(t, err)
	return b.String()
}

func TestPageIsForWhoReadsHTML(t *testing.T) {
	t.Parallel()
	s := newSite(t, build(), false)
	for _, accept := range []string{"text/html", "application/xhtml+xml, Text/HTML;q=0.9"} {
		resp := ask(s, "GET", "/messages/msg_1", "Accept", accept)
		if resp == nil || resp.StatusCode != 200 || !strings.Contains(text(t, resp), "dashboard") {
			t.Errorf("Accept %q: no page", accept)
		}
	}
	for _, accept := range []string{"", "*/*", "application/json", "text/htmlx", "image/avif,*/*;q=0.8"} {
		if resp := ask(s, "GET", "/messages", "Accept", accept); resp != nil {
			t.Errorf("Accept %q: a page", accept)
		}
	}
	for _, method := range []string{"POST", "PUT", "DELETE", "OPTIONS", "PATCH"} {
		if resp := ask(s, method, "/", "Accept", "text/html"); resp != nil {
			t.Errorf("%s: a page", method)
		}
	}
	head := ask(s, "HEAD", "/", "Accept", "text/html")
	if head == nil || text(t, head) != "" || head.Header.Get("Content-Length") == "" {
		t.Error("HEAD of a page has a body, or no length")
	}
}

func TestBaseGoesByTheDepthOfThePath(t *testing.T) {
	t.Parallel()
	s := newSite(t, build(), false)
	for path, base := range map[string]string{
		"/": "./", "/messages": "./", "/messages/": "../", "/messages/msg_1": "../", "/a/b/c": "../../",
		"/portal": "./", "/portal/": "../", "/portal/e/org_1": "../../", "/portal/e/org_1/endpoints/ep_1": "../../../../", "/a%2Fb/c": "../",
	} {
		resp := ask(s, "GET", path, "Accept", "text/html")
		if resp == nil {
			t.Errorf("%s: no page", path)
			continue
		}
		body, name := text(t, resp), "dashboard"
		if strings.HasPrefix(path, "/portal") {
			name = "portal"
		}
		if !strings.Contains(body, `<base href="`+base+`">`) || !strings.Contains(body, name) {
			t.Errorf("%s: %s, want the base %s of the %s", path, body, base, name)
		}
	}
}

func TestHostilePathIsNoPageAndNoFile(t *testing.T) {
	t.Parallel()
	s := newSite(t, build(), false)
	for _, path := range []string{
		"/%2e%2e/%2e%2e/etc/passwd", "/..%2fetc/passwd", "/a/%2e/b", "/a//b", "/a/%2F/b", "//evil.example", "/a%00b", "/a%5cb", "/a%0d%0aSet-Cookie:x",
		"/assets/../index.html", "/assets/nothing.js", "/assets/", "/assets/secret.map", "/" + strings.Repeat("a", 3000), "/a/" + strings.Repeat("b/", 1100),
	} {
		if resp := ask(s, "GET", path, "Accept", "text/html"); resp != nil {
			t.Errorf("%.60q: status %d", path, resp.StatusCode)
		}
	}
	// The pages themselves are templates and no files, and the forms have no names of their own.
	for _, path := range []string{"/index.html", "/portal.html", "/assets/app-1a2b.js.br", "/assets/app-1a2b.js.gz", "/embed.js.gz"} {
		if resp := ask(s, "GET", path); resp != nil {
			t.Errorf("%s: status %d", path, resp.StatusCode)
		}
	}
}

func TestPageHasAStrictPolicyWithANonceOfItsOwn(t *testing.T) {
	t.Parallel()
	s := newSite(t, build(), false)
	seen := map[string]bool{}
	for range 2 {
		resp := ask(s, "GET", "/", "Accept", "text/html")
		h := resp.Header
		nonce := regexp.MustCompile(`nonce="([^"]+)"`).FindStringSubmatch(text(t, resp))[1]
		testx.Equal(t, h.Get("Content-Security-Policy"), "default-src 'none'; script-src 'self'; style-src 'self' 'nonce-"+nonce+"'; img-src 'self' data: blob:"+
			"; font-src 'self'; connect-src 'self'; worker-src 'self'; manifest-src 'self'; frame-src 'self' blob:; base-uri 'self'; form-action 'self'; frame-ancestors 'none'")
		for name, want := range map[string]string{
			"Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff", "Cross-Origin-Opener-Policy": "same-origin",
			"X-Frame-Options": "DENY", "Cache-Control": "no-store", "Vary": "Accept",
		} {
			testx.Equal(t, h.Get(name), want, name)
		}
		if h.Get("Permissions-Policy") == "" || seen[nonce] {
			t.Error("no Permissions-Policy, or the same nonce twice")
		}
		seen[nonce] = true
	}
}

func TestOnlyThePortalOfAnEnvironmentCanBeFramed(t *testing.T) {
	t.Parallel()
	s := newSite(t, build(), false)
	for path, want := range map[string]string{
		"/": "'none'", "/e/org_1": "'none'", "/portal": "'none'", "/portal/org_1": "'none'", "/portal/e/": "'none'", "/portal/e/org_2": "'none'",
		"/portal/e/org_1": "'self' https://app.example.com", "/portal/e/org_1/endpoints": "'self' https://app.example.com",
	} {
		h := ask(s, "GET", path, "Accept", "text/html").Header
		_, got, _ := strings.Cut(h.Get("Content-Security-Policy"), "frame-ancestors ")
		testx.Equal(t, got, want, path)
		testx.Equal(t, h.Get("X-Frame-Options") == "DENY", want == "'none'", path)
		testx.Equal(t, strings.Contains(h.Get("Content-Security-Policy"), "https://img.example.com;"), want != "'none'", path)
	}
}

func TestFileComesInTheFormThatTheClientLikesBest(t *testing.T) {
	t.Parallel()
	s := newSite(t, build(), false)
	for accept, want := range map[string]string{
		"br, gzip": "br", "gzip": "gzip", "br;q=0.5, gzip": "gzip", "gzip;q=0.5, br;q=0.5": "br", "br;q=0, gzip": "gzip", "*": "br",
		"": "", "identity": "", "br;q=0, gzip;q=0": "", "br;q=2, gzip;q=x": "", "deflate, GZIP ; q=0.1": "gzip", "*;q=0": "406", "identity;q=0": "406",
	} {
		resp := ask(s, "GET", "/assets/app-1a2b.js", "Accept-Encoding", accept)
		if want == "406" {
			testx.Equal(t, resp.StatusCode, http.StatusNotAcceptable, accept)
			continue
		}
		testx.Equal(t, resp.StatusCode, http.StatusOK, accept)
		testx.Equal(t, resp.Header.Get("Content-Encoding"), want, accept)
		body := text(t, resp)
		if want == "" {
			testx.Equal(t, body, script, accept)
		}
		if want == "br" {
			testx.Equal(t, body, "brotli", accept)
		}
		testx.Equal(t, resp.Header.Get("Vary"), "Accept-Encoding", accept)
		testx.Equal(t, resp.Header.Get("Content-Type"), "text/javascript; charset=utf-8", accept)
	}
}

func TestHashedFilesAreKeptForEverAndOthersAreAskedForAgain(t *testing.T) {
	t.Parallel()
	s := newSite(t, build(), false)
	for path, want := range map[string][2]string{
		"/assets/app-1a2b.css": {"public, max-age=31536000, immutable", "same-origin"},
		"/portal/embed.js":     {"no-cache", "cross-origin"},
		"/favicon.svg":         {"no-cache", "same-origin"},
	} {
		resp := ask(s, "GET", path, "Accept-Encoding", "gzip", "Accept", "text/html")
		testx.Equal(t, [2]string{resp.Header.Get("Cache-Control"), resp.Header.Get("Cross-Origin-Resource-Policy")}, want, path)
		etag := resp.Header.Get("ETag")
		again := ask(s, "GET", path, "Accept-Encoding", "gzip", "If-None-Match", `"x", W/`+etag)
		testx.Equal(t, again.StatusCode, http.StatusNotModified, path)
		testx.Equal(t, text(t, again), "", path)
		other := ask(s, "GET", path, "If-None-Match", etag)
		testx.Equal(t, other.StatusCode, http.StatusOK, path+" in another form")
		head := ask(s, "HEAD", path, "Accept-Encoding", "gzip")
		testx.Equal(t, text(t, head), "", path)
		testx.Equal(t, head.Header.Get("Content-Length"), resp.Header.Get("Content-Length"), path)
	}
}

func TestFreshFilesAreReadAgainForEveryRequest(t *testing.T) {
	t.Parallel()
	files := build()
	s, kept := newSite(t, files, true), newSite(t, files, false)
	files["index.html"] = &fstest.MapFile{Data: []byte("changed {{.Base}}")}
	files["assets/new.js"] = &fstest.MapFile{Data: []byte("new")}
	testx.Equal(t, text(t, ask(s, "GET", "/", "Accept", "text/html")), "changed ./")
	testx.Equal(t, text(t, ask(s, "GET", "/assets/new.js", "Accept-Encoding", "br")), "new")
	if strings.Contains(text(t, ask(kept, "GET", "/", "Accept", "text/html")), "changed") {
		t.Error("the files of the binary were read again")
	}
}

func TestBuildWithoutAPageIsRefused(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"index.html", "portal.html"} {
		files := build()
		delete(files, name)
		if _, err := dash.New(dash.Options{Files: files}); err == nil {
			t.Errorf("without %s: no error", name)
		}
	}
	files := build()
	files["index.html"] = &fstest.MapFile{Data: []byte("{{.Base")}
	if _, err := dash.New(dash.Options{Files: files}); err == nil {
		t.Error("a broken template: no error")
	}
}

func FuzzPathGivesAPageWithTheRightBaseOrNothing(f *testing.F) {
	for _, seed := range []string{"/", "/portal/e/org_1", "/%2e%2e/", "//", "/a%00", "/assets/app-1a2b.js", "/a\\b", "/ä/ö"} {
		f.Add(seed, "br;q=0.1,gzip")
	}
	s, err := dash.New(dash.Options{Files: build()})
	if err != nil {
		f.Fatal(err)
	}
	base := regexp.MustCompile(`<base href="((?:\.\./)*|\./)">`)
	f.Fuzz(func(t *testing.T, path, encoding string) {
		resp := ask(s, "GET", path, "Accept", "text/html", "Accept-Encoding", encoding)
		if resp == nil || !strings.HasPrefix(resp.Header.Get("Content-Type"), "text/html") {
			return
		}
		if m := base.FindStringSubmatch(text(t, resp)); m == nil {
			t.Fatalf("%q: a page without a base", path)
		}
	})
}
