package move

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"slices"

	"github.com/grapnelhq/grapnel/internal/hook"
	"github.com/grapnelhq/grapnel/internal/seal"
	"github.com/grapnelhq/grapnel/internal/store"
)

// resealBatch is how many endpoints or sources one transaction looks at.
const resealBatch = 200

// Sealer gives the functions that seal and open with a keyring, as the server does.
type Sealer func(*seal.Keyring) (sealIt, open hook.SealFunc)

// Rotation changes the master key of a store. All fields but Tell must be set.
type Rotation struct {
	Address string
	// KeyFile is the file that holds the key, and in which it is changed; empty:
	// Keys are the keys, and whoever gave them changes them.
	KeyFile string
	// Keys are the new key and the ones before it. With KeyFile they are not looked at.
	Keys   []seal.Key
	Sealer Sealer
	Log    *slog.Logger
	Tell   func(Rotated) // after each batch; may be nil
}

// Rotated is what became of a rotation.
type Rotated struct {
	Endpoints int64 // looked at
	Sources   int64 // looked at
	Values    int64 // sealed anew
	// Unreadable are endpoints, and UnreadableSources sources, with a value that none of
	// the keys opens; it was left as it is.
	Unreadable        []hook.ID
	UnreadableSources []hook.ID
	// Key is the id of the key that all else is sealed with.
	Key string
	// Resumed says that an earlier rotation had not come to its end.
	Resumed bool
	// OldKeys is the file that keeps the keys before; empty: none does.
	OldKeys string
}

// UnreadableIDs gives the ids of all that is unreadable as people know them.
func (r *Rotated) UnreadableIDs() []string {
	ids := make([]string, 0, len(r.Unreadable)+len(r.UnreadableSources))
	for _, id := range r.Unreadable {
		ids = append(ids, hook.KindEndpoint.Format(id))
	}
	for _, id := range r.UnreadableSources {
		ids = append(ids, hook.KindSource.Format(id))
	}
	slices.Sort(ids)
	return ids
}

// OldKeys is where the keys go that a rotation takes out of a key file: a backup
// that was made before can only be read with them.
func OldKeys(keyFile string) string { return keyFile + ".old" }

// Run seals every secret anew under the new key. In each moment, after a crash too,
// the keys that are in KeyFile open everything: a new key is added first, and the
// old ones are taken out when nothing is sealed with them. A rotation that did not
// end goes on when it is run again. If something is unreadable all keys stay.
func (r Rotation) Run(ctx context.Context) (out Rotated, err error) {
	s, err := openAsItIs(ctx, r.Address, store.Options{Logger: r.Log})
	if err != nil {
		return out, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	mover, ok := s.(store.Mover)
	if !ok {
		return out, errors.New("this store cannot seal anew")
	}
	keys := r.Keys
	if r.KeyFile != "" {
		if keys, out.Resumed, err = addKey(r.KeyFile); err != nil {
			return out, err
		}
	}
	if err := r.reseal(ctx, mover, keys, &out); err != nil || len(out.UnreadableIDs()) > 0 || r.KeyFile == "" {
		return out, err
	}
	out.OldKeys = OldKeys(r.KeyFile)
	return out, retire(r.KeyFile, keys)
}

// addKey puts a new key in front of the one in the file, unless that was done before.
func addKey(path string) (keys []seal.Key, resumed bool, err error) {
	loaded, err := seal.Load(path)
	if err != nil {
		return nil, false, err
	}
	keys = append([]seal.Key{loaded.Key}, loaded.Older...)
	if len(keys) > 1 {
		return keys, true, nil
	}
	keys = append([]seal.Key{seal.NewKey()}, keys...)
	return keys, false, seal.Replace(path, keys[0], keys[1:]...)
}

// retire takes all keys but the first out of the file, when the file beside it has them.
func retire(path string, keys []seal.Key) error {
	old := slices.Clone(keys[1:])
	before, err := seal.Load(OldKeys(path))
	switch {
	case err == nil:
		for _, key := range append([]seal.Key{before.Key}, before.Older...) {
			if !slices.ContainsFunc(old, key.Equal) {
				old = append(old, key)
			}
		}
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	if err := seal.Replace(OldKeys(path), old[0], old[1:]...); err != nil {
		return err
	}
	return seal.Replace(path, keys[0])
}

// reseal goes over all endpoints and sources until there is nothing left to change: a server
// that still has only the old key may seal with it meanwhile.
func (r Rotation) reseal(ctx context.Context, s store.Mover, keys []seal.Key, out *Rotated) error {
	ring, err := seal.NewKeyring(keys[0], keys[1:]...)
	if err != nil {
		return err
	}
	out.Key = keys[0].ID()
	v := resealing{ring: ring}
	v.seal, v.open = r.Sealer(ring)
	for changed := int64(-1); out.Values != changed; {
		changed = out.Values
		out.Endpoints, out.Sources, out.Unreadable, out.UnreadableSources = 0, 0, nil, nil
		if err := r.pass(ctx, &v, out, &out.Endpoints, &out.Unreadable, func(after hook.ID) (hook.ID, error) {
			return s.Reseal(ctx, after, resealBatch, v.endpoint)
		}); err != nil {
			return err
		}
		if err := r.pass(ctx, &v, out, &out.Sources, &out.UnreadableSources, func(after hook.ID) (hook.ID, error) {
			return s.ResealSources(ctx, after, resealBatch, v.source)
		}); err != nil {
			return err
		}
	}
	return nil
}

// pass goes once over all objects of a kind, batch by batch.
func (r Rotation) pass(ctx context.Context, v *resealing, out *Rotated, looked *int64, unreadable *[]hook.ID,
	batch func(after hook.ID) (hook.ID, error)) (err error) {
	var after hook.ID
	for more := true; more; more = !after.IsZero() {
		if err := ctx.Err(); err != nil {
			return err
		}
		v.batch = map[hook.ID]resealed{}
		if after, err = batch(after); err != nil {
			return fmt.Errorf("seal secrets anew: %w", err)
		}
		for id, came := range v.batch {
			*looked++
			out.Values += int64(came.values)
			if came.unreadable {
				*unreadable = append(*unreadable, id)
			}
		}
		if r.Tell != nil {
			r.Tell(*out)
		}
	}
	return nil
}

// resealing seals the values of endpoints and sources anew.
type resealing struct {
	ring       *seal.Keyring
	seal, open hook.SealFunc
	// batch is what came of the objects of one transaction, which the store may do
	// more than once.
	batch map[hook.ID]resealed
}

type resealed struct {
	values     int
	unreadable bool
}

// endpoint seals the values of an endpoint that another key has sealed. One that
// cannot be opened is left as it is.
func (v *resealing) endpoint(e *hook.Endpoint) error {
	var came resealed
	if e.SealedHeaders != nil {
		v.value(hook.PurposeHeaders, e.ID, &e.SealedHeaders, &came)
	}
	for i := range e.Secrets {
		v.value(hook.PurposeSecret, e.ID, &e.Secrets[i].Sealed, &came)
	}
	v.batch[e.ID] = came
	return nil
}

// source is endpoint for a source.
func (v *resealing) source(s *hook.Source) error {
	var came resealed
	for i := range s.Secrets {
		v.value(hook.PurposeSourceSecret, s.ID, &s.Secrets[i].Sealed, &came)
	}
	for i := range s.Tokens {
		v.value(hook.PurposeSourceToken, s.ID, &s.Tokens[i].Sealed, &came)
	}
	v.batch[s.ID] = came
	return nil
}

func (v *resealing) value(purpose string, id hook.ID, sealed *[]byte, came *resealed) {
	if v.ring.IsCurrent(*sealed) {
		return
	}
	plain, err := v.open(purpose, id, *sealed)
	var again []byte
	if err == nil {
		again, err = v.seal(purpose, id, plain)
		clear(plain)
	}
	if err != nil {
		came.unreadable = true
		return
	}
	*sealed = again
	came.values++
}
