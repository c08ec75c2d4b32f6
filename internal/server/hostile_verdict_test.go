package server_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/grapnelhq/grapnel/internal/testx"
)

const githubSecret = "It's a Secret to Everybody"

func (b *box) github() (id, url string) {
	b.t.Helper()
	return b.source(b.t, map[string]any{"type": "github", "secrets": []any{map[string]any{"value": githubSecret}}})
}

func hmacHex(key, text string) string {
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write([]byte(text))
	return hex.EncodeToString(mac.Sum(nil))
}

// stripeHeader signs for a time as Stripe does.
func stripeHeader(at int64, body string) string {
	stamp := strconv.FormatInt(at, 10)
	return "t=" + stamp + ",v1=" + hmacHex(stripeSecret, stamp+"."+body)
}

// refuses sends requests that must not be believed.
func (b *box) refuses(url, body, header string, values ...string) {
	b.t.Helper()
	for _, value := range values {
		headers := []string{header, value}
		if value == "absent" {
			headers = nil
		}
		if got := b.post(url, body, headers...); got.status != 400 && got.status != 401 || strings.Contains(got.body, "detail") {
			b.t.Errorf("%s: %.60q: %d %s", header, value, got.status, got.body)
		}
	}
}

// hostileHeaders are the rows of the area "headers" that come to the gateway.
var hostileHeaders = map[string]func(*box){
	"X056": func(b *box) {
		id, url := b.open(map[string]any{"allowNets": []string{"192.0.2.0/24"}})
		for _, name := range []string{"X-Forwarded-For", "Forwarded", "X-Real-Ip"} {
			if got := b.post(url, "{}", name, map[string]string{"Forwarded": "for=192.0.2.1"}[name]+"192.0.2.1"); got.status != 403 {
				b.t.Errorf("%s: %d", name, got.status)
			}
		}
		if row := b.log(id, 3)[0]; row["reason"] != "address_not_allowed" || row["remote"] != "127.0.0.1" && row["remoteAddress"] != "127.0.0.1" {
			b.t.Errorf("the log says %v", row)
		}
		trusting := &box{start(b.t, b.t.TempDir(), map[string]string{"trusted-proxies": "127.0.0.0/8"}), b.t}
		_, url = trusting.open(map[string]any{"allowNets": []string{"192.0.2.0/24"}})
		if got := trusting.post(url, "{}", "X-Forwarded-For", "203.0.113.9, 192.0.2.1"); got.status/100 != 2 {
			b.t.Errorf("an address by a trusted proxy: %d", got.status)
		}
		if got := trusting.post(url, "{}", "X-Forwarded-For", "192.0.2.1, 203.0.113.9"); got.status != 403 {
			b.t.Errorf("an address that the client made up: %d", got.status)
		}
	},
	"X057": func(b *box) {
		id, url := b.open(nil)
		lines := make([]string, 0, 1000)
		for i := range 500 {
			lines = append(lines, "X-Line-"+strconv.Itoa(i), "v")
		}
		if got := b.post(url, "{}", lines...); got.status != 431 {
			b.t.Errorf("500 headers: %d", got.status)
		}
		if got := b.post(url, "{}", "X-Long", strings.Repeat("x", 64<<10)); got.status != 431 {
			b.t.Errorf("64 KiB of headers: %d", got.status)
		}
		if n := b.messages(id); n != 0 {
			b.t.Errorf("%d were taken", n)
		}
	},
	"X058": func(b *box) {
		arrived := make(chan http.Header, 1) // the receiver sends, the test receives
		receiver := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { arrived <- r.Header }))
		defer receiver.Close()
		id, url := b.open(nil)
		b.ask(b.t, "POST", "/ingest/api/v1/source/"+id+"/endpoint", map[string]any{"url": receiver.URL})
		got := b.post(url, "{}", "Authorization", "Bearer canary-7", "Cookie", "canary-8", "Proxy-Authorization", "canary-9")
		for name, values := range testx.Receive(b.t, arrived, "the forwarded webhook") {
			if strings.Contains(strings.Join(values, ""), "canary") {
				b.t.Errorf("%s was passed on", name)
			}
		}
		_, _, shown := get(b.t, b.URL()+"/ingest/api/v1/source/"+id+"/request/"+got.header.Get("Grapnel-Request-Id"), "Authorization", "Bearer "+testKey)
		if strings.Contains(shown, "canary") || !strings.Contains(shown, "uthorization") {
			b.t.Errorf("the API shows %s", shown)
		}
		testx.NoError(b.t, b.stop())
		if strings.Contains(b.node.log.String(), "canary") {
			b.t.Error("the log has a credential")
		}
	},
	"X059": func(b *box) {
		_, url := b.github()
		right := "sha256=" + hmacHex(githubSecret, "{}")
		wrong := "sha256=" + strings.Repeat("0", 64)
		for _, two := range []struct {
			first, second string
			want          int
		}{{right, wrong, 202}, {wrong, right, 202}, {wrong, wrong, 401}, {right[:40], right[40:], 401}} {
			if got := b.post(url, "{}", "X-Hub-Signature-256", two.first, "X-Hub-Signature-256", two.second); got.status != two.want {
				b.t.Errorf("%+v: %d", two, got.status)
			}
		}
		b.refuses(url, "{}", "X-Hub-Signature-256", right+", "+right, right+","+"sha256=00")
	},
}

// hostileSignatures are the rows of the area "signature".
var hostileSignatures = map[string]func(*box){
	"X060": func(b *box) {
		_, github := b.github()
		b.refuses(github, "{}", "X-Hub-Signature-256", "absent", "", "   ", ",,,", "sha256=", "sha256=,")
		_, stripe := b.stripe()
		b.refuses(stripe, "{}", "Stripe-Signature", "absent", "", "   ", ",,,", "t=,v1=", "v1=", "t=1")
	},
	"X061": func(b *box) {
		_, url := b.github()
		digest := hmacHex(githubSecret, "{}")
		raw, _ := hex.DecodeString(digest)
		b.refuses(url, "{}", "X-Hub-Signature-256", "sha256="+strings.ToUpper(digest), "sha256="+base64.StdEncoding.EncodeToString(raw), "sha256="+base64.RawURLEncoding.EncodeToString(raw), digest, "SHA256="+digest, "sha256="+digest+"00")
		if got := b.post(url, "{}", "X-Hub-Signature-256", "sha256="+digest); got.status/100 != 2 {
			b.t.Errorf("the documented encoding: %d", got.status)
		}
	},
	"X062": func(b *box) {
		_, url := b.github()
		digest := hmacHex(githubSecret, "{}")
		b.refuses(url, "{}", "X-Hub-Signature-256", "sha256="+hmacHex(githubSecret, "{ }"), "sha256="+digest[:16]+strings.Repeat("0", 48))
	},
	"X063": func(b *box) {
		_, url := b.stripe()
		for _, stamp := range []string{"abc", "", "-1", "1e9", "1700000000.5", "+" + strconv.FormatInt(time.Now().Unix(), 10), "9999999999999999999999", "0", "Infinity", "١٧٠٠", "0x65", " 1", "-9223372036854775808"} {
			b.refuses(url, "{}", "Stripe-Signature", "t="+stamp+",v1="+hmacHex(stripeSecret, stamp+".{}"))
		}
	},
	"X064": func(b *box) {
		_, url := b.stripe()
		now := time.Now().Unix()
		b.refuses(url, "{}", "Stripe-Signature", stripeHeader(now-310, "{}"), stripeHeader(now+310, "{}"), stripeHeader(time.Now().UnixMilli(), "{}"))
		if got := b.post(url, "{}", "Stripe-Signature", stripeHeader(now-290, "{}")); got.status/100 != 2 {
			b.t.Errorf("within the tolerance: %d", got.status)
		}
	},
	"X065": func(b *box) {
		id, url := b.stripe()
		header := stripeHeader(time.Now().Unix(), stripeBody)
		first, second := b.post(url, stripeBody, "Stripe-Signature", header), b.post(url, stripeBody, "Stripe-Signature", header)
		if first.status/100 != 2 || second.status != first.status || b.messages(id) != 1 {
			b.t.Errorf("answers %d and %d, %d messages", first.status, second.status, b.messages(id))
		}
		// Two of the same moment are in no order.
		if log := b.log(id, 2); !slices.ContainsFunc(log, func(r map[string]any) bool { return r["state"] == "duplicate" }) {
			b.t.Errorf("the log says %v", log)
		}
	},
	"X066": func(b *box) {
		_, url := b.stripe()
		now := time.Now().Unix()
		many := "t=" + strconv.FormatInt(now, 10) + strings.Repeat(",v1="+strings.Repeat("0", 64), 700)
		right := strings.TrimPrefix(stripeHeader(now, "{}"), "t="+strconv.FormatInt(now, 10))
		b.refuses(url, "{}", "Stripe-Signature", many, many+right)
	},
	"X067": func(b *box) {
		_, url := b.source(b.t, map[string]any{"type": "standard-webhooks", "secrets": []any{map[string]any{"value": ed25519Public}}})
		raw, _ := base64.StdEncoding.DecodeString(strings.TrimPrefix(ed25519Public, "whpk_"))
		stamp := strconv.FormatInt(time.Now().Unix(), 10)
		for _, key := range []string{string(raw), ed25519Public} {
			mac := hmac.New(sha256.New, []byte(key))
			mac.Write([]byte("msg_1." + stamp + ".{}"))
			if got := b.post(url, "{}", "Webhook-Id", "msg_1", "Webhook-Timestamp", stamp, "Webhook-Signature", "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil))); got.status != 401 {
				b.t.Errorf("a MAC under the public key: %d", got.status)
			}
		}
	},
	"X068": func(b *box) {
		_, url := b.source(b.t, map[string]any{"type": "plaid"})
		none := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none","kid":"../../x","jku":"https://evil.example/keys"}`)) + "." + base64.RawURLEncoding.EncodeToString([]byte(`{"iat":`+strconv.FormatInt(time.Now().Unix(), 10)+`}`)) + "."
		b.refuses(url, "{}", "Plaid-Verification", none, "absent", "a.b.c", "..")
	},
	"X069": func(b *box) {
		id, url := b.source(b.t, map[string]any{"type": "aws-sns", "verification": map[string]any{"topics": []string{"arn:aws:sns:us-east-1:1:t"}}})
		for _, cert := range []string{"https://attacker.com/x.pem", "https://sns.us-east-1.amazonaws.com.attacker.com/x.pem", "http://sns.us-east-1.amazonaws.com/x.pem", "https://sns.us-east-1.amazonaws.com:8443/x.pem", "https://u@sns.us-east-1.amazonaws.com/x.pem", "https://s3.amazonaws.com/bucket/x.pem"} {
			body := fmt.Sprintf(`{"Type":"Notification","MessageId":"1","TopicArn":"arn:aws:sns:us-east-1:1:t","Message":"m","Timestamp":%q,"SignatureVersion":"2","Signature":"AAAA","SigningCertURL":%q}`, time.Now().UTC().Format(time.RFC3339), cert)
			if got := b.post(url, body, "X-Amz-Sns-Message-Type", "Notification"); got.status/100 != 4 {
				b.t.Errorf("%s: %d", cert, got.status)
			}
		}
		for _, row := range b.log(id, 6) {
			if row["reason"] == "key_unavailable" { // that would mean that it was asked for
				b.t.Errorf("the log says %v", row)
			}
		}
	},
	"X070": func(b *box) {
		id, url := b.source(b.t, map[string]any{"type": "paypal", "verification": map[string]any{"webhookId": "1JE4291016473214C"}})
		if got := b.post(url, "{}", "Paypal-Transmission-Id", "1", "Paypal-Transmission-Time", time.Now().UTC().Format(time.RFC3339), "Paypal-Transmission-Sig", "AAAA", "Paypal-Cert-Url", "https://attacker.example/cert.pem", "Paypal-Auth-Algo", "SHA256withRSA"); got.status/100 != 4 {
			b.t.Errorf("answer %d", got.status)
		}
		if reason := b.log(id, 1)[0]["reason"]; reason == "key_unavailable" || reason == "verified" {
			b.t.Errorf("the log says %v", reason)
		}
	},
	"X071": func(b *box) {
		id, url := b.source(b.t, map[string]any{"type": "aws-sns", "verification": map[string]any{"topics": []string{"arn:aws:sns:us-east-1:1:t"}, "confirm": true}})
		body := `{"Type":"SubscriptionConfirmation","MessageId":"1","Token":"x","TopicArn":"arn:aws:sns:us-east-1:2:other","Message":"m","SubscribeURL":"https://sns.us-east-1.amazonaws.com/?Action=ConfirmSubscription","Timestamp":"2026-01-01T00:00:00Z","SignatureVersion":"2","Signature":"AAAA","SigningCertURL":"https://sns.us-east-1.amazonaws.com/x.pem"}`
		if got := b.post(url, body, "X-Amz-Sns-Message-Type", "SubscriptionConfirmation"); got.status/100 != 4 {
			b.t.Errorf("answer %d", got.status)
		}
		if row := b.log(id, 1)[0]; row["state"] == "handshake" {
			b.t.Errorf("the log says %v", row)
		}
	},
	"X072": func(b *box) {
		for _, secret := range []string{"", "whsec_", "whsec_!!!", "whsec_" + base64.StdEncoding.EncodeToString(make([]byte, 8)), "whsec_" + base64.StdEncoding.EncodeToString(make([]byte, 100))} {
			if status, out := b.ask(b.t, "POST", "/ingest/api/v1/source", map[string]any{"name": "x", "type": "standard-webhooks", "secrets": []any{map[string]any{"value": secret}}}); status != 422 {
				b.t.Errorf("%q: %d %v", secret, status, out)
			}
		}
		_, url := b.source(b.t, map[string]any{"type": "github"})
		b.refuses(url, "{}", "X-Hub-Signature-256", "sha256="+hmacHex("", "{}"), "absent", "")
	},
	"X073": func(b *box) {
		until := time.Now().Add(time.Hour)
		id, url := b.source(b.t, map[string]any{"type": "github", "secrets": []any{map[string]any{"value": "the-new-secret"}, map[string]any{"value": githubSecret, "expiresAt": until}}})
		old := "sha256=" + hmacHex(githubSecret, "{}")
		if got := b.post(url, "{}", "X-Hub-Signature-256", old); got.status/100 != 2 {
			b.t.Errorf("during the overlap: %d", got.status)
		}
		if status, out := b.ask(b.t, "PATCH", "/ingest/api/v1/source/"+id, map[string]any{"secrets": []any{map[string]any{"value": "the-new-secret"}}}); status != 200 {
			b.t.Fatalf("ending the old one: %d %v", status, out)
		}
		b.refuses(url, "{}", "X-Hub-Signature-256", old)
	},
	"X074": func(b *box) {
		_, url := b.stripe()
		header := stripeHeader(time.Now().Unix(), stripeBody)
		var value any
		testx.NoError(b.t, json.Unmarshal([]byte(stripeBody), &value))
		again, err := json.Marshal(value)
		testx.NoError(b.t, err)
		for _, body := range []string{string(again), stripeBody + "\n", " " + stripeBody, strings.ReplaceAll(stripeBody, "invoice", `\u0069nvoice`)} {
			b.refuses(url, body, "Stripe-Signature", header)
		}
	},
	"X075": func(b *box) {
		public := &box{start(b.t, b.t.TempDir(), map[string]string{"public-url": "https://hooks.example.com/base", "trusted-proxies": "127.0.0.0/8"}), b.t}
		_, url := public.source(b.t, map[string]any{"type": "twilio", "secrets": []any{map[string]any{"value": "0123456789abcdef0123456789abcdef"}}})
		if !strings.HasPrefix(url, "https://hooks.example.com/base/in/") {
			b.t.Fatalf("ingest URL %s", url)
		}
		behind := "?a=%27&b=C"
		req := signedPost(b.t, "twilio", "0123456789abcdef0123456789abcdef", url+behind, `{"a":1}`)
		local := public.URL() + path(url)
		headers := func() []string {
			list := []string{"X-Forwarded-Host", "evil.example", "X-Forwarded-Proto", "http"}
			for name, values := range req.Header {
				list = append(list, name, values[0])
			}
			return list
		}()
		if got := public.post(local+req.URL.RequestURI()[strings.Index(req.URL.RequestURI(), "?"):], `{"a":1}`, headers...); got.status/100 != 2 {
			b.t.Errorf("signed for the public URL: %d", got.status)
		}
		wrong := signedPost(b.t, "twilio", "0123456789abcdef0123456789abcdef", local+behind, `{"a":1}`)
		if got := public.do(wrong); got.status/100 == 2 {
			b.t.Error("the address of the Host header was believed")
		}
	},
}

// ed25519Public is the public key of RFC 8032, 7.1, test 1.
const ed25519Public = "whpk_11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="

// hostileJSON are the rows of the area "JSON".
var hostileJSON = map[string]func(*box){
	"X076": func(b *box) {
		text, err := os.ReadFile("../api/testdata/json-corpus.json")
		testx.NoError(b.t, err)
		var corpus map[string]string
		testx.NoError(b.t, json.Unmarshal(text, &corpus))
		id, url := b.open(map[string]any{"eventType": map[string]any{"body": "a.b"}})
		_, strict := b.open(map[string]any{"requireJson": true})
		for name, body := range corpus {
			if body == "" {
				continue // X013
			}
			began := time.Now()
			b.keeps(id, url, body, "X-Id", name)
			got := b.post(strict, body, "X-Id", name)
			if want := map[byte]int{'y': 202, 'n': 415, 'i': got.status}[name[0]]; got.status != want || got.status >= 500 {
				b.t.Errorf("%s where JSON is due: %d, want %d", name, got.status, want)
			}
			if took := time.Since(began); took > 10*time.Second {
				b.t.Errorf("%s took %v", name, took)
			}
		}
	},
	"X077": func(b *box) {
		id, url := b.open(map[string]any{"eventType": map[string]any{"body": "type"}})
		b.keeps(id, url, `{"type":"a","type":"b"}`)
		if kind := b.log(id, 1)[0]["eventType"]; kind != "b" {
			b.t.Errorf("the event type is %v, want the last one's", kind)
		}
	},
	"X078": func(b *box) {
		id, url := b.open(map[string]any{"dedupe": map[string]any{"by": "body", "at": "id"}})
		for _, number := range []string{"1e400", "-0", "12345678901234567890", "12345678901234567891", "0.1" + strings.Repeat("0", 60) + "1"} {
			b.keeps(id, url, `{"id":`+number+`}`)
		}
		if n := b.messages(id); n != 5 {
			b.t.Errorf("%d messages, want 5: ids were rounded", n)
		}
	},
	"X079": func(b *box) {
		keepsAll(b, `"\ud800"`, "{\"a\":\"\xc0\xaf\"}", "\xff\xfe{\x00}\x00", "\xef\xbb\xbf{}", "{\"a\":\"\xff\"}")
	},
	"X080": func(b *box) { keepsAll(b, `{"a\u0000":"\u0000"}`, "{\"a\":\"\x00\"}", "\x00") },
	"X081": func(b *box) {
		deep := strings.Repeat("[", 100_000)
		id, url := b.open(map[string]any{"eventType": map[string]any{"body": strings.Repeat("0.", 20) + "0"}})
		b.keeps(id, url, deep)
		_, strict := b.open(map[string]any{"requireJson": true})
		if got := b.post(strict, deep+strings.Repeat("]", 100_000)); got.status != 415 {
			b.t.Errorf("where JSON is due: %d", got.status)
		}
	},
	"X082": func(b *box) {
		large := &box{start(b.t, b.t.TempDir(), map[string]string{"max-body": "16MiB"}), b.t}
		id, url := large.open(map[string]any{"eventType": map[string]any{"body": "z.type"}})
		var text strings.Builder
		for i := range 1_000_000 {
			fmt.Fprintf(&text, `"k%d":0,`, i)
		}
		began := time.Now()
		large.keeps(id, url, `{`+text.String()+`"z":{"type":"found"}}`, "X-Id", "1")
		large.keeps(id, url, `{"`+strings.Repeat("k", 10<<20)+`":0}`, "X-Id", "2")
		if took := time.Since(began); took > time.Minute {
			b.t.Errorf("took %v", took)
		}
	},
	"X083": func(b *box) { keepsAll(b, `"text"`, "1", "null", "[]", "{} trailing", "true") },
	"X084": func(b *box) {
		id, url := b.open(map[string]any{"eventType": map[string]any{"body": "__proto__.type"}})
		b.keeps(id, url, `{"__proto__":{"type":"polluted"},"constructor":{"prototype":{}},"toString":1}`)
		b.keeps(id, url, `{"a":1}`, "X-Id", "2")
		var kinds []string
		for _, row := range b.log(id, 2) {
			kinds = append(kinds, row["eventType"].(string))
		}
		if slices.Sort(kinds); !slices.Equal(kinds, []string{"event", "polluted"}) {
			b.t.Errorf("event types %v", kinds)
		}
	},
}

// keepsAll sends bodies that must be stored as they are.
func keepsAll(b *box, bodies ...string) {
	b.t.Helper()
	id, url := b.open(map[string]any{"eventType": map[string]any{"body": "a"}})
	for i, body := range bodies {
		b.keeps(id, url, body, "X-Id", strconv.Itoa(i))
	}
	if n := b.messages(id); n != len(bodies) {
		b.t.Errorf("%d messages, want %d", n, len(bodies))
	}
}
