package seal_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/grapnelhq/grapnel/internal/seal"
)

var canaryKey = base64.StdEncoding.EncodeToString([]byte(strings.Repeat("K", seal.KeySize)))

func mustKey(t testing.TB, text string) seal.Key {
	t.Helper()
	key, err := seal.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func mustRing(t testing.TB, current seal.Key, older ...seal.Key) *seal.Keyring {
	t.Helper()
	ring, err := seal.NewKeyring(current, older...)
	if err != nil {
		t.Fatal(err)
	}
	return ring
}

func TestSealedSecretsOpenInTheirContextOnly(t *testing.T) {
	t.Parallel()
	ring := mustRing(t, seal.NewKey())
	for _, plain := range []string{"", "x", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", strings.Repeat("long", 10_000)} {
		sealed := ring.Seal([]byte(plain), []byte("endpoint-secret 1"))
		if len(sealed) != len(plain)+seal.Overhead {
			t.Errorf("%d bytes for %d", len(sealed), len(plain))
		}
		if len(plain) > 8 && bytes.Contains(sealed, []byte(plain)) {
			t.Error("the secret is not encrypted")
		}
		opened, err := ring.Open(sealed, []byte("endpoint-secret 1"))
		if err != nil || string(opened) != plain {
			t.Errorf("Open: %q, %v", opened, err)
		}
		for _, context := range []string{"", "endpoint-secret 2", "endpoint-secret 1 ", "endpoint-secret"} {
			if _, err := ring.Open(sealed, []byte(context)); !errors.Is(err, seal.Tampered) {
				t.Errorf("in context %q: %v", context, err)
			}
		}
	}
}

func TestSealingTwiceGivesDifferentBytes(t *testing.T) {
	t.Parallel()
	ring := mustRing(t, seal.NewKey())
	if bytes.Equal(ring.Seal([]byte("a"), nil), ring.Seal([]byte("a"), nil)) {
		t.Error("the nonce repeats")
	}
}

func TestOpenNoticesEveryChangedBit(t *testing.T) {
	t.Parallel()
	ring := mustRing(t, seal.NewKey())
	sealed := ring.Seal([]byte("secret"), []byte("context"))
	for i := range sealed {
		for bit := range 8 {
			changed := bytes.Clone(sealed)
			changed[i] ^= 1 << bit
			want := seal.Tampered
			switch {
			case i == 0:
				want = seal.NotSealed
			case i <= 8:
				want = seal.UnknownKey
			}
			if plain, err := ring.Open(changed, []byte("context")); !errors.Is(err, want) || plain != nil {
				t.Fatalf("byte %d bit %d: %q, %v, want %v", i, bit, plain, err, want)
			}
		}
	}
	for n := range sealed {
		want := seal.NotSealed
		if n >= seal.Overhead {
			want = seal.Tampered
		}
		if _, err := ring.Open(sealed[:n], []byte("context")); !errors.Is(err, want) {
			t.Errorf("cut to %d bytes: %v, want %v", n, err, want)
		}
	}
	if _, err := ring.Open(append(sealed, 0), []byte("context")); !errors.Is(err, seal.Tampered) {
		t.Errorf("one byte more: %v", err)
	}
}

func TestKeyringOpensWhatOlderKeysSealed(t *testing.T) {
	t.Parallel()
	old, current := seal.NewKey(), seal.NewKey()
	before := mustRing(t, old).Seal([]byte("secret"), nil)
	rotated := mustRing(t, current, old)
	if opened, err := rotated.Open(before, nil); err != nil || string(opened) != "secret" {
		t.Errorf("after the change of the key: %q, %v", opened, err)
	}
	after := rotated.Seal([]byte("secret"), nil)
	if rotated.IsCurrent(before) || !rotated.IsCurrent(after) || rotated.IsCurrent(nil) {
		t.Error("IsCurrent does not tell old from new")
	}
	_, err := mustRing(t, current).Open(before, nil)
	if !errors.Is(err, seal.UnknownKey) || !strings.Contains(err.Error(), old.ID()) {
		t.Errorf("without the old key: %v, want one that names key %s", err, old.ID())
	}
	if _, err := mustRing(t, current).Open(after, nil); err != nil {
		t.Errorf("sealed anew, without the old key: %v", err)
	}
}

func TestNewKeyringRefusesTheZeroKey(t *testing.T) {
	t.Parallel()
	for _, keys := range [][2]seal.Key{{{}, seal.NewKey()}, {seal.NewKey(), {}}} {
		if _, err := seal.NewKeyring(keys[0], keys[1]); !errors.Is(err, seal.KeyText) {
			t.Errorf("got %v", err)
		}
	}
}

func TestParseTakesExactly32BytesOfBase64(t *testing.T) {
	t.Parallel()
	sized := func(n int) string { return base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{0xfb}, n)) }
	tests := map[string]bool{
		sized(32): true, sized(32) + "\n": true, "  " + sized(32) + "\r\n": true,
		sized(31): false, sized(33): false, sized(0): false, " \n": false, "not base64": false, strings.Repeat("a", 64): false,
		strings.TrimRight(sized(32), "="): false, base64.URLEncoding.EncodeToString(bytes.Repeat([]byte{0xfb}, 32)): false,
	}
	for text, want := range tests {
		key, err := seal.Parse(text)
		if (err == nil) != want {
			t.Errorf("%q: %v", text, err)
		}
		if want && !key.Equal(mustKey(t, sized(32))) {
			t.Errorf("%q is another key", text)
		}
		if problem, ok := errors.AsType[*seal.Error](err); !want && (!ok || problem.Problem != seal.KeyText || problem.Hint() == "") {
			t.Errorf("%q: %v without a hint", text, err)
		}
		if !want && len(text) > 20 && strings.Contains(err.Error(), strings.TrimSpace(text)) {
			t.Errorf("the error shows the key: %v", err)
		}
	}
}

func TestKeysSurviveTheirTextAndDiffer(t *testing.T) {
	t.Parallel()
	key := seal.NewKey()
	if again := mustKey(t, key.Reveal()); !again.Equal(key) || again.ID() != key.ID() {
		t.Error("a key does not survive its text")
	}
	if other := seal.NewKey(); other.Equal(key) || other.ID() == key.ID() {
		t.Error("two new keys are the same")
	}
}

func TestEveryProblemHasAMessageAndAHint(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, problem := range seal.Problems() {
		err := &seal.Error{Problem: problem}
		if problem.Error() == "" || strings.Contains(problem.Error(), "Problem(") || seen[problem.Error()] || err.Hint() == "" {
			t.Errorf("problem %d: %q, hint %q", uint8(problem), problem.Error(), err.Hint())
		}
		seen[problem.Error()] = true
	}
	// The first value outside of the set proves that the list is complete.
	next := seal.Problem(len(seal.Problems()) + 1)
	if got := next.Error(); got != fmt.Sprintf("seal.Problem(%d)", uint8(next)) || next.Hint() != "" {
		t.Errorf("Problems() lacks %q", got)
	}
}

func FuzzOpenRefusesForeignBytes(f *testing.F) {
	ring := mustRing(f, mustKey(f, canaryKey))
	f.Add([]byte(nil), []byte(nil))
	f.Add(ring.Seal([]byte("secret"), []byte("other")), []byte("context"))
	f.Add(bytes.Repeat([]byte{1}, seal.Overhead), []byte{})
	f.Fuzz(func(t *testing.T, sealed, context []byte) {
		plain, err := ring.Open(sealed, context)
		if err == nil || plain != nil {
			t.Fatalf("opened %x", sealed)
		}
		if _, ok := errors.AsType[*seal.Error](err); !ok {
			t.Errorf("untyped error %v", err)
		}
	})
}

func BenchmarkOpen(b *testing.B) {
	ring := mustRing(b, seal.NewKey())
	sealed := ring.Seal([]byte("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"), []byte("context"))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ring.Open(sealed, []byte("context")); err != nil {
			b.Fatal(err)
		}
	}
}

func TestParseKeysTakesSeveralPartedBySpaceOrCommas(t *testing.T) {
	t.Parallel()
	a, b, c := seal.NewKey(), seal.NewKey(), seal.NewKey()
	for text, want := range map[string][]seal.Key{
		a.Reveal():                                          {a},
		a.Reveal() + "\n" + b.Reveal() + "\n":               {a, b},
		" " + b.Reveal() + ", " + a.Reveal() + "\t,":        {b, a},
		c.Reveal() + "," + b.Reveal() + "\r\n" + a.Reveal(): {c, b, a},
		a.Reveal() + " " + a.Reveal():                       nil,
		a.Reveal() + " short":                               nil,
		"":                                                  nil, ",": nil, " \n": nil, a.Reveal() + b.Reveal(): nil,
	} {
		keys, err := seal.ParseKeys(text)
		if (err == nil) != (want != nil) || len(keys) != len(want) {
			t.Errorf("%d keys, want %d, %v", len(keys), len(want), err)
			continue
		}
		for i := range want {
			if !keys[i].Equal(want[i]) {
				t.Errorf("key %d of %d is another one", i, len(want))
			}
		}
		if err != nil && (!errors.Is(err, seal.KeyText) || strings.Contains(err.Error(), a.Reveal())) {
			t.Errorf("the refusal is of no kind or shows a key: %v", err)
		}
	}
}

func TestKeyOfNamesTheKeyThatSealed(t *testing.T) {
	t.Parallel()
	key := seal.NewKey()
	sealed := mustRing(t, seal.NewKey(), key).Seal([]byte("x"), nil)
	if id, err := seal.KeyOf(sealed); err != nil || id == key.ID() {
		t.Errorf("the older key: %s, %v", id, err)
	}
	if id, err := seal.KeyOf(mustRing(t, key).Seal(nil, nil)); err != nil || id != key.ID() {
		t.Errorf("%s, want %s, %v", id, key.ID(), err)
	}
	for _, other := range [][]byte{nil, sealed[:seal.Overhead-1], append([]byte{9}, sealed[1:]...)} {
		if id, err := seal.KeyOf(other); !errors.Is(err, seal.NotSealed) || id != "" {
			t.Errorf("%x: %q, %v", other, id, err)
		}
	}
}
