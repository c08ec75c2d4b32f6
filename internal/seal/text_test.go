package seal_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"html/template"
	"log/slog"
	"reflect"
	"strings"
	"testing"

	"github.com/grapnelhq/grapnel/internal/seal"
)

const canary = "canary-5f1e9a0c7b"

// printEverywhere shows value through every printer of the standard library.
func printEverywhere(t *testing.T, value any) string {
	t.Helper()
	var printed bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "% x", "%d", "%b", "%o", "%c", "%U", "%e", "%t", "%p", "%10s", "%!"} {
		fmt.Fprintf(&printed, verb+"\n", value)
	}
	fmt.Fprintln(&printed, value)
	for _, handler := range []slog.Handler{slog.NewTextHandler(&printed, nil), slog.NewJSONHandler(&printed, nil)} {
		slog.New(handler).With("with", value).Info("x", "value", value, slog.Group("group", "value", value))
	}
	if text, err := json.Marshal(value); err == nil {
		fmt.Fprintf(&printed, "%s\n", text)
	}
	if text, err := xml.Marshal(value); err == nil {
		fmt.Fprintf(&printed, "%s\n", text)
	}
	if err := template.Must(template.New("").Parse("{{.}}\n")).Execute(&printed, value); err != nil {
		t.Error(err)
	}
	fmt.Fprintln(&printed, fmt.Errorf("wrapped: %v", value), errors.New(fmt.Sprint(value)))
	return printed.String()
}

func assertHidden(t *testing.T, printed, secret string) {
	t.Helper()
	raw := []byte(secret)
	for _, spelling := range []string{
		secret, fmt.Sprintf("%x", raw), fmt.Sprintf("%X", raw), fmt.Sprintf("% x", raw), strings.Trim(fmt.Sprintf("%d", raw), "[]"),
		strings.Trim(fmt.Sprintf("%b", raw), "[]"), strings.Trim(fmt.Sprintf("%o", raw), "[]"), strings.Trim(fmt.Sprintf("%U", raw), "[]"),
	} {
		if strings.Contains(printed, spelling) {
			t.Errorf("the secret shows as %q", spelling)
		}
	}
}

func TestTextPrintsAsMaskEverywhere(t *testing.T) {
	t.Parallel()
	text := seal.NewText(canary)
	type nested struct {
		Public  seal.Text
		private seal.Text
		pointer *seal.Text
		list    []seal.Text
		byName  map[string]seal.Text
		any     any
	}
	type embedded struct{ seal.Text }
	values := map[string]any{
		"value": text, "pointer": &text, "list": []seal.Text{text}, "array": [1]seal.Text{text},
		"map": map[string]seal.Text{"a": text}, "map key": map[seal.Text]string{text: "a"},
		"fields":   nested{text, text, &text, []seal.Text{text}, map[string]seal.Text{"a": text}, text},
		"pointers": &nested{text, text, &text, []seal.Text{text}, map[string]seal.Text{"a": text}, &text},
		"embedded": embedded{text}, "key": mustKey(t, canaryKey), "key field": struct{ key seal.Key }{mustKey(t, canaryKey)},
	}
	for name, value := range values {
		printed := printEverywhere(t, value)
		assertHidden(t, printed, canary)
		assertHidden(t, printed, canaryKey)
		if !strings.Contains(printed, seal.Mask) && name != "key field" {
			t.Errorf("%s: no mask in %q", name, printed)
		}
	}
}

func TestKeyringPrintsNoKey(t *testing.T) {
	t.Parallel()
	key := mustKey(t, canaryKey)
	ring, err := seal.NewKeyring(key)
	if err != nil {
		t.Fatal(err)
	}
	printed := printEverywhere(t, struct{ ring *seal.Keyring }{ring}) + printEverywhere(t, ring) + printEverywhere(t, *ring)
	assertHidden(t, printed, canaryKey)
	assertHidden(t, printed, strings.Repeat("K", seal.KeySize))
}

func TestEmptyTextPrintsAsNothing(t *testing.T) {
	t.Parallel()
	for _, text := range []seal.Text{{}, seal.NewText("")} {
		if got := fmt.Sprintf("[%v%+v%#v%s]", text, text, text, text); got != "[]" {
			t.Errorf("got %s", got)
		}
		if !text.IsZero() || text.Reveal() != "" {
			t.Error("the empty secret is not empty")
		}
	}
	encoded, err := json.Marshal(struct {
		A seal.Text `json:"a"`
		B seal.Text `json:"b,omitzero"`
		C seal.Text `json:"c,omitzero"`
	}{C: seal.NewText(canary)})
	if err != nil || string(encoded) != `{"a":"","c":"***"}` {
		t.Errorf("got %s, %v", encoded, err)
	}
}

func TestTextIsReadFromText(t *testing.T) {
	t.Parallel()
	var value struct{ Secret seal.Text }
	if err := json.Unmarshal([]byte(`{"Secret":"`+canary+`"}`), &value); err != nil {
		t.Fatal(err)
	}
	if value.Secret.Reveal() != canary {
		t.Errorf("got %q", value.Secret.Reveal())
	}
	if err := json.Unmarshal([]byte(`{"Secret":"***"}`), &value); !errors.Is(err, seal.ErrMasked) {
		t.Errorf("a printed secret was read back: %v", err)
	}
	if value.Secret.Reveal() != canary {
		t.Error("a refused text replaced the secret")
	}
	if err := value.Secret.UnmarshalText(nil); err != nil || !value.Secret.IsZero() {
		t.Errorf("an empty text did not empty the secret: %v", err)
	}
}

func TestTextsCompareByTheirSecret(t *testing.T) {
	t.Parallel()
	a, b := seal.NewText("a"), seal.NewText("a")
	if !a.Equal(b) || !reflect.DeepEqual(a, b) || a.Equal(seal.NewText("b")) || a.Equal(seal.Text{}) || !(seal.Text{}).Equal(seal.Text{}) {
		t.Error("Equal does not compare the secrets")
	}
}
