package sqlite

import (
	"context"
	"os"

	"github.com/grapnelhq/grapnel/internal/hook"
)

// grown are the tables that grow, in which row keys are handed out in order: the
// first and the last one tell about how many rows there are.
var grown = []struct{ name, query string }{
	{"messages", `SELECT (SELECT min(seq) FROM messages), (SELECT max(seq) FROM messages)`},
	{"attempts", `SELECT (SELECT min(seq) FROM attempts), (SELECT max(seq) FROM attempts)`},
	{"requests", `SELECT (SELECT min(seq) FROM requests), (SELECT max(seq) FROM requests)`},
	{"applications", `SELECT (SELECT min(seq) FROM applications), (SELECT max(seq) FROM applications)`},
	{"endpoints", `SELECT (SELECT min(seq) FROM endpoints), (SELECT max(seq) FROM endpoints)`},
	{"issues", `SELECT (SELECT min(seq) FROM issues), (SELECT max(seq) FROM issues)`},
}

// Figures implements store.Upkeep. How many bytes a table has is not known: finding
// out would read the whole file.
func (s *Store) Figures(ctx context.Context) (out hook.StoreFigures, err error) {
	out.Kind, out.Log = "sqlite", -1
	if info, err := os.Stat(s.path + "-wal"); err == nil {
		out.Log = info.Size()
	}
	err = s.read(ctx, func(ctx context.Context, c *conn) error {
		number := func(query string, into *int64) error {
			_, err := c.one(ctx, query, nil, func(r *row) error {
				*into = r.int(0)
				return nil
			})
			return err
		}
		var pages, page, free int64
		if err := firstError(number(`PRAGMA page_count`, &pages), number(`PRAGMA page_size`, &page), number(`PRAGMA freelist_count`, &free),
			number(`SELECT version_id FROM goose_db_version WHERE id > 0 ORDER BY id DESC LIMIT 1`, &out.Schema)); err != nil {
			return err
		}
		out.Size, out.Free = pages*page, free*page
		if _, err := c.one(ctx, `SELECT sqlite_version()`, nil, func(r *row) error {
			out.Version = r.text(0)
			return nil
		}); err != nil {
			return err
		}
		for _, t := range grown {
			if _, err := c.one(ctx, t.query, nil, func(r *row) error {
				rows := int64(0)
				if !r.null(0) {
					rows = r.int(1) - r.int(0) + 1
				}
				out.Tables = append(out.Tables, hook.TableFigures{Name: t.name, Bytes: -1, Rows: rows})
				return nil
			}); err != nil {
				return err
			}
		}
		return nil
	})
	return out, err
}
