package sqlite

import (
	"context"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
)

// remembered is what an idempotency key led to.
type remembered struct {
	fingerprint [16]byte
	object      hook.ID
	expires     time.Time
	seq         int64 // of its row
}

// autoKeys are the keys that SDKs make up for each POST. There is one per
// message under load, they live for minutes, and only this process asks for
// them: so they are looked up in memory and only appended on disk. The oldest
// are dropped first.
type autoKeys struct {
	max   int
	byKey map[autoKey]remembered
	queue []queuedKey // oldest first, in the order of seq
	next  int64       // the row key of the next one
}

type autoKey struct {
	env  hook.ID
	hash [16]byte
}

type queuedKey struct {
	autoKey
	seq int64
}

func newAutoKeys(limit int) *autoKeys {
	return &autoKeys{max: limit, byKey: map[autoKey]remembered{}, next: 1}
}

// load reads the newest keys from disk.
func (a *autoKeys) load(ctx context.Context, c *conn) error {
	clear(a.byKey)
	a.queue, a.next = nil, 1
	const q = `SELECT seq, env, hash, fingerprint, object, expires FROM once_auto
	  WHERE seq > (SELECT coalesce(max(seq), 0) FROM once_auto) - ? ORDER BY seq`
	return c.query(ctx, q, []any{a.max}, func(r *row) error {
		k := autoKey{env: r.id(1)}
		copy(k.hash[:], r.blob(2))
		m := rememberedFrom(r)
		a.next = m.seq
		a.remember(k, m)
		return nil
	})
}

func rememberedFrom(r *row) remembered {
	m := remembered{seq: r.int(0), object: r.id(4), expires: r.time(5)}
	copy(m.fingerprint[:], r.blob(3))
	return m
}

// remember adds the key with the row key next.
func (a *autoKeys) remember(k autoKey, m remembered) {
	m.seq = a.next
	a.next++
	a.byKey[k] = m
	a.queue = append(a.queue, queuedKey{k, m.seq})
	if len(a.queue) > a.max {
		a.dropThrough(a.queue[0].seq)
	}
}

// dropThrough forgets the oldest keys, up to and including this row key.
func (a *autoKeys) dropThrough(seq int64) {
	n := 0
	for ; n < len(a.queue) && a.queue[n].seq <= seq; n++ {
		a.drop(a.queue[n])
	}
	a.queue = a.queue[n:]
}

// dropFrom forgets the newest keys, from this row key on: what added them was undone.
func (a *autoKeys) dropFrom(seq int64) {
	n := len(a.queue)
	for ; n > 0 && a.queue[n-1].seq >= seq; n-- {
		a.drop(a.queue[n-1])
	}
	a.queue, a.next = a.queue[:n], seq
}

// drop leaves a newer key with the same hash alone.
func (a *autoKeys) drop(k queuedKey) {
	if a.byKey[k.autoKey].seq == k.seq {
		delete(a.byKey, k.autoKey)
	}
}

// once looks a key up and, if it is new, remembers that it led to object. It
// gives the object of the first request and true for a repetition, and an
// error for a key that was used for something else.
func (w *writer) once(env hook.ID, k *hook.IdempotencyKey, object hook.ID, now time.Time) (hook.ID, bool, error) {
	if k == nil {
		return object, false, nil
	}
	before, found, err := w.recall(env, k)
	if err != nil {
		return hook.ID{}, false, broken{err}
	}
	if found && now.Before(before.expires) {
		if before.fingerprint != k.Fingerprint {
			return hook.ID{}, false, &hook.Error{Code: hook.CodeIdempotency,
				Detail: "This idempotency key was used for a request with another body or path."}
		}
		return before.object, true, nil
	}
	return object, false, asBroken(w.rememberOnce(env, k, object))
}

// rememberOnce stores what a key led to.
func (w *writer) rememberOnce(env hook.ID, k *hook.IdempotencyKey, object hook.ID) error {
	if !k.Auto {
		_, err := w.conn.exec(`INSERT OR REPLACE INTO once_caller (env, hash, fingerprint, object, expires) VALUES (?,?,?,?,?)`,
			env, k.Hash[:], k.Fingerprint[:], object, k.ExpiresAt)
		return err
	}
	if _, err := w.conn.exec(`INSERT INTO once_auto (seq, env, hash, fingerprint, object, expires) VALUES (?,?,?,?,?,?)`,
		w.autos.next, env, k.Hash[:], k.Fingerprint[:], object, k.ExpiresAt); err != nil {
		return err
	}
	w.autos.remember(autoKey{env, k.Hash}, remembered{fingerprint: k.Fingerprint, object: object, expires: k.ExpiresAt})
	return nil
}

func (w *writer) recall(env hook.ID, k *hook.IdempotencyKey) (m remembered, found bool, err error) {
	if k.Auto {
		m, found = w.autos.byKey[autoKey{env, k.Hash}]
		return m, found, nil
	}
	found, err = w.conn.one(context.Background(),
		`SELECT seq, env, hash, fingerprint, object, expires FROM once_caller WHERE env = ? AND hash = ?`,
		[]any{env, k.Hash[:]}, func(r *row) error {
			m = rememberedFrom(r)
			return nil
		})
	return m, found, err
}

func asBroken(err error) error {
	if err == nil {
		return nil
	}
	return broken{err}
}
