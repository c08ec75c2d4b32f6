package postgres

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
)

// A list of a whole environment goes in two steps. The first walks messages and
// finds those that pass, looking at no more rows than the filter allows. The second
// reads what the page shows of those. The order is that of transactions (by the
// index of the feed), or of ids where one application or what fails is walked.

// recentFilter says of a message whether it passes. $1 to $6: event types, patterns
// of their beginnings, channel, tag, and the time from and before which it was created.
const recentFilter = `m.created >= $5 AND m.created < $6
    AND ($1::text[] IS NULL AND $2::text[] IS NULL OR m.event_type = ANY ($1) OR m.event_type LIKE ANY ($2))
    AND ($3::text IS NULL OR $3 = ANY (m.channels)) AND ($4::text IS NULL OR $4 = ANY (m.tags))`

// The walks bound the rows that they look at in an inner selection: the last
// parameter. $7 and $8 bound ids, $9 and $10 are the place to go on from.
var (
	walkEnvironment = walkBoth(`SELECT m.app, m.id, m.txid, m.created, coalesce(a.env = $11 AND a.deleted IS NULL
    AND ($12::bigint[] IS NULL OR m.app = ANY ($12)) AND ` + recentFilter + `, false)
  FROM (SELECT app, id, txid, created, event_type, channels, tags FROM messages
    WHERE id >= $7 AND id < $8 AND txid {orEqual} $9 AND (txid, id) {beyond} ($9, $10) ORDER BY txid {dir}, id {dir} LIMIT $13) m
  LEFT JOIN applications a ON a.seq = m.app ORDER BY m.txid {dir}, m.id {dir}`)
	walkApplication = walkBoth(`SELECT m.app, m.id, m.txid, m.created, ` + recentFilter + `
  FROM (SELECT app, id, txid, created, event_type, channels, tags FROM messages
    WHERE id >= $7 AND id < $8 AND app = $11 AND ($9::bigint IS NULL OR true) AND id {beyond} $10 ORDER BY id {dir} LIMIT $12) m ORDER BY m.id {dir}`)
	walkFailing         = walkBoth(walkFailures(`env = $11`))
	walkFailingEndpoint = walkBoth(walkFailures(`endpoint = $11`))
)

// walkFailures gives a message once for each delivery that fails.
func walkFailures(of string) string {
	return `SELECT m.app, f.message, m.txid, m.created, coalesce(e.deleted IS NULL AND f.state = ANY ($13::smallint[])
    AND ($12::bigint[] IS NULL OR m.app = ANY ($12)) AND ` + recentFilter + `, false)
  FROM (SELECT message, endpoint, state FROM failing
    WHERE message >= $7 AND message < $8 AND ` + of + ` AND ($9::bigint IS NULL OR true) AND message {beyond} $10
    ORDER BY message {dir} LIMIT $14) f
  JOIN endpoints e ON e.seq = f.endpoint
  LEFT JOIN LATERAL (SELECT app, txid, created, event_type, channels, tags FROM messages
    WHERE app = e.app AND id = f.message AND id >= $7 AND id < $8 LIMIT 1) m ON true ORDER BY f.message {dir}`
}

// bothWays is the text of a walk towards older and towards newer messages.
type bothWays struct{ older, newer string }

func walkBoth(text string) bothWays {
	return bothWays{
		older: replacing(text, "{dir}", "DESC", "{beyond}", "<", "{orEqual}", "<="),
		newer: replacing(text, "{dir}", "ASC", "{beyond}", ">", "{orEqual}", ">="),
	}
}

func replacing(text string, pairs ...string) string {
	return strings.NewReplacer(pairs...).Replace(text)
}

// inOrder makes the transaction read by an index in its order. The planner knows
// nothing of partitions that have just been made, and takes a range of ids for
// few rows, which it would rather read all and sort.
const inOrder = `SELECT set_config('enable_bitmapscan', 'off', true), set_config('enable_seqscan', 'off', true), set_config('enable_sort', 'off', true)`

// walking is read for a walk.
func (s *Store) walking(ctx context.Context, fn func(ctx context.Context, c *conn) error) error {
	return s.snapshot(ctx, func(ctx context.Context, c *conn) error {
		if _, err := c.exec(ctx, inOrder); err != nil {
			return err
		}
		return fn(ctx, c)
	})
}

// walkChunk is how many rows a walk looks at first; then four times as many.
const walkChunk = 1000

// messageKey is the key of a message.
type messageKey struct {
	app int64
	id  hook.ID
}

// walk is the first step of a list.
type walk struct {
	query  bothWays
	args   []any // but the limit; those at atCommit and atID are the place
	newer  bool
	limit  int
	look   int
	found  []messageKey
	places []hook.Cursor
	next   hook.Cursor
	at     time.Time // when the last row that was looked at was created
	more   bool
	ended  bool // by look
}

// Where the arguments have the place.
const (
	atCommit = 8
	atID     = 9
)

// planWalk chooses the way by which messages are found; nil if there can be none.
func planWalk(ctx context.Context, c *conn, f *hook.RecentFilter) (*walk, error) {
	w := &walk{newer: f.Newer, limit: f.Limit, look: f.Look, next: f.From}
	if w.look <= 0 {
		w.look = hook.LookLimit
	}
	apps, err := ownerSeqs(ctx, c, f.Env, f.Apps)
	if err != nil || len(f.Apps) > 0 && len(apps) == 0 {
		return nil, err
	}
	since, until := fromZero(f.After), f.Before
	if until.IsZero() {
		until = lastTime
	}
	low, high := hook.ID{}, lastID
	if !f.After.IsZero() {
		low = hook.IDAt(f.After.Add(-disorder))
	}
	if !f.Before.IsZero() {
		high = hook.IDAt(f.Before.Add(disorder))
	}
	var patterns []string
	for _, p := range f.EventTypePrefixes {
		patterns = append(patterns, replacing(p, `\`, `\\`, `%`, `\%`, `_`, `\_`)+"%")
	}
	w.args = []any{words(f.EventTypes), words(patterns), nullText(f.Channel), nullText(f.Tag), since, until, low, high, int64(0), hook.ID{}}
	w.place(f.From)
	switch {
	case len(f.States) > 0:
		return w, w.planFailing(ctx, c, f, apps)
	case len(f.Apps) == 1:
		w.query = walkApplication
		w.args = append(w.args, apps[0])
	default:
		w.query = walkEnvironment
		w.args = append(w.args, f.Env, apps)
	}
	return w, nil
}

// place sets where the next chunk begins; the zero value is the end of the list
// that it begins with.
func (w *walk) place(at hook.Cursor) {
	switch {
	case at != hook.Cursor{}:
	case w.newer:
		at = hook.Cursor{Commit: -1}
	default:
		at = hook.Cursor{Commit: 1<<63 - 1, Within: lastID}
	}
	w.args[atCommit], w.args[atID] = at.Commit, at.Within
}

// planFailing walks what fails, of the environment or of one endpoint.
func (w *walk) planFailing(ctx context.Context, c *conn, f *hook.RecentFilter, apps []int64) error {
	w.query = walkFailing
	key := any(f.Env)
	if !f.Endpoint.IsZero() {
		w.query = walkFailingEndpoint
		e, err := endpointAnywhere(ctx, c, f.Env, f.Endpoint)
		if err != nil {
			return err
		}
		key = e.seq
	}
	states := make([]int16, len(f.States))
	for i, state := range f.States {
		states[i] = int16(state)
	}
	w.args = append(w.args, key, apps, states)
	return nil
}

// fromZero is a lower bound of times; the zero time bounds nothing.
func fromZero(t time.Time) time.Time {
	if t.IsZero() {
		return time.UnixMicro(0)
	}
	return t
}

// run finds messages until the page is full or enough rows were looked at.
func (w *walk) run(ctx context.Context, c *conn) error {
	text := w.query.older
	if w.newer {
		text = w.query.newer
	}
	looked := 0
	for chunk := min(walkChunk, w.look); ; chunk = min(4*chunk, w.look-looked) {
		n, full := 0, false
		if err := c.query(ctx, text, append(slices.Clone(w.args), chunk), func(r *row) error {
			n++
			full = full || !w.see(r)
			return nil
		}); err != nil {
			return tooLong(err)
		}
		looked += n
		w.place(w.next)
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
	// A full page goes on behind its last row, for what was passed over behind that
	// costs no more the next time than it did now.
	if len(w.places) == w.limit && w.limit > 0 {
		w.next = w.places[len(w.places)-1]
	}
	if w.newer {
		slices.Reverse(w.found)
	}
	return nil
}

// see takes one row in, and reports false if there is no room for it.
func (w *walk) see(r *row) bool {
	at := hook.Cursor{Commit: r.int(2), Within: r.id(1)}
	if r.bool(4) && (len(w.found) == 0 || w.found[len(w.found)-1].id != at.Within) {
		if len(w.found) == w.limit {
			return false
		}
		w.found, w.places = append(w.found, messageKey{r.int(0), at.Within}), append(w.places, at)
	}
	w.next = at
	if !r.null(3) {
		w.at = r.time(3)
	}
	return true
}

// ownerSeqs gives the row keys of applications and sources that are not deleted;
// nil for no ids.
func ownerSeqs(ctx context.Context, c *conn, env hook.ID, apps []hook.ID) (seqs []int64, err error) {
	if len(apps) == 0 {
		return nil, nil
	}
	err = c.query(ctx, `SELECT seq FROM applications WHERE id = ANY ($1::bytea[]) AND env = $2 AND deleted IS NULL`,
		[]any{idArray(apps), env}, func(r *row) error {
			seqs = append(seqs, r.int(0))
			return nil
		})
	return seqs, err
}

// ListRecent implements store.Recent.
func (s *Store) ListRecent(ctx context.Context, f hook.RecentFilter) (out hook.RecentPage, err error) {
	err = s.walking(ctx, func(ctx context.Context, c *conn) error {
		out = hook.RecentPage{Next: f.From}
		// Read before the rest: what is committed in between is new once more.
		if _, err := c.one(ctx, `SELECT `+feedEnd, nil, func(r *row) error {
			out.Head.Commit = r.int(0) - 1
			return nil
		}); err != nil {
			return err
		}
		w, err := planWalk(ctx, c, &f)
		if err != nil || w == nil {
			return err
		}
		if err := w.run(ctx, c); err != nil {
			return err
		}
		out.Next, out.More = w.next, w.more
		if w.ended {
			out.SearchedTo = w.at
		}
		out.Items, err = recentRows(ctx, c, f.Env, w.found, f.WithBody)
		return err
	})
	return out, err
}

// CountRecent implements store.Recent.
func (s *Store) CountRecent(ctx context.Context, f hook.RecentFilter, bound int) (out hook.BoundedCount, err error) {
	f.Limit, f.From, f.Newer = bound, hook.Cursor{}, false
	err = s.walking(ctx, func(ctx context.Context, c *conn) error {
		w, err := planWalk(ctx, c, &f)
		if err != nil || w == nil {
			return err
		}
		err = w.run(ctx, c)
		out = hook.BoundedCount{Count: len(w.found), More: w.more}
		return err
	})
	return out, err
}

// Both read the messages of a page, in the order of its list of keys.
const (
	recentPage = `SELECT ` + messageColumns + `, CASE WHEN $3 THEN m.body END, CASE WHEN $3 THEN m.envelope END, m.txid, a.id, a.name, a.uid, a.source
  FROM unnest($1::bigint[], $2::bytea[]) WITH ORDINALITY AS g(app, id, n)
  CROSS JOIN LATERAL (SELECT * FROM messages WHERE app = g.app AND id = g.id AND id >= $5 AND id <= $6 OFFSET 0) m
  CROSS JOIN LATERAL (SELECT * FROM applications WHERE seq = m.app LIMIT 1) a
  WHERE a.env = $4 AND a.deleted IS NULL ORDER BY g.n`
	recentSummaries = `SELECT d.message, d.state, d.attempts > 0, d.due, d.node IS NULL
  FROM unnest($1::bytea[]) AS g(message)
  CROSS JOIN LATERAL (SELECT * FROM deliveries WHERE message = g.message AND message >= $2 AND message <= $3 OFFSET 0) d`
)

func recentRows(ctx context.Context, c *conn, env hook.ID, keys []messageKey, withBody bool) (out []hook.RecentMessage, err error) {
	if len(keys) == 0 {
		return nil, nil
	}
	apps, ids := make([]int64, len(keys)), make([][]byte, len(keys))
	var within idRange
	for i, k := range keys {
		apps[i], ids[i] = k.app, append([]byte(nil), k.id[:]...)
		within.add(k.id)
	}
	at := map[hook.ID]int{}
	if err := c.query(ctx, recentPage, []any{apps, ids, withBody, env, within.low, within.high}, func(r *row) error {
		m, err := scanMessage(r)
		rest := r.from(messageColumnCount + bodyColumnCount)
		o := scanOwner(rest.from(1))
		m.Env, m.App = env, o.ID
		at[m.ID] = len(out)
		out = append(out, hook.RecentMessage{Message: m.Message, Owner: o, Place: hook.Cursor{Commit: rest.int(0), Within: m.ID}})
		return err
	}); err != nil {
		return nil, err
	}
	err = c.query(ctx, recentSummaries, []any{ids, within.low, within.high}, func(r *row) error {
		if i, ok := at[r.id(0)]; ok {
			summarize(&out[i].Deliveries, hook.State(r.int(1)), r.bool(2), r.time(3), r.bool(4))
		}
		return nil
	})
	return out, err
}

// scanOwner reads id, name, uid and whether it is a source.
func scanOwner(r *row) hook.Owner {
	return hook.Owner{ID: r.id(0), Name: r.text(1), UID: r.text(2), Source: r.bool(3)}
}

// summarize counts one delivery. One that is in flight is due no more.
func summarize(s *hook.DeliverySummary, state hook.State, tried bool, due time.Time, idle bool) {
	switch {
	case state == hook.Delivered:
		s.Delivered++
	case state == hook.Failed:
		s.Failed++
	case state == hook.Canceled:
		s.Canceled++
	case tried:
		s.Retrying++
	default:
		s.Waiting++
	}
	if idle && !due.IsZero() && (s.NextDue.IsZero() || due.Before(s.NextDue)) {
		s.NextDue = due
	}
}
