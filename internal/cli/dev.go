package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/grapnelhq/grapnel/client"
	"github.com/grapnelhq/grapnel/internal/config"
	"github.com/grapnelhq/grapnel/internal/server"
)

// devDefaults is all in which dev differs from serve.
var devDefaults = map[string]string{
	"db":             "sqlite:.grapnel/grapnel.db",
	"allow-net":      "127.0.0.0/8,::1/128",
	"allow-http":     "true",
	"retry-schedule": "1s,5s,15s",
	"log-level":      "warn",
	"drain-timeout":  "5s",
}

const (
	devKeyFile   = "api-key"
	devStateFile = "dev.json"
	// devReceiver is where the receiver listens if it can.
	devReceiver = "127.0.0.1:8090"
	anyPort     = "127.0.0.1:0"
	// portsToTry is how many ports are tried if the usual one is taken.
	portsToTry = 20
	// attachWait is how long the running server may take to answer, and to
	// write its state after it has taken the database.
	attachWait = 5 * time.Second
)

// devState is what a second `grapnel dev` must know of the first one. It lies
// beside the database.
type devState struct {
	URL         string       `json:"url"`
	ReceiverURL string       `json:"receiverUrl"`
	Folder      string       `json:"folder"`
	First       firstWebhook `json:"firstWebhook"`
	ProfileNote string       `json:"profileNote"`
}

// devRun is one run of grapnel dev.
type devRun struct {
	*app
	cfg      *config.Config
	folder   string
	receiver *receiver
	notes    []string
	saved    bool   // as a profile of the command line
	link     string // opens the dashboard signed in, once; empty: there is none
}

func (a *app) devCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "dev",
		Short: "Run a server for this machine, with an example that works",
		Long: `Run the server with the defaults of a laptop: loopback only, data in ./.grapnel,
delivery to loopback and plain http allowed, retries after seconds. It has a
demo application whose endpoint is a receiver in the same process, and sends a
first webhook to it. A second "grapnel dev" in the same folder shows the first.`,
		Args: noArgs,
	}
	settings := addSettings(cmd, devDefaults, "role", "db-direct", "db-connections", "tls-cert", "tls-key", "public-url", "trusted-proxies")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		ctx := cmd.Context()
		cfg, err := settings.load(&a.Streams, devDefaults, true)
		if err != nil {
			return failed(ctx, "grapnel dev cannot start", err)
		}
		if err := checkDev(cfg); err != nil {
			return err
		}
		d := &devRun{app: a, cfg: cfg, folder: filepath.Dir(cfg.SQLitePath())}
		if err := d.run(ctx); err != nil {
			return failed(context.WithoutCancel(ctx), "grapnel dev cannot run", unsignaled{err})
		}
		return nil
	}
	return cmd
}

// checkDev refuses what would make a laptop's server reachable for others.
func checkDev(cfg *config.Config) error {
	const fix = "Use `grapnel serve` for a server that others reach."
	for flag, address := range map[string]string{"--listen": cfg.Listen, "--metrics-listen": cfg.MetricsListen} {
		host, _, err := net.SplitHostPort(address)
		if err != nil || host == "localhost" {
			continue
		}
		if a, err := netip.ParseAddr(host); err != nil || !a.IsLoopback() {
			return usage("grapnel dev listens on loopback only, but "+flag+" is "+address, fix)
		}
	}
	if cfg.Postgres() {
		return usage("grapnel dev keeps its data in a SQLite file, but the environment or --config names PostgreSQL", "Use `grapnel serve` with PostgreSQL, or name a file with --db sqlite:PATH.")
	}
	if cfg.Role != config.RoleAll || cfg.TLSCert != "" || cfg.PublicURL != nil || len(cfg.TrustedProxies) > 0 {
		return usage("grapnel dev takes no role, TLS certificate, public address or proxies, but the environment or --config sets one", fix)
	}
	return nil
}

func (d *devRun) run(ctx context.Context) error {
	if err := d.prepare(); err != nil {
		return err
	}
	var err error
	if d.receiver, err = newReceiver(ctx, d.receiverAddress()); err != nil {
		return err
	}
	received := make(chan error, 1) // the receiver's goroutine sends, Wait's caller receives
	go func() { received <- d.receiver.run() }()
	srv, err := d.start(ctx)
	var inUse *server.DatabaseInUseError
	if errors.As(err, &inUse) {
		err = d.attach(ctx)
	} else if err == nil {
		err = d.serve(ctx, srv)
	}
	return errors.Join(err, d.receiver.close(), <-received)
}

// prepare makes the folder and the key of the first run.
func (d *devRun) prepare() error {
	if err := os.MkdirAll(d.folder, 0o700); err != nil {
		return unwritable(err)
	}
	if filepath.Base(d.folder) == ".grapnel" {
		// Keys and payloads do not belong into anybody's repository.
		if err := writeNew(filepath.Join(d.folder, ".gitignore"), "*\n"); err != nil {
			return unwritable(err)
		}
	}
	if d.cfg.APIKey != "" {
		return nil
	}
	path := filepath.Join(d.folder, devKeyFile)
	if err := writeNew(path, server.NewAPIKey()+"\n"); err != nil {
		return unwritable(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("reading the API key: %w", err)
	}
	d.cfg.APIKey = config.Secret(strings.TrimSpace(string(text)))
	return nil
}

func unwritable(err error) *failure {
	return &failure{
		exit: ExitError, code: "unwritable", what: "grapnel dev cannot keep its data", why: err.Error(), err: err,
		fix: "Run it in a folder that you can write to, or name another place with --db sqlite:PATH.",
	}
}

// writeNew writes a file that only its owner can read, unless it exists.
func writeNew(path, text string) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("making %s: %w", path, err)
	}
	_, err = f.WriteString(text)
	return errors.Join(err, f.Close())
}

// start starts the server on the first free port, unless the port was chosen.
func (d *devRun) start(ctx context.Context) (*server.Server, error) {
	host, port, err := net.SplitHostPort(d.cfg.Listen)
	if err != nil {
		return nil, err
	}
	first, err := strconv.Atoi(port)
	if err != nil {
		return nil, err
	}
	for try := 0; ; try++ {
		d.cfg.Listen = net.JoinHostPort(host, strconv.Itoa(first+try))
		srv := server.New(server.Options{Config: d.cfg, Version: version, Owner: devOwner, Log: d.Err})
		err := srv.Start(ctx)
		var taken *server.ListenError
		if errors.As(err, &taken) && taken.Taken && taken.Flag == "--listen" && !d.cfg.Explicit("listen") && try < portsToTry {
			continue
		}
		if try > 0 {
			d.notes = append(d.notes, fmt.Sprintf("Port %d is taken, so this is %d.", first, first+try))
		}
		return srv, err
	}
}

// serve makes the example, shows the start text and waits for the end.
func (d *devRun) serve(ctx context.Context, srv *server.Server) error {
	state := devState{URL: srv.URL(), ReceiverURL: d.receiver.url(), Folder: d.folder}
	c, err := client.New(srv.URL(), d.cfg.APIKey.Reveal(), client.WithUserAgent("grapnel-dev/"+version))
	if err == nil {
		state.First, err = demo(ctx, c, d.receiver)
	}
	if err != nil && ctx.Err() == nil {
		return errors.Join(err, srv.Stop(context.WithoutCancel(ctx)))
	}
	state.ProfileNote = d.profile(state.URL)
	if err := d.keepState(state); err != nil {
		d.notes = append(d.notes, "A second `grapnel dev` will not find this one: "+err.Error())
	}
	if ctx.Err() == nil {
		d.dashboard(ctx, state.URL)
		d.startText(state, "development mode: loopback only, data in "+showFolder(d.folder), "^C stops.")
		d.openBrowser(ctx, d.link)
	}
	err = srv.Wait(ctx)
	if d.ErrTerminal {
		fmt.Fprintln(d.Err, "  stopped")
	}
	return err
}

// profile saves server and key for the command line, and says so.
func (d *devRun) profile(url string) string {
	err := d.saveProfile(devProfile, profile{Server: url, APIKey: d.cfg.APIKey.Reveal(), App: demoApp})
	if d.saved = err == nil; d.saved {
		return "saved as CLI profile \"" + devProfile + "\""
	}
	return "not saved for the command line: " + err.Error()
}

func (d *devRun) statePath() string { return filepath.Join(d.folder, devStateFile) }

func (d *devRun) keepState(state devState) error {
	text, err := json.MarshalIndent(state, "", "  ")
	if err != nil {
		return err
	}
	return writePrivate(d.statePath(), append(text, '\n'))
}

func (d *devRun) readState() (devState, error) {
	var state devState
	text, err := os.ReadFile(d.statePath())
	if err == nil {
		err = json.Unmarshal(text, &state)
	}
	return state, err
}

// receiverAddress is the one that the receiver had last time, so that endpoints
// that were pointed at it still reach it; else the usual one. Who chooses the
// port of the server has several, and gets one that is free.
func (d *devRun) receiverAddress() string {
	if state, err := d.readState(); err == nil {
		if u, err := url.Parse(state.ReceiverURL); err == nil && u.Port() != "" {
			return net.JoinHostPort("127.0.0.1", u.Port())
		}
	}
	if d.cfg.Explicit("listen") {
		return anyPort
	}
	return devReceiver
}

// attach shows the server that runs in this folder already.
func (d *devRun) attach(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, attachWait)
	defer cancel()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		state, err := d.readState()
		if err == nil {
			err = ready(ctx, state.URL, true)
		}
		if err == nil {
			d.notes, state.ProfileNote = nil, d.profile(state.URL)
			d.dashboard(ctx, state.URL)
			d.startText(state, "is running already, data in "+showFolder(d.folder), "It runs on until ^C where it was started.")
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return &server.DatabaseInUseError{Path: d.cfg.SQLitePath()}
		}
	}
}

func showFolder(folder string) string {
	if filepath.IsAbs(folder) || strings.HasPrefix(folder, ".."+string(filepath.Separator)) {
		return folder
	}
	return "." + string(filepath.Separator) + folder
}
