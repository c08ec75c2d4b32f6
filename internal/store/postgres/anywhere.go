package postgres

import (
	"context"
	"slices"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
)

// An id is looked up for each application and source of the environment, in the one
// partition of its time: there is no index of ids over all of them, which every
// message would have to pay for.
const (
	messageAnywhere = `SELECT m.app FROM applications a
    CROSS JOIN LATERAL (SELECT app FROM messages WHERE app = a.seq AND id = $2 LIMIT 1) m
  WHERE a.env = $1 AND a.deleted IS NULL LIMIT 1`
	attemptAnywhere = `SELECT ` + attemptColumns + `, o.id, o.name, o.uid, o.source FROM applications o
    JOIN endpoints e ON e.app = o.seq
    CROSS JOIN LATERAL (SELECT * FROM attempts WHERE endpoint = e.seq AND id = $2 LIMIT 1) a
    CROSS JOIN LATERAL (SELECT * FROM messages WHERE app = o.seq AND id = a.message LIMIT 1) m
  WHERE o.env = $1 AND o.deleted IS NULL LIMIT 1`
)

// FindMessageAnywhere implements store.Recent.
func (s *Store) FindMessageAnywhere(ctx context.Context, env, message hook.ID, withBody bool) (out hook.RecentMessage, err error) {
	err = s.read(ctx, func(ctx context.Context, c *conn) error {
		var keys []messageKey
		if _, err := c.one(ctx, messageAnywhere, []any{env, message}, func(r *row) error {
			keys = append(keys, messageKey{r.int(0), message})
			return nil
		}); err != nil {
			return err
		}
		rows, err := recentRows(ctx, c, env, keys, withBody)
		if err == nil && len(rows) == 0 {
			err = hook.NotFound("message")
		}
		if err == nil {
			out = rows[0]
		}
		return err
	})
	return out, err
}

// FindAttemptAnywhere implements store.Recent.
func (s *Store) FindAttemptAnywhere(ctx context.Context, env, attempt hook.ID) (out hook.Attempt, owner hook.Owner, err error) {
	err = s.read(ctx, func(ctx context.Context, c *conn) error {
		found, err := c.one(ctx, attemptAnywhere, []any{env, attempt}, func(r *row) (err error) {
			owner = scanOwner(r.from(len(r.values) - 4))
			out, err = scanAttempt(r)
			return err
		})
		if err == nil && !found {
			err = hook.NotFound("attempt")
		}
		return err
	})
	return out, owner, err
}

// RecentOf implements store.Recent.
func (s *Store) RecentOf(ctx context.Context, env hook.ID, items []hook.FeedItem) (out []hook.RecentMessage, err error) {
	var apps []hook.ID
	for _, item := range items {
		if item.Env == env {
			apps = append(apps, item.App)
		}
	}
	if len(apps) == 0 {
		return nil, nil
	}
	err = s.read(ctx, func(ctx context.Context, c *conn) error {
		seqs := map[hook.ID]int64{}
		if err := c.query(ctx, `SELECT id, seq FROM applications WHERE id = ANY ($1::bytea[])`, []any{idArray(apps)}, func(r *row) error {
			seqs[r.id(0)] = r.int(1)
			return nil
		}); err != nil {
			return err
		}
		var keys []messageKey
		for _, item := range items {
			if seq, known := seqs[item.App]; known && item.Env == env {
				keys = append(keys, messageKey{seq, item.Message})
			}
		}
		out, err = recentRows(ctx, c, env, keys, false)
		return err
	})
	return out, err
}

// ownedEndpoint is an endpoint with its row key and owner.
type ownedEndpoint struct {
	hook.EndpointOf
	seq int64
}

const ownedEndpointColumns = endpointColumns + `, a.id, a.name, a.uid, a.source`

func scanOwnedEndpoint(r *row, env hook.ID) (ownedEndpoint, error) {
	e, err := scanEndpoint(r)
	o := scanOwner(r.from(endpointColumnCount))
	e.Env, e.App = env, o.ID
	return ownedEndpoint{hook.EndpointOf{Endpoint: e, Owner: o}, r.int(0)}, err
}

func endpointAnywhere(ctx context.Context, c *conn, env, endpoint hook.ID) (out ownedEndpoint, err error) {
	found, err := c.one(ctx, `SELECT `+ownedEndpointColumns+` FROM endpoints e JOIN applications a ON a.seq = e.app
	  WHERE e.id = $1 AND a.env = $2 AND e.deleted IS NULL AND a.deleted IS NULL`, []any{endpoint, env}, func(r *row) (err error) {
		out, err = scanOwnedEndpoint(r, env)
		return err
	})
	if err == nil && !found {
		err = hook.NotFound("endpoint")
	}
	return out, err
}

// FindEndpointAnywhere implements store.Recent.
func (s *Store) FindEndpointAnywhere(ctx context.Context, env, endpoint hook.ID) (out hook.EndpointOf, err error) {
	err = s.read(ctx, func(ctx context.Context, c *conn) error {
		e, err := endpointAnywhere(ctx, c, env, endpoint)
		out = e.EndpointOf
		return err
	})
	return out, err
}

// walkEndpoints gives with each endpoint whether it is wanted, to know how many rows
// were looked at.
var walkEndpoints = newListQuery(`SELECT e.id, coalesce(a.env = $1 AND a.deleted IS NULL AND e.deleted IS NULL
    AND ($2::bigint[] IS NULL OR e.app = ANY ($2))
    AND ($3::boolean IS NULL OR (e.disabled <> 0) = $3) AND ($4::boolean IS NULL OR (e.failing_since IS NOT NULL) = $4)
    AND ($5::text IS NULL OR strpos(lower(e.url), $5) > 0 OR strpos(lower(e.description), $5) > 0
      OR strpos(lower(coalesce(e.uid, '')), $5) > 0), false), ` + ownedEndpointColumns + `
  FROM (SELECT * FROM endpoints WHERE id >= $6 AND id < $7 ORDER BY id {dir} LIMIT $8) e
  LEFT JOIN LATERAL (SELECT * FROM applications WHERE seq = e.app LIMIT 1) a ON true
  ORDER BY e.id {dir}`)

// ListEnvironmentEndpoints implements store.Recent.
func (s *Store) ListEnvironmentEndpoints(ctx context.Context, f hook.EnvironmentEndpointFilter) (out hook.EndpointPage, err error) {
	look := f.Look
	if look <= 0 {
		look = hook.LookLimit
	}
	f.Page.Ascending = false
	text := walkEndpoints.descending
	if f.Page.Backward {
		text = walkEndpoints.ascending
	}
	err = s.read(ctx, func(ctx context.Context, c *conn) error {
		out = hook.EndpointPage{Next: f.Page.From}
		apps, err := ownerSeqs(ctx, c, f.Env, f.Apps)
		if err != nil || len(f.Apps) > 0 && len(apps) == 0 {
			return err
		}
		looked := 0
		for chunk := min(f.Page.Limit+1, look); ; chunk = min(4*chunk, look-looked) {
			n, full, page := 0, false, f.Page
			page.From = out.Next
			from, to := idBounds(page, time.Time{}, time.Time{})
			if err := c.query(ctx, text, []any{f.Env, apps, f.Disabled, f.Failing, nullText(lower(f.Contains)), from, to, chunk}, func(r *row) error {
				n++
				if full = full || r.bool(1) && len(out.Items) == f.Page.Limit; full {
					return nil
				}
				out.Next = r.id(0)
				if !r.bool(1) {
					return nil
				}
				e, err := scanOwnedEndpoint(r.from(2), f.Env)
				out.Items = append(out.Items, e.EndpointOf)
				return err
			}); err != nil {
				return tooLong(err)
			}
			looked += n
			switch {
			case full:
				out.More = true
			case n < chunk: // there is no more
			case looked < look:
				continue
			default:
				out.More, out.Limited = true, true
			}
			return nil
		}
	})
	if n := len(out.Items); n > 0 && n == f.Page.Limit {
		out.Next = out.Items[n-1].Endpoint.ID
	}
	if f.Page.Backward {
		slices.Reverse(out.Items)
	}
	return out, err
}

var listApplicationsOf = newListQuery(`SELECT ` + applicationColumns + `, n.endpoints, n.failing, n.disabled
  FROM (SELECT * FROM applications WHERE env = $1 AND id >= $2 AND id < $3 AND deleted IS NULL AND NOT source
    AND ($4::text IS NULL OR strpos(lower(name), $4) > 0 OR strpos(lower(uid), $4) > 0) ORDER BY id {dir} LIMIT $5) a
  CROSS JOIN LATERAL (SELECT count(*) AS endpoints, count(*) FILTER (WHERE failing_since IS NOT NULL) AS failing,
      count(*) FILTER (WHERE disabled <> 0) AS disabled
    FROM endpoints WHERE app = a.seq AND deleted IS NULL) n
  ORDER BY id {dir}`)

// ListApplicationsWithCounts implements store.Recent.
func (s *Store) ListApplicationsWithCounts(ctx context.Context, f hook.ApplicationFilter) (out hook.PageOf[hook.ApplicationOf], err error) {
	err = s.walking(ctx, func(ctx context.Context, c *conn) error {
		from, to := idBounds(f.Page, time.Time{}, time.Time{})
		out, err = fetch(ctx, c, listApplicationsOf, f.Page, []any{f.Env, from, to, nullText(lower(f.Contains))},
			func(r *row) (hook.ApplicationOf, error) {
				a, err := scanApplication(r)
				n := r.from(applicationColumnCount)
				return hook.ApplicationOf{Application: a.Application,
					Endpoints: int(n.int(0)), Failing: int(n.int(1)), Disabled: int(n.int(2))}, err
			})
		return err
	})
	return out, err
}
