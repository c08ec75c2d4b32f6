package sqlite

import (
	"context"
	"slices"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
)

// An id is looked up in each application and source of the environment: there is
// no index of ids over all of them, which every message would have to pay for.
const (
	owners        = `applications a INDEXED BY applications_env`
	messageInApps = `SELECT m.seq FROM ` + owners + ` CROSS JOIN messages m INDEXED BY messages_app ON m.app = a.seq AND m.id = ?2
  WHERE a.env = ?1 AND a.deleted IS NULL AND a.source = 0 LIMIT 1`
	messageInSources = `SELECT m.seq FROM sources s INDEXED BY sources_env
    CROSS JOIN messages m INDEXED BY messages_app ON m.app = s.seq AND m.id = ?2
  WHERE s.env = ?1 LIMIT 1`
	attemptInApps = `SELECT t.seq FROM ` + owners + ` CROSS JOIN endpoints e INDEXED BY endpoints_app ON e.app = a.seq
    CROSS JOIN attempts t INDEXED BY attempts_endpoint ON t.endpoint = e.seq AND t.id = ?2
  WHERE a.env = ?1 AND a.deleted IS NULL AND a.source = 0 LIMIT 1`
	attemptInSources = `SELECT t.seq FROM sources s INDEXED BY sources_env CROSS JOIN endpoints e INDEXED BY endpoints_app ON e.app = s.seq
    CROSS JOIN attempts t INDEXED BY attempts_endpoint ON t.endpoint = e.seq AND t.id = ?2
  WHERE s.env = ?1 LIMIT 1`
)

// lookUp gives the row key that one of the queries finds.
func lookUp(ctx context.Context, c *conn, env, id hook.ID, what string, queries ...string) (seq int64, err error) {
	for _, q := range queries {
		found, err := c.one(ctx, q, []any{env, id}, func(r *row) error {
			seq = r.int(0)
			return nil
		})
		if found || err != nil {
			return seq, err
		}
	}
	return 0, hook.NotFound(what)
}

// FindMessageAnywhere implements store.Recent.
func (s *Store) FindMessageAnywhere(ctx context.Context, env, message hook.ID, withBody bool) (out hook.RecentMessage, err error) {
	err = s.read(ctx, func(ctx context.Context, c *conn) error {
		seq, err := lookUp(ctx, c, env, message, "message", messageInApps, messageInSources)
		if err != nil {
			return err
		}
		rows, err := recentRows(ctx, c, env, []int64{seq}, withBody)
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
		seq, err := lookUp(ctx, c, env, attempt, "attempt", attemptInApps, attemptInSources)
		if err != nil {
			return err
		}
		_, err = c.one(ctx, `SELECT `+attemptColumns+`, o.id, o.name, o.uid, o.source FROM attempts a
		    CROSS JOIN messages m ON m.seq = a.message CROSS JOIN endpoints e ON e.seq = a.endpoint
		    CROSS JOIN applications o ON o.seq = m.app
		  WHERE a.seq = ?`, []any{seq}, func(r *row) error {
			owner = scanOwner(r.from(19))
			out, err = scanAttempt(r)
			return err
		})
		return err
	})
	return out, owner, err
}

// ownedEndpoint is an endpoint with its row key and owner.
type ownedEndpoint struct {
	hook.EndpointOf
	seq int64
}

const (
	ownedEndpointColumns = endpointColumns + `, a.id, a.name, a.uid, a.source`
	endpointColumnCount  = 18
)

func scanOwnedEndpoint(r *row, env hook.ID) (ownedEndpoint, error) {
	e, err := scanEndpoint(r)
	o := scanOwner(r.from(endpointColumnCount))
	e.Env, e.App = env, o.ID
	return ownedEndpoint{hook.EndpointOf{Endpoint: e, Owner: o}, r.int(0)}, err
}

func endpointAnywhere(ctx context.Context, c *conn, env, endpoint hook.ID) (out ownedEndpoint, err error) {
	found, err := c.one(ctx, `SELECT `+ownedEndpointColumns+` FROM endpoints e CROSS JOIN applications a ON a.seq = e.app
	  WHERE e.id = ? AND a.env = ? AND e.deleted IS NULL AND a.deleted IS NULL`, []any{endpoint, env}, func(r *row) (err error) {
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

// RecentOf implements store.Recent.
func (s *Store) RecentOf(ctx context.Context, env hook.ID, items []hook.FeedItem) (out []hook.RecentMessage, err error) {
	err = s.read(ctx, func(ctx context.Context, c *conn) error {
		var seqs []int64
		for _, item := range items {
			if item.Env != env {
				continue
			}
			if _, err := c.one(ctx, `SELECT m.seq FROM applications a CROSS JOIN messages m ON m.app = a.seq AND m.id = ?
			  WHERE a.id = ?`, []any{item.Message, item.App}, func(r *row) error {
				seqs = append(seqs, r.int(0))
				return nil
			}); err != nil {
				return err
			}
		}
		out, err = recentRows(ctx, c, env, seqs, false)
		return err
	})
	return out, err
}

// walkEndpoints passes over those that are not wanted in Go, to know how many rows
// were looked at.
var walkEndpoints = newListQuery(`SELECT ` + ownedEndpointColumns + `, a.env = ?1 AND a.deleted IS NULL AND e.deleted IS NULL
    AND (?2 IS NULL OR e.app IN (SELECT value FROM json_each(?2)))
    AND (?3 IS NULL OR (e.disabled <> 0) = ?3) AND (?4 IS NULL OR (e.failing_since IS NOT NULL) = ?4)
    AND (?5 IS NULL OR instr(lower(e.url), ?5) OR instr(lower(e.description), ?5) OR instr(lower(coalesce(e.uid, '')), ?5))
  FROM endpoints e CROSS JOIN applications a ON a.seq = e.app
  WHERE e.id >= ?6 AND e.id < ?7 ORDER BY e.id {dir} LIMIT ?8`)

// ListEnvironmentEndpoints implements store.Recent.
func (s *Store) ListEnvironmentEndpoints(ctx context.Context, f hook.EnvironmentEndpointFilter) (out hook.EndpointPage, err error) {
	look := f.Look
	if look <= 0 {
		look = hook.LookLimit
	}
	f.Page.Ascending = false
	out.Next = f.Page.From
	text := walkEndpoints.descending
	if f.Page.Backward {
		text = walkEndpoints.ascending
	}
	err = s.read(ctx, func(ctx context.Context, c *conn) error {
		apps, err := ownerSeqs(ctx, c, f.Env, f.Apps)
		if err != nil || len(f.Apps) > 0 && len(apps) == 0 {
			return err
		}
		among := any(nil)
		if len(apps) > 0 {
			among = jsonInts(apps)
		}
		from, to := idBounds(f.Page, time.Time{}, time.Time{})
		looked := 0
		return stopped(c.query(ctx, text, []any{f.Env, among, flag(f.Disabled), flag(f.Failing), nullText(lower(f.Contains)), from, to, look + 1},
			func(r *row) error {
				if looked == look {
					out.More, out.Limited = true, true
					return errFull
				}
				looked++
				if !r.bool(endpointColumnCount + 4) {
					out.Next = r.id(1)
					return nil
				}
				if len(out.Items) == f.Page.Limit {
					out.More = true
					return errFull
				}
				e, err := scanOwnedEndpoint(r, f.Env)
				out.Items, out.Next = append(out.Items, e.EndpointOf), e.Endpoint.ID
				return err
			}))
	})
	if n := len(out.Items); n > 0 && n == f.Page.Limit {
		out.Next = out.Items[n-1].Endpoint.ID
	}
	if f.Page.Backward {
		slices.Reverse(out.Items)
	}
	return out, err
}
