package provider

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// handshakes are the handshakes by the name of the provider. A provider whose
// subscription begins with an ordinary signed event has none: the ping of GitHub, the
// intent to receive of Xero.
var handshakes = map[string]handshake{
	"asana":            asanaHandshake,
	"aws-sns":          snsHandshake,
	"azure-event-grid": eventGridHandshake,
	"cloudevents":      cloudEventsHandshake,
	"discord":          discordHandshake,
	"dropbox":          queryEcho("challenge"),
	"instagram":        hubHandshake(textAnswer),
	"intercom":         headHandshake,
	"meta":             hubHandshake(textAnswer),
	"microsoft-graph":  graphHandshake,
	"monday":           mondayHandshake,
	"notion":           notionHandshake,
	"nylas":            queryEcho("challenge"),
	"okta":             oktaHandshake,
	"slack":            slackHandshake,
	"strava":           hubHandshake(stravaAnswer),
	"trello":           headHandshake,
	"twitch":           twitchHandshake,
	"websub":           webSubHandshake,
	"whatsapp":         hubHandshake(textAnswer),
	"woocommerce":      wooCommerceHandshake,
	"x-twitter":        crcHandshake,
	"zoom":             zoomHandshake,
}

// Bounds of a handshake.
const (
	maxChallenge     = 4 << 10  // bytes of a text that is given back
	maxHandshakeBody = 64 << 10 // bytes of a body that is looked at
)

// echoable reports whether a text may be given back: neither empty nor long, and
// without control characters.
func echoable(text string) bool {
	return text != "" && len(text) <= maxChallenge && utf8.ValidString(text) && !strings.ContainsFunc(text, unicode.IsControl)
}

// bare is an answer of a status and nothing else.
func bare(status int) Answer { return Answer{Status: status, Header: http.Header{}} }

// textAnswer gives a challenge back such that no browser takes it for a page.
func textAnswer(challenge string) Answer {
	return Answer{Status: http.StatusOK, Header: typed("text/plain; charset=utf-8"), Body: []byte(challenge)}
}

// jsonAnswer gives members back as a JSON object. Marshalling texts cannot fail, and it
// escapes what HTML would read as markup.
func jsonAnswer(members map[string]string) Answer {
	body, _ := json.Marshal(members)
	return Answer{Status: http.StatusOK, Header: typed("application/json"), Body: body}
}

func typed(contentType string) http.Header {
	return http.Header{"Content-Type": {contentType}, "X-Content-Type-Options": {"nosniff"}}
}

// challenged answers a challenge that may be given back, and refuses one that may not.
func challenged(challenge string, answer func(string) Answer) (Handshake, bool) {
	if !echoable(challenge) {
		return Handshake{Answer: bare(http.StatusBadRequest)}, true
	}
	return Handshake{Answer: answer(challenge)}, true
}

// bodyMembers gives the members of a body that is a JSON object of a handshake's size.
func bodyMembers(body []byte) map[string]json.RawMessage {
	var members map[string]json.RawMessage
	if len(body) > maxHandshakeBody || json.Unmarshal(body, &members) != nil {
		return nil
	}
	return members
}

// textMember is the member as a text, empty if it is no text.
func textMember(members map[string]json.RawMessage, name string) string {
	var text string
	if json.Unmarshal(members[name], &text) != nil {
		return ""
	}
	return text
}

// sameText compares two texts without telling by its time how much of them, or how long
// they are. An empty one is the same as none.
func sameText(a, b string) bool {
	x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(x[:], y[:]) == 1 && a != "" && b != ""
}

// mac is the HMAC-SHA256 of a challenge under the first secret in force, nil if
// there is none.
func (v *Verifier) mac(challenge string, now time.Time) []byte {
	for i := range v.keys {
		if !v.keys[i].inForce(now) {
			continue
		}
		mac := hmac.New(sha256.New, v.keys[i].bytes)
		mac.Write([]byte(challenge))
		return mac.Sum(nil)
	}
	return nil
}

// signable reports whether a challenge may be answered with a MAC under the secret that
// the events are signed with. A stranger can ask for such answers, so the challenge
// must be nothing that is ever signed in an event: it has no braces, quotes or colons.
func signable(challenge string) bool {
	return challenge != "" && len(challenge) <= 256 && !strings.ContainsFunc(challenge, func(r rune) bool {
		letter := 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9'
		return !letter && !strings.ContainsRune("-_.~+/=", r)
	})
}

// learned is the handshake of a sender that tells the secret it will sign with. The
// first one is believed. Whoever comes later with another is refused: only the
// operator replaces a secret.
func (v *Verifier) learned(secret string, answer Answer) (Handshake, bool) {
	switch {
	case !echoable(secret) || len(secret) > 512:
		return Handshake{Answer: bare(http.StatusBadRequest)}, true
	case len(v.keys) == 0:
		return Handshake{Answer: answer, Learned: secret}, true
	case slices.ContainsFunc(v.keys, func(k datedKey) bool { return sameText(k.text, secret) }):
		return Handshake{Answer: answer}, true
	}
	return Handshake{Answer: bare(http.StatusConflict)}, true
}
