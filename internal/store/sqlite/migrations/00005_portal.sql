-- +goose Up
-- What an environment has set for itself: JSON of hook.Settings; NULL: nothing.
ALTER TABLE environments ADD COLUMN settings TEXT;

-- Codes of portal links and cookies of the portal's page. Each belongs to the key
-- of its link.
CREATE TABLE portal_grants (
  hash    BLOB PRIMARY KEY,
  key     BLOB NOT NULL,             -- api_keys.id
  once    INTEGER NOT NULL,          -- a code, good for one exchange
  expires INTEGER NOT NULL,
  used    INTEGER                     -- of a code; NULL: not yet
) WITHOUT ROWID;
CREATE INDEX portal_grants_ended ON portal_grants (expires);
