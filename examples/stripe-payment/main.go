// Command stripe-payment is an example: events as Stripe sends them, from their signature to the order that they change, once.
package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"

	"github.com/grapnelhq/grapnel/apitype"
	"github.com/grapnelhq/grapnel/client"
	"github.com/grapnelhq/grapnel/examples/local"
	"github.com/grapnelhq/grapnel/provider"
	"github.com/grapnelhq/grapnel/webhook"
)

// signingSecret is what Stripe shows for an endpoint. Only the source and Stripe know it.
const signingSecret = "whsec_exampleSecretOfAStripeEndpoint"

// hooks is how Stripe reaches the source.
var hooks = &http.Client{Timeout: 10 * time.Second}

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	err := run(ctx, os.Stdout)
	cancel()
	if err != nil {
		fmt.Fprintln(os.Stderr, "stripe-payment:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, out io.Writer) (err error) {
	folder, err := os.MkdirTemp("", "grapnel-stripe-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	grapnel, err := local.Start(ctx, folder)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, grapnel.Stop()) }()
	shop, err := newPayments(ctx, folder)
	if err != nil {
		return err
	}
	defer shop.db.Close()
	secret := webhook.NewSecret().Reveal()
	url, stop, err := local.Serve(shop.handler(secret))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stop()) }()

	source, err := grapnel.CreateSource(ctx, apitype.SourceIn{
		Name: "Payments", Type: "stripe", Secrets: apitype.Some([]apitype.SourceSecretIn{{Value: signingSecret}}),
	})
	if err != nil {
		return err
	}
	if _, err := grapnel.CreateEndpoint(ctx, source.ID, apitype.EndpointIn{URL: url, Secret: apitype.Some(secret)}); err != nil {
		return err
	}
	demo := &demo{out: out, grapnel: grapnel.Client, shop: shop, source: source}
	if err := demo.play(ctx); err != nil {
		return err
	}
	return demo.report(ctx)
}

// demo plays Stripe and watches the shop.
type demo struct {
	out     io.Writer
	grapnel *client.Client
	shop    *payments
	source  apitype.SourceOut
}

// play sends what a bad day brings: the refund before the payment, the payment twice, and a forgery.
func (d *demo) play(ctx context.Context) error {
	for _, step := range []struct {
		sample, id, secret string
		arrives            bool
	}{
		{"stripe/charge.refunded", "evt_refund", signingSecret, true},
		{"stripe/payment_intent.succeeded", "evt_payment", signingSecret, true},
		{"stripe/payment_intent.succeeded", "evt_payment", signingSecret, false},
		{"stripe/checkout.session.completed", "evt_checkout", signingSecret, true},
		{"stripe/payment_intent.succeeded", "evt_forged", "whsec_somebodyElse", false},
	} {
		status, err := d.send(ctx, step.sample, step.id, step.secret)
		if err != nil {
			return err
		}
		fmt.Fprintf(d.out, "stripe: %s %s answered %d\n", step.sample, step.id, status)
		if step.arrives {
			if err := d.await(ctx); err != nil {
				return err
			}
		}
	}
	// Grapnel drops events that Stripe repeats. The shop must be ready for them all the same: it may have died before its answer.
	messages, err := d.grapnel.ListMessages(ctx, d.source.ID, client.MessageFilter{EventTypes: []string{"payment_intent.succeeded"}}, client.ListOptions{})
	if err != nil {
		return err
	}
	endpoints, err := d.grapnel.ListEndpoints(ctx, d.source.ID, client.ListOptions{})
	if err != nil {
		return err
	}
	for _, m := range messages.Data {
		if err := d.grapnel.Resend(ctx, d.source.ID, m.ID, endpoints.Data[0].ID); err != nil {
			return err
		}
		if err := d.await(ctx); err != nil {
			return err
		}
	}
	return nil
}

// send posts a sample to the source, signed as Stripe does, and gives the status of the answer.
func (d *demo) send(ctx context.Context, name, id, secret string) (int, error) {
	sample, found := provider.FindSample(name)
	if !found {
		return 0, fmt.Errorf("there is no sample %s", name)
	}
	stripe, err := provider.New("stripe", provider.Settings{}, provider.Secret{Value: secret})
	if err != nil {
		return 0, err
	}
	now := time.Now()
	event := sample.Request(*d.source.IngestURL, id, now)
	if err := stripe.Sign(&event, id, now); err != nil {
		return 0, err
	}
	req, err := http.NewRequestWithContext(ctx, event.Method, event.URL, bytes.NewReader(event.Body))
	if err != nil {
		return 0, err
	}
	req.Header = event.Header
	resp, err := hooks.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	return resp.StatusCode, nil
}

func (d *demo) await(ctx context.Context) error {
	select {
	case said := <-d.shop.done:
		fmt.Fprintln(d.out, said)
		return nil
	case <-ctx.Done():
		return fmt.Errorf("waiting for the shop: %w", ctx.Err())
	}
}

// report prints the order.
func (d *demo) report(ctx context.Context) error {
	var paid, refunded, shipments int
	if err := d.shop.db.QueryRowContext(ctx, `SELECT sum(p.amount), coalesce(sum(r.amount), 0), (SELECT count(*) FROM shipments)
		FROM payments AS p LEFT JOIN refunds AS r ON r.charge = p.charge WHERE p.order_id = 'ord_20417'`).Scan(&paid, &refunded, &shipments); err != nil {
		return err
	}
	fmt.Fprintf(d.out, "order ord_20417: paid %d, refunded %d, shipped %d time(s)\n", paid, refunded, shipments)
	return nil
}
