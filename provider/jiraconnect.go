package provider

import (
	"net/url"
	"slices"
	"strings"
	"time"
)

var jiraConnectScheme = &jwtScheme{
	header: "Authorization", prefix: "JWT ", algorithms: []string{"HS256"}, read: plainSecret{}.parse,
	required: []string{"exp", "iat"},
	bound: func(r *Request, claims members, s *Settings) (Reason, string) {
		fits := false
		for _, path := range connectPaths(r.URL) {
			fits = sameDigest(claims, "qsh", connectHash(r, path)) || fits
		}
		if !fits {
			return SignatureMismatch, "The token is of another address (qsh)."
		}
		if issuer, _ := claims.text("iss"); s.AccountKey != "" && issuer != s.AccountKey {
			return NotAllowed, "The token is of another site than the settings name."
		}
		return Verified, ""
	},
	issue: func(r *Request, s *Settings, now time.Time) (map[string]any, error) {
		u, err := url.Parse(r.URL)
		if err != nil {
			return nil, errURL
		}
		return map[string]any{
			"iss": s.AccountKey, "iat": now.Unix(), "exp": now.Add(jwtLifetime).Unix(), "qsh": connectHash(r, u.EscapedPath()),
		}, nil
	},
}

var jiraConnect = Provider{
	Name:  "jira-connect",
	Title: "Jira (Connect app)",
	Scheme: "JWT (HS256) in Authorization with a hash of method, path and query (qsh) and a time of end; " +
		"it does not cover the body: who sends is proven, not what",
	Headers:    []string{"Authorization", "X-Atlassian-Webhook-Identifier"},
	SecretHelp: "The sharedSecret of the installed callback of your Connect app; accountKey in the settings is the clientKey of the site.",
	Uses:       []string{"accountKey"},
	scheme:     jiraConnectScheme,
	eventID:    inHeader("X-Atlassian-Webhook-Identifier"),
	eventType:  inBody("webhookEvent"),
}

// maxConnectPaths bounds the paths that are tried.
const maxConnectPaths = 10

// connectPaths are the path of the URL and what of it remains after each of its
// segments: the hash is over the path below the app's base URL, which is not known here.
func connectPaths(address string) []string {
	u, err := url.Parse(address)
	if err != nil {
		return nil
	}
	path := u.EscapedPath()
	paths := []string{path}
	for strings.HasPrefix(path, "/") && len(paths) < maxConnectPaths {
		i := strings.IndexByte(path[1:], '/')
		if i < 0 {
			break
		}
		path = path[1+i:]
		paths = append(paths, path)
	}
	return append(paths, "/")
}

// connectHash is the hash of Atlassian's canonical request: method, path and query with
// sorted names, joined by ampersands.
func connectHash(r *Request, path string) string {
	path = "/" + strings.Trim(path, "/")
	return hexSHA256([]byte(strings.ToUpper(r.Method) + "&" + strings.ReplaceAll(path, "&", "%26") + "&" + connectQuery(r.URL)))
}

func connectQuery(address string) string {
	_, raw, _ := strings.Cut(address, "?")
	raw, _, _ = strings.Cut(raw, "#")
	// What cannot be read is left out, so that the hash does not fit.
	query, _ := url.ParseQuery(raw)
	delete(query, "jwt")
	pairs := make([]string, 0, len(query))
	for name, values := range query {
		encoded := make([]string, 0, len(values))
		for _, value := range values {
			encoded = append(encoded, percentEncode(value))
		}
		slices.Sort(encoded)
		pairs = append(pairs, percentEncode(name)+"="+strings.Join(encoded, ","))
	}
	slices.Sort(pairs)
	return strings.Join(pairs, "&")
}

// percentEncode writes all but the unreserved characters of RFC 3986 as %XX.
func percentEncode(text string) string {
	return strings.ReplaceAll(url.QueryEscape(text), "+", "%20")
}
