package provider

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
)

// pair is an asymmetric key of a receiver's configuration: the public half, and the
// private one where the secret has it (for signing as the provider does).
type pair struct {
	public  crypto.PublicKey
	private crypto.Signer
	// id is the key's name (kid), empty if it has none. It is only ever compared.
	id string
	// certificates are those of a PEM text, in its order.
	certificates []*x509.Certificate
}

const (
	maxKeyBytes = 32 << 10
	minRSABits  = 2048
)

var errPublicOnly = errors.New("only the private key can sign, and this is the public one")

// pairOfKey is the asymmetric key, an empty one if the key is none.
func pairOfKey(k key) *pair {
	if p, ok := k.other.(*pair); ok {
		return p
	}
	return &pair{}
}

// parsePEM reads a text of one key, of certificates, or of both.
func parsePEM(text string) (key, error) {
	if len(text) > maxKeyBytes {
		return key{}, fmt.Errorf("it is longer than %d bytes", maxKeyBytes)
	}
	p, rest := &pair{}, []byte(text)
	for strings.TrimSpace(string(rest)) != "" {
		if !strings.HasPrefix(strings.TrimSpace(string(rest)), "-----BEGIN ") {
			return key{}, errors.New("it is not PEM (-----BEGIN …)")
		}
		block, after := pem.Decode(rest)
		if block == nil {
			return key{}, errors.New("its PEM cannot be read")
		}
		if err := p.add(block); err != nil {
			return key{}, err
		}
		rest = after
	}
	if p.public == nil && len(p.certificates) == 0 {
		return key{}, errors.New("it is empty")
	}
	return key{text: text, other: p}, nil
}

func (p *pair) add(block *pem.Block) error {
	switch block.Type {
	case "CERTIFICATE":
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return errors.New("its certificate cannot be read")
		}
		p.certificates = append(p.certificates, certificate)
		return nil
	case "PUBLIC KEY":
		public, err := x509.ParsePKIXPublicKey(block.Bytes)
		return p.setPublic(public, err)
	case "RSA PUBLIC KEY":
		public, err := x509.ParsePKCS1PublicKey(block.Bytes)
		return p.setPublic(public, err)
	case "PRIVATE KEY":
		private, err := x509.ParsePKCS8PrivateKey(block.Bytes)
		return p.setPrivate(private, err)
	case "RSA PRIVATE KEY":
		private, err := x509.ParsePKCS1PrivateKey(block.Bytes)
		return p.setPrivate(private, err)
	case "EC PRIVATE KEY":
		private, err := x509.ParseECPrivateKey(block.Bytes)
		return p.setPrivate(private, err)
	}
	return errors.New("its PEM is neither a key nor a certificate")
}

func (p *pair) setPrivate(private any, err error) error {
	signer, ok := private.(crypto.Signer)
	if err != nil || !ok {
		return errors.New("its private key cannot be read")
	}
	if err := p.setPublic(signer.Public(), nil); err != nil {
		return err
	}
	p.private = signer
	return nil
}

func (p *pair) setPublic(public crypto.PublicKey, err error) error {
	if err != nil {
		return errors.New("its public key cannot be read")
	}
	if p.public != nil {
		return errors.New("it has several keys; give one at a time")
	}
	switch k := public.(type) {
	case *rsa.PublicKey:
		if k.N.BitLen() < minRSABits {
			return fmt.Errorf("its RSA key is shorter than %d bits", minRSABits)
		}
	case *ecdsa.PublicKey:
	default:
		return errors.New("its key is neither RSA nor ECDSA")
	}
	p.public = public
	return nil
}

// parsePublicKey reads PEM, or the base64 inside of it on one line (SPKI).
func parsePublicKey(text string) (key, error) {
	if strings.HasPrefix(text, "-----BEGIN ") {
		return parsePEM(text)
	}
	p := &pair{}
	if len(text) > maxKeyBytes || !p.readSPKI(text) {
		return key{}, errors.New("it is no public key in base64 or PEM")
	}
	return key{text: text, other: p}, nil
}

// readSPKI reports whether the text is the base64 of a public key, and keeps it.
func (p *pair) readSPKI(text string) bool {
	der, err := base64.StdEncoding.Strict().DecodeString(text)
	if err != nil {
		return false
	}
	public, err := x509.ParsePKIXPublicKey(der)
	return err == nil && p.setPublic(public, nil) == nil
}

// parseAnyKey reads a public key as one, in whatever spelling, and every other text as
// the secret of an HMAC: so no public key can ever serve as a secret.
func parseAnyKey(text string) (key, error) {
	if strings.Contains(text, "-----BEGIN ") {
		return parsePEM(text)
	}
	if k, err := parsePublicKey(text); err == nil {
		return k, nil
	}
	return plainSecret{}.parse(text)
}
