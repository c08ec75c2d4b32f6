package webhook_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/grapnelhq/grapnel/webhook"
)

const testID, testTime = "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330

func mustSigner(t testing.TB, keys ...webhook.Key) *webhook.Signer {
	t.Helper()
	signer, err := webhook.NewSigner(keys...)
	if err != nil {
		t.Fatal(err)
	}
	return signer
}

// referenceHMAC is the signature as the standard library computes it.
func referenceHMAC(key []byte, id string, seconds int64, body []byte) string {
	mac := hmac.New(sha256.New, key)
	fmt.Fprintf(mac, "%s.%d.%s", id, seconds, body)
	return "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

func FuzzSignerAgreesWithTheStandardLibrary(f *testing.F) {
	f.Add(bytes.Repeat([]byte{1}, 24), testID, int64(testTime), []byte(`{}`))
	f.Add(bytes.Repeat([]byte{2}, 64), "", int64(0), []byte(nil))
	f.Add(bytes.Repeat([]byte{3}, 65), strings.Repeat("x", 2000), int64(-1), bytes.Repeat([]byte{'.'}, 3000))
	f.Fuzz(func(t *testing.T, raw []byte, id string, seconds int64, body []byte) {
		key, err := webhook.ParseLooseKey("whsec_" + base64.StdEncoding.EncodeToString(raw))
		if err != nil {
			return // not the length of a secret
		}
		signer := mustSigner(t, key)
		got := string(signer.AppendSignature([]byte("kept "), id, seconds, body))
		if want := "kept " + referenceHMAC(raw, id, seconds, body); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	})
}

func TestSignerPutsTheCurrentKeyFirst(t *testing.T) {
	t.Parallel()
	current, old, private := webhook.NewSecret(), webhook.NewSecret(), webhook.NewPrivateKey()
	at, body := time.Unix(testTime, 0), []byte("body")
	signer := mustSigner(t, current, private, old)
	got := signer.Sign(testID, at, body)
	want := strings.Join([]string{
		mustSigner(t, current).Sign(testID, at, body),
		mustSigner(t, private).Sign(testID, at, body),
		mustSigner(t, old).Sign(testID, at, body),
	}, " ")
	if got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if signer.SignatureLen() != len(got) {
		t.Errorf("SignatureLen %d, want %d", signer.SignatureLen(), len(got))
	}
	for _, key := range []webhook.Key{current, old, private} {
		header := http.Header{}
		if err := signer.SetHeaders(header, testID, at, body); err != nil {
			t.Fatal(err)
		}
		if err := verifierAt(t, testTime, key).Verify(header, body); err != nil {
			t.Errorf("%s: %v", key.Kind(), err)
		}
	}
}

func TestSignerRefusesKeysThatCannotSign(t *testing.T) {
	t.Parallel()
	public, _ := webhook.NewPrivateKey().Public()
	for name, keys := range map[string][]webhook.Key{"none": nil, "public": {public}, "secret, then public": {webhook.NewSecret(), public}} {
		if _, err := webhook.NewSigner(keys...); !errors.Is(err, webhook.ErrKey) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSetHeadersRefusesAmbiguousIDs(t *testing.T) {
	t.Parallel()
	signer := mustSigner(t, webhook.NewSecret())
	for _, id := range []string{"", "a.b", "a b", "a\nb", "a\r\nX: y", "a\x00", "ä", "\x7f"} {
		header := http.Header{}
		err := signer.SetHeaders(header, id, time.Unix(testTime, 0), nil)
		if !errors.Is(err, webhook.ErrID) || len(header) != 0 {
			t.Errorf("%q: %v, headers %v", id, err, header)
		}
	}
}

func TestSignerServesManyGoroutines(t *testing.T) {
	t.Parallel()
	keys := []webhook.Key{webhook.NewSecret(), webhook.NewSecret()}
	signers := []*webhook.Signer{mustSigner(t, keys[0]), mustSigner(t, keys[1])}
	verifiers := []*webhook.Verifier{verifierAt(t, testTime, keys[0]), verifierAt(t, testTime, keys[1])}
	var group sync.WaitGroup
	for worker := range 8 {
		group.Go(func() {
			for i := range 200 {
				body := fmt.Appendf(nil, "%d %d", worker, i)
				header := http.Header{}
				if err := signers[i%2].SetHeaders(header, testID, time.Unix(testTime, 0), body); err != nil {
					t.Error(err)
				}
				if err := verifiers[i%2].Verify(header, body); err != nil {
					t.Error(err)
				}
				if err := verifiers[1-i%2].Verify(header, body); !errors.Is(err, webhook.ErrNoMatch) {
					t.Errorf("under the other key: %v", err)
				}
			}
		})
	}
	group.Wait()
}

func TestSigningOneKilobyteDoesNotAllocate(t *testing.T) {
	signer := mustSigner(t, webhook.NewSecret())
	body, buffer := make([]byte, 1024), make([]byte, 0, signer.SignatureLen())
	allocs := testing.AllocsPerRun(200, func() { buffer = signer.AppendSignature(buffer[:0], testID, testTime, body) })
	// A garbage collection may empty the pool in between: an average under one is none.
	if allocs >= 1 {
		t.Errorf("AppendSignature allocates %v times", allocs)
	}
}

func BenchmarkAppendSignature(b *testing.B) {
	for _, keys := range []int{1, 2} {
		b.Run(fmt.Sprintf("keys=%d", keys), func(b *testing.B) {
			signer := mustSigner(b, []webhook.Key{webhook.NewSecret(), webhook.NewSecret()}[:keys]...)
			body, buffer := make([]byte, 1024), make([]byte, 0, signer.SignatureLen())
			b.ReportAllocs()
			for b.Loop() {
				buffer = signer.AppendSignature(buffer[:0], testID, testTime, body)
			}
		})
	}
}

func BenchmarkSign(b *testing.B) {
	for _, key := range []webhook.Key{webhook.NewSecret(), webhook.NewPrivateKey()} {
		b.Run(key.Kind().String(), func(b *testing.B) {
			signer, at, body := mustSigner(b, key), time.Unix(testTime, 0), make([]byte, 1024)
			b.ReportAllocs()
			for b.Loop() {
				signer.Sign(testID, at, body)
			}
		})
	}
}

func BenchmarkVerify(b *testing.B) {
	key, body, header := webhook.NewSecret(), make([]byte, 1024), http.Header{}
	if err := mustSigner(b, key).SetHeaders(header, testID, time.Unix(testTime, 0), body); err != nil {
		b.Fatal(err)
	}
	verifier := verifierAt(b, testTime, key)
	b.ReportAllocs()
	for b.Loop() {
		if err := verifier.Verify(header, body); err != nil {
			b.Fatal(err)
		}
	}
}
