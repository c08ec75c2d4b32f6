// Command postgres starts a PostgreSQL of its own for the browser tests. For each
// line on its input, the name of a database, it makes that database and prints its
// address. When the input ends it stops the server and removes everything.
package main

import (
	"bufio"
	"context"
	"fmt"
	"os"

	"github.com/grapnelhq/grapnel/internal/testx"
)

func main() {
	if err := run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "postgres:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	server, err := testx.StartPostgreSQL("fsync=off")
	if err != nil {
		return err
	}
	defer server.Stop()
	names := bufio.NewScanner(os.Stdin)
	for names.Scan() {
		if err := server.Run(ctx, "postgres", "create database "+names.Text()); err != nil {
			return err
		}
		fmt.Println(server.URL(names.Text()))
	}
	return names.Err()
}
