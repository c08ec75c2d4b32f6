// Package webhook signs and verifies webhooks as the Standard Webhooks 1.0.0
// specification describes them. It does nothing else: it needs only the Go
// standard library, and works with every sender and receiver of the standard.
//
// A receiver in five lines:
//
//	verifier := webhook.MustVerifier(os.Getenv("WEBHOOK_SECRET"))
//	http.Handle("/hooks", webhook.Receive(verifier, func(ctx context.Context, e webhook.Event) error {
//		fmt.Println(e.ID, e.Type, string(e.Body))
//		return nil
//	}))
//
// A sender:
//
//	signer, err := webhook.NewSigner(key)
//	...
//	err = signer.SetHeaders(req.Header, "msg_2Ks9…", time.Now(), body)
//
// # What is signed
//
// The signed text is the id, a dot, the timestamp in whole seconds, a dot and
// the exact bytes of the body. Three headers carry the result:
//
//	webhook-id:        msg_2Ks9…              the same over all retries
//	webhook-timestamp: 1614265330             fresh for each attempt
//	webhook-signature: v1,g0hM9S… v1,Ceo5q…   one entry for each live key
//
// A v1 entry is HMAC-SHA256 under a shared secret (whsec_), a v1a entry is
// Ed25519 under a private key (whsk_) and is verified with its public half
// (whpk_). A verifier looks at an entry only with keys of the entry's own kind,
// so a public key can never serve as a shared secret.
package webhook
