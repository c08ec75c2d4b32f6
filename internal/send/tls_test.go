package send_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
	"github.com/grapnelhq/grapnel/internal/send"
)

var badOptions = map[string]func(*send.Options){
	"no way to open secrets":    func(o *send.Options) { o.Open = nil },
	"unverified certificates":   func(o *send.Options) { o.TLS = &tls.Config{InsecureSkipVerify: true} },
	"unknown signature headers": func(o *send.Options) { o.SignatureHeaders = 9 },
	"negative limit":            func(o *send.Options) { o.Timeouts.DNS = -1 },
	"user agent of two lines":   func(o *send.Options) { o.UserAgent = "a\r\nb: c" },
	"proxy of another kind":     func(o *send.Options) { o.EgressProxy = &url.URL{Scheme: "ftp", Host: "proxy"} },
	"proxy without a host":      func(o *send.Options) { o.EgressProxy = &url.URL{Scheme: "http"} },
}

// authority signs the certificates of a test.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	pool *x509.CertPool
}

func newAuthority(t testing.TB) *authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test authority"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(cert)
	return &authority{cert, key, pool}
}

// issue makes a server certificate for 127.0.0.1; change may spoil it.
func (a *authority) issue(t testing.TB, change func(*x509.Certificate)) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "server"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	if change != nil {
		change(template)
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, &key.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

func TestTLSFailuresAreOfTheirClass(t *testing.T) {
	ca := newAuthority(t)
	stranger := newAuthority(t)
	good := ca.issue(t, nil)
	serve := func(config *tls.Config) func(*peerConn) {
		return func(c *peerConn) {
			secured := tls.Server(c.Conn, config)
			if secured.Handshake() == nil {
				io.Copy(io.Discard, secured)
			}
			c.hang()
		}
	}
	rows := map[string]struct {
		serve  func(*peerConn)
		detail string
	}{
		"expired": {serve(&tls.Config{Certificates: []tls.Certificate{ca.issue(t, func(c *x509.Certificate) {
			c.NotBefore, c.NotAfter = time.Now().Add(-2*time.Hour), time.Now().Add(-time.Hour)
		})}}), "expired"},
		"wrong name": {serve(&tls.Config{Certificates: []tls.Certificate{ca.issue(t, func(c *x509.Certificate) {
			c.IPAddresses, c.DNSNames = nil, []string{"example.com"}
		})}}), "another name"},
		"not for servers": {serve(&tls.Config{Certificates: []tls.Certificate{ca.issue(t, func(c *x509.Certificate) {
			c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
		})}}), "not valid for a server"},
		"unknown authority":   {serve(&tls.Config{Certificates: []tls.Certificate{stranger.issue(t, nil)}}), "authority"},
		"TLS 1.1":             {serve(&tls.Config{Certificates: []tls.Certificate{good}, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}), "TLS"},
		"client certificate":  {serve(&tls.Config{Certificates: []tls.Certificate{good}, ClientAuth: tls.RequireAnyClientCert}), "certificate required"},
		"the same in TLS 1.2": {serve(&tls.Config{Certificates: []tls.Certificate{good}, ClientAuth: tls.RequireAnyClientCert, MaxVersion: tls.VersionTLS12}), "TLS handshake"},
		"other protocol":      {serve(&tls.Config{Certificates: []tls.Certificate{good}, NextProtos: []string{"imap"}}), "no application protocol"},
		"hangs":               {func(c *peerConn) { c.hang() }, "did not end in"},
		"closes":              {func(*peerConn) {}, "closed the connection"},
		"plain HTTP":          {func(c *peerConn) { c.say("HTTP/1.1 400 Plain\r\n\r\n"); c.hang() }, "does not speak TLS"},
	}
	for transport, use := range transports {
		for name, row := range rows {
			t.Run(transport+"/"+name, func(t *testing.T) {
				t.Parallel()
				p := newPeer(t, func(_ *peer, c *peerConn) { row.serve(c) })
				s := newSender(t, func(o *send.Options) {
					o.TLS = &tls.Config{RootCAs: ca.pool, MinVersion: tls.VersionTLS10}
					o.Timeouts = send.Timeouts{Total: 5 * time.Second, TLS: 200 * time.Millisecond}
				})
				use(s)
				l, _ := lease(strings.Replace(p.url(), "http:", "https:", 1), []byte("{}"))
				a := s.Post(t.Context(), l)
				if a.Outcome.Class != hook.FailTLS || !strings.Contains(a.Outcome.Detail, row.detail) {
					t.Errorf("outcome is %+v, want TLS with %q", a.Outcome, row.detail)
				}
				if a.Timings.TLS == 0 {
					t.Errorf("timings are %+v", a.Timings)
				}
			})
		}
	}
}

// secure runs a TLS server, with HTTP/2 or without.
func secure(t testing.TB, http2 bool, h http.HandlerFunc) (*httptest.Server, *tls.Config) {
	t.Helper()
	s := httptest.NewUnstartedServer(h)
	s.EnableHTTP2 = http2
	s.StartTLS()
	t.Cleanup(s.Close)
	pool := x509.NewCertPool()
	pool.AddCert(s.Certificate())
	return s, &tls.Config{RootCAs: pool}
}

func TestHTTP2IsSpokenWhereItIsOffered(t *testing.T) {
	t.Parallel()
	got := make(chan *http.Request, 1)
	server, config := secure(t, true, func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.ReadAll(r.Body); err == nil {
			got <- r
		}
		w.Header().Set("Retry-After", "3")
		w.WriteHeader(http.StatusServiceUnavailable)
		io.WriteString(w, "later")
	})
	g := newGuard()
	s := newSender(t, func(o *send.Options) { o.TLS = config; o.Dialer = &g.Dialer })
	l, _ := lease(server.URL, []byte("{}"))
	withHeaders(t, l, map[string]string{"X-Custom": "v"})
	for i := range 3 {
		a := s.Post(t.Context(), l)
		if a.Outcome.Class != hook.FailStatus5xx || a.Outcome.RetryAfter != 3*time.Second || string(a.Response) != "later" {
			t.Fatalf("outcome is %+v with %q", a.Outcome, a.Response)
		}
		r := <-got
		if r.ProtoMajor != 2 || r.Header.Get("X-Custom") != "v" || r.Header.Get("Webhook-Signature") == "" || r.Header.Get("Accept-Encoding") != "" || r.ContentLength != 2 {
			t.Errorf("received %s with %v", r.Proto, r.Header)
		}
		if fresh := a.Timings.TLS > 0 && a.Timings.Connect > 0; fresh != (i == 0) || a.Timings.FirstByte == 0 {
			t.Errorf("attempt %d has timings %+v", i, a.Timings)
		}
	}
	if n := g.dials.Load(); n != 1 {
		t.Errorf("dialled %d times", n)
	}
}

func TestHTTP1OverTLSMovesToTheDirectTransport(t *testing.T) {
	t.Parallel()
	server, config := secure(t, false, func(w http.ResponseWriter, r *http.Request) {
		io.Copy(w, r.Body)
	})
	g := newGuard()
	s := newSender(t, func(o *send.Options) { o.TLS = config; o.Dialer = &g.Dialer })
	l, _ := lease(server.URL, []byte("{}"))
	for i := range 4 {
		a := s.Post(t.Context(), l)
		if a.Outcome.Class != hook.Success || string(a.Response) != "{}" {
			t.Fatalf("outcome is %+v", a.Outcome)
		}
		// The first learns, the second dials anew, the others find it there.
		if fresh := a.Timings.TLS > 0 && a.Timings.Connect > 0; fresh != (i < 2) {
			t.Errorf("attempt %d has timings %+v", i, a.Timings)
		}
	}
	if n := g.dials.Load(); n != 2 {
		t.Errorf("dialled %d times", n)
	}
}
