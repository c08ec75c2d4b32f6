package postgres

import (
	"context"

	"github.com/grapnelhq/grapnel/internal/hook"
)

const (
	// explainBound is how many endpoints an explanation has.
	explainBound = 1000
	// explainAttempts is how many attempts are searched for the newest ones.
	explainAttempts = 50_000
)

// explainColumns are what scanExplained reads. r is the revision in force when the
// application was at version $3, that of the message $2; NULL if the endpoint did
// not exist then.
const (
	explainColumns = `e.deleted IS NOT NULL, r.revision, r.event_types, r.channels, r.disabled, r.since, d.message IS NOT NULL, ` +
		deliveryColumns + `, ` + endpointColumns
	explainColumnCount = 7
	inForce            = ` LEFT JOIN LATERAL (
      SELECT n.revision, n.event_types, n.channels, n.disabled, n.since FROM endpoint_revisions n
      WHERE n.endpoint = e.seq AND n.version <= $3 ORDER BY n.revision DESC LIMIT 1) r ON e.deleted IS NULL OR r.revision < e.revision
  `
	explainDelivered = `SELECT ` + explainColumns + ` FROM deliveries d
    CROSS JOIN LATERAL (SELECT ` + endpointColumns + `, e.deleted FROM endpoints e WHERE e.seq = d.endpoint AND e.app = $1 LIMIT 1) e` + inForce + `
  WHERE d.message = $2 ORDER BY d.endpoint LIMIT $4`
	explainOthers = `SELECT ` + explainColumns + ` FROM endpoints e LEFT JOIN deliveries d ON d.message = $2 AND d.endpoint = e.seq` + inForce + `
  WHERE e.app = $1 AND d.message IS NULL AND (e.deleted IS NULL OR r.revision IS NOT NULL) ORDER BY e.id LIMIT $4`
)

func scanExplained(r *row, m *hook.Message) (hook.EndpointExplanation, int64, error) {
	e, err := scanEndpoint(r.from(explainColumnCount + deliveryColumnCount))
	x := hook.EndpointExplanation{Endpoint: e, Deleted: r.bool(0)}
	if !r.null(1) {
		x.AtAccept = &hook.EndpointRevision{
			Endpoint: e.ID, Revision: r.int(1), EventTypes: r.words(2), Channels: r.words(3), Disabled: r.bool(4), Since: r.time(5),
		}
	}
	if r.bool(6) {
		d := scanDelivery(r.from(explainColumnCount), m)
		x.Delivery = &d
	}
	return x, r.int(explainColumnCount + deliveryColumnCount), err
}

// ExplainMessage implements store.Messages. It gives at most 1,000 endpoints,
// those with a delivery first.
func (s *Store) ExplainMessage(ctx context.Context, env, app hook.ID, ref hook.Ref) (out hook.Explanation, err error) {
	err = s.read(ctx, func(ctx context.Context, c *conn) error {
		m, err := messageOf(ctx, c, env, app, ref, false)
		if err != nil {
			return err
		}
		out.Message = m.Message
		place := map[int64]int{} // row key of an endpoint -> its place in out.Endpoints
		for _, q := range []string{explainDelivered, explainOthers} {
			err := c.query(ctx, q, []any{m.app, m.ID, m.config, explainBound - len(out.Endpoints)}, func(r *row) error {
				x, seq, err := scanExplained(r, &m.Message)
				if _, known := place[seq]; known { // queued since the first query
					return err
				}
				x.Endpoint.Env, x.Endpoint.App = env, app
				place[seq] = len(out.Endpoints)
				out.Endpoints = append(out.Endpoints, x)
				return err
			})
			if err != nil {
				return tooLong(err)
			}
		}
		return tooLong(lastAttempts(ctx, c, &m, place, out.Endpoints))
	})
	return out, err
}

const (
	attemptsOfMessage = `SELECT id, endpoint FROM attempts WHERE message = $1 AND id >= $2 ORDER BY id DESC LIMIT $3`
	explainedAttempts = `SELECT a.endpoint, ` + attemptColumns + ` FROM attempts a, messages m
  WHERE a.message = $2 AND a.id = ANY ($3) AND a.id >= $4 AND a.id <= $5 AND m.app = $1 AND m.id = $2`
)

// lastAttempts fills the newest attempt of each endpoint.
func lastAttempts(ctx context.Context, c *conn, m *storedMessage, place map[int64]int, endpoints []hook.EndpointExplanation) error {
	var newest []hook.ID
	var within idRange
	known := map[int64]bool{}
	err := c.query(ctx, attemptsOfMessage, []any{m.ID, firstAttempt(&m.Message), explainAttempts}, func(r *row) error {
		if id, endpoint := r.id(0), r.int(1); !known[endpoint] {
			known[endpoint] = true
			newest = append(newest, id)
			within.add(id)
		}
		return nil
	})
	if err != nil || len(newest) == 0 {
		return err
	}
	return c.query(ctx, explainedAttempts, []any{m.app, m.ID, idArray(newest), within.low, within.high}, func(r *row) error {
		i, ok := place[r.int(0)]
		if !ok {
			return nil
		}
		a, err := scanAttempt(r.from(1))
		endpoints[i].LastAttempt = &a
		return err
	})
}
