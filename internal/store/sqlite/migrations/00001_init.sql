-- +goose Up
-- Times are Unix microseconds. Ids are 20 bytes. Lists of words are JSON arrays.
-- Rows refer to each other by the integer key `seq`, which the writer hands out
-- in commit order; ids are for the world outside.

CREATE TABLE environments (
  seq     INTEGER PRIMARY KEY,
  id      BLOB NOT NULL UNIQUE,
  name    TEXT NOT NULL,
  created INTEGER NOT NULL
);

CREATE TABLE api_keys (
  seq       INTEGER PRIMARY KEY,
  id        BLOB NOT NULL UNIQUE,
  env       BLOB NOT NULL,
  app       BLOB,             -- NULL: a key of the environment
  hash      BLOB NOT NULL UNIQUE,
  name      TEXT NOT NULL,
  censored  TEXT NOT NULL,
  scopes    TEXT,
  session   TEXT,
  flags     TEXT,
  created   INTEGER NOT NULL,
  expires   INTEGER,
  last_used INTEGER
);
CREATE INDEX api_keys_env ON api_keys (env, id) WHERE app IS NULL;
CREATE INDEX api_keys_app ON api_keys (app) WHERE app IS NOT NULL;
CREATE INDEX api_keys_ended ON api_keys (expires) WHERE app IS NOT NULL AND expires IS NOT NULL;

CREATE TABLE applications (
  seq      INTEGER PRIMARY KEY,
  id       BLOB NOT NULL UNIQUE,
  env      BLOB NOT NULL,
  uid      TEXT,
  name     TEXT NOT NULL,
  throttle INTEGER NOT NULL,
  metadata TEXT,
  created  INTEGER NOT NULL,
  updated  INTEGER NOT NULL,
  deleted  INTEGER
);
CREATE UNIQUE INDEX applications_uid ON applications (env, uid) WHERE uid IS NOT NULL AND deleted IS NULL;
CREATE INDEX applications_env ON applications (env, id) WHERE deleted IS NULL;
CREATE INDEX applications_deleted ON applications (deleted) WHERE deleted IS NOT NULL;

CREATE TABLE event_types (
  seq         INTEGER PRIMARY KEY,
  id          BLOB NOT NULL,
  env         BLOB NOT NULL,
  name        TEXT NOT NULL,
  description TEXT NOT NULL,
  group_name  TEXT NOT NULL,
  archived    INTEGER NOT NULL,
  deprecated  INTEGER NOT NULL,
  flags       TEXT,
  schemas     BLOB,
  enforce     INTEGER NOT NULL,
  created     INTEGER NOT NULL,
  updated     INTEGER NOT NULL
);
CREATE UNIQUE INDEX event_types_name ON event_types (env, name);
CREATE UNIQUE INDEX event_types_id ON event_types (id);

CREATE TABLE endpoints (
  seq             INTEGER PRIMARY KEY,
  id              BLOB NOT NULL UNIQUE,
  app             INTEGER NOT NULL,   -- applications.seq
  uid             TEXT,
  description     TEXT NOT NULL,
  url             TEXT NOT NULL,
  event_types     TEXT,
  channels        TEXT,
  throttle        INTEGER NOT NULL,
  metadata        TEXT,
  flags           TEXT,
  headers         BLOB,               -- sealed
  secrets         TEXT NOT NULL,      -- JSON array of {sealed, expires}
  disabled        INTEGER NOT NULL,   -- hook.DisableReason; 0: enabled
  disabled_at     INTEGER,
  failing_since   INTEGER,
  revision        INTEGER NOT NULL,
  created         INTEGER NOT NULL,
  updated         INTEGER NOT NULL,
  deleted         INTEGER
);
CREATE UNIQUE INDEX endpoints_uid ON endpoints (app, uid) WHERE uid IS NOT NULL AND deleted IS NULL;
CREATE INDEX endpoints_app ON endpoints (app, id);
CREATE INDEX endpoints_deleted ON endpoints (deleted) WHERE deleted IS NOT NULL;

-- What Match read of an endpoint, and from which message on.
CREATE TABLE endpoint_revisions (
  endpoint    INTEGER NOT NULL,
  revision    INTEGER NOT NULL,
  after       INTEGER NOT NULL,       -- the last messages.seq before it was in force
  event_types TEXT,
  channels    TEXT,
  disabled    INTEGER NOT NULL,
  since       INTEGER NOT NULL,
  PRIMARY KEY (endpoint, revision)
) WITHOUT ROWID;

CREATE TABLE messages (
  seq          INTEGER PRIMARY KEY,
  app          INTEGER NOT NULL,      -- applications.seq
  id           BLOB NOT NULL,
  event_type   TEXT NOT NULL,
  event_id     TEXT,
  channels     TEXT,
  tags         TEXT,
  content_type TEXT,                  -- NULL: application/json
  size         INTEGER NOT NULL,
  created      INTEGER NOT NULL,
  deliver_at   INTEGER,
  body_expires INTEGER,               -- NULL: with the server's retention
  body         BLOB                   -- NULL: gone; the last column, so that lists without it do not read it
);
CREATE UNIQUE INDEX messages_app ON messages (app, id);
CREATE INDEX messages_body_expires ON messages (body_expires) WHERE body_expires IS NOT NULL;

CREATE TABLE message_keys (
  app      INTEGER NOT NULL,
  event_id TEXT NOT NULL,
  message  INTEGER NOT NULL,
  PRIMARY KEY (app, event_id)
) WITHOUT ROWID;

-- Idempotency keys. Those that SDKs make up on their own (auto) are many and
-- short-lived: appended here, looked up in memory. Those of callers live for
-- hours and are looked up by index.
CREATE TABLE once_auto (
  seq         INTEGER PRIMARY KEY,
  env         BLOB NOT NULL,
  hash        BLOB NOT NULL,
  fingerprint BLOB NOT NULL,
  object      BLOB NOT NULL,
  expires     INTEGER NOT NULL
);
CREATE TABLE once_caller (
  seq         INTEGER PRIMARY KEY,
  env         BLOB NOT NULL,
  hash        BLOB NOT NULL,
  fingerprint BLOB NOT NULL,
  object      BLOB NOT NULL,
  expires     INTEGER NOT NULL
);
CREATE UNIQUE INDEX once_caller_hash ON once_caller (env, hash);

-- The delivery row is the queue. `due` is NULL while nothing is planned: the
-- schedule has ended, or the delivery was leased at accept. A claimed delivery
-- keeps its due time. See docs/states.md for state and reason.
CREATE TABLE deliveries (
  message     INTEGER NOT NULL,       -- messages.seq
  endpoint    INTEGER NOT NULL,       -- endpoints.seq
  state       INTEGER NOT NULL,       -- hook.State
  reason      INTEGER NOT NULL,       -- hook.Reason
  attempts    INTEGER NOT NULL,
  step        INTEGER NOT NULL,
  manual      INTEGER NOT NULL,       -- the planned attempt is a resend
  again       INTEGER NOT NULL,       -- one more resend was asked for while in flight
  lane        INTEGER NOT NULL,       -- 0: first attempt, 1: retry
  due         INTEGER,
  auto_due    INTEGER,                -- while manual: when the automatic attempt is due
  node        INTEGER,                -- leased to this node
  epoch       INTEGER,
  last_status INTEGER NOT NULL,
  updated     INTEGER NOT NULL,
  PRIMARY KEY (message, endpoint)
) WITHOUT ROWID;
CREATE INDEX deliveries_endpoint ON deliveries (endpoint, message);
CREATE INDEX deliveries_queue ON deliveries (endpoint, lane, due) WHERE due IS NOT NULL AND node IS NULL;
CREATE INDEX deliveries_claimed ON deliveries (node) WHERE due IS NOT NULL AND node IS NOT NULL;
CREATE INDEX deliveries_canceled ON deliveries (endpoint, message) WHERE state = 4;

CREATE TABLE attempts (
  seq              INTEGER PRIMARY KEY,
  id               BLOB NOT NULL,
  message          INTEGER NOT NULL,
  endpoint         INTEGER NOT NULL,
  number           INTEGER NOT NULL,
  manual           INTEGER NOT NULL,
  class            INTEGER NOT NULL,  -- hook.Class
  status           INTEGER NOT NULL,
  detail           TEXT,
  url              TEXT NOT NULL,
  started          INTEGER NOT NULL,
  timings          BLOB NOT NULL,     -- varints, microseconds
  next_due         INTEGER,
  response         BLOB,              -- NULL: expunged
  response_headers BLOB,
  request_headers  BLOB
);
CREATE UNIQUE INDEX attempts_message ON attempts (message, id);
CREATE INDEX attempts_endpoint ON attempts (endpoint, id, class); -- class: counts need not read the rows

-- Attempts summed up by the hour in which they began (hours since 1970), for
-- each endpoint (endpoints.seq) and, as endpoint 0, for the whole application.
CREATE TABLE rollups (
  app      INTEGER NOT NULL,          -- applications.seq
  endpoint INTEGER NOT NULL,
  hour     INTEGER NOT NULL,
  tally    BLOB NOT NULL,             -- hook.Tally
  PRIMARY KEY (app, endpoint, hour)
) WITHOUT ROWID;
CREATE INDEX rollups_hour ON rollups (hour);

-- An id is never given out twice, so that a node and its epoch name one life.
CREATE TABLE nodes (
  id       INTEGER PRIMARY KEY AUTOINCREMENT,
  name     TEXT NOT NULL UNIQUE,
  epoch    INTEGER NOT NULL,
  delivers INTEGER NOT NULL,
  started  INTEGER NOT NULL,
  seen     INTEGER NOT NULL,          -- its last beat
  until    INTEGER                    -- the end of its lease; NULL: it has ended
);

CREATE TABLE tasks (
  seq       INTEGER PRIMARY KEY,
  id        BLOB NOT NULL UNIQUE,
  env       BLOB NOT NULL,
  app       BLOB NOT NULL,
  endpoint  BLOB NOT NULL,
  kind      TEXT NOT NULL,
  status    TEXT NOT NULL,
  since     INTEGER,
  until     INTEGER,
  cursor    BLOB NOT NULL,
  position  INTEGER NOT NULL,         -- messages.seq of the cursor, which outlives the message
  queued    INTEGER NOT NULL,
  canceled  INTEGER NOT NULL,
  created   INTEGER NOT NULL,
  updated   INTEGER NOT NULL
);
CREATE INDEX tasks_env ON tasks (env, id);
CREATE INDEX tasks_running ON tasks (seq) WHERE status = 'running';

-- Single values: open_from is the first message that may have a delivery leased
-- at accept and not yet settled; a start looks for such leases from there on.
-- last_message and last_attempt are the highest messages.seq and attempts.seq that
-- were given out when retention last removed any: a seq is never given out twice.
-- rolled_up is the last attempts.seq that rollups count.
CREATE TABLE meta (
  name  TEXT PRIMARY KEY,
  value INTEGER NOT NULL
) WITHOUT ROWID;
INSERT INTO meta (name, value) VALUES ('open_from', 0), ('last_message', 0), ('last_attempt', 0), ('rolled_up', 0);
