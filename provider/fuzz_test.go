package provider_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/grapnelhq/grapnel/provider"
)

// FuzzVerify throws the same bytes at every provider of the tables: none may panic,
// none may believe them, and what it says must be one of the known reasons.
func FuzzVerify(f *testing.F) {
	f.Add("t=1777863721,v1=00", "1777863721", "msg_1", []byte(`{"id":"a","type":"b","webhookTimestamp":1777863721000}`))
	f.Add("sha256="+strings.Repeat("0", 64), "1777863721000", "", []byte(`{}`))
	f.Add("v1,AAAA v1a,AAAA", "2026-05-04T03:02:01Z", "1", []byte(`[`))
	f.Add("v0="+strings.Repeat("a", 64), "HmacSHA256", "app-key", []byte{0xff, 0})
	f.Add(",;=", "-1", "\n", []byte(nil))
	type subject struct {
		provider.Provider
		verifier *provider.Verifier
	}
	var subjects []subject
	for _, name := range provider.TableProviders() {
		p, _ := provider.Find(name)
		if name == "none" || name == "generic-webhook" {
			continue
		}
		k := kitOf(p)
		v := newVerifier(f, name, k.settings, k.secret)
		subjects = append(subjects, subject{v.Provider(), v})
	}
	known := map[provider.Reason]bool{}
	for _, reason := range provider.Reasons {
		known[reason] = true
	}
	f.Fuzz(func(t *testing.T, first, second, third string, body []byte) {
		for _, s := range subjects {
			h := http.Header{}
			for i, name := range s.Headers {
				h.Set(name, []string{first, second, third}[i%3])
			}
			verdict := s.verifier.Verify(t.Context(), provider.Request{Method: "POST", URL: second, Header: h, Body: body}, signingTime)
			if verdict.OK() || !known[verdict.Reason] || verdict.Detail == "" {
				t.Errorf("%s: %+v for %v", s.Name, verdict, h)
			}
			if strings.Contains(verdict.Detail, kitOf(s.Provider).secret) {
				t.Errorf("%s tells the secret: %s", s.Name, verdict.Detail)
			}
		}
	})
}

func FuzzDiagnose(f *testing.F) {
	f.Add("t=1777863721,v1=00", "1777863721", []byte(`{"a": "\u00fc</", "b": [1, {}]}`))
	f.Add("sha256=AAAA", "", []byte("a\r\n"))
	f.Add("%", "x", []byte(`"\ud800"`))
	names := []string{"stripe", "github", "square", "standard-webhooks", "box"}
	verifiers := make(map[string]*provider.Verifier)
	for _, name := range names {
		p, _ := provider.Find(name)
		verifiers[name] = newVerifier(f, name, provider.Settings{}, kitOf(p).secret)
	}
	f.Fuzz(func(t *testing.T, signature, stamp string, body []byte) {
		if len(body) > 1<<12 {
			return
		}
		for name, v := range verifiers {
			h := http.Header{}
			for i, header := range v.Provider().Headers {
				h.Set(header, []string{signature, stamp}[i%2])
			}
			findings := v.Diagnose(provider.Request{Method: "POST", URL: stamp, Header: h, Body: body}, signingTime, provider.Secret{Value: "other"})
			if len(findings) == 0 || findings[0].Code == "" || findings[0].Text == "" || findings[0].Code == "verified" {
				t.Errorf("%s: %+v", name, findings)
			}
		}
	})
}

func FuzzPairs(f *testing.F) {
	f.Add("t=1700000000,v1=aa,v1=bb,v0=cc")
	f.Add("v1,t=1")
	f.Add(" t=1 ,\tv1=a=b=,,,")
	f.Fuzz(func(t *testing.T, line string) {
		stamp, signatures, ok := provider.ReadPairs(line)
		if !ok {
			return
		}
		if len(signatures) == 0 || len(signatures) > provider.MaxSignatures || !strings.Contains(line, "t="+stamp) {
			t.Errorf("%q: time %q, signatures %q", line, stamp, signatures)
		}
		for _, signature := range signatures {
			if signature == "" || !strings.Contains(line, "v1="+signature) || strings.Contains(signature, ",") {
				t.Errorf("%q has the signature %q", line, signature)
			}
		}
	})
}

func FuzzGeneric(f *testing.F) {
	f.Add("{ts}.{body}", "body:a.b", "v1", ",")
	f.Add("{body}{", "header:X", "", "")
	f.Add("{id}{url}{method}{body}", "query:", "sig", ";")
	f.Fuzz(func(t *testing.T, template, where, signatureName, separator string) {
		g := provider.Generic{SignatureHeader: "X-Sig", Template: template, EventID: where, SignatureName: signatureName, Separator: separator}
		v, err := provider.New("generic-hmac", provider.Settings{Generic: &g}, provider.Secret{Value: "s"})
		if err != nil {
			return
		}
		r := provider.Request{Method: "POST", URL: "https://x.example/", Body: []byte(`{"a":{"b":1}}`)}
		if err := v.Sign(&r, "", signingTime); err != nil {
			t.Fatal(err)
		}
		if verdict := v.Verify(t.Context(), r, signingTime); !verdict.OK() {
			t.Errorf("%+v: %+v of %v", g, verdict, r.Header)
		}
		r.Body[0]++
		if v.Verify(t.Context(), r, signingTime).OK() {
			t.Errorf("%+v does not sign the body", g)
		}
	})
}
