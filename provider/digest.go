package provider

import (
	"crypto/ed25519"
	"crypto/sha1" //nolint:gosec // as HMAC, and because the providers use it
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"hash"
)

// algorithm is how a signature comes about.
type algorithm int

const (
	hmacSHA256 algorithm = iota
	hmacSHA1
	hmacSHA384
	hmacSHA512
	ed25519Signature
	plain // the secret itself
)

// hash is the hash of an HMAC.
func (a algorithm) hash() func() hash.Hash {
	switch a {
	case hmacSHA1:
		return sha1.New
	case hmacSHA384:
		return sha512.New384
	case hmacSHA512:
		return sha512.New
	case hmacSHA256, ed25519Signature, plain:
	}
	return sha256.New
}

// encoding is the one spelling of a signature.
type encoding int

const (
	hexLower  encoding = iota
	base64Std          // with padding
	base64URL          // without padding
)

func (e encoding) String() string {
	switch e {
	case base64Std:
		return "base64 with padding"
	case base64URL:
		return "base64url without padding"
	case hexLower:
	}
	return "lower-case hex"
}

func (e encoding) text(b []byte) string {
	switch e {
	case base64Std:
		return base64.StdEncoding.EncodeToString(b)
	case base64URL:
		return base64.RawURLEncoding.EncodeToString(b)
	case hexLower:
	}
	return hex.EncodeToString(b)
}

// bytes reads the one spelling and no other: neither upper-case hex nor line ends
// inside base64.
func (e encoding) bytes(text string) ([]byte, bool) {
	var b []byte
	var err error
	switch e {
	case base64Std:
		b, err = base64.StdEncoding.DecodeString(text)
	case base64URL:
		b, err = base64.RawURLEncoding.DecodeString(text)
	case hexLower:
		b, err = hex.DecodeString(text)
	}
	return b, err == nil && e.text(b) == text
}

// keyForm is how the text of a secret becomes a key.
type keyForm int

const (
	textKey    keyForm = iota // the bytes of the text
	hexKey                    // hex, in either case
	base64Key                 // base64 with padding
	ed25519Key                // hex of a public key, or of a private one
)

func (f keyForm) parse(text string) (key, error) {
	k := key{text: text, bytes: []byte(text)}
	var err error
	switch f {
	case textKey:
		return k, nil
	case hexKey:
		if k.bytes, err = hex.DecodeString(text); err != nil {
			return key{}, errors.New("it is not hex")
		}
	case base64Key:
		if k.bytes, err = base64.StdEncoding.Strict().DecodeString(text); err != nil {
			return key{}, errors.New("it is not base64 with padding")
		}
	case ed25519Key:
		return parseEd25519(text)
	}
	if len(k.bytes) == 0 {
		return key{}, errors.New("it is empty")
	}
	return k, nil
}

// parseEd25519 reads 32 bytes as a public key, and 64 as a private one (the seed,
// then the public key).
func parseEd25519(text string) (key, error) {
	b, err := hex.DecodeString(text)
	if err != nil {
		return key{}, errors.New("it is not hex")
	}
	switch len(b) {
	case ed25519.PublicKeySize:
		return key{text: text, bytes: b}, nil
	case ed25519.PrivateKeySize:
		private := ed25519.NewKeyFromSeed(b[:ed25519.SeedSize])
		public, ok := private.Public().(ed25519.PublicKey)
		if !ok || !public.Equal(ed25519.PublicKey(b[ed25519.SeedSize:])) {
			return key{}, errors.New("its two halves do not belong together")
		}
		return key{text: text, bytes: public, other: private}, nil
	}
	return key{}, errors.New("a public key has 64 hex digits")
}
