package postgres

import (
	"context"
	"fmt"

	"github.com/grapnelhq/grapnel/internal/hook"
)

// beyond is the number of the next transaction: what is stored has lower ones.
const beyond = `pg_snapshot_xmax(pg_current_snapshot())::text::bigint`

// fromElsewhere reports whether the rows come from another cluster of databases, by
// pg_dump, whose transactions had higher numbers than those here will have for long:
// no feed would come to what is stored from now on.
const fromElsewhere = `SELECT 1 WHERE (SELECT commit FROM cursors WHERE name = 'rollups') > ` + beyond + `
  OR (SELECT max(txid) FROM messages) >= ` + beyond + ` OR (SELECT max(txid) FROM attempts) >= ` + beyond

// settleIn makes the numbers of transactions those of this cluster, if they are not.
// Feeds begin behind all that there is. The rollups go on where they were: what they
// do not have yet comes to be of this transaction, all else is older.
func settleIn(ctx context.Context, c *conn) error {
	moved, err := exists(ctx, c, fromElsewhere)
	if err != nil || !moved {
		return err
	}
	if err := unhurried(ctx, c, byTable...); err != nil {
		return err
	}
	at, err := rolledUp(ctx, c)
	if err != nil {
		return err
	}
	for _, q := range []struct {
		text string
		args []any
	}{
		{`UPDATE messages SET txid = 0 WHERE txid >= ` + beyond, nil},
		{`UPDATE attempts SET txid = CASE WHEN (txid, id) > ($1, $2) THEN pg_current_xact_id()::text::bigint ELSE 0 END
		  WHERE txid >= ` + beyond + ` OR (txid, id) > ($1, $2)`, []any{at.Commit, within(at)}},
		{`UPDATE cursors SET commit = pg_current_xact_id()::text::bigint, within = $1 WHERE name IN ('rollups', 'traffic')`, []any{nextID(hook.ID{})}},
		{`DELETE FROM changes`, nil},
		{`DELETE FROM signals`, nil},
	} {
		if _, err := c.exec(ctx, q.text, q.args...); err != nil {
			return fmt.Errorf("take in a database of another cluster: %w", err)
		}
	}
	return nil
}
