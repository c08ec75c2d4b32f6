package provider_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/grapnelhq/grapnel/provider"
)

type jwtCase struct {
	Name, Method, Secret, URL, Payload, Token string
	Timestamp                                 time.Time
	Valid                                     bool
}

func TestEveryTokenOfTheReferenceGetsItsVerdict(t *testing.T) {
	t.Parallel()
	var file struct{ Cases []jwtCase }
	if err := json.Unmarshal(must(os.ReadFile("testdata/jwt-signature.json")), &file); err != nil {
		t.Fatal(err)
	}
	if len(file.Cases) != 43 {
		t.Fatalf("%d cases, want 43", len(file.Cases))
	}
	for _, c := range file.Cases {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			secret := c.Secret
			if secret == "" {
				secret = textSecret // the case of alg none has none
			}
			v := newVerifier(t, "messagebird", provider.Settings{}, secret)
			r := provider.Request{
				Method: c.Method, URL: c.URL, Body: []byte(c.Payload), Header: http.Header{"Messagebird-Signature-Jwt": {c.Token}},
			}
			if verdict := v.Verify(t.Context(), r, c.Timestamp); verdict.OK() != c.Valid {
				t.Errorf("%s (%s), valid is %t", verdict.Reason, verdict.Detail, c.Valid)
			}
		})
	}
}

func part(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }

// hs256 is a token of that header and those claims, signed with the bytes as a secret.
func hs256(head, claims, secret string) string {
	h := hmac.New(sha256.New, []byte(secret))
	h.Write([]byte(part(head) + "." + part(claims)))
	return part(head) + "." + part(claims) + "." + base64.RawURLEncoding.EncodeToString(h.Sum(nil))
}

func fusionClaims(body string) string {
	sum := sha256.Sum256([]byte(body))
	return `{"request_body_sha256":"` + base64.StdEncoding.EncodeToString(sum[:]) + `"}`
}

func fusionVerdict(t *testing.T, token, secret string, algorithms ...string) provider.Verdict {
	t.Helper()
	settings := provider.Settings{Algorithms: algorithms, Fetch: func(context.Context, string) ([]byte, error) {
		t.Error("a token made the receiver fetch something")
		return nil, errUnreachable
	}}
	r := provider.Request{Method: "POST", URL: ownURL, Header: http.Header{}, Body: []byte("{}")}
	r.Header.Set("X-FusionAuth-Signature-JWT", token)
	return newVerifier(t, "fusionauth", settings, secret).Verify(t.Context(), r, signingTime)
}

func TestNoTokenChoosesItsOwnKeyOrAlgorithm(t *testing.T) {
	t.Parallel()
	claims := fusionClaims("{}")
	good := hs256(`{"alg":"HS256"}`, claims, textSecret)
	if verdict := fusionVerdict(t, good, textSecret); !verdict.OK() {
		t.Fatalf("the good one is refused: %s", verdict.Detail)
	}
	parts := strings.Split(good, ".")
	public := ownPublicPEM(ownRSA)
	jwk := jwkOf(ownEC, "evil", false)
	for name, c := range map[string]struct{ token, secret string }{
		"none without a signature":         {part(`{"alg":"none"}`) + "." + part(claims) + ".", textSecret},
		"None with the good signature":     {part(`{"alg":"None"}`) + "." + parts[1] + "." + parts[2], textSecret},
		"none under a public key":          {part(`{"alg":"none"}`) + "." + part(claims) + ".", public},
		"no alg":                           {hs256(`{}`, claims, textSecret), textSecret},
		"alg as a list":                    {hs256(`{"alg":["HS256"]}`, claims, textSecret), textSecret},
		"Alg in another case":              {hs256(`{"Alg":"HS256"}`, claims, textSecret), textSecret},
		"two algs":                         {hs256(`{"alg":"none","alg":"HS256"}`, claims, textSecret), textSecret},
		"HS256 with the RSA public key":    {hs256(`{"alg":"HS256"}`, claims, public), public},
		"HS256 with it trimmed":            {hs256(`{"alg":"HS256"}`, claims, strings.TrimSpace(public)), public},
		"HS256 with its base64":            {hs256(`{"alg":"HS256"}`, claims, publicBase64(ownRSA)), publicBase64(ownRSA)},
		"HS256 with an empty secret":       {hs256(`{"alg":"HS256"}`, claims, ""), public},
		"RS256 under a text":               {hs256(`{"alg":"RS256"}`, claims, textSecret), textSecret},
		"crit":                             {hs256(`{"alg":"HS256","crit":["exp"],"exp":1}`, claims, textSecret), textSecret},
		"kid of a path":                    {hs256(`{"alg":"HS256","kid":"../../dev/null"}`, claims, ""), textSecret},
		"kid of SQL":                       {hs256(`{"alg":"HS256","kid":"' UNION SELECT 'x"}`, claims, "x"), textSecret},
		"jku":                              {hs256(`{"alg":"HS256","jku":"https://attacker.example/keys"}`, claims, "x"), textSecret},
		"x5u":                              {hs256(`{"alg":"RS256","x5u":"https://attacker.example/cert"}`, claims, "x"), public},
		"jwk":                              {es256(t, ownEC, `{"alg":"ES256","jwk":`+jwk+`}`, claims), ownPublicPEM(otherEC)},
		"signature of zeros":               {part(`{"alg":"ES256"}`) + "." + part(claims) + "." + part(strings.Repeat("\x00", 64)), ownPublicPEM(ownEC)},
		"padding":                          {good + "=", textSecret},
		"line end":                         {good[:20] + "\n" + good[20:], textSecret},
		"four parts":                       {good + ".", textSecret},
		"two parts":                        {parts[0] + "." + parts[1], textSecret},
		"claims of a list":                 {hs256(`{"alg":"HS256"}`, `[]`, textSecret), textSecret},
		"the body's hash twice":            {hs256(`{"alg":"HS256"}`, `{"request_body_sha256":"x",`+claims[1:], textSecret), textSecret},
		"the body's hash in another case":  {hs256(`{"alg":"HS256"}`, strings.ToUpper(claims), textSecret), textSecret},
		"something after the claims":       {hs256(`{"alg":"HS256"}`, claims+"{}", textSecret), textSecret},
		"ES256 under a key of P-384":       {hs256(`{"alg":"ES256"}`, claims, "x"), ownPublicPEM(must(ecdsa.GenerateKey(elliptic.P384(), rand.Reader)))},
		"longer than any token of its use": {hs256(`{"alg":"HS256","x":"`+strings.Repeat("x", 20<<10)+`"}`, claims, textSecret), textSecret},
	} {
		if verdict := fusionVerdict(t, c.token, c.secret); verdict.OK() {
			t.Errorf("%s: believed", name)
		}
	}
}

func es256(t *testing.T, private *ecdsa.PrivateKey, head, claims string) string {
	t.Helper()
	text := part(head) + "." + part(claims)
	sum := sha256.Sum256([]byte(text))
	r, s, err := ecdsa.Sign(rand.Reader, private, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	signature := append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...)
	return text + "." + base64.RawURLEncoding.EncodeToString(signature)
}

func TestTheSettingsLimitTheAlgorithms(t *testing.T) {
	t.Parallel()
	token := hs256(`{"alg":"HS256"}`, fusionClaims("{}"), textSecret)
	if verdict := fusionVerdict(t, token, textSecret, "HS512"); verdict.Reason != provider.SignatureMismatch {
		t.Errorf("HS256 where HS512 is asked for: %s", verdict.Reason)
	}
	if verdict := fusionVerdict(t, token, textSecret, "HS512", "HS256"); !verdict.OK() {
		t.Errorf("HS256 where it is allowed: %s", verdict.Reason)
	}
	for _, name := range []string{"none", "hs256", "PS256", "EdDSA"} {
		if _, err := provider.New("fusionauth", provider.Settings{Algorithms: []string{name}}, provider.Secret{Value: textSecret}); err == nil {
			t.Errorf("the algorithm %s is taken", name)
		}
	}
}

func TestEveryAlgorithmSignsAndVerifiesUnderItsKindOfKey(t *testing.T) {
	t.Parallel()
	p384, p521 := must(ecdsa.GenerateKey(elliptic.P384(), rand.Reader)), must(ecdsa.GenerateKey(elliptic.P521(), rand.Reader))
	for algorithm, secret := range map[string]string{
		"HS256": textSecret, "HS384": textSecret, "HS512": textSecret,
		"RS256": ownPrivatePEM(ownRSA), "RS384": ownPrivatePEM(ownRSA), "RS512": ownPrivatePEM(ownRSA),
		"ES256": ecSecret, "ES384": ownPrivatePEM(p384), "ES512": ownPrivatePEM(p521),
	} {
		v := newVerifier(t, "fusionauth", provider.Settings{Algorithms: []string{algorithm}}, secret)
		r := provider.Request{Method: "POST", URL: ownURL, Body: []byte("{}")}
		if err := v.Sign(&r, "1", signingTime); err != nil {
			t.Errorf("%s: %v", algorithm, err)
			continue
		}
		if verdict := v.Verify(t.Context(), r, signingTime); !verdict.OK() {
			t.Errorf("%s: %s", algorithm, verdict.Detail)
		}
		r.Body = []byte("{ }")
		if v.Verify(t.Context(), r, signingTime).OK() {
			t.Errorf("%s: another body is believed", algorithm)
		}
	}
}

func TestTimesOfATokenThatAreNoTimesAreRefused(t *testing.T) {
	t.Parallel()
	claims := fusionClaims("{}")
	for _, times := range []string{`"exp":"2099"`, `"exp":-1`, `"exp":1e300`, `"exp":null`, `"exp":true`, `"exp":1`, `"nbf":99999999999`, `"iat":99999999999`, `"exp":{}`} {
		token := hs256(`{"alg":"HS256"}`, claims[:len(claims)-1]+","+times+"}", textSecret)
		if verdict := fusionVerdict(t, token, textSecret); verdict.OK() {
			t.Errorf("%s: believed", times)
		}
	}
}

func TestAnAudienceThatIsSetMustBeThere(t *testing.T) {
	t.Parallel()
	claims := fusionClaims("{}")
	for aud, want := range map[string]provider.Reason{
		`"shop"`: provider.Verified, `["x","shop"]`: provider.Verified, `"other"`: provider.NotAllowed, `[]`: provider.NotAllowed, `{}`: provider.NotAllowed,
	} {
		r := provider.Request{Method: "POST", Header: http.Header{}, Body: []byte("{}")}
		r.Header.Set("X-FusionAuth-Signature-JWT", hs256(`{"alg":"HS256"}`, claims[:len(claims)-1]+`,"aud":`+aud+"}", textSecret))
		v := newVerifier(t, "fusionauth", provider.Settings{Audience: "shop"}, textSecret)
		if got := v.Verify(t.Context(), r, signingTime); got.Reason != want {
			t.Errorf("aud %s: %s, want %s", aud, got.Reason, want)
		}
	}
}

func TestPlaidTakesOnlyES256OfTheConfiguredKey(t *testing.T) {
	t.Parallel()
	v, r := ownRequest(t, "plaid")
	sum := sha256.Sum256(r.Body)
	claims := `{"iat":` + jsonNumber(signingTime.Unix()) + `,"request_body_sha256":"` + hexOf(sum[:]) + `"}`
	for name, c := range map[string]struct {
		token string
		want  provider.Reason
	}{
		"good":          {es256(t, ownEC, `{"alg":"ES256","kid":"6c5516e1-92dc-479e-a8ff-5a51992e0001"}`, claims), provider.Verified},
		"another kid":   {es256(t, ownEC, `{"alg":"ES256","kid":"../x"}`, claims), provider.UntrustedKey},
		"no kid":        {es256(t, ownEC, `{"alg":"ES256"}`, claims), provider.UntrustedKey},
		"another key":   {es256(t, otherEC, `{"alg":"ES256","kid":"6c5516e1-92dc-479e-a8ff-5a51992e0001"}`, claims), provider.SignatureMismatch},
		"HS256":         {hs256(`{"alg":"HS256","kid":"6c5516e1-92dc-479e-a8ff-5a51992e0001"}`, claims, plaidSecret), provider.SignatureMismatch},
		"without a iat": {es256(t, ownEC, `{"alg":"ES256","kid":"6c5516e1-92dc-479e-a8ff-5a51992e0001"}`, `{"request_body_sha256":"`+hexOf(sum[:])+`"}`), provider.MalformedHeader},
	} {
		if got := v.Verify(t.Context(), withHeader(r, "Plaid-Verification", c.token), signingTime); got.Reason != c.want {
			t.Errorf("%s: %s (%s), want %s", name, got.Reason, got.Detail, c.want)
		}
	}
	wrapped := newVerifier(t, "plaid", provider.Settings{}, `{"key":`+plaidSecret+`,"request_id":"x"}`)
	if !wrapped.Verify(t.Context(), r, signingTime).OK() {
		t.Error("the whole answer of the API is not taken as a key")
	}
}

func TestAConnectTokenIsBoundToMethodPathAndQuery(t *testing.T) {
	t.Parallel()
	v, r := ownRequest(t, "jira-connect")
	query := "a=1&b=2"
	for name, c := range map[string]struct {
		canonical string
		want      provider.Reason
	}{
		"whole path":            {"POST&/in/abc&" + query, provider.Verified},
		"below the base URL":    {"POST&/abc&" + query, provider.Verified},
		"the base URL itself":   {"POST&/&" + query, provider.Verified},
		"another path":          {"POST&/in/abd&" + query, provider.SignatureMismatch},
		"another method":        {"GET&/in/abc&" + query, provider.SignatureMismatch},
		"another query":         {"POST&/in/abc&a=1", provider.SignatureMismatch},
		"the query as it comes": {"POST&/in/abc&b=2&a=1", provider.SignatureMismatch},
	} {
		sum := sha256.Sum256([]byte(c.canonical))
		token := connectToken(hexOf(sum[:]), "site")
		if got := v.Verify(t.Context(), withHeader(r, "Authorization", "JWT "+token), signingTime); got.Reason != c.want {
			t.Errorf("%s: %s (%s), want %s", name, got.Reason, got.Detail, c.want)
		}
	}
	sum := sha256.Sum256([]byte("POST&/in/abc&" + query))
	if got := v.Verify(t.Context(), withHeader(r, "Authorization", "JWT "+connectToken(hexOf(sum[:]), "elsewhere")), signingTime).Reason; got != provider.NotAllowed {
		t.Errorf("a token of another site: %s", got)
	}
	if got := v.Verify(t.Context(), withHeader(r, "Authorization", "JWT "+connectToken("context-qsh", "site")), signingTime).Reason; got != provider.SignatureMismatch {
		t.Errorf("a token of a context: %s", got)
	}
	if got := v.Verify(t.Context(), withHeader(r, "Authorization", "Bearer x"), signingTime).Reason; got != provider.MalformedHeader {
		t.Errorf("no JWT: %s", got)
	}
}

func connectToken(qsh, issuer string) string {
	return hs256(`{"alg":"HS256"}`, `{"iss":"`+issuer+`","iat":`+jsonNumber(signingTime.Unix())+`,"exp":`+jsonNumber(signingTime.Unix()+180)+`,"qsh":"`+qsh+`"}`, textSecret)
}

func TestAConnectQueryIsSortedAndEncodedByRFC3986(t *testing.T) {
	t.Parallel()
	r := provider.Request{Method: "POST", Header: http.Header{}, URL: "https://example.com/hook?z=a+b*&jwt=x&a=2&a=1&u=%C3%BC~"}
	sum := sha256.Sum256([]byte("POST&/hook&a=1,2&u=%C3%BC~&z=a%20b%2A"))
	r.Header.Set("Authorization", "JWT "+connectToken(hexOf(sum[:]), "site"))
	if got := newVerifier(t, "jira-connect", provider.Settings{}, textSecret).Verify(t.Context(), r, signingTime); !got.OK() {
		t.Errorf("%s: %s", got.Reason, got.Detail)
	}
}

func TestATokenOfAnotherIssuerIsNotAllowed(t *testing.T) {
	t.Parallel()
	now := jsonNumber(signingTime.Unix())
	for name, c := range map[string]struct{ header, claims, good string }{
		"netlify": {"X-Webhook-Signature", `{"iss":"ISSUER","sha256":"` + hexSum("{}") + `"}`, "netlify"},
		"messagebird": {
			"MessageBird-Signature-JWT", `{"iss":"ISSUER","nbf":` + now + `,"exp":` + now + `9,"url_hash":"` + hexSum(ownURL) + `","payload_hash":"` + hexSum("{}") + `"}`, "MessageBird",
		},
	} {
		for issuer, want := range map[string]provider.Reason{c.good: provider.Verified, "another": provider.NotAllowed, "": provider.NotAllowed} {
			r := provider.Request{Method: "POST", URL: ownURL, Header: http.Header{}, Body: []byte("{}")}
			r.Header.Set(c.header, hs256(`{"alg":"HS256"}`, strings.Replace(c.claims, "ISSUER", issuer, 1), textSecret))
			if got := newVerifier(t, name, provider.Settings{}, textSecret).Verify(t.Context(), r, signingTime); got.Reason != want {
				t.Errorf("%s of %q: %s (%s), want %s", name, issuer, got.Reason, got.Detail, want)
			}
		}
	}
}

func hexSum(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hexOf(sum[:])
}
