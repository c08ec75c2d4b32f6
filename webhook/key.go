package webhook

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
)

// Sizes of a shared secret in bytes, before base64. The standard allows 24 to
// 64; senders are known that issue up to 75, see [ParseLooseKey].
const (
	MinSecretBytes      = 24
	MaxSecretBytes      = 64
	MaxLooseSecretBytes = 75
)

// Kind says what a [Key] can do.
type Kind uint8

const (
	// KindNone is the kind of the zero Key, which signs and verifies nothing.
	KindNone Kind = iota
	// KindSecret is a shared secret (whsec_): signs and verifies v1.
	KindSecret
	// KindPrivate is an Ed25519 private key (whsk_): signs and verifies v1a.
	KindPrivate
	// KindPublic is an Ed25519 public key (whpk_): only verifies v1a.
	KindPublic
)

// String names the kind in words.
func (k Kind) String() string {
	switch k {
	case KindNone:
		return "no key"
	case KindSecret:
		return "shared secret"
	case KindPrivate:
		return "private key"
	case KindPublic:
		return "public key"
	}
	return fmt.Sprintf("webhook.Kind(%d)", uint8(k))
}

// prefix is how the text of a key of this kind begins.
func (k Kind) prefix() string {
	switch k {
	case KindSecret:
		return "whsec_"
	case KindPrivate:
		return "whsk_"
	case KindPublic:
		return "whpk_"
	case KindNone:
	}
	return ""
}

// ErrKey is in the chain of every error about the text or the kind of a key.
// No such error contains any part of the key.
var ErrKey = errors.New("webhook: unusable key")

// Key is one signing or verifying key. It prints as *** through fmt, log/slog,
// encoding/json and everything else that asks it for text; [Key.Reveal] alone
// gives the key away. Two keys are compared with [Key.Equal], not with ==.
//
// The zero Key is no key: [NewSigner] and [NewVerifier] refuse it.
type Key struct {
	kind Kind
	// raw holds the bytes. It is a pointer to a string because fmt prints the
	// unexported fields of foreign structs without asking for methods, and of
	// all it meets there it follows neither functions nor pointers to strings.
	raw *string
}

// ParseKey reads a key as the standard writes it: whsec_ and 24 to 64 bytes,
// whsk_ and 64 bytes (seed, then public key), or whpk_ and 32 bytes, each in
// padded standard base64. Use it for keys that somebody configures.
// The error is an [ErrKey].
func ParseKey(text string) (Key, error) {
	return parseKey(text, MaxSecretBytes)
}

// ParseLooseKey also reads what is in use beyond the standard: a shared secret
// without the whsec_ prefix or of up to 75 bytes, and blanks around the text.
// Use it where the other side has chosen the secret.
func ParseLooseKey(text string) (Key, error) {
	text = strings.TrimSpace(text)
	// An underscore is not in the base64 alphabet: its absence means no prefix.
	if text != "" && !strings.Contains(text, "_") {
		text = KindSecret.prefix() + text
	}
	return parseKey(text, MaxLooseSecretBytes)
}

func parseKey(text string, maxSecret int) (Key, error) {
	for _, kind := range []Kind{KindSecret, KindPrivate, KindPublic} {
		encoded, ok := strings.CutPrefix(text, kind.prefix())
		if !ok {
			continue
		}
		raw, err := decodeBase64(encoded)
		if err != nil {
			return Key{}, keyErrorf("what follows %s is not padded standard base64", kind.prefix())
		}
		if err := checkSize(kind, raw, maxSecret); err != nil {
			return Key{}, err
		}
		return newKey(kind, raw), nil
	}
	return Key{}, keyErrorf("it must begin with whsec_, whsk_ or whpk_")
}

func checkSize(kind Kind, raw []byte, maxSecret int) error {
	switch kind {
	case KindSecret:
		if len(raw) < MinSecretBytes || len(raw) > maxSecret {
			return keyErrorf("a shared secret has %d to %d bytes, this one has %d", MinSecretBytes, maxSecret, len(raw))
		}
	case KindPrivate:
		if len(raw) != ed25519.PrivateKeySize {
			return keyErrorf("a private key has %d bytes, this one has %d", ed25519.PrivateKeySize, len(raw))
		}
		// Signing with a foreign public half would leak the private one.
		if !ed25519.NewKeyFromSeed(raw[:ed25519.SeedSize]).Equal(ed25519.PrivateKey(raw)) {
			return keyErrorf("the public half of the private key does not belong to its seed")
		}
	case KindPublic:
		if len(raw) != ed25519.PublicKeySize {
			return keyErrorf("a public key has %d bytes, this one has %d", ed25519.PublicKeySize, len(raw))
		}
	case KindNone:
		return keyErrorf("no key")
	}
	return nil
}

func keyErrorf(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrKey, fmt.Sprintf(format, args...))
}

// NewSecret makes a shared secret of 24 random bytes.
func NewSecret() Key {
	raw := make([]byte, MinSecretBytes)
	rand.Read(raw) // never fails: it ends the program rather than give bad bytes
	return newKey(KindSecret, raw)
}

// NewPrivateKey makes an Ed25519 key; its [Key.Public] is what receivers get.
func NewPrivateKey() Key {
	seed := make([]byte, ed25519.SeedSize)
	rand.Read(seed)
	return newKey(KindPrivate, ed25519.NewKeyFromSeed(seed))
}

func newKey(kind Kind, raw []byte) Key {
	text := string(raw)
	return Key{kind: kind, raw: &text}
}

// Kind says what the key can do.
func (k Key) Kind() Kind { return k.kind }

func (k Key) bytes() []byte {
	if k.raw == nil {
		return nil
	}
	return []byte(*k.raw)
}

// Public gives the key that receivers verify with: the public half of a private
// key, a public key itself. A shared secret has none, and ok is false.
func (k Key) Public() (public Key, ok bool) {
	switch k.Kind() {
	case KindPrivate:
		return newKey(KindPublic, k.bytes()[ed25519.SeedSize:]), true
	case KindPublic:
		return k, true
	case KindSecret, KindNone:
	}
	return Key{}, false
}

// Reveal returns the key as text, the way [ParseLooseKey] reads it. It is the only
// way to get the key out; never log the result.
func (k Key) Reveal() string {
	return k.kind.prefix() + base64.StdEncoding.EncodeToString(k.bytes())
}

// Equal tells whether both are the same key, in time that does not depend on
// where they differ.
func (k Key) Equal(other Key) bool {
	return k.kind == other.kind && equalBytes(k.bytes(), other.bytes())
}

const mask = "***"

// String returns ***.
func (Key) String() string { return mask }

// GoString returns ***.
func (Key) GoString() string { return mask }

// Format prints *** for every verb.
func (Key) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, mask) }

// LogValue returns ***.
func (Key) LogValue() slog.Value { return slog.StringValue(mask) }

// MarshalText returns ***; JSON, XML and YAML encoders use it.
func (Key) MarshalText() ([]byte, error) { return []byte(mask), nil }
