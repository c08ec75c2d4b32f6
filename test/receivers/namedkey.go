package receivers

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// namedKey sends a message in the form of AWS SNS, well signed by an attacker, that names
// the attacker's certificate. It must be refused, and nobody may go and fetch that.
func (k *kit) namedKey(ctx context.Context) error {
	private, err := attackersKey()
	if err != nil {
		return fmt.Errorf("make the attacker's key: %w", err)
	}
	certificate, err := selfSigned(private)
	if err != nil {
		return err
	}
	var fetched atomic.Int64
	attacker := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fetched.Add(1)
		_, _ = w.Write(certificate)
	}))
	defer attacker.Close()
	m, err := notification(private, attacker.URL+"/SimpleNotificationService.pem")
	if err != nil {
		return err
	}
	status, err := k.send(ctx, m)
	if err != nil {
		return err
	}
	// Who takes what is not signed at all takes this too, without trusting the key.
	taken := (good(status) || k.Effects(m.id) > 0) && !k.has(AcceptsUnsigned)
	if fetched.Load() > 0 || taken {
		k.found(TrustsNamedKey)
	}
	return nil
}

// attackersKey is made once: that takes longer than all else.
var attackersKey = sync.OnceValues(func() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 2048) })

// selfSigned is a certificate in PEM that says it is of Amazon.
func selfSigned(private *rsa.PrivateKey) ([]byte, error) {
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "sns.amazonaws.com"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		return nil, fmt.Errorf("make the attacker's certificate: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), nil
}

// signedMembers are those of a notification that are signed, in this order.
var signedMembers = []string{"Message", "MessageId", "Timestamp", "TopicArn", "Type"}

// notification is a message of SNS, signed with SHA-256.
func notification(private *rsa.PrivateKey, certificateURL string) (message, error) {
	id := newID()
	members := map[string]string{
		"Type": "Notification", "MessageId": id, "TopicArn": "arn:aws:sns:eu-central-1:000000000001:kettle", "Message": "hello",
		"Timestamp": time.Now().UTC().Format("2006-01-02T15:04:05.000Z"), "SignatureVersion": "2", "SigningCertURL": certificateURL,
	}
	digest := sha256.Sum256([]byte(signedText(members)))
	signature, err := rsa.SignPKCS1v15(rand.Reader, private, crypto.SHA256, digest[:])
	if err != nil {
		return message{}, fmt.Errorf("sign as the attacker: %w", err)
	}
	members["Signature"] = base64.StdEncoding.EncodeToString(signature)
	body, err := json.Marshal(members)
	if err != nil {
		return message{}, fmt.Errorf("write the notification: %w", err)
	}
	header := http.Header{"Content-Type": {"text/plain; charset=UTF-8"}, "X-Amz-Sns-Message-Type": {"Notification"}}
	return message{id: id, header: header, body: body}, nil
}

func signedText(members map[string]string) string {
	var text strings.Builder
	for _, name := range signedMembers {
		text.WriteString(name + "\n" + members[name] + "\n")
	}
	return text.String()
}
