-- +goose Up
-- The deliveries whose last attempt failed and that were neither delivered nor
-- canceled since: few among many. One that succeeds at once never comes here.
CREATE TABLE failing (
  message  INTEGER NOT NULL,          -- messages.seq
  endpoint INTEGER NOT NULL,          -- endpoints.seq
  env      BLOB NOT NULL,
  state    INTEGER NOT NULL,          -- hook.FailingState
  class    INTEGER NOT NULL,          -- hook.Class of the last attempt
  status   INTEGER NOT NULL,
  since    INTEGER NOT NULL,          -- of its first failure
  PRIMARY KEY (message, endpoint)
) WITHOUT ROWID;
CREATE INDEX failing_env ON failing (env, message);
CREATE INDEX failing_endpoint ON failing (endpoint, message);

INSERT INTO failing (message, endpoint, env, state, class, status, since)
SELECT d.message, d.endpoint, a.env, CASE d.state WHEN 3 THEN 1 ELSE 0 END,
  coalesce((SELECT t.class FROM attempts t WHERE t.message = d.message AND t.endpoint = d.endpoint ORDER BY t.id DESC LIMIT 1), 5),
  d.last_status, d.updated
FROM deliveries d JOIN messages m ON m.seq = d.message JOIN applications a ON a.seq = m.app
WHERE d.attempts > 0 AND d.state IN (0, 1, 3);

-- What went through an environment in each 5 minutes.
CREATE TABLE traffic (
  env    BLOB NOT NULL,
  period INTEGER NOT NULL,            -- its number since 1970
  sum    BLOB NOT NULL,               -- hook.Traffic
  PRIMARY KEY (env, period)
) WITHOUT ROWID;
CREATE INDEX traffic_period ON traffic (period);

-- An endpoint that fails for one cause.
CREATE TABLE issues (
  seq         INTEGER PRIMARY KEY,
  id          BLOB NOT NULL UNIQUE,
  env         BLOB NOT NULL,
  endpoint    INTEGER NOT NULL,       -- endpoints.seq
  class       INTEGER NOT NULL,       -- hook.Class
  status      INTEGER NOT NULL,
  first       INTEGER NOT NULL,
  last        INTEGER NOT NULL,
  attempts    INTEGER NOT NULL,
  message     BLOB NOT NULL,          -- messages.id
  attempt     BLOB NOT NULL,          -- attempts.id
  state       INTEGER NOT NULL,       -- hook.IssueState
  muted_until INTEGER,
  resolved    INTEGER,
  healed      INTEGER,
  note        TEXT,
  assignee    TEXT
);
CREATE UNIQUE INDEX issues_cause ON issues (endpoint, class, status);
CREATE INDEX issues_env ON issues (env, last, id);
CREATE INDEX issues_state ON issues (env, state, last, id);
CREATE INDEX issues_last ON issues (last);
CREATE INDEX issues_muted ON issues (muted_until) WHERE muted_until IS NOT NULL;
CREATE INDEX issues_sick ON issues (endpoint) WHERE healed IS NULL;

ALTER TABLE tasks ADD COLUMN rate INTEGER NOT NULL DEFAULT 0;
ALTER TABLE tasks ADD COLUMN total INTEGER NOT NULL DEFAULT 0;

-- counted is the last messages.seq that traffic counts. It begins where the sums of
-- attempts are, so that both are of the same time.
INSERT INTO meta (name, value) SELECT 'counted', max(coalesce((SELECT max(seq) FROM messages), 0), value) FROM meta WHERE name = 'last_message';
