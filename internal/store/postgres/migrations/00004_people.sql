-- +goose Up
ALTER TABLE environments ADD COLUMN kind smallint NOT NULL DEFAULT 0; -- hook.EnvironmentKind

CREATE TABLE members (
  id       bytea PRIMARY KEY,
  email    text COLLATE "C" NOT NULL UNIQUE,
  name     text NOT NULL,
  role     smallint NOT NULL,          -- hook.Role
  payloads boolean NOT NULL,
  password text,
  subject  text COLLATE "C" UNIQUE,
  created  bigint NOT NULL,
  updated  bigint NOT NULL,
  seen     bigint
);

CREATE TABLE sessions (
  id      bytea PRIMARY KEY,
  member  bytea NOT NULL,              -- members.id
  hash    bytea NOT NULL UNIQUE,
  method  smallint NOT NULL,           -- hook.SignInMethod
  agent   text NOT NULL,
  address text NOT NULL,
  created bigint NOT NULL,
  used    bigint NOT NULL
);
CREATE INDEX sessions_member ON sessions (member, id);
CREATE INDEX sessions_used ON sessions (used);
CREATE INDEX sessions_created ON sessions (created);

CREATE TABLE tickets (
  hash    bytea PRIMARY KEY,
  kind    smallint NOT NULL,           -- hook.TicketKind
  member  bytea,                       -- members.id; NULL: of nobody yet
  data    bytea,
  created bigint NOT NULL,
  expires bigint NOT NULL
);
CREATE INDEX tickets_member ON tickets (member, kind) WHERE member IS NOT NULL;
CREATE INDEX tickets_expires ON tickets (expires);

CREATE TABLE passkeys (
  id         bytea PRIMARY KEY,
  member     bytea NOT NULL,           -- members.id
  credential bytea NOT NULL UNIQUE,
  name       text NOT NULL,
  data       bytea NOT NULL,
  created    bigint NOT NULL,
  used       bigint
);
CREATE INDEX passkeys_member ON passkeys (member, id);

-- Who did what. The id says when.
CREATE TABLE audits (
  id       bytea PRIMARY KEY,
  env      bytea,                      -- NULL: of no environment
  actor    smallint NOT NULL,          -- hook.ActorKind
  actor_id bytea,
  name     text NOT NULL,
  action   text NOT NULL,
  target   text NOT NULL,
  address  text NOT NULL
);
CREATE INDEX audits_env ON audits (env, id) WHERE env IS NOT NULL;
