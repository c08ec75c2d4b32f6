package hook_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/grapnelhq/grapnel/internal/hook"
)

func FuzzEnvelopeKeepsEachByteInJSON(f *testing.F) {
	for _, s := range []string{"", "plain", "ü☃", "\xff\xfe", "nul\x00", "a\xc3", "\u2028<&>", "\xed\xa0\x80"} {
		f.Add("POST", "/p", s, "X-Name", s, s)
		f.Add(s, s, "q=1", s, "value", "x")
	}
	f.Fuzz(func(t *testing.T, method, path, query, name, value, forward string) {
		for _, want := range []hook.Envelope{
			{Method: method, Path: path, Query: query},
			{Method: method, Path: path, Query: query, Headers: []hook.HeaderLine{{"A", "b"}, {name, value}, {name, ""}}, Forward: []string{forward}},
		} {
			text, err := json.Marshal(&want)
			if err != nil {
				t.Fatal(err)
			}
			var got hook.Envelope
			if err := json.Unmarshal(text, &got); err != nil {
				t.Fatalf("%s: %v", text, err)
			}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("%q became %q by way of %s", want, got, text)
			}
		}
	})
}

func TestEnvelopeOfCommonTextIsReadableJSON(t *testing.T) {
	t.Parallel()
	e := hook.Envelope{Method: "POST", Query: "a=1", Headers: []hook.HeaderLine{{"X-Name", "ü"}}}
	text, err := json.Marshal(e)
	if want := `{"method":"POST","query":"a=1","headers":[["X-Name","ü"]]}`; err != nil || string(text) != want {
		t.Errorf("%s, %v; want %s", text, err, want)
	}
}

func TestEnvelopeTakesNothingItDoesNotKnow(t *testing.T) {
	t.Parallel()
	for _, text := range []string{`{"method":"POST","more":1}`, `{"method":"☃","octets":true}`, `[]`, `{"headers":[["a",2]]}`} {
		var e hook.Envelope
		if err := json.Unmarshal([]byte(text), &e); err == nil || strings.Contains(err.Error(), "panic") {
			t.Errorf("%s gave %+v", text, e)
		}
	}
}
