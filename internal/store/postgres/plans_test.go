package postgres_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
	"github.com/grapnelhq/grapnel/internal/store/postgres"
	"github.com/grapnelhq/grapnel/internal/testx"
)

// planned is a statement with values for its parameters, and what it may look at.
type planned struct {
	query   string // key of postgres.Queries
	args    []any
	visited int // rows at most
	tables  int // partitions at most, of each table
}

// settled are queries over tables that the database has had a look at before they
// are large; partitions are new each day.
var settled = []string{"event types", "event types of a name", "explain, others", "count, claimed", "count, waiting", "payloads of a partition",
	"endpoints of an environment", "audits", "audits of an environment", "members"}

const planLimit = 51

// literal is a value as SQL. PREPARE has given the parameters their types.
func literal(v any) string {
	switch v := v.(type) {
	case nil:
		return "NULL"
	case hook.ID:
		return fmt.Sprintf(`'\x%x'`, v[:])
	case time.Time:
		return fmt.Sprint(v.UnixMicro())
	case []hook.ID:
		var parts []string
		for _, id := range v {
			parts = append(parts, fmt.Sprintf(`\\x%x`, id[:]))
		}
		return "'{" + strings.Join(parts, ",") + "}'"
	case []int64:
		return "'{" + strings.Trim(strings.ReplaceAll(fmt.Sprint(v), " ", ","), "[]") + "}'"
	case []string:
		return "'{" + strings.Join(v, ",") + "}'"
	case string:
		return "'" + v + "'"
	default:
		return fmt.Sprint(v)
	}
}

// planNode is a node of a plan as EXPLAIN (ANALYZE, FORMAT JSON) gives it.
type planNode struct {
	Type     string     `json:"Node Type"`
	Relation string     `json:"Relation Name"`
	Rows     float64    `json:"Actual Rows"`
	Loops    float64    `json:"Actual Loops"`
	Filtered float64    `json:"Rows Removed by Filter"`
	Recheck  float64    `json:"Rows Removed by Index Recheck"`
	Plans    []planNode `json:"Plans"`
}

// visited counts the rows that the scans of a plan have looked at, and collects the
// tables that were looked into.
func (n *planNode) visited(tables map[string]bool) (rows int) {
	if n.Relation != "" && n.Loops > 0 && !strings.HasPrefix(n.Type, "ModifyTable") {
		tables[n.Relation] = true
		rows = int((n.Rows + n.Filtered + n.Recheck) * n.Loops)
	}
	for i := range n.Plans {
		rows += n.Plans[i].visited(tables)
	}
	return rows
}

// explain runs a prepared statement and takes back what it did.
func (a *archive) explain(text string, args []any) (plan planNode, shown string) {
	a.Helper()
	literals := make([]string, len(args))
	for i, v := range args {
		literals[i] = literal(v)
	}
	a.exec(`BEGIN`)
	defer a.exec(`ROLLBACK`)
	a.exec(`PREPARE planned AS ` + text)
	defer a.exec(`DEALLOCATE planned`)
	err := a.db.QueryRow(a.Context(), `EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) EXECUTE planned(`+strings.Join(literals, ", ")+`)`).Scan(&shown)
	if err != nil {
		a.Fatalf("%s: %v", text, err)
	}
	var plans []struct{ Plan planNode }
	testx.NoError(a, json.Unmarshal([]byte(shown), &plans))
	return plans[0].Plan, shown
}

// crowd makes many rows of what there are usually few of.
func (a *archive) crowd() {
	a.Helper()
	const n = 5000
	for _, q := range []string{
		`INSERT INTO applications (id, env, name, throttle, created, updated) SELECT decode(md5(g::text) || 'aabbccdd', 'hex'), $1, '', 0, 0, 0 FROM generate_series(1, $2) AS g`,
		`INSERT INTO api_keys (id, env, hash, name, censored, created) SELECT decode(md5(g::text) || 'aabbccdd', 'hex'), $1, decode(md5(g::text), 'hex'), '', '', 0 FROM generate_series(1, $2) AS g`,
		`INSERT INTO tasks (id, env, app, endpoint, kind, status, cursor, queued, canceled, created, updated)
		  SELECT decode(md5(g::text) || 'aabbccdd', 'hex'), $1, '', '', 'x', 'finished', '', 0, false, 0, 0 FROM generate_series(1, $2) AS g`,
		`INSERT INTO event_types (id, env, name, description, group_name, archived, deprecated, enforce, created, updated)
		  SELECT decode(md5(g::text) || 'aabbccdd', 'hex'), $1, 'type-' || g, '', '', g % 50 = 0, false, false, 0, 0 FROM generate_series(1, $2) AS g`,
		`INSERT INTO endpoints (id, app, description, url, throttle, secrets, disabled, revision, created, updated, deleted)
		  SELECT decode(md5(g::text) || 'aabbccdd', 'hex'), (SELECT max(seq) FROM applications WHERE env = $1), '', '', 0, '[]', 0, 1, 0, 0, CASE WHEN g < 100 THEN g END
		  FROM generate_series(1, $2) AS g`,
		`INSERT INTO audits (id, env, actor, actor_id, name, action, target, address)
		  SELECT decode(md5(g::text) || 'aabbccdd', 'hex'), $1, 0, decode(md5(g::text) || 'aabbccdd', 'hex'), '', '', '', '' FROM generate_series(1, $2) AS g`,
		`INSERT INTO members (id, email, name, role, payloads, created, updated)
		  SELECT decode(md5(g::text) || 'aabbccdd', 'hex'), encode($1::bytea, 'hex') || g, '', 1, false, 0, 0 FROM generate_series(1, $2) AS g`,
		`INSERT INTO sources (app, id, env, name, type, settings, secrets, tokens, disabled, next_fire, created, updated)
		  SELECT -g, decode(md5(g::text) || 'aabbccdd', 'hex'), $1, '', '', '{}', '[]', '[]', false, CASE WHEN g < 100 THEN g END, 0, 0 FROM generate_series(1, $2) AS g`,
	} {
		a.exec(q, a.env[:], n)
	}
}

// receive makes requests of the messages that fill made last: most were accepted,
// one of 20 was refused at the same time.
func (a *archive) receive() {
	a.Helper()
	a.exec(fmt.Sprintf(`INSERT INTO requests (source, id, state, reason, remote, message, fingerprint, status, size, kept, received, body)
	  SELECT %d, set_byte(id, 19, (get_byte(id, 19) + 1) %% 256), CASE WHEN loose THEN 3 ELSE 0 END, '', '', CASE WHEN NOT loose THEN id END, '\x', 200, 300,
	    CASE WHEN loose THEN 300 ELSE 0 END, us, CASE WHEN loose THEN convert_to(repeat('x', 300), 'UTF8') END FROM (SELECT *, n %% 20 = 0 AS loose FROM made) AS made`, a.appSeq))
}

// cases are all statements with values of one archive.
func (a *archive) cases(message hook.ID) []planned {
	low, high := hook.ID{}, hook.IDAt(archiveStart.Add(1000*oneDay))
	begin, end := hook.IDAt(archiveStart), hook.IDAt(archiveStart.Add(oneDay))
	crowded := a.number(`SELECT max(app) FROM endpoints`)
	none := []any{nil, nil, nil}
	few := []any{[]string{"type-1", "type-2"}, "channel-0", nil}
	var all []planned
	add := func(query string, visited, tables int, args ...any) {
		all = append(all, planned{query, args, visited, tables})
	}
	with := func(args ...any) []any { return args }
	// The newest partition, of the day to come, is empty.
	const last, every = 2, 5
	for _, filter := range [][]any{none, few} {
		add("messages", 400, last, slices.Concat(with(a.appSeq, low, high), filter, with(true, planLimit))...)
		add("attempts of an endpoint", 800, last, slices.Concat(with(a.epSeq, low, high), filter, with(a.appSeq, 0, 12, 0, 999, planLimit))...)
		add("attempts of a message", 10, every, slices.Concat(with(message, begin, high), filter, with(a.appSeq, 0, 12, 0, 999, nil, planLimit))...)
		add("deliveries of an endpoint", 800, last, slices.Concat(with(a.epSeq, low, high), filter, with(true, nil, a.appSeq, planLimit))...)
		add("deliveries of a message", 10, 1, slices.Concat(with(message, 0, 1<<40), filter, with(a.appSeq, nil, planLimit))...)
	}
	add("applications", 100, 1, a.env, low, high, planLimit)
	add("audits", 100, 1, low, high, planLimit)
	add("audits of an environment", 100, 1, a.env, low, high, planLimit)
	add("members", 100, 1, low, high, planLimit)
	add("keys", 100, 1, a.env, low, high, planLimit)
	add("endpoints", 400, 1, crowded, low, high, planLimit)
	add("event types", 200, 1, a.env, false, planLimit)
	add("event types of a name", 200, 1, a.env, false, "type-25", planLimit)
	add("tasks", 100, 1, a.env, low, high, nil, nil, planLimit)
	add("explain, delivered", 10, 1, a.appSeq, message, 1, 1000)
	add("explain, others", 2500, 1, crowded, message, 1, 1000)
	add("explain, attempts", 10, every, message, begin, 50_000)
	add("explain, last attempts", 10, 1, a.appSeq, message, []hook.ID{message}, message, message)
	add("count, attempts", 300, 1, a.epSeq, begin, hook.IDAt(archiveStart.Add(time.Hour)))
	within := with(a.epSeq, begin, end, begin, end, a.appSeq, archiveStart, archiveStart.Add(oneDay))
	add("count, claimed", 10, 1, within...)
	add("count, leased at accept", 10, every, append(slices.Clone(within), high)...)
	add("count, waiting", 1000, 1, append(slices.Clone(within), false, 0, begin, 50)...)
	add("count, end of a slice", 600, 1, a.epSeq, begin, end, 500)
	add("count, canceled", 1600, 1, within...)
	add("queue, bounded", 100, 1, 100)
	add("queue, oldest", 10, 1, archiveStart.Add(1000*oneDay), 100)
	add("resend", 10, 1, message, a.epSeq, archiveStart, 3, 4)
	add("payloads of a partition", 600, 1, begin, end, a.appSeq, begin, 500)
	add("attempts not in the rollups", 10, 1, begin, end, 1<<40, high)
	add("endpoints that can be forgot", 500, every, 1000, 50)
	add("applications that can be forgot", 10, every, 1000, 50)
	add("sources", 100, 1, a.env, low, high, planLimit)
	add("sources that are due", 60, 1, 1<<40, 50)
	for _, reason := range []any{nil, "none"} {
		visited := 200
		if reason != nil {
			visited = 50_000 // it is searched for
		}
		add("requests", visited, every, a.appSeq, low, high, nil, reason, planLimit)
		add("requests, loose", min(visited, 1100), every, a.appSeq, low, high, nil, reason, planLimit)
	}
	late := archiveStart.Add(1000 * oneDay)
	long := with(time.UnixMicro(1), late)
	walked := slices.Concat(with(nil, nil, nil, nil), long, with(low, high))
	for _, way := range []string{"DESC", "ASC"} {
		at, from := int64(1<<62), high
		if way == "ASC" {
			at, from = -1, low
		}
		one := func(query string, visited, tables int, args ...any) {
			add(query+" "+way, visited, tables, slices.Concat(walked, with(at, from), args)...)
		}
		one("recent, environment", 600, every, a.env, nil, planLimit)
		one("recent, application", 400, every, a.appSeq, planLimit)
		one("recent, failing", 400, every, a.env, nil, []int64{0, 1}, planLimit)
		one("recent, failing at an endpoint", 400, every, a.epSeq, nil, []int64{0, 1}, planLimit)
		add("recent, requests "+way, 7000, every, a.env, from, nil, nil, nil, time.UnixMicro(1), late, low, high, planLimit)
		add("recent, loose requests "+way, 700, every, a.env, from, nil, nil, nil, time.UnixMicro(1), late, low, high, planLimit)
	}
	add("recent, page", 20, 1, []int64{a.appSeq}, []hook.ID{message}, true, a.env, message, message)
	add("recent, summaries", 20, 1, []hook.ID{message}, message, message)
	add("recent, message anywhere", 12_000, 1, a.env, message)
	add("recent, attempt anywhere", 20_000, 1, a.env, message)
	add("recent, page of requests", 20, 1, []int64{a.appSeq}, []hook.ID{nextOf(message)}, true, nextOf(message), nextOf(message))
	add("endpoints of an environment", 500, 1, a.env, nil, nil, nil, nil, low, high, planLimit)
	add("recent, applications", 6_000, 1, a.env, low, high, nil, planLimit)
	for _, query := range []string{"issues", "issues in a state"} {
		args := with(a.env, late, high, nil, nil, planLimit)
		if query == "issues in a state" {
			args = append(args, 0)
		}
		add(query, 200, 1, args...)
	}
	add("traffic", 100, 1, a.env, 0, 1<<40)
	add("missing messages", 300, every, a.appSeq, a.epSeq, low, high, planLimit)
	add("rollups of many", 100, 1, []int64{a.appSeq}, []int64{a.epSeq}, 0, 1<<30)
	return append(all, a.choresOfRequests(message, high, begin, late)...)
}

// choresOfRequests are the statements that take requests away and look for repeated ones.
func (a *archive) choresOfRequests(message, high, begin hook.ID, late time.Time) (all []planned) {
	add := func(query string, visited, tables int, args ...any) {
		all = append(all, planned{query, args, visited, tables})
	}
	const every = 5
	add("requests to purge", 200, every, a.appSeq, high, late, 50)
	add("requests that are old", 400, 2, begin, late, 50)
	add("requests that are old", 400, every, high, late, 50)
	add("requests to drop", 10, 1, []hook.ID{nextOf(message)}, nextOf(message), nextOf(message))
	add("requests of deleted sources", 10, every, []int64{-1, -2}, 5000)
	add("requests of a deleted source", 10, 1, a.appSeq, []hook.ID{nextOf(message)}, nextOf(message), nextOf(message))
	add("requests beyond the bound", 2200, every, []hook.ID{a.env}, []hook.ID{a.app}, []int64{100}, []int64{1 << 40})
	add("requests that repeat", 10, every, []int64{a.appSeq}, []string{"0-7"}, []hook.ID{message})
	const none1 = "{NULL}"
	add("requests to record", 20, every, []hook.ID{a.env}, []hook.ID{a.app}, []hook.ID{nextOf(message)}, []int64{1}, none1, none1, none1, none1, "{x}", none1, none1,
		[]hook.ID{message}, []hook.ID{message}, []int64{200}, none1, []int64{1}, []int64{1}, none1, none1)
	return all
}

// nextOf is another id of the same time.
func nextOf(id hook.ID) hook.ID {
	id[19]++
	return id
}

// flaw says what is wrong with a plan; empty: nothing.
func (p *planned) flaw(plan *planNode) string {
	tables := map[string]bool{}
	if n := plan.visited(tables); n > p.visited {
		return fmt.Sprintf("%d rows were looked at, want at most %d", n, p.visited)
	}
	parts := map[string]int{}
	for name := range tables {
		table, _, _ := strings.Cut(name, "_")
		if parts[table]++; parts[table] > p.tables {
			return fmt.Sprintf("%d partitions of %s were looked into, want at most %d", parts[table], table, p.tables)
		}
	}
	return ""
}

func TestEveryListIsServedByAnIndexInItsOrder(t *testing.T) {
	t.Parallel()
	a := newArchive(t)
	const days, perDay = 4, 5000
	for day := range days {
		a.fill(day, perDay, perDay/10)
		a.receive()
	}
	a.exec(`UPDATE deliveries SET state = 4, reason = 5 WHERE state = 2 AND get_byte(message, 19) < 64`) // a quarter
	a.crowd()
	message := a.send(archiveStart.Add(time.Hour)).Message.ID
	cases := a.cases(message)
	checked := map[string]bool{}
	for _, analyzed := range []bool{false, true} {
		if analyzed {
			a.exec(`ANALYZE`)
		}
		for _, mode := range []string{"force_custom_plan", "force_generic_plan"} {
			a.exec(`SET plan_cache_mode = ` + mode)
			for _, c := range cases {
				if !analyzed && slices.Contains(settled, c.query) {
					continue
				}
				for _, text := range postgres.Queries[c.query] {
					checked[text] = true
					if strings.HasPrefix(c.query, "recent, ") {
						a.exec(strings.ReplaceAll(postgres.InOrder, "true", "false"))
					}
					plan, shown := a.explain(text, c.args)
					a.exec(`RESET enable_bitmapscan; RESET enable_seqscan; RESET enable_sort`)
					if flaw := c.flaw(&plan); flaw != "" {
						t.Errorf("%s (%s, analyzed %t): %s\n%s\n%s", c.query, mode, analyzed, flaw, text, shown)
					}
				}
			}
		}
	}
	for _, text := range postgres.ListQueries {
		if !checked[text] {
			t.Errorf("no plan was asked for:\n%s", text)
		}
	}
	for name := range postgres.Queries {
		if !slices.ContainsFunc(cases, func(c planned) bool { return c.query == name }) {
			t.Errorf("there is no case for %q", name)
		}
	}
}
