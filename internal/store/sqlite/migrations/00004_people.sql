-- +goose Up
ALTER TABLE environments ADD COLUMN kind INTEGER NOT NULL DEFAULT 0; -- hook.EnvironmentKind

CREATE TABLE members (
  seq      INTEGER PRIMARY KEY,
  id       BLOB NOT NULL UNIQUE,
  email    TEXT NOT NULL UNIQUE,
  name     TEXT NOT NULL,
  role     INTEGER NOT NULL,          -- hook.Role
  payloads INTEGER NOT NULL,
  password TEXT,
  subject  TEXT UNIQUE,
  created  INTEGER NOT NULL,
  updated  INTEGER NOT NULL,
  seen     INTEGER
);

CREATE TABLE sessions (
  seq     INTEGER PRIMARY KEY,
  id      BLOB NOT NULL UNIQUE,
  member  BLOB NOT NULL,              -- members.id
  hash    BLOB NOT NULL UNIQUE,
  method  INTEGER NOT NULL,           -- hook.SignInMethod
  agent   TEXT NOT NULL,
  address TEXT NOT NULL,
  created INTEGER NOT NULL,
  used    INTEGER NOT NULL
);
CREATE INDEX sessions_member ON sessions (member, id);
CREATE INDEX sessions_used ON sessions (used);
CREATE INDEX sessions_created ON sessions (created);

CREATE TABLE tickets (
  hash    BLOB PRIMARY KEY,
  kind    INTEGER NOT NULL,           -- hook.TicketKind
  member  BLOB,                       -- members.id; NULL: of nobody yet
  data    BLOB,
  created INTEGER NOT NULL,
  expires INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX tickets_member ON tickets (member, kind) WHERE member IS NOT NULL;
CREATE INDEX tickets_expires ON tickets (expires);

CREATE TABLE passkeys (
  seq        INTEGER PRIMARY KEY,
  id         BLOB NOT NULL UNIQUE,
  member     BLOB NOT NULL,           -- members.id
  credential BLOB NOT NULL UNIQUE,
  name       TEXT NOT NULL,
  data       BLOB NOT NULL,
  created    INTEGER NOT NULL,
  used       INTEGER
);
CREATE INDEX passkeys_member ON passkeys (member, id);

-- Who did what. The id says when.
CREATE TABLE audits (
  id       BLOB PRIMARY KEY,
  env      BLOB,                      -- NULL: of no environment
  actor    INTEGER NOT NULL,          -- hook.ActorKind
  actor_id BLOB,
  name     TEXT NOT NULL,
  action   TEXT NOT NULL,
  target   TEXT NOT NULL,
  address  TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX audits_env ON audits (env, id) WHERE env IS NOT NULL;
