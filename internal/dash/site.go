package dash

import (
	"bytes"
	"context"
	"crypto/rand"
	"io/fs"
	"net/http"
	"strconv"
	"strings"
)

// Paths of the portal.
const (
	PortalPath = "/portal"
	// PortalInEnvironment is followed by the id of an environment, whose settings say
	// which pages may hold the portal in a frame.
	PortalInEnvironment = PortalPath + "/e/"
	embedPath           = PortalPath + "/embed.js"
	assetsPath          = "/assets/"
)

// maxPath bounds the path of a page, in bytes.
const maxPath = 2048

// Options say what a Site serves.
type Options struct {
	Files fs.FS
	// Fresh reads the files again for every request, for work on them.
	Fresh bool
	// Policy gives what the page of the portal in an environment may do beyond the
	// rest; environment is text from the path and empty for the dashboard and for a
	// portal without one. Nil: nothing.
	Policy func(ctx context.Context, environment string) Policy
}

// Site serves the two pages and their files. New makes one.
type Site struct {
	Options
	read *bundle // nil with Fresh
}

// New reads the files.
func New(o Options) (*Site, error) {
	if o.Policy == nil {
		o.Policy = func(context.Context, string) Policy { return Policy{} }
	}
	b, err := read(o.Files)
	if err != nil {
		return nil, err
	}
	s := &Site{Options: o}
	if !o.Fresh {
		s.read = b
	}
	return s, nil
}

// Serve answers if the request is for a page or a file of the build, and reports
// whether it was: all else is left to the caller. A page goes only to who reads HTML,
// so that a mistyped URL of the API does not answer 200 to a program.
func (s *Site) Serve(w http.ResponseWriter, r *http.Request) bool {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		return false
	}
	b := s.read
	if b == nil {
		var err error
		if b, err = read(s.Files); err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return true
		}
	}
	path := r.URL.Path
	name := strings.TrimPrefix(path, "/")
	if path == embedPath {
		name = "embed.js"
	}
	if f := b.files[name]; f != nil {
		f.serve(w, r, path)
		return true
	}
	if !readsHTML(r) || !isPage(r) {
		return false
	}
	s.page(w, r, b)
	return true
}

// readsHTML reports whether the client names HTML among what it takes.
func readsHTML(r *http.Request) bool {
	for _, line := range r.Header["Accept"] {
		for item := range strings.SplitSeq(line, ",") {
			kind, _, _ := strings.Cut(item, ";")
			if strings.EqualFold(strings.TrimSpace(kind), "text/html") {
				return true
			}
		}
	}
	return false
}

// isPage reports whether the path can be one of a page: the application in the browser
// decides what it shows. A path with an empty or a dot segment would give a base that
// is not the one the browser goes by.
func isPage(r *http.Request) bool {
	raw := r.URL.EscapedPath()
	if len(raw) > maxPath || strings.HasPrefix(raw, assetsPath) {
		return false
	}
	for _, path := range []string{raw, r.URL.Path} {
		if !strings.HasPrefix(path, "/") || strings.Contains(path, "//") || strings.ContainsAny(path, "\\\x00") {
			return false
		}
		for segment := range strings.SplitSeq(path, "/") {
			if segment == "." || segment == ".." {
				return false
			}
		}
	}
	for i := range len(r.URL.Path) {
		if c := r.URL.Path[i]; c < ' ' || c == 0x7f {
			return false
		}
	}
	return true
}

// page answers with one of the two pages.
func (s *Site) page(w http.ResponseWriter, r *http.Request, b *bundle) {
	page, environment := b.index, ""
	if path := r.URL.Path; path == PortalPath || strings.HasPrefix(path, PortalPath+"/") {
		page = b.portal
		if rest, ok := strings.CutPrefix(path, PortalInEnvironment); ok {
			environment, _, _ = strings.Cut(rest, "/")
		}
	}
	policy := Policy{}
	if page == b.index || environment != "" {
		policy = s.Policy(r.Context(), environment)
	}
	if page == b.index {
		policy.Ancestors = nil
	}
	nonce := rand.Text()
	var text bytes.Buffer
	if err := page.Execute(&text, struct{ Base, Nonce string }{base(r.URL.EscapedPath()), nonce}); err != nil {
		http.Error(w, "The page cannot be made.", http.StatusInternalServerError)
		return
	}
	h := w.Header()
	setPageHeaders(h, policy, nonce)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Add("Vary", "Accept")
	h.Set("Content-Length", strconv.Itoa(text.Len()))
	w.WriteHeader(http.StatusOK)
	if r.Method != http.MethodHead {
		_, _ = w.Write(text.Bytes()) // the client has gone; nobody is left to tell
	}
}

// base is the way from a page to the root, relative to the page.
func base(path string) string {
	up := strings.Count(path, "/") - 1
	if up <= 0 {
		return "./"
	}
	return strings.Repeat("../", up)
}

// serve answers with a file. The names under /assets/ have a hash of what is in them,
// so those never change; all others are asked for again.
func (f *file) serve(w http.ResponseWriter, r *http.Request, path string) {
	h := w.Header()
	h.Set("Content-Type", f.kind)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Vary", "Accept-Encoding")
	if f.kind == kinds[".svg"] {
		h.Set("Content-Security-Policy", "default-src 'none'; sandbox") // if it is opened by itself
	}
	resources := "same-origin"
	if path == embedPath {
		resources = "cross-origin" // it is for the pages of others
	}
	h.Set("Cross-Origin-Resource-Policy", resources)
	h.Set("Cache-Control", "no-cache")
	if strings.HasPrefix(path, assetsPath) {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	body, coding, ok := f.form(strings.Join(r.Header["Accept-Encoding"], ","))
	if !ok {
		h.Del("Content-Type")
		h.Set("Cache-Control", "no-store")
		w.WriteHeader(http.StatusNotAcceptable)
		return
	}
	etag := `"` + f.etag + `"`
	if coding != "" {
		etag = `"` + f.etag + "-" + coding + `"`
		h.Set("Content-Encoding", coding)
	}
	h.Set("ETag", etag)
	if isSame(r.Header.Get("If-None-Match"), etag) {
		h.Del("Content-Encoding")
		w.WriteHeader(http.StatusNotModified)
		return
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(http.StatusOK)
	if r.Method != http.MethodHead {
		_, _ = w.Write(body) // the client has gone; nobody is left to tell
	}
}

// isSame reports whether an If-None-Match header names the tag.
func isSame(header, etag string) bool {
	for item := range strings.SplitSeq(header, ",") {
		if item = strings.TrimPrefix(strings.TrimSpace(item), "W/"); item == etag || item == "*" {
			return true
		}
	}
	return false
}
