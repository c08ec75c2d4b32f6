package postgres_test

import (
	"context"
	"errors"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
	"github.com/grapnelhq/grapnel/internal/store"
	"github.com/grapnelhq/grapnel/internal/testx"
)

func TestADatabaseThatPgDumpBroughtToAnotherClusterGoesOn(t *testing.T) {
	t.Parallel()
	a := newArchive(t)
	// The new cluster has given out fewer numbers of transactions.
	a.exec(`DO $$ BEGIN FOR i IN 1..5000 LOOP PERFORM pg_current_xact_id(); COMMIT; END LOOP; END $$`)
	a.fill(0, 200, 0)
	for i := range 5 {
		a.sendAndSettle(a.store, archiveStart.Add(time.Duration(i)*time.Minute))
	}
	a.rollUp(100, 100) // some are left
	testx.Equal(t, a.attempts(), 205, "attempts in the statistics before")

	b := a.restored()
	testx.Equal(t, b.attempts(), 205, "attempts in the statistics afterwards")
	end := testx.Must(b.store.FeedEnd(t.Context(), hook.FeedMessages))(t)
	for i := range 3 {
		b.sendAndSettle(b.store, archiveStart.Add(time.Hour+time.Duration(i)*time.Minute))
	}
	b.rollUp(205-100+3, 1000)
	page := testx.Must(b.store.ReadFeed(t.Context(), hook.FeedMessages, hook.ID{}, end, 10))(t)
	testx.Equal(t, len(page.Items), 3, "messages that the feed has of those stored since")
	testx.Equal(t, b.attempts(), 208, "attempts in the statistics at last")
	testx.Equal(t, testx.Must(b.store.RollUp(t.Context(), 1000))(t), 0, "attempts summed up once more")

	again := open(t, b.url)
	testx.Equal(t, testx.Must(again.RollUp(t.Context(), 1000))(t), 0, "attempts summed up after another start")
}

// attempts is how many the statistics of the endpoint have.
func (a *archive) attempts() (n int64) {
	a.Helper()
	hours := testx.Must(a.store.ListRollups(a.Context(), hook.StatsFilter{Env: a.env, App: a.app, Endpoint: a.endpoint}))(a)
	for _, h := range hours {
		for _, of := range h.Attempts.ByClass {
			n += of
		}
	}
	return n
}

// restored brings the database to a cluster of its own by pg_dump and psql.
func (a *archive) restored() *archive {
	a.Helper()
	other, err := testx.StartPostgreSQL()
	testx.NoError(a, err)
	a.Cleanup(other.Stop)
	testx.NoError(a, other.Run(a.Context(), "postgres", "CREATE ROLE "+owner+" LOGIN"))
	testx.NoError(a, other.Run(a.Context(), "postgres", "CREATE DATABASE moved OWNER "+owner))
	b := *a
	b.url = as(owner, other.URL("moved"))
	dump, err := exec.CommandContext(a.Context(), "pg_dump", "--no-owner", a.url).Output()
	testx.NoError(a, err)
	psql := exec.CommandContext(a.Context(), "psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-o", "/dev/null", b.url)
	psql.Stdin = strings.NewReader(string(dump))
	if out, err := psql.CombinedOutput(); err != nil {
		a.Fatalf("psql: %v: %s", err, out)
	}
	b.store = open(a.T, b.url)
	b.node, err = b.store.RegisterNode(context.Background(), "moved", time.Hour, archiveStart)
	testx.NoError(a, err)
	return &b
}

func TestAVersionGoesOnWhenTheNextOneHasMigrated(t *testing.T) {
	t.Parallel()
	a := newArchive(t)
	a.exec(`INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, true)`)
	a.exec(`ALTER TABLE messages ADD COLUMN later text`)
	a.exec(`CREATE TABLE later (id bigint)`)
	a.sendAndSettle(a.store, archiveStart) // it had the database open
	again := open(t, a.url)                // a restart
	a.sendAndSettle(again, archiveStart.Add(time.Minute))
	_, err := store.OpenSource(t.Context(), a.url, false)
	var other *hook.SchemaError
	testx.True(t, errors.As(err, &other) && other.Have == 9999, "what reads everything must know all of it")
}
