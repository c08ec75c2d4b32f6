package provider

import (
	"encoding/base64"
	"net/http"
	"slices"
	"time"
)

// queryEcho gives the value of a parameter back: Dropbox, Nylas.
func queryEcho(name string) handshake {
	find := inQuery(name)
	return func(_ *Verifier, r *Request, _ Verdict, _ time.Time) (Handshake, bool) {
		challenge := find(r)
		if r.Method != http.MethodGet || challenge == "" {
			return Handshake{}, false
		}
		return challenged(challenge, textAnswer)
	}
}

var (
	hubMode      = inQuery("hub.mode")
	hubTopic     = inQuery("hub.topic")
	hubToken     = inQuery("hub.verify_token")
	hubChallenge = inQuery("hub.challenge")
)

// hubHandshake answers those who bring the verify token and refuses others: Meta, Strava.
func hubHandshake(answer func(string) Answer) handshake {
	return func(v *Verifier, r *Request, _ Verdict, _ time.Time) (Handshake, bool) {
		mode := hubMode(r)
		if r.Method != http.MethodGet || mode == "" {
			return Handshake{}, false
		}
		if mode != "subscribe" || !sameText(hubToken(r), v.settings.VerifyToken) {
			return Handshake{Answer: bare(http.StatusForbidden)}, true
		}
		return challenged(hubChallenge(r), answer)
	}
}

func stravaAnswer(challenge string) Answer {
	return jsonAnswer(map[string]string{"hub.challenge": challenge})
}

// webSubHandshake confirms what the receiver wants and nothing else (W3C WebSub 5.3): the
// subscription to one of its topics, and the end of a subscription to any other.
// A hub's notice that it denies one is taken note of.
func webSubHandshake(v *Verifier, r *Request, _ Verdict, _ time.Time) (Handshake, bool) {
	mode, topic := hubMode(r), hubTopic(r)
	if r.Method != http.MethodGet || mode == "" {
		return Handshake{}, false
	}
	wanted := slices.Contains(v.settings.Topics, topic)
	switch {
	case mode == "subscribe" && wanted, mode == "unsubscribe" && !wanted && topic != "":
		return challenged(hubChallenge(r), textAnswer)
	case mode == "denied" && wanted:
		return Handshake{Answer: bare(http.StatusNoContent)}, true
	}
	return Handshake{Answer: bare(http.StatusNotFound)}, true
}

var crcToken = inQuery("crc_token")

// crcHandshake is the challenge-response check of X.
func crcHandshake(v *Verifier, r *Request, _ Verdict, now time.Time) (Handshake, bool) {
	token := crcToken(r)
	if r.Method != http.MethodGet || token == "" {
		return Handshake{}, false
	}
	mac := v.mac(token, now)
	if !signable(token) || mac == nil {
		return Handshake{Answer: bare(http.StatusBadRequest)}, true
	}
	answer := jsonAnswer(map[string]string{"response_token": "sha256=" + base64.StdEncoding.EncodeToString(mac)})
	return Handshake{Answer: answer}, true
}

// headHandshake says that somebody is there: Trello, Intercom.
func headHandshake(_ *Verifier, r *Request, _ Verdict, _ time.Time) (Handshake, bool) {
	return Handshake{Answer: bare(http.StatusOK)}, r.Method == http.MethodHead
}

var graphToken = inQuery("validationToken")

// graphHandshake gives the token back, decoded, as Microsoft Graph wants it.
func graphHandshake(_ *Verifier, r *Request, _ Verdict, _ time.Time) (Handshake, bool) {
	token := graphToken(r)
	if r.Method != http.MethodPost || token == "" {
		return Handshake{}, false
	}
	return challenged(token, textAnswer)
}

// oktaHandshake gives the challenge of a header back.
func oktaHandshake(_ *Verifier, r *Request, _ Verdict, _ time.Time) (Handshake, bool) {
	challenge := r.Header.Get("X-Okta-Verification-Challenge")
	if r.Method != http.MethodGet || challenge == "" {
		return Handshake{}, false
	}
	return challenged(challenge, func(text string) Answer { return jsonAnswer(map[string]string{"verification": text}) })
}
