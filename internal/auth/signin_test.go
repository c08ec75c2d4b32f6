package auth_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/grapnelhq/grapnel/internal/auth"
	"github.com/grapnelhq/grapnel/internal/hook"
)

const site = "https://hooks.example.com"

func (r *rig) desk(p *auth.Provider) *auth.People {
	return auth.NewPeople(auth.PeopleOptions{Store: r.store, Now: r.clock.Now, Log: slog.New(slog.DiscardHandler), Provider: p, Client: http.DefaultClient})
}

func (r *rig) member(t *testing.T, email string, role hook.Role) hook.Member {
	t.Helper()
	m := hook.Member{ID: hook.NewID(r.clock.Now()), Email: email, Name: email, Role: role, CreatedAt: r.clock.Now(), UpdatedAt: r.clock.Now()}
	if err := r.store.CreateMember(t.Context(), &m, false); err != nil {
		t.Fatal(err)
	}
	return m
}

func visitor() hook.Visitor {
	return hook.Visitor{Address: netip.MustParseAddr("192.0.2.1"), Agent: "Browser/1", Site: site}
}

func code(err error) hook.Code {
	var e *hook.Error
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

func encode64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// authenticator is a passkey in software: what a browser and its device do.
type authenticator struct {
	key    *ecdsa.PrivateKey
	id     []byte
	handle []byte
	count  uint32
}

// bytesCBOR is a byte string as CBOR has it (RFC 8949, 3.1).
func bytesCBOR(b []byte) []byte { return append([]byte{0x59, byte(len(b) >> 8), byte(len(b))}, b...) }

func (a *authenticator) data(rp string, attested []byte) []byte {
	sum := sha256.Sum256([]byte(rp))
	flags := byte(0x05) // user present and verified
	if attested != nil {
		flags |= 0x40
	}
	a.count++
	out := append(sum[:], flags)
	return append(binary.BigEndian.AppendUint32(out, a.count), attested...)
}

func clientData(kind, challenge, origin string) []byte {
	text, _ := json.Marshal(map[string]any{"type": kind, "challenge": challenge, "origin": origin, "crossOrigin": false})
	return text
}

type options struct {
	PublicKey struct {
		Challenge string `json:"challenge"`
		User      struct {
			ID string `json:"id"`
		} `json:"user"`
	} `json:"publicKey"`
}

func read(t *testing.T, raw json.RawMessage) options {
	t.Helper()
	var o options
	if err := json.Unmarshal(raw, &o); err != nil {
		t.Fatal(err)
	}
	return o
}

// create answers navigator.credentials.create().
func (a *authenticator) create(t *testing.T, raw json.RawMessage) json.RawMessage {
	t.Helper()
	o := read(t, raw)
	a.handle, _ = base64.RawURLEncoding.DecodeString(o.PublicKey.User.ID)
	var x, y [32]byte
	a.key.X.FillBytes(x[:])
	a.key.Y.FillBytes(y[:])
	cose := append([]byte{0xa5, 1, 2, 3, 0x26, 0x20, 1, 0x21, 0x58, 32}, x[:]...) // kty EC2, alg ES256, crv P-256
	cose = append(append(cose, 0x22, 0x58, 32), y[:]...)
	attested := append(make([]byte, 16), byte(len(a.id)>>8), byte(len(a.id)))
	attested = append(append(attested, a.id...), cose...)
	object := append([]byte{0xa3, 0x63}, "fmt"...)
	object = append(append(object, 0x64), "none"...)
	object = append(append(object, 0x67), "attStmt"...)
	object = append(append(object, 0xa0, 0x68), "authData"...)
	object = append(object, bytesCBOR(a.data("hooks.example.com", attested))...)
	text, _ := json.Marshal(map[string]any{
		"id": encode64(a.id), "rawId": encode64(a.id), "type": "public-key", "response": map[string]any{
			"clientDataJSON": encode64(clientData("webauthn.create", o.PublicKey.Challenge, site)), "attestationObject": encode64(object),
		},
	})
	return text
}

// get answers navigator.credentials.get() for a page of this origin.
func (a *authenticator) get(t *testing.T, raw json.RawMessage, origin string) json.RawMessage {
	t.Helper()
	client := clientData("webauthn.get", read(t, raw).PublicKey.Challenge, origin)
	data, hash := a.data("hooks.example.com", nil), sha256.Sum256(client)
	digest := sha256.Sum256(append(append([]byte(nil), data...), hash[:]...))
	signature, err := ecdsa.SignASN1(rand.Reader, a.key, digest[:])
	if err != nil {
		t.Fatal(err)
	}
	text, _ := json.Marshal(map[string]any{
		"id": encode64(a.id), "rawId": encode64(a.id), "type": "public-key", "response": map[string]any{
			"clientDataJSON": encode64(client), "authenticatorData": encode64(data), "signature": encode64(signature), "userHandle": encode64(a.handle),
		},
	})
	return text
}

func newAuthenticator(t *testing.T) *authenticator {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return &authenticator{key: key, id: []byte("credential-0001")}
}

func TestAPasskeySignsItsMemberIn(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.clock.now = time.Now() // the library looks at the clock of the machine
	desk, m, a := r.desk(nil), r.member(t, "ada@example.com", hook.RoleOwner), newAuthenticator(t)
	ticket, raw, err := desk.BeginPasskey(t.Context(), visitor(), m)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := desk.FinishPasskey(t.Context(), visitor(), m, ticket, "phone", a.create(t, raw)); err != nil {
		t.Fatalf("%v", err)
	}
	if _, err := desk.FinishPasskey(t.Context(), visitor(), m, ticket, "phone", a.create(t, raw)); code(err) != hook.CodeSignIn {
		t.Errorf("the same ticket again: %v", err)
	}
	ticket, raw, err = desk.BeginPasskeySignIn(t.Context(), visitor())
	if err != nil {
		t.Fatal(err)
	}
	answer := a.get(t, raw, site)
	in, err := desk.FinishPasskeySignIn(t.Context(), visitor(), ticket, answer)
	if err != nil || in.Member.ID != m.ID || in.Session.Method != hook.ByPasskey {
		t.Fatalf("signed in as %+v, %v", in.Member, err)
	}
	if _, got, err := desk.Visit(t.Context(), in.Token); err != nil || got.ID != m.ID {
		t.Errorf("the session is of %+v, %v", got, err)
	}
	if _, err := desk.FinishPasskeySignIn(t.Context(), visitor(), ticket, answer); code(err) != hook.CodeSignIn {
		t.Errorf("the same answer again: %v", err)
	}
	keys, err := r.store.ListPasskeys(t.Context(), m.ID)
	if err != nil || len(keys) != 1 || keys[0].UsedAt.IsZero() || keys[0].Name != "phone" {
		t.Errorf("the passkeys are %+v, %v", keys, err)
	}
}

func TestAPasskeyIsRefusedThatIsNotWhatItSeems(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.clock.now = time.Now()
	desk, m, a := r.desk(nil), r.member(t, "ada@example.com", hook.RoleOwner), newAuthenticator(t)
	ticket, raw, err := desk.BeginPasskey(t.Context(), visitor(), m)
	if err == nil {
		_, err = desk.FinishPasskey(t.Context(), visitor(), m, ticket, "phone", a.create(t, raw))
	}
	if err != nil {
		t.Fatal(err)
	}
	stranger := newAuthenticator(t)
	stranger.handle = a.handle
	for name, answer := range map[string]func(raw json.RawMessage) json.RawMessage{
		"another origin": func(raw json.RawMessage) json.RawMessage { return a.get(t, raw, "https://evil.example") },
		"another key":    func(raw json.RawMessage) json.RawMessage { return stranger.get(t, raw, site) },
		"another member": func(raw json.RawMessage) json.RawMessage {
			b := *a
			b.handle = make([]byte, 20)
			return b.get(t, raw, site)
		},
		"an old counter": func(raw json.RawMessage) json.RawMessage {
			b := *a
			b.count = 0
			a.count += 5
			return b.get(t, raw, site)
		},
		"another's words": func(json.RawMessage) json.RawMessage {
			return a.get(t, json.RawMessage(`{"publicKey":{"challenge":"AAAA"}}`), site)
		},
	} {
		ticket, raw, err := desk.BeginPasskeySignIn(t.Context(), visitor())
		if err != nil {
			t.Fatal(err)
		}
		if name == "an old counter" { // a use first, so that there is something to go back from
			first, begun, err := desk.BeginPasskeySignIn(t.Context(), visitor())
			if err == nil {
				_, err = desk.FinishPasskeySignIn(t.Context(), visitor(), first, a.get(t, begun, site))
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if _, err := desk.FinishPasskeySignIn(t.Context(), visitor(), ticket, answer(raw)); code(err) != hook.CodeSignIn {
			t.Errorf("%s: %v", name, err)
		}
	}
	plain := visitor()
	plain.Site = "http://192.0.2.1:8080"
	if _, _, err := desk.BeginPasskeySignIn(t.Context(), plain); code(err) != hook.CodeBadRequest {
		t.Errorf("under a number: %v", err)
	}
}

// issuer is a provider of OpenID Connect whose next ID token a test decides.
type issuer struct {
	*httptest.Server
	key    *ecdsa.PrivateKey
	claims map[string]any
	form   url.Values // of the last exchange
}

func newIssuer(t *testing.T) *issuer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	i := &issuer{key: key}
	mux := http.NewServeMux()
	answer := func(w http.ResponseWriter, v any) {
		w.Header().Set("Content-Type", "application/json")
		json.NewEncoder(w).Encode(v)
	}
	mux.HandleFunc("/.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, map[string]any{
			"issuer": i.URL, "authorization_endpoint": i.URL + "/auth", "token_endpoint": i.URL + "/token", "jwks_uri": i.URL + "/keys",
			"id_token_signing_alg_values_supported": []string{"ES256"}, "response_types_supported": []string{"code"}, "subject_types_supported": []string{"public"},
		})
	})
	mux.HandleFunc("/keys", func(w http.ResponseWriter, _ *http.Request) {
		var x, y [32]byte
		key.X.FillBytes(x[:])
		key.Y.FillBytes(y[:])
		answer(w, map[string]any{"keys": []any{map[string]any{"kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": "k", "x": encode64(x[:]), "y": encode64(y[:])}}})
	})
	mux.HandleFunc("/token", func(w http.ResponseWriter, r *http.Request) {
		r.ParseForm()
		i.form = r.PostForm
		answer(w, map[string]any{"access_token": "a", "token_type": "Bearer", "expires_in": 60, "id_token": i.token(t)})
	})
	i.Server = httptest.NewServer(mux)
	t.Cleanup(i.Close)
	return i
}

func (i *issuer) token(t *testing.T) string {
	head, _ := json.Marshal(map[string]any{"alg": "ES256", "kid": "k"})
	body, _ := json.Marshal(i.claims)
	text := encode64(head) + "." + encode64(body)
	sum := sha256.Sum256([]byte(text))
	r, s, err := ecdsa.Sign(rand.Reader, i.key, sum[:])
	if err != nil {
		t.Error(err)
	}
	var sig [64]byte
	new(big.Int).Set(r).FillBytes(sig[:32])
	s.FillBytes(sig[32:])
	return text + "." + encode64(sig[:])
}

// goThere goes to the provider and comes back with claims, changed by change.
func (i *issuer) goThere(t *testing.T, r *rig, desk *auth.People, claims map[string]any, change ...func(claims map[string]any, back url.Values)) (hook.SignedIn, error) {
	t.Helper()
	const callback = site + "/api/v1/session/oidc/callback"
	to, state, err := desk.BeginProvider(t.Context(), visitor(), callback, "/messages")
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(to)
	if err != nil || u.Query().Get("code_challenge_method") != "S256" || u.Query().Get("redirect_uri") != callback {
		t.Fatalf("sent to %s", to)
	}
	i.claims = map[string]any{
		"iss": i.URL, "aud": "grapnel", "sub": "42", "nonce": u.Query().Get("nonce"), "exp": r.clock.Now().Add(time.Minute).Unix(), "iat": r.clock.Now().Unix(),
		"email": "ada@example.com", "email_verified": true, "name": "Ada",
	}
	for name, value := range claims {
		i.claims[name] = value
	}
	back := url.Values{"code": {"c"}, "state": {u.Query().Get("state")}}
	for _, c := range change {
		c(i.claims, back)
	}
	return desk.FinishProvider(t.Context(), visitor(), callback, state, back)
}

func TestAProviderLetsInWhoIsInvitedOrOfAnAllowedDomain(t *testing.T) {
	t.Parallel()
	r, i := newRig(t), newIssuer(t)
	desk := r.desk(&auth.Provider{Issuer: i.URL, ClientID: "grapnel", ClientSecret: "s", Name: "Example", Domains: []string{"example.org"}})
	m := r.member(t, "ada@example.com", hook.RoleOwner)
	in, err := i.goThere(t, r, desk, nil)
	if err != nil || in.Member.ID != m.ID || in.Return != "/messages" || in.Member.Role != hook.RoleOwner {
		t.Fatalf("signed in as %+v, %v", in.Member, err)
	}
	if i.form.Get("code_verifier") == "" {
		t.Error("no PKCE verifier was sent")
	}
	// From now on the subject counts, whatever its address has become.
	if in, err = i.goThere(t, r, desk, map[string]any{"email": "other@example.com"}); err != nil || in.Member.ID != m.ID {
		t.Errorf("with another address: %+v, %v", in.Member, err)
	}
	in, err = i.goThere(t, r, desk, map[string]any{"sub": "43", "email": "New@Example.org"})
	if err != nil || in.Member.Email != "new@example.org" || in.Member.Role != hook.RoleViewer || in.Member.MayReadPayloads {
		t.Errorf("of an allowed domain: %+v, %v", in.Member, err)
	}
	for name, change := range map[string]func(claims map[string]any, back url.Values){
		"a stranger":             func(c map[string]any, _ url.Values) { c["sub"], c["email"] = "44", "eve@example.net" },
		"an unverified address":  func(c map[string]any, _ url.Values) { c["sub"], c["email_verified"] = "44", false },
		"an address not told of": func(c map[string]any, _ url.Values) { c["sub"] = "44"; delete(c, "email_verified") },
		"another's account":      func(c map[string]any, _ url.Values) { c["sub"] = "44" },
		"another nonce":          func(c map[string]any, _ url.Values) { c["nonce"] = "x" },
		"another audience":       func(c map[string]any, _ url.Values) { c["aud"] = "other" },
		"another issuer":         func(c map[string]any, _ url.Values) { c["iss"] = "https://evil.example" },
		"an old token":           func(c map[string]any, _ url.Values) { c["exp"] = r.clock.Now().Add(-time.Hour).Unix() },
		"another state":          func(_ map[string]any, b url.Values) { b.Set("state", "x") },
		"a refusal":              func(_ map[string]any, b url.Values) { b.Set("error", "access_denied") },
	} {
		if _, err := i.goThere(t, r, desk, nil, change); code(err) != hook.CodeSignIn {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestRolesComeFromTheClaimAtEachSignIn(t *testing.T) {
	t.Parallel()
	r, i := newRig(t), newIssuer(t)
	r.member(t, "owner@example.com", hook.RoleOwner)
	desk := r.desk(&auth.Provider{
		Issuer: i.URL, ClientID: "grapnel", Domains: []string{"example.com"}, RoleClaim: "groups",
		Roles: map[string]hook.Role{"hooks": hook.RoleDeveloper, "ops": hook.RoleAdmin},
	})
	for _, step := range []struct {
		groups any
		want   hook.Role
	}{{[]string{"x", "hooks"}, hook.RoleDeveloper}, {[]string{"ops", "hooks"}, hook.RoleAdmin}, {"hooks", hook.RoleDeveloper}, {[]string{"x"}, 0}, {nil, 0}} {
		in, err := i.goThere(t, r, desk, map[string]any{"groups": step.groups})
		if in.Member.Role != step.want || (step.want == 0) != (code(err) == hook.CodeSignIn) {
			t.Errorf("groups %v: role %s, %v, want %s", step.groups, in.Member.Role, err, step.want)
		}
	}
}

func TestProviderThatCannotBeReachedIsToldOf(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	broken := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "{}") }))
	t.Cleanup(broken.Close)
	desk := r.desk(&auth.Provider{Issuer: broken.URL, ClientID: "grapnel"})
	_, _, err := desk.BeginProvider(t.Context(), visitor(), site, "/")
	if code(err) != hook.CodeSignIn || !strings.Contains(err.Error(), "cannot be reached") {
		t.Errorf("%v", err)
	}
}

func TestSessionsEndByThemselves(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	desk, m := r.desk(nil), r.member(t, "ada@example.com", hook.RoleOwner)
	enter := func() hook.SignedIn {
		t.Helper()
		link, _, err := desk.NewCode(t.Context(), hook.TicketSignIn, m.ID)
		if err != nil {
			t.Fatal(err)
		}
		in, err := desk.SignInByCode(t.Context(), visitor(), link)
		if err != nil {
			t.Fatal(err)
		}
		return in
	}
	idle, used := enter(), enter()
	for range 3 {
		r.clock.Add(11 * time.Hour)
		if _, _, err := desk.Visit(t.Context(), used.Token); err != nil {
			t.Fatalf("a session in use ended: %v", err)
		}
		use := []hook.SessionUse{{Session: used.Session.ID, At: r.clock.Now()}}
		if err := r.store.TouchSessions(t.Context(), use); err != nil {
			t.Fatal(err)
		}
	}
	if _, _, err := desk.Visit(t.Context(), idle.Token); code(err) != hook.CodeAuthentication {
		t.Errorf("an idle session: %v", err)
	}
	for r.clock.Now().Before(used.Session.CreatedAt.Add(hook.SessionLife)) {
		r.clock.Add(11 * time.Hour)
		if err := r.store.TouchSessions(t.Context(), []hook.SessionUse{{Session: used.Session.ID, At: r.clock.Now()}}); err != nil {
			t.Fatal(err)
		}
	}
	if _, _, err := desk.Visit(t.Context(), used.Token); code(err) != hook.CodeAuthentication {
		t.Errorf("a session after its life: %v", err)
	}
}
