package auth_test

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/grapnelhq/grapnel/internal/auth"
	"github.com/grapnelhq/grapnel/internal/hook"
	"github.com/grapnelhq/grapnel/internal/store"
)

// clock is a wall clock that a test sets.
type clock struct {
	mu  sync.Mutex // guards now
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

type rig struct {
	clock *clock
	store store.Store
	auth  *auth.Authenticator
}

func newRig(t *testing.T) *rig {
	t.Helper()
	st, err := store.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "g.db"), store.Options{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	c := &clock{now: time.Date(2026, 11, 23, 12, 0, 30, 0, time.UTC)}
	return &rig{clock: c, store: st, auth: auth.New(st, c.Now, slog.New(slog.DiscardHandler))}
}

func (r *rig) first(t *testing.T, token string) hook.Key {
	t.Helper()
	key, _, err := auth.EnsureFirstKey(t.Context(), r.store, token, "first", r.clock.Now())
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func refusal(t *testing.T, err error) string {
	t.Helper()
	var e *hook.Error
	if !errors.As(err, &e) || e.Code != hook.CodeAuthentication {
		t.Fatalf("error %v, want authentication_failed", err)
	}
	return e.Detail
}

func TestTokensHaveTheirPrefixLengthAndChecksum(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for app, pattern := range map[bool]string{false: `^gk_[0-9A-Za-z]{38}$`, true: `^gp_[0-9A-Za-z]{38}$`} {
		for range 100 {
			token, hash := auth.NewToken(app)
			if !regexp.MustCompile(pattern).MatchString(token) || seen[token] || !auth.WellFormed(token) {
				t.Fatalf("token %q", token)
			}
			if hash != auth.Hash(token) {
				t.Fatalf("the hash of %q is not its own", token)
			}
			seen[token] = true
			other := []byte(token)
			other[10] ^= 1
			if auth.WellFormed(string(other)) {
				t.Fatalf("%q passes with a changed character", other)
			}
		}
	}
	for _, text := range []string{"", "gk_", "xx_" + strings.Repeat("a", 38), "a-key-of-the-operator"} {
		if auth.WellFormed(text) {
			t.Errorf("%q is taken for a token of ours", text)
		}
	}
}

func TestCensoredTokenShowsLittle(t *testing.T) {
	t.Parallel()
	token, _ := auth.NewToken(false)
	for text, want := range map[string]string{
		token: "gk_…" + token[len(token)-4:], "operator-chose-this-9x9x": "…9x9x", "12345678": "…", "": "…",
	} {
		if got := auth.Censor(text); got != want {
			t.Errorf("Censor(%q) = %q, want %q", text, got, want)
		}
	}
}

func TestFirstKeyIsMadeOnceInTheOldestEnvironment(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	key, made, err := auth.EnsureFirstKey(t.Context(), r.store, "operator-key-000001", "first", r.clock.Now())
	if err != nil || !made {
		t.Fatalf("first start: made %v, %v", made, err)
	}
	r.clock.Add(time.Hour)
	again, made, err := auth.EnsureFirstKey(t.Context(), r.store, "operator-key-000001", "first", r.clock.Now())
	if err != nil || made || again.ID != key.ID {
		t.Errorf("second start: %+v, made %v, %v, want the key of the first", again, made, err)
	}
	other := r.first(t, "operator-key-000002")
	if other.Env != key.Env || other.ID == key.ID {
		t.Errorf("another key is %+v, want a new one in the same environment", other)
	}
	envs, err := r.store.ListEnvironments(t.Context())
	if err != nil || len(envs) != 1 || envs[0].Name != "default" {
		t.Errorf("environments %+v, %v, want one", envs, err)
	}
}

func TestKnownTokenGivesItsKey(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	key := r.first(t, "operator-key-000001")
	for _, token := range []string{"operator-key-000001", "operator-key-000001|" + hook.KindEnvironment.Format(key.Env)} {
		got, err := r.auth.Authenticate(t.Context(), token)
		if err != nil || got.ID != key.ID || got.Env != key.Env {
			t.Errorf("Authenticate(%q) = %+v, %v", token, got, err)
		}
	}
}

func TestWhatLetsNobodyInIsExplained(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.first(t, "operator-key-000001")
	stranger := hook.KindEnvironment.Format(hook.NewID(r.clock.Now()))
	for token, want := range map[string]string{
		"":                                "carries no API key",
		"operator-key-000002":             "not known",
		"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo": "signing secret",
		"whpk_abc":                        "signing secret",
		"operator-key-000001|" + stranger: "does not belong to the environment",
		"operator-key-000001|org_x":       "not known",
	} {
		_, err := r.auth.Authenticate(t.Context(), token)
		if detail := refusal(t, err); !strings.Contains(detail, want) || token != "" && strings.Contains(detail, token) {
			t.Errorf("%q: %q, want %q", token, detail, want)
		}
	}
}

func TestEndedKeyIsRefusedAfterForgetOrASecond(t *testing.T) {
	t.Parallel()
	for name, notice := range map[string]func(r *rig){
		"after Forget":   func(r *rig) { r.auth.Forget() },
		"after a second": func(r *rig) { r.clock.Add(1100 * time.Millisecond) },
	} {
		r := newRig(t)
		key := r.first(t, "operator-key-000001")
		if _, err := r.auth.Authenticate(t.Context(), "operator-key-000001"); err != nil {
			t.Fatal(err)
		}
		if err := r.store.ExpireKey(t.Context(), key.Env, key.ID, r.clock.Now()); err != nil {
			t.Fatal(err)
		}
		if _, err := r.auth.Authenticate(t.Context(), "operator-key-000001"); err != nil {
			t.Errorf("%s: the key is not remembered: %v", name, err)
		}
		notice(r)
		_, err := r.auth.Authenticate(t.Context(), "operator-key-000001")
		if detail := refusal(t, err); !strings.Contains(detail, "expired or was revoked") {
			t.Errorf("%s: %q", name, detail)
		}
	}
}

func TestKeyThatIsRememberedStillExpiresOnTime(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	key := r.first(t, "operator-key-000001")
	if err := r.store.ExpireKey(t.Context(), key.Env, key.ID, r.clock.Now().Add(500*time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	if _, err := r.auth.Authenticate(t.Context(), "operator-key-000001"); err != nil {
		t.Fatal(err)
	}
	r.clock.Add(600 * time.Millisecond)
	_, err := r.auth.Authenticate(t.Context(), "operator-key-000001")
	refusal(t, err)
}

func TestLastUseIsStoredWhenTheLoopEnds(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	key := r.first(t, "operator-key-000001")
	if _, err := r.auth.Authenticate(t.Context(), "operator-key-000001"); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := r.auth.Run(ctx); err != nil {
		t.Fatal(err)
	}
	keys, err := r.store.ListKeys(t.Context(), key.Env, hook.Page{Limit: 10})
	if err != nil || len(keys.Items) != 1 {
		t.Fatalf("keys %+v, %v", keys, err)
	}
	if used := keys.Items[0].LastUsedAt; used.Truncate(time.Minute) != r.clock.Now().Truncate(time.Minute) {
		t.Errorf("last use %v, want %v to the minute", used, r.clock.Now())
	}
}

func TestFailingStoreIsNotTakenForAnUnknownKey(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.first(t, "operator-key-000001")
	if err := r.store.Close(); err != nil {
		t.Fatal(err)
	}
	_, err := r.auth.Authenticate(t.Context(), "operator-key-000001")
	var e *hook.Error
	if err == nil || errors.As(err, &e) && e.Code == hook.CodeAuthentication {
		t.Errorf("Authenticate on a closed store: %v, want the store's own error", err)
	}
}

func FuzzAuthenticateNeverLetsAStrangerIn(f *testing.F) {
	for _, seed := range []string{"", "|", "gk_", "operator-key-000001|", "operator-key-000001|org_000000000000000000000000000", "\x00", "whsec_"} {
		f.Add(seed)
	}
	st, err := store.Open(f.Context(), "sqlite:"+filepath.Join(f.TempDir(), "g.db"), store.Options{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { st.Close() })
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	if _, _, err := auth.EnsureFirstKey(f.Context(), st, "operator-key-000001", "first", now); err != nil {
		f.Fatal(err)
	}
	a := auth.New(st, func() time.Time { return now }, slog.New(slog.DiscardHandler))
	f.Fuzz(func(t *testing.T, token string) {
		if _, err := a.Authenticate(t.Context(), token); err == nil && !strings.HasPrefix(token, "operator-key-000001") {
			t.Fatalf("%q was let in", token)
		}
	})
}
