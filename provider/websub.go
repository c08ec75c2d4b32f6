package provider

import (
	"context"
	"crypto/hmac"
	"encoding/hex"
	"slices"
	"strings"
	"time"
)

// webSub is the signature of W3C WebSub 7.1: the header names the method.
type webSub struct{ plainSecret }

var _ scheme = webSub{}

var webSubMethods = map[string]algorithm{"sha1": hmacSHA1, "sha256": hmacSHA256, "sha384": hmacSHA384, "sha512": hmacSHA512}

const webSubHeader = "X-Hub-Signature"

func (webSub) verify(_ context.Context, r *Request, k key, _ *Settings, _ time.Time) Verdict {
	line, refused := single(r.Header, webSubHeader)
	if refused.Reason != "" {
		return refused
	}
	name, text, _ := strings.Cut(line, "=")
	method, ok := webSubMethods[name]
	signature, isHex := hexLower.bytes(text)
	if !ok || !isHex {
		return Verdict{Reason: MalformedHeader, Detail: webSubHeader + " is no method and lower-case hex."}
	}
	if !hmac.Equal(signature, webSubSum(method, k, r.Body)) {
		return Verdict{Reason: SignatureMismatch, Detail: "The signature does not fit the body under the secret."}
	}
	return Verdict{Reason: Verified}
}

func (webSub) sign(r *Request, k key, _ *Settings, _ string, _ time.Time) error {
	r.Header.Set(webSubHeader, "sha256="+hex.EncodeToString(webSubSum(hmacSHA256, k, r.Body)))
	return nil
}

func webSubSum(method algorithm, k key, body []byte) []byte {
	sum := hmac.New(method.hash(), k.bytes)
	sum.Write(body)
	return sum.Sum(nil)
}

// topical refuses what a scheme believes if its Link header names itself as a topic
// that is not one of the settings.
type topical struct{ scheme }

func (t topical) verify(ctx context.Context, r *Request, k key, s *Settings, now time.Time) Verdict {
	verdict := t.scheme.verify(ctx, r, k, s, now)
	topic := selfLink(r.Header.Values("Link"))
	if verdict.OK() && topic != "" && len(s.Topics) > 0 && !slices.Contains(s.Topics, topic) {
		return Verdict{Reason: NotAllowed, Detail: "The content is of a topic that is not one of the settings."}
	}
	return verdict
}

// selfLink finds <address>; rel="self" in Link headers (RFC 8288), the first one.
func selfLink(lines []string) string {
	for _, line := range lines {
		links := strings.Split(line, "<")
		for _, link := range links[1:] {
			if target, parameters, ok := strings.Cut(link, ">"); ok && isSelf(parameters) {
				return target
			}
		}
	}
	return ""
}

func isSelf(parameters string) bool {
	for parameter := range strings.FieldsFuncSeq(parameters, func(r rune) bool { return r == ';' || r == ',' }) {
		name, value, _ := strings.Cut(strings.TrimSpace(parameter), "=")
		if strings.EqualFold(strings.TrimSpace(name), "rel") {
			return slices.Contains(strings.Fields(strings.ToLower(strings.Trim(strings.TrimSpace(value), `"`))), "self")
		}
	}
	return false
}
