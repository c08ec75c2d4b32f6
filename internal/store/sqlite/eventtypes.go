package sqlite

import (
	"context"
	"fmt"

	"github.com/grapnelhq/grapnel/internal/hook"
)

const eventTypeColumns = `id, env, name, description, group_name, archived, deprecated, flags, schemas, enforce, created, updated`

func scanEventType(r *row) (hook.EventType, error) {
	t := hook.EventType{
		ID: r.id(0), Env: r.id(1), Name: r.text(2), Description: r.text(3), GroupName: r.text(4),
		Archived: r.bool(5), Deprecated: r.bool(6), Schemas: r.blob(8), EnforceSchema: r.bool(9),
		CreatedAt: r.time(10), UpdatedAt: r.time(11),
	}
	if err := fromJSON(r, 7, &t.FeatureFlags); err != nil {
		return t, fmt.Errorf("event type %s: %w", hook.KindEventType.Format(t.ID), err)
	}
	return t, nil
}

const (
	eventTypeByName = `SELECT ` + eventTypeColumns + ` FROM event_types WHERE env = ? AND name = ?`
	eventTypeByID   = `SELECT ` + eventTypeColumns + ` FROM event_types WHERE env = ? AND id = ?`
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
func (s *Store) CreateEventType(ctx context.Context, t *hook.EventType, once *hook.IdempotencyKey) (hook.EventType, bool, error) {
	var out hook.EventType
	var repeated bool
	err := s.writeWith(ctx, func(w *writer) error {
		id := t.ID
		before, exists, err := findEventType(ctx, w.conn, eventTypeByName, t.Env, t.Name)
		if err != nil {
			return err
		}
		if exists {
			id = before.ID
		}
		if id, repeated, err = w.once(t.Env, once, id, t.CreatedAt); err != nil {
			return err
		}
		if !repeated {
			if err := putEventType(w.conn, t, exists, before.Archived); err != nil {
				return err
			}
		}
		found := false
		out, found, err = findEventType(ctx, w.conn, eventTypeByID, t.Env, id)
		if err == nil && !found {
			err = hook.NotFound("event type; it was removed since this idempotency key was used")
		}
		return err
	})
	return out, repeated, err
}

// putEventType inserts t, or revives the archived one of its name.
func putEventType(c *conn, t *hook.EventType, exists, archived bool) error {
	switch {
	case exists && !archived:
		return &hook.Error{Code: hook.CodeEventTypeTaken, Detail: "An event type with this name exists already."}
	case exists:
		return writeEventType(c, t.Env, t.Name, t)
	}
	_, err := c.exec(`INSERT INTO event_types (`+eventTypeColumns+`) VALUES (?,?,?,?,?,?,?,?,?,?,?,?)`,
		t.ID, t.Env, t.Name, t.Description, t.GroupName, t.Archived, t.Deprecated,
		toJSON(t.FeatureFlags), t.Schemas, t.EnforceSchema, t.CreatedAt, t.UpdatedAt)
	return err
}

// writeEventType overwrites all but the id and the time it was made.
func writeEventType(c *conn, env hook.ID, name string, t *hook.EventType) error {
	_, err := c.exec(`UPDATE event_types SET description = ?, group_name = ?, archived = ?, deprecated = ?, flags = ?,
	    schemas = ?, enforce = ?, updated = ? WHERE env = ? AND name = ?`,
		t.Description, t.GroupName, t.Archived, t.Deprecated, toJSON(t.FeatureFlags), t.Schemas, t.EnforceSchema, t.UpdatedAt,
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
		return c.query(ctx, `SELECT `+eventTypeColumns+` FROM event_types
		  WHERE env = ? AND name IN (SELECT value FROM json_each(?))`, []any{env, jsonList(names)}, func(r *row) error {
			t, err := scanEventType(r)
			out = append(out, t)
			return err
		})
	})
	return out, err
}

var listEventTypes = newListQuery(`SELECT ` + eventTypeColumns + ` FROM event_types INDEXED BY event_types_name
  WHERE env = ? AND archived <= ? AND name > ? AND name < ? ORDER BY name {dir} LIMIT ?`)

// ListEventTypes implements store.EventTypes. With archived, those are listed
// beside the live ones.
func (s *Store) ListEventTypes(ctx context.Context, env hook.ID, archived bool, p hook.Page) (out hook.PageOf[hook.EventType], err error) {
	// Names are not empty, and SQLite sorts every blob after every text.
	from, to := any(""), any([]byte{0})
	switch {
	case p.FromName == "":
	case ascends(p):
		from = p.FromName
	default:
		to = p.FromName
	}
	err = s.read(ctx, func(ctx context.Context, c *conn) error {
		out, err = fetch(ctx, c, listEventTypes, p, []any{env, archived, from, to}, scanEventType)
		return err
	})
	return out, err
}

// UpdateEventType implements store.EventTypes. The name stays.
func (s *Store) UpdateEventType(ctx context.Context, env hook.ID, name string, change func(*hook.EventType) error) (out hook.EventType, err error) {
	err = s.write(ctx, func(c *conn) error {
		t, found, err := findEventType(ctx, c, eventTypeByName, env, name)
		if err != nil {
			return err
		}
		if !found {
			return hook.NotFound("event type")
		}
		if err := change(&t); err != nil {
			return err
		}
		if err := writeEventType(c, env, name, &t); err != nil {
			return err
		}
		out, _, err = findEventType(ctx, c, eventTypeByName, env, name)
		return err
	})
	return out, err
}

// DeleteEventType implements store.EventTypes.
func (s *Store) DeleteEventType(ctx context.Context, env hook.ID, name string) error {
	return s.write(ctx, func(c *conn) error {
		n, err := c.exec(`DELETE FROM event_types WHERE env = ? AND name = ?`, env, name)
		if err == nil && n == 0 {
			err = hook.NotFound("event type")
		}
		return err
	})
}
