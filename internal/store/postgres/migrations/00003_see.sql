-- +goose Up
-- The deliveries whose last attempt failed and that were neither delivered nor
-- canceled since: few among many. One that succeeds at once never comes here, and no
-- index of deliveries has what changes on its way.
CREATE TABLE failing (
  message  bytea NOT NULL,            -- messages.id
  endpoint bigint NOT NULL,           -- endpoints.seq
  env      bytea NOT NULL,
  state    smallint NOT NULL,         -- hook.FailingState
  class    smallint NOT NULL,         -- hook.Class of the last attempt
  status   integer NOT NULL,
  since    bigint NOT NULL,           -- of its first failure
  PRIMARY KEY (message, endpoint)
) WITH (autovacuum_vacuum_scale_factor = 0.05, fillfactor = 80);
CREATE INDEX failing_env ON failing (env, message);
CREATE INDEX failing_endpoint ON failing (endpoint, message);

INSERT INTO failing (message, endpoint, env, state, class, status, since)
SELECT d.message, d.endpoint, a.env, CASE d.state WHEN 3 THEN 1 ELSE 0 END,
  CASE WHEN d.last_status = 0 THEN 5 WHEN d.last_status = 429 THEN 10 WHEN d.last_status = 410 THEN 11
    WHEN d.last_status >= 500 THEN 9 WHEN d.last_status >= 400 THEN 8 WHEN d.last_status >= 300 THEN 6 ELSE 5 END,
  d.last_status, d.updated
FROM deliveries d JOIN endpoints e ON e.seq = d.endpoint JOIN applications a ON a.seq = e.app
WHERE d.attempts > 0 AND d.state IN (0, 1, 3);

-- What went through an environment in each 5 minutes.
CREATE TABLE traffic (
  env    bytea NOT NULL,
  period bigint NOT NULL,             -- its number since 1970
  sum    bytea NOT NULL,              -- hook.Traffic
  PRIMARY KEY (env, period)
) WITH (fillfactor = 70);
CREATE INDEX traffic_period ON traffic (period);
INSERT INTO cursors (name, commit, within) SELECT 'traffic', commit, within FROM cursors WHERE name = 'rollups';

-- An endpoint that fails for one cause.
CREATE TABLE issues (
  id          bytea PRIMARY KEY,
  env         bytea NOT NULL,
  endpoint    bigint NOT NULL,        -- endpoints.seq
  class       smallint NOT NULL,      -- hook.Class
  status      integer NOT NULL,
  first       bigint NOT NULL,
  last        bigint NOT NULL,
  attempts    bigint NOT NULL,
  message     bytea NOT NULL,         -- messages.id
  attempt     bytea NOT NULL,         -- attempts.id
  state       smallint NOT NULL,      -- hook.IssueState
  muted_until bigint,
  resolved    bigint,
  healed      bigint,
  note        text,
  assignee    text
);
CREATE UNIQUE INDEX issues_cause ON issues (endpoint, class, status);
CREATE INDEX issues_env ON issues (env, last, id);
CREATE INDEX issues_state ON issues (env, state, last, id);
CREATE INDEX issues_last ON issues (last);
CREATE INDEX issues_muted ON issues (muted_until) WHERE muted_until IS NOT NULL;
CREATE INDEX issues_sick ON issues (endpoint) WHERE healed IS NULL;

ALTER TABLE tasks ADD COLUMN rate integer NOT NULL DEFAULT 0;
ALTER TABLE tasks ADD COLUMN total bigint NOT NULL DEFAULT 0;
