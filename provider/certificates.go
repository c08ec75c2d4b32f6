package provider

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"time"
)

// maxCertificates bounds the certificates of one fetched text.
const maxCertificates = 10

// fetchCertificates gets what the address holds: certificates as PEM and nothing else.
// The address has been checked; a verdict with a reason says why there is none.
func fetchCertificates(ctx context.Context, s *Settings, address string) ([]*x509.Certificate, Verdict) {
	if s.Fetch == nil {
		return nil, refuse(KeyUnavailable, "The certificate cannot be fetched: this receiver makes no connections.")
	}
	raw, err := s.Fetch(ctx, address)
	if err != nil {
		return nil, refuse(KeyUnavailable, "The certificate could not be fetched.")
	}
	found, err := readCertificates(raw)
	if err != nil {
		return nil, refuse(UntrustedKey, "The certificate cannot be believed: "+err.Error()+".")
	}
	return found, Verdict{}
}

// parseCertificates reads a secret of certificates, of a private key to sign with in
// tests, or of both.
func parseCertificates(text string) (key, error) {
	k, err := parsePEM(text)
	if p := pairOfKey(k); err == nil && len(p.certificates) == 0 && p.private == nil {
		return key{}, errors.New("it has no certificate")
	}
	return k, err
}

func readCertificates(raw []byte) ([]*x509.Certificate, error) {
	var found []*x509.Certificate
	for len(raw) <= maxKeyBytes && len(found) < maxCertificates {
		block, rest := pem.Decode(raw)
		if block == nil {
			break
		}
		certificate, err := x509.ParseCertificate(block.Bytes)
		if block.Type != "CERTIFICATE" || err != nil {
			return nil, errors.New("it cannot be read")
		}
		found, raw = append(found, certificate), rest
	}
	if len(found) == 0 {
		return nil, errors.New("there is none")
	}
	return found, nil
}

// chained reports whether the first certificate leads to an authority: one of the
// configuration, or without any there one of the system.
func chained(certificates, authorities []*x509.Certificate, now time.Time) bool {
	options := x509.VerifyOptions{
		Intermediates: poolOf(certificates[1:]),
		CurrentTime:   now,
		KeyUsages:     []x509.ExtKeyUsage{x509.ExtKeyUsageAny},
	}
	if len(authorities) > 0 {
		options.Roots = poolOf(authorities)
	}
	_, err := certificates[0].Verify(options)
	return err == nil
}

func poolOf(certificates []*x509.Certificate) *x509.CertPool {
	pool := x509.NewCertPool()
	for _, certificate := range certificates {
		pool.AddCert(certificate)
	}
	return pool
}
