package cli

import (
	"context"
	"fmt"
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
}

func (a *app) remoteFlags(cmd *cobra.Command) *remote {
	r := &remote{app: a}
	f := cmd.PersistentFlags()
	f.StringVarP(&r.server, "server", "s", "", "URL of the server (GRAPNEL_SERVER; default: the profile's, then "+defaultServer+")")
	f.StringVar(&r.key, "api-key", "", "API key (better: GRAPNEL_API_KEY or --api-key-file, which other users cannot see)")
	f.StringVar(&r.keyFile, "api-key-file", "", "file that holds the API key (GRAPNEL_API_KEY_FILE)")
	f.StringVarP(&r.profileName, "profile", "p", "", "saved server to use (GRAPNEL_PROFILE)")
	f.DurationVar(&r.timeout, "timeout", time.Minute, "longest time for one request")
	return r
}

func (a *app) outputFlag(cmd *cobra.Command) {
	value := newChoice(&a.output, formatTable, formats...)
	cmd.PersistentFlags().VarP(value, "output", "o", "form of the output (GRAPNEL_OUTPUT)")
	before := cmd.PersistentPreRunE
	cmd.PersistentPreRunE = func(c *cobra.Command, args []string) error {
		if text := a.getenv("GRAPNEL_OUTPUT"); text != "" && !c.Flags().Changed("output") {
			if err := value.Set(text); err != nil {
				return usage("GRAPNEL_OUTPUT: "+err.Error(), "Set it to one of "+strings.Join(formats, ", ")+".")
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
	if r.server == "" {
		r.server = r.getenv("GRAPNEL_SERVER")
	}
	switch {
	case r.server == "" && saved.Server != "":
		r.server, r.saved = saved.Server, saved
	case r.server == "":
		r.server = defaultServer
	case strings.TrimRight(r.server, "/") == saved.Server:
		r.saved = saved
	}
	return nil
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
		return r.key, nil
	case path == "" && r.getenv("GRAPNEL_API_KEY") != "":
		return r.getenv("GRAPNEL_API_KEY"), nil
	case path == "":
		path = r.getenv("GRAPNEL_API_KEY_FILE")
	}
	if path != "" {
		text, err := os.ReadFile(path)
		if err != nil {
			return "", usage("the API key cannot be read: "+err.Error(), "Name a readable file that holds nothing but the key.")
		}
		return strings.TrimSpace(string(text)), nil
	}
	if r.saved.APIKey != "" {
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
