package server_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/grapnelhq/grapnel/apitype"
	"github.com/grapnelhq/grapnel/client"
	"github.com/grapnelhq/grapnel/internal/config"
	"github.com/grapnelhq/grapnel/internal/server"
)

// detail is that of an error object.
func detail(t *testing.T, body string) string {
	t.Helper()
	var e apitype.Error
	if err := json.Unmarshal([]byte(body), &e); err != nil {
		t.Fatalf("%q is not the error object: %v", body, err)
	}
	return e.Detail.Text
}

// get reads a page; headers are name, value, name, value.
func get(t *testing.T, url string, headers ...string) (int, http.Header, string) {
	t.Helper()
	req, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Add(headers[i], headers[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, resp.Header, string(body)
}

func TestEveryRefusalIsTheErrorObject(t *testing.T) {
	t.Parallel()
	n := start(t, t.TempDir(), nil)
	manyLines := make([]string, 0, 500)
	for range 250 {
		manyLines = append(manyLines, "X-Line", "v")
	}
	for name, tt := range map[string]struct {
		path    string
		headers []string
		status  int
		code    string
	}{
		"unknown path":         {"/nothing", nil, 404, "not_found"},
		"doubled slash":        {"//api/v1/app", nil, 404, "not_found"},
		"metrics without key":  {"/metrics", nil, 401, "authentication_failed"},
		"metrics, unknown key": {"/metrics", []string{"Authorization", "Bearer gk_unknown"}, 401, "authentication_failed"},
		"long header":          {"/healthz", []string{"Accept-Language", strings.Repeat("a", 64<<10)}, 431, "headers_too_large"},
		"many headers":         {"/healthz", manyLines, 431, "headers_too_large"},
		"unknown API route":    {"/api/v1/nothing", []string{"Authorization", "Bearer " + testKey}, 404, "not_found"},
		"later API route":      {"/api/v1/app/stats/count-active", nil, 501, "not_implemented"},
		"unknown ingest route": {"/ingest/api/v1/nothing", nil, 404, "not_found"},
	} {
		status, header, body := get(t, n.URL()+tt.path, tt.headers...)
		var e apitype.Error
		if err := json.Unmarshal([]byte(body), &e); err != nil {
			t.Errorf("%s: body %q is not the error object: %v", name, body, err)
		}
		if status != tt.status || e.Status != tt.status || e.Code != tt.code || e.Hint == "" || header.Get("Content-Type") != "application/json" {
			t.Errorf("%s: status %d, object %+v, want %d %s with a hint", name, status, e, tt.status, tt.code)
		}
	}
	for _, path := range []string{"/", "/healthz", "/readyz", "/metrics"} {
		resp, err := http.Post(n.URL()+path, "text/plain", nil)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusMethodNotAllowed || resp.Header.Get("Allow") != "GET, HEAD" {
			t.Errorf("POST %s: %d, Allow %q", path, resp.StatusCode, resp.Header.Get("Allow"))
		}
	}
}

func TestHealthIsOpenAndMetricsNeedAKeyOrTheirOwnListener(t *testing.T) {
	t.Parallel()
	receiver := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer receiver.Close()
	n := start(t, t.TempDir(), map[string]string{"metrics-listen": "127.0.0.1:0"})
	n.target(t, receiver.URL)
	if _, err := n.Publish(t.Context(), "acme", apitype.MessageIn{EventType: "a", Payload: json.RawMessage(`{}`)}, client.PublishOptions{Wait: 10 * time.Second}); err != nil {
		t.Fatal(err)
	}
	for _, url := range []string{n.URL() + "/healthz", n.URL() + "/readyz", n.MetricsURL() + "/readyz", n.MetricsURL() + "/debug/pprof/"} {
		if status, _, body := get(t, url); status != http.StatusOK {
			t.Errorf("%s: %d %s", url, status, body)
		}
	}
	if status, _, _ := get(t, n.URL()+"/debug/pprof/"); status != http.StatusNotFound {
		t.Errorf("profiles on the main listener: %d, want 404", status)
	}
	_, _, withKey := get(t, n.URL()+"/metrics", "Authorization", "Bearer "+testKey)
	_, _, open := get(t, n.MetricsURL()+"/metrics")
	for _, line := range []string{
		`grapnel_events_total{result="accepted"} 1`,
		`grapnel_attempts_total{outcome="success",trigger="scheduled"} 1`,
		`grapnel_attempt_seconds_count{success="true"} 1`,
		"grapnel_queue_due 0", "grapnel_queue_oldest_due_seconds 0", "grapnel_attempts_in_flight 0",
		`grapnel_claims_total{result="empty"}`, `grapnel_claims_total{result="leased"}`,
		"grapnel_commit_operations_count", "grapnel_settle_seconds_count", "grapnel_accept_seconds_count 1",
		`grapnel_database_bytes{file="data"}`, `grapnel_build_info{`, "go_goroutines", "process_resident_memory_bytes",
	} {
		if !strings.Contains(withKey, line) || !strings.Contains(open, line) {
			t.Errorf("metrics lack %q", line)
		}
	}
}

func TestPortalTokenCannotReadMetrics(t *testing.T) {
	t.Parallel()
	n := start(t, t.TempDir(), nil)
	if _, err := n.CreateApplication(t.Context(), apitype.ApplicationIn{Name: "Acme", UID: apitype.Some("acme")}); err != nil {
		t.Fatal(err)
	}
	access, err := n.PortalAccess(t.Context(), "acme", apitype.PortalAccessIn{})
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(access.Token, "gp_") {
		t.Errorf("portal token %q lacks its prefix", access.Token)
	}
	if status, _, _ := get(t, n.URL()+"/metrics", "Authorization", "Bearer "+access.Token); status != http.StatusForbidden {
		t.Errorf("metrics with a portal token: %d, want 403", status)
	}
}

func TestLandingIsTextForTools(t *testing.T) {
	t.Parallel()
	n := start(t, t.TempDir(), nil)
	_, header, text := get(t, n.URL()+"/")
	if !strings.Contains(header.Get("Content-Type"), "text/plain") {
		t.Errorf("landing text %q", text)
	}
	for _, place := range []string{"/api/v1", "/ingest/api/v1", "/api/docs"} {
		if !strings.Contains(text, " "+n.URL()+place+"\n") {
			t.Errorf("the landing does not name %s:\n%s", place, text)
		}
	}
}

func TestPublicURLServesWithAndWithoutItsPrefix(t *testing.T) {
	t.Parallel()
	n := start(t, t.TempDir(), map[string]string{"public-url": "https://example.com/hooks/"})
	for _, path := range []string{"/healthz", "/hooks/healthz", "/hooks", "/hooks/", "/hooks/api/openapi.json"} {
		if status, _, body := get(t, n.URL()+path); status != http.StatusOK {
			t.Errorf("%s: %d %s", path, status, body)
		}
	}
	if status, _, _ := get(t, n.URL()+"/hooksx/healthz"); status != http.StatusNotFound {
		t.Errorf("/hooksx: %d, want 404", status)
	}
	if _, _, text := get(t, n.URL()+"/"); !strings.Contains(text, "https://example.com/hooks/api/v1") {
		t.Errorf("landing does not name the public address: %s", text)
	}
}

func TestForwardedHeadersCountOnlyFromTrustedProxies(t *testing.T) {
	t.Parallel()
	forwarded := []string{"X-Forwarded-Proto", "https", "X-Forwarded-Host", "hooks.example.com", "X-Forwarded-For", "198.51.100.7, 10.1.2.3"}
	trusting := start(t, t.TempDir(), map[string]string{"trusted-proxies": "127.0.0.0/8,10.0.0.0/8", "log-level": "debug"})
	if _, _, text := get(t, trusting.URL()+"/", forwarded...); !strings.Contains(text, "https://hooks.example.com/api/v1") {
		t.Errorf("a trusted proxy's headers do not count: %s", text)
	}
	if _, _, text := get(t, trusting.URL()+"/", "X-Forwarded-Host", "evil.example/@"); strings.Contains(text, "evil") {
		t.Errorf("a malformed host was taken: %s", text)
	}
	if err := trusting.stop(); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(trusting.log.String(), "client=198.51.100.7") {
		t.Errorf("the log does not name the client:\n%s", trusting.log)
	}
	strict := start(t, t.TempDir(), map[string]string{"log-level": "debug"})
	if _, _, text := get(t, strict.URL()+"/", forwarded...); !strings.Contains(text, strict.URL()+"/api/v1") {
		t.Errorf("headers of a stranger count: %s", text)
	}
	if err := strict.stop(); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(strict.log.String(), "client=127.0.0.1") {
		t.Errorf("the log believes a stranger:\n%s", strict.log)
	}
}

func TestOwnAddressIsRefusedAsTarget(t *testing.T) {
	t.Parallel()
	n := start(t, t.TempDir(), map[string]string{"metrics-listen": "127.0.0.1:0"})
	if _, err := n.CreateApplication(t.Context(), apitype.ApplicationIn{Name: "Acme", UID: apitype.Some("acme")}); err != nil {
		t.Fatal(err)
	}
	for _, url := range []string{n.URL() + "/x", n.MetricsURL() + "/metrics"} {
		if _, err := n.CreateEndpoint(t.Context(), "acme", apitype.EndpointIn{URL: url}); err == nil || !strings.Contains(err.Error(), "own_address") {
			t.Errorf("endpoint at %s: %v, want refused as own_address", url, err)
		}
	}
}

func TestBadSecretIsToldWithoutTheNameOfAPackage(t *testing.T) {
	t.Parallel()
	n := start(t, t.TempDir(), nil)
	if _, err := n.CreateApplication(t.Context(), apitype.ApplicationIn{Name: "Acme", UID: apitype.Some("acme")}); err != nil {
		t.Fatal(err)
	}
	in := apitype.EndpointIn{URL: "https://example.com/", Secret: apitype.Some("whsec_c2hvcnQ=")}
	_, err := n.CreateEndpoint(t.Context(), "acme", in)
	if err == nil || !strings.Contains(err.Error(), "24 to 75 bytes") || strings.Contains(err.Error(), "webhook:") {
		t.Errorf("a short secret: %v", err)
	}
}

// writeCertificate makes a certificate for 127.0.0.1 with this serial number.
func writeCertificate(t *testing.T, dir string, serial int64) (cert, key string, pool *x509.CertPool) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	shape := &x509.Certificate{
		SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: "test"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, shape, shape, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalECPrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for path, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "EC PRIVATE KEY", Bytes: keyDER}} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	pool = x509.NewCertPool()
	pool.AppendCertsFromPEM(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	return cert, key, pool
}

func TestTLSListenerSpeaksHTTP2(t *testing.T) {
	t.Parallel()
	cert, key, pool := writeCertificate(t, t.TempDir(), 1)
	s := server.New(server.Options{Config: settings(t, t.TempDir(), map[string]string{"tls-cert": cert, "tls-key": key})})
	if err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer s.Stop(t.Context())
	c := &http.Client{Transport: &http.Transport{ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{RootCAs: pool}}}
	defer c.CloseIdleConnections()
	resp, err := c.Get(s.URL() + "/readyz")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.ProtoMajor != 2 || resp.StatusCode != http.StatusOK {
		t.Errorf("HTTP/%d, status %d, want HTTP/2 and 200", resp.ProtoMajor, resp.StatusCode)
	}
}

func TestChangedCertificateIsReadAgainAndABrokenOneIsNot(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	cert, key, _ := writeCertificate(t, dir, 1)
	log := &logs{}
	c, err := server.LoadCertificate(cert, key, slog.New(slog.NewTextHandler(log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	if n := c.Serial(t); n != 1 {
		t.Fatalf("serial %d, want 1", n)
	}
	writeCertificate(t, dir, 22222)
	c.Refresh(t.Context())
	if n := c.Serial(t); n != 22222 {
		t.Errorf("serial %d after a change, want 22222", n)
	}
	if err := os.WriteFile(cert, []byte("not PEM"), 0o600); err != nil {
		t.Fatal(err)
	}
	c.Refresh(t.Context())
	c.Refresh(t.Context())
	if n := c.Serial(t); n != 22222 {
		t.Errorf("serial %d after a broken change, want the old 22222", n)
	}
	if n := strings.Count(log.String(), "the old one stays"); n != 1 {
		t.Errorf("%d complaints about one broken file, want 1", n)
	}
}

func TestLogWriterKeepsOrderAndNeverWaits(t *testing.T) {
	t.Parallel()
	out := &logs{}
	w := server.NewLineWriter(out)
	for range 100_000 { // more than it keeps: nobody flushes
		if _, err := w.Write([]byte(strings.Repeat("x", 99) + "\n")); err != nil {
			t.Fatal(err)
		}
	}
	if out.String() != "" {
		t.Error("lines were written without a flush")
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), "log lines dropped because nobody read them: ") {
		t.Error("dropped lines are not told")
	}
}

func TestWarningIsWrittenAtOnce(t *testing.T) {
	t.Parallel()
	for _, format := range []string{"text", "json"} {
		cfg, err := config.Load(config.Sources{Flags: map[string]string{"log-format": format}})
		if err != nil {
			t.Fatal(err)
		}
		out := &logs{}
		log := server.NewLogger(server.NewLineWriter(out), cfg).With("a", 1).WithGroup("g")
		log.Info("first")
		if out.String() != "" {
			t.Errorf("%s: an info line was written without waiting", format)
		}
		log.Warn("second")
		if text := out.String(); !strings.Contains(text, "first") || strings.Index(text, "second") < strings.Index(text, "first") {
			t.Errorf("%s: %q, want both lines in their order", format, text)
		}
	}
}
