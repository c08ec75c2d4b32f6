package move_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/grapnelhq/grapnel/internal/hook"
	"github.com/grapnelhq/grapnel/internal/move"
	"github.com/grapnelhq/grapnel/internal/seal"
	"github.com/grapnelhq/grapnel/internal/store"
)

// sealer binds what is sealed to its purpose and object.
func sealer(k *seal.Keyring) (sealIt, open hook.SealFunc) {
	context := func(purpose string, id hook.ID) []byte { return append([]byte(purpose), id[:]...) }
	return func(purpose string, id hook.ID, data []byte) ([]byte, error) {
			return k.Seal(data, context(purpose, id)), nil
		}, func(purpose string, id hook.ID, data []byte) ([]byte, error) {
			return k.Open(data, context(purpose, id))
		}
}

func ring(t testing.TB, keys ...seal.Key) *seal.Keyring {
	t.Helper()
	r, err := seal.NewKeyring(keys[0], keys[1:]...)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// vault is a database with endpoints whose values are sealed with one key, and
// the file of that key.
type vault struct {
	*testing.T
	address, keyFile string
	first            seal.Key
	endpoints        int
}

func newVault(t *testing.T, endpoints int) *vault {
	t.Helper()
	v := &vault{T: t, keyFile: filepath.Join(t.TempDir(), "master.key"), first: seal.NewKey(), endpoints: endpoints}
	sealIt, _ := sealer(ring(t, v.first))
	must := func(b []byte, err error) []byte {
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	records := history(endpoints, 1)
	for i, rec := range records {
		if s, ok := rec.(*hook.SourceRecord); ok {
			s.Secrets = []hook.SecretRecord{{Sealed: must(sealIt(hook.PurposeSourceSecret, s.ID, []byte("of the provider")))}}
			s.Tokens[0].Sealed = must(sealIt(hook.PurposeSourceToken, s.ID, []byte("token")))
		}
		e, ok := rec.(*hook.EndpointRecord)
		if !ok {
			continue
		}
		e.Secrets = []hook.SecretRecord{
			{Sealed: must(sealIt(hook.PurposeSecret, e.ID, []byte("whsec_1")))},
			{Sealed: must(sealIt(hook.PurposeSecret, e.ID, []byte("whsec_2"))), ExpiresAt: noon},
		}
		if i%2 == 1 {
			e.SealedHeaders = must(sealIt(hook.PurposeHeaders, e.ID, []byte(`{"a":"b"}`)))
		}
		if i%5 == 0 {
			e.DeletedAt = noon
		}
	}
	v.address = restored(t, records)
	if err := seal.Replace(v.keyFile, v.first); err != nil {
		t.Fatal(err)
	}
	return v
}

// values is how many an untouched vault has.
func (v *vault) values() int64 { return int64(2*v.endpoints + (v.endpoints+1)/2 + sourceValues) }

// sourceValues is how many of them are the source's.
const sourceValues = 2

func (v *vault) rotation() move.Rotation {
	return move.Rotation{Address: v.address, KeyFile: v.keyFile, Sealer: sealer, Log: quiet}
}

// keys are those in the file.
func (v *vault) keys() []seal.Key {
	v.Helper()
	loaded, err := seal.Load(v.keyFile)
	if err != nil {
		v.Fatal(err)
	}
	return append([]seal.Key{loaded.Key}, loaded.Older...)
}

// openAll opens every value with these keys, and counts those that the first sealed.
func (v *vault) openAll(keys ...seal.Key) (byFirst int64) {
	v.Helper()
	r := ring(v.T, keys...)
	_, open := sealer(r)
	check := func(purpose string, id hook.ID, sealed []byte, want string) {
		v.Helper()
		if plain, err := open(purpose, id, sealed); err != nil || string(plain) != want {
			v.Fatalf("%s of %s: %q, %v", purpose, hook.KindEndpoint.Format(id), plain, err)
		}
		if r.IsCurrent(sealed) {
			byFirst++
		}
	}
	s, err := store.OpenSource(v.Context(), v.address, true)
	if err != nil {
		v.Fatal(err)
	}
	defer s.Close()
	if err := s.Dump(v.Context(), func(rec hook.Record) error {
		if e, ok := rec.(*hook.EndpointRecord); ok {
			check(hook.PurposeSecret, e.ID, e.Secrets[0].Sealed, "whsec_1")
			check(hook.PurposeSecret, e.ID, e.Secrets[1].Sealed, "whsec_2")
			if e.SealedHeaders != nil {
				check(hook.PurposeHeaders, e.ID, e.SealedHeaders, `{"a":"b"}`)
			}
		}
		if s, ok := rec.(*hook.SourceRecord); ok {
			check(hook.PurposeSourceSecret, s.ID, s.Secrets[0].Sealed, "of the provider")
			check(hook.PurposeSourceToken, s.ID, s.Tokens[0].Sealed, "token")
		}
		return nil
	}); err != nil {
		v.Fatal(err)
	}
	return byFirst
}

func TestRotationSealsEverythingWithANewKeyAndKeepsTheOldOneAside(t *testing.T) {
	t.Parallel()
	v := newVault(t, 7)
	out, err := v.rotation().Run(t.Context())
	if err != nil || out.Endpoints != 7 || out.Sources != 1 || out.Values != v.values() || out.Resumed || len(out.Unreadable) != 0 {
		t.Fatalf("%+v, %v", out, err)
	}
	keys := v.keys()
	if len(keys) != 1 || keys[0].Equal(v.first) || keys[0].ID() != out.Key {
		t.Fatalf("%d keys are in the file", len(keys))
	}
	if n := v.openAll(keys...); n != v.values() {
		t.Errorf("%d values of %d are sealed with the new key", n, v.values())
	}
	old, err := seal.Load(out.OldKeys)
	if err != nil || !old.Key.Equal(v.first) || len(old.Older) != 0 || old.Note != "" {
		t.Errorf("the old key: %v", err)
	}
	// The next one keeps both.
	if _, err := v.rotation().Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	old, err = seal.Load(out.OldKeys)
	if err != nil || !old.Key.Equal(keys[0]) || len(old.Older) != 1 || !old.Older[0].Equal(v.first) {
		t.Errorf("the old keys: %d more, %v", len(old.Older), err)
	}
}

func TestRotationThatIsKilledAnywhereGoesOnAndEverythingStaysReadable(t *testing.T) {
	t.Parallel()
	const endpoints = 2*move.ResealBatch + 50
	for stopAfter := range 8 { // two passes, each of three batches of endpoints and one of sources
		v := newVault(t, endpoints)
		ctx, cancel := context.WithCancel(t.Context())
		r := v.rotation()
		batches := 0
		r.Tell = func(move.Rotated) {
			if batches++; batches == stopAfter {
				cancel()
			}
		}
		if stopAfter == 0 {
			cancel()
		}
		if _, err := r.Run(ctx); !errors.Is(err, context.Canceled) {
			t.Fatalf("stopped after %d batches: %v", stopAfter, err)
		}
		// A server that starts now reads everything with the keys in the file.
		v.openAll(v.keys()...)
		out, err := v.rotation().Run(t.Context())
		if err != nil || len(out.Unreadable) != 0 {
			t.Fatalf("resumed after %d batches: %+v, %v", stopAfter, out, err)
		}
		if keys := v.keys(); len(keys) != 1 || v.openAll(keys...) != v.values() {
			t.Errorf("stopped after %d batches: not all is sealed with the new key", stopAfter)
		}
	}
}

func TestRotationResumesFromEveryStateOfItsFiles(t *testing.T) {
	t.Parallel()
	v := newVault(t, 3)
	next := seal.NewKey()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	// The new key is in the file, and nothing is sealed with it.
	must(seal.Replace(v.keyFile, next, v.first))
	out, err := v.rotation().Run(t.Context())
	if err != nil || !out.Resumed || out.Values != v.values() || out.Key != next.ID() {
		t.Fatalf("%+v, %v", out, err)
	}
	// Everything is sealed with it, and the old one is still there.
	must(seal.Replace(v.keyFile, next, v.first))
	out, err = v.rotation().Run(t.Context())
	if err != nil || !out.Resumed || out.Values != 0 || out.Key != next.ID() {
		t.Fatalf("%+v, %v", out, err)
	}
	if old, err := seal.Load(out.OldKeys); err != nil || !old.Key.Equal(v.first) || len(old.Older) != 0 {
		t.Errorf("the old key is there twice or not at all: %v", err)
	}
	if keys := v.keys(); len(keys) != 1 || v.openAll(keys...) != v.values() {
		t.Error("not all is sealed with the new key")
	}
}

func TestRotationLeavesWhatNoKeyOpensAndKeepsAllKeys(t *testing.T) {
	t.Parallel()
	v := newVault(t, 3)
	foreign, _ := sealer(ring(t, seal.NewKey()))
	s, err := store.Open(t.Context(), v.address, store.Options{Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	var broken, brokenSource hook.ID
	_, err1 := s.(store.Mover).ResealSources(t.Context(), hook.ID{}, 1, func(s *hook.Source) error {
		brokenSource = s.ID
		s.Tokens[0].Sealed, err = foreign(hook.PurposeSourceToken, s.ID, []byte("lost"))
		return err
	})
	_, err = s.(store.Mover).Reseal(t.Context(), hook.ID{}, 1, func(e *hook.Endpoint) error {
		broken = e.ID
		e.Secrets[0].Sealed, err = foreign(hook.PurposeSecret, e.ID, []byte("lost"))
		return err
	})
	if err := errors.Join(err, err1, s.Close()); err != nil {
		t.Fatal(err)
	}
	out, err := v.rotation().Run(t.Context())
	if err != nil || !slices.Equal(out.Unreadable, []hook.ID{broken}) || out.OldKeys != "" || out.Values != v.values()-2 {
		t.Fatalf("%+v, %v", out, err)
	}
	if !slices.Equal(out.UnreadableIDs(), []string{hook.KindEndpoint.Format(broken), hook.KindSource.Format(brokenSource)}) {
		t.Errorf("it is shown as %q", out.UnreadableIDs())
	}
	if keys := v.keys(); len(keys) != 2 || !keys[1].Equal(v.first) {
		t.Errorf("%d keys are in the file", len(keys))
	}
}

func TestRotationWithGivenKeysChangesNoFile(t *testing.T) {
	t.Parallel()
	v := newVault(t, 3)
	next := seal.NewKey()
	r := v.rotation()
	r.KeyFile, r.Keys = "", []seal.Key{next, v.first}
	out, err := r.Run(t.Context())
	if err != nil || out.Key != next.ID() || out.Values != v.values() || out.OldKeys != "" {
		t.Fatalf("%+v, %v", out, err)
	}
	if keys := v.keys(); len(keys) != 1 || !keys[0].Equal(v.first) {
		t.Error("the file was changed")
	}
	if v.openAll(next) != v.values() {
		t.Error("not all is sealed with the new key")
	}
}

func TestRotationNeedsADatabaseAndItsKey(t *testing.T) {
	t.Parallel()
	v := newVault(t, 1)
	r := v.rotation()
	r.Address += "x"
	if _, err := r.Run(t.Context()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no database: %v", err)
	}
	if err := os.Remove(v.keyFile); err != nil {
		t.Fatal(err)
	}
	if _, err := v.rotation().Run(t.Context()); !errors.Is(err, fs.ErrNotExist) || exists(v.keyFile) {
		t.Errorf("no key: %v, there is one now %t", err, exists(v.keyFile))
	}
}
