package server_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/grapnelhq/grapnel/apitype"
	"github.com/grapnelhq/grapnel/internal/testx"
)

const goodPassword = "correct horse battery"

// browser is a browser at a server: it keeps the cookie, and says which page asks.
type browser struct {
	t      *testing.T
	base   string
	cookie string
	origin string
	env    string
}

func (n *node) browser(t *testing.T) *browser {
	t.Helper()
	return &browser{t: t, base: n.URL(), origin: n.URL()}
}

// page is what a browser got.
type page struct {
	t      *testing.T
	status int
	header http.Header
	body   string
}

func (p page) want(status int) page {
	p.t.Helper()
	if p.status != status {
		p.t.Fatalf("status %d, want %d: %s", p.status, status, p.body)
	}
	return p
}

// at gives the text of a member of the JSON object, by its path.
func (p page) at(path ...string) string {
	p.t.Helper()
	var v any
	testx.NoError(p.t, json.Unmarshal([]byte(p.body), &v))
	for _, name := range path {
		m, _ := v.(map[string]any)
		v = m[name]
	}
	return fmt.Sprint(v)
}

func (b *browser) call(method, path string, body any, header ...string) page {
	b.t.Helper()
	text := []byte(nil)
	if body != nil {
		var err error
		text, err = json.Marshal(body)
		testx.NoError(b.t, err)
	}
	req, err := http.NewRequestWithContext(b.t.Context(), method, b.base+path, bytes.NewReader(text))
	testx.NoError(b.t, err)
	if b.cookie != "" {
		req.Header.Set("Cookie", b.cookie)
	}
	if b.origin != "" && method != http.MethodGet {
		req.Header.Set("Origin", b.origin)
	}
	if b.env != "" {
		req.Header.Set("Grapnel-Environment", b.env)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultTransport.RoundTrip(req)
	testx.NoError(b.t, err)
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	testx.NoError(b.t, err)
	for _, c := range resp.Cookies() {
		if c.Name == "grapnel_session" {
			b.cookie = c.Name + "=" + c.Value
			if c.MaxAge < 0 {
				b.cookie = ""
			}
			if !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/" {
				b.t.Errorf("the cookie is %s", c)
			}
		}
	}
	return page{b.t, resp.StatusCode, resp.Header, string(got)}
}

var inLink = regexp.MustCompile(`/link#code=([0-9A-Za-z_]+)`)

// codeIn gives the code of the link in a text.
func codeIn(t *testing.T, text string) string {
	t.Helper()
	found := inLink.FindStringSubmatch(text)
	if found == nil {
		t.Fatalf("no link in %s", text)
	}
	return found[1]
}

// owner sets a server up and gives the browser of its first member.
func (n *node) owner(t *testing.T) *browser {
	t.Helper()
	b := n.browser(t)
	b.call("POST", "/api/v1/setup", map[string]any{
		"code": codeIn(t, n.log.String()), "name": "Ada", "email": "Ada@Example.com", "password": goodPassword,
	}).want(200)
	return b
}

// invited gives the browser of another member.
func (b *browser) invited(n *node, email, role string, payloads bool) *browser {
	b.t.Helper()
	made := b.call("POST", "/api/v1/member", map[string]any{"email": email, "role": role, "mayReadPayloads": payloads}).want(201)
	other := n.browser(b.t)
	other.call("POST", "/api/v1/setup", map[string]any{"code": codeIn(b.t, made.body), "password": goodPassword}).want(200)
	return other
}

func TestTheLinkInTheLogMakesTheFirstOwnerOnce(t *testing.T) {
	t.Parallel()
	n := start(t, t.TempDir(), nil)
	b := n.browser(t)
	if got := b.call("GET", "/api/v1/session", nil).want(200); got.at("setupNeeded") != "true" || got.at("signedIn") != "false" {
		t.Fatalf("before the setup: %s", got.body)
	}
	code := codeIn(t, n.log.String())
	if got := b.call("POST", "/api/v1/link", map[string]any{"code": code}).want(200); got.at("kind") != "setup" {
		t.Errorf("the link is good for %s", got.body)
	}
	b.call("POST", "/api/v1/setup", map[string]any{"code": code, "name": "Ada", "email": "ada@example.com", "password": "ada@example.com"}).want(422)
	b.call("POST", "/api/v1/setup", map[string]any{"code": code, "name": "Ada", "email": "ada@example.com", "password": "too short"}).want(422)
	got := b.call("POST", "/api/v1/setup", map[string]any{"code": code, "name": "Ada", "email": " ADA@example.com", "password": goodPassword}).want(200)
	if got.at("member", "role") != "owner" || got.at("member", "email") != "ada@example.com" || got.at("signedIn") != "true" {
		t.Errorf("the first member is %s", got.body)
	}
	if got := b.call("GET", "/api/v1/session", nil).want(200); got.at("setupNeeded") != "false" || got.at("passwordSet") != "true" {
		t.Errorf("after the setup: %s", got.body)
	}
	other := n.browser(t)
	other.call("POST", "/api/v1/setup", map[string]any{"code": code, "name": "Eve", "email": "eve@example.com", "password": goodPassword}).want(401)
	other.call("POST", "/api/v1/session", map[string]any{"email": "ada@example.com", "password": goodPassword + "!"}).want(401)
	other.call("POST", "/api/v1/session", map[string]any{"email": "Ada@Example.com", "password": goodPassword}).want(200)
	other.call("DELETE", "/api/v1/session", nil).want(204)
	if got := other.call("GET", "/api/v1/session", nil).want(200); got.at("signedIn") != "false" {
		t.Errorf("after signing out: %s", got.body)
	}
}

// Row X100 of the file of hostile inputs, the half about cookies.
func TestACookieCountsForPagesOfOurOwnOnly(t *testing.T) {
	t.Parallel()
	n := start(t, t.TempDir(), nil)
	b := n.owner(t)
	app := map[string]any{"name": "Acme"}
	for name, tt := range map[string]struct {
		origin string
		header []string
		status int
	}{
		"our own page":             {n.URL(), nil, 201},
		"as browsers tell today":   {n.URL(), []string{"Sec-Fetch-Site", "same-origin"}, 201},
		"another site":             {"https://evil.example", nil, 403},
		"another site, told":       {n.URL(), []string{"Sec-Fetch-Site", "cross-site"}, 403},
		"a sister of ours":         {n.URL(), []string{"Sec-Fetch-Site", "same-site"}, 403},
		"a page without an origin": {"null", nil, 403},
		"nobody says":              {"", nil, 403},
	} {
		b.origin = tt.origin
		if got := b.call("POST", "/api/v1/app", app, tt.header...); got.status != tt.status {
			t.Errorf("%s: status %d, want %d: %s", name, got.status, tt.status, got.body)
		}
	}
	b.origin = n.URL()
	b.call("GET", "/api/v1/app", nil, "Sec-Fetch-Site", "cross-site").want(401)
	b.call("GET", "/api/v1/app", nil).want(200)
	// Nor can another site sign its reader in as somebody else.
	eve := n.browser(t)
	eve.origin = "https://evil.example"
	eve.call("POST", "/api/v1/session", map[string]any{"email": "ada@example.com", "password": goodPassword}).want(403)
	// A key counts where both are there.
	b.origin = "https://evil.example"
	b.call("POST", "/api/v1/app", app, "Authorization", "Bearer "+testKey).want(201)
	b.call("POST", "/api/v1/app", app, "Authorization", "Bearer wrong").want(401)
}

func TestRolesLimitWhatMembersMayDo(t *testing.T) {
	t.Parallel()
	n := start(t, t.TempDir(), nil)
	ep := n.target(t, "http://127.0.0.1:9/")
	owner := n.owner(t)
	admin := owner.invited(n, "admin@example.com", "admin", true)
	developer := owner.invited(n, "dev@example.com", "developer", true)
	viewer := owner.invited(n, "viewer@example.com", "viewer", false)
	calls := []struct {
		method, path string
		body         any
		status       [4]int // viewer, developer, admin, owner
	}{
		{"GET", "/api/v1/app", nil, [4]int{200, 200, 200, 200}},
		{"POST", "/api/v1/app", map[string]any{"name": "x"}, [4]int{403, 201, 201, 201}},
		{"POST", "/api/v1/app/acme/msg", map[string]any{"eventType": "a", "payload": map[string]any{}}, [4]int{403, 202, 202, 202}},
		{"GET", "/api/v1/app/acme/endpoint/" + ep.ID + "/secret", nil, [4]int{403, 200, 200, 200}},
		{"GET", "/api/v1/management/authentication/-/api-token", nil, [4]int{403, 403, 200, 200}},
		{"GET", "/api/v1/member", nil, [4]int{403, 403, 200, 200}},
		{"GET", "/api/v1/audit", nil, [4]int{403, 403, 200, 200}},
		{"POST", "/api/v1/member", map[string]any{"email": "EMAIL", "role": "owner"}, [4]int{403, 403, 403, 201}},
		{"POST", "/api/v1/management/environment", map[string]any{"name": "test", "kind": "test"}, [4]int{403, 403, 201, 201}},
	}
	for _, c := range calls {
		for i, b := range []*browser{viewer, developer, admin, owner} {
			if m, ok := c.body.(map[string]any); ok && m["email"] != nil {
				m["email"] = fmt.Sprintf("new%d@example.com", i)
			}
			if got := b.call(c.method, c.path, c.body); got.status != c.status[i] {
				t.Errorf("%s %s as number %d: %d, want %d: %s", c.method, c.path, i, got.status, c.status[i], got.body)
			}
		}
	}
	// The role counts as it is now, and a removed member is out at once.
	id := viewer.call("GET", "/api/v1/session", nil).at("member", "id")
	owner.call("PATCH", "/api/v1/member/"+id, map[string]any{"role": "developer"}).want(200)
	viewer.call("POST", "/api/v1/app", map[string]any{"name": "y"}).want(201)
	owner.call("DELETE", "/api/v1/member/"+id, nil).want(204)
	viewer.call("GET", "/api/v1/app", nil).want(401)
	// Nobody is locked out of their own server.
	mine := owner.call("GET", "/api/v1/session", nil).at("member", "id")
	for _, m := range []string{"new3@example.com"} {
		list := owner.call("GET", "/api/v1/member", nil).want(200)
		var all apitype.List[apitype.MemberOut]
		testx.NoError(t, json.Unmarshal([]byte(list.body), &all))
		for _, one := range all.Data {
			if one.Email == m {
				owner.call("DELETE", "/api/v1/member/"+one.ID, nil).want(204)
			}
		}
	}
	owner.call("DELETE", "/api/v1/member/"+mine, nil).want(409)
	owner.call("PATCH", "/api/v1/member/"+mine, map[string]any{"role": "viewer"}).want(409)
}

func TestWhoIsPutOutFollowsNoLongerAtOnce(t *testing.T) {
	t.Parallel()
	n := start(t, t.TempDir(), nil)
	owner := n.owner(t)
	tokens := "/api/v1/management/authentication/-/api-token"
	key := owner.call("POST", tokens, map[string]any{"name": "short"}).want(200)
	removed := owner.invited(n, "removed@example.com", "viewer", true)
	left := owner.invited(n, "left@example.com", "viewer", true)
	for who, c := range map[string]struct {
		token  string
		header []string
		put    func()
	}{
		"a member who is removed": {header: []string{"Cookie", removed.cookie}, put: func() {
			owner.call("DELETE", "/api/v1/member/"+removed.call("GET", "/api/v1/session", nil).at("member", "id"), nil).want(204)
		}},
		"a member who signs out": {header: []string{"Cookie", left.cookie}, put: func() {
			left.call("DELETE", "/api/v1/session", nil).want(204)
		}},
		"a key that is expired": {token: key.at("token"), put: func() {
			owner.call("POST", tokens+"/"+key.at("id")+"/expire", map[string]any{}).want(204)
		}},
	} {
		stream := n.follow(t, c.token, "/api/v1/live", c.header...)
		if first := stream.next(); first == nil || first["event"] == "end" {
			t.Fatalf("%s: the stream begins with %v", who, first)
		}
		began := time.Now()
		c.put()
		if end := stream.next(); end["event"] != "end" || !strings.Contains(end["data"], "authentication_failed") {
			t.Errorf("%s: the stream goes on with %v", who, end)
		}
		// Without being told, a stream looks after its caller every few seconds.
		if took := time.Since(began); took > 4*time.Second {
			t.Errorf("%s: the stream ended after %v", who, took)
		}
	}
}

func TestKeysOfAnEnvironmentDoNotManageMembers(t *testing.T) {
	t.Parallel()
	n := start(t, t.TempDir(), nil)
	n.owner(t)
	b := n.browser(t)
	key := []string{"Authorization", "Bearer " + testKey}
	made := b.call("POST", "/api/v1/management/authentication/-/api-token", map[string]any{"name": "other"}, key...).want(200)
	other := []string{"Authorization", "Bearer " + made.at("token")}
	b.call("GET", "/api/v1/member", nil, key...).want(200) // that of the settings
	b.call("GET", "/api/v1/member", nil, other...).want(403)
	b.call("POST", "/api/v1/member", map[string]any{"email": "eve@example.com", "role": "owner"}, other...).want(403)
	b.call("GET", "/api/v1/session/list", nil, key...).want(403)
}

func TestEnvironmentsAreKeptApartForMembersToo(t *testing.T) {
	t.Parallel()
	n := start(t, t.TempDir(), nil)
	n.target(t, "http://127.0.0.1:9/")
	b := n.owner(t)
	b.env = b.call("POST", "/api/v1/management/environment", map[string]any{"name": "Sandbox", "kind": "test"}).want(201).at("id")
	b.call("GET", "/api/v1/app/acme", nil).want(404)
	b.call("POST", "/api/v1/app", map[string]any{"name": "mine", "uid": "mine"}).want(201)
	env := b.env
	b.env = ""
	b.call("GET", "/api/v1/app/mine", nil).want(404)
	b.call("GET", "/api/v1/app/mine?environment="+env, nil).want(200)
	b.call("PATCH", "/api/v1/management/environment/"+env, map[string]any{"name": "Trial"}).want(200)
	if got := b.call("GET", "/api/v1/session", nil); !strings.Contains(got.body, "Trial") {
		t.Errorf("the environments are %s", got.body)
	}
	b.env = "org_0ujsszwN8NRY24YaXiTIE2VWDTS"
	b.call("GET", "/api/v1/app", nil).want(404)
}

func TestPayloadsAreHiddenFromWhoMayNotReadThem(t *testing.T) {
	t.Parallel()
	n := start(t, t.TempDir(), nil)
	ep := n.target(t, "http://127.0.0.1:9/")
	owner := n.owner(t)
	blind := owner.invited(n, "blind@example.com", "developer", false)
	msg := owner.call("POST", "/api/v1/app/acme/msg", map[string]any{"eventType": "a", "payload": map[string]any{"card": "4111"}}).want(202).at("id")
	app := owner.call("GET", "/api/v1/app/acme", nil).at("id")
	for _, path := range []string{
		"/api/v1/app/acme/msg", "/api/v1/app/acme/msg/" + msg, "/api/v1/app/acme/endpoint/" + ep.ID + "/msg", "/api/v1/message?with_content=true",
		"/api/v1/message/" + msg, "/api/v1/app/acme/msg/" + msg + "/explain", "/api/v1/app/" + app + "/attempt/msg/" + msg,
	} {
		if got := blind.call("GET", path, nil).want(200); strings.Contains(got.body, "4111") {
			t.Errorf("%s shows the payload: %s", path, got.body)
		}
	}
	if got := owner.call("GET", "/api/v1/app/acme/msg/"+msg, nil).want(200); !strings.Contains(got.body, "4111") {
		t.Errorf("the owner does not see the payload: %s", got.body)
	}
	blind.call("GET", "/api/v1/app/acme/msg/"+msg+"/body", nil).want(403)
	blind.call("GET", "/api/v1/message?q="+url.QueryEscape("body.card:4111"), nil).want(403)
	source := owner.call("POST", "/ingest/api/v1/source", map[string]any{"name": "s", "type": "none"}).want(201)
	n.browser(t).call("POST", strings.TrimPrefix(source.at("ingestUrl"), n.URL()), map[string]any{"card": "4111"}).want(202)
	requests := owner.call("GET", "/ingest/api/v1/source/"+source.at("id")+"/request", nil).want(200)
	var all apitype.List[apitype.RequestFacts]
	testx.NoError(t, json.Unmarshal([]byte(requests.body), &all))
	at := "/ingest/api/v1/source/" + source.at("id") + "/request/" + all.Data[0].ID
	blind.call("GET", at+"/body", nil).want(403)
	blind.call("POST", at+"/replay", map[string]any{"to": map[string]any{"url": "http://127.0.0.1:9/"}}).want(403)
	owner.call("GET", at+"/body", nil).want(200)
}

func TestChangingThePasswordEndsAllOtherSessions(t *testing.T) {
	t.Parallel()
	n := start(t, t.TempDir(), nil)
	b := n.owner(t)
	other := n.browser(t)
	other.call("POST", "/api/v1/session", map[string]any{"email": "ada@example.com", "password": goodPassword}).want(200)
	b.call("PATCH", "/api/v1/session/member", map[string]any{"password": map[string]any{"current": "wrong one here", "new": "another good one"}}).want(422)
	b.call("PATCH", "/api/v1/session/member", map[string]any{"password": map[string]any{"current": goodPassword, "new": "another good one"}}).want(200)
	other.call("GET", "/api/v1/app", nil).want(401)
	b.call("GET", "/api/v1/app", nil).want(200)
	other.call("POST", "/api/v1/session", map[string]any{"email": "ada@example.com", "password": goodPassword}).want(401)
	other.call("POST", "/api/v1/session", map[string]any{"email": "ada@example.com", "password": "another good one"}).want(200)
	var all apitype.List[apitype.SessionListed]
	testx.NoError(t, json.Unmarshal([]byte(b.call("GET", "/api/v1/session/list", nil).want(200).body), &all))
	if len(all.Data) != 2 {
		t.Fatalf("%d sessions, want 2", len(all.Data))
	}
	for _, s := range all.Data {
		if !s.Current {
			b.call("DELETE", "/api/v1/session/"+s.ID, nil).want(204)
		}
	}
	other.call("GET", "/api/v1/app", nil).want(401)
}

// Row X101 of the file of hostile inputs.
func TestGuessingPasswordsIsSlowedDownAndTellsNothing(t *testing.T) {
	t.Parallel()
	n := start(t, t.TempDir(), nil)
	n.owner(t)
	b := n.browser(t)
	answers := map[string]map[string]int{}
	for _, email := range []string{"ada@example.com", "nobody@example.com"} {
		answers[email] = map[string]int{}
		for i := range 500 {
			got := b.call("POST", "/api/v1/session", map[string]any{"email": email, "password": fmt.Sprintf("a wrong password %d", i)})
			answers[email][fmt.Sprint(got.status, " ", got.at("detail"))]++
			if got.status == 429 && got.header.Get("Retry-After") == "" {
				t.Fatal("429 without Retry-After")
			}
		}
	}
	for _, email := range []string{"ada@example.com", "nobody@example.com"} {
		got := answers[email]
		if len(got) != 2 || got["401 The e-mail address or the password is wrong."] > 10 || got["401 The e-mail address or the password is wrong."] < 5 {
			t.Errorf("%s: %v, want a few tries and then 429", email, got)
		}
	}
}

// Row X102 of the file of hostile inputs.
func TestEveryRevealOfASecretIsInTheAuditLog(t *testing.T) {
	t.Parallel()
	n := start(t, t.TempDir(), nil)
	ep := n.target(t, "http://127.0.0.1:9/")
	owner := n.owner(t)
	b := n.browser(t)
	readOnly := b.call("POST", "/api/v1/management/authentication/-/api-token", map[string]any{"name": "reader", "scopes": []string{"read"}}, "Authorization", "Bearer "+testKey).want(200).at("token")
	path := "/api/v1/app/acme/endpoint/" + ep.ID + "/secret"
	b.call("GET", path, nil, "Authorization", "Bearer "+readOnly).want(403)
	b.call("GET", path, nil, "Authorization", "Bearer "+testKey).want(200)
	owner.call("GET", path, nil).want(200)
	owner.call("POST", path+"/rotate", map[string]any{}).want(204)
	var log apitype.List[apitype.AuditOut]
	testx.NoError(t, json.Unmarshal([]byte(owner.call("GET", "/api/v1/audit", nil).want(200).body), &log))
	var got []string
	for _, e := range log.Data {
		got = append(got, string(e.Actor.Kind)+" "+e.Actor.Name+" "+e.Action+" "+e.Address)
		if strings.HasPrefix(e.Action, "endpoint.") && e.Action != "endpoint.create" && !strings.Contains(e.Target, ep.ID) {
			t.Errorf("the target is %q", e.Target)
		}
	}
	want := []string{
		"member ada@example.com endpoint.rotate-secret 127.0.0.1", "member ada@example.com endpoint.get-secret 127.0.0.1",
		"key first key endpoint.get-secret 127.0.0.1", "key first key api-token.create 127.0.0.1", "member ada@example.com session.setup 127.0.0.1",
		"key first key endpoint.create 127.0.0.1", "key first key application.create 127.0.0.1",
	}
	slices.Sort(got) // entries of the same 4 ms are in no order
	slices.Sort(want)
	testx.Equal(t, got, want)
}
