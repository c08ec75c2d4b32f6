package postgres

import (
	"context"
	"math"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
)

// countSlice is how many deliveries that wait, and how many that were canceled,
// are counted in one snapshot.
const countSlice = 20_000

// counting is one call of CountAttempts.
type counting struct {
	store         *Store
	app, endpoint int64
	since, until  time.Time
	out           hook.AttemptCounts

	// How far the slices have come: in the lanes, and in the canceled deliveries.
	lane    lane
	due     int64 // microseconds
	message hook.ID
	ended   hook.ID
	all     bool // of the canceled ones
}

// lane is one of the two of an endpoint.
type lane int

const (
	laneFirst lane = iota
	laneRetry
	noLane
)

// CountAttempts implements store.Attempts. What has ended costs nothing: whole
// hours of attempts come from the rollups, and of the deliveries only those that
// wait, are in flight or were canceled are looked at. There is no bound to their
// number, so they are counted in slices and no snapshot is held for long.
func (s *Store) CountAttempts(ctx context.Context, env, app, endpoint hook.ID, since, until time.Time) (hook.AttemptCounts, error) {
	k := counting{store: s, since: since, until: until}
	k.startLane(laneFirst)
	k.ended, _ = k.messages(disorder)
	for first := true; first || k.lane != noLane || !k.all; first = false {
		err := s.snapshot(ctx, func(ctx context.Context, c *conn) (err error) {
			if k.app, err = appSeq(ctx, c, env, app); err != nil {
				return err
			}
			e, err := findEndpoint(ctx, c, env, app, k.app, hook.Ref{ID: endpoint})
			if err != nil {
				return err
			}
			k.endpoint = e.seq
			if first {
				if err := firstError(k.tries(ctx, c), k.inFlight(ctx, c)); err != nil {
					return err
				}
			}
			return firstError(k.waiting(ctx, c), k.canceled(ctx, c))
		})
		if err != nil {
			return hook.AttemptCounts{}, tooLong(err)
		}
	}
	return k.out, nil
}

// tries adds the attempts: whole hours from the rollups, the rest from the index.
func (k *counting) tries(ctx context.Context, c *conn) error {
	from, to := int64(firstHour), int64(lastHour)
	if !k.since.IsZero() {
		from = hourFrom(k.since)
	}
	if !k.until.IsZero() {
		to = hourOf(k.until)
	}
	if from >= to {
		return k.triesBetween(ctx, c, k.since, k.until)
	}
	sum, err := k.store.tallies(ctx, c, k.app, k.endpoint, from, to)
	if err != nil {
		return err
	}
	k.out.Success += sum.Succeeded()
	k.out.Fail += sum.Failed()
	if at := hourTime(from); !k.since.IsZero() && k.since.Before(at) {
		if err := k.triesBetween(ctx, c, k.since, at); err != nil {
			return err
		}
	}
	if at := hourTime(to); !k.until.IsZero() && at.Before(k.until) {
		return k.triesBetween(ctx, c, at, k.until)
	}
	return nil
}

// countTries is answered by the index alone.
const countTries = `SELECT count(*), count(*) FILTER (WHERE class = 0) FROM attempts WHERE endpoint = $1 AND id >= $2 AND id < $3`

// triesBetween adds attempts of a short time. The id of an attempt is as old as
// its start.
func (k *counting) triesBetween(ctx context.Context, c *conn, since, until time.Time) error {
	_, err := c.one(ctx, countTries, []any{k.endpoint, hook.IDAt(since), idBefore(until)}, func(r *row) error {
		k.out.Success += r.int(1)
		k.out.Fail += r.int(0) - r.int(1)
		return nil
	})
	return err
}

// idBefore is the id below which everything is older than t; the zero time is no bound.
func idBefore(t time.Time) hook.ID {
	if t.IsZero() {
		return lastID
	}
	return hook.IDAt(t)
}

// messages gives the ids of the messages created in the time that is counted, as a
// half-open range: with some of others if the time of disorder is added, and
// without some of them if it is subtracted.
func (k *counting) messages(more time.Duration) (from, to hook.ID) {
	to = lastID
	if !k.since.IsZero() {
		from = hook.IDAt(k.since.Add(-more))
	}
	if !k.until.IsZero() {
		to = hook.IDAt(k.until.Add(more))
	}
	return from, to
}

// createdWithin is the part of a WHERE for deliveries d of messages created in the
// time that is counted. Only those near its ends are asked for theirs.
const createdWithin = `d.message >= $2 AND d.message < $3 AND (d.message >= $4 AND d.message < $5
    OR (SELECT ($7::bigint IS NULL OR m.created >= $7) AND ($8::bigint IS NULL OR m.created < $8)
        FROM messages m WHERE m.app = $6 AND m.id = d.message))`

// within gives the parameters of createdWithin, after the endpoint.
func (k *counting) within() []any {
	from, to := k.messages(disorder)
	surelyFrom, surelyTo := k.messages(-disorder)
	return []any{k.endpoint, from, to, surelyFrom, surelyTo, k.app, k.since, k.until}
}

const (
	countClaimed = `SELECT count(*) FROM queue d WHERE d.node IS NOT NULL AND d.endpoint = $1 AND ` + createdWithin
	// Those leased at accept are not older than the mark of their node, which has
	// not ended or only just.
	countAccepted = `SELECT count(*) FROM deliveries d WHERE d.endpoint = $1 AND d.due IS NULL AND d.node IS NOT NULL
    AND d.message >= $9 AND ` + createdWithin
	openFrom = `SELECT open_from FROM nodes WHERE ended IS NULL OR ended > clock_timestamp() - interval '10 minutes' ORDER BY open_from LIMIT 1`
)

// inFlight adds the deliveries that a node has.
func (k *counting) inFlight(ctx context.Context, c *conn) error {
	add := func(r *row) error {
		k.out.Sending += r.int(0)
		return nil
	}
	if _, err := c.one(ctx, countClaimed, k.within(), add); err != nil {
		return err
	}
	var from hook.ID
	found, err := c.one(ctx, openFrom, nil, func(r *row) error {
		from = r.id(0)
		return nil
	})
	if err != nil || !found {
		return err
	}
	_, err = c.one(ctx, countAccepted, append(k.within(), from), add)
	return err
}

func (k *counting) startLane(l lane) { k.lane, k.due, k.message = l, math.MinInt64, hook.ID{} }

const countWaiting = `SELECT d.due, d.message, ` + createdWithin + `
    AND (SELECT o.state = 0 FROM deliveries o WHERE o.message = d.message AND o.endpoint = d.endpoint)
  FROM queue d WHERE d.endpoint = $1 AND d.retry = $9 AND d.node IS NULL AND (d.due, d.message) > ($10, $11)
  ORDER BY d.due, d.message LIMIT $12`

// waiting adds a slice of the deliveries that wait for an attempt of their
// schedule. A resend that waits does not change what its delivery counts as.
func (k *counting) waiting(ctx context.Context, c *conn) error {
	for room := countSlice; k.lane != noLane && room > 0; {
		looked := 0
		if err := c.query(ctx, countWaiting, append(k.within(), k.lane == laneRetry, k.due, k.message, room), func(r *row) error {
			looked++
			k.due, k.message = r.int(0), r.id(1)
			k.out.Pending += r.int(2)
			return nil
		}); err != nil {
			return err
		}
		if looked < room {
			k.startLane(k.lane + 1)
		}
		room -= looked
	}
	return nil
}

// Reasons from 5 on are those of canceled deliveries, which are in an index of their own.
const (
	endOfSlice = `SELECT message FROM deliveries WHERE endpoint = $1 AND reason >= 5 AND message >= $2 AND message < $3
  ORDER BY message OFFSET $4 LIMIT 1`
	countCanceled = `SELECT count(*) FROM deliveries d WHERE d.endpoint = $1 AND d.reason >= 5 AND d.state = 4 AND d.node IS NULL AND ` + createdWithin
)

// canceled adds a slice of the deliveries that were canceled and are not in flight
// as a resend.
func (k *counting) canceled(ctx context.Context, c *conn) error {
	if k.all {
		return nil
	}
	_, to := k.messages(disorder)
	more, err := c.one(ctx, endOfSlice, []any{k.endpoint, k.ended, to, countSlice}, func(r *row) error {
		to = r.id(0)
		return nil
	})
	if err != nil {
		return err
	}
	args := k.within()
	args[1], args[2] = k.ended, to
	_, err = c.one(ctx, countCanceled, args, func(r *row) error {
		k.out.Canceled += r.int(0)
		return nil
	})
	k.ended, k.all = to, !more
	return err
}
