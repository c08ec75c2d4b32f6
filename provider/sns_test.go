package provider_test

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/grapnelhq/grapnel/provider"
)

// snsWith is the signed notification with some members changed; nil takes one away.
func snsWith(t *testing.T, changes map[string]any) provider.Request {
	t.Helper()
	_, r := ownRequest(t, "aws-sns")
	var members map[string]any
	if err := json.Unmarshal(r.Body, &members); err != nil {
		t.Fatal(err)
	}
	for name, value := range changes {
		members[name] = value
		if value == nil {
			delete(members, name)
		}
	}
	r.Body = must(json.Marshal(members))
	return r
}

// counting is the settings of a receiver that counts what it fetches.
func counting(fetched *int, certificates ...*x509.Certificate) provider.Settings {
	s := snsSettings()
	s.WebhookID = ""
	s.Fetch = func(ctx context.Context, url string) ([]byte, error) {
		*fetched++
		return fetchFor(certificates...)(ctx, url)
	}
	return s
}

func TestACertificateOfAnotherAddressThanSNSIsNeverFetched(t *testing.T) {
	t.Parallel()
	const file = "/SimpleNotificationService-00000000000000000000000000000000.pem"
	for _, address := range []string{
		"", "https://attacker.com" + file,
		"https://sns.us-east-1.amazonaws.com.attacker.com" + file,
		"http://sns.us-east-1.amazonaws.com" + file,
		"https://sns.us-east-1.amazonaws.com:8443" + file,
		"https://sns.us-east-1.amazonaws.com:443" + file,
		"https://sns.us-east-1.amazonaws.com@attacker.com" + file,
		"https://user:pw@sns.us-east-1.amazonaws.com" + file,
		"https://attacker.com#sns.us-east-1.amazonaws.com" + file,
		"https://attacker.com?sns.us-east-1.amazonaws.com" + file,
		"https://attacker.com\\@sns.us-east-1.amazonaws.com" + file,
		"https://sns.us-east-1.amazonaws.com/bucket" + file,
		"https://sns.us-east-1.amazonaws.com/../bucket/x.pem",
		"https://sns.us-east-1.amazonaws.com/x.pem",
		"https://sns.us-east-1.amazonaws.com" + file + "?x=1",
		"https://sns.us-east-1.amazonaws.com" + file + "#x",
		"https://sns.us-east-1.amazonaws.com" + file + "\n",
		"\nhttps://sns.us-east-1.amazonaws.com" + file,
		"https://s3.us-east-1.amazonaws.com" + file,
		"https://sns.amazonaws.com" + file,
		"https://sns.us_east.amazonaws.com" + file,
		"https://sns.a.b.amazonaws.com" + file,
		"https://snsXus-east-1.amazonaws.com" + file,
		"https://sns.us-east-1xamazonaws.com" + file,
		"https://sns.us-east-1.amazonaws.com.cn.evil" + file,
		"https://sns.us-east-1.amazonaws.com." + file,
		"https://sns.us-east-1%2eamazonaws.com" + file,
		"//sns.us-east-1.amazonaws.com" + file, "file:///etc/passwd",
	} {
		fetched := 0
		v := newVerifier(t, "aws-sns", counting(&fetched, snsCert))
		verdict := v.Verify(t.Context(), snsWith(t, map[string]any{"SigningCertURL": address}), signingTime)
		if verdict.Reason != provider.UntrustedKey || fetched != 0 {
			t.Errorf("%q: %s, %d fetched", address, verdict.Reason, fetched)
		}
	}
	for _, address := range []string{
		"https://sns.eu-central-1.amazonaws.com" + file, "https://sns.cn-north-1.amazonaws.com.cn" + file, "https://sns.us-gov-west-1.amazonaws.com" + file,
	} {
		fetched := 0
		v := newVerifier(t, "aws-sns", counting(&fetched, snsCert))
		if verdict := v.Verify(t.Context(), snsWith(t, map[string]any{"SigningCertURL": address}), signingTime); !verdict.OK() || fetched != 1 {
			t.Errorf("%q: %s (%s), %d fetched", address, verdict.Reason, verdict.Detail, fetched)
		}
	}
}

func TestAMessageThatIsRefusedAnywayCausesNoFetch(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		changes map[string]any
		want    provider.Reason
	}{
		"another topic":   {map[string]any{"TopicArn": "arn:aws:sns:eu-central-1:666:evil"}, provider.NotAllowed},
		"no signature":    {map[string]any{"Signature": nil}, provider.MalformedBody},
		"short signature": {map[string]any{"Signature": "AAAA"}, provider.MalformedBody},
		"base64url":       {map[string]any{"Signature": strings.Repeat("-_", 200)}, provider.MalformedBody},
		"version 3":       {map[string]any{"SignatureVersion": "3"}, provider.MalformedBody},
		"version number":  {map[string]any{"SignatureVersion": 2}, provider.MalformedBody},
		"no version":      {map[string]any{"SignatureVersion": nil}, provider.MalformedBody},
		"unknown type":    {map[string]any{"Type": "Other"}, provider.MalformedBody},
		"header's type":   {map[string]any{"Type": "SubscriptionConfirmation", "Token": "x", "SubscribeURL": "x"}, provider.MalformedBody},
		"no message":      {map[string]any{"Message": nil}, provider.MalformedBody},
		"message object":  {map[string]any{"Message": map[string]any{}}, provider.MalformedBody},
		"old":             {map[string]any{"Timestamp": signingTime.Add(-2 * time.Hour).Format(time.RFC3339)}, provider.TooOld},
		"future":          {map[string]any{"Timestamp": signingTime.Add(2 * time.Hour).Format(time.RFC3339)}, provider.TooNew},
		"no time":         {map[string]any{"Timestamp": "soon"}, provider.MalformedBody},
	} {
		fetched := 0
		v := newVerifier(t, "aws-sns", counting(&fetched, snsCert))
		if verdict := v.Verify(t.Context(), snsWith(t, c.changes), signingTime); verdict.Reason != c.want || fetched != 0 {
			t.Errorf("%s: %s (%s), want %s; %d fetched", name, verdict.Reason, verdict.Detail, c.want, fetched)
		}
	}
}

func TestAnSNSMessageIsBelievedUnderAGoodCertificateOnly(t *testing.T) {
	t.Parallel()
	_, r := ownRequest(t, "aws-sns")
	ended := ownTemplate("sns.amazonaws.com", nil)
	ended.NotAfter = signingTime.Add(-time.Second)
	failing := snsSettings()
	failing.Fetch = func(context.Context, string) ([]byte, error) { return nil, errUnreachable }
	text := snsSettings()
	text.Fetch = func(context.Context, string) ([]byte, error) { return []byte("<html>"), nil }
	key := snsSettings()
	key.Fetch = func(context.Context, string) ([]byte, error) { return []byte(ownPublicPEM(ownRSA)), nil }
	unset := snsSettings()
	unset.Fetch = nil
	count := 0
	for name, c := range map[string]struct {
		settings provider.Settings
		want     provider.Reason
	}{
		"good": {snsSettings(), provider.Verified}, "ended": {counting(&count, ownCertificate(ended, nil)), provider.UntrustedKey},
		"unreachable": {failing, provider.KeyUnavailable}, "no fetch": {unset, provider.KeyUnavailable},
		"a page": {text, provider.UntrustedKey}, "a bare key": {key, provider.UntrustedKey},
		"no topics": {provider.Settings{Fetch: fetchFor(snsCert)}, provider.NotAllowed},
	} {
		if got := newVerifier(t, "aws-sns", c.settings).Verify(t.Context(), r, signingTime); got.Reason != c.want {
			t.Errorf("%s: %s (%s), want %s", name, got.Reason, got.Detail, c.want)
		}
	}
	pinned := newVerifier(t, "aws-sns", snsSettings(), ownCertificatePEM(payPalCert))
	if got := pinned.Verify(t.Context(), r, signingTime); got.Reason != provider.UntrustedKey {
		t.Errorf("another certificate than the configured one: %s", got.Reason)
	}
}

func TestAnSNSMessageHasOneReading(t *testing.T) {
	t.Parallel()
	v, r := ownRequest(t, "aws-sns")
	good := string(r.Body)
	for name, body := range map[string]string{
		"a member twice":      strings.Replace(good, `"Message":`, `"Message":"forged","Message":`, 1),
		"after the object":    good + "{}",
		"another spelling":    strings.Replace(good, `"Message":`, `"message":`, 1),
		"in a list":           "[" + good + "]",
		"a subject more":      strings.Replace(good, `"Subject":"tea"`, `"Subject":"coffee"`, 1),
		"a line end in names": strings.Replace(good, `"Subject":"tea"`, `"Subject":"tea\n"`, 1),
		"nothing":             "",
	} {
		r.Body = []byte(body)
		if verdict := v.Verify(t.Context(), r, signingTime); verdict.OK() {
			t.Errorf("%s: believed", name)
		}
	}
	r.Body = []byte(strings.Replace(good, `{`, `{"message":"forged",`, 1))
	if verdict := v.Verify(t.Context(), r, signingTime); !verdict.OK() {
		t.Errorf("a member of another name disturbs: %s", verdict.Detail)
	}
}

func TestSignatureVersionOneIsSHA1AndConfirmationsSignTheirURL(t *testing.T) {
	t.Parallel()
	members := map[string]string{
		"Type": "SubscriptionConfirmation", "MessageId": "m-2", "Token": "t", "TopicArn": snsTopic, "Message": "You have chosen", "SignatureVersion": "1",
		"SubscribeURL": "https://sns.eu-central-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn=" + snsTopic + "&Token=t", "Timestamp": "2026-05-04T03:02:01.000Z",
		"SigningCertURL": "https://sns.eu-central-1.amazonaws.com/SimpleNotificationService-00000000000000000000000000000000.pem",
	}
	var text strings.Builder
	for _, name := range []string{"Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"} {
		text.WriteString(name + "\n" + members[name] + "\n")
	}
	sum := sha1.Sum([]byte(text.String()))
	members["Signature"] = base64.StdEncoding.EncodeToString(must(rsa.SignPKCS1v15(rand.Reader, ownRSA, crypto.SHA1, sum[:])))
	settings := snsSettings()
	settings.Confirm = true
	v := newVerifier(t, "aws-sns", settings)
	r := provider.Request{Method: "POST", URL: ownURL, Body: must(json.Marshal(members))}
	verdict := v.Verify(t.Context(), r, signingTime)
	if !verdict.OK() || verdict.EventID != "m-2" || verdict.EventType != "SubscriptionConfirmation" {
		t.Fatalf("%+v", verdict)
	}
	if found, ok := v.Handshake(r, verdict, signingTime); !ok || found.Visit != members["SubscribeURL"] {
		t.Errorf("visit %q", found.Visit)
	}
	members["SubscribeURL"] += "x"
	r.Body = must(json.Marshal(members))
	if got := v.Verify(t.Context(), r, signingTime).Reason; got != provider.SignatureMismatch {
		t.Errorf("with another URL: %s", got)
	}
}
