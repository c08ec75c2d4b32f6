package provider

import (
	"slices"
	"time"
)

// hmacProviders are the providers whose scheme is described by data, and those
// that sign by the Standard Webhooks specification.
var hmacProviders = slices.Concat(standardProviders(), bodyProviders, codeProviders, timedProviders, urlProviders, plainProviders)

// standardSender is what the providers that follow the specification differ in.
type standardSender struct {
	name, title, help string
	svix              bool   // it sends the svix- headers
	strip             string // in front of whsec_
	eventType         string // path in the body; empty: type
}

func standardProviders() []Provider {
	senders := []standardSender{
		{name: "standard-webhooks", title: "Standard Webhooks", help: "It begins with whsec_ and is shown where the endpoint was made; a public key begins with whpk_."},
		{name: "svix", title: "Svix", svix: true, help: "The endpoint's page in the sender's webhook portal shows it as Signing Secret; it begins with whsec_."},
		{name: "openai", title: "OpenAI", help: "OpenAI shows it once when the webhook endpoint is made under Settings, Project, Webhooks; it begins with whsec_."},
		{name: "clerk", title: "Clerk", svix: true, help: "Clerk Dashboard, Webhooks, the endpoint, Signing Secret; it begins with whsec_."},
		{name: "resend", title: "Resend", svix: true, help: "Resend, Webhooks, the webhook, Signing Secret; it begins with whsec_."},
		{name: "replicate", title: "Replicate", help: "Replicate's API gives it under /v1/webhooks/default/secret, and the account's Webhooks page shows it; it begins with whsec_."},
		{name: "render", title: "Render", help: "Render Dashboard, Integrations, Webhooks, the webhook, Signing Secret; it begins with whsec_."},
		{name: "liveblocks", title: "Liveblocks", help: "Liveblocks Dashboard, the project, Webhooks, the endpoint, Signing Secret; it begins with whsec_."},
		{name: "supabase", title: "Supabase Auth hooks", strip: "v1,", help: "Supabase Dashboard, Authentication, Hooks, the hook's secret; it begins with v1,whsec_."},
		{name: "dodo-payments", title: "Dodo Payments", help: "Dodo Payments Dashboard, Developer, Webhooks, the endpoint, Signing Secret; it begins with whsec_."},
		{name: "incident-io", title: "incident.io", eventType: "event_type", help: "incident.io, Settings, Webhooks, the endpoint, Signing Secret; it begins with whsec_."},
		{name: "brex", title: "Brex", eventType: "event_type", help: "Brex's API gives it under /v1/webhooks/secrets."},
	}
	providers := make([]Provider, 0, len(senders))
	for _, sender := range senders {
		providers = append(providers, sender.provider())
	}
	return providers
}

func (s standardSender) provider() Provider {
	prefix, headers := "Webhook-", []string{"webhook-id", "webhook-timestamp", "webhook-signature"}
	if s.svix {
		prefix, headers = "Svix-", []string{"svix-id", "svix-timestamp", "svix-signature"}
	}
	if s.eventType == "" {
		s.eventType = "type"
	}
	return Provider{
		Name: s.name, Title: s.title,
		Scheme:     "Standard Webhooks: HMAC-SHA256 (v1, base64) or Ed25519 (v1a) of id.timestamp.body",
		Headers:    headers,
		SecretHelp: s.help,
		Tolerance:  standardTolerance,
		scheme:     standard{prefix: prefix, strip: s.strip},
		eventID:    standardID, eventType: inBody(s.eventType),
	}
}

// plainProviders send the secret itself or nothing, or are described by the receiver.
var plainProviders = []Provider{
	{
		Name: "gitlab", Title: "GitLab",
		Scheme:       "Signing token (whsec_): Standard Webhooks; older secret token: sent as it is in X-Gitlab-Token",
		Headers:      []string{"webhook-id", "webhook-timestamp", "webhook-signature", "X-Gitlab-Token"},
		SecretHelp:   "GitLab, the project or group, Settings, Webhooks: the signing token (begins with whsec_), or the secret token that you chose there.",
		Tolerance:    standardTolerance,
		AnswerWithin: 10 * time.Second,
		scheme:       gitlab{signing: standard{prefix: "Webhook-"}, token: &mac{algorithm: plain, headers: []string{"X-Gitlab-Token"}}},
		eventID:      firstOf(inHeader("Idempotency-Key"), standardID),
		eventType:    inHeader("X-Gitlab-Event"),
	},
	{
		Name: "telegram", Title: "Telegram",
		Scheme:     "The secret token is sent as it is",
		Headers:    []string{"X-Telegram-Bot-Api-Secret-Token"},
		SecretHelp: "The secret_token that you chose when calling setWebhook.",
		scheme:     &mac{algorithm: plain, headers: []string{"X-Telegram-Bot-Api-Secret-Token"}},
		eventID:    inBody("update_id"),
	},
	{
		Name: genericName, Title: "Generic HMAC",
		Scheme:     "HMAC as described in the setting generic",
		SecretHelp: "The secret that you share with the sender.",
		Tolerance:  standardTolerance,
		Uses:       []string{"generic"},
	},
	{
		Name: "none", Title: "No verification", SecretOptional: true,
		Scheme:     "Nothing is checked: whoever knows the address can send",
		SecretHelp: "There is none.",
		scheme:     unchecked{},
	},
	{
		Name: "generic-webhook", Title: "Generic webhook without verification", SecretOptional: true,
		Scheme:     "Nothing is checked: whoever knows the address can send",
		SecretHelp: "There is none.",
		scheme:     unchecked{},
	},
}
