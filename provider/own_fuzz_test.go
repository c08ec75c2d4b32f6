package provider_test

import (
	"bytes"
	"net/http"
	"strings"
	"testing"

	"github.com/grapnelhq/grapnel/provider"
)

// ownFuzz sends foreign bytes to one provider: it must neither panic nor believe them.
func ownFuzz(f *testing.F, name string, seeds []string, request func(text string) provider.Request) {
	f.Helper()
	kit := ownKits[name]
	secret := "another-secret-that-nobody-knows-of"
	switch name {
	case "adyen":
		secret = strings.Repeat("5a", 32)
	case "aws-sns":
		secret = ownCertificatePEM(payPalCert) // not the one that signs
	}
	v := newVerifier(f, name, kit.settings, secret)
	_, signed := ownRequest(f, name)
	f.Add(string(signed.Body))
	for _, seed := range seeds {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		r := request(text)
		before := bytes.Clone(r.Body)
		if verdict := v.Verify(t.Context(), r, signingTime); verdict.OK() || verdict.Reason == "" || verdict.Detail == "" {
			t.Fatalf("%+v", verdict)
		}
		if !bytes.Equal(before, r.Body) {
			t.Fatal("the body was changed")
		}
		_ = v.Sign(&r, "id", signingTime)
	})
}

func bodyOf(kind string) func(string) provider.Request {
	return func(text string) provider.Request {
		return provider.Request{Method: "POST", URL: ownURL, Header: http.Header{"Content-Type": {kind}}, Body: []byte(text)}
	}
}

func headerOf(name, prefix string) func(string) provider.Request {
	return func(text string) provider.Request {
		r := provider.Request{Method: "POST", URL: ownURL, Header: http.Header{}, Body: []byte("{}")}
		r.Header.Set(name, prefix+text)
		return r
	}
}

func FuzzJWT(f *testing.F) {
	claims := fusionClaims("{}")
	ownFuzz(f, "fusionauth", []string{
		"", "..", "a.b.c", part(`{"alg":"none"}`) + "." + part(claims) + ".", hs256(`{"alg":"HS256"}`, claims, ""), hs256(`{"alg":"HS512","kid":"../x"}`, claims, "x"),
	}, headerOf("X-FusionAuth-Signature-JWT", ""))
}

func FuzzConnectURL(f *testing.F) {
	token := connectToken("x", "site")
	ownFuzz(f, "jira-connect", []string{"/", "https://a.example/%zz?%zz=1", "?&&=&a", "//", "https://a/" + strings.Repeat("b/", 100) + "?a=1&a=2"}, func(text string) provider.Request {
		r := headerOf("Authorization", "JWT ")(token)
		r.URL = text
		return r
	})
}

func FuzzSNS(f *testing.F) {
	ownFuzz(f, "aws-sns", []string{"", "{}", "[]", `{"Type":"Notification"}`, snsBody, `{"Type":"Notification","Type":"x"}`}, bodyOf("text/plain"))
}

func FuzzTwilioForm(f *testing.F) {
	ownFuzz(f, "twilio", []string{"", "a=b", "a=1&a=2&a", "%zz", ";", "=&=&"}, func(text string) provider.Request {
		r := bodyOf("application/x-www-form-urlencoded")(text)
		r.Header.Set("X-Twilio-Signature", "vOEb5UThFn24KEfnOFLQY2AE5FY=")
		return r
	})
}

func FuzzTwilioURL(f *testing.F) {
	ownFuzz(f, "twilio", []string{"", "https://a:443/?%27", "http://a", "://", "https://a?bodySHA256=x", "https://[::1]:443/"}, func(text string) provider.Request {
		r := headerOf("X-Twilio-Signature", "")("vOEb5UThFn24KEfnOFLQY2AE5FY=")
		r.URL, r.Body = text, nil
		return r
	})
}

func FuzzAdyenItems(f *testing.F) {
	ownFuzz(f, "adyen", []string{"", "{}", adyenBody, `{"notificationItems":[{}]}`, `{"notificationItems":[null]}`, `{"notificationItems":{}}`}, bodyOf("application/json"))
}

func FuzzMailgun(f *testing.F) {
	ownFuzz(f, "mailgun", []string{"", "{}", `{"signature":{"timestamp":"1","token":"t","signature":"x"}}`, `{"signature":null}`}, bodyOf("application/json"))
}

func FuzzMailgunForms(f *testing.F) {
	kinds := []string{"application/x-www-form-urlencoded", "multipart/form-data; boundary=b"}
	ownFuzz(f, "mailgun", []string{"timestamp=1&token=t&signature=x", "--b\r\nContent-Disposition: form-data; name=\"token\"\r\n\r\nx\r\n--b--"}, func(text string) provider.Request {
		return bodyOf(kinds[len(text)%2])(text)
	})
}

func FuzzMessageBirdQuery(f *testing.F) {
	ownFuzz(f, "messagebird", []string{"a=1&b=2", "%zz", ";"}, func(text string) provider.Request {
		r := headerOf("MessageBird-Signature", "")("orb0adPhRCYND1WCAvPBr+qjm4STGtyvNDIDNBZ4Ir4=")
		r.Header.Set("MessageBird-Request-Timestamp", jsonNumber(signingTime.Unix()))
		r.URL = "https://example.com/hook?" + text
		return r
	})
}

func FuzzBasicAuth(f *testing.F) {
	ownFuzz(f, "basic-auth", []string{"", "Og==", "x"}, headerOf("Authorization", "Basic "))
}

// FuzzOwnSecrets reads texts as secrets: none makes a verifier panic, whatever it then gets.
func FuzzOwnSecrets(f *testing.F) {
	for _, seed := range []string{plaidSecret, ecSecret, ownPublicPEM(ownEC), publicBase64(ownEC), adyenSecret, "-----BEGIN X-----", `{"kty":"EC"}`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, name := range []string{"adyen", "aws-sns", "fusionauth", "paypal", "plaid", "sendgrid"} {
			v, err := provider.New(name, provider.Settings{}, provider.Secret{Value: text})
			if err != nil {
				continue
			}
			r := provider.Request{Method: "POST", URL: ownURL, Header: http.Header{}, Body: []byte("{}")}
			if verdict := v.Verify(t.Context(), r, signingTime); verdict.OK() {
				t.Fatalf("%s: %+v", name, verdict)
			}
		}
	})
}
