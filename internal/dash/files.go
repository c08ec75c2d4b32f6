package dash

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"html/template"
	"io"
	"io/fs"
	"path"
	"strings"
)

// file is one file of the build in the forms it is there in.
type file struct {
	kind string // Content-Type
	etag string // of the first form; the others have a suffix
	// The forms; nil: not there.
	raw, gzip, brotli []byte
}

// bundle is the whole build.
type bundle struct {
	files  map[string]*file // by path, such as "assets/app-1a2b.js"
	index  *template.Template
	portal *template.Template
}

// kinds are the types of files that a build holds. What is not listed is not served:
// a type that is guessed is how a file comes to be run.
var kinds = map[string]string{
	".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml",
	".woff2": "font/woff2", ".png": "image/png", ".ico": "image/x-icon", ".json": "application/json",
	".webmanifest": "application/manifest+json", ".txt": "text/plain; charset=utf-8", ".wasm": "application/wasm",
}

// read takes a build in.
func read(files fs.FS) (*bundle, error) {
	b := &bundle{files: make(map[string]*file)}
	err := fs.WalkDir(files, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := fs.ReadFile(files, name)
		if err != nil {
			return err
		}
		return b.add(name, text)
	})
	if err == nil && (b.index == nil || b.portal == nil) {
		err = errors.New("index.html or portal.html is not there")
	}
	if err != nil {
		return nil, fmt.Errorf("reading the files of the dashboard: %w", err)
	}
	return b, nil
}

func (b *bundle) add(name string, text []byte) (err error) {
	switch name {
	case "index.html":
		b.index, err = template.New(name).Parse(string(text))
		return err
	case "portal.html":
		b.portal, err = template.New(name).Parse(string(text))
		return err
	}
	plain, form := name, ""
	if ext := path.Ext(name); ext == ".br" || ext == ".gz" {
		plain, form = strings.TrimSuffix(name, ext), ext
	}
	kind, known := kinds[path.Ext(plain)]
	if !known {
		return nil
	}
	f := b.files[plain]
	if f == nil {
		f = &file{kind: kind}
		b.files[plain] = f
	}
	if f.etag == "" || form == "" {
		sum := sha256.Sum256(text)
		f.etag = base64.RawURLEncoding.EncodeToString(sum[:12])
	}
	switch form {
	case ".br":
		f.brotli = text
	case ".gz":
		f.gzip = text
	default:
		f.raw = text
	}
	return nil
}

// maxPlain bounds what is unpacked for a client that takes no compression, in bytes.
const maxPlain = 32 << 20

// form gives the best form for an Accept-Encoding header, with the name of its coding;
// false: there is none that the client takes.
func (f *file) form(accept string) (body []byte, coding string, ok bool) {
	takes := acceptedCodings(accept)
	switch {
	case f.brotli != nil && takes.of("br") > 0 && takes.of("br") >= takes.of("gzip"):
		return f.brotli, "br", true
	case f.gzip != nil && takes.of("gzip") > 0:
		return f.gzip, "gzip", true
	case f.brotli != nil && takes.of("br") > 0:
		return f.brotli, "br", true
	case takes.identity() <= 0:
		return nil, "", false
	case f.raw != nil:
		return f.raw, "", true
	case f.gzip != nil:
		plain, err := unpack(f.gzip)
		return plain, "", err == nil
	}
	return nil, "", false
}

func unpack(packed []byte) ([]byte, error) {
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(io.LimitReader(r, maxPlain))
}
