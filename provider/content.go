package provider

import (
	"bytes"
	"fmt"
	"io"
	"strings"
)

// content is the template of what is signed: literal text and places. nil is the
// body alone.
type content []part

type part struct {
	place   place
	literal string
}

// place is something of a request that is signed.
type place int

const (
	literal place = iota
	body
	sentTime
	sentID
	address
	method
)

var places = map[string]place{
	"{body}": body, "{ts}": sentTime, "{id}": sentID, "{url}": address, "{method}": method,
}

const (
	maxTemplate = 512 // bytes
	maxParts    = 32
)

// parseContent reads a template such as "v0:{ts}:{body}". A brace is always the
// begin or end of a place.
func parseContent(template string) (content, error) {
	if len(template) > maxTemplate {
		return nil, fmt.Errorf("the template is longer than %d bytes", maxTemplate)
	}
	var c content
	for template != "" {
		if len(c) == maxParts {
			return nil, fmt.Errorf("the template has more than %d parts", maxParts)
		}
		i := strings.IndexAny(template, "{}")
		if i < 0 {
			i = len(template)
		}
		if i > 0 {
			c = append(c, part{literal: template[:i]})
			template = template[i:]
			continue
		}
		name, rest, closed := strings.Cut(template, "}")
		p, ok := places[name+"}"]
		if !ok || !closed {
			return nil, fmt.Errorf("the template has a brace that begins none of {id} {ts} {body} {url} {method}, at %q", clip(template, 20))
		}
		c = append(c, part{place: p})
		template = rest
	}
	return c, nil
}

// mustContent is parseContent for the tables of this package.
func mustContent(template string) content {
	c, err := parseContent(template)
	if err != nil {
		panic(err)
	}
	return c
}

func (c content) has(p place) bool {
	for _, part := range c {
		if part.place == p {
			return true
		}
	}
	return false
}

// writeTo writes what is signed. w is a hash or a buffer and never fails.
func (c content) writeTo(w io.Writer, r *Request, e *evidence) {
	if c == nil {
		_, _ = w.Write(r.Body)
		return
	}
	for _, part := range c {
		switch part.place {
		case body:
			_, _ = w.Write(r.Body)
		case literal:
			_, _ = io.WriteString(w, part.literal)
		case sentTime:
			_, _ = io.WriteString(w, e.stamp)
		case sentID:
			_, _ = io.WriteString(w, e.id)
		case address:
			_, _ = io.WriteString(w, r.URL)
		case method:
			_, _ = io.WriteString(w, r.Method)
		}
	}
}

func (c content) bytes(r *Request, e *evidence) []byte {
	var b bytes.Buffer
	c.writeTo(&b, r, e)
	return b.Bytes()
}

func clip(text string, most int) string {
	if len(text) <= most {
		return text
	}
	return text[:most] + "…"
}
