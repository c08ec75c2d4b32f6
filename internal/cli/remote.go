package cli

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/grapnelhq/grapnel/client"
)

// defaultServer is where a server listens if nobody says otherwise.
const defaultServer = "http://127.0.0.1:8080"

// remote is which server a command talks to, and as whom.
type remote struct {
	*app
	server, key, keyFile, profileName string
	timeout                           time.Duration
	saved                             profile // the profile in use; zero: none
	keyFrom                           string  // where the key comes from
}

func (a *app) remoteFlags(cmd *cobra.Command) *remote {
	r := &remote{app: a}
	f := cmd.PersistentFlags()
	r.timeout = time.Minute
	f.VarP(text{&r.server, "URL"}, "server", "s", "which server (GRAPNEL_SERVER; default: the profile's, then "+defaultServer+")")
	f.Var(text{&r.key, "KEY"}, "api-key", "API key; better in GRAPNEL_API_KEY or a file, which other users cannot see")
	f.Var(text{&r.keyFile, "FILE"}, "api-key-file", "file that holds the API key (GRAPNEL_API_KEY_FILE)")
	f.VarP(text{&r.profileName, "NAME"}, "profile", "p", "saved server and key (GRAPNEL_PROFILE; `grapnel dev` saves \"dev\")")
	f.Var(span{to: &r.timeout, least: time.Millisecond}, "timeout", "longest time for one request")
	grouped(f, serverGroup, "server", "api-key", "api-key-file", "profile", "timeout")
	return r
}

func (a *app) outputFlag(cmd *cobra.Command) {
	value := newChoice(&a.output, formatTable, formats...)
	cmd.PersistentFlags().VarP(value, "output", "o", "form of the output; also by GRAPNEL_OUTPUT")
	grouped(cmd.PersistentFlags(), generalGroup, "output")
	before := cmd.PersistentPreRunE
	cmd.PersistentPreRunE = func(c *cobra.Command, args []string) error {
		if text := a.getenv("GRAPNEL_OUTPUT"); text != "" && !c.Flags().Changed("output") {
			if err := value.Set(text); err != nil {
				return flagValueError("GRAPNEL_OUTPUT "+quotedIfOdd(text), err)
			}
		}
		if before != nil {
			return before(c, args)
		}
		return nil
	}
}

// resolve finds out which server is meant. What is saved for one server, above
// all its key, is never used with another one.
func (r *remote) resolve() error {
	if r.profileName == "" {
		r.profileName = r.getenv("GRAPNEL_PROFILE")
	}
	saved, err := r.findProfile(r.profileName)
	if err != nil {
		return err
	}
	if r.server, err = r.givenServer(r.server); err != nil {
		return err
	}
	switch {
	case r.server == "" && saved.Server != "":
		r.server, r.saved = saved.Server, saved
	case r.server == "":
		r.server = defaultServer
	case r.server == saved.Server:
		r.saved = saved
	}
	return nil
}

// givenServer gives the URL of --server, else of GRAPNEL_SERVER, or "".
func (s *Streams) givenServer(server string) (string, error) {
	given := "--server"
	if server == "" {
		server, given = s.getenv("GRAPNEL_SERVER"), "GRAPNEL_SERVER"
	}
	if server == "" {
		return "", nil
	}
	u, err := url.Parse(server)
	if err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" {
		return strings.TrimRight(server, "/"), nil
	}
	example := defaultServer
	if host, port, err := net.SplitHostPort(server); err == nil {
		example = "http://" + net.JoinHostPort(host, port)
	}
	return "", usage(given+" "+quotedIfOdd(server)+" is not the URL of a server", "Write it with http or https, such as "+example+".")
}

// failed is the failure of a call, with advice that fits where server and key
// come from.
func (r *remote) failed(ctx context.Context, what string, err error) *failure {
	f := failed(ctx, what, err)
	switch {
	case f.code == "authentication_failed":
		f.fix = "The key is from " + r.keyFrom + "; give one that " + r.server + " knows."
	case f.exit == ExitUnreachable && r.saved.Server != "":
		f.fix = "The address is from the saved profile: run `grapnel dev` there again, or give --server."
	}
	return f
}

// open makes the client.
func (r *remote) open() (*client.Client, error) {
	if err := r.resolve(); err != nil {
		return nil, err
	}
	key, err := r.findKey()
	if err != nil {
		return nil, err
	}
	if key != r.saved.APIKey {
		r.saved.App = "" // another key can mean another server at the same address
	}
	return r.clientWith(key)
}

// clientWith makes the client for a key that was found.
func (r *remote) clientWith(key string) (*client.Client, error) {
	c, err := client.New(r.server, key, client.WithUserAgent("grapnel-cli/"+version), client.WithTimeout(r.timeout))
	if err != nil {
		return nil, usage("--server: "+err.Error(), "Give the address that the server listens on, such as "+defaultServer+".")
	}
	return c, nil
}

// findKey looks at flags, environment and profile, in this order.
func (r *remote) findKey() (string, error) {
	path := r.keyFile
	switch {
	case r.key != "" && path != "":
		return "", usage("--api-key and --api-key-file are both given", "Give one of them.")
	case r.key != "":
		fmt.Fprintln(r.Err, "Note: other users of this machine can see a key in the command line. GRAPNEL_API_KEY and --api-key-file keep it out.")
		r.keyFrom = "--api-key"
		return r.key, nil
	case path == "" && r.getenv("GRAPNEL_API_KEY") != "":
		r.keyFrom = "GRAPNEL_API_KEY"
		return r.getenv("GRAPNEL_API_KEY"), nil
	case path == "":
		path = r.getenv("GRAPNEL_API_KEY_FILE")
	}
	if path != "" {
		r.keyFrom = "the file " + path
		text, err := os.ReadFile(path)
		if err != nil {
			return "", usage("the API key cannot be read: "+err.Error(), "Name a readable file that holds nothing but the key.")
		}
		return strings.TrimSpace(string(text)), nil
	}
	if r.saved.APIKey != "" {
		r.keyFrom = "the saved profile"
		return r.saved.APIKey, nil
	}
	return "", &failure{
		exit: ExitDenied, code: "no_api_key", what: "there is no API key for " + r.server,
		fix: "Set GRAPNEL_API_KEY, give --api-key-file, or start `grapnel dev`, which saves one.",
	}
}

// environment gives the id of the environment that the key belongs to.
func (r *remote) environment(ctx context.Context, c *client.Client) (string, error) {
	who, err := c.Whoami(ctx)
	if err != nil {
		return "", err
	}
	if who.EnvID == nil || who.AppID != nil {
		return "", &failure{
			exit: ExitDenied, code: "not_an_environment_key", what: "this key cannot manage keys",
			why: "It belongs to one application.", fix: "Use a key of the environment.",
		}
	}
	return *who.EnvID, nil
}
