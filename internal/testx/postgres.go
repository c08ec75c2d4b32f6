package testx

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// PostgreSQL is a database server of the tests' own, in a temporary folder, that
// listens on a loopback port. It runs as another user if the tests run as root,
// because PostgreSQL refuses to run as root. Its methods are not for concurrent
// use, but for URL, Run and Ask.
type PostgreSQL struct {
	Port   int
	Folder string // temporary: socket, log, and the data if they are not elsewhere

	bin    string // folder of initdb, postgres, psql
	args   []string
	under  []string
	as     *syscall.Credential
	server *daemon
	stop   sync.Once
}

// PostgreSQLOptions say how a server is made. The zero value is good.
type PostgreSQLOptions struct {
	Settings []string // "name=value"
	InitDB   []string // more arguments of initdb
	// Data is the folder of the cluster, which initdb makes; empty: in Folder.
	Data string
	// Under is a command that runs the rest of its arguments in its own place and as
	// a user that is not root, such as nsenter; nil: none.
	Under []string
}

// StartPostgreSQL makes an empty cluster and starts it with further settings
// ("name=value"). The machine's own binaries are used.
func StartPostgreSQL(settings ...string) (*PostgreSQL, error) {
	return StartPostgreSQLWith(PostgreSQLOptions{Settings: settings})
}

// StartPostgreSQLWith is StartPostgreSQL with more to choose.
func StartPostgreSQLWith(o PostgreSQLOptions) (*PostgreSQL, error) {
	bin, err := postgresBinaries()
	if err != nil {
		return nil, err
	}
	folder, err := os.MkdirTemp("", "grapnel-postgresql-*")
	if err != nil {
		return nil, err
	}
	p := &PostgreSQL{Folder: folder, bin: bin, under: o.Under}
	if err := p.make(o); err != nil {
		return nil, errors.Join(err, os.RemoveAll(folder))
	}
	return p, nil
}

// postgresBinaries gives the folder with initdb and postgres.
func postgresBinaries() (string, error) {
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/postgres") // where Debian puts them
	if err != nil {
		return "", err
	}
	slices.Sort(found)
	if onPath, err := exec.LookPath("postgres"); err == nil {
		if target, err := filepath.EvalSymlinks(onPath); err == nil {
			found = append(found, target)
		}
	}
	for _, postgres := range slices.Backward(found) {
		folder := filepath.Dir(postgres)
		if _, err := os.Stat(filepath.Join(folder, "initdb")); err == nil {
			return folder, nil
		}
	}
	return "", errors.New("PostgreSQL is not installed: the tests need initdb and postgres (Debian: apt-get install postgresql)")
}

// make makes the cluster and starts it.
func (p *PostgreSQL) make(o PostgreSQLOptions) (err error) {
	if p.under == nil {
		if p.as, err = unprivileged(); err != nil {
			return err
		}
	}
	if err := chownTo(p.Folder, p.as); err != nil {
		return err
	}
	data := o.Data
	if data == "" {
		data = filepath.Join(p.Folder, "data")
	}
	initdb := p.command("initdb", append([]string{"--no-sync", "--auth=trust", "--username=grapnel", "--encoding=UTF8", "--locale=C", "--pgdata", data}, o.InitDB...))
	if out, err := initdb.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w: %s", err, out)
	}
	if p.Port, err = FreePort(); err != nil {
		return err
	}
	p.args = []string{"-D", data, "-k", p.Folder, "-h", "127.0.0.1", "-p", strconv.Itoa(p.Port)}
	for _, s := range append([]string{"max_connections=400", "shared_buffers=128MB"}, o.Settings...) {
		p.args = append(p.args, "-c", s)
	}
	return p.Start()
}

// command is one of PostgreSQL's own, run as the user that the server runs as.
func (p *PostgreSQL) command(name string, args []string) *exec.Cmd {
	line := append(slices.Clone(p.under), filepath.Join(p.bin, name))
	line = append(line, args...)
	cmd := exec.Command(line[0], line[1:]...)
	cmd.Dir = p.Folder
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: p.as, Pdeathsig: syscall.SIGQUIT}
	return cmd
}

// Start starts the server again, on the same port, after Kill or End, and waits
// until it takes connections: it has recovered then.
func (p *PostgreSQL) Start() error {
	log, err := os.OpenFile(filepath.Join(p.Folder, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := p.command("postgres", p.args)
	cmd.Stdout, cmd.Stderr = log, log
	if p.server, err = startDaemon(cmd); err != nil {
		return err
	}
	return p.answers()
}

// answers waits until the server takes connections.
func (p *PostgreSQL) answers() error {
	for range 600 {
		if p.Ready() {
			return nil
		}
		select {
		case <-p.server.ended:
			return fmt.Errorf("postgres ended: %s", p.Log())
		case <-time.After(50 * time.Millisecond):
		}
	}
	return fmt.Errorf("postgres does not answer: %s", p.Log())
}

// Ready reports whether the server takes connections.
func (p *PostgreSQL) Ready() bool {
	return exec.Command(filepath.Join(p.bin, "pg_isready"), "-q", "-h", "127.0.0.1", "-p", strconv.Itoa(p.Port)).Run() == nil
}

// Running reports whether the server's process has not ended.
func (p *PostgreSQL) Running() bool {
	select {
	case <-p.server.ended:
		return false
	default:
		return true
	}
}

// Log is what the server has written.
func (p *PostgreSQL) Log() string {
	said, err := os.ReadFile(filepath.Join(p.Folder, "log"))
	if err != nil {
		return err.Error()
	}
	return string(said)
}

// URL is the address of one of its databases.
func (p *PostgreSQL) URL(database string) string { return p.URLBy(p.Port, database) }

// URLBy is URL for a port that leads to the server, such as a proxy's.
func (p *PostgreSQL) URLBy(port int, database string) string {
	u := url.URL{
		Scheme: "postgres", User: url.User("grapnel"), Path: database, RawQuery: "sslmode=disable",
		Host: net.JoinHostPort("127.0.0.1", strconv.Itoa(port)),
	}
	return u.String()
}

// Run runs one command of SQL in a database, with psql's own words as the error.
func (p *PostgreSQL) Run(ctx context.Context, database, sql string) error {
	_, err := p.Ask(ctx, database, sql)
	return err
}

// Ask is Run for a query. It gives the rows as psql prints them unaligned, without
// a line's end after the last.
func (p *PostgreSQL) Ask(ctx context.Context, database, sql string) (string, error) {
	return p.ask(ctx, p.URL(database), sql)
}

func (p *PostgreSQL) ask(ctx context.Context, address, sql string) (string, error) {
	psql := exec.CommandContext(ctx, filepath.Join(p.bin, "psql"), "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", address, "-c", sql)
	out, err := psql.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return strings.TrimSuffix(string(out), "\n"), nil
}

// Kill ends the server and all its processes at once, as a crash of the machine
// does. Start starts it again.
func (p *PostgreSQL) Kill() error { return p.server.endFamily() }

// ShutdownMode says how a server is ended (PostgreSQL documentation, "Shutting Down
// the Server").
type ShutdownMode syscall.Signal

// The modes.
const (
	Smart     = ShutdownMode(syscall.SIGTERM) // when all sessions have ended
	Fast      = ShutdownMode(syscall.SIGINT)  // ends the sessions, writes everything
	Immediate = ShutdownMode(syscall.SIGQUIT) // ends everything; the next start recovers
)

// End ends the server and waits until it is gone. Start starts it again.
func (p *PostgreSQL) End(mode ShutdownMode) { p.server.end(syscall.Signal(mode)) }

// Stop ends the server at once and removes its folder.
func (p *PostgreSQL) Stop() {
	p.stop.Do(func() {
		p.End(Immediate)
		_ = os.RemoveAll(p.Folder) // a temporary folder
	})
}

// PID is the process of the server, for tests that end or stop it.
func (p *PostgreSQL) PID() int { return p.server.cmd.Process.Pid }
