// Package provider verifies the webhooks of Stripe, GitHub, Shopify and many
// others, signs as they do (for tests and samples), answers their handshakes and
// says why a verification failed.
//
// A [Provider] describes one kind of sender. A [Verifier] is a provider with the
// secrets and settings of one receiver; it decides about one [Request] at a time:
//
//	v, err := provider.New("stripe", provider.Settings{}, provider.Secret{Value: "whsec_…"})
//	verdict := v.Verify(ctx, provider.Request{Method: "POST", URL: url, Header: h, Body: raw}, time.Now())
//	if !verdict.OK() { … 401 … }
//
// Verification reads the raw bytes and nothing else. Keys, algorithms and the
// hosts of certificates come from configuration only, never from the request.
// Digests are compared in constant time. The package keeps no clock and no state,
// and makes no connection of its own: what must be fetched goes through
// [Settings.Fetch].
package provider
