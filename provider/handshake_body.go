package provider

import (
	"encoding/hex"
	"encoding/json"
	"net/http"
	"strings"
	"time"
)

// slackHandshake answers url_verification, which is signed as every event is.
func slackHandshake(_ *Verifier, r *Request, verdict Verdict, _ time.Time) (Handshake, bool) {
	members := bodyMembers(r.Body)
	if !verdict.OK() || textMember(members, "type") != "url_verification" {
		return Handshake{}, false
	}
	return challenged(textMember(members, "challenge"), textAnswer)
}

// zoomHandshake answers endpoint.url_validation. Zoom signs it; one with a wrong
// signature is refused, one with none is answered, because what is answered can never
// serve as a signature of an event: that is over a text with colons.
func zoomHandshake(v *Verifier, r *Request, verdict Verdict, now time.Time) (Handshake, bool) {
	members := bodyMembers(r.Body)
	if textMember(members, "event") != "endpoint.url_validation" {
		return Handshake{}, false
	}
	if !verdict.OK() && r.Header.Get("X-Zm-Signature") != "" {
		return Handshake{}, false
	}
	token := textMember(bodyMembers(members["payload"]), "plainToken")
	mac := v.mac(token, now)
	if !signable(token) || mac == nil {
		return Handshake{Answer: bare(http.StatusBadRequest)}, true
	}
	return Handshake{Answer: jsonAnswer(map[string]string{"plainToken": token, "encryptedToken": hex.EncodeToString(mac)})}, true
}

// twitchHandshake answers the signed verification of a subscription.
func twitchHandshake(_ *Verifier, r *Request, verdict Verdict, _ time.Time) (Handshake, bool) {
	if !verdict.OK() || r.Header.Get("Twitch-Eventsub-Message-Type") != "webhook_callback_verification" {
		return Handshake{}, false
	}
	return challenged(textMember(bodyMembers(r.Body), "challenge"), textAnswer)
}

// discordHandshake answers the two signed pings: that of interactions, of type 1 and
// without an event, and that of webhook events, of type 0. (A webhook event is of
// type 1 too, with an event.)
func discordHandshake(_ *Verifier, r *Request, verdict Verdict, _ time.Time) (Handshake, bool) {
	members := bodyMembers(r.Body)
	if !verdict.OK() || members["event"] != nil {
		return Handshake{}, false
	}
	switch string(members["type"]) {
	case "0":
		return Handshake{Answer: bare(http.StatusNoContent)}, true
	case "1":
		return Handshake{Answer: Answer{Status: http.StatusOK, Header: typed("application/json"), Body: []byte(`{"type":1}`)}}, true
	}
	return Handshake{}, false
}

// asanaHandshake learns the secret that Asana tells at the creation of a webhook, and
// answers the signed heartbeats, which have no events.
func asanaHandshake(v *Verifier, r *Request, verdict Verdict, _ time.Time) (Handshake, bool) {
	if r.Method != http.MethodPost {
		return Handshake{}, false
	}
	if secrets := r.Header.Values("X-Hook-Secret"); len(secrets) > 0 && r.Header.Get("X-Hook-Signature") == "" {
		if len(secrets) > 1 {
			return Handshake{Answer: bare(http.StatusBadRequest)}, true
		}
		answer := bare(http.StatusOK)
		answer.Header.Set("X-Hook-Secret", secrets[0])
		return v.learned(secrets[0], answer)
	}
	if !verdict.OK() || !isHeartbeat(r.Body) {
		return Handshake{}, false
	}
	return Handshake{Answer: bare(http.StatusOK)}, true
}

func isHeartbeat(body []byte) bool {
	members := bodyMembers(body)
	if members == nil {
		return false
	}
	var events []json.RawMessage
	return members["events"] == nil || json.Unmarshal(members["events"], &events) == nil && len(events) == 0
}

// notionHandshake learns the token that Notion tells once, unsigned. The operator copies
// it into Notion's own page, which proves that the address is his.
func notionHandshake(v *Verifier, r *Request, _ Verdict, _ time.Time) (Handshake, bool) {
	members := bodyMembers(r.Body)
	token := textMember(members, "verification_token")
	if token == "" || members["type"] != nil || r.Method != http.MethodPost {
		return Handshake{}, false
	}
	return v.learned(token, bare(http.StatusOK))
}

// mondayHandshake gives the challenge back in the same JSON. It is not signed.
func mondayHandshake(_ *Verifier, r *Request, _ Verdict, _ time.Time) (Handshake, bool) {
	members := bodyMembers(r.Body)
	if members["challenge"] == nil || members["event"] != nil {
		return Handshake{}, false
	}
	return challenged(textMember(members, "challenge"), func(text string) Answer {
		return jsonAnswer(map[string]string{"challenge": text})
	})
}

// wooCommerceHandshake answers the unsigned form that tells of a new webhook.
func wooCommerceHandshake(_ *Verifier, r *Request, _ Verdict, _ time.Time) (Handshake, bool) {
	id, ok := strings.CutPrefix(string(r.Body[:min(len(r.Body), 64)]), "webhook_id=")
	digits := id != "" && len(id) <= 20 && strings.Trim(id, "0123456789") == ""
	return Handshake{Answer: bare(http.StatusOK)}, ok && digits && r.Method == http.MethodPost
}
