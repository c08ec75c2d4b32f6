package postgres

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
)

// causeKey is an endpoint (endpoints.seq) that fails for a cause.
type causeKey struct {
	endpoint int64
	hook.Cause
}

// troubles is what attempts say about issues that is not stored yet.
type troubles struct {
	failed    map[causeKey]*hook.IssueFailures
	env       map[int64]hook.ID
	succeeded map[int64]time.Time // the last success, by endpoints.seq
}

func newTroubles() *troubles {
	return &troubles{map[causeKey]*hook.IssueFailures{}, map[int64]hook.ID{}, map[int64]time.Time{}}
}

func (t *troubles) failure(env hook.ID, k causeKey, message, attempt hook.ID, at time.Time) {
	f := t.failed[k]
	if f == nil {
		f = &hook.IssueFailures{}
		t.failed[k], t.env[k.endpoint] = f, env
	}
	f.Add(message, attempt, at)
}

func (t *troubles) success(endpoint int64, at time.Time) {
	if at.After(t.succeeded[endpoint]) {
		t.succeeded[endpoint] = at
	}
}

// store folds everything into the issues: first the failures, then what heals them.
func (t *troubles) store(ctx context.Context, c *conn) error {
	keys := slices.SortedFunc(maps.Keys(t.failed), func(a, b causeKey) int {
		return cmp.Or(cmp.Compare(a.endpoint, b.endpoint), cmp.Compare(a.Class, b.Class), cmp.Compare(a.Status, b.Status))
	})
	for _, k := range keys {
		if err := foldIssue(ctx, c, t.env[k.endpoint], k, t.failed[k]); err != nil {
			return err
		}
	}
	if len(t.succeeded) == 0 {
		return nil
	}
	var endpoints, at []int64
	for _, endpoint := range slices.Sorted(maps.Keys(t.succeeded)) {
		endpoints, at = append(endpoints, endpoint), append(at, t.succeeded[endpoint].UnixMicro())
	}
	_, err := c.exec(ctx, `UPDATE issues i SET healed = g.at FROM unnest($1::bigint[], $2::bigint[]) AS g(endpoint, at)
	  WHERE i.endpoint = g.endpoint AND i.healed IS NULL AND i.last < g.at`, endpoints, at)
	return err
}

func foldIssue(ctx context.Context, c *conn, env hook.ID, k causeKey, f *hook.IssueFailures) error {
	var i hook.Issue
	found, err := c.one(ctx, `SELECT `+issueColumns+` FROM issues i`+issueJoin+`
	  WHERE i.endpoint = $1 AND i.class = $2 AND i.status = $3 FOR UPDATE OF i`, []any{k.endpoint, int(k.Class), k.Status}, func(r *row) error {
		i = scanIssue(r)
		return nil
	})
	if err != nil {
		return err
	}
	i.Fold(f)
	if found {
		return putIssue(ctx, c, &i)
	}
	_, err = c.exec(ctx, `INSERT INTO issues (id, env, endpoint, class, status, first, last, attempts, message, attempt, state)
	  VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,0)`, hook.NewID(f.Last), env, k.endpoint, int(k.Class), k.Status, i.FirstSeen, i.LastSeen,
		i.Attempts, i.Message, i.Attempt)
	return err
}

// putIssue writes what of an issue changes.
func putIssue(ctx context.Context, c *conn, i *hook.Issue) error {
	_, err := c.exec(ctx, `UPDATE issues SET first = $1, last = $2, attempts = $3, message = $4, attempt = $5, state = $6, muted_until = $7,
	    resolved = $8, healed = $9, note = $10, assignee = $11 WHERE id = $12`, i.FirstSeen, i.LastSeen, i.Attempts, i.Message, i.Attempt,
		int(i.State), i.MutedUntil, i.ResolvedAt, i.HealedAt, nullText(i.Note), nullText(i.Assignee), i.ID)
	return err
}

// issueColumns are what scanIssue reads, of issues i with issueJoin.
const (
	issueColumns = `i.id, i.env, a.id, e.id, i.class, i.status, i.first, i.last, i.attempts, i.message, i.attempt, i.state, i.muted_until,
  i.resolved, i.healed, i.note, i.assignee, e.url, a.name, a.uid, a.source`
	issueJoin = ` JOIN endpoints e ON e.seq = i.endpoint JOIN applications a ON a.seq = e.app `
)

func scanIssue(r *row) hook.Issue {
	return hook.Issue{
		ID: r.id(0), Env: r.id(1), App: r.id(2), Endpoint: r.id(3), Cause: hook.Cause{Class: hook.Class(r.int(4)), Status: int(r.int(5))},
		FirstSeen: r.time(6), LastSeen: r.time(7), Attempts: r.int(8), Message: r.id(9), Attempt: r.id(10), State: hook.IssueState(r.int(11)),
		MutedUntil: r.time(12), ResolvedAt: r.time(13), HealedAt: r.time(14), Note: r.text(15), Assignee: r.text(16), EndpointURL: r.text(17),
		Owner: hook.Owner{ID: r.id(2), Name: r.text(18), UID: r.text(19), Source: r.bool(20)},
	}
}

// Each list is walked from a place on, newest first.
const (
	issuePage = ` AND (i.last, i.id) < ($2, $3)
    AND ($4::bytea IS NULL OR a.id = $4) AND ($5::bytea IS NULL OR e.id = $5) ORDER BY i.last DESC, i.id DESC LIMIT $6`
	listIssues   = `SELECT ` + issueColumns + ` FROM issues i` + issueJoin + `WHERE i.env = $1` + issuePage
	listIssuesIn = `SELECT ` + issueColumns + ` FROM issues i` + issueJoin + `WHERE i.env = $1 AND i.state = $7` + issuePage
)

// ListIssues implements store.Issues.
func (s *Store) ListIssues(ctx context.Context, f hook.IssueFilter) (out hook.PageOf[hook.Issue], err error) {
	at := f.After
	if at == (hook.IssuePlace{}) {
		at = hook.IssuePlace{LastSeen: lastTime, ID: lastID}
	}
	args := []any{f.Env, at.LastSeen, at.ID, nullID(f.App), nullID(f.Endpoint), f.Limit + 1}
	err = s.read(ctx, func(ctx context.Context, c *conn) error {
		out = hook.PageOf[hook.Issue]{}
		collect := func(r *row) error {
			out.Items = append(out.Items, scanIssue(r))
			return nil
		}
		if len(f.States) == 0 {
			return c.query(ctx, listIssues, args, collect)
		}
		for _, state := range f.States {
			if err := c.query(ctx, listIssuesIn, append(slices.Clone(args), int(state)), collect); err != nil {
				return err
			}
		}
		return nil
	})
	slices.SortFunc(out.Items, func(a, b hook.Issue) int {
		return cmp.Or(b.LastSeen.Compare(a.LastSeen), compareIDs(b.ID, a.ID))
	})
	if out.More = len(out.Items) > f.Limit; out.More {
		out.Items = out.Items[:f.Limit]
	}
	return out, tooLong(err)
}

// lastTime is after every time that is stored.
var lastTime = time.UnixMicro(1 << 62)

func findIssue(ctx context.Context, c *conn, env, id hook.ID, locking string) (i hook.Issue, err error) {
	found, err := c.one(ctx, `SELECT `+issueColumns+` FROM issues i`+issueJoin+`WHERE i.id = $1 AND i.env = $2`+locking, []any{id, env},
		func(r *row) error {
			i = scanIssue(r)
			return nil
		})
	if err == nil && !found {
		err = hook.NotFound("issue")
	}
	return i, err
}

// FindIssue implements store.Issues.
func (s *Store) FindIssue(ctx context.Context, env, issue hook.ID) (out hook.Issue, err error) {
	err = s.read(ctx, func(ctx context.Context, c *conn) error {
		out, err = findIssue(ctx, c, env, issue, "")
		return err
	})
	return out, err
}

// UpdateIssue implements store.Issues.
func (s *Store) UpdateIssue(ctx context.Context, env, issue hook.ID, change func(*hook.Issue) error) (out hook.Issue, err error) {
	err = s.write(ctx, func(ctx context.Context, c *conn) error {
		was, err := findIssue(ctx, c, env, issue, ` FOR UPDATE OF i`)
		if err != nil {
			return err
		}
		out = was
		if err := change(&out); err != nil {
			return err
		}
		was.State, was.MutedUntil, was.ResolvedAt, was.Note, was.Assignee = out.State, out.MutedUntil, out.ResolvedAt, out.Note, out.Assignee
		out = was
		return putIssue(ctx, c, &out)
	})
	return out, err
}

// CountIssues implements store.Issues.
func (s *Store) CountIssues(ctx context.Context, env hook.ID, state hook.IssueState, bound int) (n int, err error) {
	err = s.read(ctx, func(ctx context.Context, c *conn) error {
		_, err := c.one(ctx, `SELECT count(*) FROM (SELECT 1 FROM issues WHERE env = $1 AND state = $2 LIMIT $3) AS bounded`,
			[]any{env, int(state), bound}, func(r *row) error {
				n = int(r.int(0))
				return nil
			})
		return err
	})
	return n, err
}

// oldIssues removes those last seen before retention keeps messages, and opens
// those that were muted until a time that has come.
func (s *slice) oldIssues(ctx context.Context) (hook.Expired, error) {
	return s.write(ctx, func(ctx context.Context, c *conn) (out hook.Expired, err error) {
		n, err := c.exec(ctx, `UPDATE issues SET state = 0, muted_until = NULL WHERE id = ANY (ARRAY(
		  SELECT id FROM issues WHERE muted_until <= $1 LIMIT $2))`, s.now, sliceRows)
		if err != nil || s.keep.Messages <= 0 {
			return hook.Expired{More: n == sliceRows}, err
		}
		m, err := c.exec(ctx, `DELETE FROM issues WHERE id = ANY (ARRAY(SELECT id FROM issues WHERE last < $1 ORDER BY last LIMIT $2))`,
			s.now.Add(-s.keep.Messages), sliceRows)
		return hook.Expired{More: n == sliceRows || m == sliceRows}, err
	})
}
