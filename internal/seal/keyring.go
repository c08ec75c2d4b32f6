package seal

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"unicode"
)

// KeySize is the length of a master key in bytes.
const KeySize = 32

const (
	formatV1   = 1
	keyIDSize  = 8
	headerSize = 1 + keyIDSize
	// Overhead is how many bytes a sealed secret is longer than the secret.
	Overhead = headerSize + 12 + 16
)

// Key is a master key. It prints as ***; the zero Key is unusable.
type Key struct {
	text Text // base64
}

// NewKey makes a random key.
func NewKey() Key {
	raw := make([]byte, KeySize)
	rand.Read(raw) // never fails: it ends the program rather than give bad bytes
	return Key{text: NewText(base64.StdEncoding.EncodeToString(raw))}
}

// Parse reads a key: 32 bytes in padded standard base64, with or without white
// space around. The error is an [*Error] with [KeyText].
func Parse(text string) (Key, error) {
	text = strings.TrimSpace(text)
	raw, err := base64.StdEncoding.DecodeString(text)
	switch {
	case text == "":
		return Key{}, &Error{Problem: KeyText, Detail: "it is empty"}
	case err != nil:
		return Key{}, &Error{Problem: KeyText, Detail: "it is not padded standard base64"}
	case len(raw) != KeySize:
		return Key{}, &Error{Problem: KeyText, Detail: fmt.Sprintf("it has %d bytes", len(raw))}
	}
	// Encoded anew, so that equal keys are equal texts.
	return Key{text: NewText(base64.StdEncoding.EncodeToString(raw))}, nil
}

// ParseKeys reads one key or several, parted by white space or commas. The first
// is the current one. The error is that of [Parse], or says that a key is there twice.
func ParseKeys(text string) ([]Key, error) {
	words := strings.FieldsFunc(text, func(c rune) bool { return c == ',' || unicode.IsSpace(c) })
	if len(words) == 0 {
		words = []string{""}
	}
	keys := make([]Key, len(words))
	for i, word := range words {
		var err error
		if keys[i], err = Parse(word); err != nil {
			return nil, err
		}
		if slices.ContainsFunc(keys[:i], keys[i].Equal) {
			return nil, &Error{Problem: KeyText, Detail: "one key is there twice"}
		}
	}
	return keys, nil
}

// Reveal returns the key as [Parse] reads it. Never log the result.
func (k Key) Reveal() string { return k.text.Reveal() }

// Equal compares in time that does not depend on where the keys differ.
func (k Key) Equal(other Key) bool { return k.text.Equal(other.text) }

// ID names the key without telling anything about it.
func (k Key) ID() string { return fmt.Sprintf("%x", k.id()) }

// id is made from the key, so that nobody has to number keys and a key that
// comes back is recognised.
func (k Key) id() [keyIDSize]byte {
	sum := sha256.Sum256([]byte("grapnel master key id\x00" + k.text.Reveal()))
	return [keyIDSize]byte(sum[:])
}

// String returns ***.
func (k Key) String() string { return k.text.String() }

// GoString returns ***.
func (k Key) GoString() string { return k.text.String() }

// Format prints *** for every verb.
func (k Key) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, k.text.String()) }

// LogValue returns ***.
func (k Key) LogValue() slog.Value { return k.text.LogValue() }

// MarshalText returns ***.
func (k Key) MarshalText() ([]byte, error) { return k.text.MarshalText() }

// Keyring seals under the current key, and opens what the current or an older
// key has sealed. It is made once and used by many goroutines.
type Keyring struct {
	current [keyIDSize]byte
	// ciphers is a function so that no printer can reach the keys, see Text.
	ciphers func(id [keyIDSize]byte) cipher.AEAD
}

// NewKeyring makes a keyring. To change the master key, start with the new one as
// current and the old ones after it, and seal everything anew (see
// [Keyring.IsCurrent]). The error is an [*Error] with [KeyText] if one of the keys is the
// zero Key.
func NewKeyring(current Key, older ...Key) (*Keyring, error) {
	byID := make(map[[keyIDSize]byte]cipher.AEAD, 1+len(older))
	for _, key := range append([]Key{current}, older...) {
		aead, err := key.aead()
		if err != nil {
			return nil, err
		}
		byID[key.id()] = aead
	}
	return &Keyring{
		current: current.id(),
		ciphers: func(id [keyIDSize]byte) cipher.AEAD { return byID[id] },
	}, nil
}

func (k Key) aead() (cipher.AEAD, error) {
	raw, err := base64.StdEncoding.DecodeString(k.text.Reveal())
	if err != nil || len(raw) != KeySize {
		return nil, &Error{Problem: KeyText, Detail: "no key"}
	}
	block, err := aes.NewCipher(raw)
	if err != nil {
		return nil, &Error{Problem: KeyText, Err: err}
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, &Error{Problem: KeyText, Err: err}
	}
	return aead, nil
}

// Seal encrypts plain under the current key and binds it to context. The result is
// [Overhead] bytes longer, and different each time.
func (r *Keyring) Seal(plain, context []byte) []byte {
	sealed := make([]byte, headerSize, Overhead+len(plain))
	sealed[0] = formatV1
	copy(sealed[1:], r.current[:])
	return r.ciphers(r.current).Seal(sealed, nil, plain, additional(sealed, context)) //nolint:gosec // the cipher makes its own random nonce
}

// Open decrypts what [Keyring.Seal] returned for the same context. The error is an
// [*Error] with [NotSealed], [UnknownKey] or [Tampered].
func (r *Keyring) Open(sealed, context []byte) ([]byte, error) {
	id, err := readHeader(sealed)
	if err != nil {
		return nil, err
	}
	aead := r.ciphers(id)
	if aead == nil {
		return nil, &Error{Problem: UnknownKey, Detail: fmt.Sprintf("key %x", id)}
	}
	plain, err := aead.Open(nil, nil, sealed[headerSize:], additional(sealed[:headerSize], context))
	if err != nil {
		return nil, &Error{Problem: Tampered}
	}
	return plain, nil
}

// IsCurrent tells whether sealed was sealed under the current key; what was not
// should be opened and sealed anew before the old key is taken out.
func (r *Keyring) IsCurrent(sealed []byte) bool {
	id, err := readHeader(sealed)
	return err == nil && id == r.current
}

// KeyOf gives the ID of the key that sealed a secret. The error is an [*Error]
// with [NotSealed].
func KeyOf(sealed []byte) (string, error) {
	id, err := readHeader(sealed)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%x", id), nil
}

func readHeader(sealed []byte) (id [keyIDSize]byte, err error) {
	switch {
	case len(sealed) < Overhead:
		return id, &Error{Problem: NotSealed, Detail: fmt.Sprintf("%d bytes", len(sealed))}
	case sealed[0] != formatV1:
		return id, &Error{Problem: NotSealed, Detail: fmt.Sprintf("format %d", sealed[0])}
	}
	return [keyIDSize]byte(sealed[1:headerSize]), nil
}

// additional is what is authenticated but not encrypted. The header has a fixed
// length, so the two parts cannot be mistaken for each other.
func additional(header, context []byte) []byte {
	data := make([]byte, 0, headerSize+len(context))
	data = append(data, header...)
	return append(data, context...)
}
