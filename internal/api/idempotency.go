package api

import (
	"crypto/sha256"
	"encoding/binary"
	"strings"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
)

const (
	// An automatic key only has to outlive the retries of one call of an SDK; a
	// caller's own key is kept as long as a job may be tried again.
	autoKeyLife   = 10 * time.Minute
	callerKeyLife = 12 * time.Hour
	maxKey        = 256 // characters
	autoPrefix    = "auto_"
)

// once reads the idempotency key of a POST; nil without one. The key belongs to
// the caller's API key and the path, so the same text used by another caller or on
// another path is another key. Used for another query or body on the same path it
// is refused by the store.
func (c *call) once() (*hook.IdempotencyKey, error) {
	given := c.r.Header["Idempotency-Key"]
	if given == nil {
		return nil, nil
	}
	text := ""
	for _, v := range given {
		if text == "" {
			text = strings.TrimSpace(v)
		}
	}
	switch {
	case text == "":
		return nil, badRequest("The header idempotency-key is empty.")
	case len(text) > maxKey:
		return nil, badRequest("The header idempotency-key is longer than 256 characters.")
	}
	k := &hook.IdempotencyKey{Auto: strings.HasPrefix(text, autoPrefix), ExpiresAt: c.now.Add(callerKeyLife)}
	if k.Auto {
		k.ExpiresAt = c.now.Add(autoKeyLife)
	}
	k.Hash = digest(c.key.ID[:], []byte(c.path()), []byte(text))
	k.Fingerprint = digest([]byte(c.r.Method), []byte(c.path()), []byte(c.r.URL.RawQuery), c.body)
	return k, nil
}

// digest hashes parts so that no two different lists of parts give the same text.
func digest(parts ...[]byte) (sum [16]byte) {
	h := sha256.New()
	var size [8]byte
	for _, p := range parts {
		binary.BigEndian.PutUint64(size[:], uint64(len(p)))
		h.Write(size[:])
		h.Write(p)
	}
	var full [sha256.Size]byte
	copy(sum[:], h.Sum(full[:0]))
	return sum
}
