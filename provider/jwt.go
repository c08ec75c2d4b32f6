package provider

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"time"
)

// jwtKind is what kind of key an algorithm needs.
type jwtKind int

const (
	jwtHMAC jwtKind = iota
	jwtRSA
	jwtECDSA
)

type jwtAlgorithm struct {
	kind  jwtKind
	hash  crypto.Hash
	curve elliptic.Curve
}

// jwtAlgorithms are all that this package can do (RFC 7518 3.1). "none" is not one.
var jwtAlgorithms = map[string]jwtAlgorithm{
	"HS256": {kind: jwtHMAC, hash: crypto.SHA256},
	"HS384": {kind: jwtHMAC, hash: crypto.SHA384},
	"HS512": {kind: jwtHMAC, hash: crypto.SHA512},
	"RS256": {kind: jwtRSA, hash: crypto.SHA256},
	"RS384": {kind: jwtRSA, hash: crypto.SHA384},
	"RS512": {kind: jwtRSA, hash: crypto.SHA512},
	"ES256": {kind: jwtECDSA, hash: crypto.SHA256, curve: elliptic.P256()},
	"ES384": {kind: jwtECDSA, hash: crypto.SHA384, curve: elliptic.P384()},
	"ES512": {kind: jwtECDSA, hash: crypto.SHA512, curve: elliptic.P521()},
}

// checkAlgorithms refuses names that no token could ever satisfy.
func checkAlgorithms(names []string) error {
	for _, name := range names {
		if _, ok := jwtAlgorithms[name]; !ok {
			return errors.New("it is of HS256, HS384, HS512, RS256, RS384, RS512, ES256, ES384 and ES512")
		}
	}
	return nil
}

// jwt is a parsed token in the compact form of RFC 7515. Of its header only alg and kid
// are kept, and both are only compared with the configuration; jwk, jku, x5c and x5u
// are never looked at.
type jwt struct {
	algorithm, keyID string
	signed           string // header.claims
	claims           members
	signature        []byte
}

const maxJWTBytes = 16 << 10

func parseJWT(text string) (*jwt, error) {
	if len(text) > maxJWTBytes {
		return nil, fmt.Errorf("it is longer than %d bytes", maxJWTBytes)
	}
	parts := strings.Split(text, ".")
	if len(parts) != 3 {
		return nil, errors.New("it is not three parts with dots between")
	}
	var raw [3][]byte
	for i, part := range parts {
		b, ok := base64URL.bytes(part)
		if !ok {
			return nil, errors.New("it is not base64url without padding")
		}
		raw[i] = b
	}
	head, err := strictMembers(raw[0])
	if err != nil {
		return nil, fmt.Errorf("its header: %w", err)
	}
	if _, ok := head["crit"]; ok {
		// RFC 7515 4.1.11: who does not understand every entry must refuse.
		return nil, errors.New("its header has crit")
	}
	t := &jwt{signed: text[:len(parts[0])+1+len(parts[1])], signature: raw[2]}
	if t.claims, err = strictMembers(raw[1]); err != nil {
		return nil, fmt.Errorf("its claims: %w", err)
	}
	t.algorithm, _ = head.text("alg")
	t.keyID, _ = head.text("kid")
	return t, nil
}

// judge decides whether the signature is by that key and by one of the algorithms.
func (t *jwt) judge(k key, allowed []string) (Reason, string) {
	algorithm, known := jwtAlgorithms[t.algorithm]
	if !known || !slices.Contains(allowed, t.algorithm) {
		return SignatureMismatch, fmt.Sprintf("The token's algorithm %.20q is not among %s.", t.algorithm, strings.Join(allowed, ", "))
	}
	if p := pairOfKey(k); p.id != "" && p.id != t.keyID {
		return UntrustedKey, "The token names another key than the configured one."
	}
	if !algorithm.suits(k) {
		return SignatureMismatch, "The configured key is not of the kind that " + t.algorithm + " needs."
	}
	if !algorithm.verifies(k, t.signed, t.signature) {
		return SignatureMismatch, "The token's signature does not fit under the key."
	}
	return Verified, ""
}

// suits reports whether the key is of the algorithm's kind. A public key never is one
// of an HMAC: it has no bytes.
func (a jwtAlgorithm) suits(k key) bool {
	switch public := pairOfKey(k).public.(type) {
	case nil:
		return a.kind == jwtHMAC && len(k.bytes) > 0
	case *rsa.PublicKey:
		return a.kind == jwtRSA
	case *ecdsa.PublicKey:
		return a.kind == jwtECDSA && public.Curve == a.curve
	}
	return false
}

func (a jwtAlgorithm) digest(text string) []byte {
	h := a.hash.New()
	h.Write([]byte(text))
	return h.Sum(nil)
}

func (a jwtAlgorithm) mac(k key, text string) []byte {
	h := hmac.New(a.hash.New, k.bytes)
	h.Write([]byte(text))
	return h.Sum(nil)
}

func (a jwtAlgorithm) verifies(k key, signed string, signature []byte) bool {
	switch public := pairOfKey(k).public.(type) {
	case *rsa.PublicKey:
		return rsa.VerifyPKCS1v15(public, a.hash, a.digest(signed), signature) == nil
	case *ecdsa.PublicKey:
		size := (public.Curve.Params().BitSize + 7) / 8
		if len(signature) != 2*size {
			return false
		}
		r, s := new(big.Int).SetBytes(signature[:size]), new(big.Int).SetBytes(signature[size:])
		return ecdsa.Verify(public, a.digest(signed), r, s)
	}
	return hmac.Equal(a.mac(k, signed), signature)
}

// makeJWT signs the claims with the first of the algorithms that suits the key.
func makeJWT(claims map[string]any, k key, allowed []string) (string, error) {
	i := slices.IndexFunc(allowed, func(name string) bool { return jwtAlgorithms[name].suits(k) })
	if i < 0 {
		return "", errors.New("the key suits none of the algorithms " + strings.Join(allowed, ", "))
	}
	head := map[string]string{"alg": allowed[i], "typ": "JWT"}
	if id := pairOfKey(k).id; id != "" {
		head["kid"] = id
	}
	text, err := jwtPart(head)
	if err != nil {
		return "", err
	}
	body, err := jwtPart(claims)
	if err != nil {
		return "", err
	}
	text += "." + body
	signature, err := jwtAlgorithms[allowed[i]].sign(k, text)
	if err != nil {
		return "", err
	}
	return text + "." + base64.RawURLEncoding.EncodeToString(signature), nil
}

func jwtPart(value any) (string, error) {
	raw, err := json.Marshal(value)
	if err != nil {
		return "", fmt.Errorf("write the token: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(raw), nil
}

func (a jwtAlgorithm) sign(k key, text string) ([]byte, error) {
	if a.kind == jwtHMAC {
		return a.mac(k, text), nil
	}
	switch private := pairOfKey(k).private.(type) {
	case *rsa.PrivateKey:
		return rsa.SignPKCS1v15(rand.Reader, private, a.hash, a.digest(text))
	case *ecdsa.PrivateKey:
		r, s, err := ecdsa.Sign(rand.Reader, private, a.digest(text))
		if err != nil {
			return nil, err
		}
		size := (private.Curve.Params().BitSize + 7) / 8
		return slices.Concat(r.FillBytes(make([]byte, size)), s.FillBytes(make([]byte, size))), nil
	}
	return nil, errPublicOnly
}

// date is a claim that is a time (RFC 7519 2: seconds since 1970, maybe with a
// fraction). It is the zero time if it is not there, and false if it cannot be read.
func (m members) date(name string) (time.Time, bool) {
	raw := bytes.TrimSpace(m[name])
	if len(raw) == 0 {
		return time.Time{}, true
	}
	n, err := strconv.ParseFloat(string(raw), 64)
	if err != nil || raw[0] < '0' || raw[0] > '9' || n > 1e12 {
		return time.Time{}, false
	}
	return time.Unix(int64(n), 0).UTC(), true
}
