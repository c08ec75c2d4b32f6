package webhook_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/grapnelhq/grapnel/webhook"
)

// A receiver: verified, capped in size, and answered in the way that senders expect.
func Example() {
	verifier := webhook.MustVerifier("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
	http.Handle("/hooks", webhook.Receive(verifier, func(ctx context.Context, e webhook.Event) error {
		fmt.Println("received", e.Type)
		return nil
	}))

	// Somebody sends a webhook to it.
	server := httptest.NewServer(http.DefaultServeMux)
	defer server.Close()
	fmt.Println(send(server.URL+"/hooks", `{"type":"invoice.paid","data":{"amount":1200}}`))
	// Output:
	// received invoice.paid
	// 204 No Content
}

func send(url, body string) string {
	key, err := webhook.ParseKey("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
	if err != nil {
		return err.Error()
	}
	signer, err := webhook.NewSigner(key)
	if err != nil {
		return err.Error()
	}
	req, err := http.NewRequest(http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		return err.Error()
	}
	if err := signer.SetHeaders(req.Header, "msg_1", time.Now(), []byte(body)); err != nil {
		return err.Error()
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err.Error()
	}
	defer resp.Body.Close()
	return resp.Status
}

// While a secret is rotated, a sender signs with the new and the old one.
func ExampleNewSigner_rotation() {
	current, _ := webhook.ParseKey("whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD")
	old, _ := webhook.ParseKey("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
	signer, _ := webhook.NewSigner(current, old)
	signature := signer.Sign("msg_p5jXN8AQM9LWM0D4loKWxJek", time.Unix(1614265330, 0), []byte(`{"test": 2432232314}`))
	fmt.Println(len(strings.Fields(signature)), "signatures, the last one is", strings.Fields(signature)[1])
	// Output:
	// 2 signatures, the last one is v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=
}

func ExampleKey() {
	key := webhook.NewSecret()
	fmt.Println(key, len(key.Reveal()))
	// Output: *** 38
}
