package provider

import (
	"errors"
	"net/http"
)

// ownSchemeProviders are those that sign in a way of their own.
var ownSchemeProviders = []Provider{
	adyen,
	apiKey,
	awsSNS,
	basicAuth,
	chargebee,
	deepgram,
	fusionAuth,
	hubSpot,
	jiraConnect,
	mailgun,
	messageBirdProvider,
	netlify,
	payPal,
	plaid,
	postmark,
	sendGrid,
	twilio,
}

// ok200 is the answer to senders that take no other 2xx for success.
var ok200 = Answer{Status: http.StatusOK}

var (
	errURL  = errors.New("the address of the request cannot be read")
	errBody = errors.New("the body of the request cannot be signed: it is not as the provider sends it")
)

// refuse is a verdict of a reason alone.
func refuse(reason Reason, detail string) Verdict { return Verdict{Reason: reason, Detail: detail} }

const noFit = "The signature does not fit the request under the secret."
