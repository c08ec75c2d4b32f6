package provider

import (
	"net/http"
	"time"
)

// hexBody is the scheme of a lower-case hex digest of the body.
func hexBody(header, prefix string) *mac { return &mac{headers: []string{header}, prefix: prefix} }

// base64Body is the scheme of a base64 digest of the body.
func base64Body(header, prefix string) *mac {
	return &mac{headers: []string{header}, prefix: prefix, encoding: base64Std}
}

const (
	hexOfBody    = "HMAC-SHA256 (hex) of the body"
	base64OfBody = "HMAC-SHA256 (base64) of the body"
)

// metaSender is one of the products of Meta, which all send alike.
func metaSender(name, title string) Provider {
	m := hexBody("X-Hub-Signature-256", "sha256=")
	m.legacy = &mac{algorithm: hmacSHA1, headers: []string{"X-Hub-Signature"}, prefix: "sha1="}
	return Provider{
		Name: name, Title: title, Scheme: hexOfBody, Headers: []string{"X-Hub-Signature-256"},
		SecretHelp: "developers.facebook.com, your app, App settings, Basic, App secret.",
		Methods:    []string{http.MethodGet},
		Uses:       []string{"verifyToken", "legacySha1"},
		Accepted:   Answer{Status: http.StatusOK},
		scheme:     m,
		eventType:  firstOf(inBody("entry.0.changes.0.field"), inBody("object")),
	}
}

// docuSignHeaders are the headers of the keys that an account may have.
var docuSignHeaders = []string{
	"X-DocuSign-Signature-1", "X-DocuSign-Signature-2", "X-DocuSign-Signature-3", "X-DocuSign-Signature-4", "X-DocuSign-Signature-5",
	"X-DocuSign-Signature-6", "X-DocuSign-Signature-7", "X-DocuSign-Signature-8", "X-DocuSign-Signature-9", "X-DocuSign-Signature-10",
}

// bodyProviders sign the body alone: freshness cannot be proven, so replays are
// known by the id of the event.
var bodyProviders = []Provider{
	{
		Name: "shopify", Title: "Shopify", Scheme: base64OfBody, Headers: []string{"X-Shopify-Hmac-Sha256"},
		SecretHelp:   "The client secret of the app (Partner Dashboard, the app, Settings); for webhooks made in the admin the key at the foot of Settings, Notifications, Webhooks.",
		AnswerWithin: 5 * time.Second,
		scheme:       base64Body("X-Shopify-Hmac-Sha256", ""),
		eventID:      inHeader("X-Shopify-Webhook-Id"), eventType: inHeader("X-Shopify-Topic"),
	},
	{
		Name: "woocommerce", Title: "WooCommerce", Scheme: base64OfBody, Headers: []string{"X-WC-Webhook-Signature"},
		SecretHelp: "WooCommerce, Settings, Advanced, Webhooks, the webhook, Secret.",
		scheme:     base64Body("X-WC-Webhook-Signature", ""),
		eventID:    inHeader("X-WC-Webhook-Delivery-ID"), eventType: inHeader("X-WC-Webhook-Topic"),
	},
	metaSender("meta", "Meta"),
	metaSender("whatsapp", "WhatsApp Business"),
	metaSender("instagram", "Instagram"),
	{
		Name: "x-twitter", Title: "X (Twitter)", Scheme: base64OfBody, Headers: []string{"x-twitter-webhooks-signature"},
		SecretHelp:   "developer.x.com, the project's app, Keys and tokens, API Key Secret (consumer secret).",
		AnswerWithin: 3 * time.Second,
		Methods:      []string{http.MethodGet},
		Accepted:     Answer{Status: http.StatusOK},
		scheme:       base64Body("x-twitter-webhooks-signature", "sha256="),
	},
	{
		Name: "lemonsqueezy", Title: "Lemon Squeezy", Scheme: hexOfBody, Headers: []string{"X-Signature"},
		SecretHelp: "The signing secret that you chose under Lemon Squeezy, Settings, Webhooks.",
		Accepted:   Answer{Status: http.StatusOK},
		scheme:     hexBody("X-Signature", ""),
		eventType:  firstOf(inHeader("X-Event-Name"), inBody("meta.event_name")),
	},
	{
		Name: "intercom", Title: "Intercom", Scheme: "HMAC-SHA1 (hex) of the body", Headers: []string{"X-Hub-Signature"},
		SecretHelp:   "Intercom Developer Hub, your app, Basic information, Client secret.",
		AnswerWithin: 5 * time.Second,
		Methods:      []string{http.MethodHead},
		Accepted:     Answer{Status: http.StatusOK},
		scheme:       &mac{algorithm: hmacSHA1, headers: []string{"X-Hub-Signature"}, prefix: "sha1="},
		eventID:      inBody("id"), eventType: inBody("topic"),
	},
	{
		Name: "typeform", Title: "Typeform", Scheme: base64OfBody, Headers: []string{"Typeform-Signature"},
		SecretHelp:   "The secret that you chose for the webhook under the form's Connect, Webhooks.",
		AnswerWithin: 30 * time.Second,
		scheme:       base64Body("Typeform-Signature", "sha256="),
		eventID:      inBody("event_id"), eventType: inBody("event_type"),
	},
	{
		Name: "docusign", Title: "DocuSign Connect", Scheme: "HMAC-SHA256 (base64) of the body, one header for each key", Headers: []string{"X-DocuSign-Signature-1", "X-DocuSign-Signature-2"},
		SecretHelp: "DocuSign Admin, Integrations, Connect, Connect Keys; shown once when the key is made.",
		Accepted:   Answer{Status: http.StatusOK},
		scheme:     &mac{headers: docuSignHeaders, encoding: base64Std},
		eventType:  inBody("event"),
	},
	{
		Name: "razorpay", Title: "Razorpay", Scheme: hexOfBody, Headers: []string{"X-Razorpay-Signature"},
		SecretHelp:   "The secret that you chose under Razorpay Dashboard, Account & Settings, Webhooks.",
		AnswerWithin: 5 * time.Second,
		scheme:       hexBody("X-Razorpay-Signature", ""),
		eventID:      inHeader("x-razorpay-event-id"), eventType: inBody("event"),
	},
	{
		Name: "notion", Title: "Notion", Scheme: hexOfBody, Headers: []string{"X-Notion-Signature"}, SecretOptional: true,
		SecretHelp: "The verification token, which Notion sends once when the webhook subscription is made; it begins with secret_.",
		scheme:     hexBody("X-Notion-Signature", "sha256="),
		eventID:    inBody("id"), eventType: inBody("type"),
	},
	{
		Name: "asana", Title: "Asana", Scheme: hexOfBody, Headers: []string{"X-Hook-Signature"}, SecretOptional: true,
		SecretHelp:   "The X-Hook-Secret, which Asana sends once when the webhook is made.",
		AnswerWithin: 10 * time.Second,
		Accepted:     Answer{Status: http.StatusOK},
		scheme:       hexBody("X-Hook-Signature", ""),
		eventType:    joined(".", inBody("events.0.resource.resource_type"), inBody("events.0.action")),
	},
	{
		Name: "dropbox", Title: "Dropbox", Scheme: hexOfBody, Headers: []string{"X-Dropbox-Signature"},
		SecretHelp:   "Dropbox App Console, your app, Settings, App secret.",
		AnswerWithin: 10 * time.Second,
		Methods:      []string{http.MethodGet},
		scheme:       hexBody("X-Dropbox-Signature", ""),
	},
	{
		Name: "xero", Title: "Xero", Scheme: base64OfBody, Headers: []string{"x-xero-signature"},
		SecretHelp:   "developer.xero.com, your app, Webhooks, Webhooks key.",
		AnswerWithin: 5 * time.Second,
		RefusalEmpty: true,
		Accepted:     Answer{Status: http.StatusOK},
		scheme:       base64Body("x-xero-signature", ""),
		eventType:    joined(".", inBody("events.0.eventCategory"), inBody("events.0.eventType")),
	},
	{
		Name: "line", Title: "LINE", Scheme: base64OfBody, Headers: []string{"x-line-signature"},
		SecretHelp: "LINE Developers Console, the channel, Basic settings, Channel secret.",
		Accepted:   Answer{Status: http.StatusOK},
		scheme:     base64Body("x-line-signature", ""),
		eventID:    inBody("events.0.webhookEventId"), eventType: inBody("events.0.type"),
	},
	{
		Name: "gocardless", Title: "GoCardless", Scheme: hexOfBody, Headers: []string{"Webhook-Signature"},
		SecretHelp: "GoCardless Dashboard, Developers, the webhook endpoint, Secret.",
		Refusal:    498,
		scheme:     hexBody("Webhook-Signature", ""),
		eventID:    inBody("meta.webhook_id"),
		eventType:  joined(".", inBody("events.0.resource_type"), inBody("events.0.action")),
	},
	{
		Name: "onfido", Title: "Onfido", Scheme: hexOfBody, Headers: []string{"X-SHA2-Signature"},
		SecretHelp: "The token in the answer of the API when the webhook is made, or Onfido Dashboard, Developers, Webhooks.",
		scheme:     hexBody("X-SHA2-Signature", ""),
		eventType:  inBody("payload.action"),
	},
	{
		Name: "pusher", Title: "Pusher Channels", Scheme: "HMAC-SHA256 (hex) of the body; the app key is compared too", Headers: []string{"X-Pusher-Signature", "X-Pusher-Key"},
		SecretHelp: "Pusher Dashboard, the Channels app, App Keys, secret; give its key as the setting accountKey.",
		Uses:       []string{"accountKey"},
		scheme:     &mac{headers: []string{"X-Pusher-Signature"}, account: "X-Pusher-Key"},
		eventType:  inBody("events.0.name"),
	},
}

// codeProviders are those of software development; they sign the body alone.
var codeProviders = []Provider{
	{
		Name: "github", Title: "GitHub", Scheme: hexOfBody, Headers: []string{"X-Hub-Signature-256"},
		SecretHelp:   "The secret that you chose for the webhook under the repository's or organization's Settings, Webhooks; GitHub does not show it again.",
		AnswerWithin: 10 * time.Second,
		Uses:         []string{"legacySha1"},
		scheme: &mac{
			headers: []string{"X-Hub-Signature-256"}, prefix: "sha256=",
			legacy: &mac{algorithm: hmacSHA1, headers: []string{"X-Hub-Signature"}, prefix: "sha1="},
		},
		eventID: inHeader("X-GitHub-Delivery"), eventType: inHeader("X-GitHub-Event"),
	},
	{
		Name: "bitbucket", Title: "Bitbucket", Scheme: hexOfBody, Headers: []string{"X-Hub-Signature"},
		SecretHelp:   "The secret that you chose for the webhook under Repository settings, Webhooks.",
		AnswerWithin: 10 * time.Second,
		scheme:       hexBody("X-Hub-Signature", "sha256="),
		eventID:      inHeader("X-Request-UUID"), eventType: inHeader("X-Event-Key"),
	},
	{
		Name: "gitea", Title: "Gitea", Scheme: hexOfBody, Headers: []string{"X-Gitea-Signature"},
		SecretHelp: "The secret that you chose for the webhook under Settings, Webhooks.",
		scheme:     hexBody("X-Gitea-Signature", ""),
		eventID:    inHeader("X-Gitea-Delivery"), eventType: inHeader("X-Gitea-Event"),
	},
	{
		Name: "forgejo", Title: "Forgejo", Scheme: hexOfBody, Headers: []string{"X-Forgejo-Signature"},
		SecretHelp: "The secret that you chose for the webhook under Settings, Webhooks.",
		scheme:     hexBody("X-Forgejo-Signature", ""),
		eventID:    inHeader("X-Forgejo-Delivery"), eventType: inHeader("X-Forgejo-Event"),
	},
	{
		Name: "jira", Title: "Jira", Scheme: hexOfBody, Headers: []string{"X-Hub-Signature"},
		SecretHelp: "The secret that you chose for the webhook under Jira settings, System, Webhooks.",
		scheme:     hexBody("X-Hub-Signature", "sha256="),
		eventID:    inHeader("X-Atlassian-Webhook-Identifier"), eventType: inBody("webhookEvent"),
	},
	{
		Name: "vercel", Title: "Vercel", Scheme: "HMAC-SHA1 (hex) of the body", Headers: []string{"x-vercel-signature"},
		SecretHelp: "Shown once when the webhook is made under Vercel, Settings, Webhooks; for an integration its client secret.",
		scheme:     &mac{algorithm: hmacSHA1, headers: []string{"x-vercel-signature"}},
		eventID:    inBody("id"), eventType: inBody("type"),
	},
	{
		Name: "sentry", Title: "Sentry", Scheme: hexOfBody, Headers: []string{"Sentry-Hook-Signature"},
		SecretHelp:   "Sentry, Settings, Custom Integrations, the integration, Client Secret.",
		AnswerWithin: time.Second,
		scheme:       hexBody("Sentry-Hook-Signature", ""),
		eventID:      inHeader("Request-ID"),
		eventType:    firstOf(joined(".", inHeader("Sentry-Hook-Resource"), inBody("action")), inHeader("Sentry-Hook-Resource")),
	},
	{
		Name: "pagerduty", Title: "PagerDuty", Scheme: "HMAC-SHA256 (v1, hex) of the body, one for each secret", Headers: []string{"X-PagerDuty-Signature"},
		SecretHelp: "Shown once when the webhook subscription is made under PagerDuty, Integrations, Generic Webhooks (v3).",
		scheme:     &mac{headers: []string{"X-PagerDuty-Signature"}, prefix: "v1=", list: ","},
		eventID:    inBody("event.id"), eventType: inBody("event.event_type"),
	},
	{
		Name: "circleci", Title: "CircleCI", Scheme: "HMAC-SHA256 (v1, hex) of the body", Headers: []string{"circleci-signature"},
		SecretHelp:   "The secret token that you chose under the project's Settings, Webhooks.",
		AnswerWithin: 5 * time.Second,
		scheme:       &mac{headers: []string{"circleci-signature"}, prefix: "v1=", list: ","},
		eventID:      inBody("id"), eventType: inBody("type"),
	},
	{
		Name: "heroku", Title: "Heroku", Scheme: base64OfBody, Headers: []string{"Heroku-Webhook-Hmac-SHA256"},
		SecretHelp: "The Heroku-Webhook-Secret header in the answer of the API, or the text after the command heroku webhooks:add, when the webhook was made.",
		scheme:     base64Body("Heroku-Webhook-Hmac-SHA256", ""),
		eventID:    inBody("webhook_metadata.event.id"), eventType: inBody("webhook_metadata.event.include"),
	},
	{
		Name: "airtable", Title: "Airtable", Scheme: hexOfBody, Headers: []string{"X-Airtable-Content-MAC"},
		SecretHelp: "The macSecretBase64 in the answer of the API when the webhook was made.",
		scheme:     &mac{headers: []string{"X-Airtable-Content-MAC"}, prefix: "hmac-sha256=", key: base64Key},
	},
}
