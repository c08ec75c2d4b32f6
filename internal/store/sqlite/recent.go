package sqlite

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
)

// A list of a whole environment goes in two steps. The first walks row keys (or, of
// one application, ids; or what fails) and finds those that pass, looking at no
// more rows than the filter allows. The second reads what the page shows of those.

// recentFilter is what the walks share: it says of a message whether it passes.
// Of the words, ?1 to ?6: event types and their prefixes (JSON), channel, tag, and
// the time from and before which it was created.
const recentFilter = `m.created >= ?5 AND m.created < ?6
    AND (?1 IS NULL AND ?2 IS NULL OR m.event_type IN (SELECT value FROM json_each(?1))
      OR EXISTS (SELECT 1 FROM json_each(?2) WHERE substr(m.event_type, 1, length(value)) = value))
    AND (?3 IS NULL OR EXISTS (SELECT 1 FROM json_each(m.channels) WHERE value = ?3))
    AND (?4 IS NULL OR EXISTS (SELECT 1 FROM json_each(m.tags) WHERE value = ?4))`

var (
	// walkEnvironment goes over all messages, and passes over those of other environments.
	walkEnvironment = newListQuery(`SELECT m.seq, m.id, m.created, a.env = ?7 AND a.deleted IS NULL
    AND (?8 IS NULL OR m.app IN (SELECT value FROM json_each(?8))) AND ` + recentFilter + `
  FROM messages m CROSS JOIN applications a ON a.seq = m.app
  WHERE m.seq > ?9 AND m.seq < ?10 ORDER BY m.seq {dir} LIMIT ?11`)
	walkApplication = newListQuery(`SELECT m.seq, m.id, m.created, ` + recentFilter + `
  FROM messages m INDEXED BY messages_app
  WHERE m.app = ?7 AND m.id > ?9 AND m.id < ?10 ORDER BY m.id {dir} LIMIT ?11`)
	// walkFailing and walkFailingEndpoint give a message once for each delivery that fails.
	walkFailing = newListQuery(`SELECT m.seq, m.id, m.created, e.deleted IS NULL AND f.state BETWEEN ?12 AND ?13
    AND (?8 IS NULL OR m.app IN (SELECT value FROM json_each(?8))) AND ` + recentFilter + `
  FROM failing f INDEXED BY failing_env CROSS JOIN messages m ON m.seq = f.message CROSS JOIN endpoints e ON e.seq = f.endpoint
  WHERE f.env = ?7 AND f.message > ?9 AND f.message < ?10 ORDER BY f.message {dir} LIMIT ?11`)
	walkFailingEndpoint = newListQuery(`SELECT m.seq, m.id, m.created, f.state BETWEEN ?12 AND ?13
    AND (?8 IS NULL OR m.app IN (SELECT value FROM json_each(?8))) AND ` + recentFilter + `
  FROM failing f INDEXED BY failing_endpoint CROSS JOIN messages m ON m.seq = f.message
  WHERE f.endpoint = ?7 AND f.message > ?9 AND f.message < ?10 ORDER BY f.message {dir} LIMIT ?11`)
)

// walk is the first step of a list.
type walk struct {
	query    listQuery
	args     []any // all but the limit
	newer    bool
	limit    int
	look     int
	found    []int64 // messages.seq
	places   []hook.Cursor
	next     hook.Cursor
	at       time.Time // when the last row that was looked at was created
	more     bool
	ended    bool  // by look
	lastSeen int64 // messages.seq
}

// place is what a row is found again by: its key, and in lists of one application
// its id.
func placeOf(r *row) hook.Cursor { return hook.Cursor{Commit: r.int(0), Within: r.id(1)} }

// planWalk chooses the way by which messages are found.
func planWalk(ctx context.Context, c *conn, f *hook.RecentFilter) (*walk, error) {
	w := &walk{newer: f.Newer, limit: f.Limit, look: f.Look}
	if w.look <= 0 {
		w.look = hook.LookLimit
	}
	apps, err := ownerSeqs(ctx, c, f.Env, f.Apps)
	if err != nil {
		return nil, err
	}
	if len(f.Apps) > 0 && len(apps) == 0 {
		return nil, nil
	}
	since, until := f.After, f.Before
	if until.IsZero() {
		until = maxTime
	}
	w.args = []any{jsonList(f.EventTypes), jsonList(f.EventTypePrefixes), nullText(f.Channel), nullText(f.Tag), timeArg(since), until}
	if len(f.Apps) == 1 && len(f.States) == 0 {
		w.query = walkApplication
		from, to := hook.ID{}, lastID
		if !f.After.IsZero() {
			from = hook.IDAt(f.After.Add(-disorder))
		}
		if !f.Before.IsZero() {
			to = hook.IDAt(f.Before.Add(disorder))
		}
		if at := f.From.Within; !at.IsZero() && f.Newer {
			from = at
		} else if !at.IsZero() && compareIDs(at, to) < 0 {
			to = at
		}
		w.args = append(w.args, apps[0], nil, from, to)
		return w, nil
	}
	from, to, err := commitRange(ctx, c, f.After, f.Before)
	if err != nil {
		return nil, err
	}
	if at := f.From.Commit; at > 0 && f.Newer {
		from = max(from, at)
	} else if at > 0 {
		to = min(to, at)
	}
	among := any(nil)
	if len(apps) > 0 {
		among = jsonInts(apps)
	}
	if len(f.States) == 0 {
		w.query = walkEnvironment
		w.args = append(w.args, f.Env, among, from, to)
		return w, nil
	}
	return w, w.planFailing(ctx, c, f, []any{among, from, to})
}

// planFailing walks what fails, of the environment or of one endpoint. The
// parameters for the states stand behind the limit.
func (w *walk) planFailing(ctx context.Context, c *conn, f *hook.RecentFilter, rest []any) error {
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
	low, high := slices.Min(f.States), slices.Max(f.States)
	w.args = append(append(w.args, key), rest...)
	w.args = append(w.args, w.look+1, int(low), int(high))
	return nil
}

// timeArg is a lower bound of times; the zero time bounds nothing.
func timeArg(t time.Time) int64 {
	if t.IsZero() {
		return -1 << 62
	}
	return t.UnixMicro()
}

// run finds messages until the page is full or enough rows were looked at.
func (w *walk) run(ctx context.Context, c *conn) error {
	text := w.query.descending
	if w.newer {
		text = w.query.ascending
	}
	args := w.args
	if len(args) == 10 {
		args = append(args, w.look+1)
	}
	looked := 0
	err := c.query(ctx, text, args, func(r *row) error {
		seq := r.int(0)
		if looked == w.look && seq != w.lastSeen {
			w.more, w.ended = true, true
			return errFull
		}
		if r.bool(3) && (len(w.found) == 0 || w.found[len(w.found)-1] != seq) {
			if len(w.found) == w.limit {
				w.more = true
				return errFull
			}
			w.found = append(w.found, seq)
			w.places = append(w.places, placeOf(r))
		}
		looked = min(looked+1, w.look)
		w.next, w.at, w.lastSeen = placeOf(r), r.time(2), seq
		return nil
	})
	if err = stopped(err); err != nil {
		return tooLong(err)
	}
	// A full page goes on behind its last row, for what was passed over behind that
	// costs no more the next time than it did now.
	if len(w.places) == w.limit && w.limit > 0 {
		w.next = w.places[len(w.places)-1]
		w.ended = false
	}
	if w.newer {
		slices.Reverse(w.found)
	}
	return nil
}

// ownerSeqs gives the row keys of applications and sources that are not deleted.
func ownerSeqs(ctx context.Context, c *conn, env hook.ID, apps []hook.ID) (seqs []int64, err error) {
	for _, app := range apps {
		seq, err := appSeq(ctx, c, env, app)
		var known *hook.Error
		if errors.As(err, &known) && known.Code == hook.CodeNotFound {
			continue
		}
		if err != nil {
			return nil, err
		}
		seqs = append(seqs, seq)
	}
	return seqs, nil
}

// commitRange gives row keys, both exclusive, between which lie all messages that
// were created from since to until. Row keys go with time, but for disorder, so a
// place is found by halving.
func commitRange(ctx context.Context, c *conn, since, until time.Time) (from, to int64, err error) {
	to = maxSeq
	if !since.IsZero() {
		if from, err = firstCommitAt(ctx, c, since.Add(-disorder)); err != nil {
			return 0, 0, err
		}
		from--
	}
	if !until.IsZero() {
		to, err = firstCommitAt(ctx, c, until.Add(disorder))
	}
	return from, to, err
}

const commitAt = `SELECT seq, created FROM messages WHERE seq >= ? ORDER BY seq LIMIT 1`

// firstCommitAt gives the row key of the first message that was created at that
// time or later; above all if there is none.
func firstCommitAt(ctx context.Context, c *conn, at time.Time) (int64, error) {
	end, err := feedEnd(ctx, c, hook.FeedMessages)
	if err != nil {
		return 0, err
	}
	return halve(ctx, c, commitAt, end, at)
}

// halve finds a place in a table whose row keys go with time, up to end: query
// gives the first row from a key on, and its time.
func halve(ctx context.Context, c *conn, query string, end int64, at time.Time) (int64, error) {
	low, high := int64(0), end+1 // it is above low, and at high or below
	for high-low > 1 {
		middle, seq := low+(high-low)/2, int64(0)
		var when time.Time
		found, err := c.one(ctx, query, []any{middle}, func(r *row) error {
			seq, when = r.int(0), r.time(1)
			return nil
		})
		if err != nil {
			return 0, err
		}
		if !found || !when.Before(at) {
			high = middle
		} else {
			low = min(seq, high-1)
		}
	}
	return high, nil
}

// ListRecent implements store.Recent.
func (s *Store) ListRecent(ctx context.Context, f hook.RecentFilter) (out hook.RecentPage, err error) {
	err = s.read(ctx, func(ctx context.Context, c *conn) error {
		if out.Head.Commit, err = feedEnd(ctx, c, hook.FeedMessages); err != nil {
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
		if w.next == (hook.Cursor{}) {
			out.Next = f.From
		}
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
	err = s.read(ctx, func(ctx context.Context, c *conn) error {
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

// Both read the messages of a page, in the order of its list of row keys.
const (
	recentPage = `SELECT ` + messageColumns + `, CASE WHEN ?2 THEN m.body END, CASE WHEN ?2 THEN m.envelope END, a.id, a.name, a.uid, a.source
  FROM json_each(?1) AS wanted CROSS JOIN messages m ON m.seq = wanted.value CROSS JOIN applications a ON a.seq = m.app
  WHERE a.env = ?3 AND a.deleted IS NULL`
	recentSummaries = `SELECT d.message, d.state, d.attempts > 0, d.due, d.node IS NULL
  FROM json_each(?1) AS wanted CROSS JOIN deliveries d ON d.message = wanted.value`
	messageColumnCount = 13 // with body and envelope
)

func recentRows(ctx context.Context, c *conn, env hook.ID, seqs []int64, withBody bool) (out []hook.RecentMessage, err error) {
	if len(seqs) == 0 {
		return nil, nil
	}
	list, at := jsonInts(seqs), map[int64]int{}
	if err := c.query(ctx, recentPage, []any{list, withBody, env}, func(r *row) error {
		m, err := scanMessage(r)
		o := scanOwner(r.from(messageColumnCount))
		m.Env, m.App = env, o.ID
		at[m.seq] = len(out)
		out = append(out, hook.RecentMessage{Message: m.Message, Owner: o, Place: hook.Cursor{Commit: m.seq, Within: m.ID}})
		return err
	}); err != nil {
		return nil, err
	}
	return out, c.query(ctx, recentSummaries, []any{list}, func(r *row) error {
		if i, ok := at[r.int(0)]; ok {
			summarize(&out[i].Deliveries, hook.State(r.int(1)), r.bool(2), r.time(3), r.bool(4))
		}
		return nil
	})
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
