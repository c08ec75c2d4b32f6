package webhook

import (
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// Header names of the standard, in the form that [http.Header] stores.
const (
	HeaderID        = "Webhook-Id"
	HeaderTimestamp = "Webhook-Timestamp"
	HeaderSignature = "Webhook-Signature"
)

const (
	versionHMAC    = "v1"
	versionEd25519 = "v1a"

	hmacTextLen    = 44 // base64 of 32 bytes
	ed25519TextLen = 88 // base64 of 64 bytes
)

// ErrID is the error for a message id that cannot be signed.
var ErrID = errors.New("webhook: unusable message id")

// CheckID refuses an id that the signed text cannot hold unambiguously: an
// empty one, one with a dot, and one with anything but printable ASCII. A dot
// would let a receiver read part of the id as the timestamp. The error is an
// [ErrID].
func CheckID(id string) error {
	if id == "" {
		return fmt.Errorf("%w: it is empty", ErrID)
	}
	for i := range len(id) {
		if c := id[i]; c <= ' ' || c > '~' || c == '.' {
			return fmt.Errorf("%w: the byte at %d must be printable ASCII other than a dot", ErrID, i)
		}
	}
	return nil
}

// Signer signs messages with one key, or with several while keys are rotated.
// It is made once and used by many goroutines.
type Signer struct {
	// keys is a function so that no printer can reach the keys, see Key.
	keys func() []signingKey
	size int // length of the header value in bytes
}

// signingKey has one of the two set.
type signingKey struct {
	hmac    hmacKey
	private ed25519.PrivateKey
}

// NewSigner makes a signer that signs with each of keys, in this order: put the
// current key first and older keys that receivers may still hold after it. Keys are
// shared secrets or private keys; the error for anything else is an [ErrKey].
func NewSigner(keys ...Key) (*Signer, error) {
	if len(keys) == 0 {
		return nil, keyErrorf("a signer needs at least one key")
	}
	usable, size := make([]signingKey, 0, len(keys)), len(keys)-1 // blanks between
	for _, key := range keys {
		switch key.Kind() {
		case KindSecret:
			usable = append(usable, signingKey{hmac: newHMACKey(key.bytes())})
			size += len(versionHMAC) + 1 + hmacTextLen
		case KindPrivate:
			usable = append(usable, signingKey{private: ed25519.PrivateKey(key.bytes())})
			size += len(versionEd25519) + 1 + ed25519TextLen
		case KindPublic, KindNone:
			return nil, keyErrorf("%s cannot sign", key.Kind())
		}
	}
	return &Signer{keys: func() []signingKey { return usable }, size: size}, nil
}

// Sign returns the value of the signature header: one entry for each key,
// separated by blanks. It does not look at the id, see [CheckID]; the time
// counts in whole seconds.
func (s *Signer) Sign(id string, at time.Time, body []byte) string {
	// One copy more than a buffer of our own, but one allocation less.
	var stack [256]byte
	return string(s.AppendSignature(stack[:0], id, at.Unix(), body))
}

// AppendSignature appends to dst what [Signer.Sign] returns, and allocates nothing
// for shared secrets when dst has room.
func (s *Signer) AppendSignature(dst []byte, id string, unixSeconds int64, body []byte) []byte {
	var text []byte
	keys := s.keys()
	for i := range keys {
		key := &keys[i]
		if i > 0 {
			dst = append(dst, ' ')
		}
		if key.private == nil {
			dst = appendHMACEntry(dst, &key.hmac, id, unixSeconds, body)
			continue
		}
		if text == nil {
			text = signedText(id, unixSeconds, body)
		}
		dst = append(dst, versionEd25519...)
		dst = append(dst, ',')
		dst = base64.StdEncoding.AppendEncode(dst, ed25519.Sign(key.private, text))
	}
	return dst
}

func appendHMACEntry(dst []byte, key *hmacKey, id string, unixSeconds int64, body []byte) []byte {
	sum := key.sum(id, unixSeconds, body)
	dst = append(dst, versionHMAC...)
	dst = append(dst, ',')
	return base64.StdEncoding.AppendEncode(dst, sum[:])
}

// SignatureLen is the length of the header value in bytes, for sizing a buffer.
func (s *Signer) SignatureLen() int { return s.size }

// SetHeaders signs and sets the three headers. The error is an [ErrID], and
// nothing is set then.
func (s *Signer) SetHeaders(header http.Header, id string, at time.Time, body []byte) error {
	if err := CheckID(id); err != nil {
		return err
	}
	header.Set(HeaderID, id)
	header.Set(HeaderTimestamp, strconv.FormatInt(at.Unix(), 10))
	header.Set(HeaderSignature, s.Sign(id, at, body))
	return nil
}

// Format prints no key, for any verb.
func (s *Signer) Format(f fmt.State, _ rune) {
	fmt.Fprintf(f, "webhook.Signer(%d keys)", len(s.keys()))
}
