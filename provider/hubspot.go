package provider

import (
	"bytes"
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"
)

// hubSpotScheme is three: the newest signature that the request has decides alone.
type hubSpotScheme struct{ plainSecret }

var _ scheme = hubSpotScheme{}

const (
	hubSpotV3        = "X-HubSpot-Signature-v3"
	hubSpotStamp     = "X-HubSpot-Request-Timestamp"
	hubSpotHeader    = "X-HubSpot-Signature"
	hubSpotVersion   = "X-HubSpot-Signature-Version"
	hubSpotTolerance = 5 * time.Minute
)

var hubSpot = Provider{
	Name:  "hubspot",
	Title: "HubSpot",
	Scheme: "v3: HMAC-SHA256 (base64) of method, URL, body and time (ms); " +
		"without it v2 or v1: SHA-256 (hex) of the secret, then method, URL and body, or the body",
	Headers: []string{hubSpotV3, hubSpotStamp, hubSpotHeader, hubSpotVersion},
	SecretHelp: "Your app in the developer account > Auth: the client secret. " +
		"The URL of the source must be the one that HubSpot calls, as the signature covers it.",
	Tolerance:    hubSpotTolerance,
	AnswerWithin: 5 * time.Second,
	Methods:      []string{http.MethodGet, http.MethodPut, http.MethodPatch, http.MethodDelete},
	scheme:       hubSpotScheme{},
	// eventId alone is not unique, and the id of one event does not stand for several.
	eventID: sole(joined(":", inBody("0.portalId"), inBody("0.subscriptionId"), inBody("0.eventId"),
		inBody("0.objectId"), inBody("0.occurredAt")), "1"),
	eventType: sole(inBody("0.subscriptionType"), "1"),
}

func (h hubSpotScheme) verify(_ context.Context, r *Request, k key, s *Settings, now time.Time) Verdict {
	if len(r.Header.Values(hubSpotV3)) > 0 {
		return h.verifyV3(r, k, s, now)
	}
	text, refused := single(r.Header, hubSpotHeader)
	if refused.Reason != "" {
		return refused
	}
	version, refused := single(r.Header, hubSpotVersion)
	if refused.Reason != "" {
		return refused
	}
	if version != "v1" && version != "v2" {
		return refuse(MalformedHeader, "The header "+hubSpotVersion+" is neither v1 nor v2.")
	}
	signature, ok := hexLower.bytes(text)
	if !ok || len(signature) != sha256.Size {
		return refuse(MalformedHeader, "The signature is not 64 digits of lower-case hex.")
	}
	if !hmac.Equal(signature, hubSpotDigest(r, k, version)) {
		return refuse(SignatureMismatch, noFit)
	}
	// Whoever has one signed request can append to it under a plain hash with the secret
	// in front, but only after a padding that is no text.
	if !utf8.Valid(r.Body) || bytes.IndexByte(r.Body, 0) >= 0 {
		return refuse(MalformedBody, "The body is no text, which signatures older than v3 are not safe for.")
	}
	return Verdict{Reason: Verified}
}

func (hubSpotScheme) verifyV3(r *Request, k key, s *Settings, now time.Time) Verdict {
	text, refused := single(r.Header, hubSpotV3)
	if refused.Reason != "" {
		return refused
	}
	stamp, refused := single(r.Header, hubSpotStamp)
	if refused.Reason != "" {
		return refused
	}
	at, ok := millis.parse(stamp)
	if !ok {
		return refuse(MalformedHeader, "The time in "+hubSpotStamp+" is not "+millis.String()+".")
	}
	signature, ok := base64Std.bytes(text)
	if !ok || len(signature) != sha256.Size {
		return refuse(MalformedHeader, "The signature is not the base64 of a SHA-256.")
	}
	verdict := Verdict{SignedAt: at}
	if !hmac.Equal(signature, hubSpotMAC(r, k, stamp)) {
		verdict.Reason, verdict.Detail = SignatureMismatch, noFit
		return verdict
	}
	verdict.Reason, verdict.Detail = fresh(at, now, cmp.Or(s.Tolerance, hubSpotTolerance))
	return verdict
}

func hubSpotMAC(r *Request, k key, stamp string) []byte {
	h := hmac.New(sha256.New, k.bytes)
	h.Write([]byte(r.Method + hubSpotURL(r.URL)))
	h.Write(r.Body)
	h.Write([]byte(stamp))
	return h.Sum(nil)
}

// hubSpotURL decodes those characters, and no others, that HubSpot decodes before it
// signs with v3.
func hubSpotURL(address string) string {
	if !strings.Contains(address, "%") {
		return address
	}
	return hubSpotDecoder.Replace(address)
}

var hubSpotDecoder = strings.NewReplacer(
	"%3A", ":", "%3a", ":", "%2F", "/", "%2f", "/", "%3F", "?", "%3f", "?", "%40", "@", "%21", "!", "%24", "$",
	"%27", "'", "%28", "(", "%29", ")", "%2A", "*", "%2a", "*", "%2C", ",", "%2c", ",", "%3B", ";", "%3b", ";",
)

// hubSpotDigest is the plain hash of the older signatures.
func hubSpotDigest(r *Request, k key, version string) []byte {
	h := sha256.New()
	h.Write(k.bytes)
	if version == "v2" {
		h.Write([]byte(r.Method + r.URL))
	}
	h.Write(r.Body)
	return h.Sum(nil)
}

func (hubSpotScheme) sign(r *Request, k key, _ *Settings, _ string, now time.Time) error {
	stamp := millis.text(now)
	r.Header.Set(hubSpotStamp, stamp)
	r.Header.Set(hubSpotV3, base64.StdEncoding.EncodeToString(hubSpotMAC(r, k, stamp)))
	return nil
}
