package cli

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/grapnelhq/grapnel/client"
)

func (a *app) healthcheckCommand() *cobra.Command {
	var target string
	var timeout time.Duration
	cmd := &cobra.Command{
		Use:   "healthcheck",
		Short: "Ask a server whether it is ready, for containers without curl",
		Long: `Ask a server whether it is ready. The exit code is 0 if it is, 8 if it says that
it is not, and 7 if it does not answer. Without an address it asks the server on
this machine, where GRAPNEL_LISTEN says.`,
		Args: noArgs,
	}
	timeout = 5 * time.Second
	cmd.Flags().VarP(text{&target, "URL"}, "server", "s", "which server (GRAPNEL_SERVER; default: the one on this machine)")
	cmd.Flags().Var(span{to: &timeout, least: time.Millisecond}, "timeout", "how long to wait for the answer")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		ctx, cancel := context.WithTimeout(cmd.Context(), timeout)
		defer cancel()
		url, err := a.givenServer(target)
		if err != nil {
			return err
		}
		own := url == ""
		if own {
			url = a.ownServer()
		}
		if err := ready(ctx, url, own); err != nil {
			return failed(cmd.Context(), "the server is not ready", err)
		}
		_, err = fmt.Fprintln(a.Out, "ready")
		return err
	}
	return cmd
}

// ownServer is the address of the server on this machine, found by what that
// server itself is told.
func (a *app) ownServer() string {
	scheme := "http"
	if a.getenv("GRAPNEL_TLS_CERT") != "" {
		scheme = "https"
	}
	host, port, err := net.SplitHostPort(a.getenv("GRAPNEL_LISTEN"))
	if err != nil {
		return defaultServer
	}
	if addr, err := netip.ParseAddr(host); host == "" || err == nil && addr.IsUnspecified() {
		host = "127.0.0.1"
	}
	return scheme + "://" + net.JoinHostPort(host, port)
}

// ready asks /readyz. A server found on this machine may have any certificate:
// it is made for its public name, and nothing secret is sent or believed.
func ready(ctx context.Context, server string, own bool) error {
	transport := &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{
		MinVersion: tls.VersionTLS12, InsecureSkipVerify: own, //nolint:gosec // see above
	}}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimRight(server, "/")+"/readyz", http.NoBody)
	if err != nil {
		return usage("--server: "+err.Error(), "Give the URL of the server, such as "+defaultServer+".")
	}
	resp, err := (&http.Client{Transport: transport}).Do(req)
	if err != nil {
		return &client.UnreachableError{Server: server, Err: errors.Unwrap(err)}
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, io.LimitReader(resp.Body, 1<<16)); err != nil {
		return &client.UnreachableError{Server: server, Err: err}
	}
	if resp.StatusCode != http.StatusOK {
		return &failure{
			exit: ExitNo, code: "not_ready", what: "the server is not ready",
			why: fmt.Sprintf("It answered with status %d.", resp.StatusCode), fix: "Its log says why.",
		}
	}
	return nil
}
