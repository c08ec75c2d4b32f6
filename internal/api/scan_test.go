package api_test

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/grapnelhq/grapnel/internal/api"
)

// corpus has JSON texts by what a parser must do with them: y accept, n refuse,
// i either, but never crash. The cases follow the categories of RFC 8259.
func corpus(t testing.TB) map[string]string {
	t.Helper()
	text, err := os.ReadFile("testdata/json-corpus.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases map[string]string
	if err := json.Unmarshal(text, &cases); err != nil {
		t.Fatal(err)
	}
	for name, generated := range map[string]string{
		"n_depth_100000_arrays":  strings.Repeat("[", 100_000),
		"n_depth_100000_closed":  strings.Repeat("[", 100_000) + strings.Repeat("]", 100_000),
		"n_depth_100000_objects": strings.Repeat(`{"a":`, 100_000),
		"y_depth_500":            strings.Repeat("[", 500) + strings.Repeat("]", 500),
		"n_utf8_invalid":         "\"\xff\"",
		"n_utf8_overlong":        "\"\xc0\xaf\"",
		"n_utf8_surrogate":       "\"\xed\xa0\x80\"",
		"n_utf8_truncated":       "\"\xe2\x82\"",
		"n_utf16_bom":            "\xff\xfe[\x00]\x00",
		"n_utf8_bom":             "\xef\xbb\xbf{}",
		"n_control_raw_nul":      "\"a\x00b\"",
		"n_control_raw_newline":  "\"a\nb\"",
		"n_control_raw_tab":      "\"\t\"",
		"n_structure_nul":        "\x00",
		"n_structure_formfeed":   "[\f]",
		"n_structure_nbsp":       "[\u00a0]",
		"y_string_del":           "\"\x7f\"",
	} {
		cases[name] = generated
	}
	return cases
}

func TestAPayloadIsTakenIfAndOnlyIfItIsJSON(t *testing.T) {
	t.Parallel()
	for name, text := range corpus(t) {
		body := []byte(`{"eventType":"a","payload":{"v":` + text + `}}`)
		started := time.Now()
		payload, err := api.DecodePayload(body)
		if time.Since(started) > time.Second {
			t.Errorf("%s takes more than a second", name)
		}
		switch {
		case name[0] == 'y' && err != nil:
			t.Errorf("%s is refused: %v", name, err)
		case name[0] == 'n' && err == nil:
			t.Errorf("%s is taken", name)
		case err == nil && string(payload) != `{"v":`+text+`}`:
			t.Errorf("%s is changed to %q", name, payload)
		}
	}
}

func TestABodyIsTakenIfAndOnlyIfItIsAnObject(t *testing.T) {
	t.Parallel()
	for name, text := range corpus(t) {
		_, err := api.DecodePayload([]byte(text))
		if err == nil {
			t.Errorf("%s is taken as a message", name)
		}
	}
	for _, body := range []string{``, ` `, `{}`, `{"eventType":"a"}`, `{"payload":{}}`, `[]`, `{"eventType":"a","payload":{}} x`, `{"eventType":"a","payload":{}}{}`} {
		if _, err := api.DecodePayload([]byte(body)); err == nil {
			t.Errorf("%s is taken as a message", body)
		}
	}
}

func TestOfAMemberThatIsThereTwiceTheLastCounts(t *testing.T) {
	t.Parallel()
	payload, err := api.DecodePayload([]byte(`{"eventType":1,"payload":5,"eventType":"a","payl\u006fad":{"b":1,"b":2}}`))
	if err != nil || string(payload) != `{"b":1,"b":2}` {
		t.Errorf("payload is %s, %v", payload, err)
	}
}

func TestPublishStaysLinearInHostileObjects(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString(`{"eventType":"a","payload":{`)
	for i := range 200_000 {
		fmt.Fprintf(&b, `"key%d":%d,`, i, i)
	}
	b.WriteString(`"last":0}}`)
	started := time.Now()
	if _, err := api.DecodePayload([]byte(b.String())); err != nil {
		t.Error(err)
	}
	if took := time.Since(started); took > time.Second {
		t.Errorf("200,000 keys took %v", took)
	}
}

// FuzzScan compares the scanner with the standard library's.
func FuzzScan(f *testing.F) {
	for _, text := range corpus(f) {
		if len(text) < 1000 {
			f.Add([]byte(text))
		}
	}
	f.Add([]byte(`{"a":[1,2.5e-3,"\u00e9\\",{"b":null}],"c":true}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		valid, deep := api.ScanValid(data)
		if deep {
			return
		}
		if want := json.Valid(data); valid != want {
			t.Errorf("scanner says %v, encoding/json %v: %q", valid, want, data)
		}
	})
}

// FuzzDecodeMessage holds the decoder to what encoding/json reads.
func FuzzDecodeMessage(f *testing.F) {
	f.Add([]byte(`{"eventType":"a.b","payload":{"x":1},"channels":["c"],"tags":["t"],"eventId":"e"}`))
	f.Add([]byte(`{"eventType":"a","data":{},"payload":null,"deliverAt":"2026-01-01T00:00:00Z"}`))
	f.Add([]byte(`{"eventType":"a","payload":{},"transformationsParams":{"rawPayload":"x","headers":{"Content-Type":"text/plain"}}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		payload, err := api.DecodePayload(data)
		if err != nil {
			return
		}
		if !json.Valid(data) || !utf8.Valid(data) {
			t.Fatalf("taken although it is not JSON: %q", data)
		}
		if !json.Valid(payload) || !strings.HasPrefix(string(payload), "{") {
			t.Fatalf("payload is no object: %q", payload)
		}
		if !strings.Contains(string(data), string(payload)) {
			t.Fatalf("payload %q is not part of %q", payload, data)
		}
	})
}
