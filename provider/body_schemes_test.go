package provider_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"

	"github.com/grapnelhq/grapnel/provider"
)

func twilioRequest(signed, url, kind, body string) provider.Request {
	h := hmac.New(sha1.New, []byte(textSecret))
	h.Write([]byte(signed))
	r := provider.Request{Method: "POST", URL: url, Header: http.Header{}, Body: []byte(body)}
	r.Header.Set("X-Twilio-Signature", base64.StdEncoding.EncodeToString(h.Sum(nil)))
	r.Header.Set("Host", "elsewhere.example.com")
	if kind != "" {
		r.Header.Set("Content-Type", kind)
	}
	return r
}

func TestTwilioSignsTheConfiguredURLWithAndWithoutItsDefaultPort(t *testing.T) {
	t.Parallel()
	const form = "application/x-www-form-urlencoded; charset=UTF-8"
	v := newVerifier(t, "twilio", provider.Settings{}, textSecret)
	for name, c := range map[string]struct {
		signed, url, kind, body string
		ok                      bool
	}{
		"as configured":             {"https://a.example/x?q=1", "https://a.example/x?q=1", "", "", true},
		"with the port":             {"https://a.example:443/x", "https://a.example/x", "", "", true},
		"without it":                {"https://a.example/x", "https://a.example:443/x", "", "", true},
		"the port of http":          {"http://a.example:80/x", "http://a.example/x", "", "", true},
		"the other scheme's port":   {"https://a.example:80/x", "https://a.example/x", "", "", false},
		"another port":              {"https://a.example:8443/x", "https://a.example:8443/x", "", "", true},
		"another port left out":     {"https://a.example/x", "https://a.example:8443/x", "", "", false},
		"behind a proxy of http":    {"https://a.example/x", "http://a.example/x", "", "", false},
		"the Host header":           {"https://elsewhere.example.com/x", "https://a.example/x", "", "", false},
		"an apostrophe":             {"https://a.example/x?q='", "https://a.example/x?q=%27", "", "", true},
		"the path in another case":  {"https://a.example/X", "https://a.example/x", "", "", false},
		"fields sorted":             {"https://a.example/xA1B 2", "https://a.example/x", form, "B=+2&A=1", true},
		"fields as they come":       {"https://a.example/xB2A1", "https://a.example/x", form, "B=2&A=1", false},
		"a field of several values": {"https://a.example/xA1A2", "https://a.example/x", form, "A=2&A=1&A=2", true},
		"a field more":              {"https://a.example/xA1", "https://a.example/x", form, "A=1&B=2", false},
		"a broken form":             {"https://a.example/x", "https://a.example/x", form, "%zz", false},
		"JSON that nothing covers":  {"https://a.example/x", "https://a.example/x", "application/json", "{}", false},
		"text that nothing covers":  {"https://a.example/x", "https://a.example/x", "", "A=1", false},
		"a body without fields":     {"https://a.example/x", "https://a.example/x", "text/plain", "&", false},
		"an empty hash":             {"https://a.example/x?bodySHA256=", "https://a.example/x?bodySHA256=", "application/json", "{}", false},
	} {
		if got := v.Verify(t.Context(), twilioRequest(c.signed, c.url, c.kind, c.body), signingTime); got.OK() != c.ok {
			t.Errorf("%s: %s (%s)", name, got.Reason, got.Detail)
		}
	}
	r := provider.Request{Method: "POST", URL: ownURL, Header: http.Header{"Content-Type": {"application/json"}}, Body: []byte("{}")}
	if err := v.Sign(&r, "", signingTime); err != nil || !v.Verify(t.Context(), r, signingTime).OK() || !strings.Contains(r.URL, "&bodySHA256=") {
		t.Errorf("JSON is not signed by its hash: %s, %v", r.URL, err)
	}
}

func TestASendGridSignatureInAnotherFormIsRefused(t *testing.T) {
	t.Parallel()
	const header = "X-Twilio-Email-Event-Webhook-Signature"
	v, r := ownRequest(t, "sendgrid")
	good := r.Header.Get(header)
	for _, text := range []string{good + "\n", strings.TrimRight(good, "="), good + "=", " " + good, hexOf([]byte(good)), base64.StdEncoding.EncodeToString(make([]byte, 64))} {
		if text != good && v.Verify(t.Context(), withHeader(r, header, text), signingTime).OK() {
			t.Errorf("%q is believed", text)
		}
	}
	for _, stamp := range []string{"", "0", "-1", "+1777863721", "1777863721.0", "1777863721000", "٠", "99999999999999999999"} {
		if v.Verify(t.Context(), withHeader(r, "X-Twilio-Email-Event-Webhook-Timestamp", stamp), signingTime).OK() {
			t.Errorf("the time %q is believed", stamp)
		}
	}
}

func TestMailgunIsReadFromEventsAndFromWhatRoutesPassOn(t *testing.T) {
	t.Parallel()
	stamp := jsonNumber(signingTime.Unix())
	h := hmac.New(sha256.New, []byte(textSecret))
	h.Write([]byte(stamp + "token-1"))
	signature := hexOf(h.Sum(nil))
	form := "timestamp=" + stamp + "&token=token-1&signature=" + signature
	var parts bytes.Buffer
	w := multipart.NewWriter(&parts)
	for _, field := range [][2]string{{"subject", "Tea"}, {"timestamp", stamp}, {"token", "token-1"}, {"signature", signature}} {
		if err := w.WriteField(field[0], field[1]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	object := `{"timestamp":"` + stamp + `","token":"token-1","signature":"` + signature + `"}`
	v := newVerifier(t, "mailgun", provider.Settings{}, textSecret)
	for name, c := range map[string]struct {
		kind, body string
		ok         bool
	}{
		"events":             {"application/json", `{"signature":` + object + `}`, true},
		"time as a number":   {"application/json", `{"signature":{"timestamp":` + stamp + `,"token":"token-1","signature":"` + signature + `"}}`, true},
		"form":               {"application/x-www-form-urlencoded", form, true},
		"multipart":          {w.FormDataContentType(), parts.String(), true},
		"multipart cut":      {w.FormDataContentType(), parts.String()[:parts.Len()/2], false},
		"multipart bare":     {"multipart/form-data", parts.String(), false},
		"token twice":        {"application/x-www-form-urlencoded", form + "&token=token-2", false},
		"signature twice":    {"application/json", `{"signature":{},"signature":` + object + `}`, false},
		"upper case":         {"application/json", `{"signature":` + strings.Replace(object, signature, strings.ToUpper(signature), 1) + `}`, false},
		"moved digits":       {"application/x-www-form-urlencoded", "timestamp=" + stamp[:9] + "&token=" + stamp[9:] + "token-1&signature=" + signature, false},
		"empty":              {"application/json", ``, false},
		"a list":             {"application/json", `[]`, false},
		"no object":          {"application/json", `{"signature":"` + signature + `"}`, false},
		"broken form":        {"application/x-www-form-urlencoded", form + "&%zz", false},
		"form told as JSON":  {"application/json", form, false},
		"nothing to say for": {"", "timestamp=1", false},
	} {
		r := provider.Request{Method: "POST", URL: ownURL, Header: http.Header{"Content-Type": {c.kind}}, Body: []byte(c.body)}
		got := v.Verify(t.Context(), r, signingTime)
		if got.OK() != c.ok {
			t.Errorf("%s: %s (%s)", name, got.Reason, got.Detail)
		}
		if c.ok && got.EventID != "token-1" {
			t.Errorf("%s: the id is %q, and the token must count once", name, got.EventID)
		}
	}
}

func TestAdyenVerifiesEveryItemAndHasOneReading(t *testing.T) {
	t.Parallel()
	v, r := ownRequest(t, "adyen")
	good := string(r.Body)
	item := good[strings.Index(good, `[`)+1 : strings.LastIndex(good, `]`)]
	forged := strings.Replace(item, "1000", "100000", 1)
	for name, c := range map[string]struct {
		body string
		ok   bool
	}{
		"good":                {good, true},
		"two good":            {strings.Replace(good, item, item+","+item, 1), true},
		"one forged":          {strings.Replace(good, item, item+","+forged, 1), false},
		"the first forged":    {strings.Replace(good, item, forged+","+item, 1), false},
		"no items":            {strings.Replace(good, item, "", 1), false},
		"items twice":         {strings.Replace(good, `{`, `{"notificationItems":[`+forged+`],`, 1), false},
		"items in other case": {strings.Replace(strings.Replace(good, `"notificationItems"`, `"NotificationItems"`, 1), `{`, `{"notificationItems":[`+forged+`],`, 1), false},
		"other case beside":   {strings.Replace(good, `{`, `{"NotificationItems":[`+forged+`],`, 1), true},
		"value twice":         {strings.Replace(good, `"value":1000`, `"value":5,"value":1000`, 1), false},
		"value as a list":     {strings.Replace(good, `"value":1000`, `"value":[1000]`, 1), false},
		"value as a text":     {strings.Replace(good, `"value":1000`, `"value":"1000"`, 1), true},
		"no JSON":             {"[accepted]", false},
		"empty":               {"", false},
	} {
		r.Body = []byte(c.body)
		if got := v.Verify(t.Context(), r, signingTime); got.OK() != c.ok {
			t.Errorf("%s: %s (%s)", name, got.Reason, got.Detail)
		}
	}
	accepted := v.Provider().Accepted
	if accepted.Status != 200 || string(accepted.Body) != "[accepted]" {
		t.Errorf("the answer is %d %s", accepted.Status, accepted.Body)
	}
}

func TestTheValuesOfAnAdyenItemAreNoBodyOfAPlatform(t *testing.T) {
	t.Parallel()
	v, r := ownRequest(t, "adyen")
	_, signature, _ := strings.Cut(string(r.Body), `"hmacSignature":"`)
	signature, _, _ = strings.Cut(signature, `"`)
	r.Body = []byte("7914073381342284::Shop:order-1:1000:EUR:AUTHORISATION:true")
	r.Header.Set("HmacSignature", signature)
	r.Header.Set("Protocol", "HmacSHA256")
	if got := v.Verify(t.Context(), r, signingTime); got.OK() {
		t.Error("believed")
	}
	platform := provider.Request{Method: "POST", Header: http.Header{}, Body: []byte(`{"type":"merchant.created"}`)}
	if err := v.Sign(&platform, "", signingTime); err != nil || !v.Verify(t.Context(), platform, signingTime).OK() {
		t.Fatalf("a platform's body is not verified: %v", err)
	}
	if got := v.Verify(t.Context(), withHeader(platform, "Protocol", "HmacSHA1"), signingTime); got.OK() {
		t.Error("another protocol is believed")
	}
}

func TestTheNewestHubSpotSignatureDecidesAlone(t *testing.T) {
	t.Parallel()
	v, r := ownRequest(t, "hubspot")
	sum := sha256.Sum256([]byte(textSecret + string(r.Body)))
	older := provider.Request{Method: "POST", URL: ownURL, Header: http.Header{}, Body: r.Body}
	older.Header.Set("X-HubSpot-Signature", hexOf(sum[:]))
	older.Header.Set("X-HubSpot-Signature-Version", "v1")
	if got := v.Verify(t.Context(), older, signingTime); !got.OK() {
		t.Fatalf("v1: %s", got.Detail)
	}
	if got := v.Verify(t.Context(), withHeader(older, "X-HubSpot-Signature-v3", "AAAA"), signingTime); got.OK() {
		t.Error("a bad v3 falls back to v1")
	}
	for _, version := range []string{"v3", "V1", "", "v1 "} {
		if got := v.Verify(t.Context(), withHeader(older, "X-HubSpot-Signature-Version", version), signingTime); got.OK() {
			t.Errorf("the version %q is believed", version)
		}
	}
	extended := append(bytes.Clone(r.Body), "\x80\x00\x00[]"...)
	sum = sha256.Sum256([]byte(textSecret + string(extended)))
	older.Body = extended
	if got := v.Verify(t.Context(), withHeader(older, "X-HubSpot-Signature", hexOf(sum[:])), signingTime); got.Reason != provider.MalformedBody {
		t.Errorf("a body that was made longer: %s", got.Reason)
	}
	encoded := provider.Request{Method: "POST", URL: "https://a.example/x?u=https%3A%2F%2Fb%2fc%20d", Header: http.Header{}, Body: []byte("{}")}
	h := hmac.New(sha256.New, []byte(textSecret))
	stamp := jsonNumber(signingTime.UnixMilli())
	h.Write([]byte("POSThttps://a.example/x?u=https://b/c%20d{}" + stamp))
	encoded.Header.Set("X-HubSpot-Signature-v3", base64.StdEncoding.EncodeToString(h.Sum(nil)))
	encoded.Header.Set("X-HubSpot-Request-Timestamp", stamp)
	if got := v.Verify(t.Context(), encoded, signingTime); !got.OK() {
		t.Errorf("an encoded URL: %s", got.Detail)
	}
}

func TestPlainSecretsAreComparedAsTheyAre(t *testing.T) {
	t.Parallel()
	basic := func(text string) string { return "Basic " + base64.StdEncoding.EncodeToString([]byte(text)) }
	for name, c := range map[string]struct {
		provider string
		settings provider.Settings
		header   string
		value    string
		ok       bool
	}{
		"basic":                     {"basic-auth", provider.Settings{Username: "kettle"}, "Authorization", basic("kettle:" + textSecret), true},
		"basic in lower case":       {"basic-auth", provider.Settings{Username: "kettle"}, "Authorization", strings.Replace(basic("kettle:"+textSecret), "Basic", "basic", 1), true},
		"basic without a name":      {"basic-auth", provider.Settings{}, "Authorization", basic(":" + textSecret), true},
		"another name":              {"basic-auth", provider.Settings{Username: "kettle"}, "Authorization", basic("pot:" + textSecret), false},
		"name and password swapped": {"basic-auth", provider.Settings{Username: "kettle"}, "Authorization", basic(textSecret + ":kettle"), false},
		"a moved colon":             {"basic-auth", provider.Settings{Username: "kettle"}, "Authorization", basic("kettle" + textSecret), false},
		"no base64":                 {"basic-auth", provider.Settings{Username: "kettle"}, "Authorization", "Basic kettle:" + textSecret, false},
		"bearer for basic":          {"basic-auth", provider.Settings{}, "Authorization", "Bearer " + textSecret, false},
		"key":                       {"api-key", provider.Settings{}, "X-Api-Key", textSecret, true},
		"key with a blank":          {"api-key", provider.Settings{}, "X-Api-Key", textSecret + " ", false},
		"key in another case":       {"api-key", provider.Settings{}, "X-Api-Key", strings.ToUpper(textSecret), false},
		"key in its own header":     {"api-key", provider.Settings{Header: "X-Shop"}, "X-Shop", textSecret, true},
		"key in the usual header":   {"api-key", provider.Settings{Header: "X-Shop"}, "X-Api-Key", textSecret, false},
		"bearer":                    {"api-key", provider.Settings{Header: "authorization"}, "Authorization", "Bearer " + textSecret, true},
		"no bearer":                 {"api-key", provider.Settings{Header: "Authorization"}, "Authorization", textSecret, true},
		"chargebee":                 {"chargebee", provider.Settings{Username: "u"}, "Authorization", basic("u:" + textSecret), true},
		"postmark by name":          {"postmark", provider.Settings{Username: "u"}, "Authorization", basic("u:" + textSecret), true},
		"postmark by header":        {"postmark", provider.Settings{Header: "X-Shop"}, "X-Shop", textSecret, true},
		"postmark by the other way": {"postmark", provider.Settings{Header: "X-Shop"}, "Authorization", basic(":" + textSecret), false},
		"deepgram":                  {"deepgram", provider.Settings{}, "dg-token", textSecret, true},
		"deepgram's other":          {"deepgram", provider.Settings{}, "dg-token", textSecret[1:], false},
	} {
		r := provider.Request{Method: "POST", URL: ownURL, Header: http.Header{}}
		r.Header.Set(c.header, c.value)
		if got := newVerifier(t, c.provider, c.settings, textSecret).Verify(t.Context(), r, signingTime); got.OK() != c.ok {
			t.Errorf("%s: %s (%s)", name, got.Reason, got.Detail)
		}
	}
}

func TestIDsAndTypesOfOwnSchemesAreFound(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ provider, kind, body, id, event string }{
		{"adyen", "", adyenBody, "7914073381342284:AUTHORISATION:true", "AUTHORISATION"},
		{"adyen", "", `{"notificationItems":[{},{}],"type":"x"}`, "", "x"},
		{"twilio", "application/x-www-form-urlencoded", "MessageSid=SM1&MessageStatus=sent", "SM1:sent", "sent"},
		{"twilio", "application/x-www-form-urlencoded", "CallSid=CA1&CallStatus=ringing", "", "ringing"},
		{"sendgrid", "", `[{"sg_event_id":"e1","event":"open"}]`, "e1", "open"},
		{"sendgrid", "", `[{"sg_event_id":"e1","event":"open"},{"sg_event_id":"e2"}]`, "", ""},
		{"hubspot", "", `[{"eventId":1,"portalId":2,"subscriptionId":3,"objectId":4,"occurredAt":5,"subscriptionType":"contact.creation"}]`, "2:3:1:4:5", "contact.creation"},
		{"hubspot", "", `[{"eventId":1},{"eventId":2}]`, "", ""},
		{"plaid", "", `{"webhook_type":"ITEM","webhook_code":"ERROR"}`, "", "ITEM.ERROR"},
		{"fusionauth", "", `{"event":{"id":"e","type":"user.create"}}`, "e", "user.create"},
		{"netlify", "", `{"id":"d","state":"ready","updated_at":"t"}`, "d:ready:t", ""},
		{"chargebee", "", `{"id":"ev_1","event_type":"customer_created"}`, "ev_1", "customer_created"},
		{"postmark", "", `{"RecordType":"Delivery","MessageID":"m","Recipient":"a@b.example","DeliveredAt":"t"}`, "Delivery:m:a@b.example:t", "Delivery"},
		{"deepgram", "", `{"metadata":{"request_id":"r"}}`, "r", ""},
		{"messagebird", "", `{"type":"message.updated","message":{"id":"m","status":"read"}}`, "message.updated:m:read", "message.updated"},
		{"aws-sns", "", snsBody, "m-1", "Notification"},
		{"mailgun", "application/json", `{"signature":{"timestamp":"1","token":"t","signature":"x"},"event-data":{"event":"opened"}}`, "t", "opened"},
	} {
		kit := ownKits[c.provider]
		r := provider.Request{Method: "POST", URL: ownURL, Header: http.Header{"Content-Type": {c.kind}}, Body: []byte(c.body)}
		got := newVerifier(t, c.provider, kit.settings, kit.secret).Verify(t.Context(), r, signingTime)
		if got.EventID != c.id || got.EventType != c.event {
			t.Errorf("%s: id %q, type %q; want %q, %q", c.provider, got.EventID, got.EventType, c.id, c.event)
		}
	}
}
