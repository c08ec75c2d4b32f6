package sqlite

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
func (t *troubles) store(c *conn) error {
	keys := slices.SortedFunc(maps.Keys(t.failed), func(a, b causeKey) int {
		return cmp.Or(cmp.Compare(a.endpoint, b.endpoint), cmp.Compare(a.Class, b.Class), cmp.Compare(a.Status, b.Status))
	})
	for _, k := range keys {
		if err := foldIssue(c, t.env[k.endpoint], k, t.failed[k]); err != nil {
			return err
		}
	}
	for _, endpoint := range slices.Sorted(maps.Keys(t.succeeded)) {
		at := t.succeeded[endpoint]
		if _, err := c.exec(`UPDATE issues SET healed = ?1 WHERE seq IN (
		  SELECT seq FROM issues INDEXED BY issues_sick WHERE endpoint = ?2 AND healed IS NULL) AND last < ?1`, at, endpoint); err != nil {
			return err
		}
	}
	return nil
}

func foldIssue(c *conn, env hook.ID, k causeKey, f *hook.IssueFailures) error {
	var i hook.Issue
	seq := int64(0)
	found, err := c.one(context.Background(), `SELECT `+issueColumns+`, i.seq FROM issues i`+issueJoin+`
	  WHERE i.endpoint = ? AND i.class = ? AND i.status = ?`, []any{k.endpoint, int(k.Class), k.Status}, func(r *row) error {
		seq = r.int(issueColumnCount)
		i = scanIssue(r)
		return nil
	})
	if err != nil {
		return err
	}
	i.Fold(f)
	if found {
		return putIssue(c, seq, &i)
	}
	_, err = c.exec(`INSERT INTO issues (id, env, endpoint, class, status, first, last, attempts, message, attempt, state)
	  VALUES (?,?,?,?,?,?,?,?,?,?,0)`, hook.NewID(f.Last), env, k.endpoint, int(k.Class), k.Status, i.FirstSeen, i.LastSeen, i.Attempts,
		i.Message, i.Attempt)
	return err
}

// putIssue writes what of an issue changes.
func putIssue(c *conn, seq int64, i *hook.Issue) error {
	_, err := c.exec(`UPDATE issues SET first = ?, last = ?, attempts = ?, message = ?, attempt = ?, state = ?, muted_until = ?, resolved = ?,
	    healed = ?, note = ?, assignee = ? WHERE seq = ?`, i.FirstSeen, i.LastSeen, i.Attempts, i.Message, i.Attempt, int(i.State),
		i.MutedUntil, i.ResolvedAt, i.HealedAt, nullText(i.Note), nullText(i.Assignee), seq)
	return err
}

// issueColumns are what scanIssue reads, of issues i with issueJoin.
const (
	issueColumns = `i.id, i.env, a.id, e.id, i.class, i.status, i.first, i.last, i.attempts, i.message, i.attempt, i.state, i.muted_until,
  i.resolved, i.healed, i.note, i.assignee, e.url, a.name, a.uid, a.source`
	issueColumnCount = 21
	issueJoin        = ` CROSS JOIN endpoints e ON e.seq = i.endpoint CROSS JOIN applications a ON a.seq = e.app `
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
	issuePage = ` AND (i.last < ?2 OR i.last = ?2 AND i.id < ?3) AND i.last <= ?2
    AND (?4 IS NULL OR a.id = ?4) AND (?5 IS NULL OR e.id = ?5) ORDER BY i.last DESC, i.id DESC LIMIT ?6`
	listIssues   = `SELECT ` + issueColumns + ` FROM issues i INDEXED BY issues_env` + issueJoin + `WHERE i.env = ?1` + issuePage
	listIssuesIn = `SELECT ` + issueColumns + ` FROM issues i INDEXED BY issues_state` + issueJoin + `WHERE i.env = ?1 AND i.state = ?7` + issuePage
)

// ListIssues implements store.Issues.
func (s *Store) ListIssues(ctx context.Context, f hook.IssueFilter) (out hook.PageOf[hook.Issue], err error) {
	at := f.After
	if at == (hook.IssuePlace{}) {
		at = hook.IssuePlace{LastSeen: maxTime, ID: lastID}
	}
	args := []any{f.Env, at.LastSeen, at.ID, nullID(f.App), nullID(f.Endpoint), f.Limit + 1}
	err = s.read(ctx, func(ctx context.Context, c *conn) error {
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

func findIssue(ctx context.Context, c *conn, env, id hook.ID) (i hook.Issue, seq int64, err error) {
	found, err := c.one(ctx, `SELECT `+issueColumns+`, i.seq FROM issues i`+issueJoin+`WHERE i.id = ? AND i.env = ?`, []any{id, env},
		func(r *row) error {
			seq = r.int(issueColumnCount)
			i = scanIssue(r)
			return nil
		})
	if err == nil && !found {
		err = hook.NotFound("issue")
	}
	return i, seq, err
}

// FindIssue implements store.Issues.
func (s *Store) FindIssue(ctx context.Context, env, issue hook.ID) (out hook.Issue, err error) {
	err = s.read(ctx, func(ctx context.Context, c *conn) error {
		out, _, err = findIssue(ctx, c, env, issue)
		return err
	})
	return out, err
}

// UpdateIssue implements store.Issues.
func (s *Store) UpdateIssue(ctx context.Context, env, issue hook.ID, change func(*hook.Issue) error) (out hook.Issue, err error) {
	err = s.write(ctx, func(c *conn) error {
		was, seq, err := findIssue(ctx, c, env, issue)
		if err != nil {
			return err
		}
		out = was
		if err := change(&out); err != nil {
			return err
		}
		was.State, was.MutedUntil, was.ResolvedAt, was.Note, was.Assignee = out.State, out.MutedUntil, out.ResolvedAt, out.Note, out.Assignee
		out = was
		return putIssue(c, seq, &out)
	})
	return out, err
}

// CountIssues implements store.Issues.
func (s *Store) CountIssues(ctx context.Context, env hook.ID, state hook.IssueState, bound int) (n int, err error) {
	err = s.read(ctx, func(ctx context.Context, c *conn) error {
		_, err := c.one(ctx, `SELECT count(*) FROM (SELECT 1 FROM issues INDEXED BY issues_state WHERE env = ? AND state = ? LIMIT ?)`,
			[]any{env, int(state), bound}, func(r *row) error {
				n = int(r.int(0))
				return nil
			})
		return err
	})
	return n, err
}

// oldIssues removes those last seen before retention keeps messages.
func (s *slice) oldIssues() (bool, error) {
	if s.keep.Messages <= 0 {
		return false, nil
	}
	n, err := s.exec(`DELETE FROM issues WHERE seq IN (SELECT seq FROM issues INDEXED BY issues_last WHERE last < ? ORDER BY last LIMIT ?)`,
		s.now.Add(-s.keep.Messages), lookRows)
	return n == lookRows, err
}

// unmute opens issues that were muted until a time that has come.
func (s *slice) unmute() (bool, error) {
	n, err := s.exec(`UPDATE issues SET state = 0, muted_until = NULL WHERE seq IN (
	  SELECT seq FROM issues INDEXED BY issues_muted WHERE muted_until IS NOT NULL AND muted_until <= ? LIMIT ?)`, s.now, lookRows)
	return n == lookRows, err
}
