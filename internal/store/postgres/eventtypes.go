package postgres

import (
	"context"

	"github.com/grapnelhq/grapnel/internal/hook"
)

const eventTypeColumns = `id, env, name, description, group_name, archived, deprecated, flags, schemas, enforce, created, updated`

func scanEventType(r *row) (hook.EventType, error) {
	return hook.EventType{
		ID: r.id(0), Env: r.id(1), Name: r.text(2), Description: r.text(3), GroupName: r.text(4),
		Archived: r.bool(5), Deprecated: r.bool(6), FeatureFlags: r.words(7), Schemas: r.blob(8), EnforceSchema: r.bool(9),
		CreatedAt: r.time(10), UpdatedAt: r.time(11),
	}, nil
}

const (
	eventTypeByName = `SELECT ` + eventTypeColumns + ` FROM event_types WHERE env = $1 AND name = $2`
	eventTypeByID   = `SELECT ` + eventTypeColumns + ` FROM event_types WHERE env = $1 AND id = $2`
)

func findEventType(ctx context.Context, c *conn, query string, env hook.ID, key any) (t hook.EventType, found bool, err error) {
	found, err = c.one(ctx, query, []any{env, key}, func(r *row) (err error) {
		t, err = scanEventType(r)
		return err
	})
	return t, found, err
}

// CreateEventType implements store.EventTypes. A revived one keeps its id and
// the time it was made.
func (s *Store) CreateEventType(ctx context.Context, t *hook.EventType, key *hook.IdempotencyKey) (hook.EventType, bool, error) {
	var out hook.EventType
	var repeated bool
	err := s.write(ctx, func(ctx context.Context, c *conn) error {
		id := t.ID
		before, exists, err := findEventType(ctx, c, eventTypeByName+forUpdate, t.Env, t.Name)
		if err != nil {
			return err
		}
		if exists {
			id = before.ID
		}
		if id, repeated, err = once(ctx, c, t.Env, key, id, t.CreatedAt); err != nil {
			return err
		}
		if !repeated {
			if err := putEventType(ctx, c, t, exists, before.Archived); err != nil {
				return err
			}
		}
		found := false
		out, found, err = findEventType(ctx, c, eventTypeByID, t.Env, id)
		if err == nil && !found {
			err = hook.NotFound("event type; it was removed since this idempotency key was used")
		}
		return err
	})
	return out, repeated, err
}

// putEventType inserts t, or revives the archived one of its name. Who finds no
// row waits at the insert for another who is inserting the same name.
func putEventType(ctx context.Context, c *conn, t *hook.EventType, exists, archived bool) error {
	taken := &hook.Error{Code: hook.CodeEventTypeTaken, Detail: "An event type with this name exists already."}
	switch {
	case exists && !archived:
		return taken
	case exists:
		return writeEventType(ctx, c, t.Env, t.Name, t)
	}
	_, err := c.exec(ctx, `INSERT INTO event_types (`+eventTypeColumns+`) VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12)`,
		t.ID, t.Env, t.Name, t.Description, t.GroupName, t.Archived, t.Deprecated,
		words(t.FeatureFlags), t.Schemas, t.EnforceSchema, t.CreatedAt, t.UpdatedAt)
	if isUnique(err, "event_types_name") {
		return taken
	}
	return err
}

// writeEventType overwrites all but the id and the time it was made.
func writeEventType(ctx context.Context, c *conn, env hook.ID, name string, t *hook.EventType) error {
	_, err := c.exec(ctx, `UPDATE event_types SET description = $1, group_name = $2, archived = $3, deprecated = $4, flags = $5,
	    schemas = $6, enforce = $7, updated = $8 WHERE env = $9 AND name = $10`,
		t.Description, t.GroupName, t.Archived, t.Deprecated, words(t.FeatureFlags), t.Schemas, t.EnforceSchema, t.UpdatedAt,
		env, name)
	return err
}

// FindEventType implements store.EventTypes.
func (s *Store) FindEventType(ctx context.Context, env hook.ID, name string) (out hook.EventType, err error) {
	err = s.read(ctx, func(ctx context.Context, c *conn) error {
		found := false
		out, found, err = findEventType(ctx, c, eventTypeByName, env, name)
		if err == nil && !found {
			err = hook.NotFound("event type")
		}
		return err
	})
	return out, err
}

// FindEventTypes implements store.EventTypes.
func (s *Store) FindEventTypes(ctx context.Context, env hook.ID, names []string) (out []hook.EventType, err error) {
	if len(names) == 0 {
		return nil, nil
	}
	err = s.read(ctx, func(ctx context.Context, c *conn) error {
		return c.query(ctx, `SELECT `+eventTypeColumns+` FROM event_types WHERE env = $1 AND name = ANY ($2::text[])`,
			[]any{env, names}, func(r *row) error {
				t, err := scanEventType(r)
				out = append(out, t)
				return err
			})
	})
	return out, err
}

// A page of event types begins at the beginning, or behind or before a name: one
// text for each, so that the name bounds the search in the index.
var (
	listEventTypes = newListQuery(`SELECT ` + eventTypeColumns + ` FROM event_types
  WHERE env = $1 AND archived <= $2 ORDER BY name {dir} LIMIT $3`)
	listEventTypesBehind = newListQuery(`SELECT ` + eventTypeColumns + ` FROM event_types
  WHERE env = $1 AND archived <= $2 AND name > $3 ORDER BY name {dir} LIMIT $4`)
	listEventTypesBefore = newListQuery(`SELECT ` + eventTypeColumns + ` FROM event_types
  WHERE env = $1 AND archived <= $2 AND name < $3 ORDER BY name {dir} LIMIT $4`)
)

// ListEventTypes implements store.EventTypes. With archived, those are listed
// beside the live ones.
func (s *Store) ListEventTypes(ctx context.Context, env hook.ID, archived bool, p hook.Page) (out hook.PageOf[hook.EventType], err error) {
	q, args := listEventTypes, []any{env, archived}
	switch {
	case p.FromName == "":
	case ascends(p):
		q, args = listEventTypesBehind, append(args, p.FromName)
	default:
		q, args = listEventTypesBefore, append(args, p.FromName)
	}
	err = s.read(ctx, func(ctx context.Context, c *conn) error {
		out, err = fetch(ctx, c, q, p, args, scanEventType)
		return err
	})
	return out, err
}

// UpdateEventType implements store.EventTypes. The name stays.
func (s *Store) UpdateEventType(ctx context.Context, env hook.ID, name string, change func(*hook.EventType) error) (out hook.EventType, err error) {
	err = s.write(ctx, func(ctx context.Context, c *conn) error {
		t, found, err := findEventType(ctx, c, eventTypeByName+forUpdate, env, name)
		if err != nil {
			return err
		}
		if !found {
			return hook.NotFound("event type")
		}
		if err := change(&t); err != nil {
			return err
		}
		if err := writeEventType(ctx, c, env, name, &t); err != nil {
			return err
		}
		out, _, err = findEventType(ctx, c, eventTypeByName, env, name)
		return err
	})
	return out, err
}

// DeleteEventType implements store.EventTypes.
func (s *Store) DeleteEventType(ctx context.Context, env hook.ID, name string) error {
	return s.write(ctx, func(ctx context.Context, c *conn) error {
		n, err := c.exec(ctx, `DELETE FROM event_types WHERE env = $1 AND name = $2`, env, name)
		if err == nil && n == 0 {
			err = hook.NotFound("event type")
		}
		return err
	})
}
