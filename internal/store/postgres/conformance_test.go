package postgres_test

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"sync/atomic"
	"testing"
	"time"

	"github.com/grapnelhq/grapnel/internal/store"
	"github.com/grapnelhq/grapnel/internal/store/postgres"
	"github.com/grapnelhq/grapnel/internal/store/storetest"
	"github.com/grapnelhq/grapnel/internal/testx"
	"github.com/jackc/pgx/v5"
)

// cluster is the database server of this package's tests.
var cluster *testx.PostgreSQL

// template is a database with all migrations and nothing else: copying it is
// faster than making it for each of several hundred tests.
const template = "template_grapnel"

// owner is who all stores here log in as: it owns its databases and has no other
// right, so nothing that passes needs more.
const owner = "ordinary"

// as gives an address for another user.
func as(user, address string) string {
	u, err := url.Parse(address)
	if err != nil {
		panic(err)
	}
	u.User = url.User(user)
	return u.String()
}

func TestMain(m *testing.M) {
	flag.Parse()
	var settings []string
	if flag.Lookup("test.bench").Value.String() == "" {
		// The server is never cut off from its disk: no test needs it flushed.
		settings = []string{"fsync=off", "full_page_writes=off", "autovacuum_naptime=1h"}
	}
	var err error
	if cluster, err = testx.StartPostgreSQL(settings...); err != nil {
		panic(err)
	}
	defer cluster.Stop()
	if err := makeTemplate(); err != nil {
		panic(err)
	}
	m.Run()
}

func makeTemplate() error {
	ctx := context.Background()
	for _, q := range []string{"CREATE ROLE " + owner + " LOGIN", "CREATE DATABASE " + template + " OWNER " + owner} {
		if err := cluster.Run(ctx, "postgres", q); err != nil {
			return err
		}
	}
	s, err := postgres.Open(ctx, as(owner, cluster.URL(template)), suiteOptions())
	if err != nil {
		return err
	}
	return s.Close()
}

func TestStoreConforms(t *testing.T) {
	t.Parallel()
	storetest.Run(t, openForSuite)
}

// suiteOptions lets nothing depend on how busy the machine is.
func suiteOptions() postgres.Options {
	return postgres.Options{
		Logger: slog.New(slog.NewTextHandler(io.Discard, nil)), MaxWait: time.Minute, ReadTimeout: time.Minute, Connections: 4,
	}
}

// underTest is a database of one test.
type underTest struct {
	store *postgres.Store
	url   string
}

var databases atomic.Int64

// newDatabase makes an empty database with all tables.
func newDatabase(t *testing.T, durable bool) (address string) {
	t.Helper()
	name := fmt.Sprintf("test_%d", databases.Add(1))
	c, err := pgx.Connect(t.Context(), cluster.URL("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(context.Background())
	statements := []string{"CREATE DATABASE " + name + " OWNER " + owner + " TEMPLATE " + template + " STRATEGY wal_log"}
	if !durable {
		statements = append(statements, "ALTER DATABASE "+name+" SET synchronous_commit = off")
	}
	for _, q := range statements {
		if _, err := c.Exec(t.Context(), q); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() {
		c, err := pgx.Connect(context.Background(), cluster.URL("postgres"))
		if err != nil {
			return // the server is gone, and the database with it
		}
		defer c.Close(context.Background())
		_, _ = c.Exec(context.Background(), "DROP DATABASE "+name+" WITH (FORCE)") // at the latest with the cluster
	})
	return as(owner, cluster.URL(name))
}

func openForSuite(t *testing.T, durable bool) storetest.Harness {
	t.Helper()
	u := &underTest{url: newDatabase(t, durable)}
	u.open(t)
	return storetest.Harness{Store: u.store, Crash: u.crash, Another: func(t *testing.T) store.Store { return open(t, u.url) }}
}

func (u *underTest) open(t *testing.T) {
	t.Helper()
	u.store = open(t, u.url)
}

func open(t *testing.T, url string) *postgres.Store {
	t.Helper()
	s, err := postgres.Open(t.Context(), url, suiteOptions())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// crash leaves the old store as it is and opens another one, as a new process would.
func (u *underTest) crash(t *testing.T) store.Store {
	t.Helper()
	old := u.store
	t.Cleanup(func() { old.Close() })
	u.open(t)
	return u.store
}
