// Command shop is an example: a shop that sends order.paid, and two services that receive it and apply each order once.
package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/grapnelhq/grapnel/apitype"
	"github.com/grapnelhq/grapnel/client"
	"github.com/grapnelhq/grapnel/examples/local"
	"github.com/grapnelhq/grapnel/webhook"
)

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	err := run(ctx, os.Stdout)
	cancel()
	if err != nil {
		fmt.Fprintln(os.Stderr, "shop:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, out io.Writer) (err error) {
	folder, err := os.MkdirTemp("", "grapnel-shop-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	grapnel, err := local.Start(ctx, folder)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, grapnel.Stop()) }()

	inventory, err := newInventory(ctx, folder)
	if err != nil {
		return err
	}
	defer inventory.db.Close()
	receipts, err := newReceipts(ctx, folder)
	if err != nil {
		return err
	}
	defer receipts.db.Close()
	shop := &shop{Client: grapnel.Client, out: out, services: []*service{inventory, receipts}}
	if err := shop.subscribe(ctx); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, shop.close()) }()
	if err := shop.trade(ctx); err != nil {
		return err
	}
	return shop.report(ctx, inventory.db, receipts.db)
}

// shop is what sends.
type shop struct {
	*client.Client
	out       io.Writer
	services  []*service
	app       string
	endpoints []string // ids, as services
	stops     []func() error
}

// subscribe starts the services and registers each as an endpoint.
func (s *shop) subscribe(ctx context.Context) error {
	if _, err := s.CreateEventType(ctx, apitype.EventTypeIn{Name: "order.paid", Description: "An order has been paid."}); err != nil {
		return err
	}
	app, err := s.CreateApplication(ctx, apitype.ApplicationIn{Name: "Shop"})
	if err != nil {
		return err
	}
	s.app = app.ID
	for _, service := range s.services {
		secret := webhook.NewSecret().Reveal()
		url, stop, err := local.Serve(service.handler(secret))
		if err != nil {
			return err
		}
		s.stops = append(s.stops, stop)
		endpoint, err := s.CreateEndpoint(ctx, s.app, apitype.EndpointIn{
			URL: url, Description: apitype.Some(service.name), Secret: apitype.Some(secret), EventTypes: apitype.Some([]string{"order.paid"}),
		})
		if err != nil {
			return err
		}
		s.endpoints = append(s.endpoints, endpoint.ID)
	}
	return nil
}

// trade sells something and sends the event again, as happens whenever an answer is lost on the way.
func (s *shop) trade(ctx context.Context) error {
	payload, err := json.Marshal(order{Number: 7001, Email: "noor@example.com", Article: "kettle", Quantity: 2})
	if err != nil {
		return err
	}
	// The shop may publish as often as it likes with the same key: it is one message.
	event := apitype.MessageIn{EventType: "order.paid", Payload: payload}
	var message string
	for range 2 {
		sent, err := s.Publish(ctx, s.app, event, client.PublishOptions{IdempotencyKey: "order-7001"})
		if err != nil {
			return err
		}
		message = sent.ID
	}
	fmt.Fprintln(s.out, "shop: order 7001 paid")
	if err := s.await(ctx); err != nil {
		return err
	}
	for _, endpoint := range s.endpoints {
		if err := s.Resend(ctx, s.app, message, endpoint); err != nil {
			return err
		}
	}
	return s.await(ctx)
}

// await prints what the services say about one delivery each.
func (s *shop) await(ctx context.Context) error {
	for _, service := range s.services {
		select {
		case said := <-service.done:
			fmt.Fprintln(s.out, said)
		case <-ctx.Done():
			return fmt.Errorf("waiting for %s: %w", service.name, ctx.Err())
		}
	}
	return nil
}

// report sends the receipts that wait and prints what the databases hold.
func (s *shop) report(ctx context.Context, inventory, receipts *sql.DB) error {
	var left, sent int
	if err := inventory.QueryRowContext(ctx, "SELECT quantity FROM stock WHERE article = 'kettle'").Scan(&left); err != nil {
		return err
	}
	result, err := receipts.ExecContext(ctx, "UPDATE outbox SET sent = 1 WHERE sent = 0") // here a mail would leave
	if err != nil {
		return err
	}
	if err := receipts.QueryRowContext(ctx, "SELECT count(*) FROM outbox").Scan(&sent); err != nil {
		return err
	}
	n, err := result.RowsAffected()
	fmt.Fprintf(s.out, "stock: %d kettles of 10 left; receipts: %d written, %d sent\n", left, sent, n)
	return err
}

func (s *shop) close() (err error) {
	for _, stop := range slices.Backward(s.stops) {
		err = errors.Join(err, stop())
	}
	return err
}
