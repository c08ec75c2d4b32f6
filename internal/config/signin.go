package config

import (
	"maps"
	"net/url"
	"slices"
	"strings"
)

// OIDC is the provider of OpenID Connect that members may sign in with.
type OIDC struct {
	Issuer       string // a URL; empty: none
	ClientID     string
	ClientSecret Secret // empty: a public client
	Name         string // what its button says
	Domains      []string
	RoleClaim    string
	Roles        map[string]string // of a value of RoleClaim, "*" for any; nil: roles are managed by members
}

// memberRoles are the words for roles, as the API has them.
var memberRoles = []string{"viewer", "developer", "admin", "owner"}

var signInSettings = []Setting{
	{Group: "Sign-in", Name: "oidc-issuer", Value: "URL", Usage: "provider of OpenID Connect that members may sign in with",
		set: func(c *Config, v string) error { return setIssuer(&c.OIDC.Issuer, v) }, show: func(c *Config) string { return c.OIDC.Issuer }},
	{Group: "Sign-in", Name: "oidc-client-id", Value: "ID", Usage: "what the provider knows this server by",
		set: func(c *Config, v string) error { c.OIDC.ClientID = v; return nil }, show: func(c *Config) string { return c.OIDC.ClientID }},
	{Group: "Sign-in", Name: "oidc-client-secret", Value: "FILE", Secret: true, Usage: "the secret that the provider gave for it; none for a public client",
		set: func(c *Config, v string) error { c.OIDC.ClientSecret = Secret(v); return nil }, show: func(c *Config) string { return c.OIDC.ClientSecret.String() }},
	{Group: "Sign-in", Name: "oidc-name", Default: "SSO", Value: "TEXT", Usage: "what the provider's button says",
		set: func(c *Config, v string) error { c.OIDC.Name = v; return nil }, show: func(c *Config) string { return c.OIDC.Name }},
	{Group: "Sign-in", Name: "oidc-domains", Value: "DOMAIN,…", Usage: "domains whose e-mail addresses become members when they first sign in; others must be invited",
		set: func(c *Config, v string) error { return setDomains(&c.OIDC.Domains, v) }, show: func(c *Config) string { return strings.Join(c.OIDC.Domains, ",") }},
	{Group: "Sign-in", Name: "oidc-role-claim", Default: "groups", Value: "CLAIM", Usage: "claim of the ID token that --oidc-roles is about",
		set: func(c *Config, v string) error { c.OIDC.RoleClaim = v; return nil }, show: func(c *Config) string { return c.OIDC.RoleClaim }},
	{Group: "Sign-in", Name: "oidc-roles", Value: "VALUE=ROLE,…", Usage: "roles by values of that claim, * for any; each sign-in sets the role, and who has none is not let in",
		set: func(c *Config, v string) error { return setRoles(&c.OIDC.Roles, v) }, show: func(c *Config) string { return showRoles(c.OIDC.Roles) }},
}

// checkSignIn finds what a provider needs, and what has no effect without one.
func (c *Config) checkSignIn() []Problem {
	if c.OIDC.Issuer != "" {
		if c.OIDC.ClientID == "" {
			return []Problem{{"--oidc-issuer " + c.OIDC.Issuer, "needs a client id, but none is given", "Register this server at the provider and give the id by --oidc-client-id."}}
		}
		return nil
	}
	var found []Problem
	for _, s := range signInSettings {
		if s.Default == "" && s.show(c) != "" {
			found = append(found, Problem{"--" + s.Flag(), "has no effect without a provider", "Name one with --oidc-issuer, or remove it."})
		}
	}
	return found
}

func setIssuer(to *string, v string) error {
	u, err := url.Parse(v)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return &badValue{"is not the address of an issuer", "Write the URL below which the provider has /.well-known/openid-configuration, such as https://accounts.example.com."}
	}
	*to = v
	return nil
}

func setDomains(to *[]string, v string) error {
	*to = []string{}
	for _, part := range list(v) {
		if strings.ContainsAny(part, "@*/: ") || !strings.Contains(part, ".") {
			return atPart(part, &badValue{"is not a domain", "Write domains such as example.com, without @ and without wildcards."})
		}
		*to = append(*to, strings.ToLower(part))
	}
	return nil
}

func setRoles(to *map[string]string, v string) error {
	*to = map[string]string{}
	for _, part := range list(v) {
		at := strings.LastIndexByte(part, '=')
		if at <= 0 || !slices.Contains(memberRoles, part[at+1:]) {
			return atPart(part, &badValue{"gives no role", "Write VALUE=ROLE with one of viewer, developer, admin, owner, such as hooks-admins=admin,*=viewer."})
		}
		(*to)[part[:at]] = part[at+1:]
	}
	return nil
}

func showRoles(roles map[string]string) string {
	parts := make([]string, 0, len(roles))
	for _, value := range slices.Sorted(maps.Keys(roles)) {
		parts = append(parts, value+"="+roles[value])
	}
	return strings.Join(parts, ",")
}
