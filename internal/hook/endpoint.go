package hook

import "time"

// Endpoint is one target of an application, with its filters and secrets.
type Endpoint struct {
	ID           ID
	App          ID
	Env          ID
	UID          string
	Description  string
	URL          string   // without userinfo
	EventTypes   []string // nil: all
	Channels     []string // nil: all
	ThrottleRate int      // messages a second; 0: no limit
	Metadata     map[string]string
	FeatureFlags []string

	// SealedHeaders is the encrypted JSON object of custom headers; nil: none.
	SealedHeaders []byte
	// Secrets are encrypted; the first is the current one, the others are kept
	// until they expire.
	Secrets []SealedSecret

	Disabled       bool
	DisabledReason DisableReason
	DisabledAt     time.Time
	// FailingSince is the first failed attempt after the last success; zero if
	// the last attempt succeeded or none was made. The stores maintain it.
	FailingSince time.Time

	// AppThrottleRate is the rate of the application, messages a second over all
	// its endpoints; 0: no limit. Filled for the engine by Accept and Claim.
	AppThrottleRate int

	// Revision grows with each change, so that what was derived from an older
	// one (parsed URL, opened secrets) is recognised as stale.
	Revision  int64
	CreatedAt time.Time
	UpdatedAt time.Time
}

// SealedSecret is one encrypted signing secret.
type SealedSecret struct {
	Sealed    []byte
	ExpiresAt time.Time // zero: the current secret
}

// DisableReason says who or what disabled an endpoint.
type DisableReason uint8

// The reasons.
const (
	NotDisabled       DisableReason = iota
	DisabledByUser                  // by the API
	DisabledByGone                  // the endpoint answered 410
	DisabledByFailing               // nothing but failures for too long
)

// DisableReasons lists every reason once.
var DisableReasons = []DisableReason{NotDisabled, DisabledByUser, DisabledByGone, DisabledByFailing}

// String gives the word that the API shows.
func (r DisableReason) String() string {
	switch r {
	case NotDisabled:
		return ""
	case DisabledByUser:
		return "by_user"
	case DisabledByGone:
		return "gone_410"
	case DisabledByFailing:
		return "failing"
	}
	return "unknown"
}

// Disable marks the endpoint disabled; it keeps the first reason if it already was.
func (e *Endpoint) Disable(reason DisableReason, now time.Time) {
	if e.Disabled {
		return
	}
	e.Disabled, e.DisabledReason, e.DisabledAt = true, reason, now
}

// Enable takes deliveries again and forgets the failures before.
func (e *Endpoint) Enable() {
	e.Disabled, e.DisabledReason = false, NotDisabled
	e.DisabledAt, e.FailingSince = time.Time{}, time.Time{}
}

// EndpointRevision is what Match reads of an endpoint, as it was in force from
// one moment to the next. Explain uses the one in force when the message was accepted.
type EndpointRevision struct {
	Endpoint   ID
	Revision   int64
	EventTypes []string
	Channels   []string
	Disabled   bool
	Since      time.Time
}
