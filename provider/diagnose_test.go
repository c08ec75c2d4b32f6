package provider_test

import (
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/grapnelhq/grapnel/provider"
)

// patient is a request with one mistake in it.
type patient struct {
	name     string
	provider string
	secret   string // configured
	signed   string // what the sender uses; empty: the same
	body     string // as signed
	arrived  string // as it came; empty: the same
	change   func(*provider.Request)
	late     time.Duration
	others   []string
	want     string
	mentions string
}

const doctorSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

func moveHeader(from, to string) func(*provider.Request) {
	return func(r *provider.Request) {
		r.Header[http.CanonicalHeaderKey(to)] = r.Header[http.CanonicalHeaderKey(from)]
		r.Header.Del(from)
	}
}

func changeHeader(name string, f func(string) string) func(*provider.Request) {
	return func(r *provider.Request) { r.Header.Set(name, f(r.Header.Get(name))) }
}

func hexToBase64(prefix string) func(string) string {
	return func(value string) string {
		b, _ := hex.DecodeString(strings.TrimPrefix(value, prefix))
		return prefix + base64.StdEncoding.EncodeToString(b)
	}
}

const spaced = `{"b": 1, "a": "gr\u00fc\u00df </x>", "c": [1.50, {}]}`

var patients = []patient{
	{name: "all is well", provider: "stripe", want: "verified"},
	{name: "all is well by the standard", provider: "standard-webhooks", secret: doctorSecret, want: "verified"},
	{name: "another secret", provider: "github", signed: "nobody-knows", want: "wrong_secret"},
	{name: "another secret by the standard", provider: "svix", secret: doctorSecret, signed: "whsec_NfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", want: "wrong_secret"},
	{name: "the secret of another source", provider: "stripe", signed: "whsec_live", others: []string{"whsec_test", "whsec_live"}, want: "other_secret", mentions: "number 2"},
	{name: "prefix cut off here", provider: "stripe", secret: "abcdefgh", signed: "whsec_abcdefgh", want: "secret_prefix"},
	{name: "prefix too many here", provider: "github", secret: "whsec_abcdefgh", signed: "abcdefgh", want: "secret_prefix"},
	{name: "line end at the sender", provider: "github", secret: "abcdefgh", change: func(r *provider.Request) {
		r.Header.Set("X-Hub-Signature-256", "sha256="+hex.EncodeToString(digestOf("abcdefgh\n", string(r.Body))))
	}, want: "secret_blank"},
	{name: "quotes around the secret here", provider: "github", secret: `"abcdefgh"`, signed: "abcdefgh", want: "secret_blank"},
	{name: "secret is decoded by the sender", provider: "github", secret: "dG9wc2VjcmV0", signed: "topsecret", want: "secret_encoding", mentions: "base64"},
	{name: "secret in hex is decoded by the sender", provider: "github", secret: "746f70736563726574", signed: "topsecret", want: "secret_encoding", mentions: "hex"},
	{name: "secret is not decoded by the sender", provider: "airtable", secret: "dG9wc2VjcmV0", change: func(r *provider.Request) {
		r.Header.Set("X-Airtable-Content-Mac", "hmac-sha256="+hex.EncodeToString(digestOf("dG9wc2VjcmV0", string(r.Body))))
	}, want: "secret_encoding", mentions: "plain text"},
	{name: "the standard's secret not decoded", provider: "standard-webhooks", secret: "whsec_" + "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVowMTIzNDU=",
		signed: "whsec_" + base64.StdEncoding.EncodeToString([]byte("QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVowMTIzNDU=")), want: "secret_encoding"},
	{name: "line end lost", provider: "github", body: "{}\n", arrived: "{}", want: "body_newline", mentions: "(LF)"},
	{name: "CR LF lost", provider: "github", body: "{}\r\n", arrived: "{}", want: "body_newline", mentions: "(CR LF)"},
	{name: "line end added", provider: "github", body: "{}", arrived: "{}\r\n", want: "body_newline", mentions: "without"},
	{name: "line ends made CR LF", provider: "github", body: "a\nb\n", arrived: "a\r\nb\r\n", want: "body_newline", mentions: "LF instead of CR LF"},
	{name: "byte order mark added", provider: "github", body: "{}", arrived: "\ufeff{}", want: "body_bom"},
	{name: "body read as Latin-1", provider: "github", body: `{"a":"ü"}`, arrived: `{"a":"Ã¼"}`, want: "body_reencoded", mentions: "Latin-1"},
	{name: "compact from spaced", provider: "stripe", body: `{"a": 1, "b": [2, 3]}`, arrived: `{"a":1,"b":[2,3]}`, want: "body_reencoded", mentions: "blank after each comma"},
	{name: "spaced from compact", provider: "stripe", body: `{"a":1,"b":[2,3]}`, arrived: `{"a": 1, "b": [2, 3]}`, want: "body_reencoded", mentions: "without blanks"},
	{name: "indented by two", provider: "stripe", body: "{\n  \"a\": 1\n}", arrived: `{"a":1}`, want: "body_reencoded", mentions: "two"},
	{name: "indented by four", provider: "stripe", body: "{\n    \"a\": 1\n}", arrived: `{"a":1}`, want: "body_reencoded", mentions: "four"},
	{name: "sorted at the sender", provider: "stripe", body: `{"a":1,"b":2}`, arrived: `{"b":2,"a":1}`, want: "body_reencoded", mentions: "sorted"},
	{name: "escapes lost", provider: "shopify", body: spaced, arrived: `{"b":1,"a":"grüß </x>","c":[1.50,{}]}`, want: "body_reencoded", mentions: "escaped"},
	{name: "escapes added", provider: "shopify", body: `{"a":"ü"}`, arrived: `{"a":"\u00fc"}`, want: "body_reencoded", mentions: "not escaped"},
	{name: "slashes were escaped", provider: "shopify", body: `{"a":"http:\/\/x"}`, arrived: `{"a":"http://x"}`, want: "body_reencoded", mentions: "slashes"},
	{name: "angle brackets were escaped", provider: "square", body: `{"a":"\u003cb\u003e"}`, arrived: `{"a":"<b>"}`, want: "body_reencoded"},
	{name: "an old request", provider: "stripe", late: time.Hour, want: "clock_skew", mentions: "1h0m0s in the past"},
	{name: "a clock ahead", provider: "standard-webhooks", secret: doctorSecret, late: -10 * time.Minute, want: "clock_skew", mentions: "10m0s in the future"},
	{name: "milliseconds for seconds", provider: "slack", change: func(r *provider.Request) {
		stamp := "1777863721000"
		r.Header.Set("X-Slack-Request-Timestamp", stamp)
		r.Header.Set("X-Slack-Signature", "v0="+hex.EncodeToString(digestOf("topsecret-0123456789", "v0:"+stamp+":"+string(r.Body))))
	}, want: "clock_unit", mentions: "write seconds"},
	{name: "seconds for milliseconds", provider: "webflow", change: func(r *provider.Request) {
		stamp := "1777863721"
		r.Header.Set("X-Webflow-Timestamp", stamp)
		r.Header.Set("X-Webflow-Signature", hex.EncodeToString(digestOf("topsecret-0123456789", stamp+":"+string(r.Body))))
	}, want: "clock_unit", mentions: "write milliseconds"},
	{name: "an old request under another secret", provider: "svix", secret: doctorSecret, signed: "whsec_NfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", late: time.Hour, want: "clock_skew"},
	{name: "no header at all", provider: "github", change: func(r *provider.Request) { r.Header = nil }, want: "header_missing"},
	{name: "header under another name", provider: "github", change: moveHeader("X-Hub-Signature-256", "X-Our-Signature-256"), want: "header_other_name", mentions: "X-Our-Signature-256"},
	{name: "the standard's headers under a brand", provider: "standard-webhooks", secret: doctorSecret, change: func(r *provider.Request) {
		for _, name := range []string{"Id", "Timestamp", "Signature"} {
			moveHeader("Webhook-"+name, "X-Acme-Webhook-"+name)(r)
		}
	}, want: "header_other_name", mentions: "X-Acme-Webhook-Timestamp"},
	{name: "base64 for hex", provider: "github", change: changeHeader("X-Hub-Signature-256", hexToBase64("sha256=")), want: "header_encoding", mentions: "base64"},
	{name: "upper-case hex", provider: "lemonsqueezy", change: changeHeader("X-Signature", strings.ToUpper), want: "header_encoding"},
	{name: "hex for base64", provider: "shopify", change: changeHeader("X-Shopify-Hmac-Sha256", func(v string) string {
		b, _ := base64.StdEncoding.DecodeString(v)
		return hex.EncodeToString(b)
	}), want: "header_encoding", mentions: "hex"},
	{name: "no prefix", provider: "github", change: changeHeader("X-Hub-Signature-256", func(v string) string { return v[7:] }), want: "header_encoding", mentions: "prefix"},
	{name: "SHA-256 for SHA-1", provider: "vercel", change: func(r *provider.Request) {
		r.Header.Set("X-Vercel-Signature", hex.EncodeToString(digestOf("topsecret-0123456789", string(r.Body))))
	}, want: "other_hash", mentions: "sha256"},
	{name: "a header that nobody can read", provider: "stripe", change: changeHeader("Stripe-Signature", func(string) string { return "hello" }), want: "header_malformed"},
	{name: "the time is not in the body", provider: "linear", change: func(r *provider.Request) { r.Body = []byte("{}") }, want: "body_malformed"},
	{name: "http for https", provider: "square", change: func(r *provider.Request) { r.URL = strings.Replace(r.URL, "https", "http", 1) }, want: "url_differs", mentions: "https://hooks"},
	{name: "slash at the end", provider: "trello", change: func(r *provider.Request) { r.URL = strings.Replace(r.URL, "?", "/?", 1) }, want: "url_differs"},
	{name: "port", provider: "square", change: func(r *provider.Request) { r.URL = strings.Replace(r.URL, ".com", ".com:443", 1) }, want: "url_differs"},
	{name: "another key of the account", provider: "pusher", change: changeHeader("X-Pusher-Key", func(string) string { return "other" }), want: "not_allowed"},
	{name: "other secret and changed body", provider: "github", signed: "other", body: `{"a": 1}`, arrived: `{"a":1}`, others: []string{"other"}, want: "body_reencoded", mentions: "another of the known"},
	{name: "nothing is checked", provider: "none", want: "unchecked"},
}

func TestTheDoctorFindsTheMistake(t *testing.T) {
	t.Parallel()
	for _, p := range patients {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			known, _ := provider.Find(p.provider)
			k := kitOf(known)
			if p.secret != "" {
				k.secret = p.secret
			}
			secrets := []string{k.secret}
			if p.provider == "none" {
				secrets = nil
			}
			v := newVerifier(t, p.provider, k.settings, secrets...)
			sender := v
			if p.signed != "" {
				sender = newVerifier(t, p.provider, k.settings, p.signed)
			}
			if p.body == "" {
				p.body = `{"id":"evt_1"}`
			}
			r := provider.Request{Method: "POST", URL: signedURL, Header: http.Header{}, Body: []byte(p.body)}
			if err := sender.Sign(&r, "msg_1", signingTime); err != nil {
				t.Fatal(err)
			}
			if p.arrived != "" {
				r.Body = []byte(p.arrived)
			}
			if p.change != nil {
				p.change(&r)
			}
			var others []provider.Secret
			for _, other := range p.others {
				others = append(others, provider.Secret{Value: other})
			}
			findings := v.Diagnose(r, signingTime.Add(p.late), others...)
			if len(findings) == 0 || findings[0].Code != p.want || !strings.Contains(findings[0].Text, p.mentions) {
				t.Fatalf("%+v, want %s that mentions %q", findings, p.want, p.mentions)
			}
			for _, finding := range findings {
				for _, secret := range append(secrets, p.others...) {
					if len(secret) > 6 && strings.Contains(finding.Text, secret) {
						t.Errorf("%s tells a secret: %s", finding.Code, finding.Text)
					}
				}
			}
		})
	}
}

func TestTheDoctorKnowsAnEndedSecret(t *testing.T) {
	t.Parallel()
	v, err := provider.New("github", provider.Settings{}, provider.Secret{Value: "new"}, provider.Secret{Value: "old", Until: signingTime})
	if err != nil {
		t.Fatal(err)
	}
	r := signedRequest(t, newVerifier(t, "github", provider.Settings{}, "old"))
	if findings := v.Diagnose(r, signingTime); findings[0].Code != "secret_expired" {
		t.Errorf("%+v", findings)
	}
}

func TestTheDoctorAsksForTheSecretThatIsNotThereYet(t *testing.T) {
	t.Parallel()
	r := signedRequest(t, newVerifier(t, "notion", provider.Settings{}, "secret_x"))
	if findings := newVerifier(t, "notion", provider.Settings{}).Diagnose(r, signingTime); findings[0].Code != "secret_missing" {
		t.Errorf("%+v", findings)
	}
}

func TestTheDoctorEndsOnALargeBody(t *testing.T) {
	t.Parallel()
	body := []byte(`["` + strings.Repeat(`ü/<",":"`, 1<<17) + `"]`)
	r := signedRequest(t, newVerifier(t, "github", provider.Settings{}, "other"))
	r.Body = body
	v := newVerifier(t, "github", provider.Settings{}, "a", "b", "c", "d")
	if findings := v.Diagnose(r, signingTime); len(findings) == 0 {
		t.Error("no finding")
	}
}

func TestTheDoctorHasAFindingForEveryProvider(t *testing.T) {
	t.Parallel()
	seen := 0
	for _, p := range provider.List() {
		k := kitOf(p)
		secrets := []provider.Secret{{Value: k.secret}}
		if p.SecretOptional {
			secrets = nil
		}
		v, err := provider.New(p.Name, k.settings, secrets...)
		if err != nil {
			continue // its key has a form of its own, and its own test knows it
		}
		seen++
		header := http.Header{}
		for _, name := range p.Headers {
			header.Set(name, "t=1777863721,v1=00")
		}
		for _, h := range []http.Header{nil, {}, header} {
			r := provider.Request{Method: "POST", URL: signedURL, Header: h, Body: []byte(`{"id":"a"}`)}
			findings := v.Diagnose(r, signingTime, provider.Secret{Value: k.other}, provider.Secret{})
			if len(findings) == 0 || findings[0].Code == "" || findings[0].Text == "" {
				t.Errorf("%s: %+v", p.Name, findings)
			}
			if findings[0].Code == "verified" {
				t.Errorf("%s believes nonsense", p.Name)
			}
		}
	}
	if seen < 70 {
		t.Errorf("only %d providers", seen)
	}
}
