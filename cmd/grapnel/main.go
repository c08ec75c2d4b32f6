// Command grapnel is the whole product: the server and its command line. This
// file turns signals into the end of a context, and errors into exit codes.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/grapnelhq/grapnel/internal/cli"
)

func main() { os.Exit(run()) }

func run() int {
	ctx, stop := context.WithCancelCause(context.Background())
	defer stop(nil)
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		stop(interrupted(<-signals))
		// Whoever asks twice does not want to wait.
		os.Exit(interrupted(<-signals).ExitCode())
	}()
	return cli.Main(ctx, cli.Standard(), os.Args[1:])
}

func interrupted(s os.Signal) *cli.Interrupted {
	number, _ := s.(syscall.Signal)
	return &cli.Interrupted{Signal: number}
}
