package sqlite

import (
	"context"
	"fmt"

	"github.com/grapnelhq/grapnel/internal/hook"
)

const (
	// explainBound is how many endpoints an explanation has.
	explainBound = 1000
	// explainAttempts is how many attempts are searched for the newest ones.
	explainAttempts = 50_000
)

// explainColumns are what scanExplained reads. r is the revision in force when
// the message ?2 was accepted; NULL if the endpoint did not exist then.
const (
	explainColumns = `e.deleted IS NOT NULL, r.revision, r.event_types, r.channels, r.disabled, r.since, d.message IS NOT NULL, ` +
		deliveryColumns + `, ` + endpointColumns
	explainColumnCount = 7
	inForce            = ` LEFT JOIN endpoint_revisions r ON r.endpoint = e.seq AND (e.deleted IS NULL OR r.revision < e.revision)
    AND r.revision = (SELECT n.revision FROM endpoint_revisions n WHERE n.endpoint = e.seq AND n.after < ?2 ORDER BY n.revision DESC LIMIT 1)
  `
	explainDelivered = `SELECT ` + explainColumns + ` FROM deliveries d
    CROSS JOIN messages m ON m.seq = d.message CROSS JOIN endpoints e ON e.seq = d.endpoint` + inForce + `
  WHERE d.message = ?2 AND e.app = ?1 ORDER BY d.endpoint LIMIT ?3`
	explainOthers = `SELECT ` + explainColumns + ` FROM endpoints e INDEXED BY endpoints_app
    CROSS JOIN messages m ON m.seq = ?2 LEFT JOIN deliveries d ON d.message = ?2 AND d.endpoint = e.seq` + inForce + `
  WHERE e.app = ?1 AND d.message IS NULL AND (e.deleted IS NULL OR r.revision IS NOT NULL) ORDER BY e.id LIMIT ?3`
)

func scanExplained(r *row) (hook.EndpointExplanation, int64, error) {
	e, err := scanEndpoint(r.from(explainColumnCount + deliveryColumnCount))
	x := hook.EndpointExplanation{Endpoint: e, Deleted: r.bool(0)}
	if err == nil && !r.null(1) {
		x.AtAccept = &hook.EndpointRevision{Endpoint: e.ID, Revision: r.int(1), Disabled: r.bool(4), Since: r.time(5)}
		if err = firstError(fromJSON(r, 2, &x.AtAccept.EventTypes), fromJSON(r, 3, &x.AtAccept.Channels)); err != nil {
			err = fmt.Errorf("revision of endpoint %s: %w", hook.KindEndpoint.Format(e.ID), err)
		}
	}
	if r.bool(6) {
		d := scanDelivery(r.from(explainColumnCount))
		x.Delivery = &d
	}
	return x, r.int(explainColumnCount + deliveryColumnCount), err
}

// ExplainMessage implements store.Messages. It gives at most 1,000 endpoints,
// those with a delivery first.
func (s *Store) ExplainMessage(ctx context.Context, env, app hook.ID, ref hook.Ref) (out hook.Explanation, err error) {
	err = s.read(ctx, func(ctx context.Context, c *conn) error {
		a, err := appSeq(ctx, c, env, app)
		if err != nil {
			return err
		}
		m, err := messageOf(ctx, c, env, app, ref, false)
		if err != nil {
			return err
		}
		out.Message = m.Message
		place := map[int64]int{} // row key of an endpoint -> its place in out.Endpoints
		for _, q := range []string{explainDelivered, explainOthers} {
			err := c.query(ctx, q, []any{a, m.seq, explainBound - len(out.Endpoints)}, func(r *row) error {
				x, seq, err := scanExplained(r)
				x.Endpoint.Env, x.Endpoint.App = env, app
				place[seq] = len(out.Endpoints)
				out.Endpoints = append(out.Endpoints, x)
				return err
			})
			if err != nil {
				return tooLong(err)
			}
		}
		return lastAttempts(ctx, c, m.seq, place, out.Endpoints)
	})
	return out, err
}

// lastAttempts fills the newest attempt of each endpoint.
func lastAttempts(ctx context.Context, c *conn, message int64, place map[int64]int, endpoints []hook.EndpointExplanation) error {
	var newest []int64
	known := map[int64]bool{}
	err := c.query(ctx, `SELECT seq, endpoint FROM attempts INDEXED BY attempts_message WHERE message = ? ORDER BY id DESC LIMIT ?`,
		[]any{message, explainAttempts}, func(r *row) error {
			if seq, endpoint := r.int(0), r.int(1); !known[endpoint] {
				known[endpoint] = true
				newest = append(newest, seq)
			}
			return nil
		})
	if err != nil || len(newest) == 0 {
		return err
	}
	return c.query(ctx, `SELECT e.seq, `+attemptColumns+` FROM json_each(?) AS wanted CROSS JOIN attempts a ON a.seq = wanted.value
	    CROSS JOIN messages m ON m.seq = a.message CROSS JOIN endpoints e ON e.seq = a.endpoint`,
		[]any{jsonInts(newest)}, func(r *row) error {
			i, ok := place[r.int(0)]
			if !ok {
				return nil
			}
			a, err := scanAttempt(r.from(1))
			endpoints[i].LastAttempt = &a
			return err
		})
}
