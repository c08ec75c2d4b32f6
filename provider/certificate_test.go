package provider_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"sync"
	"time"

	"github.com/grapnelhq/grapnel/provider"
)

// certified is the certificate and the private key, as PEM, that tests sign with in the place
// of AWS and PayPal.
var certified = sync.OnceValue(func() struct{ certificate, private string } {
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "sample"}, DNSNames: []string{"messageverificationcerts.paypal.com"},
		NotBefore: time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC), NotAfter: time.Date(2060, 1, 1, 0, 0, 0, 0, time.UTC),
		IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		panic(err)
	}
	return struct{ certificate, private string }{pemText("CERTIFICATE", der), privatePEM(private)}
})

// curveKey is the private key, as PEM, that tests sign with in the place of SendGrid and Plaid.
var curveKey = sync.OnceValue(func() string {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	return privatePEM(private)
})

func privatePEM(private any) string {
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		panic(err)
	}
	return pemText("PRIVATE KEY", der)
}

func pemText(kind string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

// fetchCertified stands for the network.
func fetchCertified(context.Context, string) ([]byte, error) {
	return []byte(certified().certificate), nil
}

const kettleTopic = "arn:aws:sns:eu-central-1:000000000001:kettle"

// certifiedSettings are those of the providers whose certificate is fetched.
var certifiedSettings = map[string]provider.Settings{
	"aws-sns": {Topics: []string{kettleTopic}, Fetch: fetchCertified},
	"paypal":  {WebhookID: "8PT597110X687430LKGECATA", Fetch: fetchCertified},
}
