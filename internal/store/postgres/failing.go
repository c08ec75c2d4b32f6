package postgres

import (
	"context"

	"github.com/grapnelhq/grapnel/internal/hook"
	"github.com/jackc/pgx/v5"
)

const (
	setFailing = `INSERT INTO failing (message, endpoint, env, state, class, status, since)
  SELECT * FROM unnest($1::bytea[], $2::bigint[], $3::bytea[], $4::smallint[], $5::smallint[], $6::integer[], $7::bigint[])
  ON CONFLICT (message, endpoint) DO UPDATE SET state = excluded.state, class = excluded.class, status = excluded.status`
	endFailing = `DELETE FROM failing f USING unnest($1::bytea[], $2::bigint[]) AS g(message, endpoint)
  WHERE f.message = g.message AND f.endpoint = g.endpoint AND f.message = ANY($1)`
	// endRetrying is for deliveries that are canceled: those whose schedule was used up
	// before stay as they are.
	endRetrying = endFailing + ` AND f.state = 0`
)

// failing writes down which deliveries fail, and which fail no longer. A batch
// without failures and without later attempts has nothing to say.
func (st *settling) failing(b *pgx.Batch) {
	var set, ended deliveryKeys
	var envs [][]byte
	var states, classes []int16
	var statuses []int32
	var since []int64
	for _, i := range st.order {
		s := &st.batch[i]
		if st.out[i].Lost || st.known[i] {
			continue
		}
		switch s.Failing() {
		case hook.FailingStays:
		case hook.FailingEnds:
			ended.add(s.Lease.Message.ID, s.Lease.Ref.Endpoint)
		case hook.FailingSet:
			f := s.FailingAs()
			set.add(s.Lease.Message.ID, s.Lease.Ref.Endpoint)
			envs, states, classes = append(envs, s.Lease.Endpoint.Env[:]), append(states, int16(f.State)), append(classes, int16(f.Class))
			statuses, since = append(statuses, int32(f.Status)), append(since, f.Since.UnixMicro())
		}
	}
	if len(set.message) > 0 {
		b.Queue(setFailing, set.message, set.endpoint, envs, states, classes, statuses, since)
	}
	if len(ended.message) > 0 {
		b.Queue(endFailing, ended.message, ended.endpoint)
	}
}

// endRetrying notes that deliveries that may have failed before are canceled.
func (k *deliveryKeys) endRetrying(ctx context.Context, c *conn) error {
	_, err := c.exec(ctx, endRetrying, k.message, k.endpoint)
	return err
}

// oldFailing removes what is about messages whose partition is gone.
func (s *slice) oldFailing(ctx context.Context) (hook.Expired, error) {
	if s.keep.Messages <= 0 {
		return hook.Expired{}, nil
	}
	return s.write(ctx, func(ctx context.Context, c *conn) (hook.Expired, error) {
		spans, err := existing(ctx, c)
		if err != nil || len(spans) == 0 {
			return hook.Expired{}, err
		}
		n, err := c.exec(ctx, `DELETE FROM failing WHERE ctid = ANY (ARRAY(
		  SELECT ctid FROM failing WHERE message < $1 ORDER BY message LIMIT $2))`, spans[0].from(), sliceRows)
		return hook.Expired{More: n == sliceRows}, err
	})
}
