package provider

import (
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// snsConfirmHost are the hosts of the addresses that confirm a subscription.
var snsConfirmHost = regexp.MustCompile(`^sns\.[a-z0-9-]{3,30}\.amazonaws\.com(\.cn)?$`)

// snsHandshake confirms a subscription by a visit, if it is signed, to a topic of the
// settings, and the settings allow the visit. Otherwise it is answered, and the owner
// finds the address in the request.
func snsHandshake(v *Verifier, r *Request, verdict Verdict, _ time.Time) (Handshake, bool) {
	members := bodyMembers(r.Body)
	if !verdict.OK() || textMember(members, "Type") != "SubscriptionConfirmation" {
		return Handshake{}, false
	}
	found := Handshake{Answer: bare(http.StatusOK)}
	topic, address := textMember(members, "TopicArn"), textMember(members, "SubscribeURL")
	if v.settings.Confirm && slices.Contains(v.settings.Topics, topic) && confirmsTopic(address, topic) {
		found.Visit = address
	}
	return found, true
}

// confirmsTopic reports whether a visit to the address can do nothing but confirm a
// subscription to that topic.
func confirmsTopic(address, topic string) bool {
	u, ok := plainHTTPS(address)
	if !ok || !snsConfirmHost.MatchString(u.Host) || strings.Trim(u.Path, "/") != "" {
		return false
	}
	query, err := url.ParseQuery(u.RawQuery)
	return err == nil && one(query["Action"]) == "ConfirmSubscription" && one(query["TopicArn"]) == topic && one(query["Token"]) != ""
}

// one is the only value of a parameter, empty if it is not there once.
func one(values []string) string {
	if len(values) != 1 {
		return ""
	}
	return values[0]
}

// plainHTTPS parses an address of https without user, fragment or anything odd.
func plainHTTPS(address string) (*url.URL, bool) {
	if !echoable(address) || strings.ContainsAny(address, " \\") {
		return nil, false
	}
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" || u.User != nil || u.Opaque != "" || u.Fragment != "" {
		return nil, false
	}
	return u, true
}

// eventGridHost are the hosts of validation addresses, in the three clouds.
var eventGridHost = regexp.MustCompile(`^rp-[a-z0-9-]{1,40}\.eventgrid\.azure\.(net|us|cn)$`)

// eventGridOrigin is who asks for permission for subscriptions in the CloudEvents schema.
const eventGridOrigin = "eventgrid.azure.net"

// eventGridHandshake gives the validation code back, and with Confirm names the validation
// address for a visit. A secret in the address is in the validation too and must fit;
// whether one in a delivery property is, Azure does not say.
func eventGridHandshake(v *Verifier, r *Request, verdict Verdict, _ time.Time) (Handshake, bool) {
	if r.Method == http.MethodOptions {
		return grant(r, []string{eventGridOrigin}, 0), true
	}
	if r.Header.Get("Aeg-Event-Type") != "SubscriptionValidation" || !verdict.OK() && v.settings.Header == "" {
		return Handshake{}, false
	}
	code, address := validation(r.Body)
	found, _ := challenged(code, func(text string) Answer { return jsonAnswer(map[string]string{"validationResponse": text}) })
	if u, ok := plainHTTPS(address); ok && verdict.OK() && v.settings.Confirm && eventGridHost.MatchString(u.Hostname()) &&
		slices.Contains([]string{"", "443", "553"}, u.Port()) {
		found.Visit = address
	}
	return found, true
}

func validation(body []byte) (code, address string) {
	var events []struct {
		EventType string
		Data      struct{ ValidationCode, ValidationURL string }
	}
	if len(body) > maxHandshakeBody || json.Unmarshal(body, &events) != nil || len(events) != 1 ||
		events[0].EventType != "Microsoft.EventGrid.SubscriptionValidationEvent" {
		return "", ""
	}
	return events[0].Data.ValidationCode, events[0].Data.ValidationURL
}

// cloudEventsHandshake grants what the settings allow (CloudEvents http-webhook 4).
func cloudEventsHandshake(v *Verifier, r *Request, _ Verdict, _ time.Time) (Handshake, bool) {
	if r.Method != http.MethodOptions {
		return Handshake{}, false
	}
	return grant(r, v.settings.Origins, v.settings.Rate), true
}

// grant answers a request for permission. The origin is given back only if it is one of
// the allowed; the rate that is granted is what was asked for, at most the limit.
// Permission is given at once, so that no address of the request is ever called back.
func grant(r *Request, origins []string, limit int) Handshake {
	origin := one(r.Header.Values("Webhook-Request-Origin"))
	allowed := slices.ContainsFunc(origins, func(o string) bool { return o == "*" || strings.EqualFold(o, origin) })
	if !allowed || !isOrigin(origin) {
		answer := bare(http.StatusMethodNotAllowed)
		answer.Header.Set("Allow", http.MethodPost)
		return Handshake{Answer: answer}
	}
	answer := bare(http.StatusOK)
	answer.Header.Set("Allow", http.MethodPost)
	answer.Header.Set("Webhook-Allowed-Origin", origin)
	if asked := r.Header.Get("Webhook-Request-Rate"); asked != "" {
		answer.Header.Set("Webhook-Allowed-Rate", granted(asked, limit))
	}
	return Handshake{Answer: answer}
}

// granted is the rate for a sender that asks for one: whole requests a minute, or * for
// any number if it asks for what is no number.
func granted(asked string, limit int) string {
	n, err := strconv.ParseUint(asked, 10, 31)
	switch {
	case (err != nil || n == 0) && limit == 0:
		return "*"
	case err != nil || n == 0 || limit > 0 && n > uint64(limit):
		return strconv.Itoa(limit)
	}
	return strconv.FormatUint(n, 10)
}

// isOrigin reports whether the text can be the DNS name of a sender, with a port at most.
func isOrigin(text string) bool {
	return text != "" && len(text) <= 253 && !strings.ContainsFunc(text, func(r rune) bool {
		letter := 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9'
		return !letter && !strings.ContainsRune(".-_:", r)
	})
}
