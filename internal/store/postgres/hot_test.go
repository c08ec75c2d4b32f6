package postgres_test

import (
	"context"
	"testing"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
	"github.com/grapnelhq/grapnel/internal/testx"
	"github.com/jackc/pgx/v5"
)

// A settlement that changed an indexed column would write every index of the
// table again.
func TestSettlementsUpdateDeliveriesInPlace(t *testing.T) {
	t.Parallel()
	url := newDatabase(t, false)
	s := open(t, url)
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	env, app := hook.NewID(now), hook.NewID(now)
	testx.NoError(t, s.CreateEnvironment(t.Context(), &hook.Environment{ID: env, Name: "e", CreatedAt: now}))
	_, _, err := s.CreateApplication(t.Context(), &hook.Application{ID: app, Env: env, Name: "a", CreatedAt: now, UpdatedAt: now}, nil)
	testx.NoError(t, err)
	_, _, err = s.CreateEndpoint(t.Context(), &hook.Endpoint{
		ID: hook.NewID(now), App: app, Env: env, URL: "https://example.com", CreatedAt: now, UpdatedAt: now,
	}, 0, nil)
	testx.NoError(t, err)
	node := testx.Must(s.RegisterNode(t.Context(), "n", time.Hour, now))(t)
	const rounds, perRound = 20, 25
	for range rounds {
		events := make([]hook.NewEvent, perRound)
		for i := range events {
			events[i] = hook.NewEvent{Message: hook.Message{
				ID: hook.NewID(now), App: app, Env: env, EventType: "a.b", ContentType: "application/json", Body: []byte("{}"), CreatedAt: now,
			}}
		}
		var batch []hook.Settlement
		for _, a := range testx.Must(s.Accept(t.Context(), node, everywhere{}, now, events))(t) {
			for _, l := range a.Leased {
				batch = append(batch, hook.Settlement{
					Lease: l, Now: now, Then: hook.Transition{State: hook.Delivered, Step: 1},
					Attempt: hook.Attempt{ID: hook.NewID(now), Message: l.Message.ID, Number: 1, StartedAt: now, Outcome: hook.Outcome{Status: 200}},
				})
			}
		}
		testx.Equal(t, len(batch), perRound)
		testx.Must(s.Settle(t.Context(), batch))(t)
	}
	testx.NoError(t, s.Close()) // what the connections counted is told when they end
	updated, inPlace := updates(t, url, rounds*perRound)
	testx.Equal(t, updated, rounds*perRound, "updates of deliveries")
	testx.True(t, inPlace*100 >= updated*95, "at least 95 % of the updates are in place")
	t.Logf("%d of %d updates in place", inPlace, updated)
}

// updates gives how many rows of deliveries were updated, and how many of them in
// place, once the database has counted as many as are wanted.
func updates(t *testing.T, url string, want int) (all, inPlace int) {
	t.Helper()
	c, err := pgx.Connect(t.Context(), url)
	testx.NoError(t, err)
	defer c.Close(context.Background())
	for range 200 {
		testx.NoError(t, c.QueryRow(t.Context(), `SELECT coalesce(sum(n_tup_upd), 0)::integer, coalesce(sum(n_tup_hot_upd), 0)::integer
		  FROM pg_stat_user_tables WHERE relname LIKE 'deliveries%'`).Scan(&all, &inPlace))
		if all >= want {
			break
		}
		_, err := c.Exec(t.Context(), `SELECT pg_sleep(0.05)`) // the database's own pace
		testx.NoError(t, err)
	}
	return all, inPlace
}
