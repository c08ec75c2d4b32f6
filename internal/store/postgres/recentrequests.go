package postgres

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
)

// wantedRequest says of a request whether it passes.
const wantedRequest = `($4::smallint[] IS NULL OR state = ANY ($4)) AND ($5::text IS NULL OR reason = $5) AND received >= $6 AND received < $7`

var (
	// walkRequests merges the newest requests of each source of an environment, of which
	// it looks at a bounded number each: most were accepted, and those no index has in
	// the order of ids alone.
	walkRequests = walkBoth(`SELECT r.source, r.id, r.received, r.wanted FROM sources s CROSS JOIN LATERAL (
      SELECT source, id, received, ` + wantedRequest + ` AS wanted FROM requests
      WHERE source = s.app AND id >= $8 AND id < $9 AND id {beyond} $2 ORDER BY id {dir} LIMIT $10) r
  WHERE s.env = $1 AND ($3::bigint[] IS NULL OR s.app = ANY ($3)) ORDER BY r.id {dir} LIMIT $10`)
	// walkLooseRequests goes over those that became no message, of all environments.
	walkLooseRequests = walkBoth(`SELECT r.source, r.id, r.received, coalesce(s.env = $1 AND ($3::bigint[] IS NULL OR s.app = ANY ($3)) AND ` +
		wantedRequest + `, false)
  FROM (SELECT source, id, received, state, reason FROM requests
    WHERE state <> 0 AND id >= $8 AND id < $9 AND id {beyond} $2 ORDER BY id {dir} LIMIT $10) r
  LEFT JOIN LATERAL (SELECT env, app FROM sources WHERE app = r.source LIMIT 1) s ON true ORDER BY r.id {dir}`)
)

var recentRequestPage = `SELECT ` + requestColumns + `, CASE WHEN $3 THEN ` + requestBody + ` END, s.id, s.name, s.uid, true
  FROM unnest($1::bigint[], $2::bytea[]) WITH ORDINALITY AS g(source, id, n)
  CROSS JOIN LATERAL (SELECT * FROM requests WHERE source = g.source AND id = g.id AND id >= $4 AND id <= $5 OFFSET 0) r
  JOIN sources s ON s.app = r.source` + ofMessage + `ORDER BY g.n`

// ListEnvironmentRequests implements store.Recent. The order is that of ids.
func (s *Store) ListEnvironmentRequests(ctx context.Context, f hook.RecentRequestFilter) (out hook.RecentRequestPage, err error) {
	err = s.read(ctx, func(ctx context.Context, c *conn) error {
		w, err := planRequestWalk(ctx, c, &f)
		if err != nil || w == nil {
			return err
		}
		if err := w.run(ctx, c); err != nil {
			return err
		}
		out = hook.RecentRequestPage{Next: w.next, More: w.more}
		if w.ended {
			out.SearchedTo = w.at
		}
		out.Items, err = requestRows(ctx, c, f.Env, w.found, f.WithBody)
		return err
	})
	return out, err
}

func planRequestWalk(ctx context.Context, c *conn, f *hook.RecentRequestFilter) (*requestWalk, error) {
	w := &requestWalk{query: walkRequests, limit: f.Limit, look: f.Look, newer: f.Newer, next: f.From}
	if w.look <= 0 {
		w.look = hook.LookLimit
	}
	sources, err := ownerSeqs(ctx, c, f.Env, f.Sources)
	if err != nil || len(f.Sources) > 0 && len(sources) == 0 {
		return nil, err
	}
	var states []int16
	for _, state := range f.States {
		states = append(states, int16(state))
	}
	if len(states) > 0 && !slices.Contains(f.States, hook.RequestAccepted) {
		w.query = walkLooseRequests
	}
	low, high, until := hook.ID{}, lastID, f.Before
	if !f.After.IsZero() {
		low = hook.IDAt(f.After.Add(-disorder))
	}
	if until.IsZero() {
		until = lastTime
	} else {
		high = hook.IDAt(until.Add(disorder))
	}
	w.args = []any{f.Env, hook.ID{}, sources, states, nullText(f.Reason), fromZero(f.After), until, low, high}
	return w, nil
}

// requestWalk finds the requests of a page. A message key has what a request's has:
// its owner and its id.
type requestWalk struct {
	query       bothWays
	args        []any
	newer       bool
	limit, look int
	found       []messageKey
	next        hook.Cursor
	at          time.Time
	more, ended bool
}

func (w *requestWalk) run(ctx context.Context, c *conn) error {
	text := w.query.older
	if w.newer {
		text = w.query.newer
	}
	looked := 0
	for chunk := min(w.limit+1, w.look); ; chunk = min(4*chunk, w.look-looked) {
		w.args[1] = w.next.Within
		if w.next.Within.IsZero() && !w.newer {
			w.args[1] = lastID
		}
		n, full := 0, false
		if err := c.query(ctx, text, append(slices.Clone(w.args), chunk), func(r *row) error {
			n++
			if full = full || r.bool(3) && len(w.found) == w.limit; full {
				return nil
			}
			w.next, w.at = hook.Cursor{Within: r.id(1)}, r.time(2)
			if r.bool(3) {
				w.found = append(w.found, messageKey{r.int(0), r.id(1)})
			}
			return nil
		}); err != nil {
			return tooLong(err)
		}
		looked += n
		switch {
		case full:
			w.more = true
		case n < chunk: // there is no more
		case looked < w.look:
			continue
		default:
			w.more, w.ended = true, len(w.found) < w.limit
		}
		break
	}
	if n := len(w.found); n > 0 && n == w.limit {
		w.next = hook.Cursor{Within: w.found[n-1].id}
	}
	if w.newer {
		slices.Reverse(w.found)
	}
	return nil
}

func requestRows(ctx context.Context, c *conn, env hook.ID, keys []messageKey, withBody bool) (out []hook.RecentRequest, err error) {
	if len(keys) == 0 {
		return nil, nil
	}
	sources, ids := make([]int64, len(keys)), make([][]byte, len(keys))
	var within idRange
	for i, k := range keys {
		sources[i], ids[i] = k.app, append([]byte(nil), k.id[:]...)
		within.add(k.id)
	}
	err = c.query(ctx, recentRequestPage, []any{sources, ids, withBody, within.low, within.high}, func(r *row) error {
		o := scanOwner(r.from(requestColumnCount + 1))
		q, err := scanRequest(r, env, o.ID)
		out = append(out, hook.RecentRequest{Request: q, Owner: o, Place: hook.Cursor{Within: q.ID}})
		return err
	})
	return out, err
}

// lower is what both stores compare texts in: only the letters of ASCII have two cases.
func lower(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, s)
}
