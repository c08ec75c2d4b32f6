package provider

import (
	"net/http"
	"time"
)

// handshakeProviders are the providers whose subscription handshake is the larger
// part of what they ask of a receiver.
var handshakeProviders = []Provider{
	{
		Name: "azure-event-grid", Title: "Azure Event Grid",
		Scheme:     "No signature. A secret of your own in the parameter \"code\" of the address, or in a header that is set as a delivery property",
		SecretHelp: "Make up a secret and add it to the address of the event subscription as ?code=…, or set it under Delivery properties as a secret header; without one nothing is checked.",
		Headers:    []string{"aeg-event-type"}, SecretOptional: true,
		AnswerWithin: 30 * time.Second, Accepted: Answer{Status: http.StatusOK}, Methods: []string{http.MethodOptions},
		Uses:   []string{"header", "confirm"},
		scheme: optional{eventGridSecret{}}, eventID: soleID(inHeader("Ce-Id"), "id"), eventType: soleID(inHeader("Ce-Type"), "eventType", "type"),
	},
	{
		Name: "cloudevents", Title: "CloudEvents over HTTP",
		Scheme:     "No signature. Bearer token in Authorization, if there is one",
		SecretHelp: "The token that the sender puts after Bearer in Authorization; without one nothing is checked.",
		Headers:    []string{"Authorization"}, SecretOptional: true,
		Accepted: Answer{Status: http.StatusAccepted}, Methods: []string{http.MethodOptions},
		Uses:   []string{"origins", "rate"},
		scheme: optional{&mac{algorithm: plain, headers: []string{"Authorization"}, prefix: "Bearer "}}, eventID: cloudEventID,
		eventType: soleID(inHeader("Ce-Type"), "type"),
	},
	{
		Name: "microsoft-graph", Title: "Microsoft Graph",
		Scheme:       "No signature. clientState in every notification of the body",
		SecretHelp:   "The clientState that the subscription was created with, 128 characters at most.",
		AnswerWithin: 3 * time.Second, Accepted: Answer{Status: http.StatusAccepted},
		scheme:    clientState{},
		eventID:   sole(inBody("value.0.id"), "value.1"),
		eventType: sole(firstOf(inBody("value.0.lifecycleEvent"), inBody("value.0.changeType")), "value.1"),
	},
	{
		Name: "monday", Title: "monday.com",
		Scheme:     "JWT with HS256 in Authorization, made for the address; the body is not signed",
		SecretHelp: "The signing secret of the app, in the developer centre under Basic information. Webhooks of a board without an app are not signed: leave it out.",
		Headers:    []string{"Authorization"}, SecretOptional: true,
		Accepted: Answer{Status: http.StatusOK}, Uses: []string{"audience"},
		scheme: optional{mondayScheme}, eventID: inBody("event.triggerUuid"), eventType: inBody("event.type"),
	},
	{
		Name: "nylas", Title: "Nylas",
		Scheme:       "HMAC-SHA256 of the body, in hex",
		SecretHelp:   "The webhook_secret that Nylas returns once when the webhook is created.",
		Headers:      []string{"X-Nylas-Signature"},
		AnswerWithin: 10 * time.Second, Accepted: Answer{Status: http.StatusOK}, Methods: []string{http.MethodGet},
		scheme: &mac{headers: []string{"X-Nylas-Signature"}}, eventID: inBody("id"), eventType: inBody("type"),
	},
	{
		Name: "okta", Title: "Okta event hooks",
		Scheme:       "No signature. The secret in Authorization",
		SecretHelp:   "The authentication secret that was entered for the event hook, with the authentication field Authorization.",
		Headers:      []string{"Authorization", "X-Okta-Verification-Challenge"},
		AnswerWithin: 3 * time.Second, Accepted: Answer{Status: http.StatusOK}, Methods: []string{http.MethodGet},
		scheme: &mac{algorithm: plain, headers: []string{"Authorization"}}, eventID: inBody("eventId"),
		eventType: sole(inBody("data.events.0.eventType"), "data.events.1"),
	},
	{
		Name: "strava", Title: "Strava",
		Scheme:     "No signature. The verify token guards the subscription, and its id can be compared",
		SecretHelp: "Strava has none: choose a verify token and create the subscription with it.", SecretOptional: true,
		AnswerWithin: 2 * time.Second, Accepted: Answer{Status: http.StatusOK}, Methods: []string{http.MethodGet},
		Uses:      []string{"verifyToken", "accountKey"},
		scheme:    subscriptionID{},
		eventID:   joined(":", inBody("object_type"), inBody("object_id"), inBody("aspect_type"), inBody("event_time")),
		eventType: joined(".", inBody("object_type"), inBody("aspect_type")),
	},
	{
		Name: "websub", Title: "WebSub",
		Scheme:     "HMAC of the body by the method that the header names (SHA-1, SHA-256, SHA-384, SHA-512), in hex",
		SecretHelp: "The hub.secret of the subscription; without one nothing is checked.",
		Headers:    []string{"X-Hub-Signature", "Link"}, SecretOptional: true,
		Accepted: Answer{Status: http.StatusAccepted}, Methods: []string{http.MethodGet}, Uses: []string{"topics"},
		scheme: topical{optional{webSub{}}},
	},
}
