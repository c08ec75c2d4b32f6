-- +goose Up
-- Nodes of the version before go on while this runs, and after it: columns are only
-- added. If somebody reads a whole table now, such as a backup, this gives up instead
-- of having all others wait behind it.
SET LOCAL lock_timeout = '3s';

-- `source`: the row owns the endpoints and messages of the source with the same id.
ALTER TABLE applications ADD COLUMN source boolean NOT NULL DEFAULT false;
-- `envelope`: how a received request came, as envelope.go writes it.
ALTER TABLE messages ADD COLUMN envelope bytea;
-- `fingerprint`: of the body of the request that the message was received as.
ALTER TABLE message_keys ADD COLUMN fingerprint bytea;

CREATE TABLE sources (
  app       bigint PRIMARY KEY,       -- applications.seq
  id        bytea NOT NULL,
  env       bytea NOT NULL,
  uid       text COLLATE "C",
  name      text NOT NULL,
  type      text NOT NULL,
  metadata  text,
  settings  text NOT NULL,            -- JSON of hook.SourceSettings
  secrets   text NOT NULL,            -- JSON array of {sealed, expires}
  tokens    text NOT NULL,            -- JSON array of {hash, sealed, expires, created}
  disabled  boolean NOT NULL,
  next_fire bigint,
  created   bigint NOT NULL,
  updated   bigint NOT NULL
);
CREATE UNIQUE INDEX sources_id ON sources (id);
CREATE UNIQUE INDEX sources_uid ON sources (env, uid) WHERE uid IS NOT NULL;
CREATE INDEX sources_env ON sources (env, id);
CREATE INDEX sources_due ON sources (next_fire) WHERE next_fire IS NOT NULL;

CREATE TABLE source_tokens (
  hash    bytea PRIMARY KEY,
  source  bigint NOT NULL,            -- sources.app
  expires bigint
);
CREATE INDEX source_tokens_source ON source_tokens (source);

-- What reached sources, in partitions as messages are. Of an accepted one the
-- message has envelope, content type and body. `kept` is the length of the body, 0
-- for none, so that what a source has of others can be summed up from the index.
CREATE TABLE requests (
  source       bigint NOT NULL,       -- sources.app
  id           bytea NOT NULL,
  state        smallint NOT NULL,     -- hook.RequestState
  reason       text NOT NULL,
  detail       text,
  findings     bytea,                 -- JSON
  envelope     bytea,
  remote       text NOT NULL,
  event_type   text,
  key          text,
  message      bytea,                 -- messages.id
  fingerprint  bytea NOT NULL,
  status       integer NOT NULL,
  content_type text,
  size         integer NOT NULL,
  kept         integer NOT NULL,
  received     bigint NOT NULL,
  note         text,
  body         bytea,                 -- NULL: not kept, or the message has it
  PRIMARY KEY (source, id)
) PARTITION BY RANGE (id);
ALTER TABLE requests ALTER COLUMN body SET STORAGE EXTERNAL;
CREATE INDEX requests_loose ON requests (source, id) INCLUDE (kept) WHERE state <> 0;
CREATE INDEX requests_loose_id ON requests (id) WHERE state <> 0;
