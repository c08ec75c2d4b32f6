package provider

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// adyenScheme is two: classic notifications have a signature in each of their items,
// those of the platforms have one of the whole body in a header.
type adyenScheme struct{}

var _ scheme = adyenScheme{}

const (
	adyenHeader   = "HmacSignature"
	adyenProtocol = "Protocol"
	adyenSHA256   = "HmacSHA256"
	maxAdyenItems = 100
)

var adyen = Provider{
	Name:  "adyen",
	Title: "Adyen",
	Scheme: "HMAC-SHA256 (base64, hex key): in each notification item of eight of its values, " +
		"or in HmacSignature of the body (platforms)",
	Headers:      []string{adyenHeader, adyenProtocol},
	SecretHelp:   "Customer Area > Developers > Webhooks > your webhook > Security: the HMAC key, 64 hex digits.",
	AnswerWithin: 10 * time.Second,
	Accepted: Answer{
		Status: http.StatusOK, Header: http.Header{"Content-Type": {"text/plain; charset=utf-8"}}, Body: []byte("[accepted]"),
	},
	scheme:    adyenScheme{},
	eventID:   sole(joined(":", adyenField("pspReference"), adyenField("eventCode"), adyenField("success")), "notificationItems.1"),
	eventType: firstOf(sole(adyenField("eventCode"), "notificationItems.1"), inBody("type")),
}

func adyenField(name string) locator {
	return inBody("notificationItems.0.NotificationRequestItem." + name)
}

func (adyenScheme) parse(text string) (key, error) {
	k, err := hexKey.parse(text)
	if err != nil {
		return key{}, err
	}
	if len(k.bytes) != sha256.Size {
		return key{}, errors.New("it is not 64 hex digits")
	}
	return k, nil
}

func (a adyenScheme) verify(_ context.Context, r *Request, k key, _ *Settings, _ time.Time) Verdict {
	if len(r.Header.Values(adyenHeader)) > 0 {
		return a.verifyBody(r, k)
	}
	items, _, err := adyenItems(r.Body)
	if err != nil {
		return refuse(MalformedBody, "There is no HmacSignature, and the body is no notification with items: "+err.Error()+".")
	}
	for i, item := range items {
		text, content, err := adyenContent(item)
		if err != nil {
			return refuse(MalformedBody, fmt.Sprintf("Item %d: %v.", i, err))
		}
		if verdict := adyenCompare(text, content, k); !verdict.OK() {
			return verdict
		}
	}
	return Verdict{Reason: Verified}
}

// verifyBody wants a body that begins like a JSON object: so the signed values of an
// item can never pass for one.
func (adyenScheme) verifyBody(r *Request, k key) Verdict {
	text, refused := single(r.Header, adyenHeader)
	if refused.Reason != "" {
		return refused
	}
	if protocol := r.Header.Values(adyenProtocol); len(protocol) > 0 && one(protocol) != adyenSHA256 {
		return refuse(MalformedHeader, "The header Protocol is not HmacSHA256.")
	}
	if !strings.HasPrefix(strings.TrimLeft(string(r.Body), jsonBlanks), "{") {
		return refuse(MalformedBody, "The body is no JSON object.")
	}
	return adyenCompare(text, r.Body, k)
}

func adyenCompare(text string, content []byte, k key) Verdict {
	signature, ok := base64Std.bytes(text)
	if !ok || len(signature) != sha256.Size {
		return refuse(MalformedHeader, "The signature is not the base64 of a SHA-256.")
	}
	if !hmac.Equal(signature, adyenMAC(k, content)) {
		return refuse(SignatureMismatch, noFit)
	}
	return Verdict{Reason: Verified}
}

func adyenMAC(k key, content []byte) []byte {
	h := hmac.New(sha256.New, k.bytes)
	h.Write(content)
	return h.Sum(nil)
}

// adyenItems are the items of a classic notification, and the whole of it.
func adyenItems(body []byte) ([]members, members, error) {
	whole, err := strictMembers(body)
	if err != nil {
		return nil, nil, err
	}
	var raws []json.RawMessage
	if err := json.Unmarshal(whole["notificationItems"], &raws); err != nil || len(raws) == 0 {
		return nil, nil, errors.New("it has no notificationItems")
	}
	if len(raws) > maxAdyenItems {
		return nil, nil, errors.New("it has too many notificationItems")
	}
	items := make([]members, 0, len(raws))
	for _, raw := range raws {
		wrapper, err := strictMembers(raw)
		if err != nil {
			return nil, nil, err
		}
		item, err := strictMembers(wrapper["NotificationRequestItem"])
		if err != nil {
			return nil, nil, errors.New("an item has no NotificationRequestItem that can be read")
		}
		items = append(items, item)
	}
	return items, whole, nil
}

// adyenContent is an item's signature and what it covers.
func adyenContent(item members) (signature string, content []byte, err error) {
	additional, err := strictMembers(item["additionalData"])
	if err != nil {
		return "", nil, errors.New("it has no additionalData with a signature")
	}
	if signature, _ = additional.text("hmacSignature"); signature == "" {
		return "", nil, errors.New("it has no hmacSignature")
	}
	content, err = adyenValues(item)
	return signature, content, err
}

func adyenValues(item members) ([]byte, error) {
	amount := members{}
	if len(item["amount"]) > 0 && string(item["amount"]) != "null" {
		var err error
		if amount, err = strictMembers(item["amount"]); err != nil {
			return nil, errors.New("its amount cannot be read")
		}
	}
	values := make([]string, 0, 8)
	for _, field := range []struct {
		in   members
		name string
	}{
		{item, "pspReference"}, {item, "originalReference"}, {item, "merchantAccountCode"}, {item, "merchantReference"},
		{amount, "value"}, {amount, "currency"}, {item, "eventCode"}, {item, "success"},
	} {
		value, ok := field.in.scalar(field.name)
		if !ok {
			return nil, errors.New("its " + field.name + " is no text or number")
		}
		values = append(values, value)
	}
	return []byte(strings.Join(values, ":")), nil
}

func (adyenScheme) sign(r *Request, k key, _ *Settings, _ string, _ time.Time) error {
	items, whole, err := adyenItems(r.Body)
	if err != nil { // no items: the platform's form, which signs the body as it is
		r.Header.Set(adyenProtocol, adyenSHA256)
		r.Header.Set(adyenHeader, base64.StdEncoding.EncodeToString(adyenMAC(k, r.Body)))
		return nil //nolint:nilerr // see above
	}
	signed := make([]map[string]members, 0, len(items))
	for _, item := range items {
		content, err := adyenValues(item)
		if err != nil {
			return err
		}
		additional, err := strictMembers(item["additionalData"])
		if err != nil {
			additional = members{}
		}
		additional["hmacSignature"] = quoted(base64.StdEncoding.EncodeToString(adyenMAC(k, content)))
		if item["additionalData"], err = json.Marshal(additional); err != nil {
			return err
		}
		signed = append(signed, map[string]members{"NotificationRequestItem": item})
	}
	if whole["notificationItems"], err = json.Marshal(signed); err != nil {
		return err
	}
	r.Body, err = json.Marshal(whole)
	return err
}
