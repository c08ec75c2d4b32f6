package provider_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/grapnelhq/grapnel/provider"
)

type genericVector struct {
	Name      string `json:"name"`
	Advanced  bool   `json:"advanced"`
	Hash      string `json:"hash"`
	Encoding  string `json:"encoding"`
	Secret    string `json:"secret"`
	Payload   string `json:"payload"`
	Header    string `json:"header"`
	Tolerance int64  `json:"tolerance"`
	Valid     bool   `json:"valid"`
}

// TestGenericVectorsOfAnotherGatewayGetTheirVerdict has vectors that are judged by the
// wall clock with a tolerance of a century, or of five minutes for the one that has
// ended; here the clock stands where the first are good.
func TestGenericVectorsOfAnotherGatewayGetTheirVerdict(t *testing.T) {
	t.Parallel()
	for _, v := range readVectors[genericVector](t, "generic-hmac.json") {
		g := provider.Generic{Hash: strings.ToLower(v.Hash), Encoding: v.Encoding, SignatureHeader: "X-Signature"}
		settings := provider.Settings{Generic: &g}
		now := time.Unix(1700000000, 0)
		if v.Advanced {
			g.SignatureName, g.TimestampName, g.Template = "v1", "t", "{ts},{body}"
			settings.Tolerance = min(time.Duration(v.Tolerance)*time.Second, 24*time.Hour)
			if v.Tolerance == 300 {
				now = now.Add(301 * time.Second)
			}
		}
		verifier, err := provider.New("generic-hmac", settings, provider.Secret{Value: v.Secret})
		if err != nil {
			t.Fatalf("%s: %v", v.Name, err)
		}
		r := provider.Request{Method: "POST", Header: http.Header{"X-Signature": {v.Header}}, Body: []byte(v.Payload)}
		if verdict := verifier.Verify(t.Context(), r, now); verdict.OK() != v.Valid {
			t.Errorf("%s: %s (%s), valid is %t", v.Name, verdict.Reason, verdict.Detail, v.Valid)
		}
	}
}

// genericShapes are descriptions that cover each field at least once.
var genericShapes = map[string]provider.Generic{
	"body":         {SignatureHeader: "X-Sig"},
	"sha1 base64":  {SignatureHeader: "X-Sig", Hash: "sha1", Encoding: "base64", Prefix: "sha1="},
	"sha384":       {SignatureHeader: "X-Sig", Hash: "sha384", Encoding: "base64url", EventID: "body:id", EventType: "header:X-Type"},
	"hex key":      {SignatureHeader: "X-Sig", KeyEncoding: "hex"},
	"base64 key":   {SignatureHeader: "X-Sig", KeyEncoding: "base64"},
	"list":         {SignatureHeader: "X-Sig", Separator: " ", Prefix: "v1="},
	"own headers":  {SignatureHeader: "X-Sig", TimestampHeader: "X-Time", IDHeader: "X-Id", Template: "{id}|{ts}|{method}|{url}|{body}"},
	"milliseconds": {SignatureHeader: "X-Sig", TimestampHeader: "X-Time", TimestampUnit: "ms", Template: "{ts}{body}"},
	"rfc3339":      {SignatureHeader: "X-Sig", TimestampHeader: "X-Time", TimestampUnit: "rfc3339", Template: "{ts}{body}"},
	"pairs":        {SignatureHeader: "X-Sig", SignatureName: "v1", TimestampName: "t", Separator: ";", Template: "{ts}.{body}"},
	"pairs alone":  {SignatureHeader: "X-Sig", SignatureName: "sig"},
}

func TestWhatAGenericSchemeSignsItVerifies(t *testing.T) {
	t.Parallel()
	now := time.Unix(1700000000, 0)
	for name, g := range genericShapes {
		verifier, err := provider.New("generic-hmac", provider.Settings{Generic: &g}, provider.Secret{Value: "abcdef0123456789"})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		r := provider.Request{Method: "POST", URL: "https://x.example/a?b=c", Body: []byte(`{"id":"e1"}`)}
		if err := verifier.Sign(&r, "e1", now); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if verdict := verifier.Verify(t.Context(), r, now); !verdict.OK() {
			t.Errorf("%s: %s (%s) of %v", name, verdict.Reason, verdict.Detail, r.Header)
		}
		for _, header := range verifier.Provider().Headers {
			without := r
			without.Header = r.Header.Clone()
			without.Header.Del(header)
			if verdict := verifier.Verify(t.Context(), without, now); verdict.Reason != provider.MissingHeader {
				t.Errorf("%s without %s: %s", name, header, verdict.Reason)
			}
		}
	}
}

func TestADescriptionThatLeavesSomethingUnsignedIsRefused(t *testing.T) {
	t.Parallel()
	for name, g := range map[string]provider.Generic{
		"no header":                  {},
		"header with a blank":        {SignatureHeader: "X Sig"},
		"unknown hash":               {SignatureHeader: "X", Hash: "md5"},
		"unknown encoding":           {SignatureHeader: "X", Encoding: "HEX"},
		"unknown key encoding":       {SignatureHeader: "X", KeyEncoding: "rot13"},
		"unknown unit":               {SignatureHeader: "X", TimestampHeader: "T", TimestampUnit: "h", Template: "{ts}{body}"},
		"unit without a time":        {SignatureHeader: "X", TimestampUnit: "ms"},
		"template without body":      {SignatureHeader: "X", Template: "{url}"},
		"template with unknown":      {SignatureHeader: "X", Template: "{body}{secret}"},
		"template with open brace":   {SignatureHeader: "X", Template: "{body"},
		"template with closed brace": {SignatureHeader: "X", Template: "{body}}"},
		"template too long":          {SignatureHeader: "X", Template: "{body}" + strings.Repeat("x", 600)},
		"template of many parts":     {SignatureHeader: "X", Template: strings.Repeat("{body}", 40)},
		"time not in template":       {SignatureHeader: "X", TimestampHeader: "T"},
		"time without a header":      {SignatureHeader: "X", Template: "{ts}{body}"},
		"id not in template":         {SignatureHeader: "X", IDHeader: "I"},
		"id without a header":        {SignatureHeader: "X", Template: "{id}{body}"},
		"id in the same header":      {SignatureHeader: "X", IDHeader: "x", Template: "{id}{body}"},
		"two times":                  {SignatureHeader: "X", SignatureName: "v", TimestampName: "t", TimestampHeader: "T", Template: "{ts}{body}"},
		"time name alone":            {SignatureHeader: "X", TimestampName: "t", Template: "{ts}{body}"},
		"names alike":                {SignatureHeader: "X", SignatureName: "t", TimestampName: "t", Template: "{ts}{body}"},
		"prefix and name":            {SignatureHeader: "X", SignatureName: "v", Prefix: "p"},
		"prefix with line end":       {SignatureHeader: "X", Prefix: "p\n"},
		"odd separator":              {SignatureHeader: "X", Separator: "ab"},
		"odd place of the id":        {SignatureHeader: "X", EventID: "cookie:x"},
		"odd place of the type":      {SignatureHeader: "X", EventType: "body:"},
	} {
		if _, err := provider.New("generic-hmac", provider.Settings{Generic: &g}, provider.Secret{Value: "s"}); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	if _, err := provider.New("generic-hmac", provider.Settings{}, provider.Secret{Value: "s"}); err == nil {
		t.Error("no description: accepted")
	}
	timeless := provider.Settings{Generic: &provider.Generic{SignatureHeader: "X"}, Tolerance: time.Minute}
	if _, err := provider.New("generic-hmac", timeless, provider.Secret{Value: "s"}); err == nil {
		t.Error("a tolerance without a time: accepted")
	}
}

func TestAGenericSourceFindsIDAndTypeWhereItIsTold(t *testing.T) {
	t.Parallel()
	g := provider.Generic{SignatureHeader: "X-Sig", EventID: "query:e", EventType: "body:a.0.type"}
	verifier, err := provider.New("generic-hmac", provider.Settings{Generic: &g}, provider.Secret{Value: "s"})
	if err != nil {
		t.Fatal(err)
	}
	verdict := verifier.Verify(t.Context(), provider.Request{URL: "https://x.example/?d=1&e=a%20b#e", Body: []byte(`{"a":[{"type":"made"}]}`)}, time.Now())
	if verdict.OK() || verdict.EventID != "a b" || verdict.EventType != "made" {
		t.Errorf("%+v", verdict)
	}
}

func TestSettingsSurviveJSON(t *testing.T) {
	t.Parallel()
	want := `{"toleranceSeconds":90,"generic":{"hash":"sha1","signatureHeader":"X"},"topics":["a"],"legacySha1":true}`
	var s provider.Settings
	if err := json.Unmarshal([]byte(want), &s); err != nil {
		t.Fatal(err)
	}
	if s.Tolerance != 90*time.Second || s.Generic == nil || s.Generic.Hash != "sha1" || !s.LegacySHA1 {
		t.Errorf("read %+v", s)
	}
	if got, err := json.Marshal(s); err != nil || string(got) != want {
		t.Errorf("wrote %s, %v", got, err)
	}
	for _, bad := range []string{`{"tolerance":1}`, `{"generic":{"header":"X"}}`, `{"Fetch":1}`, `{"toleranceSeconds":-1}`, `{"toleranceSeconds":1e18}`, `[]`} {
		if err := json.Unmarshal([]byte(bad), &provider.Settings{}); err == nil {
			t.Errorf("%s is accepted", bad)
		}
	}
}
