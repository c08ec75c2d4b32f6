// Package auth knows who a caller is: it makes tokens, finds the key that
// belongs to one, and remembers for a moment what it found.
//
// Only the SHA-256 hash of a token is ever stored. A token is long and random,
// so a fast hash is enough; a key that a person chose has at least 16 characters.
package auth
