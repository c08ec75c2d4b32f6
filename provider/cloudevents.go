package provider

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// sole gives what find gives, unless the body holds a second event at that path: an id or
// type of one event does not stand for several.
func sole(find locator, second string) locator {
	steps := strings.Split(second, ".")
	return func(r *Request) string {
		if jsonAt(r.Body, steps) != nil {
			return ""
		}
		return find(r)
	}
}

// soleID finds a value of an event that is described by headers, or is the body, or is the
// only one of a list that is the body.
func soleID(header locator, names ...string) locator {
	finds := append(make([]locator, 0, 1+2*len(names)), header)
	for _, name := range names {
		finds = append(finds, inBody(name), sole(inBody("0."+name), "1"))
	}
	return firstOf(finds...)
}

var (
	cloudEventSource = soleID(inHeader("Ce-Source"), "source")
	cloudEventOwnID  = soleID(inHeader("Ce-Id"), "id")
)

// cloudEventID puts source and id together, which only as a pair are unique (CloudEvents
// 1.0.2, id). A pair that is too long for an id is told by its digest.
func cloudEventID(r *Request) string {
	source, id := cloudEventSource(r), cloudEventOwnID(r)
	if source == "" || id == "" {
		return ""
	}
	if text := source + " " + id; usable(text) != "" {
		return text
	}
	sum := sha256.Sum256([]byte(source + "\x00" + id))
	return "sha256:" + hex.EncodeToString(sum[:])
}
