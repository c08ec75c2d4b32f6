package postgres

import (
	"bytes"
	"context"
	"slices"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
)

// keyUse is one idempotency key on its way into the table of keys.
type keyUse struct {
	env    hook.ID
	key    *hook.IdempotencyKey
	object hook.ID   // what it leads to if it is new
	now    time.Time // zero: a known key always counts

	// What useKeys found.
	repeated bool
	err      *hook.Error // the key was used for something else
}

// once looks a key up and, if it is new, remembers that it led to object. It
// gives the object of the first request and true for a repetition, and an error
// for a key that was used for something else. Of two transactions with the same
// key the second waits for the first.
func once(ctx context.Context, c *conn, env hook.ID, k *hook.IdempotencyKey, object hook.ID, now time.Time) (hook.ID, bool, error) {
	if k == nil {
		return object, false, nil
	}
	use := &keyUse{env: env, key: k, object: object, now: now}
	if err := useKeys(ctx, c, []*keyUse{use}); err != nil {
		return hook.ID{}, false, err
	}
	if use.err != nil {
		return hook.ID{}, false, use.err
	}
	return use.object, use.repeated, nil
}

// useKeys is once for many keys. The first of several uses of one key wins. Keys
// are written in one order, so that two transactions do not wait for each other.
func useKeys(ctx context.Context, c *conn, uses []*keyUse) error {
	byKey := map[onceKey][]*keyUse{}
	for _, u := range uses {
		k := onceKey{u.env, u.key.Hash, u.key.Auto}
		byKey[k] = append(byKey[k], u)
	}
	firsts := make([]*keyUse, 0, len(byKey))
	for _, same := range byKey {
		firsts = append(firsts, same[0])
	}
	slices.SortFunc(firsts, compareUses)
	known, err := insertKeys(ctx, c, firsts)
	if err != nil {
		return err
	}
	for _, same := range byKey {
		for i, u := range same {
			u.follow(known[onceKey{u.env, u.key.Hash, u.key.Auto}], same[0], i == 0)
		}
	}
	return nil
}

// follow fills in what became of a use: before is what the table had, nil for
// nothing, and first the first use of this group.
func (u *keyUse) follow(before *rememberedKey, first *keyUse, isFirst bool) {
	if before == nil && isFirst {
		return
	}
	if before == nil {
		before = &rememberedKey{first.key.Fingerprint, first.object}
	}
	if before.fingerprint != u.key.Fingerprint {
		u.err = &hook.Error{Code: hook.CodeIdempotency,
			Detail: "This idempotency key was used for a request with another body or path."}
		return
	}
	u.object, u.repeated = before.object, true
}

type onceKey struct {
	env  hook.ID
	hash [16]byte
	auto bool
}

type rememberedKey struct {
	fingerprint [16]byte
	object      hook.ID
}

func compareUses(a, b *keyUse) int {
	if n := bytes.Compare(a.env[:], b.env[:]); n != 0 {
		return n
	}
	if n := bytes.Compare(a.key.Hash[:], b.key.Hash[:]); n != 0 {
		return n
	}
	return compareBools(a.key.Auto, b.key.Auto)
}

func compareBools(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

// insertKeys stores the keys that are new or have ended, and gives what the table
// has of the others.
func insertKeys(ctx context.Context, c *conn, uses []*keyUse) (map[onceKey]*rememberedKey, error) {
	n := len(uses)
	envs, hashes, prints, objects := make([][]byte, n), make([][]byte, n), make([][]byte, n), make([][]byte, n)
	autos, expires, nows := make([]bool, n), make([]int64, n), make([]*int64, n)
	others := map[onceKey]bool{}
	for i, u := range uses {
		envs[i], hashes[i], autos[i] = u.env[:], u.key.Hash[:], u.key.Auto
		prints[i], objects[i] = u.key.Fingerprint[:], u.object[:]
		expires[i], nows[i] = u.key.ExpiresAt.UnixMicro(), microsPtr(u.now)
		others[onceKey{u.env, u.key.Hash, u.key.Auto}] = true
	}
	// The time that a key is held against comes with the new row: as `expires` of
	// the row it would replace must not be later. A NULL never is.
	err := c.query(ctx, `INSERT INTO once AS o (env, hash, auto, fingerprint, object, expires)
	  SELECT env, hash, auto, fingerprint, object, expires
	  FROM unnest($1::bytea[], $2::bytea[], $3::boolean[], $4::bytea[], $5::bytea[], $6::bigint[]) AS g(env, hash, auto, fingerprint, object, expires)
	  ON CONFLICT (env, hash, auto) DO UPDATE SET fingerprint = excluded.fingerprint, object = excluded.object, expires = excluded.expires
	    WHERE o.expires <= (SELECT n.now FROM unnest($1::bytea[], $2::bytea[], $3::boolean[], $7::bigint[]) AS n(env, hash, auto, now)
	      WHERE n.env = excluded.env AND n.hash = excluded.hash AND n.auto = excluded.auto)
	  RETURNING o.env, o.hash, o.auto`, []any{envs, hashes, autos, prints, objects, expires, nows}, func(r *row) error {
		k := onceKey{env: r.id(0), auto: r.bool(2)}
		copy(k.hash[:], r.values[1])
		delete(others, k)
		return nil
	})
	if err != nil || len(others) == 0 {
		return nil, err
	}
	return recallKeys(ctx, c, others)
}

// recallKeys reads what keys led to. They are there: a transaction that met them
// has waited for the one that wrote them.
func recallKeys(ctx context.Context, c *conn, keys map[onceKey]bool) (map[onceKey]*rememberedKey, error) {
	envs, hashes, autos := make([][]byte, 0, len(keys)), make([][]byte, 0, len(keys)), make([]bool, 0, len(keys))
	for k := range keys {
		envs, hashes, autos = append(envs, k.env[:]), append(hashes, k.hash[:]), append(autos, k.auto)
	}
	found := map[onceKey]*rememberedKey{}
	err := c.query(ctx, `SELECT o.env, o.hash, o.auto, o.fingerprint, o.object
	  FROM unnest($1::bytea[], $2::bytea[], $3::boolean[]) AS k(env, hash, auto)
	    JOIN once o ON o.env = k.env AND o.hash = k.hash AND o.auto = k.auto`, []any{envs, hashes, autos}, func(r *row) error {
		k, m := onceKey{env: r.id(0), auto: r.bool(2)}, &rememberedKey{object: r.id(4)}
		copy(k.hash[:], r.values[1])
		copy(m.fingerprint[:], r.values[3])
		found[k] = m
		return nil
	})
	return found, err
}

// forgetKeys takes keys back that were stored in this transaction.
func forgetKeys(ctx context.Context, c *conn, uses []*keyUse) error {
	if len(uses) == 0 {
		return nil
	}
	var envs, hashes [][]byte
	var autos []bool
	for _, u := range uses {
		envs, hashes, autos = append(envs, u.env[:]), append(hashes, u.key.Hash[:]), append(autos, u.key.Auto)
	}
	_, err := c.exec(ctx, `DELETE FROM once o USING unnest($1::bytea[], $2::bytea[], $3::boolean[]) AS k(env, hash, auto)
	  WHERE o.env = k.env AND o.hash = k.hash AND o.auto = k.auto`, envs, hashes, autos)
	return err
}
