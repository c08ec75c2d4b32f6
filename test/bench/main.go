// Command bench measures how fast webhooks get through: it posts events to a
// target, receives the deliveries in its own sink and prints one JSON line
// per run. The yardstick is a forwarder that stores nothing, measured by the
// same generator on the same machine.
//
//	bench run   -target NAME -base URL ... [-- SERVER COMMAND]   one measured run
//	bench start -health URL ... -- SERVER COMMAND                start time and idle memory
//	bench limit -addr ADDR -to URL                               the forwarder
//	bench postgres -out FILE                                     a PostgreSQL server until it is ended
//	bench table FILE...                                          medians of the lines as a Markdown table
//
// rows.sh beside it runs the rows of docs/performance.md.
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

func main() {
	log.SetFlags(log.Ltime | log.Lmicroseconds)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := dispatch(ctx, os.Args[1:])
	stop()
	if err != nil {
		log.Fatal(err)
	}
}

func dispatch(ctx context.Context, args []string) error {
	if len(args) == 0 {
		return errUsage()
	}
	switch name, rest := args[0], args[1:]; name {
	case "run":
		return cmdRun(ctx, rest)
	case "start":
		return cmdStart(ctx, rest)
	case "limit":
		return cmdLimit(ctx, rest)
	case "postgres":
		return cmdPostgres(ctx, rest)
	case "table":
		return cmdTable(rest)
	default:
		return errUsage()
	}
}

func errUsage() error {
	return fmt.Errorf("usage: bench run|start|limit|postgres|table [flags]; bench run -h lists the flags; targets: %s", strings.Join(targetNames(), ", "))
}

// serveOn starts h on addr and returns once it accepts connections.
func serveOn(ctx context.Context, addr string, h http.Handler) (*http.Server, error) {
	ln, err := new(net.ListenConfig).Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	srv := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second}
	go func() {
		if err := srv.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
			log.Printf("serving on %s: %v", addr, err)
		}
	}()
	return srv, nil
}
