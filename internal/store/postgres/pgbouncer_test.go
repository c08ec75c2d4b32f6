//go:build pgbouncer

package postgres_test

import (
	"errors"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/grapnelhq/grapnel/internal/store"
	"github.com/grapnelhq/grapnel/internal/store/postgres"
	"github.com/grapnelhq/grapnel/internal/store/storetest"
	"github.com/grapnelhq/grapnel/internal/testx"
)

// through gives the address that leads to a database by way of the pooler.
func through(b *testx.PgBouncer, direct string) string {
	u, err := url.Parse(direct)
	if err != nil {
		panic(err)
	}
	u.Host = u.Hostname() + ":" + strconv.Itoa(b.Port)
	return u.String()
}

func startPgBouncer(t *testing.T) *testx.PgBouncer {
	t.Helper()
	b, err := testx.StartPgBouncerAs(cluster, owner)
	testx.NoError(t, err)
	t.Cleanup(b.Stop)
	return b
}

func openThrough(t *testing.T, b *testx.PgBouncer, direct string) *postgres.Store {
	t.Helper()
	o := suiteOptions()
	o.DirectURL = direct
	s, err := postgres.Open(t.Context(), through(b, direct), o)
	testx.NoError(t, err)
	t.Cleanup(func() { s.Close() })
	return s
}

// TestStoreConformsThroughPgBouncer runs the whole suite with a pooler in
// transaction mode between the store and the database.
func TestStoreConformsThroughPgBouncer(t *testing.T) {
	b := startPgBouncer(t)
	storetest.Run(t, func(t *testing.T, durable bool) storetest.Harness {
		t.Helper()
		direct := newDatabase(t, durable)
		another := func(t *testing.T) store.Store { return openThrough(t, b, direct) }
		return storetest.Harness{Store: another(t), Crash: another, Another: another}
	})
}

func TestPlannerSettingsComeWithTheRoleThroughPgBouncer(t *testing.T) {
	t.Parallel()
	b := startPgBouncer(t)
	direct := newDatabase(t, false)
	openThrough(t, b, direct)
	database := strings.TrimPrefix(testx.Must(url.Parse(direct))(t).Path, "/")
	for _, setting := range []string{"enable_seqscan", "enable_mergejoin"} {
		testx.Equal(t, testx.Must(b.Ask(t.Context(), database, "SHOW "+setting))(t), "off", setting)
	}
}

func TestAnAddressThatLeadsToPgBouncerAloneIsExplained(t *testing.T) {
	t.Parallel()
	b := startPgBouncer(t)
	_, err := postgres.Open(t.Context(), through(b, newDatabase(t, false)), suiteOptions())
	var refused *postgres.ConnectError
	if !errors.As(err, &refused) || !strings.Contains(refused.Hint(), "--db-direct") {
		t.Fatalf("%v", err)
	}
}
