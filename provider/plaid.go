package provider

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"errors"
	"strings"
	"time"
)

// plaidScheme takes its keys from the configuration alone. Plaid gives a key for an id
// only to who asks with the account's own credentials, so no key is fetched here.
var plaidScheme = &jwtScheme{
	header: "Plaid-Verification", algorithms: []string{"ES256"}, read: parseJWK,
	required: []string{"iat"}, maxAge: 5 * time.Minute,
	bound: func(r *Request, claims members, _ *Settings) (Reason, string) {
		if !sameDigest(claims, "request_body_sha256", hexSHA256(r.Body)) {
			return SignatureMismatch, bodyDiffers
		}
		return Verified, ""
	},
	issue: func(r *Request, _ *Settings, now time.Time) (map[string]any, error) {
		return map[string]any{"iat": now.Unix(), "request_body_sha256": hexSHA256(r.Body)}, nil
	},
}

var plaid = Provider{
	Name:   "plaid",
	Title:  "Plaid",
	Scheme: "JWT (ES256) in Plaid-Verification with the SHA-256 of the body, not older than 5 minutes",
	Headers: []string{
		"Plaid-Verification",
	},
	SecretHelp: "Ask the API /webhook_verification_key/get for the key_id in the header of a Plaid-Verification token, and give the member key of the answer (a JWK). " +
		"When Plaid rotates its key, add the new one as a further secret.",
	Tolerance:    plaidScheme.maxAge,
	AnswerWithin: 10 * time.Second,
	scheme:       plaidScheme,
	eventType:    joined(".", inBody("webhook_type"), inBody("webhook_code")),
}

// parseJWK reads an EC key of P-256 as JSON (RFC 7517), alone or as the member "key" of
// an answer of Plaid's API, or the same key as PEM.
func parseJWK(text string) (key, error) {
	if strings.HasPrefix(text, "-----BEGIN ") {
		k, err := parsePEM(text)
		if err == nil && !jwtAlgorithms["ES256"].suits(k) {
			err = errors.New("it is no key of P-256")
		}
		return k, err
	}
	if len(text) > maxKeyBytes {
		return key{}, errors.New("it is too long for a key")
	}
	m, err := strictMembers([]byte(text))
	if inner, ok := m["key"]; ok && err == nil {
		m, err = strictMembers(inner)
	}
	if err != nil {
		return key{}, errors.New("it is no JWK: " + err.Error())
	}
	if kind, _ := m.text("kty"); kind != "EC" {
		return key{}, errors.New(`it is no JWK with "kty":"EC"`)
	}
	if curve, _ := m.text("crv"); curve != "P-256" {
		return key{}, errors.New(`it is no JWK with "crv":"P-256"`)
	}
	if !expired(m) {
		return parseCoordinates(text, m)
	}
	return key{}, errors.New("its expired_at is set: Plaid no longer signs with it")
}

// expired reports whether Plaid has told when the key ended.
func expired(m members) bool {
	raw, ok := m["expired_at"]
	return ok && string(raw) != "null"
}

func parseCoordinates(text string, m members) (key, error) {
	x, okX := coordinate(m, "x")
	y, okY := coordinate(m, "y")
	if !okX || !okY {
		return key{}, errors.New("its x and y are not 32 bytes as base64url")
	}
	public, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), append(append([]byte{4}, x...), y...))
	if err != nil {
		return key{}, errors.New("its x and y are no point of P-256")
	}
	p := &pair{public: public}
	p.id, _ = m.text("kid")
	if _, ok := m["d"]; ok {
		d, ok := coordinate(m, "d")
		if !ok {
			return key{}, errors.New("its d is not 32 bytes as base64url")
		}
		private, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), d)
		if err != nil || !private.PublicKey.Equal(public) {
			return key{}, errors.New("its d does not belong to x and y")
		}
		p.private = private
	}
	return key{text: text, other: p}, nil
}

func coordinate(m members, name string) ([]byte, bool) {
	text, _ := m.text(name)
	b, ok := base64URL.bytes(text)
	return b, ok && len(b) == 32
}
