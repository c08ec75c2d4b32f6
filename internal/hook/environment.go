package hook

import "time"

// Environment is a tenant: everything lives in one, and keys belong to one.
type Environment struct {
	ID        ID
	Name      string
	Kind      EnvironmentKind
	CreatedAt time.Time
}

// EnvironmentKind says what an environment is for. It changes how it is shown, and
// nothing else.
type EnvironmentKind uint8

// The kinds.
const (
	EnvironmentProduction EnvironmentKind = iota
	EnvironmentTest
)

// EnvironmentKinds lists every kind once.
var EnvironmentKinds = []EnvironmentKind{EnvironmentProduction, EnvironmentTest}

// String gives the word of the API.
func (k EnvironmentKind) String() string {
	if k == EnvironmentTest {
		return "test"
	}
	return "production"
}

// Key lets a caller in. A key without App is an environment key; with App it is
// an app-scoped token, as the customer portal uses. Only the hash of the token
// is stored.
type Key struct {
	ID           ID
	Env          ID
	App          ID       // zero for an environment key
	Hash         [32]byte // SHA-256 of the token
	Name         string
	CensoredText string   // such as "gk_…x9Q2", to recognise the key by
	Scopes       []string // empty: all rights of its kind
	SessionID    string   // groups app tokens, so that a session can be ended
	FeatureFlags []string
	CreatedAt    time.Time
	ExpiresAt    time.Time // zero: never
	LastUsedAt   time.Time // zero: never used; kept to the minute
}

// Valid reports whether the key may be used at the time now.
func (k *Key) Valid(now time.Time) bool {
	return k.ExpiresAt.IsZero() || now.Before(k.ExpiresAt)
}

// KeyUse is the last use of a key, gathered in memory and stored in batches.
type KeyUse struct {
	Key ID
	At  time.Time
}

// IdempotencyKey makes a POST happen once: the second request with the same
// hash gets the first one's object. A different Fingerprint under the same hash
// is refused with CodeIdempotency.
type IdempotencyKey struct {
	Hash        [16]byte // of the key's owner and the key's text
	Fingerprint [16]byte // of method, path and body
	ExpiresAt   time.Time
	Auto        bool // made by an SDK on its own; dropped first when there are too many
}
