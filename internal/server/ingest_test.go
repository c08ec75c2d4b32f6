package server_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/grapnelhq/grapnel/internal/testx"
	"github.com/grapnelhq/grapnel/provider"
	"github.com/grapnelhq/grapnel/webhook"
)

// ask calls the API and decodes the answer into a map; body nil: none.
func (n *node) ask(t *testing.T, method, path string, in any) (int, map[string]any) {
	t.Helper()
	var text []byte
	if in != nil {
		var err error
		text, err = json.Marshal(in)
		testx.NoError(t, err)
	}
	req, err := http.NewRequest(method, n.URL()+path, bytes.NewReader(text))
	testx.NoError(t, err)
	req.Header.Set("Authorization", "Bearer "+testKey)
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	testx.NoError(t, err)
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	testx.NoError(t, err)
	out := map[string]any{}
	_ = json.Unmarshal(raw, &out)
	return resp.StatusCode, out
}

// source makes a source by the API and gives its id and ingest URL.
func (n *node) source(t *testing.T, in map[string]any) (id, url string) {
	t.Helper()
	if in["name"] == nil {
		in["name"] = "test"
	}
	status, out := n.ask(t, "POST", "/ingest/api/v1/source", in)
	if status != http.StatusCreated {
		t.Fatalf("creating a source: %d %v", status, out)
	}
	url, _ = out["ingestUrl"].(string)
	return out["id"].(string), url
}

const (
	stripeSecret = "whsec_c3RyaXBlLXNlY3JldC1mb3ItdGVzdHM="
	stripeBody   = `{ "id": "evt_1",  "type": "invoice.paid", "n": 12345678901234567890 }`
)

// signedPost makes a request as the provider would.
func signedPost(t *testing.T, kind, secret, url, body string) *http.Request {
	t.Helper()
	v, err := provider.New(kind, provider.Settings{}, provider.Secret{Value: secret})
	testx.NoError(t, err)
	p := provider.Request{Method: http.MethodPost, URL: url, Header: http.Header{}, Body: []byte(body)}
	testx.NoError(t, v.Sign(&p, "evt_1", time.Now()))
	req, err := http.NewRequest(http.MethodPost, p.URL, strings.NewReader(string(p.Body)))
	testx.NoError(t, err)
	req.Header = p.Header
	req.Header.Set("Content-Type", "application/json")
	return req
}

func TestReceivedWebhookIsPassedOnAsItCame(t *testing.T) {
	t.Parallel()
	type arrival struct {
		method, uri string
		header      http.Header
		body        string
	}
	arrived := make(chan arrival, 1) // the receiver sends, the test receives
	receiver := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		arrived <- arrival{r.Method, r.RequestURI, r.Header, string(body)}
	}))
	defer receiver.Close()
	n := start(t, t.TempDir(), nil)
	id, url := n.source(t, map[string]any{"type": "stripe", "secrets": []any{map[string]any{"value": stripeSecret}}})
	status, ep := n.ask(t, "POST", "/ingest/api/v1/source/"+id+"/endpoint", map[string]any{"url": receiver.URL + "/hook?x=1"})
	if status != http.StatusCreated {
		t.Fatalf("creating an endpoint: %d %v", status, ep)
	}
	req := signedPost(t, "stripe", stripeSecret, url+"?tenant=7", stripeBody)
	req.Header.Set("Authorization", "Bearer secret-of-the-sender")
	req.Header.Set("Cookie", "session=1")
	req.Header.Set("X-Forwarded-For", "192.0.2.1")
	req.Header.Set("Webhook-Id", "theirs")
	signature := req.Header.Get("Stripe-Signature")
	resp, err := http.DefaultClient.Do(req)
	testx.NoError(t, err)
	resp.Body.Close()
	if resp.StatusCode/100 != 2 || resp.Header.Get("Grapnel-Durability") != "committed" {
		t.Fatalf("answer %d %v", resp.StatusCode, resp.Header)
	}
	got := testx.Receive(t, arrived, "the forwarded webhook")
	testx.Equal(t, []string{got.method, got.uri, got.body}, []string{"POST", "/hook?x=1&tenant=7", stripeBody})
	testx.Equal(t, got.header.Get("Stripe-Signature"), signature)
	testx.Equal(t, got.header.Get("X-Original-Webhook-Id"), "theirs")
	for _, name := range []string{"Authorization", "Cookie", "X-Forwarded-For"} {
		if got.header[name] != nil {
			t.Errorf("%s was passed on: %v", name, got.header[name])
		}
	}
	status, secret := n.ask(t, "GET", "/ingest/api/v1/source/"+id+"/endpoint/"+ep["id"].(string)+"/secret", nil)
	testx.Equal(t, status, http.StatusOK)
	if err := webhook.MustVerifier(secret["key"].(string)).Verify(got.header, []byte(got.body)); err != nil {
		t.Errorf("our own signature: %v", err)
	}
}

func TestSourceTakesOnlyCertificatesOfItsAuthority(t *testing.T) {
	t.Parallel()
	b, trust := secure(t)
	theirs, other := newAuthority(t), newAuthority(t)
	client := func(certificates ...tls.Certificate) *http.Client {
		config := trust.Clone()
		config.Certificates = certificates
		c := &http.Client{Transport: &http.Transport{TLSClientConfig: config}}
		t.Cleanup(c.CloseIdleConnections)
		return c
	}
	plain := client()
	ask := func(method, path, body string) string {
		req, err := http.NewRequest(method, b.URL()+path, strings.NewReader(body))
		testx.NoError(t, err)
		req.Header.Set("Authorization", "Bearer "+testKey)
		resp, err := plain.Do(req)
		testx.NoError(t, err)
		defer resp.Body.Close()
		text, err := io.ReadAll(resp.Body)
		testx.NoError(t, err)
		return string(text)
	}
	in, err := json.Marshal(map[string]any{"name": "x", "type": "none", "clientCa": theirs.pem})
	testx.NoError(t, err)
	var out struct{ IngestURL string }
	testx.NoError(t, json.Unmarshal([]byte(ask("POST", "/ingest/api/v1/source", string(in))), &out))
	for name, tt := range map[string]struct {
		client *http.Client
		want   int
	}{
		"no certificate":      {plain, 403},
		"of its authority":    {client(theirs.issue(t, x509.ExtKeyUsageClientAuth)), 202},
		"of another":          {client(other.issue(t, x509.ExtKeyUsageClientAuth)), 403},
		"for another purpose": {client(theirs.issue(t, x509.ExtKeyUsageServerAuth)), 403},
	} {
		resp, err := tt.client.Post(out.IngestURL, "text/plain", strings.NewReader(name))
		testx.NoError(t, err, name)
		resp.Body.Close()
		testx.Equal(t, resp.StatusCode, tt.want, name)
	}
}

// authority issues certificates of clients.
type authority struct {
	pem  string
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	testx.NoError(t, err)
	shape := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "authority"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, shape, shape, &key.PublicKey, key)
	testx.NoError(t, err)
	cert, err := x509.ParseCertificate(der)
	testx.NoError(t, err)
	return &authority{string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})), cert, key}
}

func (a *authority) issue(t *testing.T, use x509.ExtKeyUsage) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	testx.NoError(t, err)
	shape := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "sender"}, ExtKeyUsage: []x509.ExtKeyUsage{use},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, shape, a.cert, &key.PublicKey, a.key)
	testx.NoError(t, err)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

func TestEachRoleReceivesOrDoesNot(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first := start(t, dir, nil)
	_, url := first.source(t, map[string]any{"type": "none"})
	path := path(url)
	testx.NoError(t, first.stop())
	for _, tt := range []struct {
		role string
		want int
	}{{"all", 202}, {"ingest", 202}, {"api", 404}, {"deliver", 404}} {
		n := start(t, dir, map[string]string{"role": tt.role, "metrics-listen": "127.0.0.1:0"})
		resp, err := http.Post(n.URL()+path, "application/json", strings.NewReader("{}"))
		testx.NoError(t, err)
		resp.Body.Close()
		testx.Equal(t, resp.StatusCode, tt.want, tt.role)
		_, _, metrics := get(t, n.MetricsURL()+"/metrics")
		want := `grapnel_ingest_requests_total{result="accepted"} ` + map[bool]string{true: "1", false: "0"}[tt.want == 202]
		if !strings.Contains(metrics, "\n"+want+"\n") {
			t.Errorf("%s: the metrics lack %q", tt.role, want)
		}
		testx.NoError(t, n.stop())
	}
}

func TestTokenOfAnIngestURLIsInNoLogLine(t *testing.T) {
	t.Parallel()
	n := start(t, t.TempDir(), map[string]string{"log-level": "debug", "public-url": "https://hooks.example.com/base"})
	_, address := n.source(t, map[string]any{"type": "stripe", "secrets": []any{map[string]any{"value": stripeSecret}}})
	token := address[strings.LastIndexByte(address, '/')+1:]
	for _, path := range []string{"/in/" + token, "/base/in/" + token + "/rest", "/in/%" + strconv.FormatInt(int64(token[0]), 16) + token[1:]} {
		resp, err := http.Post(n.URL()+path, "application/json", strings.NewReader("{}"))
		testx.NoError(t, err)
		resp.Body.Close()
	}
	testx.NoError(t, n.stop())
	if log := n.log.String(); strings.Contains(log, token) || !strings.Contains(log, "path=/in/[token]") {
		t.Errorf("the log is %s", log)
	}
}
