package provider

import (
	"net/http"
	"time"
)

const minute = time.Minute

// inOneHeader is the scheme of a header such as t=1700000000,v1=digest over time, dot and body.
func inOneHeader(header, timeName, signatureName string, unit stampUnit, tolerance time.Duration) *mac {
	return &mac{
		headers: []string{header},
		pairs:   &pairs{separator: ",", time: timeName, signature: signatureName},
		stamp:   stamp{place: stampInPairs, unit: unit, tolerance: tolerance},
		content: mustContent("{ts}.{body}"),
	}
}

func stampHeader(name string, unit stampUnit, tolerance time.Duration) stamp {
	return stamp{place: stampInHeader, name: name, unit: unit, tolerance: tolerance}
}

// timedProviders sign the time together with the body.
var timedProviders = []Provider{
	{
		Name: "stripe", Title: "Stripe",
		Scheme:     "HMAC-SHA256 (v1, hex) of timestamp.body",
		Headers:    []string{"Stripe-Signature"},
		SecretHelp: "Stripe Dashboard, Developers, Webhooks, the endpoint, Signing secret; it begins with whsec_ and each endpoint has its own.",
		Tolerance:  5 * minute,
		scheme:     inOneHeader("Stripe-Signature", "t", "v1", seconds, 5*minute),
		eventID:    inBody("id"), eventType: inBody("type"),
	},
	{
		Name: "slack", Title: "Slack",
		Scheme:       "HMAC-SHA256 (hex) of v0:timestamp:body",
		Headers:      []string{"X-Slack-Signature", "X-Slack-Request-Timestamp"},
		SecretHelp:   "api.slack.com/apps, your app, Basic Information, App Credentials, Signing Secret.",
		Tolerance:    5 * minute,
		AnswerWithin: 3 * time.Second,
		scheme: &mac{
			headers: []string{"X-Slack-Signature"}, prefix: "v0=", content: mustContent("v0:{ts}:{body}"),
			stamp: stampHeader("X-Slack-Request-Timestamp", seconds, 5*minute),
		},
		eventID:   inBody("event_id"),
		eventType: firstOf(inBody("event.type"), inBody("type"), inForm("command")),
	},
	{
		Name: "zoom", Title: "Zoom",
		Scheme:       "HMAC-SHA256 (hex) of v0:timestamp:body",
		Headers:      []string{"x-zm-signature", "x-zm-request-timestamp"},
		SecretHelp:   "Zoom App Marketplace, your app, Features, Access, Secret Token.",
		Tolerance:    5 * minute,
		AnswerWithin: 3 * time.Second,
		scheme: &mac{
			headers: []string{"x-zm-signature"}, prefix: "v0=", content: mustContent("v0:{ts}:{body}"),
			stamp: stampHeader("x-zm-request-timestamp", seconds, 5*minute),
		},
		eventType: inBody("event"),
	},
	{
		Name: "discord", Title: "Discord",
		Scheme:       "Ed25519 (hex) of timestamp and body",
		Headers:      []string{"X-Signature-Ed25519", "X-Signature-Timestamp"},
		SecretHelp:   "Discord Developer Portal, your application, General Information, Public Key: 64 hex digits.",
		Tolerance:    5 * minute,
		AnswerWithin: 3 * time.Second,
		scheme: &mac{
			algorithm: ed25519Signature, key: ed25519Key, headers: []string{"X-Signature-Ed25519"}, content: mustContent("{ts}{body}"),
			stamp: stampHeader("X-Signature-Timestamp", seconds, 5*minute),
		},
		eventID:   inBody("id"),
		eventType: firstOf(inBody("event.type"), inBody("type")),
	},
	{
		Name: "twitch", Title: "Twitch EventSub",
		Scheme:       "HMAC-SHA256 (hex) of message id, timestamp and body",
		Headers:      []string{"Twitch-Eventsub-Message-Signature", "Twitch-Eventsub-Message-Id", "Twitch-Eventsub-Message-Timestamp"},
		SecretHelp:   "The secret of 10 to 100 ASCII characters that you chose as transport.secret when you made the subscription.",
		Tolerance:    10 * minute,
		AnswerWithin: 10 * time.Second,
		scheme: &mac{
			headers: []string{"Twitch-Eventsub-Message-Signature"}, prefix: "sha256=", id: "Twitch-Eventsub-Message-Id",
			content: mustContent("{id}{ts}{body}"), stamp: stampHeader("Twitch-Eventsub-Message-Timestamp", rfc3339, 10*minute),
		},
		eventID:   inHeader("Twitch-Eventsub-Message-Id"),
		eventType: firstOf(inHeader("Twitch-Eventsub-Subscription-Type"), inBody("subscription.type"), inHeader("Twitch-Eventsub-Message-Type")),
	},
	{
		Name: "paddle", Title: "Paddle Billing",
		Scheme:       "HMAC-SHA256 (h1, hex) of timestamp:body",
		Headers:      []string{"Paddle-Signature"},
		SecretHelp:   "Paddle, Developer tools, Notifications, the destination, Secret key; it begins with pdl_ntfset_.",
		Tolerance:    5 * time.Second, // as in Paddle's own libraries
		AnswerWithin: 5 * time.Second,
		Accepted:     Answer{Status: http.StatusOK},
		scheme: &mac{
			headers: []string{"Paddle-Signature"}, pairs: &pairs{separator: ";", time: "ts", signature: "h1"},
			stamp: stamp{place: stampInPairs, tolerance: 5 * time.Second}, content: mustContent("{ts}:{body}"),
		},
		eventID: inBody("event_id"), eventType: inBody("event_type"),
	},
	{
		Name: "linear", Title: "Linear",
		Scheme:       "HMAC-SHA256 (hex) of the body; the time is webhookTimestamp in it",
		Headers:      []string{"Linear-Signature"},
		SecretHelp:   "Linear, Settings, API, the webhook, Signing secret.",
		Tolerance:    minute,
		AnswerWithin: 5 * time.Second,
		Accepted:     Answer{Status: http.StatusOK},
		scheme: &mac{
			headers: []string{"Linear-Signature"},
			stamp:   stamp{place: stampInBody, name: "webhookTimestamp", unit: millis, tolerance: minute},
		},
		eventID:   inHeader("Linear-Delivery"),
		eventType: firstOf(joined(".", inBody("type"), inBody("action")), inHeader("Linear-Event")),
	},
	{
		Name: "zendesk", Title: "Zendesk",
		Scheme:     "HMAC-SHA256 (base64) of timestamp and body",
		Headers:    []string{"X-Zendesk-Webhook-Signature", "X-Zendesk-Webhook-Signature-Timestamp"},
		SecretHelp: "Zendesk Admin Center, Apps and integrations, Webhooks, the webhook, Reveal secret.",
		Tolerance:  5 * minute,
		Methods:    []string{http.MethodGet, http.MethodPut, http.MethodPatch, http.MethodDelete},
		scheme: &mac{
			headers: []string{"X-Zendesk-Webhook-Signature"}, encoding: base64Std, content: mustContent("{ts}{body}"),
			stamp: stampHeader("X-Zendesk-Webhook-Signature-Timestamp", rfc3339, 5*minute),
		},
		eventID:   inHeader("X-Zendesk-Webhook-Invocation-Id"),
		eventType: inBody("type"),
	},
	{
		Name: "calendly", Title: "Calendly",
		Scheme:     "HMAC-SHA256 (v1, hex) of timestamp.body",
		Headers:    []string{"Calendly-Webhook-Signature"},
		SecretHelp: "The signing_key that you gave, or got back, when you made the webhook subscription by the API.",
		Tolerance:  3 * minute,
		scheme:     inOneHeader("Calendly-Webhook-Signature", "t", "v1", seconds, 3*minute),
		eventType:  inBody("event"),
	},
	{
		Name: "mux", Title: "Mux",
		Scheme:       "HMAC-SHA256 (v1, hex) of timestamp.body",
		Headers:      []string{"Mux-Signature"},
		SecretHelp:   "Mux Dashboard, Settings, Webhooks, the webhook, Show Signing Secret.",
		Tolerance:    5 * minute,
		AnswerWithin: 5 * time.Second,
		scheme:       inOneHeader("Mux-Signature", "t", "v1", seconds, 5*minute),
		eventID:      inBody("id"), eventType: inBody("type"),
	},
	{
		Name: "elevenlabs", Title: "ElevenLabs",
		Scheme:     "HMAC-SHA256 (v0, hex) of timestamp.body",
		Headers:    []string{"ElevenLabs-Signature"},
		SecretHelp: "ElevenLabs shows it once when the webhook is made under Settings, Webhooks; it begins with wsec_.",
		Tolerance:  30 * minute,
		scheme:     inOneHeader("ElevenLabs-Signature", "t", "v0", seconds, 30*minute),
		eventType:  inBody("type"),
	},
	{
		Name: "box", Title: "Box",
		Scheme:       "HMAC-SHA256 (base64) of body and delivery timestamp, under the primary and the secondary key",
		Headers:      []string{"BOX-SIGNATURE-PRIMARY", "BOX-SIGNATURE-SECONDARY", "BOX-DELIVERY-TIMESTAMP", "BOX-SIGNATURE-VERSION", "BOX-SIGNATURE-ALGORITHM"},
		SecretHelp:   "Box Developer Console, your app, Webhooks, Manage signature keys: the primary key, the secondary key or both.",
		Tolerance:    10 * minute,
		AnswerWithin: 30 * time.Second,
		scheme: &mac{
			headers: []string{"BOX-SIGNATURE-PRIMARY", "BOX-SIGNATURE-SECONDARY"}, encoding: base64Std, content: mustContent("{body}{ts}"),
			stamp: stampHeader("BOX-DELIVERY-TIMESTAMP", rfc3339, 10*minute),
			fixed: []fixedHeader{{"BOX-SIGNATURE-VERSION", "1"}, {"BOX-SIGNATURE-ALGORITHM", "HmacSHA256"}},
		},
		eventID: inBody("id"), eventType: inBody("trigger"),
	},
	{
		Name: "sanity", Title: "Sanity",
		Scheme:     "HMAC-SHA256 (v1, base64url) of timestamp.body, the time in milliseconds",
		Headers:    []string{"sanity-webhook-signature"},
		SecretHelp: "The secret that you chose for the webhook under sanity.io/manage, the project, API, Webhooks.",
		Tolerance:  60 * minute, // Sanity's library sets none and its retries go on for half an hour
		scheme: &mac{
			headers: []string{"sanity-webhook-signature"}, encoding: base64URL, pairs: &pairs{separator: ",", time: "t", signature: "v1"},
			stamp: stamp{place: stampInPairs, unit: millis, tolerance: 60 * minute}, content: mustContent("{ts}.{body}"),
		},
		eventID: inHeader("idempotency-key"), eventType: inHeader("sanity-operation"),
	},
	{
		Name: "webflow", Title: "Webflow",
		Scheme:     "HMAC-SHA256 (hex) of timestamp:body, the time in milliseconds",
		Headers:    []string{"x-webflow-signature", "x-webflow-timestamp"},
		SecretHelp: "The webhook's secretKey, shown when it is made; for webhooks of an OAuth app the app's client secret.",
		Tolerance:  5 * minute,
		scheme: &mac{
			headers: []string{"x-webflow-signature"}, content: mustContent("{ts}:{body}"),
			stamp: stampHeader("x-webflow-timestamp", millis, 5*minute),
		},
		eventType: inBody("triggerType"),
	},
	{
		Name: "workos", Title: "WorkOS",
		Scheme:     "HMAC-SHA256 (v1, hex) of timestamp.body, the time in milliseconds",
		Headers:    []string{"WorkOS-Signature"},
		SecretHelp: "WorkOS Dashboard, Webhooks, the endpoint, Signing secret.",
		Tolerance:  3 * minute,
		scheme:     inOneHeader("WorkOS-Signature", "t", "v1", millis, 3*minute),
		eventID:    inBody("id"), eventType: inBody("event"),
	},
	{
		Name: "buildkite", Title: "Buildkite",
		Scheme:     "HMAC-SHA256 (hex) of timestamp.body",
		Headers:    []string{"X-Buildkite-Signature"},
		SecretHelp: "Buildkite, Organization Settings, Notification Services, the webhook, Token, with the signature chosen as the way to send it.",
		Tolerance:  5 * minute,
		scheme:     inOneHeader("X-Buildkite-Signature", "timestamp", "signature", seconds, 5*minute),
		eventID:    inHeader("X-Buildkite-Request"), eventType: inHeader("X-Buildkite-Event"),
	},
	{
		Name: "cloudflare-stream", Title: "Cloudflare Stream",
		Scheme:     "HMAC-SHA256 (sig1, hex) of time.body",
		Headers:    []string{"Webhook-Signature"},
		SecretHelp: "The secret in the answer to the API call that sets the webhook of Stream.",
		Tolerance:  5 * minute,
		scheme:     inOneHeader("Webhook-Signature", "time", "sig1", seconds, 5*minute),
		eventType:  inBody("status.state"),
	},
}

// urlProviders sign the address together with the body.
var urlProviders = []Provider{
	{
		Name: "square", Title: "Square",
		Scheme:       "HMAC-SHA256 (base64) of the notification URL and the body",
		Headers:      []string{"x-square-hmacsha256-signature"},
		SecretHelp:   "Square Developer Console, your app, Webhooks, Subscriptions, the subscription, Signature key.",
		AnswerWithin: 10 * time.Second,
		scheme:       &mac{headers: []string{"x-square-hmacsha256-signature"}, encoding: base64Std, content: mustContent("{url}{body}")},
		eventID:      inBody("event_id"), eventType: inBody("type"),
	},
	{
		Name: "trello", Title: "Trello",
		Scheme:     "HMAC-SHA1 (base64) of the body and the callback URL",
		Headers:    []string{"X-Trello-Webhook"},
		SecretHelp: "trello.com/power-ups/admin, your Power-Up, API Key, Secret.",
		Methods:    []string{http.MethodHead},
		Accepted:   Answer{Status: http.StatusOK},
		scheme:     &mac{algorithm: hmacSHA1, headers: []string{"X-Trello-Webhook"}, encoding: base64Std, content: mustContent("{body}{url}")},
		eventID:    inBody("action.id"), eventType: inBody("action.type"),
	},
}
