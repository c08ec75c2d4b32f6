package api_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
	"github.com/grapnelhq/grapnel/internal/testx"
)

// link makes a portal link and gives its code.
func (r *rig) link(body any) string {
	r.t.Helper()
	_, code, ok := strings.Cut(r.call("POST", "/auth/app-portal-access/acme", body).want(200).at("url"), "#code=")
	if !ok {
		r.t.Fatal("a link without a code")
	}
	return code
}

// exchange gives the answer to a code.
func (r *rig) exchange(code string, remember bool, header ...string) answer {
	r.t.Helper()
	return r.callAs("", "POST", "/auth/one-time-token", map[string]any{"oneTimeToken": code, "remember": remember}, header...)
}

func (a answer) cookie() *http.Cookie {
	a.t.Helper()
	cookies := (&http.Response{Header: a.header}).Cookies()
	if len(cookies) != 1 {
		a.t.Fatalf("%d cookies", len(cookies))
	}
	return cookies[0]
}

func TestCodeOfALinkIsExchangedOnce(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.app("acme")
	code := r.link(`{"capabilities":["ViewBase"],"sessionId":"s","featureFlags":["beta"],"expiry":3600}`)
	opened := r.exchange(code, false).want(200).is(`["ViewBase"]`, "capabilities").is("false", "renewable")
	if opened.header.Get("Set-Cookie") != "" || opened.header.Get("Cache-Control") != "no-store" {
		t.Errorf("the answer has the headers %v", opened.header)
	}
	r.callAs(opened.at("token"), "GET", "/auth/whoami", nil).want(200).is("s", "sessionId").is(`["ViewBase"]`, "capabilities")
	r.callAs(opened.at("token"), "POST", "/app/acme/endpoint", `{"url":"https://e.test"}`).refused(403, "insufficient access")
	r.exchange(code, false).refused(401, "authentication_failed")
	for _, bad := range []string{"x", strings.Repeat("a", 43)} {
		r.exchange(bad, false).refused(401, "authentication_failed")
	}
	for _, bad := range []string{"", strings.Repeat("a", 129)} {
		r.exchange(bad, false).refusedAt("body", "oneTimeToken")
	}
}

func TestTokenOfThePageIsShortAndEndsWithItsLink(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.app("acme")
	opened := r.exchange(r.link(nil), true).want(200)
	r.clock.Add(int64(time.Hour))
	r.callAs(opened.at("token"), "GET", "/auth/whoami", nil).refused(401, "authentication_failed")
	late := r.link(`{"expiry":3600}`)
	r.clock.Add(int64(50 * time.Minute))
	opened = r.exchange(late, false).want(200)
	if opened.at("expiresAt") != opened.at("endsAt") {
		t.Errorf("the token ends at %s, its link at %s", opened.at("expiresAt"), opened.at("endsAt"))
	}
	expired := r.link(`{"expiry":3600}`)
	r.clock.Add(int64(time.Hour))
	r.exchange(expired, false).refused(401, "authentication_failed")
}

func TestCookieRenewsTheTokenOfItsOwnPageOnly(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.app("acme")
	code := r.link(nil)
	r.exchange(code, true, "Sec-Fetch-Site", "cross-site").refused(403, "insufficient access")
	cookie := r.exchange(code, true, "Sec-Fetch-Site", "same-origin").want(200).is("true", "renewable").cookie()
	testx.Equal(t, [4]any{cookie.HttpOnly, cookie.Secure, cookie.SameSite, cookie.Path}, [4]any{true, true, http.SameSiteStrictMode, ""})
	renew := func(header ...string) answer {
		return r.callAs("", "POST", "/auth/portal-token", nil, append(header, "Cookie", "grapnel_portal="+cookie.Value)...)
	}
	for range 2 {
		token := renew("Origin", "https://hooks.example.test").want(200).at("token")
		r.callAs(token, "GET", "/app/acme/endpoint", nil).want(200)
	}
	renew("Origin", "https://evil.example").refused(403, "insufficient access")
	renew("Sec-Fetch-Site", "cross-site").refused(403, "insufficient access")
	r.callAs("", "POST", "/auth/portal-token", nil).refused(401, "authentication_failed")
	r.callAs("", "POST", "/auth/portal-token", nil, "Cookie", "grapnel_portal="+r.link(nil)).refused(401, "authentication_failed")
	// It opens nothing else.
	r.callAs("", "GET", "/app/acme/endpoint", nil, "Cookie", "grapnel_portal="+cookie.Value).refused(401, "authentication_failed")
	// Signing out ends it.
	token := renew().want(200).at("token")
	out := r.callAs(token, "POST", "/auth/logout", nil, "Cookie", "grapnel_portal="+cookie.Value).want(204)
	if out.cookie().MaxAge >= 0 {
		t.Error("the cookie is not taken away")
	}
	renew().refused(401, "authentication_failed")
}

func TestRevokingEndsLinksPagesAndCookies(t *testing.T) {
	t.Parallel()
	for name, revoke := range map[string]func(r *rig){
		"all of the application": func(r *rig) { r.call("POST", "/auth/app/acme/expire-all", nil).want(204) },
		"by session":             func(r *rig) { r.call("POST", "/auth/app/acme/expire-all", `{"sessionIds":["s"]}`).want(204) },
		"with the application":   func(r *rig) { r.call("DELETE", "/app/acme", nil).want(204) },
	} {
		r := newRig(t)
		r.app("acme")
		unused := r.link(`{"sessionId":"s"}`)
		opened := r.exchange(r.link(`{"sessionId":"s"}`), true).want(200)
		revoke(r)
		for what, a := range map[string]answer{
			"the link":   r.exchange(unused, false),
			"the page":   r.callAs(opened.at("token"), "GET", "/api/v1/portal/config", nil),
			"the cookie": r.callAs("", "POST", "/auth/portal-token", nil, "Cookie", "grapnel_portal="+opened.cookie().Value),
		} {
			if a.status != 401 {
				t.Errorf("%s: %s is answered with %d", name, what, a.status)
			}
		}
	}
}

func TestPortalConfigHasThemeRightsAndApplication(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.app("acme")
	r.call("PATCH", "/api/v1/settings", `{"portal":{"name":"Ship Shape","accent":"#0B5CAD","logoLight":"https://img.example.com/l.svg","hide":["recover","recover"],"language":"de"}}`).want(200)
	token := r.exchange(r.link(`{"capabilities":["ViewBase","CreateAttempts"]}`), false).want(200).at("token")
	r.callAs(token, "GET", "/api/v1/portal/config", nil).want(200).is("Ship Shape", "theme", "name").is("acme", "app", "uid").
		is(`["ViewBase","CreateAttempts"]`, "capabilities").is("#0b5cad", "light", "accent").is("#ffffff", "light", "onAccent").is("#000000", "dark", "onAccent").
		is("https://img.example.com/l.svg", "theme", "logoDark").is(`["recover"]`, "theme", "hide").is("de", "theme", "language").is("system", "theme", "mode")
	r.call("GET", "/api/v1/portal/config", nil).refused(403, "insufficient access")
}

func TestSettingsAreChangedOneByOne(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	const at = "/api/v1/settings"
	r.call("GET", at, nil).want(200).is("null", "updatedAt").is("[]", "portalOrigins").is("6", "portal", "radius").is("inter", "portal", "font")
	r.call("PATCH", at, `{"portalOrigins":["https://App.Example.com/","https://*.example.org:8443","http://localhost:3000","https://app.example.com"]}`).want(200).
		is(`["https://app.example.com","https://*.example.org:8443","http://localhost:3000"]`, "portalOrigins")
	r.call("PATCH", at, `{"portal":{"name":"A","radius":0,"texts":{"title":"Hello","welcome":"","support":"Ask us","supportUrl":"mailto:help@example.com"}}}`).want(200)
	r.call("PATCH", at, `{"portal":{"mode":"dark"}}`).want(200).is("A", "portal", "name").is("0", "portal", "radius").is("dark", "portal", "mode").is("Hello", "portal", "texts", "title")
	r.call("PATCH", at, `{"portal":{"name":null,"radius":null,"mode":null,"texts":null}}`).want(200).is("", "portal", "name").is("6", "portal", "radius").is("", "portal", "texts", "supportUrl")
	other := hook.Environment{ID: hook.NewID(r.now()), Name: "other", CreatedAt: r.now()}
	must(t, r.store.CreateEnvironment(t.Context(), &other))
	r.callAs(r.addKey(other.ID, hook.ID{}), "GET", at, nil).want(200).is("[]", "portalOrigins")
	read := r.addKey(r.env.ID, hook.ID{}, "read")
	r.callAs(read, "GET", at, nil).want(200)
	r.callAs(read, "PATCH", at, `{}`).refused(403, "insufficient access")
}

func TestBadSettingIsRefusedAndChangesNothing(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	const at = "/api/v1/settings"
	for body, loc := range map[string][]string{
		`{"portal":{"accent":"red"}}`:                                             {"body", "portal", "accent"},
		`{"portal":{"accent":"#fff"}}`:                                            {"body", "portal", "accent"},
		`{"portal":{"accent":"#ffcc00"}}`:                                         {"body", "portal", "accent"},
		`{"portal":{"accentDark":"#0b5cad"}}`:                                     {"body", "portal", "accentDark"},
		`{"portal":{"radius":25}}`:                                                {"body", "portal", "radius"},
		`{"portal":{"font":"comic"}}`:                                             {"body", "portal", "font"},
		`{"portal":{"mode":"blue"}}`:                                              {"body", "portal", "mode"},
		`{"portal":{"language":"xx"}}`:                                            {"body", "portal", "language"},
		`{"portal":{"hide":["everything"]}}`:                                      {"body", "portal", "hide", "[0]"},
		`{"portal":{"name":"a\u0007b"}}`:                                          {"body", "portal", "name"},
		`{"portal":{"name":"a\u202eb"}}`:                                          {"body", "portal", "name"},
		`{"portal":{"name":"` + strings.Repeat("ä", 81) + `"}}`:                   {"body", "portal", "name"},
		`{"portal":{"logoLight":"http://img.example.com/l.svg"}}`:                 {"body", "portal", "logoLight"},
		`{"portal":{"logoLight":"https://u:p@img.example.com/l"}}`:                {"body", "portal", "logoLight"},
		`{"portal":{"logoLight":"https://a;script-src *.evil/l"}}`:                {"body", "portal", "logoLight"},
		`{"portal":{"logoLight":"javascript:alert(1)"}}`:                          {"body", "portal", "logoLight"},
		`{"portal":{"logoDark":"data:text/html;base64,AA=="}}`:                    {"body", "portal", "logoDark"},
		`{"portal":{"logoDark":"data:image/png;base64,!"}}`:                       {"body", "portal", "logoDark"},
		`{"portal":{"texts":{"support":"a","supportUrl":"javascript:alert(1)"}}}`: {"body", "portal", "texts", "supportUrl"},
		`{"portal":{"texts":{"support":"a"}}}`:                                    {"body", "portal", "texts", "support"},
		`{"portalOrigins":["*"]}`:                                                 {"body", "portalOrigins", "[0]"},
		`{"portalOrigins":["https://*"]}`:                                         {"body", "portalOrigins", "[0]"},
		`{"portalOrigins":["https://*.com"]}`:                                     {"body", "portalOrigins", "[0]"},
		`{"portalOrigins":["https://a.example; script-src *"]}`:                   {"body", "portalOrigins", "[0]"},
		`{"portalOrigins":["https://a.example/path"]}`:                            {"body", "portalOrigins", "[0]"},
		`{"portalOrigins":["http://a.example"]}`:                                  {"body", "portalOrigins", "[0]"},
		`{"portalOrigins":["https://a.example:0"]}`:                               {"body", "portalOrigins", "[0]"},
		`{"portalOrigins":["data:"]}`:                                             {"body", "portalOrigins", "[0]"},
		`{"portalOrigins":["'unsafe-inline'"]}`:                                   {"body", "portalOrigins", "[0]"},
		`{"portalOrigins":null}`:                                                  {"body", "portalOrigins"},
	} {
		r.call("PATCH", at, body).refusedAt(loc...)
	}
	refused := r.call("PATCH", at, `{"portal":{"name":"B","accent":"#ffcc00"}}`).want(422)
	if !strings.Contains(string(refused.body), "1.4") || !strings.Contains(string(refused.body), "4.5") {
		t.Errorf("the contrast is not told: %s", refused.body)
	}
	r.call("GET", at, nil).want(200).is("", "portal", "name").is("null", "updatedAt")
}
