package sqlite

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
)

// walkRequests goes over the requests of all sources in the order in which they
// were stored, and passes over those of other environments.
var walkRequests = newListQuery(`SELECT q.seq, q.received, s.env = ?1 AND (?2 IS NULL OR q.source IN (SELECT value FROM json_each(?2)))
    AND (?3 IS NULL OR q.state IN (SELECT value FROM json_each(?3))) AND (?4 IS NULL OR q.reason = ?4)
    AND q.received >= ?5 AND q.received < ?6
  FROM requests q CROSS JOIN sources s ON s.seq = q.source
  WHERE q.seq > ?7 AND q.seq < ?8 ORDER BY q.seq {dir} LIMIT ?9`)

const recentRequestPage = `SELECT ` + requestColumns + `, CASE WHEN ?2 THEN ` + requestBody + ` END, s.id, s.name, s.uid, 1
  FROM json_each(?1) AS wanted CROSS JOIN requests q ON q.seq = wanted.value CROSS JOIN sources s ON s.seq = q.source` + requestJoin

// requestColumnCount is how many columns come before the owner: requestColumns and the body.
const requestColumnCount = 19

// ListEnvironmentRequests implements store.Recent.
func (s *Store) ListEnvironmentRequests(ctx context.Context, f hook.RecentRequestFilter) (out hook.RecentRequestPage, err error) {
	err = s.read(ctx, func(ctx context.Context, c *conn) error {
		w := requestWalk{limit: f.Limit, look: f.Look, newer: f.Newer}
		if w.look <= 0 {
			w.look = hook.LookLimit
		}
		args, err := requestWalkArgs(ctx, c, &f)
		if err != nil || args == nil {
			return err
		}
		if err := w.run(ctx, c, append(args, w.look+1)); err != nil {
			return err
		}
		out.More, out.Next = w.more, hook.Cursor{Commit: w.next}
		if w.next == 0 {
			out.Next = f.From
		}
		if w.ended {
			out.SearchedTo = w.at
		}
		return c.query(ctx, recentRequestPage, []any{jsonInts(w.found), f.WithBody}, func(r *row) error {
			q, err := scanRequest(r)
			o := scanOwner(r.from(requestColumnCount))
			q.Env, q.Source = f.Env, o.ID
			out.Items = append(out.Items, hook.RecentRequest{Request: q.Request, Owner: o, Place: hook.Cursor{Commit: q.seq}})
			return err
		})
	})
	return out, err
}

// requestWalkArgs are all parameters but the limit; nil if no source is meant.
func requestWalkArgs(ctx context.Context, c *conn, f *hook.RecentRequestFilter) ([]any, error) {
	among, states := any(nil), any(nil)
	if len(f.Sources) > 0 {
		seqs, err := ownerSeqs(ctx, c, f.Env, f.Sources)
		if err != nil || len(seqs) == 0 {
			return nil, err
		}
		among = jsonInts(seqs)
	}
	if len(f.States) > 0 {
		numbers := make([]int, len(f.States))
		for i, state := range f.States {
			numbers[i] = int(state)
		}
		states = jsonInts(numbers)
	}
	until := f.Before
	if until.IsZero() {
		until = maxTime
	}
	from, to, err := requestRange(ctx, c, f.After, f.Before)
	if err != nil {
		return nil, err
	}
	if at := f.From.Commit; at > 0 && f.Newer {
		from = max(from, at)
	} else if at > 0 {
		to = min(to, at)
	}
	return []any{f.Env, among, states, nullText(f.Reason), timeArg(f.After), until, from, to}, nil
}

// requestWalk finds the requests of a page.
type requestWalk struct {
	limit, look int
	newer       bool
	found       []int64
	next        int64
	at          time.Time
	more, ended bool
}

func (w *requestWalk) run(ctx context.Context, c *conn, args []any) error {
	text := walkRequests.descending
	if w.newer {
		text = walkRequests.ascending
	}
	looked := 0
	err := stopped(c.query(ctx, text, args, func(r *row) error {
		if looked == w.look {
			w.more, w.ended = true, true
			return errFull
		}
		if r.bool(2) {
			if len(w.found) == w.limit {
				w.more = true
				return errFull
			}
			w.found = append(w.found, r.int(0))
		}
		looked++
		w.next, w.at = r.int(0), r.time(1)
		return nil
	}))
	if n := len(w.found); n > 0 && n == w.limit {
		w.next, w.ended = w.found[n-1], false
	}
	if w.newer {
		slices.Reverse(w.found)
	}
	return tooLong(err)
}

const (
	requestAt  = `SELECT seq, received FROM requests WHERE seq >= ? ORDER BY seq LIMIT 1`
	requestEnd = `SELECT seq FROM requests WHERE seq > 0 ORDER BY seq DESC LIMIT 1`
)

// requestRange is commitRange for requests.
func requestRange(ctx context.Context, c *conn, since, until time.Time) (from, to int64, err error) {
	to = maxSeq
	if since.IsZero() && until.IsZero() {
		return from, to, nil
	}
	var end int64
	if _, err := c.one(ctx, requestEnd, nil, func(r *row) error {
		end = r.int(0)
		return nil
	}); err != nil {
		return 0, 0, err
	}
	if !since.IsZero() {
		if from, err = halve(ctx, c, requestAt, end, since.Add(-disorder)); err != nil {
			return 0, 0, err
		}
		from--
	}
	if !until.IsZero() {
		to, err = halve(ctx, c, requestAt, end, until.Add(disorder))
	}
	return from, to, err
}

// stopped takes the error out that ends a query on purpose.
func stopped(err error) error {
	if errors.Is(err, errFull) {
		return nil
	}
	return err
}

// flag is a condition as a parameter; NULL for none.
func flag(b *bool) any {
	if b == nil {
		return nil
	}
	return asInt(*b)
}

// lower is what SQLite's lower makes of a text: it knows the letters of ASCII.
func lower(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, s)
}
