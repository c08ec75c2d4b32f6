package postgres

import (
	"context"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
)

// nextVersion counts the application's version up: accepts and claims that begin
// after the commit read it anew. Others that change it wait, as with lockApplication.
func nextVersion(ctx context.Context, c *conn, app int64) (version int64, err error) {
	_, err = c.one(ctx, `UPDATE applications SET version = version + 1 WHERE seq = $1 RETURNING version`, []any{app}, func(r *row) error {
		version = r.int(0)
		return nil
	})
	return version, err
}

// endpointsChanged makes what was just written to endpoints of an application the
// configuration in force, on every node.
func endpointsChanged(ctx context.Context, c *conn, app int64, endpoints ...int64) error {
	version, err := nextVersion(ctx, c, app)
	if err != nil {
		return err
	}
	return noteChanged(ctx, c, app, version, endpoints...)
}

// noteChanged is endpointsChanged for who has counted the version up already.
func noteChanged(ctx context.Context, c *conn, app, version int64, endpoints ...int64) error {
	if len(endpoints) == 0 {
		return nil
	}
	if err := dropRevisions(ctx, c, app, endpoints); err != nil {
		return err
	}
	if _, err := c.exec(ctx, `INSERT INTO endpoint_revisions (endpoint, revision, version, event_types, channels, disabled, since)
	  SELECT seq, revision, $1, event_types, channels, disabled <> 0, updated FROM endpoints WHERE seq = ANY ($2::bigint[])`,
		version, endpoints); err != nil {
		return err
	}
	_, err := c.exec(ctx, tellChanged+`WHERE seq = ANY ($3::bigint[])`, int(hook.ReasonEndpointDeleted), int(hook.ReasonEndpointDisabled), endpoints)
	return err
}

// acceptDelay is longer than it takes from the time of a message, or of a change,
// to its commit.
const acceptDelay = 2 * time.Minute

// dropRevisions drops, of the four oldest revisions of each endpoint, those that
// were replaced before the oldest kept message of the application: each change
// adds one and drops up to three, so they do not pile up. The time is asked for
// besides the version because a message with a higher id, or one that is not
// committed yet, may have a lower version than the oldest; the time alone decides
// for an application without messages.
func dropRevisions(ctx context.Context, c *conn, app int64, endpoints []int64) error {
	_, err := c.exec(ctx, `WITH first AS MATERIALIZED (
	    SELECT e.seq AS endpoint, (SELECT max(r.revision) FROM (
	        SELECT revision, version, since FROM endpoint_revisions WHERE endpoint = e.seq ORDER BY revision LIMIT 4) r
	      WHERE r.version <= coalesce(oldest.config, r.version) AND r.since < coalesce(oldest.created, e.updated) - $3::bigint) AS kept
	    FROM endpoints e LEFT JOIN (SELECT config, created FROM messages WHERE app = $1 ORDER BY id LIMIT 1) oldest ON true
	    WHERE e.seq = ANY ($2::bigint[]))
	  DELETE FROM endpoint_revisions d USING first WHERE d.endpoint = first.endpoint AND d.revision < first.kept`,
		app, endpoints, acceptDelay.Microseconds())
	return err
}

// tellChanged tells other nodes about endpoints as they are now. Parameters 1 and
// 2 are the reasons for what is closed; a WHERE follows.
const tellChanged = `INSERT INTO changes (txid, endpoint, revision, closed)
  SELECT pg_current_xact_id()::text::bigint, id, revision,
    CASE WHEN deleted IS NOT NULL THEN $1::smallint WHEN disabled <> 0 THEN $2::smallint ELSE 0 END
  FROM endpoints `

// tellAllChanged tells other nodes about each endpoint of an application.
func tellAllChanged(ctx context.Context, c *conn, app int64) error {
	_, err := c.exec(ctx, tellChanged+`WHERE app = $3 AND deleted IS NULL`, int(hook.ReasonEndpointDeleted), int(hook.ReasonEndpointDisabled), app)
	return err
}

// disable closes an endpoint for a reason; one that is closed already stays as it is.
func disable(ctx context.Context, c *conn, app, endpoint int64, reason hook.DisableReason, now time.Time) error {
	version, err := nextVersion(ctx, c, app)
	if err != nil {
		return err
	}
	n, err := c.exec(ctx, `UPDATE endpoints SET disabled = $1, disabled_at = $2, revision = revision + 1, updated = $2
	  WHERE seq = $3 AND disabled = 0 AND deleted IS NULL`, int(reason), now, endpoint)
	if err != nil || n == 0 {
		return err
	}
	return noteChanged(ctx, c, app, version, endpoint)
}

// markDeleted marks endpoints of an application deleted. Their last revision is
// that of the deletion: a message accepted under it was accepted without them.
func markDeleted(ctx context.Context, c *conn, app int64, now time.Time, endpoints ...int64) error {
	if _, err := c.exec(ctx, `WITH live AS (SELECT seq FROM endpoints WHERE seq = ANY ($2::bigint[]) ORDER BY seq FOR UPDATE)
	  UPDATE endpoints e SET deleted = $1, revision = revision + 1, updated = $1 FROM live WHERE e.seq = live.seq`, now, endpoints); err != nil {
		return err
	}
	if _, err := c.exec(ctx, `DELETE FROM issues WHERE endpoint = ANY ($1::bigint[])`, endpoints); err != nil {
		return err
	}
	return endpointsChanged(ctx, c, app, endpoints...)
}
