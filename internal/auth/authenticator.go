package auth

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
)

const (
	// remember is how long a key is believed without asking the store, so how
	// long one that was ended by another node can still be used.
	remember = time.Second
	// maxKeys bounds the keys that are remembered.
	maxKeys = 4096
	// flushEvery is how often last uses are stored.
	flushEvery = time.Minute
	// flushTimeout bounds the last flush, on the way out.
	flushTimeout = 5 * time.Second
)

// KeyStore is what the Authenticator asks of the store.
type KeyStore interface {
	FindKeyByHash(ctx context.Context, hash [32]byte) (hook.Key, error)
	TouchKeys(ctx context.Context, uses []hook.KeyUse) error
}

// Authenticator finds the key of a token. New makes one; Run stores last uses.
type Authenticator struct {
	store KeyStore
	now   func() time.Time
	log   *slog.Logger

	mu         sync.RWMutex // guards what follows
	keys       map[[32]byte]*known
	uses       map[hook.ID]time.Time
	generation uint64 // counts calls of Forget
}

// known is a key that was found.
type known struct {
	key    hook.Key
	until  time.Time
	minute atomic.Int64 // of the last use that was noted, in Unix minutes
}

// New makes an Authenticator over the store.
func New(store KeyStore, now func() time.Time, log *slog.Logger) *Authenticator {
	return &Authenticator{
		store: store, now: now, log: log,
		keys: make(map[[32]byte]*known), uses: make(map[hook.ID]time.Time),
	}
}

// Authenticate gives the key of a token. A token may carry the id of its
// environment behind a bar, as some clients append it. Anything that lets
// nobody in is a *hook.Error with CodeAuthentication.
func (a *Authenticator) Authenticate(ctx context.Context, token string) (hook.Key, error) {
	if token == "" {
		return hook.Key{}, refused("The request carries no API key.", "Send `Authorization: Bearer KEY`.")
	}
	if isSigningSecret(token) {
		return hook.Key{}, refused("This is the signing secret of an endpoint, not an API key.", "Signing secrets verify webhooks; make an API key with `grapnel keys create`.")
	}
	token, env, named := splitEnvironment(token)
	now := a.now()
	k, err := a.find(ctx, Hash(token), now)
	switch {
	case err != nil:
		return hook.Key{}, err
	case !k.key.Valid(now):
		return hook.Key{}, refused("The API key has expired or was revoked.", "")
	case named && env != k.key.Env:
		return hook.Key{}, refused("The API key does not belong to the environment named behind it.", "")
	}
	a.note(k, now)
	return k.key, nil
}

// Forget drops what is remembered, after keys were changed by this process.
func (a *Authenticator) Forget() {
	a.mu.Lock()
	defer a.mu.Unlock()
	clear(a.keys)
	a.generation++
}

// find gives the key from memory or from the store.
func (a *Authenticator) find(ctx context.Context, hash [32]byte, now time.Time) (*known, error) {
	a.mu.RLock()
	k, generation := a.keys[hash], a.generation
	a.mu.RUnlock()
	if k != nil && now.Before(k.until) {
		return k, nil
	}
	key, err := a.store.FindKeyByHash(ctx, hash)
	if err != nil {
		var known *hook.Error
		if errors.As(err, &known) && known.Code == hook.CodeNotFound {
			return nil, refused("The API key is not known.", "")
		}
		return nil, err
	}
	k = &known{key: key, until: now.Add(remember)}
	a.mu.Lock()
	defer a.mu.Unlock()
	// A key that was read before a Forget may be the one that Forget was about.
	if generation == a.generation {
		if len(a.keys) >= maxKeys {
			clear(a.keys)
		}
		a.keys[hash] = k
	}
	return k, nil
}

// note remembers the use of a key, once a minute for each.
func (a *Authenticator) note(k *known, now time.Time) {
	minute := now.Unix() / 60
	if k.minute.Swap(minute) == minute {
		return
	}
	a.mu.Lock()
	a.uses[k.key.ID] = now
	a.mu.Unlock()
}

// Run stores last uses once a minute, and a last time when ctx ends. Uses that
// could not be stored are kept for the next time.
func (a *Authenticator) Run(ctx context.Context) error {
	tick := time.NewTicker(flushEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			a.flush(ctx)
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), flushTimeout)
			defer cancel()
			a.flush(last)
			return nil
		}
	}
}

func (a *Authenticator) flush(ctx context.Context) {
	a.mu.Lock()
	taken := a.uses
	a.uses = make(map[hook.ID]time.Time)
	a.mu.Unlock()
	if len(taken) == 0 {
		return
	}
	uses := make([]hook.KeyUse, 0, len(taken))
	for key, at := range taken {
		uses = append(uses, hook.KeyUse{Key: key, At: at})
	}
	err := a.store.TouchKeys(ctx, uses)
	if err == nil {
		return
	}
	a.log.WarnContext(ctx, "last uses of keys not stored, will try again", "error", err)
	a.mu.Lock()
	defer a.mu.Unlock()
	for key, at := range taken {
		if at.After(a.uses[key]) {
			a.uses[key] = at
		}
	}
}

func refused(detail, hint string) *hook.Error {
	return &hook.Error{Code: hook.CodeAuthentication, Detail: detail, Hint: hint}
}

func isSigningSecret(token string) bool {
	for _, prefix := range []string{"whsec_", "whsk_", "whsk1_", "whpk_", "whpk1_"} {
		if strings.HasPrefix(token, prefix) {
			return true
		}
	}
	return false
}

// splitEnvironment takes "|org_…" off a token.
func splitEnvironment(token string) (rest string, env hook.ID, named bool) {
	bar := strings.LastIndexByte(token, '|')
	if bar < 0 {
		return token, hook.ID{}, false
	}
	env, err := hook.KindEnvironment.Parse(token[bar+1:])
	if err != nil {
		return token, hook.ID{}, false
	}
	return token[:bar], env, true
}
