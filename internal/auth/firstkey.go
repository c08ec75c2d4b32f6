package auth

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
)

// defaultEnvironment is the name of the environment that the first key makes.
const defaultEnvironment = "default"

// FirstKeyStore is what EnsureFirstKey asks of the store.
type FirstKeyStore interface {
	ListEnvironments(ctx context.Context) ([]hook.Environment, error)
	CreateEnvironment(ctx context.Context, e *hook.Environment) error
	FindKeyByHash(ctx context.Context, hash [32]byte) (hook.Key, error)
	CreateKey(ctx context.Context, k *hook.Key) error
}

// EnsureFirstKey makes the environment "default" if there is none, and a key of
// the oldest environment for this token if there is no such key. A key that
// exists is given as it is, whatever its environment, valid or not.
func EnsureFirstKey(ctx context.Context, store FirstKeyStore, token, name string, now time.Time) (key hook.Key, made bool, err error) {
	key, err = store.FindKeyByHash(ctx, Hash(token))
	if err == nil {
		return key, false, nil
	}
	if !isCode(err, hook.CodeNotFound) {
		return hook.Key{}, false, fmt.Errorf("looking for the first key: %w", err)
	}
	env, err := oldestEnvironment(ctx, store, now)
	if err != nil {
		return hook.Key{}, false, err
	}
	key = hook.Key{
		ID: hook.NewID(now), Env: env, Hash: Hash(token), Name: name,
		CensoredText: Censor(token), CreatedAt: now,
	}
	err = store.CreateKey(ctx, &key)
	if isCode(err, hook.CodeConflict) { // another node was faster
		key, err = store.FindKeyByHash(ctx, key.Hash)
		return key, false, err
	}
	if err != nil {
		return hook.Key{}, false, fmt.Errorf("creating the first key: %w", err)
	}
	return key, true, nil
}

// EnsureEnvironment makes the environment "default" if there is none.
func EnsureEnvironment(ctx context.Context, store FirstKeyStore, now time.Time) error {
	_, err := oldestEnvironment(ctx, store, now)
	return err
}

func oldestEnvironment(ctx context.Context, store FirstKeyStore, now time.Time) (hook.ID, error) {
	envs, err := store.ListEnvironments(ctx)
	if err != nil {
		return hook.ID{}, fmt.Errorf("listing environments: %w", err)
	}
	if len(envs) > 0 {
		return envs[0].ID, nil
	}
	env := hook.Environment{ID: hook.NewID(now), Name: defaultEnvironment, CreatedAt: now}
	if err := store.CreateEnvironment(ctx, &env); err != nil {
		return hook.ID{}, fmt.Errorf("creating the first environment: %w", err)
	}
	return env.ID, nil
}

func isCode(err error, code hook.Code) bool {
	var e *hook.Error
	return errors.As(err, &e) && e.Code == code
}
