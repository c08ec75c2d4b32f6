package main

import (
	"context"
	"database/sql"
	"fmt"
	"net/http"
	"path/filepath"

	_ "modernc.org/sqlite" // the driver

	"github.com/grapnelhq/grapnel/webhook"
)

// tables hold facts: what was paid and what was refunded, each by the charge. A refund may be known before its payment.
const tables = `
CREATE TABLE seen (event TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE orders (id TEXT PRIMARY KEY, amount INTEGER NOT NULL);
CREATE TABLE payments (charge TEXT PRIMARY KEY, order_id TEXT NOT NULL, amount INTEGER NOT NULL);
CREATE TABLE refunds (charge TEXT PRIMARY KEY, amount INTEGER NOT NULL);
CREATE TABLE shipments (order_id TEXT PRIMARY KEY);
INSERT INTO orders VALUES ('ord_20417', 8490)`

// payments keeps the orders of the shop up to date.
type payments struct {
	db *sql.DB
	// done tells what became of each event. The handler sends, the example receives.
	done chan string
}

// event is the part of Stripe's events that counts here.
type event struct {
	ID   string `json:"id"`
	Type string `json:"type"`
	Data struct {
		Object struct {
			ID             string `json:"id"`
			LatestCharge   string `json:"latest_charge"`
			AmountReceived int64  `json:"amount_received"`
			AmountRefunded int64  `json:"amount_refunded"`
			Metadata       struct {
				Order string `json:"order"`
			} `json:"metadata"`
		} `json:"object"`
	} `json:"data"`
}

func newPayments(ctx context.Context, folder string) (*payments, error) {
	db, err := sql.Open("sqlite", "file:"+filepath.Join(folder, "shop.db")+"?_pragma=busy_timeout(5000)&_pragma=journal_mode(wal)&_txlock=immediate")
	if err != nil {
		return nil, err
	}
	if _, err := db.ExecContext(ctx, tables); err != nil {
		return nil, fmt.Errorf("making the tables: %w", err)
	}
	return &payments{db: db, done: make(chan string, 16)}, nil
}

// handler believes Grapnel's signature, which says that Stripe's was right. An error is answered 500, and the event comes again later.
func (p *payments) handler(secret string) http.Handler {
	return webhook.Receive(webhook.MustVerifier(secret), func(ctx context.Context, received webhook.Event) error {
		var e event
		if err := received.Unmarshal(&e); err != nil {
			return err
		}
		first, err := p.once(ctx, e)
		if err != nil {
			return err
		}
		if first {
			p.done <- "shop: " + e.Type + " applied"
		} else {
			p.done <- "shop: " + e.Type + " came again, nothing to do"
		}
		return nil
	})
}

// once applies an event that was not seen before. Its id and its change are committed together.
func (p *payments) once(ctx context.Context, e event) (first bool, err error) {
	tx, err := p.db.BeginTx(ctx, nil)
	if err != nil {
		return false, err
	}
	defer tx.Rollback()
	result, err := tx.ExecContext(ctx, "INSERT INTO seen (event) VALUES (?) ON CONFLICT DO NOTHING", e.ID)
	if err != nil {
		return false, err
	}
	if n, err := result.RowsAffected(); err != nil || n == 0 {
		return false, err
	}
	if err := apply(ctx, tx, e); err != nil {
		return false, err
	}
	return true, tx.Commit()
}

// apply notes what an event says. Types that are not of interest are taken and forgotten, so that nobody sends them again.
func apply(ctx context.Context, tx *sql.Tx, e event) error {
	o := e.Data.Object
	switch e.Type {
	case "payment_intent.succeeded":
		if _, err := tx.ExecContext(ctx, "INSERT INTO payments VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
			o.LatestCharge, o.Metadata.Order, o.AmountReceived); err != nil {
			return err
		}
		return ship(ctx, tx, o.Metadata.Order)
	case "charge.refunded":
		// Stripe tells the sum of all refunds, so of two events the greater one is the newer one.
		_, err := tx.ExecContext(ctx, "INSERT INTO refunds VALUES (?, ?) ON CONFLICT DO UPDATE SET amount = max(amount, excluded.amount)",
			o.ID, o.AmountRefunded)
		return err
	}
	return nil
}

// ship sends an order off once it is paid in full.
func ship(ctx context.Context, tx *sql.Tx, order string) error {
	_, err := tx.ExecContext(ctx, `
		INSERT INTO shipments SELECT id FROM orders
		WHERE id = ? AND amount <= (SELECT sum(amount) FROM payments WHERE order_id = orders.id)
		ON CONFLICT DO NOTHING`, order)
	return err
}
