package webhook

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding"
	"encoding/base64"
	"errors"
	"hash"
	"strconv"
	"sync"
)

// hmacKey is a shared secret, ready to compute HMAC-SHA256 (RFC 2104): the
// SHA-256 states after the two padded-key blocks. Resuming from them saves half
// of the four compressions that a short message costs, and leaves one pool of
// working states for all keys instead of one for each.
type hmacKey struct {
	inner, outer []byte
}

// hmacWork is what one computation needs. Hash and buffers are behind pointers
// that the pool keeps, so a computation allocates nothing.
type hmacWork struct {
	hash   hash.Hash
	resume encoding.BinaryUnmarshaler
	prefix []byte
	sum    [sha256.Size]byte
}

var hmacPool = sync.Pool{New: func() any {
	h := sha256.New()
	return &hmacWork{
		hash: h,
		// Documented for hashes of crypto/sha256.
		resume: h.(encoding.BinaryUnmarshaler),
		prefix: make([]byte, 0, 96),
	}
}}

// maxPooledPrefix bounds what an unusually long id leaves in the pool, in bytes.
const maxPooledPrefix = 1024

func newHMACKey(secret []byte) hmacKey {
	var block [sha256.BlockSize]byte
	if len(secret) > sha256.BlockSize {
		sum := sha256.Sum256(secret)
		secret = sum[:]
	}
	copy(block[:], secret)
	return hmacKey{inner: stateAfter(block, 0x36), outer: stateAfter(block, 0x5c)}
}

func stateAfter(block [sha256.BlockSize]byte, pad byte) []byte {
	for i := range block {
		block[i] ^= pad
	}
	h := sha256.New()
	h.Write(block[:])
	state, err := h.(encoding.BinaryMarshaler).MarshalBinary()
	if err != nil {
		panic("webhook: crypto/sha256 cannot save its state: " + err.Error())
	}
	return state
}

// sum is the HMAC over the signed text.
func (k *hmacKey) sum(id string, unixSeconds int64, body []byte) [sha256.Size]byte {
	work := hmacPool.Get().(*hmacWork)
	work.prefix = appendSignedPrefix(work.prefix[:0], id, unixSeconds)
	work.load(k.inner)
	work.hash.Write(work.prefix)
	work.hash.Write(body)
	work.hash.Sum(work.sum[:0])
	work.load(k.outer)
	work.hash.Write(work.sum[:])
	work.hash.Sum(work.sum[:0])
	sum := work.sum
	if cap(work.prefix) <= maxPooledPrefix {
		hmacPool.Put(work)
	}
	return sum
}

func (w *hmacWork) load(state []byte) {
	if err := w.resume.UnmarshalBinary(state); err != nil {
		panic("webhook: crypto/sha256 refuses its own state: " + err.Error())
	}
}

// appendSignedPrefix appends what the body follows in the signed text.
func appendSignedPrefix(dst []byte, id string, unixSeconds int64) []byte {
	dst = append(dst, id...)
	dst = append(dst, '.')
	dst = strconv.AppendInt(dst, unixSeconds, 10)
	return append(dst, '.')
}

// signedText is the whole signed text, for Ed25519, which needs it in one piece.
func signedText(id string, unixSeconds int64, body []byte) []byte {
	text := make([]byte, 0, len(id)+len(body)+24)
	text = appendSignedPrefix(text, id, unixSeconds)
	return append(text, body...)
}

var errBase64 = errors.New("not padded standard base64")

var strictBase64 = base64.StdEncoding.Strict()

// decodeBase64 is strict: padding is required, unused bits are zero, and line
// breaks, which encoding/base64 skips, are refused.
func decodeBase64(text string) ([]byte, error) {
	raw, err := strictBase64.DecodeString(text)
	if err != nil || base64.StdEncoding.EncodedLen(len(raw)) != len(text) {
		return nil, errBase64
	}
	return raw, nil
}

func equalBytes(a, b []byte) bool { return subtle.ConstantTimeCompare(a, b) == 1 }
