package sqlite

import (
	"context"
	"fmt"
	"strings"
)

// Plan gives the query plan of a text, one line each.
func (s *Store) Plan(ctx context.Context, text string) (lines []string, err error) {
	err = s.read(ctx, func(ctx context.Context, c *conn) error {
		return c.query(ctx, "EXPLAIN QUERY PLAN "+text, make([]any, parameters(text)), func(r *row) error {
			lines = append(lines, r.text(3))
			return nil
		})
	})
	return lines, err
}

// parameters is how many parameters a text has, numbered ones or not.
func parameters(text string) int {
	n := strings.Count(text, "?")
	for i := n; i > 0; i-- {
		if strings.Contains(text, fmt.Sprintf("?%d", i)) {
			return i
		}
	}
	return n
}

// Number gives the one number that a query selects.
func (s *Store) Number(ctx context.Context, query string, args ...any) (n int64, err error) {
	err = s.read(ctx, func(ctx context.Context, c *conn) error {
		_, err := c.one(ctx, query, args, func(r *row) error {
			n = r.int(0)
			return nil
		})
		return err
	})
	return n, err
}

// Exec runs a statement on the writer.
func (s *Store) Exec(ctx context.Context, query string, args ...any) error {
	return s.write(ctx, func(c *conn) error {
		_, err := c.exec(query, args...)
		return err
	})
}

// ListQueries are the texts of all lists, and OtherQueries those beside them
// that walk tables which grow.
var (
	ListQueries  = listQueries
	OtherQueries = []string{explainDelivered, explainOthers, messageFeed, attemptFeed, listRollups, rollupTail, dueSources,
		recentPage, recentSummaries, messageInApps, messageInSources, attemptInApps, attemptInSources, commitAt, requestAt, requestEnd,
		listTraffic, messageTail, attemptTail, rollupsOfMany, rollupTailOfMany, listIssues, listIssuesIn, recoverable, missing}
	// TailQueries read what came since the last roll-up.
	TailQueries = []string{rollupTail, rollupTailOfMany, messageTail, attemptTail}
)

// Statements are the texts that the writer and the readers have prepared so far.
func (s *Store) Statements(ctx context.Context) (texts []string, err error) {
	add := func(c *conn) {
		for text := range c.stmts {
			texts = append(texts, text)
		}
	}
	for range s.nread {
		c := <-s.readers
		add(c)
		s.readers <- c
	}
	return texts, s.write(ctx, func(c *conn) error {
		add(c)
		return nil
	})
}

// Slow makes each slice of Expire end after its first chore, as on a machine where
// that alone takes longer than a slice.
func (s *Store) Slow(ctx context.Context) error {
	return s.writeWith(ctx, func(w *writer) error {
		w.slice = 0
		return nil
	})
}
