-- +goose Up
-- What an environment has set for itself: JSON of hook.Settings; NULL: nothing.
ALTER TABLE environments ADD COLUMN settings text;

-- Codes of portal links and cookies of the portal's page. Each belongs to the key
-- of its link.
CREATE TABLE portal_grants (
  hash    bytea PRIMARY KEY,
  key     bytea NOT NULL,             -- api_keys.id
  once    boolean NOT NULL,          -- a code, good for one exchange
  expires bigint NOT NULL,
  used    bigint                     -- of a code; NULL: not yet
);
CREATE INDEX portal_grants_ended ON portal_grants (expires);
