package testx

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"time"
)

// PgBouncer is a connection pooler in transaction mode before a PostgreSQL: each
// transaction of a client may run on another connection to the database.
type PgBouncer struct {
	Port int

	pg     *PostgreSQL
	user   string
	folder string
	server *daemon
	stop   sync.Once
}

// StartPgBouncer starts a pooler before pg. The machine's own binary is used, and
// it runs as another user if the tests run as root.
func StartPgBouncer(pg *PostgreSQL) (*PgBouncer, error) { return StartPgBouncerAs(pg, "grapnel") }

// StartPgBouncerAs is StartPgBouncer for another user of the databases.
func StartPgBouncerAs(pg *PostgreSQL, user string) (*PgBouncer, error) {
	binary, err := pgbouncerBinary()
	if err != nil {
		return nil, err
	}
	folder, err := os.MkdirTemp("", "grapnel-pgbouncer-*")
	if err != nil {
		return nil, err
	}
	b := &PgBouncer{pg: pg, user: user, folder: folder}
	if err := b.start(binary); err != nil {
		return nil, errors.Join(err, os.RemoveAll(folder))
	}
	return b, nil
}

func pgbouncerBinary() (string, error) {
	for _, name := range []string{"pgbouncer", "/usr/sbin/pgbouncer"} { // Debian's is not on every PATH
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", errors.New("PgBouncer is not installed (Debian: apt-get install pgbouncer)")
}

// pgbouncerConfig has every client log in as the one user, with any name. Few
// connections are shared by many clients, so that transactions of one client go
// over different ones.
const pgbouncerConfig = `[databases]
* = host=127.0.0.1 port=%d user=%s

[pgbouncer]
listen_addr = 127.0.0.1
listen_port = %d
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 4
max_client_conn = 2000
max_db_connections = 0
logfile = %s
`

func (b *PgBouncer) start(binary string) error {
	as, err := unprivileged()
	if err != nil {
		return err
	}
	if err := chownTo(b.folder, as); err != nil {
		return err
	}
	if b.Port, err = FreePort(); err != nil {
		return err
	}
	config := filepath.Join(b.folder, "pgbouncer.ini")
	text := fmt.Sprintf(pgbouncerConfig, b.pg.Port, b.user, b.Port, filepath.Join(b.folder, "log"))
	if err := os.WriteFile(config, []byte(text), 0o644); err != nil {
		return err
	}
	cmd := exec.Command(binary, "-q", config)
	cmd.Dir = b.folder
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: as, Pdeathsig: syscall.SIGKILL}
	if b.server, err = startDaemon(cmd); err != nil {
		return err
	}
	return b.answers()
}

// answers waits until the pooler takes connections.
func (b *PgBouncer) answers() error {
	for range 300 {
		if conn, err := net.Dial("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(b.Port))); err == nil {
			return conn.Close()
		}
		select {
		case <-b.server.ended:
			said, _ := os.ReadFile(filepath.Join(b.folder, "log"))
			return fmt.Errorf("pgbouncer ended: %s", said)
		case <-time.After(20 * time.Millisecond):
		}
	}
	return errors.New("pgbouncer does not answer")
}

// URL is the address of one of the databases behind it.
func (b *PgBouncer) URL(database string) string { return b.pg.URLBy(b.Port, database) }

// Ask is PostgreSQL.Ask through the pooler.
func (b *PgBouncer) Ask(ctx context.Context, database, sql string) (string, error) {
	return b.pg.ask(ctx, b.URL(database), sql)
}

// Stop ends the pooler at once and removes its folder.
func (b *PgBouncer) Stop() {
	b.stop.Do(func() {
		b.server.end(syscall.SIGKILL)
		_ = os.RemoveAll(b.folder) // a temporary folder
	})
}
