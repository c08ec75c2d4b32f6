package webhook

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// DefaultTolerance is how far the timestamp may lie from the receiver's clock,
// in either direction: the value that the standard's own libraries use.
const DefaultTolerance = 300 * time.Second

// MaxSignatures is how many entries of the signature headers are looked at, over
// all of their lines; what follows is ignored. Rotation needs two to eleven.
const MaxSignatures = 32

// Why a message was refused. [Verifier.Verify] wraps exactly one of them; decide with
// errors.Is, keep the text for the receiver's own log, and tell the sender
// nothing but 401.
var (
	// ErrMissingHeader: one of the three headers is absent or empty.
	ErrMissingHeader = errors.New("webhook: missing header")
	// ErrMalformedHeader: the id or timestamp header is not what the standard
	// allows, or there are several.
	ErrMalformedHeader = errors.New("webhook: malformed header")
	// ErrTooOld: the timestamp lies further in the past than the tolerance.
	ErrTooOld = errors.New("webhook: timestamp too old")
	// ErrTooNew: the timestamp lies further in the future than the tolerance.
	ErrTooNew = errors.New("webhook: timestamp too new")
	// ErrNoMatch: no signature belongs to the message under any key.
	ErrNoMatch = errors.New("webhook: no signature matches")
)

// Verifier checks messages with one key, or with several while keys are
// rotated. It is made once and used by many goroutines.
type Verifier struct {
	// secrets is a function so that no printer can reach the keys, see Key.
	secrets   func() []hmacKey
	publics   []ed25519.PublicKey
	tolerance int64 // seconds
	now       func() time.Time
}

// Option changes how a [Verifier] works.
type Option func(*Verifier) error

// WithTolerance sets how far the timestamp may lie from the clock, in whole
// seconds and in either direction. It cannot be switched off: without it a
// captured message is good for ever. d is at least a second.
func WithTolerance(d time.Duration) Option {
	return func(v *Verifier) error {
		if d < time.Second {
			return fmt.Errorf("webhook: tolerance %s is under a second", d)
		}
		v.tolerance = int64(d / time.Second)
		return nil
	}
}

// WithClock replaces time.Now.
func WithClock(now func() time.Time) Option {
	return func(v *Verifier) error {
		if now == nil {
			return errors.New("webhook: the clock is nil")
		}
		v.now = now
		return nil
	}
}

// NewVerifier makes a verifier that accepts a message signed with any of keys.
// The error for a missing key is an [ErrKey].
func NewVerifier(keys []Key, options ...Option) (*Verifier, error) {
	verifier := &Verifier{tolerance: int64(DefaultTolerance / time.Second), now: time.Now}
	if len(keys) == 0 {
		return nil, keyErrorf("a verifier needs at least one key")
	}
	var secrets []hmacKey
	for _, key := range keys {
		switch key.Kind() {
		case KindSecret:
			secrets = append(secrets, newHMACKey(key.bytes()))
		case KindPrivate, KindPublic:
			public, _ := key.Public()
			verifier.publics = append(verifier.publics, ed25519.PublicKey(public.bytes()))
		case KindNone:
			return nil, keyErrorf("%s cannot verify", key.Kind())
		}
	}
	verifier.secrets = func() []hmacKey { return secrets }
	for _, option := range options {
		if err := option(verifier); err != nil {
			return nil, err
		}
	}
	return verifier, nil
}

// MustVerifier makes a verifier from the texts of its keys, as [ParseLooseKey]
// reads them, and panics if one is unusable. It is for package variables and
// main functions; [NewVerifier] returns errors and takes options.
func MustVerifier(secrets ...string) *Verifier {
	keys := make([]Key, 0, len(secrets))
	for _, secret := range secrets {
		key, err := ParseLooseKey(secret)
		if err != nil {
			panic(err)
		}
		keys = append(keys, key)
	}
	verifier, err := NewVerifier(keys)
	if err != nil {
		panic(err)
	}
	return verifier
}

// Verify tells whether body, byte for byte as received, belongs to the headers and is
// fresh. It reads the webhook- headers, or the svix- ones if webhook- is not
// complete; all lines of the signature header count. The error wraps
// [ErrMissingHeader], [ErrMalformedHeader], [ErrTooOld], [ErrTooNew] or
// [ErrNoMatch].
//
// A message that is sent twice is good twice: remember the ids of messages for at
// least twice the tolerance, and drop those that you know.
func (v *Verifier) Verify(header http.Header, body []byte) error {
	_, err := v.verify(header, body)
	return err
}

func (v *Verifier) verify(header http.Header, body []byte) (signedHeaders, error) {
	signed, err := readHeaders(header)
	if err != nil {
		return signedHeaders{}, err
	}
	if err := v.checkTime(signed.unixSeconds); err != nil {
		return signedHeaders{}, err
	}
	if !v.anyMatches(signed, body) {
		return signedHeaders{}, ErrNoMatch
	}
	return signed, nil
}

func (v *Verifier) checkTime(unixSeconds int64) error {
	// Neither side comes near the limits of int64: the header has at most
	// maxTimestampDigits digits.
	age := v.now().Unix() - unixSeconds
	switch {
	case age > v.tolerance:
		return fmt.Errorf("%w: by %d s, %d s are allowed", ErrTooOld, age, v.tolerance)
	case age < -v.tolerance:
		return fmt.Errorf("%w: by %d s, %d s are allowed", ErrTooNew, -age, v.tolerance)
	}
	return nil
}

// anyMatches compares each entry with what the keys of its own kind give.
func (v *Verifier) anyMatches(signed signedHeaders, body []byte) bool {
	var sums [][]byte // under v.secrets, computed when the first v1 entry is met
	var text []byte   // computed when the first v1a entry is met
	for version, signature := range signed.entries() {
		switch version {
		case versionHMAC:
			if sums == nil {
				sums = v.sums(signed, body)
			}
			for _, sum := range sums {
				if equalBytes(sum, signature) {
					return true
				}
			}
		case versionEd25519:
			if text == nil && len(v.publics) > 0 {
				text = signedText(signed.id, signed.unixSeconds, body)
			}
			for _, public := range v.publics {
				if ed25519.Verify(public, text, signature) {
					return true
				}
			}
		}
	}
	return false
}

func (v *Verifier) sums(signed signedHeaders, body []byte) [][]byte {
	secrets := v.secrets()
	sums := make([][]byte, 0, len(secrets))
	for i := range secrets {
		sum := secrets[i].sum(signed.id, signed.unixSeconds, body)
		sums = append(sums, sum[:])
	}
	return sums
}

// Format prints no key, for any verb.
func (v *Verifier) Format(f fmt.State, _ rune) {
	fmt.Fprintf(f, "webhook.Verifier(%d keys)", len(v.secrets())+len(v.publics))
}
