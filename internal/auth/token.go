package auth

import (
	"crypto/rand"
	"crypto/sha256"
	"hash/crc32"
	"strings"
)

// Prefixes of the tokens that are made here. Secret scanners know a token by
// its prefix and its checksum.
const (
	EnvironmentPrefix = "gk_" // an environment key
	ApplicationPrefix = "gp_" // an app-scoped token, as the portal uses it
	SessionPrefix     = "gs_" // in the cookie of a session
	TicketPrefix      = "gl_" // in a link that is good once
)

const (
	randomLength   = 32 // characters, about 190 bits
	checksumLength = 6  // characters, CRC-32 of what is before
	base62         = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
)

// NewToken makes the text of a new token, of an application or of an
// environment, and the hash to find it by.
func NewToken(app bool) (token string, hash [32]byte) {
	prefix := EnvironmentPrefix
	if app {
		prefix = ApplicationPrefix
	}
	token = newText(prefix)
	return token, Hash(token)
}

// newText makes a secret text with this prefix.
func newText(prefix string) string {
	b := make([]byte, 0, len(prefix)+randomLength+checksumLength)
	b = append(b, prefix...)
	b = appendRandom(b, randomLength)
	return string(appendChecksum(b))
}

// Hash is what a token is found by.
func Hash(token string) [32]byte { return sha256.Sum256([]byte(token)) }

// WellFormed reports whether text is a token of ours with a right checksum.
// Keys that the operator chose are not.
func WellFormed(text string) bool {
	if !strings.HasPrefix(text, EnvironmentPrefix) && !strings.HasPrefix(text, ApplicationPrefix) {
		return false
	}
	end := len(text) - checksumLength
	return end == len(EnvironmentPrefix)+randomLength && string(appendChecksum([]byte(text[:end]))) == text
}

// Censor gives what may be shown of a token, such as "gk_…x9Q2".
func Censor(token string) string {
	const shown = 4
	if len(token) <= 2*shown {
		return "…"
	}
	prefix := ""
	if WellFormed(token) {
		prefix = token[:len(EnvironmentPrefix)]
	}
	return prefix + "…" + token[len(token)-shown:]
}

// appendRandom appends n characters, each equally likely.
func appendRandom(dst []byte, n int) []byte {
	const fair = 256 - 256%len(base62)
	var buf [2 * randomLength]byte
	for n > 0 {
		rand.Read(buf[:]) // never fails
		for _, c := range buf {
			if n > 0 && int(c) < fair {
				dst = append(dst, base62[int(c)%len(base62)])
				n--
			}
		}
	}
	return dst
}

func appendChecksum(b []byte) []byte {
	sum := crc32.ChecksumIEEE(b)
	var text [checksumLength]byte
	for i := checksumLength - 1; i >= 0; i-- {
		text[i] = base62[sum%62]
		sum /= 62
	}
	return append(b, text[:]...)
}
