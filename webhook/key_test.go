package webhook_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/grapnelhq/grapnel/webhook"
)

func TestKeyPrintsAsMaskEverywhere(t *testing.T) {
	t.Parallel()
	raw := []byte("0123456789abcdefghijklmnop")
	key, err := webhook.ParseKey("whsec_" + base64.StdEncoding.EncodeToString(raw))
	if err != nil {
		t.Fatal(err)
	}
	signer, err := webhook.NewSigner(key)
	if err != nil {
		t.Fatal(err)
	}
	verifier, err := webhook.NewVerifier([]webhook.Key{key})
	if err != nil {
		t.Fatal(err)
	}
	var printed strings.Builder
	for _, value := range []any{
		key, &key, []webhook.Key{key}, map[string]webhook.Key{"a": key}, struct{ Key webhook.Key }{key},
		struct{ hidden webhook.Key }{key}, struct{ hidden *webhook.Key }{&key},
		struct {
			s *webhook.Signer
			v *webhook.Verifier
		}{signer, verifier}, signer, verifier,
	} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%b"} {
			fmt.Fprintf(&printed, verb+"\n", value)
		}
		for _, handler := range []slog.Handler{slog.NewTextHandler(&printed, nil), slog.NewJSONHandler(&printed, nil)} {
			slog.New(handler).Info("x", "value", value)
		}
		text, err := json.Marshal(value)
		fmt.Fprintf(&printed, "%s %v\n", text, err)
	}
	text, err := xml.Marshal(key)
	fmt.Fprintf(&printed, "%s %v\n", text, err)
	fmt.Fprintln(&printed, key.String(), key.GoString())
	if !strings.Contains(printed.String(), "***") {
		t.Error("nothing was masked")
	}
	assertNoTrace(t, printed.String(), raw)
}

// assertNoTrace looks for the secret in every spelling that a printer produces.
func assertNoTrace(t *testing.T, printed string, raw []byte) {
	t.Helper()
	decimals := strings.Trim(fmt.Sprintf("%d", raw), "[]")
	for _, spelling := range []string{
		string(raw), base64.StdEncoding.EncodeToString(raw)[:16],
		fmt.Sprintf("%x", raw), fmt.Sprintf("%X", raw), decimals,
		strings.Trim(fmt.Sprintf("%#v", raw), "[]byte{}"), strings.Trim(fmt.Sprintf("%b", raw), "[]"),
	} {
		if strings.Contains(printed, spelling) {
			t.Errorf("the secret shows as %q", spelling)
		}
	}
}

func TestParseKeyRefusesWhatTheStandardDoesNotAllow(t *testing.T) {
	t.Parallel()
	sized := func(prefix string, n int) string {
		return prefix + base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{0xfb}, n))
	}
	private := webhook.NewPrivateKey().Reveal()
	otherHalf := webhook.NewPrivateKey().Reveal()
	tests := map[string]struct {
		text          string
		strict, loose bool
	}{
		"23 bytes":            {sized("whsec_", 23), false, false},
		"24 bytes":            {sized("whsec_", 24), true, true},
		"64 bytes":            {sized("whsec_", 64), true, true},
		"65 bytes":            {sized("whsec_", 65), false, true},
		"75 bytes":            {sized("whsec_", 75), false, true},
		"76 bytes":            {sized("whsec_", 76), false, false},
		"no prefix":           {sized("", 24), false, true},
		"no prefix, short":    {sized("", 23), false, false},
		"blanks around":       {" " + sized("whsec_", 24) + "\n", false, true},
		"line break inside":   {sized("whsec_", 24)[:20] + "\n" + sized("whsec_", 24)[20:], false, false},
		"line break at end":   {sized("whsec_", 25) + "\n", false, true},
		"no padding":          {strings.TrimRight(sized("whsec_", 25), "="), false, false},
		"base64url":           {strings.NewReplacer("+", "-", "/", "_").Replace(sized("whsec_", 24)), false, false},
		"unused bits set":     {"whsec_" + strings.Repeat("A", 33) + "B==", false, false},
		"upper-case prefix":   {sized("WHSEC_", 24), false, false},
		"empty":               {"", false, false},
		"only blanks":         {"  ", false, false},
		"private":             {private, true, true},
		"private, short":      {sized("whsk_", 32), false, false},
		"private, mixed pair": {mixPair(t, private, otherHalf), false, false},
		"public":              {sized("whpk_", 32), true, true},
		"public, long":        {sized("whpk_", 33), false, false},
		"newer prefix":        {sized("whsk1_", 64), false, false},
	}
	for name, test := range tests {
		for mode, parse := range map[string]func(string) (webhook.Key, error){"strict": webhook.ParseKey, "loose": webhook.ParseLooseKey} {
			want := map[string]bool{"strict": test.strict, "loose": test.loose}[mode]
			key, err := parse(test.text)
			if (err == nil) != want {
				t.Errorf("%s, %s: %v, want ok %t", name, mode, err, want)
			}
			if err != nil && (!errors.Is(err, webhook.ErrKey) || key.Kind() != webhook.KindNone) {
				t.Errorf("%s, %s: error %v with a key of kind %s", name, mode, err, key.Kind())
			}
			if err != nil && len(test.text) > 8 && strings.Contains(err.Error(), test.text[7:]) {
				t.Errorf("%s, %s: the error shows the key", name, mode)
			}
		}
	}
}

// mixPair joins the seed of one private key with the public half of another.
func mixPair(t *testing.T, a, b string) string {
	t.Helper()
	decode := func(text string) []byte {
		raw, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(text, "whsk_"))
		if err != nil {
			t.Fatal(err)
		}
		return raw
	}
	return "whsk_" + base64.StdEncoding.EncodeToString(append(decode(a)[:32], decode(b)[32:]...))
}

func TestNewKeysRoundTripAndDiffer(t *testing.T) {
	t.Parallel()
	for kind, newKey := range map[webhook.Kind]func() webhook.Key{
		webhook.KindSecret: webhook.NewSecret, webhook.KindPrivate: webhook.NewPrivateKey,
	} {
		key, other := newKey(), newKey()
		if key.Kind() != kind || key.Equal(other) {
			t.Errorf("%s: kind %s, equal to another %t", kind, key.Kind(), key.Equal(other))
		}
		parsed, err := webhook.ParseKey(key.Reveal())
		if err != nil || !parsed.Equal(key) {
			t.Errorf("%s does not survive its text: %v", kind, err)
		}
	}
}

func TestPublicGivesTheVerifyingHalf(t *testing.T) {
	t.Parallel()
	private := webhook.NewPrivateKey()
	public, ok := private.Public()
	if !ok || public.Kind() != webhook.KindPublic || !strings.HasPrefix(public.Reveal(), "whpk_") {
		t.Fatalf("public half: %s, %t", public.Kind(), ok)
	}
	again, ok := public.Public()
	if !ok || !again.Equal(public) {
		t.Error("the public half of a public key is not itself")
	}
	for _, key := range []webhook.Key{webhook.NewSecret(), {}} {
		if _, ok := key.Public(); ok {
			t.Errorf("%s has a public half", key.Kind())
		}
	}
}

func TestZeroKeyIsNoKey(t *testing.T) {
	t.Parallel()
	var zero webhook.Key
	if zero.Reveal() != "" || zero.Kind() != webhook.KindNone || !zero.Equal(webhook.Key{}) || zero.Equal(webhook.NewSecret()) {
		t.Error("the zero key is something")
	}
	if _, err := webhook.NewSigner(zero); !errors.Is(err, webhook.ErrKey) {
		t.Errorf("NewSigner: %v", err)
	}
	if _, err := webhook.NewVerifier([]webhook.Key{zero}); !errors.Is(err, webhook.ErrKey) {
		t.Errorf("NewVerifier: %v", err)
	}
}
