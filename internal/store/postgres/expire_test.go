package postgres_test

import (
	"context"
	"testing"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
	"github.com/grapnelhq/grapnel/internal/testx"
)

// big is more than a partition has that is emptied row by row.
const big = 10_500

// nextDay is a little into the second day of an archive: all of the first is old
// for who keeps nothing longer than since then.
var nextDay = archiveStart.Add(oneDay + 2*time.Minute)

func TestABigPartitionThatIsAllOldIsDroppedAsAWhole(t *testing.T) {
	t.Parallel()
	a := newArchive(t)
	ctx := t.Context()
	const pending = 100
	a.fill(0, big, pending)
	sent, atAccept := a.send(archiveStart.Add(21*time.Hour)), a.send(archiveStart.Add(22*time.Hour))
	claimed := testx.Must(a.store.Claim(ctx, hook.ClaimRequest{
		Node: a.node, Now: archiveStart.Add(23 * time.Hour), MaxBytes: 1 << 20, Lanes: []hook.ClaimLane{{Endpoint: a.endpoint, Max: 3}},
	}))(t)[0].Leases
	a.fill(1, 200, 10)
	a.settle(sent.Leased[0], nextDay) // its attempt is in the partition of the next day
	testx.Equal(t, a.tables("messages"), 3, "partitions, with the one of the day to come")

	_, got := a.expire(hook.Retention{Messages: time.Hour}, nextDay.Add(time.Hour))
	testx.Equal(t, got, hook.Expired{Messages: big + 2, Payloads: big + 2, Attempts: big - pending, Unsent: pending - 3})
	for _, table := range []string{"messages", "deliveries", "attempts"} {
		testx.Equal(t, a.tables(table), 2, "partitions of "+table)
	}
	testx.Equal(t, a.number(`SELECT count(*) FROM pg_class WHERE relname LIKE 'expired%'`), 0, "tables that are out of sight")
	testx.Equal(t, a.number(`SELECT count(*) FROM queue`), 10, "deliveries in the queue")
	testx.Equal(t, a.number(`SELECT count(*) FROM message_keys`), 200, "keys of messages")
	for _, l := range append(claimed, atAccept.Leased...) {
		testx.True(t, a.settle(l, nextDay).Lost, "a lease of a message that is gone is lost")
	}
	attempts := testx.Must(a.store.ListAttempts(ctx, hook.AttemptFilter{
		Env: a.env, App: a.app, Endpoint: a.endpoint, StatusClass: -1, Before: archiveStart.Add(oneDay + 5*time.Minute), Page: hook.Page{Limit: 10},
	}))(t)
	testx.Equal(t, len(attempts.Items), 0, "attempts of messages that are gone")
	_, got = a.expire(hook.Retention{Messages: time.Hour}, nextDay.Add(time.Hour))
	testx.Equal(t, got, hook.Expired{}, "again")
	messages := testx.Must(a.store.ListMessages(ctx, hook.MessageFilter{Env: a.env, App: a.app, Page: hook.Page{Limit: 250}}))(t)
	testx.Equal(t, len(messages.Items), 200, "messages of the next day")
}

func TestABigPartitionWaitsUntilAllOfItIsOld(t *testing.T) {
	t.Parallel()
	a := newArchive(t)
	a.fill(0, big, 0)
	noon := archiveStart.Add(12 * time.Hour)
	keep := hook.Retention{Messages: time.Hour, Payloads: time.Hour, Attempts: time.Hour}
	_, got := a.expire(keep, noon)
	testx.Equal(t, got, hook.Expired{})
	_, got = a.expire(keep, nextDay.Add(time.Hour))
	testx.Equal(t, got, hook.Expired{Messages: big, Payloads: big, Attempts: big})
}

func TestASmallPartitionIsEmptiedAsItGrowsOldAndThenDropped(t *testing.T) {
	t.Parallel()
	a := newArchive(t)
	a.fill(0, 1000, 0) // over 20 hours
	keep := hook.Retention{Messages: time.Hour}
	slices, got := a.expire(keep, archiveStart.Add(17*time.Hour+time.Second))
	testx.Equal(t, got, hook.Expired{Messages: 800, Payloads: 800, Attempts: 800})
	testx.True(t, len(slices) > 1 && slices[0].Messages < 800, "in slices")
	testx.Equal(t, a.tables("messages"), 2, "partitions while there are messages")
	_, got = a.expire(keep, nextDay.Add(time.Hour))
	testx.Equal(t, got.Messages, 200)
	testx.Equal(t, a.tables("messages"), 2, "partitions, of this day and the next")
	_, got = a.expire(keep, nextDay.Add(10*oneDay))
	testx.Equal(t, got, hook.Expired{})
	testx.Equal(t, a.tables("messages"), 2, "partitions after days without messages")
}

func TestPartitionsAreMadeBeforeTheyAreNeeded(t *testing.T) {
	t.Parallel()
	a := newArchive(t)
	testx.Equal(t, a.tables("messages"), 0)
	for day := range 3 {
		testx.Must(a.store.Expire(t.Context(), hook.Retention{}, archiveStart.Add(time.Duration(day)*oneDay+time.Hour)))(t)
		for _, table := range []string{"messages", "deliveries", "attempts"} {
			testx.Equal(t, a.tables(table), int64(day+2), "partitions of "+table)
		}
	}
}

func TestPayloadsOfAnOldPartitionGoInSlices(t *testing.T) {
	t.Parallel()
	a := newArchive(t)
	const n, pending = 1200, 30
	a.fill(0, n, pending)
	a.fill(1, 100, 0)
	a.exec(`UPDATE messages SET body_expires = $1 WHERE id IN (SELECT id FROM made WHERE n <= 7)`, nextDay.Add(100*oneDay).UnixMicro())
	a.fill(2, 100, 0)
	keep := hook.Retention{Payloads: time.Hour}
	slices, got := a.expire(keep, nextDay.Add(oneDay+time.Hour))
	testx.Equal(t, got, hook.Expired{Payloads: n + 93, Unsent: pending})
	for _, s := range slices {
		testx.True(t, s.Payloads <= 500, "a slice is small")
	}
	testx.Equal(t, a.number(`SELECT count(*) FROM deliveries WHERE state = 4 AND reason = 8 AND due IS NULL`), pending, "deliveries that expired")
	testx.Equal(t, a.number(`SELECT count(*) FROM queue`), 0, "deliveries in the queue")
	slices, got = a.expire(keep, nextDay.Add(oneDay+time.Hour))
	testx.Equal(t, got, hook.Expired{}, "again")
	testx.Equal(t, len(slices), 1, "what is done is not looked at again")
	_, got = a.expire(keep, nextDay.Add(200*oneDay))
	testx.Equal(t, got.Payloads, 107, "in the end all go")
}

func TestAttemptsAreRemovedOnlyWhenTheyAreInTheRollups(t *testing.T) {
	t.Parallel()
	a := newArchive(t)
	// A transaction that began before the attempts may commit after them: until it
	// has ended the feed stops before it.
	tx := testx.Must(a.db.Begin(t.Context()))(t)
	defer tx.Rollback(context.Background())
	_, err := tx.Exec(t.Context(), `SELECT pg_current_xact_id()`)
	testx.NoError(t, err)
	const n = 20
	for i := range n {
		at := archiveStart.Add(time.Duration(i) * time.Hour)
		a.settle(a.send(at).Leased[0], at)
	}
	for name, keep := range map[string]hook.Retention{"attempts": {Attempts: time.Hour}, "messages": {Messages: time.Hour}} {
		for _, now := range []time.Time{archiveStart.Add(12 * time.Hour), nextDay.Add(time.Hour)} {
			got := testx.Must(a.store.Expire(t.Context(), keep, now))(t)
			testx.Equal(t, got, hook.Expired{More: true}, name+" wait for the rollups")
		}
	}
	testx.NoError(t, tx.Rollback(t.Context()))
	_, got := a.expire(hook.Retention{Attempts: time.Hour}, archiveStart.Add(12*time.Hour))
	testx.Equal(t, got, hook.Expired{Attempts: 11}, "of a day that is not over")
	_, got = a.expire(hook.Retention{Attempts: time.Hour}, nextDay.Add(time.Hour))
	testx.Equal(t, got, hook.Expired{Attempts: n - 11}, "of the whole day")
	counts := testx.Must(a.store.CountAttempts(t.Context(), a.env, a.app, a.endpoint, archiveStart, archiveStart.Add(oneDay)))(t)
	testx.Equal(t, counts, hook.AttemptCounts{Success: n}, "the rollups have them all")
}

func TestAPartitionInUseIsDroppedAnotherTime(t *testing.T) {
	t.Parallel()
	a := newArchive(t)
	a.fill(0, big, 0)
	keep, now := hook.Retention{Messages: time.Hour, Attempts: time.Hour}, nextDay.Add(time.Hour)
	tx := testx.Must(a.db.Begin(t.Context()))(t)
	defer tx.Rollback(context.Background())
	_, err := tx.Exec(t.Context(), `LOCK TABLE attempts IN ACCESS SHARE MODE`)
	testx.NoError(t, err)
	_, got := a.expire(keep, now)
	testx.Equal(t, got, hook.Expired{}, "while somebody reads it")
	message := a.send(now) // nobody waits for long
	testx.NoError(t, tx.Rollback(t.Context()))
	_, got = a.expire(keep, now)
	testx.Equal(t, got, hook.Expired{Messages: big, Payloads: big, Attempts: big}, "afterwards")
	testx.True(t, !a.settle(message.Leased[0], now).Lost, "the others are untouched")
}

func TestAMessageWithMoreThanASliceCanRemoveGoesInSeveral(t *testing.T) {
	t.Parallel()
	a := newArchive(t)
	message := a.send(archiveStart).Message.ID
	const n = 6000
	a.exec(`INSERT INTO attempts (id, message, endpoint, txid, number, manual, class, status, url, started, timings)
	  SELECT substr($1::bytea, 1, 5) || decode(lpad(to_hex(g), 30, '0'), 'hex'), $1, $2, 3, g, false, 0, 200, '', 0, '\x' FROM generate_series(1, $3) AS g`,
		message[:], a.epSeq, n)
	a.exec(`INSERT INTO deliveries (message, endpoint, state, reason, manual, again, retry, attempts, step, last_status, due, updated)
	  SELECT $1, $2 + g, 0, 0, false, false, false, 0, 0, 0, 5, 0 FROM generate_series(1, $3) AS g`, message[:], a.epSeq, n)
	a.exec(`INSERT INTO queue SELECT message, endpoint, false, due, NULL FROM deliveries WHERE due IS NOT NULL`)
	slices, got := a.expire(hook.Retention{Messages: time.Hour}, archiveStart.Add(2*time.Hour))
	testx.Equal(t, got, hook.Expired{Messages: 1, Payloads: 1, Attempts: n, Unsent: n})
	testx.True(t, len(slices) > 2, "there are several")
	for _, table := range []string{"messages", "deliveries", "attempts", "queue"} {
		testx.Equal(t, a.number(`SELECT count(*) FROM `+table), 0, "rows left in "+table)
	}
}

func TestWhatWasDeletedIsForgottenWithTheLastMessageOfItsTime(t *testing.T) {
	t.Parallel()
	a := newArchive(t)
	ctx := t.Context()
	testx.NoError(t, a.store.CreateKey(ctx, &hook.Key{ID: hook.NewID(archiveStart), Env: a.env, App: a.app, Hash: [32]byte{1}, CreatedAt: archiveStart}))
	testx.NoError(t, a.store.CreateKey(ctx, &hook.Key{ID: hook.NewID(archiveStart), Env: a.env, App: hook.NewID(archiveStart), Hash: [32]byte{2},
		CreatedAt: archiveStart, ExpiresAt: archiveStart}))
	a.settle(a.send(archiveStart).Leased[0], archiveStart)
	a.rollUp(1, 1)
	testx.Must(a.store.DeleteApplication(ctx, a.env, hook.Ref{ID: a.app}, archiveStart.Add(time.Minute)))(t)
	keep := hook.Retention{Messages: time.Hour}
	tables := []string{"applications", "endpoints", "endpoint_revisions", "rollups", "api_keys"}
	a.expire(keep, archiveStart.Add(59*time.Minute))
	for _, table := range tables {
		testx.True(t, a.number(`SELECT count(*) FROM `+table) > 0, table+" is kept")
	}
	a.expire(keep, archiveStart.Add(62*time.Minute))
	for _, table := range tables[:4] {
		testx.Equal(t, a.number(`SELECT count(*) FROM `+table), 0, "rows left in "+table)
	}
	a.expire(keep, archiveStart.Add(31*oneDay))
	testx.Equal(t, a.number(`SELECT count(*) FROM api_keys`), 0, "keys left")
}

func TestWhatNodesToldEachOtherIsKeptForMinutes(t *testing.T) {
	t.Parallel()
	a := newArchive(t)
	for _, age := range []string{"9 minutes", "11 minutes"} {
		a.exec(`INSERT INTO changes (txid, endpoint, revision, closed, at) VALUES (1, $1::text::bytea, 1, 0, clock_timestamp() - $1::text::interval)`, age)
		a.exec(`INSERT INTO signals (endpoint, app, node, hold, txid, at) VALUES ($1::text::bytea, '', 1, 1, 1, clock_timestamp() - $1::text::interval)`, age)
	}
	for _, age := range []string{"23 hours", "25 hours"} {
		a.exec(`INSERT INTO nodes (name, epoch, started, seen, until, ended, swept, open_from)
		  SELECT $1, 1, t, t, t, t, 3, '' FROM (SELECT clock_timestamp() - $1::text::interval AS t) AS ago`, age)
	}
	a.exec(`DELETE FROM changes WHERE revision = 1 AND at > clock_timestamp() - interval '1 minute'`) // of the endpoint that the archive has
	a.expire(hook.Retention{}, archiveStart)
	testx.Equal(t, a.number(`SELECT count(*) FROM changes`), 1, "changes")
	testx.Equal(t, a.number(`SELECT count(*) FROM signals`), 1, "signals")
	testx.Equal(t, a.number(`SELECT count(*) FROM nodes`), 2, "nodes, this one among them")
}
