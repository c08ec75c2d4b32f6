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

// service receives order.paid and applies each order once.
type service struct {
	name  string
	db    *sql.DB
	apply func(ctx context.Context, tx *sql.Tx, o order) error
	// done tells what became of each delivery. The handler sends, the example receives.
	done chan string
}

// order is the payload of order.paid.
type order struct {
	Number   int    `json:"number"`
	Email    string `json:"email"`
	Article  string `json:"article"`
	Quantity int    `json:"quantity"`
}

// newService opens the service's database. Beside its own tables every receiver has the one of the messages that it has seen.
func newService(ctx context.Context, folder, name, tables string, apply func(context.Context, *sql.Tx, order) error) (*service, error) {
	db, err := sql.Open("sqlite", "file:"+filepath.Join(folder, name+".db")+"?_pragma=busy_timeout(5000)&_pragma=journal_mode(wal)&_txlock=immediate")
	if err != nil {
		return nil, err
	}
	if _, err := db.ExecContext(ctx, "CREATE TABLE seen (message TEXT PRIMARY KEY) WITHOUT ROWID;"+tables); err != nil {
		return nil, fmt.Errorf("making the tables of %s: %w", name, err)
	}
	return &service{name: name, db: db, apply: apply, done: make(chan string, 16)}, nil
}

// handler verifies, then receives. An error is answered 500, and the message comes again later.
func (s *service) handler(secret string) http.Handler {
	return webhook.Receive(webhook.MustVerifier(secret), func(ctx context.Context, e webhook.Event) error {
		var o order
		if err := e.Unmarshal(&o); err != nil {
			return err
		}
		first, err := s.once(ctx, e.ID, func(tx *sql.Tx) error { return s.apply(ctx, tx, o) })
		if err != nil {
			return err
		}
		if first {
			s.done <- fmt.Sprintf("%s: order %d applied", s.name, o.Number)
		} else {
			s.done <- fmt.Sprintf("%s: order %d came again, nothing to do", s.name, o.Number)
		}
		return nil
	})
}

// once does the work for a message that was not seen before. The id and the work are committed together: if the process dies in
// between, neither is there, and the message comes again.
func (s *service) once(ctx context.Context, id string, work func(*sql.Tx) error) (first bool, err error) {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return false, err
	}
	defer tx.Rollback()
	result, err := tx.ExecContext(ctx, "INSERT INTO seen (message) VALUES (?) ON CONFLICT DO NOTHING", id)
	if err != nil {
		return false, err
	}
	if n, err := result.RowsAffected(); err != nil || n == 0 {
		return false, err
	}
	if err := work(tx); err != nil {
		return false, err
	}
	return true, tx.Commit()
}

func newInventory(ctx context.Context, folder string) (*service, error) {
	return newService(ctx, folder, "inventory", `
		CREATE TABLE stock (article TEXT PRIMARY KEY, quantity INTEGER NOT NULL CHECK (quantity >= 0));
		INSERT INTO stock VALUES ('kettle', 10)`,
		func(ctx context.Context, tx *sql.Tx, o order) error {
			_, err := tx.ExecContext(ctx, "UPDATE stock SET quantity = quantity - ? WHERE article = ?", o.Quantity, o.Article)
			return err
		})
}

func newReceipts(ctx context.Context, folder string) (*service, error) {
	return newService(ctx, folder, "receipts", "CREATE TABLE outbox (number INTEGER PRIMARY KEY, email TEXT NOT NULL, sent INTEGER NOT NULL DEFAULT 0)",
		func(ctx context.Context, tx *sql.Tx, o order) error {
			_, err := tx.ExecContext(ctx, "INSERT INTO outbox (number, email) VALUES (?, ?)", o.Number, o.Email)
			return err
		})
}
