-- +goose Up
-- A source owns endpoints and messages as an application does: it has a row in
-- applications with the same id, which lists leave out.
ALTER TABLE applications ADD COLUMN source INTEGER NOT NULL DEFAULT 0;
DROP INDEX applications_env;
CREATE INDEX applications_env ON applications (env, id) WHERE deleted IS NULL AND source = 0;

CREATE TABLE sources (
  seq       INTEGER PRIMARY KEY,      -- applications.seq
  id        BLOB NOT NULL UNIQUE,
  env       BLOB NOT NULL,
  uid       TEXT,
  name      TEXT NOT NULL,
  type      TEXT NOT NULL,
  metadata  TEXT,
  settings  TEXT NOT NULL,            -- JSON of hook.SourceSettings
  secrets   TEXT NOT NULL,            -- JSON array of {sealed, expires}
  tokens    TEXT NOT NULL,            -- JSON array of hook.TokenRecord
  disabled  INTEGER NOT NULL,
  next_fire INTEGER,
  created   INTEGER NOT NULL,
  updated   INTEGER NOT NULL
);
CREATE UNIQUE INDEX sources_env ON sources (env, id);
CREATE UNIQUE INDEX sources_uid ON sources (env, uid) WHERE uid IS NOT NULL;
CREATE INDEX sources_due ON sources (next_fire) WHERE next_fire IS NOT NULL;

-- The tokens once more, by which a request finds its source.
CREATE TABLE source_tokens (
  hash    BLOB PRIMARY KEY,
  source  INTEGER NOT NULL,           -- sources.seq
  expires INTEGER
) WITHOUT ROWID;
CREATE INDEX source_tokens_source ON source_tokens (source);

-- What reached sources. The message of an accepted request (state 0) keeps its
-- envelope, content type and body, and goes together with it. The others keep their
-- own, within a bound, and are found by two indexes without the accepted ones.
CREATE TABLE requests (
  seq          INTEGER PRIMARY KEY,
  id           BLOB NOT NULL,
  source       INTEGER NOT NULL,      -- applications.seq
  state        INTEGER NOT NULL,      -- hook.RequestState
  reason       TEXT NOT NULL,
  detail       TEXT,
  findings     BLOB,
  envelope     BLOB,                  -- JSON of hook.Envelope
  remote       TEXT NOT NULL,
  event_type   TEXT,
  key          TEXT,
  message      INTEGER,               -- messages.seq; NULL: it became none
  first        BLOB,                  -- of a duplicate: messages.id of the first one, which may be gone
  fingerprint  BLOB NOT NULL,
  status       INTEGER NOT NULL,
  content_type TEXT,
  size         INTEGER NOT NULL,
  received     INTEGER NOT NULL,
  note         TEXT,
  kept         INTEGER NOT NULL,      -- the length of body
  body         BLOB                   -- the last column, so that lists do not read it
);
CREATE UNIQUE INDEX requests_source ON requests (source, id);
CREATE INDEX requests_message ON requests (message) WHERE state = 0;
CREATE INDEX requests_apart ON requests (source, id, kept) WHERE state <> 0;
CREATE INDEX requests_received ON requests (received) WHERE state <> 0;

-- How a received message came, as JSON of hook.Envelope; NULL: an event of the API,
-- or gone with the body. It stands behind the body, for only who reads that reads it.
ALTER TABLE messages ADD COLUMN envelope BLOB;
