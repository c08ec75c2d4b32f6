package sqlite

import (
	"context"
	"math"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
)

// countSlice is how many deliveries that wait, and how many that were canceled,
// are counted in one snapshot.
const countSlice = 50_000

// counting is one call of CountAttempts.
type counting struct {
	app, endpoint int64
	since, until  time.Time
	out           hook.AttemptCounts

	// How far the slices have come: in the lanes, and in the canceled deliveries.
	lane     int
	due      int64 // microseconds
	message  int64 // of those due at that time
	canceled int64 // message
	all      bool  // of the canceled ones
}

// CountAttempts implements store.Attempts. What has ended costs nothing: whole
// hours of attempts come from the rollups, and of the deliveries only those that
// wait, are in flight or were canceled are looked at. There is no bound to their
// number, so they are counted in slices and no snapshot is held for long.
func (s *Store) CountAttempts(ctx context.Context, env, app, endpoint hook.ID, since, until time.Time) (hook.AttemptCounts, error) {
	k := counting{since: since, until: until}
	k.startLane(laneFirst)
	for first := true; first || k.more(); first = false {
		err := s.read(ctx, func(ctx context.Context, c *conn) (err error) {
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
			return firstError(k.waiting(ctx, c), k.ended(ctx, c))
		})
		if err != nil {
			return hook.AttemptCounts{}, tooLong(err)
		}
	}
	return k.out, nil
}

func (k *counting) more() bool { return k.lane <= laneRetry || !k.all }

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
	sums, err := readRollups(ctx, c, rollupKey{k.app, k.endpoint, 0}, from, to)
	if err != nil {
		return err
	}
	for _, t := range sums {
		k.out.Success += t.Succeeded()
		k.out.Fail += t.Failed()
	}
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

// triesBetween adds attempts of a short time; the index alone answers it. The
// id of an attempt is as old as its start.
func (k *counting) triesBetween(ctx context.Context, c *conn, since, until time.Time) error {
	const q = `SELECT count(*), coalesce(sum(class = 0), 0) FROM attempts INDEXED BY attempts_endpoint
	  WHERE endpoint = ? AND id >= ? AND id < ?`
	_, err := c.one(ctx, q, []any{k.endpoint, hook.IDAt(since), idBefore(until)}, func(r *row) error {
		k.out.Success += r.int(1)
		k.out.Fail += r.int(0) - r.int(1)
		return nil
	})
	return err
}

// idBefore is the id below which everything is older than t; the zero time is no bound.
func idBefore(t time.Time) hook.ID {
	if t.IsZero() {
		t = time.Unix(1<<40, 0)
	}
	return hook.IDAt(t)
}

// createdWithin is the part of a WHERE for messages m created from ?2 up to ?3,
// each NULL for no bound.
const createdWithin = `(?2 IS NULL OR m.created >= ?2) AND (?3 IS NULL OR m.created < ?3)`

// inFlight adds the deliveries that a node has: claimed ones are in an index,
// those leased at accept are not older than meta.open_from.
func (k *counting) inFlight(ctx context.Context, c *conn) error {
	for _, q := range [...]string{`SELECT count(*) FROM deliveries d INDEXED BY deliveries_claimed CROSS JOIN messages m ON m.seq = d.message
	  WHERE d.due IS NOT NULL AND d.node IS NOT NULL AND d.node > 0 AND d.endpoint = ?1 AND ` + createdWithin,
		`SELECT count(*) FROM deliveries d INDEXED BY deliveries_endpoint CROSS JOIN messages m ON m.seq = d.message
	  WHERE d.endpoint = ?1 AND d.message >= (SELECT value FROM meta WHERE name = 'open_from')
	    AND d.due IS NULL AND d.node IS NOT NULL AND ` + createdWithin} {
		if _, err := c.one(ctx, q, []any{k.endpoint, k.since, k.until}, func(r *row) error {
			k.out.Sending += r.int(0)
			return nil
		}); err != nil {
			return err
		}
	}
	return nil
}

func (k *counting) startLane(lane int) { k.lane, k.due, k.message = lane, math.MinInt64, 0 }

// waiting adds a slice of the deliveries that wait for an attempt of their
// schedule. A resend that waits does not change what its delivery counts as.
func (k *counting) waiting(ctx context.Context, c *conn) error {
	const q = `SELECT d.due, d.message, d.state = 0 AND ` + createdWithin + `
	  FROM deliveries d INDEXED BY deliveries_queue CROSS JOIN messages m ON m.seq = d.message
	  WHERE d.endpoint = ?1 AND d.lane = ?4 AND d.due IS NOT NULL AND d.node IS NULL AND (d.due, d.message) > (?5, ?6)
	  ORDER BY d.due, d.message LIMIT ?7`
	for room := countSlice; k.lane <= laneRetry && room > 0; {
		looked := 0
		if err := c.query(ctx, q, []any{k.endpoint, k.since, k.until, k.lane, k.due, k.message, room}, func(r *row) error {
			looked++
			k.due, k.message = r.int(0), r.int(1)
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

// ended adds a slice of the deliveries that were canceled and are not in flight
// as a resend.
func (k *counting) ended(ctx context.Context, c *conn) error {
	if k.all {
		return nil
	}
	low, high, err := seqRange(ctx, c, k.app, k.since, k.until)
	if err != nil {
		return err
	}
	const q = `SELECT count(*), max(message), sum(counted)
  FROM (SELECT d.message AS message, d.node IS NULL AND ` + createdWithin + ` AS counted
    FROM deliveries d INDEXED BY deliveries_canceled CROSS JOIN messages m ON m.seq = d.message
    WHERE d.endpoint = ?1 AND d.state = 4 AND d.message > ?4 AND d.message < ?5 ORDER BY d.message LIMIT ?6)`
	_, err = c.one(ctx, q, []any{k.endpoint, k.since, k.until, max(low, k.canceled), high, countSlice}, func(r *row) error {
		k.all = r.int(0) < countSlice
		k.canceled = r.int(1)
		k.out.Canceled += r.int(2)
		return nil
	})
	return err
}
