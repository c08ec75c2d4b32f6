package webhook_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/grapnelhq/grapnel/webhook"
)

const testSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

func signedHeader(t testing.TB, key webhook.Key, seconds int64, body []byte) http.Header {
	t.Helper()
	header := http.Header{}
	if err := mustSigner(t, key).SetHeaders(header, testID, time.Unix(seconds, 0), body); err != nil {
		t.Fatal(err)
	}
	return header
}

func TestVerifyNamesTheMissingHeader(t *testing.T) {
	t.Parallel()
	key := mustLoose(t, testSecret)
	for _, name := range []string{"webhook-id", "webhook-timestamp", "webhook-signature"} {
		for _, value := range []string{"absent", "", "  ", "\t", ",,,", " , , "} {
			header := signedHeader(t, key, testTime, nil)
			header.Set(name, value)
			if value == "absent" {
				header.Del(name)
			}
			err := verifierAt(t, testTime, key).Verify(header, nil)
			if !errors.Is(err, webhook.ErrMissingHeader) || !strings.Contains(err.Error(), name) {
				t.Errorf("%s = %q: %v", name, value, err)
			}
		}
	}
}

func TestVerifyRefusesTimestampsThatAreNotWholeSeconds(t *testing.T) {
	t.Parallel()
	key := mustLoose(t, testSecret)
	tests := map[string]error{
		"abc": webhook.ErrMalformedHeader, "-1": webhook.ErrMalformedHeader, "1e9": webhook.ErrMalformedHeader,
		"1700000000.5": webhook.ErrMalformedHeader, "+1700000000": webhook.ErrMalformedHeader,
		"9999999999999999999999": webhook.ErrMalformedHeader, "Infinity": webhook.ErrMalformedHeader,
		"NaN": webhook.ErrMalformedHeader, "١٧٠٠٠٠٠٠٠٠": webhook.ErrMalformedHeader, "１７００００００００": webhook.ErrMalformedHeader,
		"01700000000": webhook.ErrMalformedHeader, "0x6553f100": webhook.ErrMalformedHeader, "1_700_000_000": webhook.ErrMalformedHeader,
		" 1700000000": webhook.ErrMalformedHeader, "1700000000 ": webhook.ErrMalformedHeader, "1700000000\n": webhook.ErrMalformedHeader,
		"9223372036854775807": webhook.ErrMalformedHeader, "18446744073709551616": webhook.ErrMalformedHeader,
		"0": webhook.ErrTooOld, "1699999699": webhook.ErrTooOld, "1700000301": webhook.ErrTooNew,
		"1700000000000": webhook.ErrTooNew, "999999999999999": webhook.ErrTooNew,
		"1700000000": nil, "1699999700": nil, "1700000300": nil,
	}
	for text, want := range tests {
		// Sign the very text, so that nothing but the form can be the reason.
		header := http.Header{}
		header.Set("webhook-id", testID)
		header.Set("webhook-timestamp", text)
		header.Set("webhook-signature", signText(t, testID+"."+text+".body"))
		err := verifierAt(t, 1_700_000_000, key).Verify(header, []byte("body"))
		if !errors.Is(err, want) {
			t.Errorf("%q: %v, want %v", text, err, want)
		}
	}
}

// signText signs any text with testSecret, also one that a Signer cannot produce.
func signText(t *testing.T, text string) string {
	t.Helper()
	raw, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(testSecret, "whsec_"))
	if err != nil {
		t.Fatal(err)
	}
	mac := hmac.New(sha256.New, raw)
	mac.Write([]byte(text))
	return "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

func TestVerifyUsesTheToleranceItWasGiven(t *testing.T) {
	t.Parallel()
	key := webhook.NewSecret()
	clock := webhook.WithClock(func() time.Time { return time.Unix(testTime, 0) })
	verifier, err := webhook.NewVerifier([]webhook.Key{key}, clock, webhook.WithTolerance(10*time.Second))
	if err != nil {
		t.Fatal(err)
	}
	for offset, want := range map[int64]error{-11: webhook.ErrTooOld, -10: nil, 10: nil, 11: webhook.ErrTooNew} {
		if err := verifier.Verify(signedHeader(t, key, testTime+offset, nil), nil); !errors.Is(err, want) {
			t.Errorf("%+d s: %v, want %v", offset, err, want)
		}
	}
	for _, bad := range []webhook.Option{webhook.WithTolerance(0), webhook.WithTolerance(-time.Second), webhook.WithClock(nil)} {
		if _, err := webhook.NewVerifier([]webhook.Key{key}, bad); err == nil {
			t.Error("an option that switches a check off was accepted")
		}
	}
}

func TestVerifyAcceptsOnlyTheDocumentedEncoding(t *testing.T) {
	t.Parallel()
	key, body := mustLoose(t, testSecret), []byte(`{"test": 2432232314}`)
	good := "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
	raw, err := base64.StdEncoding.DecodeString(good)
	if err != nil {
		t.Fatal(err)
	}
	wrongTail := append([]byte{}, raw...)
	wrongTail[31] ^= 1
	tests := map[string]bool{
		"v1," + good: true, "v1,AAAA v1," + good: true, "  v1," + good + "  ": true, "v9,x v1," + good: true,
		"v1," + strings.TrimRight(good, "="): false, "v1," + base64.URLEncoding.EncodeToString(raw): false,
		"v1," + strings.ToUpper(hex.EncodeToString(raw)): false, "v1," + hex.EncodeToString(raw): false,
		"v1," + good + "\n!": false, "v1," + good[:20] + "\n" + good[20:]: false, "v1,\n" + good[:43]: false,
		"V1," + good: false, "v1=" + good: false, good: false, "v1" + good: false, "v2," + good: false,
		"v1,v1," + good: false, "v1a," + good: false, "v1," + good + ",": false, "v1," + good + ",v1," + good: false,
		"v1," + good[:42] + "F=":                             false, // differs only in bits that decode to nothing
		"v1," + base64.StdEncoding.EncodeToString(wrongTail): false,
		"v1," + base64.StdEncoding.EncodeToString(raw[:8]):   false,
		"v1," + base64.StdEncoding.EncodeToString(nil):       false,
	}
	for value, want := range tests {
		header := http.Header{}
		header.Set("webhook-id", testID)
		header.Set("webhook-timestamp", strconv.Itoa(testTime))
		header.Set("webhook-signature", value)
		err := verifierAt(t, testTime, key).Verify(header, body)
		if want && err != nil || !want && !errors.Is(err, webhook.ErrNoMatch) {
			t.Errorf("%q: %v, want ok %t", value, err, want)
		}
	}
}

func TestVerifyNeverMixesKindsOfKeys(t *testing.T) {
	t.Parallel()
	private := webhook.NewPrivateKey()
	public, _ := private.Public()
	publicBytes := strings.TrimPrefix(public.Reveal(), "whpk_")
	asSecret := mustLoose(t, "whsec_"+publicBytes)
	confused := signedHeader(t, asSecret, testTime, nil) // v1 keyed with the public key
	if err := verifierAt(t, testTime, public).Verify(confused, nil); !errors.Is(err, webhook.ErrNoMatch) {
		t.Errorf("HMAC under a public key: %v", err)
	}
	relabelled := confused.Clone()
	relabelled.Set("webhook-signature", strings.Replace(confused.Get("webhook-signature"), "v1,", "v1a,", 1))
	if err := verifierAt(t, testTime, public, webhook.NewSecret()).Verify(relabelled, nil); !errors.Is(err, webhook.ErrNoMatch) {
		t.Errorf("the same under v1a: %v", err)
	}
	asymmetric := signedHeader(t, private, testTime, nil)
	if err := verifierAt(t, testTime, asSecret).Verify(asymmetric, nil); !errors.Is(err, webhook.ErrNoMatch) {
		t.Errorf("v1a under a shared secret: %v", err)
	}
	if err := verifierAt(t, testTime, webhook.NewSecret(), public).Verify(asymmetric, nil); err != nil {
		t.Errorf("v1a beside a shared secret: %v", err)
	}
}

func TestVerifyTriesEveryLineUpToTheLimit(t *testing.T) {
	t.Parallel()
	key := webhook.NewSecret()
	good := signedHeader(t, key, testTime, nil)
	signature := good.Get("webhook-signature")
	wrong := mustSigner(t, webhook.NewSecret()).Sign(testID, time.Unix(testTime, 0), nil)
	repeat := func(n int) string { return strings.TrimSpace(strings.Repeat(wrong+" ", n)) }
	tests := map[string]struct {
		lines []string
		want  error
	}{
		"second line":              {[]string{wrong, signature}, nil},
		"first line":               {[]string{signature, wrong}, nil},
		"empty first line":         {[]string{"", signature}, nil},
		"last that is tried":       {[]string{repeat(webhook.MaxSignatures-1) + " " + signature}, nil},
		"first that is not tried":  {[]string{repeat(webhook.MaxSignatures) + " " + signature}, webhook.ErrNoMatch},
		"not tried on a next line": {[]string{repeat(webhook.MaxSignatures), signature}, webhook.ErrNoMatch},
		"unknown ones count too":   {[]string{strings.Repeat("v9,x ", 1000) + signature}, webhook.ErrNoMatch},
		"none":                     {[]string{wrong, wrong}, webhook.ErrNoMatch},
	}
	for name, test := range tests {
		header := good.Clone()
		header["Webhook-Signature"] = test.lines
		if err := verifierAt(t, testTime, key).Verify(header, nil); !errors.Is(err, test.want) {
			t.Errorf("%s: %v, want %v", name, err, test.want)
		}
	}
}

func TestVerifyRefusesAmbiguousHeaders(t *testing.T) {
	t.Parallel()
	key := mustLoose(t, testSecret)
	for name, change := range map[string]func(http.Header){
		"two ids":        func(h http.Header) { h.Add("webhook-id", testID) },
		"two timestamps": func(h http.Header) { h.Add("webhook-timestamp", strconv.Itoa(testTime)) },
		"id with a dot": func(h http.Header) {
			// The id takes the time along; the time is the start of the signed body.
			h.Set("webhook-id", testID+".1")
			h.Set("webhook-signature", signText(t, fmt.Sprintf("%s.1.%d.", testID, testTime)))
		},
	} {
		header := signedHeader(t, key, testTime, nil)
		change(header)
		if err := verifierAt(t, testTime, key).Verify(header, nil); !errors.Is(err, webhook.ErrMalformedHeader) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestVerifyTakesAllThreeHeadersFromOneFamily(t *testing.T) {
	t.Parallel()
	key := webhook.NewSecret()
	good := signedHeader(t, key, testTime, nil)
	both := good.Clone()
	for _, name := range []string{"Id", "Timestamp", "Signature"} {
		both.Set("Svix-"+name, "rubbish")
	}
	if err := verifierAt(t, testTime, key).Verify(both, nil); err != nil {
		t.Errorf("rubbish beside a good family: %v", err)
	}
	mixed := good.Clone()
	mixed.Del("webhook-id")
	mixed.Set("svix-id", testID)
	if err := verifierAt(t, testTime, key).Verify(mixed, nil); !errors.Is(err, webhook.ErrMissingHeader) {
		t.Errorf("mixed families: %v", err)
	}
}

func TestVerifyAcceptsTheOldKeyOnlyWhileItIsConfigured(t *testing.T) {
	t.Parallel()
	old, current := webhook.NewSecret(), webhook.NewSecret()
	header := signedHeader(t, old, testTime, nil)
	if err := verifierAt(t, testTime, current, old).Verify(header, nil); err != nil {
		t.Errorf("during the overlap: %v", err)
	}
	if err := verifierAt(t, testTime, current).Verify(header, nil); !errors.Is(err, webhook.ErrNoMatch) {
		t.Errorf("after the overlap: %v", err)
	}
}

func TestMustVerifierPanicsOnAnUnusableSecret(t *testing.T) {
	t.Parallel()
	for _, secrets := range [][]string{nil, {""}, {"whsec_"}, {testSecret, "short"}} {
		func() {
			defer func() {
				if err, ok := recover().(error); !ok || !errors.Is(err, webhook.ErrKey) {
					t.Errorf("%d secrets: recovered %v", len(secrets), err)
				}
			}()
			webhook.MustVerifier(secrets...)
		}()
	}
}

func FuzzVerifyAcceptsNothingForeign(f *testing.F) {
	for _, v := range readVectors(f).Vectors {
		header := v.header("webhook-")
		f.Add(header.Get("webhook-id"), header.Get("webhook-timestamp"), header.Get("webhook-signature"), []byte(v.Body))
	}
	private := webhook.NewPrivateKey()
	public, _ := private.Public()
	verifier := verifierAt(f, testTime, mustLoose(f, testSecret), public)
	signer := mustSigner(f, mustLoose(f, testSecret))
	f.Fuzz(func(t *testing.T, id, timestamp, signature string, body []byte) {
		header := http.Header{}
		header.Set("webhook-id", id)
		header.Set("webhook-timestamp", timestamp)
		header.Set("webhook-signature", signature)
		err := verifier.Verify(header, body)
		if err == nil {
			// Whatever is accepted must be what our own signer says about it.
			seconds, parseErr := strconv.ParseInt(timestamp, 10, 64)
			want := signer.Sign(id, time.Unix(seconds, 0), body)
			if parseErr != nil || !strings.Contains(signature, want) {
				t.Errorf("accepted id %q timestamp %q signature %q", id, timestamp, signature)
			}
			return
		}
		for _, known := range []error{webhook.ErrMissingHeader, webhook.ErrMalformedHeader, webhook.ErrTooOld, webhook.ErrTooNew, webhook.ErrNoMatch} {
			if errors.Is(err, known) {
				return
			}
		}
		t.Errorf("untyped error %v", err)
	})
}
