package provider_test

import (
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/grapnelhq/grapnel/provider"
)

func digestOf(secret, content string) []byte {
	h := hmac.New(sha256.New, []byte(secret))
	h.Write([]byte(content))
	return h.Sum(nil)
}

func TestASignatureHeaderWithNothingInItIsNeverBelieved(t *testing.T) {
	t.Parallel()
	for _, p := range checked(t) {
		k := kitOf(p)
		v := newVerifier(t, p.Name, k.settings, k.secret)
		r := signedRequest(t, v)
		for name := range r.Header {
			for _, value := range []string{"", " ", "   \t", ",", ",,,,", "=", "v1=", "sha256=", "v1,", "t=,v1=", ";", "null", "\x00", strings.Repeat("a", 1<<16)} {
				if verdict := v.Verify(t.Context(), withHeader(r, name, value), signingTime); verdict.OK() {
					t.Errorf("%s with %s %.20q: %s", p.Name, name, value, verdict.Reason)
				}
			}
		}
	}
}

func TestOfTwoHeadersEachSignatureCountsAndEveryOtherIsRefused(t *testing.T) {
	t.Parallel()
	for _, p := range checked(t) {
		k := kitOf(p)
		v := newVerifier(t, p.Name, k.settings, k.secret)
		r := signedRequest(t, v)
		for name, values := range r.Header {
			wrong := []byte(values[0])
			wrong[len(wrong)-1] ^= 2
			first := v.Verify(t.Context(), withHeader(r, name, values[0], string(wrong)), signingTime)
			last := v.Verify(t.Context(), withHeader(r, name, string(wrong), values[0]), signingTime)
			if first.OK() != last.OK() {
				t.Errorf("%s: two %s: %s or %s, as they stand", p.Name, name, first.Reason, last.Reason)
			}
			if first.OK() && !strings.Contains(strings.ToLower(name), "sign") && !strings.Contains(strings.ToLower(name), "hmac") && !strings.Contains(strings.ToLower(name), "digest") &&
				name != "X-Trello-Webhook" && name != "X-Gitlab-Token" && name != "X-Telegram-Bot-Api-Secret-Token" && name != "X-Airtable-Content-Mac" && name != "X-Sig" {
				t.Errorf("%s: two %s are believed", p.Name, name)
			}

		}
	}
}

func TestADigestInAnotherSpellingIsRefused(t *testing.T) {
	t.Parallel()
	body := "hello"
	sum := digestOf("secret", body)
	for _, p := range []struct{ name, prefix, right string }{
		{"github", "sha256=", hex.EncodeToString(sum)},
		{"shopify", "", base64.StdEncoding.EncodeToString(sum)},
		{"typeform", "sha256=", base64.StdEncoding.EncodeToString(sum)},
	} {
		v := newVerifier(t, p.name, provider.Settings{}, "secret")
		header := v.Provider().Headers[0]
		r := provider.Request{Method: "POST", Header: http.Header{}, Body: []byte(body)}
		if verdict := v.Verify(t.Context(), withHeader(r, header, p.prefix+p.right), signingTime); !verdict.OK() {
			t.Fatalf("%s: %s (%s)", p.name, verdict.Reason, verdict.Detail)
		}
		for _, wrong := range []string{
			p.prefix + strings.ToUpper(hex.EncodeToString(sum)), p.prefix + base64.RawStdEncoding.EncodeToString(sum), p.prefix + base64.RawURLEncoding.EncodeToString(sum),
			p.prefix + p.right + "\n", p.prefix + p.right + " ", " " + p.prefix + p.right, p.prefix + " " + p.right, p.prefix + p.right[:20] + "\n" + p.right[20:],
			strings.ToUpper(p.prefix) + p.right + "x", p.prefix + p.right[:16], p.prefix + p.right + p.right, p.prefix + string(sum), p.prefix + "0x" + p.right,
		} {
			if v.Verify(t.Context(), withHeader(r, header, wrong), signingTime).OK() {
				t.Errorf("%s: %q is believed", p.name, wrong)
			}
		}
	}
}

func TestATimeThatIsNoPlainNumberIsRefusedEvenIfSigned(t *testing.T) {
	t.Parallel()
	now := signingTime.Unix()
	for _, stamp := range []string{
		"abc", "", "-1", "1e9", "1700000000.5", "+1700000000", "9999999999999999999999", "0", "Infinity", "NaN", "١٧٠٠٠٠٠٠٠٠",
		strconv.FormatInt(now, 10) + "000", "0" + strconv.FormatInt(now, 10), " " + strconv.FormatInt(now, 10), strconv.FormatInt(now, 10) + "\n",
		"0x65", "-" + strconv.FormatInt(now, 10), "18446744073709551615", "9223372036854775807", "-9223372036854775808", "18446744075486325237",
	} {
		slack := provider.Request{Method: "POST", Body: []byte("b"), Header: http.Header{
			"X-Slack-Request-Timestamp": {stamp}, "X-Slack-Signature": {"v0=" + hex.EncodeToString(digestOf("secret", "v0:"+stamp+":b"))},
		}}
		stripe := provider.Request{Method: "POST", Body: []byte("b"), Header: http.Header{
			"Stripe-Signature": {"t=" + stamp + ",v1=" + hex.EncodeToString(digestOf("secret", stamp+".b"))},
		}}
		for name, r := range map[string]provider.Request{"slack": slack, "stripe": stripe} {
			if verdict := newVerifier(t, name, provider.Settings{}, "secret").Verify(t.Context(), r, signingTime); verdict.OK() {
				t.Errorf("%s believes the time %q", name, stamp)
			}
		}
		body := fmt.Sprintf(`{"webhookTimestamp":%s}`, stamp)
		linear := provider.Request{Method: "POST", Body: []byte(body), Header: http.Header{"Linear-Signature": {hex.EncodeToString(digestOf("secret", body))}}}
		if stamp == strconv.FormatInt(now, 10)+"000" || strings.TrimSpace(stamp) == stamp && strings.HasSuffix(stamp, "000") && len(stamp) == 13 {
			continue // milliseconds are right here
		}
		if verdict := newVerifier(t, "linear", provider.Settings{}, "secret").Verify(t.Context(), linear, signingTime); verdict.OK() {
			t.Errorf("linear believes the time %q", stamp)
		}
	}
}

func TestTwoTimesInOneHeaderAreRefused(t *testing.T) {
	t.Parallel()
	now := strconv.FormatInt(signingTime.Unix(), 10)
	v := newVerifier(t, "stripe", provider.Settings{}, "secret")
	signature := ",v1=" + hex.EncodeToString(digestOf("secret", now+".b"))
	for _, header := range []string{"t=1,t=" + now + signature, "t=" + now + ",t=1" + signature, "t=" + now + signature + ",t=" + now, "T=" + now + signature, signature} {
		r := provider.Request{Method: "POST", Body: []byte("b"), Header: http.Header{"Stripe-Signature": {header}}}
		if verdict := v.Verify(t.Context(), r, signingTime); verdict.Reason != provider.MalformedHeader {
			t.Errorf("%q: %s", header, verdict.Reason)
		}
	}
}

func TestOfAThousandSignaturesOnlyTheFirstAreTried(t *testing.T) {
	t.Parallel()
	right := "v1=" + hex.EncodeToString(digestOf("secret", "b"))
	wrong := "v1=" + strings.Repeat("0", 64)
	v := newVerifier(t, "pagerduty", provider.Settings{}, "secret")
	verify := func(values ...string) bool {
		return v.Verify(t.Context(), provider.Request{Body: []byte("b"), Header: http.Header{"X-Pagerduty-Signature": values}}, signingTime).OK()
	}
	few, many := slices.Repeat([]string{wrong}, provider.MaxSignatures-1), slices.Repeat([]string{wrong}, 1000)
	if !verify(strings.Join(append(few, right), ",")) {
		t.Error("the last that is looked at does not count")
	}
	if !verify(append(few, right)...) {
		t.Error("the last header that is looked at does not count")
	}
	if verify(strings.Join(append(many, right), ",")) || verify(append(many, right)...) {
		t.Error("a thousand were tried")
	}
}

func TestAnHMACKeyedWithThePublicKeyIsRefused(t *testing.T) {
	t.Parallel()
	private := ed25519Text(3)
	public, _ := hex.DecodeString(private[64:])
	stamp := strconv.FormatInt(signingTime.Unix(), 10)
	v := newVerifier(t, "discord", provider.Settings{}, private[64:])
	for _, key := range []string{string(public), private[64:]} {
		sum := digestOf(key, stamp+"b")
		for _, signature := range []string{hex.EncodeToString(sum), hex.EncodeToString(append(sum, sum...)), strings.Repeat("0", 2*ed25519.SignatureSize)} {
			r := provider.Request{Body: []byte("b"), Header: http.Header{"X-Signature-Ed25519": {signature}, "X-Signature-Timestamp": {stamp}}}
			if v.Verify(t.Context(), r, signingTime).OK() {
				t.Errorf("%s is believed", signature)
			}
		}
	}
}

func TestIDsThatNobodyCouldStoreAreDropped(t *testing.T) {
	t.Parallel()
	v := newVerifier(t, "github", provider.Settings{}, "secret")
	for _, id := range []string{strings.Repeat("x", 257), "a\nb", "a\x00", "\xff"} {
		r := provider.Request{Header: http.Header{"X-Github-Delivery": {id}, "X-Github-Event": {"push"}}}
		if verdict := v.Verify(t.Context(), r, signingTime); verdict.EventID != "" || verdict.EventType != "push" {
			t.Errorf("%q: %+v", id, verdict)
		}
	}
	r := provider.Request{Header: http.Header{"X-Github-Delivery": {"a", "b"}}}
	if verdict := v.Verify(t.Context(), r, signingTime); verdict.EventID != "" {
		t.Errorf("of two ids it takes %q", verdict.EventID)
	}
}
