package postgres

import (
	"context"

	"github.com/grapnelhq/grapnel/internal/hook"
)

// sizes gives each table with its partitions, indexes and long values, the largest first.
const sizes = `SELECT coalesce(p.relname, c.relname)::text, sum(pg_total_relation_size(c.oid))::bigint,
    sum(greatest(c.reltuples, 0))::bigint
  FROM pg_class c LEFT JOIN pg_inherits i ON i.inhrelid = c.oid LEFT JOIN pg_class p ON p.oid = i.inhparent
  WHERE c.relkind = 'r' AND c.relnamespace = current_schema()::regnamespace
  GROUP BY 1 ORDER BY 2 DESC, 1`

// Figures implements store.Sizes. Rows are what the database last estimated.
func (s *Store) Figures(ctx context.Context) (out hook.StoreFigures, err error) {
	err = s.read(ctx, func(ctx context.Context, c *conn) error {
		out = hook.StoreFigures{Kind: "postgres", Free: -1, Log: -1}
		if _, err := c.one(ctx, `SELECT current_setting('server_version'), pg_database_size(current_database()),
		  (SELECT max(version_id) FROM goose_db_version)`, nil, func(r *row) error {
			out.Version, out.Size, out.Schema = r.text(0), r.int(1), r.int(2)
			return nil
		}); err != nil {
			return err
		}
		return c.query(ctx, sizes, nil, func(r *row) error {
			out.Tables = append(out.Tables, hook.TableFigures{Name: r.text(0), Bytes: r.int(1), Rows: r.int(2)})
			return nil
		})
	})
	return out, err
}
